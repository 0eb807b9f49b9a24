"""Three parts of one set of interactions: to learn, to choose, and to be asked once."""

from dataclasses import dataclass

import numpy as np
import scipy.sparse as sp

from rankd_train.data.interactions import Events, Items, Users


@dataclass(frozen=True)
class Split:
    """Users and items are those of the set, whole; items are numbered by falling popularity in `train`.

    Everything that is fitted, published or counted sees `train` alone; `validation` decides; `test` is read once, when
    all is decided. A model that is fitted again after the choice sees `train` and `validation`."""

    users: Users
    items: Items
    train: Events
    validation: Events
    test: Events
    explicit: bool
    # Where the published protocol ranks the test item among drawn ones: [U, M] items, -1 for a user who is not asked.
    # As published: a row may name the test item itself, which then stands once among the candidates.
    negatives: np.ndarray | None = None
    # The same for validation, drawn here, so that choosing asks what testing asks.
    validation_negatives: np.ndarray | None = None

    @property
    def shape(self) -> tuple[int, int]:
        return len(self.users.ids), len(self.items.ids)

    def matrix(self, part: Events) -> sp.csr_matrix:
        """[U, I] float32, 1 where the user met the item."""
        return part.matrix(self.shape, binary=True)
