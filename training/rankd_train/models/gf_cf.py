"""GF-CF, graph filtering without training (Shen et al. 2021, "How Powerful is Graph Convolution for Recommendation?").

With R̃ = D_u^-½ R D_i^-½ and the first right singular vectors V of R̃, a history r is filtered twice:

    s = r R̃'R̃ + alpha · r D_i^-½ V V' D_i^½         (linear filter, and ideal low pass)"""

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
import scipy.sparse as sp
import torch
from scipy.sparse.linalg import svds
from torch import Tensor

from rankd_train.export.serving import Serving
from rankd_train.models.bounds import check_bounds
from rankd_train.models.neighbours import BLOCK, NeighbourModel, Neighbours, serve_neighbours, strongest_of_blocks
from rankd_train.models.recommender import Family, FitOptions, Fitted, Recommender, TrainingSet
from rankd_train.models.svd import rank_within
from rankd_train.progress import step
from rankd_train.quantise import as_f16


@dataclass(frozen=True)
class GfCfConfig:
    dimensions: int = 256  # singular vectors that pass
    alpha: float = 0.3  # weight of the ideal low pass beside the linear filter
    neighbours: int = 100  # weights of each item that are served

    def __post_init__(self) -> None:
        check_bounds(self, above_zero=("dimensions", "neighbours"), not_negative=("alpha",))


class GfCf(Recommender):
    def __init__(self, config: GfCfConfig, data: TrainingSet, passed: np.ndarray):
        """passed: V, [I, K] float32."""
        self.config = config
        self.data = data
        self.passed = passed
        self.normal, degree = normalised(data.matrix)
        # r D^-½ V and V' D^½: an item that nobody met has degree 0, and takes part in neither.
        self.into = (passed * inverse_root(degree)[:, None]).astype(np.float32)  # (I, K)
        self.out = (passed * np.sqrt(degree)[:, None]).astype(np.float32)  # (I, K)

    def scores(self, users: np.ndarray, history: sp.csr_matrix) -> np.ndarray:
        history = history.astype(np.float32)
        linear = ((history @ self.normal.T) @ self.normal).toarray()  # (B, I)
        return linear + self.config.alpha * ((history @ self.into) @ self.out.T)

    def served(self) -> NeighbourModel:
        return NeighbourModel(self.neighbours().matrix(), self.data, self.config.neighbours)

    def neighbours(self) -> Neighbours:
        with step("finding the strongest neighbours"):
            return strongest_of_blocks(self.weight_blocks(), self.config.neighbours, as_f16)

    def weight_blocks(self) -> Iterator[np.ndarray]:
        """Both filters as one matrix of weights between items, [I, I], a block of rows at a time."""
        from_item = self.normal.T.tocsr()  # (I, U)
        for start in range(0, len(self.passed), BLOCK):
            rows = slice(start, start + BLOCK)
            yield (from_item[rows] @ self.normal).toarray() + self.config.alpha * (self.into[rows] @ self.out.T)

    def state(self) -> dict[str, Tensor]:
        return {"passed": torch.from_numpy(self.passed)}

    def serving(self) -> Serving:
        return serve_neighbours(self.neighbours(), self.data)


def normalised(interactions: sp.csr_matrix) -> tuple[sp.csr_matrix, np.ndarray]:
    """interactions: [U, I] 0/1. Returns R̃ [U, I] float32 and the items' degrees [I]."""
    degree = np.bincount(interactions.indices, minlength=interactions.shape[1])
    by_user = inverse_root(np.diff(interactions.indptr))
    values = np.repeat(by_user, np.diff(interactions.indptr)) * inverse_root(degree)[interactions.indices]
    parts = (values.astype(np.float32), interactions.indices, interactions.indptr)
    return sp.csr_matrix(parts, shape=interactions.shape), degree


def inverse_root(degree: np.ndarray) -> np.ndarray:
    """degree^-½, and 0 for 0."""
    return np.divide(1, np.sqrt(degree), out=np.zeros(len(degree)), where=degree > 0)


def fit(config: GfCfConfig, data: TrainingSet, options: FitOptions) -> Fitted:
    normal, _ = normalised(data.matrix)
    first = np.random.default_rng(options.seed).normal(size=min(data.shape)).astype(np.float32)
    with step(f"finding {config.dimensions} singular vectors"):
        _, _, right = svds(normal, k=rank_within(config.dimensions, data), v0=first)
    return Fitted(GfCf(config, data, np.ascontiguousarray(right.T)))


def restore(config: GfCfConfig, data: TrainingSet, state: dict[str, Tensor]) -> GfCf:
    return GfCf(config, data, state["passed"].numpy())


FAMILY = Family(name="gf-cf", title="GF-CF", paper="Shen et al. 2021", config=GfCfConfig, fit=fit, restore=restore)
