"""The served figures: the engine itself is asked for held-out users, without a server around it."""

from pathlib import Path
from typing import Any

import numpy as np

from rankd_train.data.interactions import Events, Ids
from rankd_train.errors import ExportMismatch
from rankd_train.export.native_tool import NativeTool

K = 10
# More users than this are asked by a sample: the figures then stand within about half a percentage point.
MAX_USERS = 20_000


def served_figures(
    tool: NativeTool, bundle: Path, users: Ids, items: Ids, heldout: Events, seed: int
) -> dict[str, float]:
    """Means over the users who have held-out items; every metric as in `evaluation`, from what `recommend` answers with k = 10."""
    asked = np.unique(heldout.user)
    if len(asked) > MAX_USERS:
        asked = np.sort(np.random.default_rng(seed).choice(asked, size=MAX_USERS, replace=False))
    answers = tool.answer(bundle, "recommend", [{"user": users[user], "k": K} for user in asked])
    starts = np.searchsorted(heldout.user, np.stack([asked, asked + 1]))  # (2, A)
    rows = []
    for answer, start, end in zip(answers, *starts):
        relevant = {items[item] for item in heldout.item[start:end]}
        rows.append(figures_of([item["id"] for item in items_of(answer)], relevant))
    means = np.mean(rows, axis=0)
    return {"users": len(asked), **{name: float(mean) for name, mean in zip(METRICS, means)}}


METRICS = (f"hr@{K}", f"recall@{K}", f"ndcg@{K}", "answered")


def figures_of(given: list[Any], relevant: set[Any]) -> tuple[float, float, float, float]:
    """Hit, recall, NDCG with binary gains (Järvelin and Kekäläinen 2002), and the share of K places that were filled."""
    hits = np.array([item in relevant for item in given[:K]] + [False] * (K - len(given[:K])))
    discount = 1 / np.log2(np.arange(K) + 2)
    ideal = discount[: len(relevant)].sum()
    return float(hits.any()), hits.sum() / len(relevant), float((hits * discount).sum() / ideal), len(given) / K


def items_of(answer: dict[str, Any]) -> list[dict[str, Any]]:
    if "items" not in answer:
        raise ExportMismatch(f"the engine answers a held-out user with an error: {answer.get('error', answer)}")
    return answer["items"]
