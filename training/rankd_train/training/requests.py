"""Batches of request numbers: the data stay in memory, so a loader only says who comes next."""

import torch
from torch.utils.data import DataLoader, TensorDataset


def request_loader(count: int, batch: int, seed: int, shuffle: bool) -> DataLoader:
    """Batches of 0..count-1 in an order that only the seed decides."""
    generator = torch.Generator().manual_seed(seed)
    return DataLoader(TensorDataset(torch.arange(count)), batch, shuffle=shuffle, generator=generator)
