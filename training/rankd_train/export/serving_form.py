"""What it costs to serve a model as narrow tables and candidates: how much of its own best list comes back."""

from typing import Any

import numpy as np

from rankd_train.export.reference import Reference
from rankd_train.models.recommender import Recommender, TrainingSet

K = 10
USERS = 200
CHUNK = 20  # users scored at once: [20, 41,000] floats are 3 MB, and models that score pairs stay small too


def sample_users(training: TrainingSet, seed: int) -> np.ndarray:
    """Users who have a history, ascending."""
    users = np.unique(training.events.user)
    rng = np.random.default_rng(seed)
    return np.sort(rng.choice(users, size=min(USERS, len(users)), replace=False))


def compare(
    reference: Reference, model: Recommender, training: TrainingSet, seed: int
) -> tuple[dict[str, Any], np.ndarray]:
    """The overlap of both best lists, mean over users, and the scores that the reference answered with."""
    users = sample_users(training, seed)
    overlaps, scores = [], []
    for start in range(0, len(users), CHUNK):
        asked = users[start : start + CHUNK]
        for user, whole in zip(asked, best_of_model(model, training, asked)):
            answer = reference.answer("recommend", {"user": training.users.ids[user], "k": K})
            overlaps.append(len(set(whole) & set(answer.rows)) / max(len(whole), 1))
            scores.append(answer.scores)
    return {"users": len(users), f"overlap@{K}": float(np.mean(overlaps))}, np.concatenate(scores)


def best_of_model(model: Recommender, training: TrainingSet, users: np.ndarray) -> list[np.ndarray]:
    """Of each user the K best unseen items, ties to the lower row."""
    history = training.matrix[users]
    scores = np.array(model.scores(users, history), dtype=np.float32)  # (B, I), ours to change
    scores[history.nonzero()] = -np.inf
    order = np.argsort(-scores, axis=1, kind="stable")[:, :K]
    return [row[np.isfinite(scores[place, row])] for place, row in enumerate(order)]
