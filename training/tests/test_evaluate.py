"""One evaluation, from a split to figures."""

from dataclasses import replace

import numpy as np
import pytest
from evaluation_world import FixedScores, events_of

from rankd_train.data.interactions import Items, Users
from rankd_train.data.split import Split
from rankd_train.errors import ConfigError, DataError
from rankd_train.evaluation.config import EvaluationConfig
from rankd_train.evaluation.evaluate import EvaluationContext, evaluate

USERS, ITEMS = 90, 50


@pytest.fixture(scope="module")
def world():
    """Split, and what each cell is: 0 nothing, 1 train, 2 validation, 3 test."""
    rng = np.random.default_rng(0)
    state = rng.choice(4, p=[0.6, 0.2, 0.1, 0.1], size=(USERS, ITEMS))
    users = Users(tuple(range(USERS)), {"sex": np.where(np.arange(USERS) % 2 == 0, "f", "m")})
    items = Items(tuple(range(ITEMS)), categories=tuple((str(item % 4),) for item in range(ITEMS)))
    values = rng.integers(1, 6, size=state.shape)
    parts = [events_of(state == part, values) for part in (1, 2, 3)]
    return Split(users, items, *parts, explicit=True), state, values


@pytest.fixture(scope="module")
def scores():
    return np.random.default_rng(1).random((USERS, ITEMS)).astype(np.float32)


def implicit(split: Split) -> Split:
    return replace(split, explicit=False)


def test_the_history_of_a_part_is_never_recommended(world, scores):
    split, state, _ = world
    for part, met, right in (("validation", [1], 2), ("test", [1, 2], 3)):
        got = evaluate(FixedScores(scores), EvaluationContext(implicit(split), part), EvaluationConfig(), 0)
        for user, items in zip(got.rankings.users, got.rankings.top):
            assert not np.isin(state[user, items[items >= 0]], met).any()
        assert len(got.rankings.items) == (state == right).sum()


def test_a_model_that_knows_the_test_items_is_perfect(world):
    split, state, _ = world
    got = evaluate(
        FixedScores((state == 3).astype(np.float32)), EvaluationContext(implicit(split), "test"), EvaluationConfig(), 0
    )
    assert all(got.metrics[name] == 1 for name in ("ndcg@5", "ndcg@10", "map", "mrr", "auc", "hr@5"))


def test_opinions_are_predicted_for_every_user_and_ranked_for_those_who_liked_something(world, scores):
    split, state, values = world
    config = EvaluationConfig(relevant_from=5, groups=("sex",))
    got = evaluate(FixedScores(scores, values + 0.5), EvaluationContext(split, "test"), config, 0)
    assert got.metrics["rmse"] == pytest.approx(0.5) and got.metrics["mae"] == pytest.approx(0.5)
    assert got.asked == ((state == 3) & (values == 5)).any(axis=1).sum() < len(got.users)
    assert got.figures["ndcg@10"].weight.sum() == got.asked
    assert "ndcg_graded@10" in got.metrics
    assert set(got.fairness["by_attribute"]) == {"sex"}


def test_probabilities_have_an_error_and_other_scores_have_none(world, scores):
    split, _, _ = world
    context, config = EvaluationContext(implicit(split), "test"), EvaluationConfig()
    half = evaluate(FixedScores(scores, np.full(scores.shape, 0.5)), context, config, 0)
    assert half.metrics["rmse"] == half.metrics["mae"] == 0.5
    assert "rmse" not in evaluate(FixedScores(scores, scores * 7), context, config, 0).metrics
    assert "rmse" not in evaluate(FixedScores(scores), context, config, 0).metrics


def test_drawn_negatives_are_neither_right_nor_met(world, scores):
    split, state, _ = world
    known = np.where(state == 3, 1.0, np.where(state == 0, 0.0, 0.5))  # an error only where a negative is none
    got = evaluate(FixedScores(scores, known), EvaluationContext(implicit(split), "test"), EvaluationConfig(), 0)
    assert got.metrics["rmse"] == 0


def test_a_user_who_leaves_nothing_to_draw_is_no_obstacle():
    present = np.ones((2, 3), dtype=bool)
    train, test = np.array([[1, 1, 0], [1, 0, 0]], dtype=bool), np.array([[0, 0, 1], [0, 1, 0]], dtype=bool)
    nothing = events_of(~present)
    split = Split(Users((0, 1)), Items((0, 1, 2)), events_of(train), nothing, events_of(test), explicit=False)
    model = FixedScores(np.ones((2, 3), dtype=np.float32), np.full((2, 3), 0.5))
    got = evaluate(model, EvaluationContext(split, "test"), EvaluationConfig(), 0)
    assert got.metrics["rmse"] == 0.5 and got.metrics["hr@5"] == 1


def test_ratings_alone_rank_nothing(world, scores):
    split, _, values = world
    got = evaluate(
        FixedScores(scores, values),
        EvaluationContext(split, "test"),
        EvaluationConfig(protocol="ratings", choose_by="rmse"),
        0,
    )
    assert set(got.metrics) == {"rmse", "mae"} and got.rankings is None
    with pytest.raises(ConfigError, match='no "ndcg@10" under the protocol "ratings"'):
        got.chosen(EvaluationConfig())


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"ks": ()}, "evaluation.ks"),
        ({"ks": (0, 10)}, "evaluation.ks"),
        ({"ks": (20,)}, r'choose_by" must be .* with ks \[20\]: precision@20, .* got ndcg@10'),
        ({"choose_by": "ndgc@10"}, "got ndgc@10"),
        ({"protocol": "ratings"}, "rmse, mae; got ndcg@10"),
        ({"bootstrap_samples": 0}, "bootstrap_samples"),
        ({"users": -1}, "evaluation.users"),
    ],
)
def test_a_recipe_that_cannot_be_evaluated_is_refused_while_it_is_read(settings, message):
    with pytest.raises(ConfigError, match=message):
        EvaluationConfig(**settings)


def test_a_sample_of_users_is_the_same_for_every_model(world, scores):
    split, _, _ = world
    config = EvaluationConfig(users=20)
    one, two = (
        evaluate(FixedScores(table), EvaluationContext(implicit(split), "test"), config, 5)
        for table in (scores, -scores)
    )
    assert len(one.users) == 20 and one.users.tolist() == two.users.tolist()


def test_the_sampled_protocol_needs_drawn_items(world, scores):
    split, _, _ = world
    config = EvaluationConfig(protocol="sampled")
    with pytest.raises(ConfigError, match="the test part of this split has none"):
        evaluate(FixedScores(scores), EvaluationContext(implicit(split), "test"), config, 0)


def test_sampled_figures_are_of_the_drawn_items_and_lists_of_the_whole_catalogue(world, scores):
    split, _, _ = world
    drawn = replace(implicit(split), negatives=np.random.default_rng(0).integers(ITEMS, size=(USERS, 1)))
    context = EvaluationContext(drawn, "test")
    full = evaluate(FixedScores(scores), context, EvaluationConfig(), 0)
    sampled = evaluate(FixedScores(scores), context, EvaluationConfig(protocol="sampled"), 0)
    assert sampled.metrics["hr@5"] == 1 > full.metrics["hr@5"]
    assert sampled.full_ranking["hr@5"] == full.metrics["hr@5"] and full.full_ranking == {}
    assert all(sampled.metrics[name] == full.metrics[name] for name in ("coverage", "diversity", "novelty"))
    assert sampled.fairness == full.fairness


def test_an_empty_part_is_told(world, scores):
    split, _, _ = world
    empty = replace(split, validation=events_of(np.zeros((USERS, ITEMS), dtype=bool)))
    with pytest.raises(DataError, match="the validation part has no events"):
        evaluate(FixedScores(scores), EvaluationContext(empty, "validation"), EvaluationConfig(), 0)
