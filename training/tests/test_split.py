"""What is held out stays out of everything that is fitted or published."""

import numpy as np

from rankd_train.artefact import history_columns
from rankd_train.data.leave_two_out import split_leave_two_out
from rankd_train.training.folds import fold_training_items


def test_test_validation_and_training_part_every_users_items(interactions, data):
    split = data.split
    for user, row in enumerate(interactions.rows):
        names = {interactions.items[item] for item in row}
        held = {split.items[split.test[user]], split.items[split.validation[user]]}
        kept = {split.items[item] for item in split.history(user)}
        assert len(held) == 2
        assert held | kept == names
        assert not held & kept


def test_the_published_history_holds_training_items_only(data):
    split = data.split
    values, offsets = history_columns(split.train)
    assert offsets[0] == offsets[1] == 0  # row 0 is the unknown user
    for user in range(len(split.users)):
        published = values[offsets[user + 1] : offsets[user + 2]]
        assert published.tolist() == split.history(user).tolist()
        assert not {int(split.test[user]), int(split.validation[user])} & set(published.tolist())


def test_items_are_numbered_by_training_popularity(data):
    popularity = data.split.popularity
    assert (np.diff(popularity) <= 0).all()
    assert popularity.sum() == data.split.train.nnz


def test_the_seed_decides_the_split(interactions):
    one, again, other = (split_leave_two_out(interactions, seed) for seed in (0, 0, 1))
    assert (one.test == again.test).all() and one.items == again.items
    held = [tuple(split.items[item] for item in split.test) for split in (one, other)]
    assert held[0] != held[1]


def test_folds_part_the_training_items_and_never_take_a_whole_history(data):
    folds = fold_training_items(data.split, folds=3, seed=0)
    assert (sum(fold.targets for fold in folds) != data.split.train).nnz == 0
    for fold in folds:
        assert (fold.history + fold.targets != data.split.train).nnz == 0
        assert np.diff(fold.history.indptr).min() >= 1
