"""feature_stats.json: order, type, default, normaliser and quantiles of every feature and of the score.

What serving needs to bring a raw value to the number that the model was trained on, and to notice when values drift."""

from typing import Any

import numpy as np

from rankd_train.data.features import Features, FeatureTable

QUANTILES = (0.0, 0.01, 0.05, 0.25, 0.5, 0.75, 0.95, 0.99, 1.0)


def feature_stats(features: Features, scores: np.ndarray | None) -> dict[str, Any]:
    """scores: any number of the model's scores, or None. Returns plain JSON: {"user": …, "item": …, "score": …}."""
    stats = {"user": table_stats(features.user), "item": table_stats(features.item)}
    if scores is not None:
        stats["score"] = {"type": "score", "quantiles": quantiles(scores)}
    return stats


def table_stats(table: FeatureTable) -> dict[str, Any]:
    return {
        "features": [
            {
                "order": order,
                "name": column.name,
                "type": column.kind,
                "default": column.default,
                "normaliser": column.normaliser,
                "quantiles": quantiles(table.values[:, order]),
            }
            for order, column in enumerate(table.columns)
        ],
        # Code 0 is "unknown"; the first of the vocabulary has code 1.
        "codes": {name: {"vocabulary": list(codes.vocabulary)} for name, codes in table.codes.items()},
    }


def quantiles(values: np.ndarray) -> dict[str, float]:
    """Of the values after normalising, by the share that lies below."""
    if not values.size:
        return {}
    return {str(q): float(v) for q, v in zip(QUANTILES, np.quantile(values.astype(np.float64), QUANTILES))}
