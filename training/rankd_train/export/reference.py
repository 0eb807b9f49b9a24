"""What the engine must answer: a manifest's pipeline in NumPy and PyTorch, slow and obvious, one stage after the other.

Written from docs/bundle.md and not from the engine, so that golden requests compare two readings of one page."""

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import torch
from torch import Tensor

from rankd_train.data.interactions import Ids
from rankd_train.errors import TrainError
from rankd_train.export.contents import Contents
from rankd_train.export.gather import gather
from rankd_train.export.request import Answer, Request
from rankd_train.export.serving import IndexPart
from rankd_train.quantise import as_i8

Source = Mapping[str, Any]


class Reference:
    def __init__(self, contents: Contents):
        self.contents = contents
        self.item_row = rows_of(contents.items, 0)
        self.user_row = rows_of(contents.users, 1)
        self.vectors = {name: stored_vectors(part) for name, part in contents.indexes.items()}
        self.code = {name: rows_of(one.names, 0) for name, one in contents.attributes.items()}
        retrieves = [s for stages in contents.operations.values() for s in stages if s["stage"] == "retrieve"]
        self.sources = {source["name"]: source for stage in retrieves for source in stage["sources"]}

    def answer(self, operation: str, body: dict[str, Any]) -> Answer:
        stages = self.contents.operations[operation]
        select = stages[-1]
        request = self.look_up(operation, body, select["k"])
        for stage in stages:
            match stage["stage"]:
                case "retrieve":
                    self.retrieve(stage["sources"], request)
                case "filter":
                    self.filter(stage, request)
                case "score":
                    self.score(stage["graph"], request)
        if body.get("order") == "input":
            return in_input_order(request)
        return self.select(select, request, operation)

    # --- lookup ---

    def look_up(self, operation: str, body: dict[str, Any], k: int) -> Request:
        request = Request(body, k=body.get("k", k), excluded=self.known_rows(body.get("exclude", ())))
        if operation == "similar":
            if body["item"] not in self.item_row:
                raise TrainError(f"item {body['item']!r} is not in the catalogue")
            request.item_row = self.item_row[body["item"]]
            return request
        request.user_row = self.user_row.get(body.get("user"), 0)
        if "history" in body:
            request.history = self.known_rows(body["history"])
        else:
            request.history = self.contents.history.row(request.user_row).astype(np.int64)
        if operation == "rank":
            sent = [one["id"] if isinstance(one, dict) else one for one in body["candidates"]]
            known = [place for place, name in enumerate(sent) if name in self.item_row]
            self.set_candidates(request, [self.item_row[sent[place]] for place in known], known)
        return request

    def known_rows(self, ids: Sequence[Any]) -> np.ndarray:
        """[H] in their order, each once: of an id given twice the later place counts; unknown ones are dropped."""
        rows = [self.item_row[name] for name in ids if name in self.item_row]
        return np.array(list(dict.fromkeys(reversed(rows)))[::-1], dtype=np.int64)

    @staticmethod
    def set_candidates(request: Request, rows: Sequence[int], positions: Sequence[int]) -> None:
        request.rows = np.array(rows, dtype=np.int64)
        request.positions = np.array(positions, dtype=np.int64)
        request.scores = np.zeros(len(rows), dtype=np.float32)
        request.sources = np.full(len(rows), "", dtype=object)

    # --- retrieve ---

    def retrieve(self, sources: Sequence[Source], request: Request) -> None:
        """The union; a candidate keeps the score of the first source that found it."""
        found: dict[int, tuple[float, str]] = {}
        for source in sources:
            for row, score in zip(*self.best_of(source, request)):
                found.setdefault(int(row), (float(score), source["name"]))
        self.set_candidates(request, list(found), range(len(found)))
        request.scores = np.array([score for score, _ in found.values()], dtype=np.float32)
        request.sources = np.array([name for _, name in found.values()], dtype=object)

    def best_of(self, source: Source, request: Request) -> tuple[np.ndarray, np.ndarray]:
        """Rows and scores of what one source finds, best first: at least as many as may be asked for after the exclusions."""
        if source["k"] == 0:
            return np.zeros(0, dtype=np.int64), np.zeros(0)
        k = max(source["k"], request.k + len(request.excluded) + 1)
        if source["kind"] == "list":
            rows = self.contents.column(source["rows"])[:k, 0].astype(np.int64)
            return rows, np.zeros(len(rows))
        scores, is_found = self.scores_of(source, request)
        rows = np.flatnonzero(is_found)
        rows = rows[np.lexsort((rows, -scores[rows]))][:k]
        return rows, scores[rows]

    def scores_of(self, source: Source, request: Request) -> tuple[np.ndarray, np.ndarray]:
        """[I] float32 of every item, and [I] bool: whether the source can find it at all."""
        scores = np.zeros(len(self.contents.items))
        is_found = np.zeros(len(scores), dtype=bool)
        if source["kind"] == "neighbours":
            rows, weights = self.contents.column(source["rows"]), self.contents.column(source["weights"])
            for item in request.history[request.history < len(rows)]:
                real = rows[item] < len(scores)  # the rest is padding
                np.add.at(scores, rows[item][real], weights[item][real].astype(np.float64))
                is_found[rows[item][real]] = True
        elif source["kind"] == "index":
            vectors = self.vectors[source["index"]]
            query = prepared_query(self.query_of(source, request), self.contents.indexes[source["index"]])
            scores[: len(vectors)] = vectors.astype(np.float64) @ query
            is_found[: len(vectors)] = True
        return scores.astype(np.float32), is_found

    def query_of(self, source: Source, request: Request) -> np.ndarray:
        if "graph" in source["query"]:
            return self.run(source["query"]["graph"], [request]).numpy()[0]
        vectors = self.vectors[source["index"]]
        if request.item_row >= len(vectors):
            raise TrainError(f"the index {source['index']} has no vector of {request.body['item']!r}")
        return vectors[request.item_row]

    # --- filter, score, select ---

    def filter(self, stage: Mapping[str, Any], request: Request) -> None:
        dropped = self.dropped(request, stage.get("seen", False))
        request.keep(~np.isin(request.rows, dropped) & self.passes(request, request.rows))

    @staticmethod
    def dropped(request: Request, seen: bool) -> np.ndarray:
        own = [] if request.item_row is None else [request.item_row]
        return np.concatenate([request.excluded, request.history if seen else [], own]).astype(np.int64)

    def passes(self, request: Request, rows: np.ndarray) -> np.ndarray:
        """[N] bool: every attribute that the request filters by has one of the values asked for."""
        keep = np.ones(len(rows), dtype=bool)
        for name, values in request.body.get("filters", {}).items():
            asked = [values] if isinstance(values, str) else values
            codes = [self.code[name][value] for value in asked if value in self.code[name]]
            keep &= np.isin(self.contents.attributes[name].codes[rows], codes)
        return keep

    def score(self, graph: str, request: Request) -> None:
        if len(request.rows):
            scores = self.run(graph, [request]).numpy().reshape(-1)
            request.scores = np.where(np.isnan(scores), -np.inf, scores)

    def run(self, graph: str, requests: Sequence[Request]) -> Tensor:
        """The graph's output for all candidates of all requests, [N], or for the requests, [U, D]."""
        module = self.contents.graphs[graph].module.eval()
        with torch.no_grad():
            return module(*self.inputs(graph, requests).values())

    def inputs(self, graph: str, requests: Sequence[Request]) -> dict[str, Tensor]:
        def scores(source: str, request: Request, rows: np.ndarray) -> np.ndarray:
            return self.scores_of(self.sources[source], request)[0][rows]

        return gather(self.contents.graphs[graph], self.contents, requests, scores)

    def select(self, stage: Mapping[str, Any], request: Request, operation: str) -> Answer:
        request.keep(np.lexsort((request.rows, -request.scores)))
        left_out = request.scores[request.k :]
        request.keep(np.arange(min(request.k, len(request.rows))))
        if operation != "rank" and "fallback" in stage:
            for seen in (True, False):
                self.fill(stage["fallback"], request, leave_out_seen=seen)
        return Answer(request.rows, request.scores, tuple(request.sources), left_out)

    def fill(self, fallback: str, request: Request, leave_out_seen: bool) -> None:
        """Items of the list behind those that have a score, until there are k."""
        rows = self.contents.column(self.sources[fallback]["rows"])[:, 0].astype(np.int64)
        taken = np.concatenate([self.dropped(request, leave_out_seen), request.rows])
        rows = rows[~np.isin(rows, taken) & self.passes(request, rows)][: max(request.k - len(request.rows), 0)]
        last = request.scores[-1] if len(request.scores) else 0.0
        request.rows = np.concatenate([request.rows, rows])
        request.scores = np.concatenate([request.scores, np.full(len(rows), last, dtype=np.float32)])
        request.sources = np.concatenate([request.sources, np.full(len(rows), fallback, dtype=object)])
        request.positions = np.arange(len(request.rows))


def in_input_order(request: Request) -> Answer:
    scores = np.full(len(request.body["candidates"]), np.nan, dtype=np.float32)
    scores[request.positions] = request.scores
    return Answer(request.rows, scores)


def rows_of(ids: Ids, first: int) -> dict[Any, int]:
    return {name: row for row, name in enumerate(ids, start=first)}


def unit_rows(vectors: np.ndarray) -> np.ndarray:
    norms = np.linalg.norm(vectors, axis=1, keepdims=True)
    return np.divide(vectors, norms, out=np.zeros_like(vectors), where=norms > 0)


def stored_vectors(part: IndexPart) -> np.ndarray:
    """[I, D] float32 as the file gives them back."""
    vectors = part.vectors.astype(np.float32)
    if part.metric == "cosine":
        vectors = unit_rows(vectors)
    return as_i8(vectors) if part.kind == "exact_i8" else vectors


def prepared_query(query: np.ndarray, part: IndexPart) -> np.ndarray:
    """[D]: of a cosine index the unit query, and of an int8 index an int8 query."""
    row = query[None].astype(np.float32)
    if part.metric == "cosine":
        row = unit_rows(row)
    return as_i8(row)[0] if part.kind == "exact_i8" else row[0]
