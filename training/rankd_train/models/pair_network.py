"""A network over pairs of user and item: tables and a scorer, as it is trained and as a fitted recommender."""

import numpy as np
import scipy.sparse as sp
import torch
import torch.nn.functional as F
from torch import Tensor, nn

from rankd_train.errors import TrainError
from rankd_train.export.serving import Column, GraphPart, IndexPart, Serving
from rankd_train.models.item_knn import cosine_weights
from rankd_train.models.neighbours import serve_neighbours, strongest
from rankd_train.models.pair_tables import PairTables
from rankd_train.models.recommender import UNKNOWN, Recommender, TrainingSet
from rankd_train.models.serving_graphs import candidate_count
from rankd_train.models.split_layers import SplitScorer
from rankd_train.quantise import as_f16

ROWS = 16_384  # pairs scored at once: with 128 floats each, 8 MB
NEIGHBOURS = 100  # of each item, that retrieve candidates


class PairNetwork(nn.Module):
    def __init__(self, tables: PairTables, scorer: SplitScorer):
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

    def serving(self) -> Serving:
        """Neighbours of the history, and what the unknown user likes best, retrieve; the network ranks them.

        An MLP over pairs cannot be searched like an index of vectors, so that something else must find its candidates;
        docs/models/ncf.md tells how many of the held-out items they hold."""
        inputs, users, items = self.served_tables()
        found = serve_neighbours(strongest(cosine_weights(self.data.matrix), NEIGHBOURS, as_f16), self.data)
        unknown = self.scores(np.array([UNKNOWN]), sp.csr_matrix((1, len(self.item_half))))[0]
        listed = {"name": "listed", "kind": "list", "rows": "listed.row", "k": candidate_count(self.data)}
        return Serving(
            item={**as_columns(items), **found.item},
            user=as_columns(users),
            lists={"listed": np.argsort(-unknown, kind="stable").astype(np.uint32)},
            indexes={"alike": IndexPart(items["embedding"].numpy(), metric="cosine")},
            graphs={"scorer": GraphPart(self.network.scorer, inputs, "score")},
            sources=(*found.sources, listed),
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
