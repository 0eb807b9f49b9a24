"""User segments by k-means (Lloyd 1982), and to each segment what is popular there.

A user is described by the direction of its history in the space of PureSVD, or by its features. Each segment has the share
of its users who met an item, drawn to the overall share by `prior` users of average taste:

    score(u, j) = (users of u's segment who met j + prior · overall share of j) / (users of the segment + prior)"""

from dataclasses import dataclass
from typing import Literal

import numpy as np
import scipy.sparse as sp
import torch
from scipy.sparse.linalg import svds
from sklearn.cluster import KMeans
from sklearn.metrics import silhouette_score
from torch import Tensor

from rankd_train.errors import ConfigError
from rankd_train.export.serving import Column, GraphPart, IndexPart, Serving
from rankd_train.models.bounds import check_bounds
from rankd_train.models.recommender import Family, FitOptions, Fitted, Recommender, TrainingSet
from rankd_train.models.serving_graphs import SegmentOfUser, SegmentScore, candidate_count
from rankd_train.models.svd import rank_within
from rankd_train.progress import progress

SILHOUETTE_USERS = 2_000  # its cost grows with their square


@dataclass(frozen=True)
class SegmentsConfig:
    clusters: int = 0  # 0 = the number up to `most_clusters` with the best silhouette on a sample of users
    most_clusters: int = 12
    described_by: Literal["factors", "features"] = "factors"
    factors: int = 16
    prior: float = 20.0  # users

    def __post_init__(self) -> None:
        check_bounds(self, above_zero=("factors",), not_negative=("clusters", "prior"))
        if self.most_clusters < 2:
            raise ConfigError(f'"model.most_clusters" must be at least 2, got {self.most_clusters}')


class Segments(Recommender):
    def __init__(self, data: TrainingSet, centres: np.ndarray, popular: np.ndarray, factors: np.ndarray | None):
        """centres: [S, W]; popular: [I, S], shares by segment; factors: [I, W] if histories describe users, else None."""
        self.data = data
        self.centres = centres
        self.popular = popular
        self.factors = factors
        self.graph = SegmentOfUser(centres, unit=factors is not None)

    def described(self, users: np.ndarray, history: sp.csr_matrix) -> np.ndarray:
        """[B, W] float32, of histories before they are brought to unit length."""
        if self.factors is not None:
            return history.astype(np.float32) @ self.factors
        return with_unknown(self.data.features.user.values)[users + 1]

    def segments(self, users: np.ndarray, history: sp.csr_matrix) -> np.ndarray:
        """The segment of each user: [B] int64 in 0..S-1."""
        with torch.no_grad():
            return self.graph(torch.from_numpy(self.described(users, history))).argmax(dim=1).numpy()

    def scores(self, users: np.ndarray, history: sp.csr_matrix) -> np.ndarray:
        return self.popular.T[self.segments(users, history)]

    def state(self) -> dict[str, Tensor]:
        arrays = {"centres": self.centres, "popular": self.popular}
        if self.factors is not None:
            arrays["factors"] = self.factors
        return {name: torch.from_numpy(values) for name, values in arrays.items()}

    def serving(self) -> Serving:
        """The user graph names the segment by a one among zeros; its product with an item's shares picks one of them."""
        item = {"popular_by_segment": Column("f32", self.popular)}
        if self.factors is not None:
            item["factors"] = Column("f32", self.factors)
            user, described = {}, {"from": "history", "column": "item.factors", "pool": "sum"}
        else:
            user = {"features": Column("f32", with_unknown(self.data.features.user.values))}
            described = {"from": "user", "column": "user.features"}
        pair = {
            "row_user": {"from": "row_user"},
            "popular": {"from": "item", "column": "item.popular_by_segment"},
        }
        return Serving(
            item=item,
            user=user,
            indexes={"segments": IndexPart(self.popular)},
            graphs={
                "user": GraphPart(self.graph, {"described": described}, "segment"),
                "scorer": GraphPart(SegmentScore(self.graph), {"described": described, **pair}, "score"),
            },
            sources=(
                {
                    "name": "segments",
                    "kind": "index",
                    "index": "segments",
                    "query": {"graph": "user", "output": "segment"},
                    "k": candidate_count(self.data),
                },
            ),
            scorer="scorer",
        )


def with_unknown(features: np.ndarray) -> np.ndarray:
    """[1 + U, W] float32: first the average user, who stands for the unknown one."""
    return np.vstack([features.mean(axis=0, keepdims=True), features]).astype(np.float32)


def fit(config: SegmentsConfig, data: TrainingSet, options: FitOptions) -> Fitted:
    factors = history_factors(config, data, options.seed) if config.described_by == "factors" else None
    met = np.diff(data.matrix.indptr) > 0
    if factors is not None:
        described = (data.matrix @ factors)[met]
        described /= np.maximum(np.linalg.norm(described, axis=1, keepdims=True), np.finfo(np.float32).tiny)
    else:
        described = data.features.user.values[met].astype(np.float32)
        if not described.shape[1]:
            raise ConfigError(
                "this set has no user features; describe users by their histories (described_by: factors)"
            )
    distinct = len(np.unique(described, axis=0))
    if distinct < 2 or config.clusters > distinct:
        raise ConfigError(f"{config.clusters or 2} segments need as many different users, and there are {distinct}")
    counts = [config.clusters] if config.clusters else range(2, min(config.most_clusters, distinct - 1) + 1)
    tried = [cluster(described, count, options.seed) for count in progress(counts, "segments", unit="counts")]
    silhouettes = [silhouette(described, labels, options.seed) for labels, _ in tried]
    labels, centres = tried[int(np.argmax(silhouettes))]
    member = sp.csr_matrix((np.ones(len(labels)), (labels, np.flatnonzero(met))), shape=(len(centres), data.shape[0]))
    popular = shares(member, data.matrix, config.prior)
    history = [{"segments": float(len(c)), "silhouette": s} for (_, c), s in zip(tried, silhouettes)]
    return Fitted(Segments(data, centres, popular, factors), history)


def history_factors(config: SegmentsConfig, data: TrainingSet, seed: int) -> np.ndarray:
    """V of PureSVD: [I, K] float32."""
    start = np.random.default_rng(seed).normal(size=min(data.shape))
    _, _, right = svds(data.matrix.astype(np.float64), k=rank_within(config.factors, data), v0=start)
    return np.ascontiguousarray(right.T, dtype=np.float32)


def cluster(described: np.ndarray, count: int, seed: int) -> tuple[np.ndarray, np.ndarray]:
    """Labels [U] and centres [count, W] float32."""
    means = KMeans(count, n_init=4, random_state=seed).fit(described)
    return means.labels_, means.cluster_centers_.astype(np.float32)


def silhouette(described: np.ndarray, labels: np.ndarray, seed: int) -> float:
    """In [-1, 1]; -1 where it is not defined: one segment, or as many as users."""
    sample = np.random.default_rng(seed).permutation(len(labels))[:SILHOUETTE_USERS]
    found = len(np.unique(labels[sample]))
    if not 2 <= found < len(sample):
        return -1.0
    return float(silhouette_score(described[sample], labels[sample]))


def shares(member: sp.csr_matrix, met: sp.csr_matrix, prior: float) -> np.ndarray:
    """member: [S, U] 0/1; met: [U, I] 0/1. Returns the smoothed share of each segment's users who met an item, [I, S]."""
    users = np.asarray(member.sum(axis=1))  # (S, 1)
    overall = np.asarray(met.sum(axis=0)) / max(users.sum(), 1)  # (1, I)
    share = ((member @ met).toarray() + prior * overall) / np.maximum(users + prior, 1)
    return np.ascontiguousarray(share.T, dtype=np.float32)


def restore(config: SegmentsConfig, data: TrainingSet, state: dict[str, Tensor]) -> Segments:
    arrays = {name: values.numpy() for name, values in state.items()}
    return Segments(data, arrays["centres"], arrays["popular"], arrays.get("factors"))


FAMILY = Family(
    name="segments",
    title="User segments",
    paper="k-means: Lloyd 1982; number by silhouette: Rousseeuw 1987",
    config=SegmentsConfig,
    fit=fit,
    restore=restore,
)
