"""Brings raw values to [0, 1]. A normaliser is plain JSON, so that serving repeats what training did:

| kind | fields | value |
|---|---|---|
| min-max | low, high | (x - low) / (high - low), clipped |
| log1p | scale | log(1 + x) / scale, clipped |
| percentile | values, shares | linear between the knots (values ascending, shares in [0, 1]), flat outside |
| decay | now, half_life | 2^-((now - x) / half_life), at most 1; all in seconds |
| signed | | (x + 1) / 2, clipped: of what lies in [-1, 1], such as a cosine |
| has | value | 1 if the value is among the labels, else 0 |
| has-other | known | 1 if a label is not among the known ones, else 0 |
"""

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

Normaliser = dict[str, Any]
KNOTS = 101


def apply(normaliser: Mapping[str, Any], raw: np.ndarray | Sequence[Sequence[str]]) -> np.ndarray:
    """raw: [n] numbers, NaN where unknown, or for `has` and `has-other` n lists of labels. Returns [n] float32; NaN stays."""
    kind = normaliser["kind"]
    if kind == "has":
        return np.array([normaliser["value"] in labels for labels in raw], dtype=np.float32)
    if kind == "has-other":
        known = set(normaliser["known"])
        return np.array([any(label not in known for label in labels) for labels in raw], dtype=np.float32)
    raw = np.asarray(raw, dtype=np.float64)
    if kind == "min-max":
        width = normaliser["high"] - normaliser["low"]
        values = (raw - normaliser["low"]) / (width if width > 0 else 1.0)
    elif kind == "log1p":
        values = np.log1p(np.maximum(raw, 0)) / normaliser["scale"]
    elif kind == "percentile":
        values = np.interp(raw, normaliser["values"], normaliser["shares"])  # NaN stays NaN
    elif kind == "decay":
        values = np.exp2(np.minimum(0.0, (raw - normaliser["now"]) / normaliser["half_life"]))
    elif kind == "signed":
        values = (raw + 1) / 2
    else:
        raise ValueError(f"unknown kind of normaliser {kind!r}")
    return np.clip(values, 0, 1).astype(np.float32)


def min_max_of(raw: np.ndarray) -> Normaliser:
    known = raw[~np.isnan(raw)]
    low, high = (float(known.min()), float(known.max())) if len(known) else (0.0, 0.0)
    return {"kind": "min-max", "low": low, "high": high}


def log1p_of(raw: np.ndarray) -> Normaliser:
    """The largest value becomes 1."""
    largest = float(np.nanmax(raw, initial=0.0))
    return {"kind": "log1p", "scale": float(np.log1p(largest)) if largest > 0 else 1.0}


def percentile_of(raw: np.ndarray) -> Normaliser:
    """KNOTS quantiles of the known values; those that are equal become one knot in their middle."""
    known = raw[~np.isnan(raw)]
    shares = np.linspace(0, 1, KNOTS)
    quantiles = np.quantile(known, shares) if len(known) else np.zeros(KNOTS)
    values, place = np.unique(quantiles, return_inverse=True)
    middles = np.bincount(place, weights=shares) / np.bincount(place)
    return {"kind": "percentile", "values": values.tolist(), "shares": middles.tolist()}
