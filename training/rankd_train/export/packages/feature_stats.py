"""feature_stats.json: order, type, default, normaliser and quantiles of every feature and of the score."""

from typing import Any

import numpy as np
import torch

from rankd_train.artefact import Artefact
from rankd_train.config import RunConfig
from rankd_train.dataset import Dataset
from rankd_train.evaluation.served import candidates_of, rank_candidates
from rankd_train.models.hybrid import PAIR_SOURCES

QUANTILES = (0.0, 0.01, 0.05, 0.25, 0.5, 0.75, 0.95, 0.99, 1.0)
SAMPLE_USERS = 1_000


def feature_stats(config: RunConfig, data: Dataset, artefact: Artefact) -> dict[str, Any]:
    """Scalar features one by one; embeddings as a whole. Pair features and the score as requests of 1,000 sources see them."""
    popularity = data.split.popularity
    lengths = np.diff(data.split.train.indptr)
    rng = np.random.default_rng(config.seed)
    users = np.sort(rng.choice(len(lengths), size=min(SAMPLE_USERS, len(lengths)), replace=False))
    candidates = candidates_of(
        artefact.stage_one(config), torch.from_numpy(users + 1), data.split.train[users], data.split.validation[users]
    )
    scores = rank_candidates(artefact.ranker, artefact.ranker_tables(), candidates)
    features = [
        scalar("history_count", "count", "log1p(x) / 4, inside the graph", lengths),
        scalar("popularity", "count", f"log1p(x) / log1p({popularity.max()}), in trained_item.features", popularity),
        *(
            scalar(name, "score of a retrieval source", "none", candidates.pair[:, column].numpy())
            for column, name in enumerate(PAIR_SOURCES)
        ),
        *(embedding(name, values) for name, values in artefact.columns.items()),
    ]
    return {
        "features": [{"order": order, **feature} for order, feature in enumerate(features)],
        "score": {"type": "probability", "quantiles": quantiles(scores.numpy())},
    }


def scalar(name: str, kind: str, normaliser: str, values: np.ndarray) -> dict[str, Any]:
    return {"name": name, "type": kind, "default": 0.0, "normaliser": normaliser, "quantiles": quantiles(values)}


def embedding(name: str, values: np.ndarray) -> dict[str, Any]:
    return {
        "name": name,
        "type": "embedding",
        "width": int(values.shape[1]),
        "default": 0.0,
        "normaliser": "none",
        "quantiles": quantiles(values),
    }


def quantiles(values: np.ndarray) -> dict[str, float]:
    return {str(q): float(v) for q, v in zip(QUANTILES, np.quantile(values.astype(np.float64), QUANTILES))}
