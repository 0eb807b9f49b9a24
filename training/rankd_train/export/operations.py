"""Which stages answer `recommend`, `rank` and `similar` for a family, as manifest.json writes them down (docs/bundle.md)."""

from collections.abc import Iterable
from typing import Any

from rankd_train.export.serving import Serving

POPULAR = "popular"
# How many popular items a scoring graph is shown beside what the family's own sources bring.
POPULAR_CANDIDATES = 50
SIMILAR_CANDIDATES = 100

Operations = dict[str, list[dict[str, Any]]]


def make_operations(serving: Serving, k: int, attributes: Iterable[str]) -> Operations:
    """k: length of an answer unless the request asks for another; attributes: columns `item.<name>` that requests may filter by."""
    lookup = {"stage": "lookup"}
    select = {"stage": "select", "k": k}
    filters = {name: {"column": f"item.{name}", "ids": name} for name in attributes}
    keep = {"stage": "filter", **({"attributes": filters} if filters else {})}
    score = {"stage": "score", "graph": serving.scorer, "output": output_of(serving)} if serving.scorer else None
    retrieve = {"stage": "retrieve", "sources": with_popular(serving)}
    scored = [score] if score and serving.reranks else []
    unseen = {**keep, "seen": True}
    operations = {"recommend": [lookup, retrieve, unseen, *scored, {**select, "fallback": POPULAR}]}
    if score:
        operations["rank"] = [lookup, keep, score, select]
    if serving.similar:
        operations["similar"] = [{"stage": "retrieve", "sources": [similar_source(serving.similar)]}, keep, select]
    return operations


def output_of(serving: Serving) -> str:
    return serving.graphs[serving.scorer].output


def with_popular(serving: Serving) -> list[dict[str, Any]]:
    """The family's sources, and the popular list unless it is one of them already.

    Without a scoring graph the list only fills short answers (k 0): its items have no score to compare with the others'."""
    sources = [dict(source) for source in serving.sources]
    if all(source["name"] != POPULAR for source in sources):
        k = POPULAR_CANDIDATES if serving.reranks else 0
        sources.append({"name": POPULAR, "kind": "list", "rows": f"{POPULAR}.row", "k": k})
    return sources


def similar_source(index: str) -> dict[str, Any]:
    return {"name": "similar", "kind": "index", "index": index, "query": {"from": "item"}, "k": SIMILAR_CANDIDATES}
