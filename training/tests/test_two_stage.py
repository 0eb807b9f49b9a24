"""From examples to served answers on the small world: leakage, agreement with the reference, reproducible weights."""

import dataclasses
import json
from pathlib import Path

import numpy as np
import pytest
import torch
from export_world import make_facts, need_tool
from two_stage_world import CONFIG, ITEMS, OTHERS, make_world, options, with_part

from rankd_train.config_loader import from_dict
from rankd_train.errors import ConfigError
from rankd_train.evaluation.config import EvaluationConfig
from rankd_train.evaluation.evaluate import EvaluationContext, evaluate
from rankd_train.export.bundle import export_bundle
from rankd_train.export.contents import make_contents
from rankd_train.export.reference import Reference
from rankd_train.models.recommender import UNKNOWN
from rankd_train.models.two_stage.candidates import candidates_of
from rankd_train.models.two_stage.config import CandidateConfig, TwoStageConfig
from rankd_train.models.two_stage.family import FAMILY
from rankd_train.models.two_stage.model import TwoStage
from rankd_train.models.two_stage.network import RankerInputs
from rankd_train.models.two_stage.serving import ranker_inputs, tower_inputs
from rankd_train.recipe_config import load_recipe

SHIPPED = Path(__file__).parents[1] / "configs" / "packages.yaml"


@pytest.fixture(scope="module")
def world():
    return make_world()


@pytest.fixture(scope="module")
def training(world):
    return world[1]


@pytest.fixture(scope="module")
def fitted(training, tmp_path_factory):
    torch.set_num_threads(1)
    return FAMILY.fit(CONFIG, training, options(tmp_path_factory.mktemp("fit")))


@pytest.fixture(scope="module")
def reference(fitted, training):
    return Reference(make_contents(fitted.model.serving(), training, 10))


# --- candidates ---


def test_a_source_retrieves_what_touches_the_history_and_nothing_else(fitted):
    """As the engine's neighbour source: negative sums are found, items without any weight are not."""
    stage_one = fitted.model.tables.stage_one(CandidateConfig(item_item=3, towers=1, popular=1))
    stage_one = dataclasses.replace(stage_one, popular=np.array([5], dtype=np.uint32))
    item_item = torch.tensor([[0.0, -0.2, 0.5, 0.0, -0.1, -0.3], [0.0, 0.0, 0.4, 0.0, 0.0, 0.0]])
    towers = torch.tensor([[1.0, 0.0, 0.0, 0.0, 0.0, 0.0]] * 2)
    found = stage_one.retrieved(torch.stack([item_item, towers], dim=2))
    assert [row.nonzero().flatten().tolist() for row in found] == [[0, 1, 2, 4, 5], [0, 2, 5]]


def test_candidates_hold_no_seen_item_and_targets_rank_as_in_a_sorted_list(world, fitted, training):
    split, model = world[0], fitted.model
    target = split.test.item
    stage_one = model.tables.stage_one(CONFIG.candidates)
    candidates = candidates_of(stage_one, torch.from_numpy(split.test.user + 1), training.matrix, target)
    seen = training.matrix.toarray() > 0
    user, item = candidates.row_user.numpy(), candidates.item.numpy()
    assert not seen[user, item].any()
    scores = model.scores(np.arange(len(target)), training.matrix)
    assert np.isfinite(scores[user, item]).all()
    ranks = candidates.target_ranks(torch.from_numpy(scores[user, item])).numpy()
    for u, wanted in enumerate(target):
        found = item[user == u]
        order = found[np.lexsort((found, -scores[u, found]))].tolist()
        assert ranks[u] == (order.index(wanted) if wanted in order else np.iinfo(np.int64).max)
    part = candidates.select(torch.arange(10, 20))
    assert part.target_ranks(torch.from_numpy(scores[user, item][(user >= 10) & (user < 20)])).tolist() == list(
        ranks[10:20]
    )


# --- the model ---


def test_what_is_not_retrieved_is_left_out_but_can_be_scored(fitted, training):
    users = np.array([3, UNKNOWN])
    history = training.matrix[[3, 3]]
    scores = fitted.model.scores(users, history)
    every = np.tile(np.arange(ITEMS), (2, 1))
    pairs = fitted.model.pair_scores(users, every, history)
    assert np.isneginf(scores).any() and np.isfinite(pairs).all()
    retrieved = np.isfinite(scores)
    assert scores[retrieved] == pytest.approx(pairs[retrieved], abs=1e-6)
    assert (pairs[0] != pairs[1]).any()  # the known user is told from the unknown one


def test_probabilities_of_pairs_come_in_the_order_asked_for(fitted, training):
    users, items = np.array([7, 2, 7, 50, 2]), np.array([1, 30, 4, 4, 0])
    every = np.tile(np.arange(ITEMS), (len(users), 1))
    whole = fitted.model.pair_scores(users, every, training.matrix[users])
    assert fitted.model.ratings(users, items) == pytest.approx(whole[np.arange(len(users)), items], abs=1e-6)
    opinions = TwoStage(fitted.model.tables, CONFIG.candidates, dataclasses.replace(training, explicit=True))
    assert opinions.ratings(users, items) is None


def test_the_model_learns_which_half_a_user_belongs_to(world, training, tmp_path):
    ranker = dataclasses.replace(CONFIG.ranker, max_epochs=15, learning_rate=5e-3, hard_negatives=0.25)
    longer = dataclasses.replace(with_part("tower", max_epochs=10), ranker=ranker)
    model = FAMILY.fit(longer, training, options(tmp_path)).model
    figures = evaluate(model, EvaluationContext(world[0], "test"), EvaluationConfig(ks=(10,)), seed=0).metrics
    assert figures["hr@10"] > 10 / 34  # what drawing at random from about 34 unseen items would reach
    assert figures["rmse"] < 0.5  # what saying 1/2 to everything would reach


def test_a_resumed_fit_is_the_uninterrupted_one(fitted, training, tmp_path):
    """Stage one of the folds is fitted again on the way, as it was."""
    FAMILY.fit(with_part("ranker", max_epochs=3), training, options(tmp_path))
    resumed = FAMILY.fit(CONFIG, training, dataclasses.replace(options(tmp_path), resume=True)).model.state()
    for name, values in fitted.model.state().items():
        assert torch.equal(values, resumed[name]), name


def test_the_same_seed_gives_the_same_weights(fitted, training, tmp_path):
    again = FAMILY.fit(CONFIG, training, options(tmp_path)).model.state()
    for name, values in fitted.model.state().items():
        assert torch.equal(values, again[name]), name


def test_a_fit_without_validation_repeats_the_epochs_that_were_chosen(fitted, tmp_path):
    assert set(fitted.choices) == {"towers", "ranker"}
    assert {"epoch", "train_loss", "val_ndcg@10", "towers_val_recall@100"} <= set(fitted.history[0])
    refit = make_world(refit=True)[1]
    choices = {"towers": {"epochs": 1, "levels": [1.0]}, "ranker": {"epochs": 2, "levels": [1.0, 0.5]}}
    again = FAMILY.fit(CONFIG, refit, options(tmp_path, choices))
    assert again.choices == choices
    assert [entry["level"] for entry in again.history] == [1.0, 0.5]
    assert "towers_train_loss" in again.history[0] and "towers_train_loss" not in again.history[1]
    with pytest.raises(ConfigError, match="epochs of its towers by validation"):
        FAMILY.fit(CONFIG, refit, options(tmp_path))


def test_a_model_survives_its_state_and_another_recipe_is_told(fitted, training):
    state = fitted.model.state()
    users = np.arange(5)
    loaded = FAMILY.restore(CONFIG, training, {name: value.clone() for name, value in state.items()})
    assert np.array_equal(
        loaded.scores(users, training.matrix[users]), fitted.model.scores(users, training.matrix[users])
    )
    with pytest.raises(RuntimeError, match="size mismatch"):
        FAMILY.restore(with_part("tower", hidden=8), training, state)
    fewer = dataclasses.replace(training, items=dataclasses.replace(training.items, described=None))
    with pytest.raises(ValueError, match="describes 52 items, and the data have 40"):
        FAMILY.restore(CONFIG, fewer, state)


# --- served ---


def test_the_graphs_take_what_they_are_told_to(fitted):
    graphs = fitted.model.serving().graphs
    assert list(ranker_inputs()) == list(RankerInputs._fields)
    assert list(tower_inputs()) == list(graphs["user_tower"].module.forward.__annotations__)[:-1]


def test_the_reference_answers_with_the_models_own_list(fitted, training, reference):
    """So that what evaluation measures is what is served: candidates, filter, ranker."""
    scores = fitted.model.scores(np.arange(12), training.matrix[:12])
    scores[training.matrix[:12].nonzero()] = -np.inf
    for user in range(12):
        answer = reference.answer("recommend", {"user": training.users.ids[user], "k": 8})
        best = np.argsort(-scores[user], kind="stable")[:8]
        assert answer.rows.tolist() == best.tolist()
        assert answer.scores == pytest.approx(scores[user, best], abs=1e-5)


def test_rank_answers_with_the_pair_scores(fitted, training, reference):
    body = {"user": training.users.ids[4], "candidates": list(training.items.ids), "order": "input"}
    expected = fitted.model.pair_scores(np.array([4]), np.arange(ITEMS)[None], training.matrix[[4]])[0]
    assert reference.answer("rank", body).scores == pytest.approx(expected, abs=1e-5)


def test_items_that_nobody_met_are_similar_and_never_recommended(reference, training):
    whole = training.items.whole().ids
    assert reference.contents.items == whole and whole[:ITEMS] == training.items.ids
    assert set(whole[ITEMS:]) == {f"other-{number:02}" for number in range(OTHERS)}
    assert not reference.contents.popularity[ITEMS:].any()
    found = reference.answer("similar", {"item": "other-04", "k": len(whole) - 1})
    assert len(found.rows) == len(whole) - 1 and found.rows.max() >= ITEMS
    even = reference.answer("similar", {"item": "other-04", "k": 30, "filters": {"category": "even"}})
    assert {reference.contents.items[row][-1] in "02468" for row in even.rows} == {True}
    assert reference.answer("recommend", {"user": training.users.ids[0], "k": len(whole)}).rows.max() < ITEMS


def test_the_engine_serves_the_whole_catalogue(fitted, world, training, tmp_path):
    tool = need_tool()
    split = world[0]
    facts = make_facts(family=FAMILY, model=fitted.model, training=training, heldout=split.test)
    folder = export_bundle(fitted.model.serving(), facts, tmp_path / "bundle")
    (answer,) = tool.answer(folder, "similar", [{"item": "other-11", "k": 5}])
    assert len(answer["items"]) == 5
    metrics = json.loads((folder / "metrics.json").read_text())
    assert metrics["serving_form"]["overlap@10"] == 1
    scores = fitted.model.scores(split.test.user, training.matrix)
    scores[training.matrix.nonzero()] = -np.inf
    best = np.argsort(-scores, axis=1, kind="stable")[:, :10]
    hits = (best == split.test.item[:, None]).any(axis=1)
    assert metrics["served"]["hr@10"] == pytest.approx(hits.mean(), abs=1e-6)


# --- the recipe ---


def test_the_shipped_recipe_is_valid():
    recipe = load_recipe(SHIPPED)
    assert isinstance(recipe.model, TwoStageConfig) and not recipe.split.refit
    assert (recipe.model.ranker.embedding_dim, recipe.model.ranker.fusion_units) == (50, (128, 64, 32))


@pytest.mark.parametrize(
    ("values", "message"),
    [
        ({"ranker": {"dropuot": 0.1}}, 'unknown key "model.ranker.dropuot"'),
        ({"ranker": {"fusion_units": 3}}, '"model.ranker.fusion_units" must be a list'),
        ({"ranker": {"folds": 3}}, '"model.ranker.folds" must be 2 or more'),
        ({"ranker": {"fusion_units": []}}, "must name one layer"),
        ({"ranker": {"hard_negatives": 2}}, "must be a share, got 2"),
        ({"tower": {"temperature": 0}}, '"model.tower.temperature" must be above 0'),
        ({"tower": {"min_history_share": 0.95}}, "the smaller one first"),
        ({"content": {"dim": 0}}, '"model.content.dim" must be above 0'),
        ({"item_item": {"l2": -1}}, '"model.item_item.l2" must be above 0'),
        ({"candidates": {"tower_index": "tree"}}, '"model.candidates.tower_index" must be one of'),
    ],
)
def test_a_wrong_recipe_names_the_key(values, message):
    with pytest.raises(ConfigError) as caught:
        from_dict(FAMILY.config, values, "model.")
    assert message in str(caught.value)
