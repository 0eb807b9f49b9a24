"""Neural matrix factorisation (He et al. 2017, "Neural Collaborative Filtering").

A user and an item meet twice: as a product of embeddings (GMF, equation 9) and in an MLP over both (equation 10); one
output layer weighs what both end in (equation 12). The loss is log loss over positives and drawn negatives (equation 7).
As in section 3.4.1 both parts can be trained alone beforehand; then their output weights enter with alpha and 1 - alpha
(equation 13)."""

from dataclasses import dataclass, field, replace

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
class NeuMfConfig:
    gmf_dim: int = 16  # of the product's embeddings; 0 = the MLP alone
    mlp_dim: int = 32  # of the MLP's embeddings; 0 = GMF alone
    hidden_layers: tuple[int, ...] = (64, 32, 16)
    dropout: tuple[float, ...] = (0.0, 0.0, 0.0)  # after each hidden layer
    pretrain: bool = False  # train GMF and MLP alone first
    alpha: float = 0.5  # of GMF, where both parts are joined after pre-training
    training: PairTraining = field(default_factory=PairTraining)
    optimiser: OptimiserConfig = field(default_factory=OptimiserConfig)

    def __post_init__(self) -> None:
        if min(self.gmf_dim, self.mlp_dim) < 0 or self.gmf_dim + self.mlp_dim == 0:
            raise ConfigError('"model.gmf_dim" and "model.mlp_dim" must not be negative, and not both 0')
        if self.pretrain and 0 in (self.gmf_dim, self.mlp_dim):
            raise ConfigError('"model.pretrain" joins GMF and MLP: give both "model.gmf_dim" and "model.mlp_dim"')
        if not 0 <= self.alpha <= 1:
            raise ConfigError(f'"model.alpha" must be in [0, 1], got {self.alpha}')
        check_layers(self.hidden_layers, self.dropout)


class NeuMfScorer(SplitScorer):
    """Both parts side by side in every row: [GMF's embedding | MLP's embedding]. Either may have no width at all."""

    def __init__(self, config: NeuMfConfig):
        super().__init__()
        self.gmf_dim, self.mlp_dim = config.gmf_dim, config.mlp_dim
        first, last = (config.hidden_layers[0], config.hidden_layers[-1]) if config.mlp_dim else (0, 0)
        self.last = last
        if config.mlp_dim:
            self.mlp_user = nn.Linear(config.mlp_dim, first)
            self.mlp_item = nn.Linear(config.mlp_dim, first, bias=False)
            self.mlp = Mlp(config.hidden_layers, config.dropout)
        self.output = nn.Linear(config.gmf_dim + last, 1)

    def forward(self, user_embedding: Tensor, row_user: Tensor, item_embedding: Tensor) -> Tensor:
        """user_embedding: (U, G + M); row_user: (N,) int64; item_embedding: (N, G + M). Returns probabilities (N,)."""
        user = self.of_user(user_embedding).index_select(0, row_user)  # (N, H)
        return self.score(user, self.of_item(item_embedding))

    def of_user(self, embedding: Tensor) -> Tensor:
        """(U, G + M) to (U, G + first hidden layer)."""
        if not self.mlp_dim:
            return embedding
        return torch.cat([embedding[:, : self.gmf_dim], self.mlp_user(embedding[:, self.gmf_dim :])], dim=1)

    def of_item(self, embedding: Tensor) -> Tensor:
        if not self.mlp_dim:
            return embedding
        return torch.cat([embedding[:, : self.gmf_dim], self.mlp_item(embedding[:, self.gmf_dim :])], dim=1)

    def join(self, user: Tensor, item: Tensor) -> Tensor:
        gmf = user[..., : self.gmf_dim] * item[..., : self.gmf_dim]  # (..., G)
        if not self.mlp_dim:
            return self.output(gmf).squeeze(-1)
        hidden = self.mlp(user[..., self.gmf_dim :] + item[..., self.gmf_dim :])  # (..., last hidden layer)
        return self.output(torch.cat([gmf, hidden], dim=-1)).squeeze(-1)


def make_network(config: NeuMfConfig, shape: tuple[int, int]) -> PairNetwork:
    return PairNetwork(EmbeddingTables(shape, config.gmf_dim + config.mlp_dim), NeuMfScorer(config))


def fit(config: NeuMfConfig, data: TrainingSet, options: FitOptions) -> Fitted:
    torch.set_num_threads(options.threads)
    torch.manual_seed(options.seed)
    network = make_network(config, data.shape)
    before = {}
    if config.pretrain:
        parts = {"gmf": replace(config, mlp_dim=0, pretrain=False), "mlp": replace(config, gmf_dim=0, pretrain=False)}
        networks = {name: make_network(part, data.shape) for name, part in parts.items()}
        for name, part in networks.items():
            before[name] = fit_network(name, part, config.training, config.optimiser, data, options)
        join_parts(network, networks["gmf"], networks["mlp"], config.alpha)
    trained = fit_network("neumf", network, config.training, config.optimiser, data, options)
    return Fitted(PairRecommender(network, data), trained.history, choices_of({**before, "neumf": trained}))


@torch.no_grad()
def join_parts(network: PairNetwork, gmf: PairNetwork, mlp: PairNetwork, alpha: float) -> None:
    """Equation 13: the embeddings side by side, the output weights alpha h_GMF and (1 - alpha) h_MLP."""
    for name in ("user_embedding", "item_embedding"):
        parts = [getattr(part.tables, name).weight for part in (gmf, mlp)]
        getattr(network.tables, name).weight.copy_(torch.cat(parts, dim=1))
    for name in ("mlp_user", "mlp_item", "mlp"):
        getattr(network.scorer, name).load_state_dict(getattr(mlp.scorer, name).state_dict())
    a, b, joined = gmf.scorer.output, mlp.scorer.output, network.scorer.output
    joined.weight.copy_(torch.cat([alpha * a.weight, (1 - alpha) * b.weight], dim=1))
    joined.bias.copy_(alpha * a.bias + (1 - alpha) * b.bias)


def restore(config: NeuMfConfig, data: TrainingSet, state: dict[str, Tensor]) -> PairRecommender:
    return restore_network(make_network(config, data.shape), data, state)


FAMILY = Family(
    name="neumf",
    title="NeuMF",
    paper="He et al. 2017, equations 7 to 13",
    config=NeuMfConfig,
    fit=fit,
    restore=restore,
)
