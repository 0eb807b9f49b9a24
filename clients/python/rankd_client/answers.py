"""What the server answers, as Python and numpy see it; notebooks show items as a table."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from html import escape
from typing import Any, overload

import numpy as np
from numpy.typing import NDArray

Id = str | int


@dataclass(frozen=True, slots=True)
class Timing:
    """Microseconds on the server. queue: until execution starts; compute: of the whole batch; total: until it is encoded."""

    queue_us: int = 0
    compute_us: int = 0
    total_us: int = 0


@dataclass(frozen=True, slots=True)
class Item:
    """An item and its score; source is the retrieval source that found it, None from `rank`."""

    id: Id
    score: float
    source: str | None = None


@dataclass(frozen=True, kw_only=True)
class Answer:
    """What all answers carry. degraded: why it is not the best the model could give, in words of docs/wire-format.md."""

    request_id: Id | None
    model: str
    version: str
    degraded: list[str] = field(default_factory=list)
    timing: Timing = field(default_factory=Timing)

    def _origin(self) -> str:
        return f"{self.model}@{self.version}" + (f", degraded: {', '.join(self.degraded)}" if self.degraded else "")


@dataclass(frozen=True, kw_only=True, repr=False)
class Items(Answer, Sequence[Item]):
    """Items, best first; a sequence of them."""

    items: list[Item]

    def __len__(self) -> int:
        return len(self.items)

    def __iter__(self) -> Iterator[Item]:
        return iter(self.items)

    @overload
    def __getitem__(self, at: int) -> Item: ...
    @overload
    def __getitem__(self, at: slice) -> list[Item]: ...
    def __getitem__(self, at: int | slice) -> Item | list[Item]:
        return self.items[at]

    @property
    def ids(self) -> list[Id]:
        return [item.id for item in self.items]

    @property
    def scores(self) -> NDArray[np.float32]:
        """[n] float32, beside `ids`."""
        return np.array([item.score for item in self.items], np.float32)

    def __repr__(self) -> str:
        shown = ", ".join(f"{item.id} {item.score:.4g}" for item in self.items[:5])
        return f"<Items of {self._origin()}: {shown}{', …' if len(self) > 5 else ''} ({len(self)})>"

    def _repr_html_(self) -> str:
        cells = "".join(
            f"<tr><td>{at}</td><td>{escape(str(item.id))}</td><td>{item.score:.4g}</td><td>{escape(item.source or '')}</td></tr>"
            for at, item in enumerate(self.items, 1)
        )
        head = "<tr><th></th><th>id</th><th>score</th><th>source</th></tr>"
        return f"<table><caption>{escape(self._origin())}</caption>{head}{cells}</table>"


@dataclass(frozen=True, kw_only=True, repr=False, eq=False)
class Scores(Answer):
    """scores: [n] float32 in the order sent, NaN for an unknown candidate. decisions: one word per score, when the
    model has thresholds."""

    scores: NDArray[np.float32]
    decisions: list[str] | None = None

    def __len__(self) -> int:
        return len(self.scores)

    def __array__(self, dtype: Any = None, copy: bool | None = None) -> NDArray[Any]:  # noqa: ANN401
        return np.array(self.scores, dtype=dtype, copy=copy)

    def __repr__(self) -> str:
        return f"<Scores of {self._origin()}: {np.array2string(self.scores, threshold=8, precision=4)} ({len(self)})>"


@dataclass(frozen=True, kw_only=True)
class Feedback(Answer):
    """accepted: how many events the server has taken. degraded has "unknown_items" where the model does not know one."""

    accepted: int


class Tensors(dict[str, NDArray[Any]]):
    """The outputs of `infer` by name, in the order they came."""

    def __init__(
        self, outputs: Mapping[str, NDArray[Any]], *, model: str, version: str, request_id: Id | None = None
    ) -> None:
        super().__init__(outputs)
        self.model = model
        self.version = version
        self.request_id = request_id

    def __repr__(self) -> str:
        shown = ", ".join(f"{name}: {array.dtype}{list(array.shape)}" for name, array in self.items())
        return f"<Tensors of {self.model}@{self.version}: {shown}>"


def to_items(body: Mapping[str, Any]) -> Items:
    items = [Item(each["id"], each["score"], each.get("source")) for each in body.get("items", ())]
    return Items(**_common(body), items=items)


def to_scores(body: Mapping[str, Any]) -> Scores:
    scores = np.frombuffer(body.get("scores", b""), "<f4").copy()
    return Scores(**_common(body), scores=scores, decisions=body.get("decisions"))


def to_feedback(body: Mapping[str, Any]) -> Feedback:
    return Feedback(**_common(body), accepted=body["accepted"])


def _common(body: Mapping[str, Any]) -> dict[str, Any]:
    timing = body["timing"]
    return {
        "request_id": body["request_id"],
        "model": body["model"],
        "version": body["version"],
        "degraded": body["degraded"],
        "timing": Timing(timing["queue"], timing["compute"], timing["total"]),
    }
