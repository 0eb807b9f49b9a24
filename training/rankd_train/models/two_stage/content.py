"""What is known of users and items without anybody meeting anything: descriptions, categories, and what a user is about."""

from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor

from rankd_train.data.interactions import Items, Users
from rankd_train.errors import ConfigError
from rankd_train.models.content import ContentConfig, embed_texts, unit_rows

UNKNOWN_CATEGORY = ""


@dataclass(frozen=True)
class Known:
    descriptions: np.ndarray  # [catalogue, C] float32 unit rows: the I trained items, then those that nobody met
    user: Tensor  # [1 + U, C] unit rows; zeros in row 0, the unknown user, and for users of whom nothing is told
    category: Tensor  # [I] int64 codes of main categories
    item_count: int  # I

    @property
    def item(self) -> Tensor:
        """[I, C]"""
        return torch.from_numpy(self.descriptions[: self.item_count])


def describe(users: Users, items: Items, config: ContentConfig, seed: int) -> Known:
    """Terms are weighed over the whole catalogue. Raises ConfigError where there is no text to describe items by."""
    whole = items.whole()
    if whole.text is None:
        raise ConfigError("two-stage describes items by their texts, and this data has none; ease or mf needs no text")
    descriptions = embed_texts(whole.text, config, seed)
    if descriptions.shape[1] == 0:
        raise ConfigError(
            f"no term stands in {config.min_texts_per_term} texts of items and in no more than {config.max_share:.0%} "
            "of them: lower model.content.min_texts_per_term or raise max_share"
        )
    user = torch.from_numpy(user_content(users, whole, descriptions))
    return Known(descriptions, user, torch.from_numpy(category_codes(whole)[: len(items.ids)]), len(items.ids))


def user_content(users: Users, whole: Items, descriptions: np.ndarray) -> np.ndarray:
    """[1 + U, C]: the mean description of the items that say what a user is about.

    These were not met, so that no held-out item leaks, unless whoever told them knew it."""
    vectors = np.zeros((1 + len(users.ids), descriptions.shape[1]), dtype=np.float32)
    row_of = {id: row for row, id in enumerate(whole.ids)}
    for row, about in enumerate(users.about or (), start=1):
        rows = [row_of[id] for id in about if id in row_of]
        if rows:
            vectors[row] = descriptions[rows].mean(axis=0)
    return unit_rows(vectors)


def category_codes(items: Items) -> np.ndarray:
    """[I] int64, places in the sorted names of main categories."""
    mains = [kinds[0] if kinds else UNKNOWN_CATEGORY for kinds in items.categories or ((),) * len(items.ids)]
    return np.unique(np.asarray(mains), return_inverse=True)[1].astype(np.int64)
