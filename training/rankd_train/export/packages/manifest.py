"""manifest.json: how the engine runs requests over the files of the bundle."""

from pathlib import Path
from typing import Any

from rankd_train.config import RunConfig
from rankd_train.data.snapshot import sha256_of
from rankd_train.models.hybrid import PAIR_SOURCES

# Scores of the engine may differ from training's by this much: fp32 sums in another order, through a sigmoid.
SCORE_TOLERANCE = 1e-4


def make_manifest(config: RunConfig, folder: Path) -> dict[str, Any]:
    """folder holds every other file of the bundle already."""
    return {
        "format": 1,
        "name": config.bundle.name,
        "version": config.bundle.version,
        "kind": "recommender",
        "description": config.bundle.description,
        "ids": {"item": "item.ids", "user": "user.ids", "section": "section.ids"},
        "tables": {name: f"{name}.table" for name in ("item", "trained_item", "user", "popular")},
        "indexes": {"towers": "towers.index", "descriptions": "descriptions.index"},
        "graphs": {"user_tower": user_tower_graph(), "ranker": ranker_graph()},
        "history": {"column": "user.history"},
        "operations": operations(config),
        "default_graph": "ranker",
        "tolerances": {"score": SCORE_TOLERANCE},
        "golden": "golden.msgpack",
        "files": {
            path.name: {"sha256": sha256_of(path), "bytes": path.stat().st_size} for path in sorted(folder.iterdir())
        },
    }


def user_tower_graph() -> dict[str, Any]:
    return {
        "file": "user_tower.onnx",
        "inputs": {
            "user_embedding": {"from": "user", "column": "user.tower_embedding"},
            "user_content": {"from": "user", "column": "user.content"},
            "history_mean": history_mean("trained_item.tower_embedding"),
            "history_count": {"from": "history_count"},
        },
        "outputs": ["user_vector"],
    }


def ranker_graph() -> dict[str, Any]:
    return {
        "file": "ranker.onnx",
        "inputs": {
            "user_embedding": {"from": "user", "column": "user.ncf_embedding"},
            "user_content": {"from": "user", "column": "user.content"},
            "history_embedding": history_mean("trained_item.ncf_embedding"),
            "history_content": history_mean("trained_item.content"),
            "history_features": history_mean("trained_item.features"),
            "history_count": {"from": "history_count"},
            "row_user": {"from": "row_user"},
            "item_embedding": {"from": "item", "column": "trained_item.ncf_embedding"},
            "item_content": {"from": "item", "column": "trained_item.content"},
            "item_features": {"from": "item", "column": "trained_item.features"},
            "pair": {"from": "sources", "names": list(PAIR_SOURCES)},
        },
        "outputs": ["score"],
    }


def history_mean(column: str) -> dict[str, str]:
    """Over the whole history: build dependencies have no order, so none is newer than another."""
    return {"from": "history", "column": column, "pool": "mean"}


def operations(config: RunConfig) -> dict[str, Any]:
    pipeline = config.pipeline
    item_item = {
        "name": "item_item",
        "kind": "neighbours",
        "rows": "trained_item.neighbour_rows",
        "weights": "trained_item.neighbour_weights",
        "k": pipeline.item_item,
    }
    towers = {
        "name": "towers",
        "kind": "index",
        "index": "towers",
        "query": {"graph": "user_tower", "output": "user_vector"},
        "k": pipeline.towers,
    }
    popular = {"name": "popular", "kind": "list", "rows": "popular.row", "k": pipeline.popular}
    descriptions = {
        "name": "descriptions",
        "kind": "index",
        "index": "descriptions",
        "query": {"from": "item"},
        "k": 100,
    }
    score = {"stage": "score", "graph": "ranker", "output": "score"}
    attributes = {"section": {"column": "item.section", "ids": "section"}}
    return {
        "recommend": [
            {"stage": "lookup"},
            {"stage": "retrieve", "sources": [item_item, towers, popular]},
            {"stage": "filter", "seen": True, "attributes": attributes},
            score,
            {"stage": "select", "k": pipeline.k, "fallback": "popular"},
        ],
        "rank": [{"stage": "lookup"}, score, {"stage": "select", "k": pipeline.k}],
        "similar": [{"stage": "retrieve", "sources": [descriptions]}, {"stage": "select", "k": pipeline.k}],
    }
