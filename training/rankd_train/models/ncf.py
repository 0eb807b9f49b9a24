"""Neural collaborative filtering as seeds 001 and 003 draw it: embeddings of user and item, fused by an MLP.

The MLP of He et al. 2017, equation 10, over [user; item]; seed 003 also allows their element-wise product."""

from dataclasses import dataclass, field
from typing import Literal

import torch
from torch import Tensor, nn

from rankd_train.errors import ConfigError
from rankd_train.models.pair_network import PairNetwork, PairRecommender, restore_network
from rankd_train.models.pair_tables import EmbeddingTables
from rankd_train.models.recommender import Family, FitOptions, Fitted, TrainingSet
from rankd_train.models.split_layers import Mlp, SplitScorer, check_layers
from rankd_train.training.optimiser import OptimiserConfig
from rankd_train.training.pair_fit import choices_of, fit_network
from rankd_train.training.pair_task import PairTraining


@dataclass(frozen=True)
class NcfConfig:
    """Seed 001. Seed 003 has embedding_dim 64, dropout [0.5, 0.3, 0.0], and leaves the choice of `fusion`."""

    embedding_dim: int = 50
    hidden_layers: tuple[int, ...] = (128, 64, 32)
    dropout: tuple[float, ...] = (0.2, 0.2, 0.0)  # after each hidden layer
    fusion: Literal["concatenate", "product"] = "concatenate"
    training: PairTraining = field(default_factory=PairTraining)
    optimiser: OptimiserConfig = field(default_factory=OptimiserConfig)

    def __post_init__(self) -> None:
        if self.embedding_dim < 1:
            raise ConfigError(f'"model.embedding_dim" must be above 0, got {self.embedding_dim}')
        check_layers(self.hidden_layers, self.dropout)


class ConcatenationScorer(SplitScorer):
    """An MLP over [user; item], its first layer in two halves."""

    def __init__(self, config: NcfConfig):
        super().__init__()
        self.user = nn.Linear(config.embedding_dim, config.hidden_layers[0])
        self.item = nn.Linear(config.embedding_dim, config.hidden_layers[0], bias=False)
        self.mlp = Mlp(config.hidden_layers, config.dropout)
        self.output = nn.Linear(config.hidden_layers[-1], 1)

    def forward(self, user_embedding: Tensor, row_user: Tensor, item_embedding: Tensor) -> Tensor:
        """user_embedding: (U, E); row_user: (N,) int64; item_embedding: (N, E). Returns probabilities (N,)."""
        user = self.of_user(user_embedding).index_select(0, row_user)  # (N, 128)
        return self.score(user, self.of_item(item_embedding))

    def of_user(self, embedding: Tensor) -> Tensor:
        return self.user(embedding)

    def of_item(self, embedding: Tensor) -> Tensor:
        return self.item(embedding)

    def join(self, user: Tensor, item: Tensor) -> Tensor:
        return self.output(self.mlp(user + item)).squeeze(-1)  # squeeze(-1), so that a batch of one stays a batch


class ProductScorer(SplitScorer):
    """An MLP over user x item, element by element: nothing of it can be done for one side alone."""

    def __init__(self, config: NcfConfig):
        super().__init__()
        self.first = nn.Linear(config.embedding_dim, config.hidden_layers[0])
        self.mlp = Mlp(config.hidden_layers, config.dropout)
        self.output = nn.Linear(config.hidden_layers[-1], 1)

    def forward(self, user_embedding: Tensor, row_user: Tensor, item_embedding: Tensor) -> Tensor:
        """As ConcatenationScorer."""
        return self.score(user_embedding.index_select(0, row_user), item_embedding)

    def of_user(self, embedding: Tensor) -> Tensor:
        return embedding

    def of_item(self, embedding: Tensor) -> Tensor:
        return embedding

    def join(self, user: Tensor, item: Tensor) -> Tensor:
        return self.output(self.mlp(self.first(user * item))).squeeze(-1)


def make_network(config: NcfConfig, shape: tuple[int, int]) -> PairNetwork:
    scorer = ConcatenationScorer(config) if config.fusion == "concatenate" else ProductScorer(config)
    return PairNetwork(EmbeddingTables(shape, config.embedding_dim), scorer)


def fit(config: NcfConfig, data: TrainingSet, options: FitOptions) -> Fitted:
    torch.set_num_threads(options.threads)
    torch.manual_seed(options.seed)
    network = make_network(config, data.shape)
    trained = fit_network("ncf", network, config.training, config.optimiser, data, options)
    return Fitted(PairRecommender(network, data), trained.history, choices_of({"ncf": trained}))


def restore(config: NcfConfig, data: TrainingSet, state: dict[str, Tensor]) -> PairRecommender:
    return restore_network(make_network(config, data.shape), data, state)


FAMILY = Family(
    name="ncf",
    title="Neural collaborative filtering",
    paper="He et al. 2017, equation 10; seeds 001 and 003",
    config=NcfConfig,
    fit=fit,
    restore=restore,
)
