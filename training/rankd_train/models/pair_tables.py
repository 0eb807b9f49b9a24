"""What a pair network looks up: the columns of its users and items, row by row as the engine gathers them."""

import numpy as np
import torch
from torch import Tensor, nn

from rankd_train.data.features import Codes, FeatureTable


class EmbeddingTables(nn.Module):
    """One embedding per user and per item. Columns come by name, in the order in which the graph takes them.

    Row 0 of the users is the unknown user, user `u` is row u + 1."""

    def __init__(self, shape: tuple[int, int], width: int, spread: float = 0.01):
        """shape: users and items; spread: standard deviation at the start, 0.01 in He et al. 2017."""
        super().__init__()
        self.shape = shape
        self.user_embedding = nn.Embedding(1 + shape[0], width)
        self.item_embedding = nn.Embedding(shape[1], width)
        for table in (self.user_embedding, self.item_embedding):
            nn.init.normal_(table.weight, std=spread)

    def users(self, row: Tensor) -> dict[str, Tensor]:
        """row: (U,) int64. Returns (U, W) for each column."""
        return {"embedding": self.user_embedding(row)}

    def items(self, item: Tensor) -> dict[str, Tensor]:
        """item: (N,) int64. Returns (N, W) for each column."""
        return {"embedding": self.item_embedding(item)}


class DescribedTables(EmbeddingTables):
    """Embeddings, and beside them features: numbers as they are, codes as small embeddings."""

    def __init__(self, shape: tuple[int, int], width: int, user: FeatureTable, item: FeatureTable, code_width: int):
        super().__init__(shape, width)
        self.user_features = FeatureColumns(with_unknown(user), code_width)
        self.item_features = FeatureColumns(item, code_width)

    def users(self, row: Tensor) -> dict[str, Tensor]:
        return {"embedding": self.user_embedding(row), "features": self.user_features(row)}

    def items(self, item: Tensor) -> dict[str, Tensor]:
        return {"embedding": self.item_embedding(item), "features": self.item_features(item)}


class FeatureColumns(nn.Module):
    """[numbers | an embedding of each code], the features of a row."""

    def __init__(self, table: FeatureTable, code_width: int):
        super().__init__()
        self.names = sorted(table.codes)
        codes = [torch.from_numpy(table.codes[name].codes) for name in self.names]
        self.register_buffer("values", torch.from_numpy(table.values), persistent=False)  # (R, F)
        self.register_buffer("codes", torch.stack(codes) if codes else torch.zeros(0, 0), persistent=False)  # (C, R)
        self.embeddings = nn.ModuleList(
            nn.Embedding(1 + len(table.codes[name].vocabulary), code_width) for name in self.names
        )
        for embedding in self.embeddings:
            nn.init.normal_(embedding.weight, std=0.05)
        self.width = table.values.shape[1] + code_width * len(self.names)

    def forward(self, row: Tensor) -> Tensor:
        """row: (R,) int64. Returns (R, width)."""
        embedded = [embedding(codes[row]) for embedding, codes in zip(self.embeddings, self.codes)]
        return torch.cat([self.values[row], *embedded], dim=1)


def with_unknown(table: FeatureTable) -> FeatureTable:
    """The same with a row 0 of defaults and unknown codes in front."""
    defaults = np.array([[column.default for column in table.columns]], dtype=np.float32).reshape(1, -1)
    codes = {name: Codes(c.vocabulary, np.concatenate([[0], c.codes])) for name, c in table.codes.items()}
    return FeatureTable(table.columns, np.concatenate([defaults, table.values]), codes)
