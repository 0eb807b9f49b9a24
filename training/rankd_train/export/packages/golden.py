"""golden.msgpack: requests and the answers that training computed for them, replayed by the engine at every load."""

import dataclasses
from typing import Any

import numpy as np
import torch
from torch import Tensor

from rankd_train.artefact import Artefact
from rankd_train.config import RunConfig
from rankd_train.data.histories import Histories
from rankd_train.data.leave_two_out import rows_to_csr
from rankd_train.dataset import Dataset
from rankd_train.evaluation.served import candidates_of, rank_candidates
from rankd_train.models.content import unit_rows
from rankd_train.quantise import as_i8

# A new project's dependencies, and a name that no catalogue knows: it is dropped.
BARE_HISTORY = ("cmake", "libboost-dev", "libfmt-dev")
UNKNOWN = "no-such-package"
# HNSW may miss one of ten, and the exact search that training uses never does.
MIN_OVERLAP = 0.9


def golden_requests(config: RunConfig, data: Dataset, artefact: Artefact) -> list[dict[str, Any]]:
    rng = np.random.default_rng(config.seed)
    users = [int(user) for user in rng.choice(len(data.split.users), size=8, replace=False)]
    history = [data.split.items.index(name) for name in BARE_HISTORY if name in data.split.items]
    count = min(200, data.catalogue.trained_count)
    some = [int(item) for item in rng.choice(data.catalogue.trained_count, size=count, replace=False)]
    entries = [rank_entry(config, data, artefact, user, None, some[:50]) for user in users[:3]]
    entries.append(rank_entry(config, data, artefact, None, history, some))
    entries.append(rank_entry(config, data, artefact, None, [], some[:20]))
    never_trained = [len(data.catalogue.names) - 1, data.catalogue.trained_count]
    entries.append(rank_entry(config, data, artefact, users[0], None, [*some[:5], *never_trained]))
    entries += [recommend_entry(config, data, artefact, user, None) for user in users]
    entries.append(recommend_entry(config, data, artefact, None, history))
    entries.append(recommend_entry(config, data, artefact, users[0], history))
    entries += similar_entries(data, [0, data.catalogue.trained_count // 2, len(data.catalogue.names) - 1])
    return entries


def body_of(data: Dataset, user: int | None, history: list[int] | None) -> tuple[dict[str, Any], int, np.ndarray]:
    """The request, its user row, and the history that it stands for."""
    body: dict[str, Any] = {}
    if user is not None:
        body["user"] = data.split.users[user]
    if history is None:
        return body, user + 1, data.split.history(user).astype(np.int64)
    body["history"] = [*(data.catalogue.names[item] for item in history), UNKNOWN]
    return body, 0 if user is None else user + 1, np.asarray(history, dtype=np.int64)


def rank_entry(
    config: RunConfig, data: Dataset, artefact: Artefact, user: int | None, history: list[int] | None, items: list[int]
) -> dict[str, Any]:
    body, row, known = body_of(data, user, history)
    seen = rows_to_csr([known], data.catalogue.trained_count)
    user_row = torch.tensor([row])
    # Reading past the end of a table gives zeros, and past the end of an index a score of zero.
    rows = torch.tensor(items).clamp(max=data.catalogue.trained_count)
    pair = end_with_zeros(artefact.stage_one(config).scores(user_row, seen)[0])[rows]
    tables = artefact.ranker_tables()
    tables = dataclasses.replace(
        tables,
        item_embedding=end_with_zeros(tables.item_embedding),
        item_content=end_with_zeros(tables.item_content),
        item_features=end_with_zeros(tables.item_features),
    )
    row_user = torch.zeros(len(items), dtype=torch.long)
    inputs = tables.gather(user_row, Histories.of(seen), row_user, rows, pair)
    with torch.no_grad():
        scores = artefact.ranker(*inputs)
    body |= {"candidates": [data.catalogue.names[item] for item in items], "order": "input"}
    return {"name": f"rank {title(body)}", "op": "rank", "body": body, "expect": {"scores": pack(scores.numpy())}}


def end_with_zeros(table: Tensor) -> Tensor:
    """[rows + 1, width]: the last row stands for every row past the end."""
    return torch.cat([table, torch.zeros(1, table.shape[1])])


def recommend_entry(
    config: RunConfig, data: Dataset, artefact: Artefact, user: int | None, history: list[int] | None
) -> dict[str, Any]:
    body, row, known = body_of(data, user, history)
    seen = rows_to_csr([known], data.catalogue.trained_count)
    candidates = candidates_of(artefact.stage_one(config), torch.tensor([row]), seen, np.zeros(1, dtype=np.int64))
    scores = rank_candidates(artefact.ranker, artefact.ranker_tables(), candidates)
    best = candidates.best(scores, config.pipeline.k)[0]
    place = {int(item): n for n, item in enumerate(candidates.item)}
    expect = {
        "items": [data.catalogue.names[item] for item in best],
        "scores": pack(np.array([scores[place[int(item)]] for item in best])),
        "min_overlap": MIN_OVERLAP,
    }
    body["k"] = config.pipeline.k
    return {"name": f"recommend {title(body)}", "op": "recommend", "body": body, "expect": expect}


def similar_entries(data: Dataset, rows: list[int]) -> list[dict[str, Any]]:
    """The int8 index scans with int8 queries, so training narrows the query as well."""
    stored = as_i8(unit_rows(data.content))
    entries = []
    for row in rows:
        scores = stored @ as_i8(unit_rows(stored[row : row + 1]))[0]
        order = np.argsort(-scores, kind="stable")
        best = order[order != row][:10]
        body = {"item": data.catalogue.names[row], "k": 10}
        expect = {
            "items": [data.catalogue.names[item] for item in best],
            "scores": pack(scores[best]),
            "tolerance": 1e-3,
            "min_overlap": MIN_OVERLAP,
        }
        entries.append({"name": f"similar to {body['item']}", "op": "similar", "body": body, "expect": expect})
    return entries


def title(body: dict[str, Any]) -> str:
    who = f"for {body['user']}" if "user" in body else "for nobody known"
    return f"{who}, history {', '.join(body['history'])}" if "history" in body else who


def pack(scores: np.ndarray) -> bytes:
    return np.ascontiguousarray(scores, dtype="<f4").tobytes()
