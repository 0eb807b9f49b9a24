"""Matrix factorisation by gradient descent: a dot product with biases, trained on log loss with drawn negatives.

    logit(u, i) = b_u + b_i + p_u · q_i

Rendle et al. 2020, "Neural Collaborative Filtering vs. Matrix Factorization Revisited", section 3: well tuned, it beats
the networks that were to replace it. It is also its own index: the best items of a user are those of the largest dot
product, so that nothing need rank again."""

from dataclasses import dataclass, field

import numpy as np
import scipy.sparse as sp
import torch
from torch import Tensor, nn

from rankd_train.errors import ConfigError
from rankd_train.export.serving import GraphPart, IndexPart, Serving
from rankd_train.models.pair_network import PairNetwork, PairRecommender, as_columns, load_weights
from rankd_train.models.pair_tables import EmbeddingTables
from rankd_train.models.recommender import Family, FitOptions, Fitted, TrainingSet
from rankd_train.models.serving_graphs import candidate_count
from rankd_train.models.split_layers import SplitScorer
from rankd_train.training.optimiser import OptimiserConfig
from rankd_train.training.pair_fit import choices_of, fit_network
from rankd_train.training.pair_task import PairTraining


@dataclass(frozen=True)
class MfConfig:
    dim: int = 64
    spread: float = 0.1  # standard deviation of the embeddings at the start
    training: PairTraining = field(default_factory=lambda: PairTraining(negatives=8))
    optimiser: OptimiserConfig = field(default_factory=OptimiserConfig)

    def __post_init__(self) -> None:
        if self.dim < 1:
            raise ConfigError(f'"model.dim" must be above 0, got {self.dim}')


class DotScorer(SplitScorer):
    """Embeddings end in a bias: [p; b_u] and [q; b_i]. Their halves [p; 1; b_u] and [q; b_i; 1] make one dot product."""

    def forward(self, user_embedding: Tensor, row_user: Tensor, item_embedding: Tensor) -> Tensor:
        """user_embedding: (U, D + 1); row_user: (N,) int64; item_embedding: (N, D + 1). Returns logits (N,)."""
        return self.join(self.of_user(user_embedding).index_select(0, row_user), self.of_item(item_embedding))

    def of_user(self, embedding: Tensor) -> Tensor:
        return torch.cat([embedding[:, :-1], torch.ones_like(embedding[:, :1]), embedding[:, -1:]], dim=1)  # (U, D + 2)

    def of_item(self, embedding: Tensor) -> Tensor:
        return torch.cat([embedding, torch.ones_like(embedding[:, :1])], dim=1)  # (N, D + 2)

    def join(self, user: Tensor, item: Tensor) -> Tensor:
        return (user * item).sum(dim=-1)

    def score(self, user: Tensor, item: Tensor) -> Tensor:
        """The logit itself, which is what the index gives as well."""
        return self.join(user, item)


class UserVector(nn.Module):
    """The query of the index."""

    def __init__(self, scorer: DotScorer):
        super().__init__()
        self.scorer = scorer

    def forward(self, user_embedding: Tensor) -> Tensor:
        """user_embedding: (U, D + 1). Returns (U, D + 2)."""
        return self.scorer.of_user(user_embedding)


class MfRecommender(PairRecommender):
    @torch.no_grad()
    def scores(self, users: np.ndarray, history: sp.csr_matrix) -> np.ndarray:
        return (self.user_half(users) @ self.item_half.T).cpu().numpy()

    def serving(self) -> Serving:
        graph_inputs, users, items = self.served_tables()
        user_only = {"user_embedding": graph_inputs["user_embedding"]}
        scorer = self.network.scorer
        source = {
            "name": "factors",
            "kind": "index",
            "index": "factors",
            "query": {"graph": "user_vector", "output": "vector"},
            "k": candidate_count(self.data),
        }
        return Serving(
            item=as_columns(items),
            user=as_columns(users),
            indexes={
                "factors": IndexPart(self.item_half.numpy()),
                "alike": IndexPart(items["embedding"][:, :-1].numpy(), metric="cosine"),
            },
            graphs={
                "user_vector": GraphPart(UserVector(scorer), user_only, "vector"),
                "scorer": GraphPart(scorer, graph_inputs, "score"),
            },
            sources=(source,),
            scorer="scorer",
            similar="alike",
        )


def make_network(config: MfConfig, shape: tuple[int, int]) -> PairNetwork:
    return PairNetwork(EmbeddingTables(shape, config.dim + 1, config.spread), DotScorer())


def fit(config: MfConfig, data: TrainingSet, options: FitOptions) -> Fitted:
    torch.set_num_threads(options.threads)
    torch.manual_seed(options.seed)
    network = make_network(config, data.shape)
    trained = fit_network("mf", network, config.training, config.optimiser, data, options)
    return Fitted(MfRecommender(network, data), trained.history, choices_of({"mf": trained}))


def restore(config: MfConfig, data: TrainingSet, state: dict[str, Tensor]) -> MfRecommender:
    network = make_network(config, data.shape)
    load_weights(network, state)
    return MfRecommender(network, data)


FAMILY = Family(
    name="mf",
    title="Matrix factorisation by gradient descent",
    paper="Rendle et al. 2020, section 3; Koren et al. 2009",
    config=MfConfig,
    fit=fit,
    restore=restore,
)
