"""golden.msgpack: a spread of requests and the reference's answers, replayed by the engine at every load."""

from collections.abc import Iterator
from typing import Any

import numpy as np

from rankd_train.data.interactions import Ids
from rankd_train.export.reference import Reference
from rankd_train.export.request import Answer

K = 10
CANDIDATES = 50  # of a `rank` request
# What an approximate index, or a ranking of what such sources found, has to bring back.
MIN_OVERLAP = 0.9
# Scores nearer to the first that stayed out than this many tolerances may change places with it.
EDGE = 2

Body = dict[str, Any]


def golden_requests(reference: Reference, seed: int) -> list[dict[str, Any]]:
    spread = Spread(reference, seed)
    bodies = {"recommend": spread.recommend, "rank": spread.rank, "similar": spread.similar}
    return [
        entry(reference, operation, name, body)
        for operation in reference.contents.operations
        for name, body in bodies[operation]()
    ]


def entry(reference: Reference, operation: str, name: str, body: Body) -> dict[str, Any]:
    answer = reference.answer(operation, body)
    allowed = tolerance_of(reference, answer)
    scores = np.ascontiguousarray(answer.scores, dtype="<f4").tobytes()
    expect: dict[str, Any] = {"scores": scores, "tolerance": allowed}
    if body.get("order") != "input":
        expect["items"] = [reference.contents.items[row] for row in answer.rows]
        expect["min_overlap"] = min_overlap(reference, operation, answer, allowed)
    return {"name": f"{operation} {name}", "op": operation, "body": body, "expect": expect}


def tolerance_of(reference: Reference, answer: Answer) -> float:
    """The family's own, of the largest score where that is above one: float32 keeps digits, not decimals."""
    finite = np.abs(answer.scores[np.isfinite(answer.scores)])
    return reference.contents.tolerance * float(max(1.0, finite.max(initial=0.0)))


def min_overlap(reference: Reference, operation: str, answer: Answer, allowed: float) -> float:
    """1, unless rounding may move an item over the edge of the answer, or the search is not exact."""
    if len(answer.left_out) == 0 or len(answer.scores) == 0:
        return 1.0
    firm = answer.scores > answer.left_out.max() + EDGE * allowed
    stages = reference.contents.operations[operation]
    sources = [source for stage in stages for source in stage.get("sources", ())]
    is_exact = all(
        source["kind"] != "index" or reference.contents.indexes[source["index"]].kind != "hnsw" for source in sources
    )
    is_reranked = bool(sources) and any(stage["stage"] == "score" for stage in stages)
    return float(min(firm.mean(), 1.0 if is_exact and not is_reranked else MIN_OVERLAP))


class Spread:
    """Requests of every kind: known and unknown users, histories of their own, one candidate, items never trained."""

    def __init__(self, reference: Reference, seed: int):
        contents = reference.contents
        rng = np.random.default_rng(seed)
        has_history = np.flatnonzero(np.diff(contents.history.offsets)[1:])
        self.contents = contents
        self.users = [contents.users[user] for user in draw(rng, has_history, 6)]
        trained = np.flatnonzero(contents.popularity)
        self.items = [contents.items[item] for item in draw(rng, trained, CANDIDATES)]
        self.untrained = [contents.items[item] for item in draw(rng, np.flatnonzero(contents.popularity == 0), 2)]
        self.unknown_item = unknown_of(contents.items)
        self.unknown_user = unknown_of(contents.users)

    def recommend(self) -> Iterator[tuple[str, Body]]:
        for user in self.users:
            yield f"for {user}", {"user": user, "k": K}
        history = [*self.items[:3], self.unknown_item]
        yield "for a history that replaces the known one", {"user": self.users[0], "history": history, "k": K}
        yield "for a history alone", {"history": history, "k": K}
        yield "for an unknown user with a history", {"user": self.unknown_user, "history": self.items[2:7], "k": K}
        yield "for nobody known", {"history": [], "k": K}
        yield "with exclusions", {"user": self.users[0], "exclude": [*self.items[:5], self.unknown_item], "k": K}
        for name, attribute in self.contents.attributes.items():
            asked = {name: [attribute.names[0], attribute.names[-1]]}
            yield f"of some values of {name}", {"user": self.users[0], "filters": asked, "k": K}

    def rank(self) -> Iterator[tuple[str, Body]]:
        in_order = {"order": "input"}
        for user in self.users[:3]:
            yield f"for {user}", {"user": user, "candidates": self.items, **in_order}
        yield "one candidate", {"user": self.users[0], "candidates": self.items[:1], **in_order}
        yield "for a history alone", {"history": self.items[:3], "candidates": self.items, **in_order}
        yield "for nobody known", {"history": [], "candidates": self.items[:20], **in_order}
        rare = [*self.items[:3], *self.untrained, self.unknown_item]
        yield "items never trained or not known", {"user": self.users[0], "candidates": rare, **in_order}
        yield "best first", {"user": self.users[0], "candidates": self.items, "k": K}

    def similar(self) -> Iterator[tuple[str, Body]]:
        index = self.contents.operations["similar"][0]["sources"][0]["index"]
        last = len(self.contents.indexes[index].vectors) - 1
        for row in sorted({0, last // 2, last}):
            yield f"to {self.contents.items[row]}", {"item": self.contents.items[row], "k": K}


def draw(rng: np.random.Generator, rows: np.ndarray, count: int) -> list[int]:
    return [int(row) for row in rng.choice(rows, size=min(count, len(rows)), replace=False)]


def unknown_of(ids: Ids) -> str | int:
    """An id of the same kind that none of `ids` is."""
    known = set(ids)
    numbers = range(len(ids) + 1)
    candidates = map("no-such-id-{}".format, numbers) if isinstance(ids[0], str) else numbers
    return next(name for name in candidates if name not in known)
