"""The hybrid recommender of seed 001: a collaborative branch (He et al. 2017) beside a content branch, fused by an MLP.

    user id -> embedding 50  |                    user features -> dense 64  |
    item id -> embedding 50  |-> concatenate ->   item features -> dense 64  |-> concatenate -> 128 -> 64 -> 32 -> 1

Numbers of the features enter as they are, categorical ones (a favourite category, a brand) as embeddings of 10."""

from dataclasses import dataclass, field

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from rankd_train.data.features import Features
from rankd_train.errors import ConfigError
from rankd_train.models.pair_network import PairNetwork, PairRecommender, restore_network
from rankd_train.models.pair_tables import DescribedTables
from rankd_train.models.recommender import Family, FitOptions, Fitted, TrainingSet
from rankd_train.models.split_layers import Mlp, SplitScorer, check_layers
from rankd_train.training.optimiser import OptimiserConfig
from rankd_train.training.pair_fit import choices_of, fit_network
from rankd_train.training.pair_task import PairTraining


@dataclass(frozen=True)
class HybridNcfConfig:
    """Defaults are those of seed 001, its loss included."""

    embedding_dim: int = 50
    content_units: int = 64  # of the dense layer over each side's features
    code_dim: int = 10  # of the embedding of a categorical feature
    hidden_layers: tuple[int, ...] = (128, 64, 32)
    dropout: tuple[float, ...] = (0.2, 0.2, 0.0)  # after each hidden layer
    training: PairTraining = field(default_factory=lambda: PairTraining(loss="mse"))
    optimiser: OptimiserConfig = field(default_factory=OptimiserConfig)

    def __post_init__(self) -> None:
        for name in ("embedding_dim", "content_units", "code_dim"):
            if getattr(self, name) < 1:
                raise ConfigError(f'"model.{name}" must be above 0, got {getattr(self, name)}')
        check_layers(self.hidden_layers, self.dropout)


class HybridScorer(SplitScorer):
    """Each side's [embedding; dense 64 of its features] enters the fusion as its half of the first layer."""

    def __init__(self, config: HybridNcfConfig, user_features: int, item_features: int):
        """user_features, item_features: widths of the feature columns."""
        super().__init__()
        width, first = config.embedding_dim + config.content_units, config.hidden_layers[0]
        self.user_dense = nn.Linear(user_features, config.content_units)
        self.item_dense = nn.Linear(item_features, config.content_units)
        self.user = nn.Linear(width, first)
        self.item = nn.Linear(width, first, bias=False)
        self.mlp = Mlp(config.hidden_layers, config.dropout)
        self.output = nn.Linear(config.hidden_layers[-1], 1)

    def forward(
        self,
        user_embedding: Tensor,
        user_features: Tensor,
        row_user: Tensor,
        item_embedding: Tensor,
        item_features: Tensor,
    ) -> Tensor:
        """user_…: (U, W); row_user: (N,) int64; item_…: (N, W). Returns probabilities (N,)."""
        user = self.of_user(user_embedding, user_features).index_select(0, row_user)  # (N, 128)
        return self.score(user, self.of_item(item_embedding, item_features))

    def of_user(self, embedding: Tensor, features: Tensor) -> Tensor:
        return self.user(torch.cat([embedding, F.relu(self.user_dense(features))], dim=1))  # (U, 50 + 64) to (U, 128)

    def of_item(self, embedding: Tensor, features: Tensor) -> Tensor:
        return self.item(torch.cat([embedding, F.relu(self.item_dense(features))], dim=1))

    def join(self, user: Tensor, item: Tensor) -> Tensor:
        return self.output(self.mlp(user + item)).squeeze(-1)


def make_network(config: HybridNcfConfig, shape: tuple[int, int], features: Features) -> PairNetwork:
    tables = DescribedTables(shape, config.embedding_dim, features.user, features.item, config.code_dim)
    for side, columns in (("user", tables.user_features), ("item", tables.item_features)):
        if columns.width == 0:
            raise ConfigError(
                f"hybrid-ncf describes users and items, and this set tells nothing of its {side}s: "
                "use ncf, or name columns of the table"
            )
    return PairNetwork(tables, HybridScorer(config, tables.user_features.width, tables.item_features.width))


def fit(config: HybridNcfConfig, data: TrainingSet, options: FitOptions) -> Fitted:
    torch.set_num_threads(options.threads)
    torch.manual_seed(options.seed)
    network = make_network(config, data.shape, data.features)
    trained = fit_network("hybrid-ncf", network, config.training, config.optimiser, data, options)
    return Fitted(PairRecommender(network, data), trained.history, choices_of({"hybrid-ncf": trained}))


def restore(config: HybridNcfConfig, data: TrainingSet, state: dict[str, Tensor]) -> PairRecommender:
    return restore_network(make_network(config, data.shape, data.features), data, state)


FAMILY = Family(
    name="hybrid-ncf",
    title="Hybrid NCF + content",
    paper="seed 001; He et al. 2017, equation 10",
    config=HybridNcfConfig,
    fit=fit,
    restore=restore,
)
