"""metrics.json as seed 001 has it, from a real comparison with real baselines, and its words."""

import json
from dataclasses import replace
from datetime import UTC, datetime

import numpy as np
import pytest
from evaluation_world import FixedScores, small_split, training_of

from rankd_train.evaluation.baselines import evaluate_baselines, strongest
from rankd_train.evaluation.config import EvaluationConfig
from rankd_train.evaluation.evaluate import EvaluationContext, evaluate
from rankd_train.evaluation.report import metrics_json
from rankd_train.evaluation.summary import results_markdown, terminal_table
from rankd_train.models.recommender import FitOptions

CONFIG = EvaluationConfig(groups=("sex",), bootstrap_samples=100)


@pytest.fixture(scope="module")
def split():
    return small_split()


@pytest.fixture(scope="module")
def evaluations(split, tmp_path_factory):
    context = EvaluationContext(split, "test")
    model = FixedScores(
        np.random.default_rng(0).random(split.shape) + split.matrix(split.test).toarray() * 0.5,
        np.full(split.shape, 0.2),
    )
    options = FitOptions(seed=0, threads=1, folder=tmp_path_factory.mktemp("run"))
    baselines = evaluate_baselines(training_of(split), context, CONFIG, options, family="random")
    return evaluate(model, context, CONFIG, 0), baselines


@pytest.fixture(scope="module")
def metrics(evaluations):
    evaluation, baselines = evaluations
    now = datetime(2026, 1, 2, 3, 4, 5, tzinfo=UTC)
    return metrics_json("2.3.1", evaluation, baselines, CONFIG, seed=0, test_reads=1, now=now)


def test_the_keys_are_those_of_seed_001(metrics):
    assert (metrics["model_version"], metrics["timestamp"]) == ("v2.3.1", "2026-01-02T03:04:05Z")
    expected = {
        "ranking": ["precision@5", "precision@10", "recall@5", "recall@10", "ndcg@5", "ndcg@10", "map"],
        "prediction": ["rmse", "mae"],
        "business": ["coverage", "diversity", "novelty", "serendipity"],
        "fairness": ["demographic_parity", "equal_opportunity"],
    }
    for part, names in expected.items():
        assert all(isinstance(metrics["metrics"][part][name], float) for name in names), part
    assert set(metrics["comparison_to_baseline"]) == {"ndcg@10_improvement", "precision@10_improvement"}


def test_it_is_valid_json_without_numbers_that_json_does_not_have(metrics):
    assert json.loads(json.dumps(metrics, allow_nan=False)) == metrics


def test_the_strongest_baseline_is_the_one_compared_with(metrics, evaluations):
    evaluation, baselines = evaluations
    assert set(baselines) == {"popularity", "item-knn"}  # random is the model's own family here
    best = max(baselines, key=lambda name: baselines[name].metrics["ndcg@10"])
    assert metrics["baseline"] == best
    share = evaluation.metrics["ndcg@10"] / baselines[best].metrics["ndcg@10"] - 1
    assert metrics["comparison_to_baseline"]["ndcg@10_improvement"] == f"{100 * share:+.1f}%"
    gain = metrics["gains"]["ndcg@10"]
    assert gain["interval"][0] <= gain["difference"] <= gain["interval"][1]


def test_intervals_hold_the_figures_and_segments_add_up(metrics):
    for name, (low, high) in metrics["intervals"].items():
        value = next(part[name] for part in metrics["metrics"].values() if name in part)
        assert low <= value <= high, name
    whole = metrics["metrics"]["ranking"]["hr@10"]
    for groups in metrics["segments"].values():
        users = sum(part["users"] for part in groups.values())
        assert sum(part["users"] * part["metrics"]["hr@10"] for part in groups.values()) == pytest.approx(users * whole)


def test_segments_count_the_users_that_their_figures_are_of():
    split = small_split()
    values = np.where(np.arange(split.shape[0]) < 40, 5.0, 1.0)
    rated = replace(split.test, value=values[split.test.user].astype(np.float32))
    config = EvaluationConfig(relevant_from=4, bootstrap_samples=20)
    context = EvaluationContext(replace(split, test=rated, explicit=True), "test")
    evaluation = evaluate(FixedScores(np.ones(split.shape)), context, config, 0)
    activity = metrics_json("1.0.0", evaluation, {}, config, seed=0)["segments"]["activity"]
    assert sum(part["users"] for part in activity.values()) == evaluation.asked < 40


def test_a_lower_error_is_an_improvement():
    split = replace(small_split(), explicit=True)
    context, config = EvaluationContext(split, "test"), EvaluationConfig(protocol="ratings", choose_by="rmse")
    near, far = (
        evaluate(FixedScores(None, np.full(split.shape, 1 + error)), context, config, 0) for error in (0.1, 0.2)
    )
    assert strongest({"far": far, "near": near}, "rmse") == "near"
    metrics = metrics_json("1.0.0", near, {"far": far}, config, seed=0)
    assert metrics["comparison_to_baseline"] == {"rmse_improvement": "+50.0%"}
    assert metrics["metrics"]["ranking"] == {}


def test_a_baseline_without_the_chosen_metric_is_shown_and_not_compared_with(split, evaluations):
    evaluation, baselines = evaluations
    config = replace(CONFIG, choose_by="rmse")
    metrics = metrics_json("1.0.0", evaluation, baselines, config, seed=0)
    assert metrics["baseline"] is None and metrics["comparison_to_baseline"] == {} and metrics["gains"] == {}
    assert "rmse" in results_markdown(metrics)


def test_the_card_tells_figures_baselines_groups_fairness_and_limits(metrics):
    text = results_markdown(metrics)
    own = metrics["metrics"]["ranking"]["ndcg@10"]
    assert f"| ndcg@10 | **{own:.4f}** |" in text and "| popularity |" in text.replace("| item-knn |", "|")
    for part in (
        "read once",
        "strongest baseline",
        "| activity | new |",
        "| sex | f |",
        "demographic parity",
        "- What a user",
    ):
        assert part in text, part
    again = results_markdown({**metrics, "test_reads": 3})
    assert "read with 3 different weights" in again
    widths = {len(line.split("|")) for line in text.split("\n\n")[1].splitlines()}
    assert len(widths) == 1


def test_the_card_names_the_groups_that_differ_most_and_the_mean_of_folds(metrics):
    rates = {
        name: group["true_positive_rate"]
        for name, group in metrics["metrics"]["fairness"]["by_attribute"]["sex"]["groups"].items()
    }
    low, high = sorted(rates, key=lambda name: rates[name])
    text = results_markdown({**metrics, "folds": {"count": 5, "mean": {"ndcg@10": 0.25, "odd": 1.0}}})
    assert f"| sex: {low} {rates[low]:.4f}, {high} {rates[high]:.4f} |" in text
    assert "each of 5 random folds, mean of their test parts: ndcg@10 0.2500." in text


def test_the_terminal_table_stands_in_columns(metrics):
    lines = terminal_table(metrics).splitlines()
    start = lines[0].index("popularity")
    assert all(line[start - 2 : start] == "  " and line[start] != " " for line in lines)


def test_groups_too_small_are_named_in_the_card(split, evaluations):
    few = replace(split, users=replace(split.users, attributes={"sex": np.where(np.arange(120) == 9, "x", "m")}))
    evaluation = evaluate(FixedScores(np.ones(split.shape)), EvaluationContext(few, "test"), CONFIG, 0)
    text = results_markdown(metrics_json("1.0.0", evaluation, {}, CONFIG, seed=0))
    assert "Too few users to compare (fewer than 30): sex x (1)." in text
    assert "strongest" not in text


def test_validation_figures_say_nothing_of_test_reads(split):
    evaluation = evaluate(FixedScores(np.ones(split.shape)), EvaluationContext(split, "validation"), CONFIG, 0)
    text = results_markdown(metrics_json("1.0.0", evaluation, {}, CONFIG, seed=0))
    assert "validation part" in text and "test part" not in text
