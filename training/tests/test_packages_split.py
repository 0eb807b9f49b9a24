"""models/packages was trained and measured on one split of debian-packages: the same recipe must cut that split again."""

import hashlib
from pathlib import Path

import numpy as np
import pytest

from rankd_train.data.cleaning import clean
from rankd_train.data.debian import Archive, read_sources
from rankd_train.data.loaded import Loaded
from rankd_train.data.sets.debian_packages import SET, interactions_of
from rankd_train.data.snapshot import find_set, verify_set
from rankd_train.data.splitting import make_split
from rankd_train.errors import DataMissing
from rankd_train.recipe_config import load_recipe

RECIPE = Path(__file__).parents[1] / "configs" / "packages.yaml"
# Of users, items, training pairs, validation and test items with seed 0, when version 1.0.0 was trained.
PINNED = "36874e23ff988830126547d479661f895ff0a629c9726648ad98e02f93a74897"


@pytest.fixture(scope="module")
def archive():
    """The sources alone: the other packages have no event, so they fall out of the interactions."""
    try:
        folder = find_set(SET)
        verify_set(SET, folder, allow_other=False)
    except DataMissing as missing:
        pytest.skip(str(missing))
    return Archive((), read_sources(folder))


def digest(users, items, train, validation, test) -> str:
    hashed = hashlib.sha256()
    for ids in (users, items):
        hashed.update("\n".join(ids).encode())
    for numbers in (train.indptr, train.indices, validation, test):
        hashed.update(np.asarray(numbers).astype("<i8").tobytes())
    return hashed.hexdigest()


def test_the_packages_recipe_cuts_the_pinned_split(archive):
    recipe = load_recipe(RECIPE)
    cleaned = clean(interactions_of(archive), None, SET.cleaning)
    split = make_split(Loaded(cleaned.interactions, None, {}, {}), recipe.split, recipe.seed)
    assert split.validation.user.tolist() == split.test.user.tolist() == list(range(split.shape[0]))
    train = split.matrix(split.train)
    assert digest(split.users.ids, split.items.ids, train, split.validation.item, split.test.item) == PINNED
