"""A network over pairs of user and item: tables and a scorer, as it is trained and as a fitted recommender."""

import numpy as np
import scipy.sparse as sp
import torch
import torch.nn.functional as F
from torch import Tensor, nn

from rankd_train.errors import TrainError
from rankd_train.export.serving import Column, GraphPart, IndexPart, Serving
from rankd_train.models.linear_stand_in import fit_stand_in
from rankd_train.models.pair_tables import EmbeddingTables
from rankd_train.models.recommender import Recommender, TrainingSet
from rankd_train.models.serving_graphs import candidate_count
from rankd_train.models.split_layers import SplitScorer

ROWS = 16_384  # pairs scored at once: with 128 floats each, 8 MB


class PairNetwork(nn.Module):
    def __init__(self, tables: EmbeddingTables, scorer: SplitScorer):
        super().__init__()
        self.tables = tables
        self.scorer = scorer

    def forward(self, row: Tensor, item: Tensor) -> Tensor:
        """row: (B,) user rows; item: (B, M), candidates of each. Returns logits (B, M)."""
        user = self.scorer.of_user(*self.tables.users(row).values())  # (B, H)
        return self.scorer.join(user[:, None], self.item_halves(item))

    def every_pair(self, row: Tensor, item: Tensor) -> Tensor:
        """row: (B,); item: (N,). Returns the logits of each row with each item, (B, N)."""
        user = self.scorer.of_user(*self.tables.users(row).values())
        return self.scorer.join(user[:, None], self.scorer.of_item(*self.tables.items(item).values()))

    def item_halves(self, item: Tensor) -> Tensor:
        """item: (B, M). Returns (B, M, H)."""
        every = self.every_item()
        if item.numel() < len(every):
            half = self.scorer.of_item(*self.tables.items(item.flatten()).values())  # (B · M, H)
            return half.view(*item.shape, -1)
        # A batch larger than the catalogue meets most items several times: each is computed once.
        return F.embedding(item, self.scorer.of_item(*self.tables.items(every).values()))

    def every_item(self) -> Tensor:
        return torch.arange(self.tables.shape[1], device=self.tables.item_embedding.weight.device)


class PairRecommender(Recommender):
    """A fitted network; its scores are those that its graph serves."""

    def __init__(self, network: PairNetwork, data: TrainingSet):
        self.network = network.eval()
        self.data = data
        self.device = network.tables.item_embedding.weight.device
        with torch.no_grad():
            self.item_half = network.scorer.of_item(*network.tables.items(network.every_item()).values())  # (I, H)

    @torch.no_grad()
    def scores(self, users: np.ndarray, history: sp.csr_matrix) -> np.ndarray:
        user = self.user_half(users)
        scored = np.empty((len(users), len(self.item_half)), dtype=np.float32)
        for place in range(len(users)):  # a catalogue of pairs is enough work for one step
            scored[place] = self.network.scorer.score(user[place], self.item_half).cpu().numpy()
        return scored

    @torch.no_grad()
    def pair_scores(self, users: np.ndarray, items: np.ndarray, history: sp.csr_matrix) -> np.ndarray:
        user = self.user_half(users)[:, None]  # (B, 1, H)
        wanted = torch.from_numpy(items.astype(np.int64)).to(self.device)  # (B, M)
        chunk = max(1, ROWS // max(1, items.shape[1]))
        parts = zip(user.split(chunk), wanted.split(chunk))
        scores = [self.network.scorer.score(part, F.embedding(item, self.item_half)) for part, item in parts]
        return torch.cat(scores).cpu().numpy()

    def user_half(self, users: np.ndarray) -> Tensor:
        """users: [B], UNKNOWN for row 0. Returns (B, H)."""
        rows = torch.from_numpy(users.astype(np.int64) + 1).to(self.device)
        return self.network.scorer.of_user(*self.network.tables.users(rows).values())

    def state(self) -> dict[str, Tensor]:
        return dict(self.network.state_dict())

    @torch.no_grad()
    def logits(self, rows: np.ndarray, items: np.ndarray) -> np.ndarray:
        """rows: [B] of the user table; items: [M]. Returns [B, M] float32."""
        item = self.item_half[torch.from_numpy(items).to(self.device)]
        return np.stack([self.network.scorer.join(user, item).cpu().numpy() for user in self.user_half(rows - 1)])

    def serving(self) -> Serving:
        """An index of vectors that stand in for the network retrieves; the network ranks what it finds."""
        inputs, users, items = self.served_tables()
        user_count, item_count = self.network.tables.shape
        stand_in = fit_stand_in(self.logits, 1 + user_count, item_count)
        source = {
            "name": "stand_in",
            "kind": "index",
            "index": "stand_in",
            "query": {"graph": "query", "output": "vector"},
            "k": candidate_count(self.data),
        }
        return Serving(
            item=as_columns(items),
            user={**as_columns(users), "stand_in": Column("f32", stand_in.user)},
            indexes={
                "stand_in": IndexPart(stand_in.item),
                "alike": IndexPart(items["embedding"].numpy(), metric="cosine"),
            },
            graphs={"query": stand_in.query(), "scorer": GraphPart(self.network.scorer, inputs, "score")},
            sources=(source,),
            scorer="scorer",
            reranks=True,
            similar="alike",
        )

    @torch.no_grad()
    def served_tables(self) -> tuple[dict[str, dict[str, str]], dict[str, Tensor], dict[str, Tensor]]:
        """Where the scorer's inputs come from, in its order; then the columns of all users and of all items."""
        tables = self.network.tables
        users, items = tables.users(torch.arange(1 + tables.shape[0])), tables.items(self.network.every_item())
        inputs = {f"user_{name}": {"from": "user", "column": f"user.{name}"} for name in users}
        inputs["row_user"] = {"from": "row_user"}
        inputs |= {f"item_{name}": {"from": "item", "column": f"item.{name}"} for name in items}
        return inputs, users, items


def as_columns(columns: dict[str, Tensor]) -> dict[str, Column]:
    return {name: Column("f32", values.numpy()) for name, values in columns.items()}


def restore_network(network: PairNetwork, data: TrainingSet, state: dict[str, Tensor]) -> PairRecommender:
    load_weights(network, state)
    return PairRecommender(network, data)


def load_weights(network: PairNetwork, state: dict[str, Tensor]) -> None:
    try:
        network.load_state_dict(state)
    except RuntimeError as error:
        raise TrainError(f"the saved weights are of another network: {error}") from error
