"""What the engine feeds a graph: the rows that its inputs name, for the users of a batch and their candidates."""

from collections.abc import Callable, Mapping, Sequence
from typing import Any

import numpy as np
import torch
from torch import Tensor

from rankd_train.export.contents import Contents
from rankd_train.export.request import Request
from rankd_train.export.serving import GraphPart

CANDIDATE_INPUTS = {"row_user", "item", "candidate_features", "sources"}

# Scores that a retrieval source gives to some items of a request: (name of the source, request, rows [N]) -> [N].
SourceScores = Callable[[str, Request, np.ndarray], np.ndarray]


def is_per_candidate(graph: GraphPart) -> bool:
    return any(spec["from"] in CANDIDATE_INPUTS for spec in graph.inputs.values())


def row_symbols(graph: GraphPart) -> dict[str, str]:
    """Of each input the name of its first axis: U users, or N candidates.

    Without `row_user` a graph gets its user inputs repeated for each candidate."""
    shares_users = not is_per_candidate(graph) or any(spec["from"] == "row_user" for spec in graph.inputs.values())
    return {
        name: "N" if spec["from"] in CANDIDATE_INPUTS or not shares_users else "U"
        for name, spec in graph.inputs.items()
    }


def gather(
    graph: GraphPart, contents: Contents, requests: Sequence[Request], source_scores: SourceScores
) -> dict[str, Tensor]:
    """The inputs of one run over U requests with N candidates in all, in the order of `forward`."""
    row_user = np.repeat(np.arange(len(requests)), [len(request.rows) for request in requests])  # (N,)
    symbols = row_symbols(graph)
    inputs = {}
    for name, spec in graph.inputs.items():
        if spec["from"] == "row_user":
            values = row_user.astype(np.int64)
        elif spec["from"] in CANDIDATE_INPUTS:
            parts = [candidate_input(spec, contents, request, source_scores) for request in requests]
            values = np.concatenate(parts).astype(np.float32)  # (N, W)
        else:
            values = np.stack([user_input(spec, contents, request) for request in requests]).astype(
                np.float32
            )  # (U, W)
            values = values[row_user] if symbols[name] == "N" else values
        inputs[name] = torch.from_numpy(np.ascontiguousarray(values))
    return inputs


def user_input(spec: Mapping[str, Any], contents: Contents, request: Request) -> np.ndarray:
    """[W]"""
    match spec["from"]:
        case "user":
            return contents.column(spec["column"])[request.user_row]
        case "history":
            return pooled(contents.column(spec["column"]), request.history, spec)
        case "history_count":
            return np.array([len(request.history)])
        case "features" | "context" as kind:
            return named_numbers(spec, request.body.get(kind, {}))
    raise ValueError(f"unknown input {dict(spec)}")


def pooled(column: np.ndarray, history: np.ndarray, spec: Mapping[str, Any]) -> np.ndarray:
    """[W]: items past the end of the table are left out; zeros for an empty history."""
    newest = history[-spec["newest"] :] if "newest" in spec else history
    rows = column[newest[newest < len(column)]].astype(np.float64)  # (H, W)
    if len(rows) == 0:
        return np.zeros(column.shape[1])
    return rows.mean(axis=0) if spec.get("pool", "mean") == "mean" else rows.sum(axis=0)


def candidate_input(
    spec: Mapping[str, Any], contents: Contents, request: Request, source_scores: SourceScores
) -> np.ndarray:
    """[N, W]"""
    match spec["from"]:
        case "item":
            return rows_or_zeros(contents.column(spec["column"]), request.rows)
        case "sources":
            return np.stack([source_scores(name, request, request.rows) for name in spec["names"]], axis=1)
        case "candidate_features":
            given = request.body.get("candidates", [])
            sent = [given[place] if place < len(given) else None for place in request.positions]
            features = [one["features"] if isinstance(one, dict) else {} for one in sent]
            return np.stack([named_numbers(spec, one) for one in features])
    raise ValueError(f"unknown input {dict(spec)}")


def rows_or_zeros(column: np.ndarray, rows: np.ndarray) -> np.ndarray:
    values = np.zeros((len(rows), column.shape[1]), dtype=np.float32)
    inside = rows < len(column)
    values[inside] = column[rows[inside]]
    return values


def named_numbers(spec: Mapping[str, Any], sent: Mapping[str, float]) -> np.ndarray:
    defaults = spec.get("defaults", [0.0] * len(spec["names"]))
    return np.array([sent.get(name, default) for name, default in zip(spec["names"], defaults)])
