"""The served figures: the engine itself is asked for the held-out users, without a server around it."""

from pathlib import Path
from typing import Any

import numpy as np

from rankd_train.data.interactions import Ids
from rankd_train.errors import ExportMismatch
from rankd_train.evaluation.metrics import ranking_figures
from rankd_train.evaluation.rankings import Question, Rankings
from rankd_train.export.native_tool import NativeTool

K = 10
KS = (5, 10)


def served_figures(tool: NativeTool, bundle: Path, users: Ids, items: Ids, question: Question) -> dict[str, float]:
    """As `evaluation` defines them, of what `recommend` answers with k = 10; only figures at 5 and 10 can be told."""
    answers = tool.answer(bundle, "recommend", [{"user": users[user], "k": K} for user in question.users])
    row_of = {name: row for row, name in enumerate(items)}
    top = np.full((len(answers), K), -1, dtype=np.int64)
    for place, answer in enumerate(answers):
        rows = [row_of[item["id"]] for item in items_of(answer)]
        top[place, : len(rows)] = rows
    figures = ranking_figures(rankings_of(top, question), KS)
    return {"users": len(top), **{name: figure.value() for name, figure in figures.items() if "@" in name}}


def rankings_of(top: np.ndarray, question: Question) -> Rankings:
    """top: [Q, K] item rows, -1 where an answer is shorter. What is not in the answer ranks behind every item."""
    count = question.history.shape[1]
    user = np.repeat(np.arange(len(question.users)), np.diff(question.starts))  # (R,)
    is_hit = top[user] == question.items[:, None]  # (R, K)
    rank = np.where(is_hit.any(axis=1), is_hit.argmax(axis=1), count)
    order = np.lexsort((rank, user))
    return Rankings(
        users=question.users,
        starts=question.starts,
        items=question.items[order],
        gains=question.gains[order],
        relevant=question.relevant[order],
        rank=rank[order],
        candidates=np.full(len(top), count),
        top=top,
    )


def items_of(answer: dict[str, Any]) -> list[dict[str, Any]]:
    if "items" not in answer:
        raise ExportMismatch(f"the engine answers a held-out user with an error: {answer.get('error', answer)}")
    return answer["items"]
