"""The three models as every Python peer serves them: ONNX Runtime with one thread, NumPy around it.

Where they lie comes from the environment: PEER_INFER_MODEL, PEER_SCORE_MODEL, PEER_RANK_MODEL (ONNX files), PEER_ITEMS and PEER_USERS
(float32 arrays [items, W] and [users + 1, W]; item of row r has the id 1000 + 7 r, user u is row u, row 0 serves unknown users).
"""

import os
from dataclasses import dataclass

import numpy as np
import onnxruntime


class BadRequest(ValueError):
    """What the caller sent cannot be served; the message says why."""


@dataclass(frozen=True)
class Ranked:
    """The best candidates of one request, best first: ids and scores [k]."""

    ids: list[int]
    scores: list[float]


def open_session(path):
    """One thread: the peers share one core, and a thread pool of its own would only contend for it."""
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = 1
    options.inter_op_num_threads = 1
    return onnxruntime.InferenceSession(path, options, providers=["CPUExecutionProvider"])


class Dense:
    """A graph with one float32 input [N, width] and one output [N, …]."""

    def __init__(self, path):
        self._session = open_session(path)
        tensor = self._session.get_inputs()[0]
        self._input, self.width = tensor.name, tensor.shape[1]
        self._outputs = [self._session.get_outputs()[0].name]

    def matrix(self, rows):
        """rows: lists of numbers -> float32 [N, width]. Raises BadRequest for another shape."""
        try:
            matrix = np.asarray(rows, dtype=np.float32)
        except (TypeError, ValueError) as error:
            raise BadRequest(f"{self._input}: expected rows of {self.width} numbers") from error
        if matrix.ndim != 2 or matrix.shape[0] == 0 or matrix.shape[1] != self.width:
            raise BadRequest(f"{self._input}: expected shape [N, {self.width}], got {list(matrix.shape)}")
        return matrix

    def run(self, matrix):
        """matrix: float32 [N, width] -> float32 [N, …]."""
        return self._session.run(self._outputs, {self._input: matrix})[0]


class Ranker:
    """Scores candidates for a user; the tables stay in memory, only the rows of a request reach the graph."""

    def __init__(self, path, items, users):
        self._session = open_session(path)
        self._items = np.load(items)  # [items, W]
        self._users = np.load(users)  # [users + 1, W]
        self._ids = [1000 + 7 * row for row in range(len(self._items))]
        self._row_of = {item: row for row, item in enumerate(self._ids)}

    @staticmethod
    def checked(user, candidates, k):
        """A request as it came from JSON that nobody has checked, as `rank` takes it. Raises BadRequest."""
        if type(user) is not int or type(k) is not int:
            raise BadRequest("user and k: expected whole numbers")
        if not isinstance(candidates, list) or not all(type(item) is int for item in candidates):
            raise BadRequest("candidates: expected a list of ids")
        if k < 1:
            raise BadRequest(f"k: expected at least 1, got {k}")
        return user, candidates, k

    def rank(self, user, candidates, k):
        """user: int; candidates: list of ids, those unknown are dropped; k: how many to keep, from 1."""
        return self.rank_many([(user, candidates, k)])[0]

    def rank_many(self, requests):
        """One run for several requests (user, candidates, k)."""
        rows_of = [self._rows(candidates) for _, candidates, _ in requests]
        rows = rows_of[0] if len(rows_of) == 1 else [row for rows in rows_of for row in rows]
        if not rows:
            return [Ranked([], []) for _ in requests]
        feeds = {
            "user_embedding": self._users[[self._user_row(user) for user, _, _ in requests]],  # [U, W]
            "row_user": np.repeat(np.arange(len(requests)), [len(rows) for rows in rows_of]),  # [N]
            "item_embedding": self._items.take(rows, axis=0),  # [N, W]
        }
        scores = self._session.run(["score"], feeds)[0].reshape(-1)  # [N]
        answers, start = [], 0
        for (_, _, k), rows in zip(requests, rows_of):
            answers.append(self._best(scores[start : start + len(rows)], rows, k))
            start += len(rows)
        return answers

    def _user_row(self, user):
        return user if 0 < user < len(self._users) else 0

    def _rows(self, candidates):
        row_of = self._row_of
        return [row_of[item] for item in candidates if item in row_of]

    def _best(self, scores, rows, k):
        if k < len(rows):
            best = np.argpartition(scores, -k)[-k:]
            best = best[np.argsort(-scores[best])]
        else:
            best = np.argsort(-scores)
        return Ranked([self._ids[rows[i]] for i in best], scores[best].tolist())


def open_infer():
    return Dense(os.environ["PEER_INFER_MODEL"])


def open_score():
    return Dense(os.environ["PEER_SCORE_MODEL"])


def open_ranker():
    return Ranker(os.environ["PEER_RANK_MODEL"], os.environ["PEER_ITEMS"], os.environ["PEER_USERS"])
