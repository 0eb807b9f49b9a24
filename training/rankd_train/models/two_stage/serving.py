"""The model in the engine's terms (docs/bundle.md): two graphs, three sources, and an index of descriptions for `similar`."""

from collections.abc import Mapping
from typing import Any

from rankd_train.export.serving import Column, GraphPart, IndexPart, Serving
from rankd_train.models.two_stage.config import CandidateConfig
from rankd_train.models.two_stage.network import PAIR_SOURCES
from rankd_train.models.two_stage.tables import DTYPES, Tables

# The project promises a recall of 0.95 on stored vectors. Users' vectors lie apart from items' and are harder to serve, so
# more candidates are kept than that recall needs; 12 links instead of 16 keep the bundle of debian-packages below 15 MB.
HNSW = {"m": 12, "ef-construction": 400, "ef-search": 400, "seed": 0, "recall-k": 100, "min-recall": 0.95}


def serve(tables: Tables, config: CandidateConfig) -> Serving:
    options = HNSW if config.tower_index == "hnsw" else {}
    return Serving(
        user=columns_of(tables, "user"),
        tables={
            "trained_item": {
                **columns_of(tables, "trained_item"),
                "neighbour_rows": Column("u32", tables.neighbours.rows),
                "neighbour_weights": Column("i8", tables.neighbours.weights),
            }
        },
        indexes={
            "towers": IndexPart(tables.columns["towers"], config.tower_index, "cosine", options),
            "descriptions": IndexPart(tables.descriptions, "exact_i8", "cosine"),
        },
        graphs={
            "user_tower": GraphPart(tables.user_tower, tower_inputs(), "user_vector"),
            "ranker": GraphPart(tables.ranker, ranker_inputs(), "score"),
        },
        sources=sources_of(config),
        scorer="ranker",
        reranks=True,
        similar="descriptions",
        whole_catalogue=True,
    )


def columns_of(tables: Tables, table: str) -> dict[str, Column]:
    return {
        name.partition(".")[2]: Column(DTYPES[name], values)
        for name, values in tables.columns.items()
        if name.startswith(f"{table}.")
    }


def tower_inputs() -> dict[str, Mapping[str, Any]]:
    return {
        "user_embedding": {"from": "user", "column": "user.tower_embedding"},
        "user_content": {"from": "user", "column": "user.content"},
        "history_mean": history_mean("trained_item.tower_embedding"),
        "history_count": {"from": "history_count"},
    }


def ranker_inputs() -> dict[str, Mapping[str, Any]]:
    return {
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
    }


def history_mean(column: str) -> dict[str, str]:
    """Over the whole history: the model reads it as a set, so none is newer than another."""
    return {"from": "history", "column": column, "pool": "mean"}


def sources_of(config: CandidateConfig) -> tuple[dict[str, Any], ...]:
    return (
        {
            "name": "item_item",
            "kind": "neighbours",
            "rows": "trained_item.neighbour_rows",
            "weights": "trained_item.neighbour_weights",
            "k": config.item_item,
        },
        {
            "name": "towers",
            "kind": "index",
            "index": "towers",
            "query": {"graph": "user_tower", "output": "user_vector"},
            "k": config.towers,
        },
        {"name": "popular", "kind": "list", "rows": "popular.row", "k": config.popular},
    )
