"""Who comes when: an order that seed and epoch alone decide, so that a run that is resumed meets the same batches."""

from collections.abc import Iterator

import numpy as np
import torch
from torch import Tensor


def epoch_generator(seed: int, epoch: int) -> torch.Generator:
    mixed = np.random.SeedSequence([seed, epoch]).generate_state(1, np.uint64)[0]
    return torch.Generator().manual_seed(int(mixed >> np.uint64(1)))


def shuffled_batches(count: int, size: int, generator: torch.Generator) -> Iterator[Tensor]:
    """The places 0..count-1 in random order, [size] int64 at a time; the last batch may be smaller."""
    return iter(torch.randperm(count, generator=generator).split(size))
