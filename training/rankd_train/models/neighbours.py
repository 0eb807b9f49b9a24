"""Models that are one matrix of weights between items: what stands in a history votes for what goes with it."""

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass

import numpy as np
import scipy.sparse as sp
import torch
from torch import Tensor

from rankd_train.export.serving import Column, GraphPart, Serving
from rankd_train.models.recommender import Recommender, TrainingSet
from rankd_train.models.serving_graphs import SourceScore, candidate_count
from rankd_train.quantise import as_f16, as_i8

NO_NEIGHBOUR = 0xFFFFFFFF  # pads a row of the neighbour table
BLOCK = 1024  # rows of a weight matrix that are looked at together: 168 MB of float32 at 41,000 items


@dataclass(frozen=True)
class Neighbours:
    """The strongest weights of each item, as the engine stores them."""

    rows: np.ndarray  # [I, W] uint32, NO_NEIGHBOUR where there are fewer
    weights: np.ndarray  # [I, W] float32, as the narrowed table gives them back

    def matrix(self) -> sp.csr_matrix:
        """[I, I] float32, row = item of the history, column = candidate: history [U, I] @ matrix = scores [U, I]."""
        count, width = self.rows.shape
        real = self.rows != NO_NEIGHBOUR
        row = np.repeat(np.arange(count), width)[real.ravel()]
        values = self.weights[real]
        return sp.csr_matrix((values, (row, self.rows[real].astype(np.int64))), shape=(count, count))


def strongest(
    weights: np.ndarray | sp.csr_matrix, width: int, narrow: Callable[[np.ndarray], np.ndarray] = as_i8
) -> Neighbours:
    """Of a whole matrix [I, I]; see `strongest_of_blocks`."""
    return strongest_of_blocks(blocks_of(weights), width, narrow)


def blocks_of(weights: np.ndarray | sp.csr_matrix) -> Iterator[np.ndarray]:
    """The rows of a matrix in order, up to BLOCK of them at once, dense."""
    for start in range(0, weights.shape[0], BLOCK):
        block = weights[start : start + BLOCK]
        yield block.toarray() if sp.issparse(block) else block


def strongest_of_blocks(
    blocks: Iterable[np.ndarray], width: int, narrow: Callable[[np.ndarray], np.ndarray]
) -> Neighbours:
    """Keeps the `width` largest weights of each row by absolute value: EASE's negative ones carry what speaks against an item.

    blocks: [B, I] each, together the rows of a weight matrix. An item's weight to itself is left out: it could only
    speak for what the user has already."""
    rows, weights, done = [], [], 0
    for block in blocks:
        kept, values = strongest_of_rows(block, done, min(width, block.shape[1]))
        values = narrow(values)
        rows.append(np.where(values == 0, NO_NEIGHBOUR, kept).astype(np.uint32))
        weights.append(values)
        done += len(block)
    return Neighbours(np.concatenate(rows), np.concatenate(weights))


def strongest_of_rows(block: np.ndarray, first: int, width: int) -> tuple[np.ndarray, np.ndarray]:
    """block: [B, I], rows `first` and on of the matrix. Returns rows and weights, [B, width] each, by falling weight."""
    strength = np.abs(block)
    own = np.arange(len(block))
    strength[own, own + first] = 0
    rows = np.argpartition(-strength, width - 1, axis=1)[:, :width]  # (B, W)
    values = np.take_along_axis(block, rows, axis=1)
    values = np.where(np.take_along_axis(strength, rows, axis=1) > 0, values, 0)
    order = np.argsort(-values, axis=1, kind="stable")
    return np.take_along_axis(rows, order, axis=1), np.take_along_axis(values, order, axis=1)


def serve_neighbours(neighbours: Neighbours, data: TrainingSet) -> Serving:
    """A `neighbours` source that retrieves by the sum of weights, and the same sum as the score of `rank`."""
    return Serving(
        item={
            "neighbour_rows": Column("u32", neighbours.rows),
            "neighbour_weights": Column("f16", neighbours.weights),
        },
        sources=(
            {
                "name": "item_item",
                "kind": "neighbours",
                "rows": "item.neighbour_rows",
                "weights": "item.neighbour_weights",
                "k": candidate_count(data),
            },
        ),
        graphs={
            "scorer": GraphPart(SourceScore(), {"source_score": {"from": "sources", "names": ["item_item"]}}, "score")
        },
        scorer="scorer",
    )


class NeighbourModel(Recommender):
    """score(u, j) = sum of weight[i, j] over the items i of u's history."""

    def __init__(self, weights: np.ndarray | sp.csr_matrix, data: TrainingSet, width: int):
        """weights: [I, I] float32; width: how many of them the engine keeps of each item."""
        self.weights = weights
        self.data = data
        self.width = width

    def scores(self, users: np.ndarray, history: sp.csr_matrix) -> np.ndarray:
        found = history.astype(np.float32) @ self.weights  # (B, I)
        return found.toarray() if sp.issparse(found) else found

    def served(self) -> "NeighbourModel":
        return NeighbourModel(self.neighbours().matrix(), self.data, self.width)

    def neighbours(self) -> Neighbours:
        return strongest(self.weights, self.width, as_f16)

    def state(self) -> dict[str, Tensor]:
        if not sp.issparse(self.weights):
            return {"weights": torch.from_numpy(self.weights)}
        w = self.weights
        return {name: torch.from_numpy(getattr(w, name)) for name in ("indptr", "indices", "data")}

    @staticmethod
    def restore(state: dict[str, Tensor], data: TrainingSet, width: int) -> "NeighbourModel":
        if "weights" in state:
            return NeighbourModel(state["weights"].numpy(), data, width)
        parts = tuple(state[name].numpy() for name in ("data", "indices", "indptr"))
        return NeighbourModel(sp.csr_matrix(parts, shape=(data.shape[1], data.shape[1])), data, width)

    def serving(self) -> Serving:
        return serve_neighbours(self.neighbours(), self.data)
