"""The ranker's examples: requests with targets, and a pool of negatives for each, scored by stage one beforehand."""

from dataclasses import dataclass

import numpy as np
import scipy.sparse as sp
import torch
from torch import Tensor

from rankd_train.data.histories import Histories
from rankd_train.models.two_stage.config import RankerConfig
from rankd_train.models.two_stage.folds import Fold
from rankd_train.models.two_stage.stage_one import StageOne
from rankd_train.progress import progress

POOL = 64  # negatives kept per request, of which each epoch draws a few anew
CHUNK = 512  # users scored at once: [512, 5435, 2] floats are 22 MB


@dataclass(frozen=True)
class RankerExamples:
    """R requests with T targets in all, sorted by request."""

    user_row: Tensor  # [R] int64, 0 where the request comes from an unknown user
    history: sp.csr_matrix  # [R, I]
    targets: Histories  # user = request
    target_pair: Tensor  # [T, P]
    pool_item: Tensor  # [R, POOL] int64
    pool_pair: Tensor  # [R, POOL, P]


@dataclass(frozen=True)
class RankerBatch:
    """Rows for one step: U requests, N = targets x (1 + negatives) candidates."""

    user_row: Tensor
    history: Histories
    row_user: Tensor
    item: Tensor
    pair: Tensor
    label: Tensor  # [N] float32, 1 for a target


def examples_of_fold(
    stage_one: StageOne, fold: Fold, met: sp.csr_matrix, config: RankerConfig, seed: int
) -> RankerExamples:
    """One request per user with a target in this fold; a share of the users asks as unknown, for towers and ranker alike.

    met: [U, I], what each user has: never a negative."""
    generator = torch.Generator().manual_seed(seed)
    # Who met every item has no negative.
    users = np.flatnonzero((np.diff(fold.targets.indptr) > 0) & (np.diff(met.indptr) < met.shape[1]))
    known = torch.rand(len(users), generator=generator) >= config.mask_user
    user_row = (torch.from_numpy(users) + 1) * known
    history, targets = fold.history[users], fold.targets[users]
    target_pair, pool_item, pool_pair = [], [], []
    for start in progress(range(0, len(users), CHUNK), "scoring the ranker's examples"):
        chunk = slice(start, start + CHUNK)
        scores = stage_one.scores(user_row[chunk], history[chunk])  # (U, I, P)
        owned = torch.from_numpy(met[users[chunk]].toarray()) > 0  # (U, I)
        items = draw_pool(stage_one.retrieved(scores) & ~owned, ~owned, config.hard_negatives, generator)
        pool_item.append(items)
        pool_pair.append(scores.gather(1, items[:, :, None].expand(-1, -1, scores.shape[2])))
        row, column = targets[chunk].nonzero()
        target_pair.append(scores[row, column])
    return RankerExamples(
        user_row=user_row,
        history=history,
        targets=Histories.of(targets),
        target_pair=torch.cat(target_pair),
        pool_item=torch.cat(pool_item),
        pool_pair=torch.cat(pool_pair),
    )


def draw_pool(retrieved: Tensor, allowed: Tensor, hard_share: float, generator: torch.Generator) -> Tensor:
    """[U, POOL] int64: a share of retrieved items, where any are, the rest from all that are allowed. Both masks: [U, I] bool."""
    hard = round(POOL * hard_share)
    retrieved = torch.where(retrieved.any(dim=1, keepdim=True), retrieved, allowed)
    columns = []
    if hard:
        columns.append(torch.multinomial(retrieved.float(), hard, replacement=True, generator=generator))
    if hard < POOL:
        columns.append(torch.multinomial(allowed.float(), POOL - hard, replacement=True, generator=generator))
    return torch.cat(columns, dim=1)


def concatenate(parts: list[RankerExamples]) -> RankerExamples:
    offsets = np.cumsum([0, *(len(part.user_row) for part in parts)])
    return RankerExamples(
        user_row=torch.cat([part.user_row for part in parts]),
        history=sp.vstack([part.history for part in parts], format="csr"),
        targets=Histories(
            torch.cat([part.targets.user + int(offset) for part, offset in zip(parts, offsets)]),
            torch.cat([part.targets.item for part in parts]),
            int(offsets[-1]),
        ),
        target_pair=torch.cat([part.target_pair for part in parts]),
        pool_item=torch.cat([part.pool_item for part in parts]),
        pool_pair=torch.cat([part.pool_pair for part in parts]),
    )


def make_batch(
    examples: RankerExamples, starts: Tensor, requests: Tensor, negatives: int, generator: torch.Generator
) -> RankerBatch:
    """The targets of some requests with `negatives` fresh draws from the pool each.

    starts: [R + 1] int64, where each request's targets begin; requests: [U] int64."""
    lengths = starts[requests + 1] - starts[requests]  # (U,)
    row_user = torch.repeat_interleave(torch.arange(len(requests)), lengths)  # (T,)
    before = torch.cumsum(lengths, 0) - lengths
    target = (
        starts[requests][row_user] + torch.arange(len(row_user)) - before[row_user]
    )  # (T,) places in examples.targets
    drawn = torch.randint(POOL, (len(target), negatives), generator=generator)  # (T, K)
    request = requests[row_user][:, None]  # (T, 1)
    negative_item = examples.pool_item[request, drawn]  # (T, K)
    negative_pair = examples.pool_pair[request, drawn]  # (T, K, P)
    item = torch.cat([examples.targets.item[target][:, None], negative_item], dim=1)  # (T, 1 + K)
    pair = torch.cat([examples.target_pair[target][:, None], negative_pair], dim=1)  # (T, 1 + K, P)
    label = torch.zeros(item.shape)
    label[:, 0] = 1.0
    return RankerBatch(
        user_row=examples.user_row[requests],
        history=Histories.of(examples.history[requests.numpy()]),
        row_user=row_user.repeat_interleave(1 + negatives),
        item=item.flatten(),
        pair=pair.flatten(0, 1),
        label=label.flatten(),
    )
