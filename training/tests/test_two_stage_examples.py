"""What the two stages learn from: folds, drawn negatives, descriptions; nothing of them tells what is held out."""

import dataclasses

import numpy as np
import pytest
import torch
from two_stage_world import CONFIG, ITEMS, OTHERS, make_world

from rankd_train.errors import ConfigError
from rankd_train.models.two_stage.content import describe
from rankd_train.models.two_stage.examples import POOL, draw_pool, make_batch
from rankd_train.models.two_stage.family import make_examples
from rankd_train.models.two_stage.folds import fold_training_items
from rankd_train.training.loop import Plan


@pytest.fixture(scope="module")
def training():
    return make_world()[1]


@pytest.fixture(scope="module")
def examples(training):
    torch.set_num_threads(1)
    torch.manual_seed(0)
    known = describe(training.users, training.items, CONFIG.content, seed=0)
    return make_examples(CONFIG, training.matrix, known, Plan(1), seed=0)


def test_folds_part_the_training_items_and_never_take_a_whole_history(training):
    folds = fold_training_items(training.matrix, folds=3, seed=0)
    assert (sum(fold.targets for fold in folds) != training.matrix).nnz == 0
    for fold in folds:
        assert (fold.history + fold.targets != training.matrix).nnz == 0
        assert np.diff(fold.history.indptr).min() >= 1


def test_negatives_are_never_the_users_training_items(examples, training):
    folds = fold_training_items(training.matrix, CONFIG.ranker.folds, 0)[: CONFIG.ranker.target_folds]
    owner = np.concatenate([np.flatnonzero(np.diff(fold.targets.indptr)) for fold in folds])
    owned = training.matrix[owner].toarray() > 0
    assert examples.pool_item.shape == (len(owner), POOL)
    assert not owned[np.arange(len(owner))[:, None], examples.pool_item.numpy()].any()
    assert owned[examples.targets.user.numpy(), examples.targets.item.numpy()].all()
    shown = examples.history.toarray() > 0
    assert not shown[examples.targets.user.numpy(), examples.targets.item.numpy()].any()
    row = examples.user_row.numpy()
    assert (row == 0).any()
    assert (row[row > 0] == owner[row > 0] + 1).all()


def test_a_user_of_whom_all_that_was_retrieved_is_known_gets_negatives_from_all_items():
    allowed = torch.tensor([[True, True, False, True], [False, True, True, False]])
    retrieved = torch.tensor([[False] * 4, [False, False, True, False]])
    drawn = draw_pool(retrieved, allowed, 1.0, torch.Generator().manual_seed(0))
    assert set(drawn[0].tolist()) == {0, 1, 3} and set(drawn[1].tolist()) == {2}


def test_a_batch_has_one_positive_and_the_asked_negatives_per_target(examples):
    counts = examples.targets.counts()[:, 0].long()
    starts = torch.cat([torch.zeros(1, dtype=torch.long), counts.cumsum(0)])
    requests = torch.tensor([5, 0, 17])
    batch = make_batch(examples, starts, requests, 4, torch.Generator().manual_seed(0))
    targets = int(counts[requests].sum())
    assert batch.item.shape == batch.row_user.shape == batch.label.shape == (targets * 5,)
    assert float(batch.label.sum()) == targets
    for place, request in enumerate(requests.tolist()):
        own = batch.row_user == place
        positives = batch.item[own & (batch.label == 1)].tolist()
        assert positives == examples.targets.item[examples.targets.user == request].tolist()
        assert set(batch.item[own & (batch.label == 0)].tolist()) <= set(examples.pool_item[request].tolist())


def test_a_user_is_the_mean_description_of_what_it_is_about(training):
    known = describe(training.users, training.items, CONFIG.content, seed=0)
    whole = training.items.whole().ids
    assert len(known.descriptions) == len(whole) == ITEMS + OTHERS and known.item.shape[0] == ITEMS
    for user, about in enumerate(training.users.about):
        if about:
            assert known.user[user + 1].numpy() == pytest.approx(known.descriptions[whole.index(about[0])], abs=1e-6)
    assert not known.user[0].any()  # nobody known
    assert not known.user[1 + training.users.about.index(())].any()


def test_items_without_texts_and_terms_that_all_fall_out_are_told(training):
    with pytest.raises(ConfigError, match="this data has none"):
        describe(training.users, dataclasses.replace(training.items, text=None), CONFIG.content, seed=0)
    rare = dataclasses.replace(CONFIG.content, min_texts_per_term=ITEMS + OTHERS + 1)
    with pytest.raises(ConfigError, match=r"lower model\.content\.min_texts_per_term"):
        describe(training.users, training.items, rare, seed=0)
