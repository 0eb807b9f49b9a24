"""Groups of users whose figures stand side by side: the new and the active, and whatever is known of them."""

import numpy as np
import scipy.sparse as sp

from rankd_train.data.interactions import Users
from rankd_train.errors import ConfigError

ACTIVITY = "activity"


def user_groups(
    users: Users, asked: np.ndarray, train: sp.csr_matrix, active_from: int, attributes: tuple[str, ...]
) -> dict[str, np.ndarray]:
    """By attribute the group of each asked user, [Q] text, "" where unknown; the first is always the activity.

    asked: [Q] places; train: [U, I]. New users have fewer than `active_from` training items."""
    active = np.diff(train.indptr)[asked] >= active_from
    groups = {ACTIVITY: np.where(active, "active", "new")}
    for attribute in attributes:
        if attribute not in users.attributes:
            known = ", ".join(sorted(users.attributes)) or "none"
            raise ConfigError(f'evaluation.groups: users have no attribute "{attribute}"; known are: {known}')
        groups[attribute] = np.asarray(users.attributes[attribute])[asked].astype(str)
    return groups
