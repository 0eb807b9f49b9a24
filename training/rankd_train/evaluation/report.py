"""metrics.json: the keys of seed 001, and beside them what is needed to believe them."""

from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any

import numpy as np

from rankd_train.evaluation.baselines import strongest
from rankd_train.evaluation.bootstrap import differences, intervals
from rankd_train.evaluation.config import ERRORS, EvaluationConfig
from rankd_train.evaluation.evaluate import Evaluation

BUSINESS = ("coverage", "diversity", "novelty", "self_information", "serendipity")
COMPARED = ("ndcg@10", "precision@10")  # the seed's own
HEADLINE = ("ndcg@10", "recall@10", "hr@10", "rmse")  # of each segment, beside what chose

PROTOCOLS = {
    "full": "every item that the user had not met before is ranked",
    "sampled": "the right item is ranked among a few drawn ones, to match a paper; lists and fairness are of all items",
    "ratings": "values are predicted, nothing is ranked",
}

DEFINITIONS = {
    "novelty": "mean popularity rank of the recommended items, 0 = least popular, 1 = most popular: lower is more novel",
    "self_information": "mean of -log2(share of users who met the recommended item), bits: higher is more novel",
    "serendipity": "share of places with a relevant item that the popular list does not have (Ge et al. 2010)",
    "coverage": "share of the catalogue in the first ten places of at least one list",
}


def metrics_json(
    version: str,
    evaluation: Evaluation,
    baselines: Mapping[str, Evaluation],
    config: EvaluationConfig,
    seed: int,
    test_reads: int | None = None,
    now: datetime | None = None,
) -> dict[str, Any]:
    """version: of the bundle, "1.2.0"; test_reads: how many weights met the test part, see `test_guard`.

    A figure that does not apply is absent, never made up."""
    metrics, samples = evaluation.metrics, config.bootstrap_samples
    reference = strongest(dict(baselines), config.choose_by)
    return {
        "model_version": f"v{version}",
        "timestamp": (now or datetime.now(UTC)).strftime("%Y-%m-%dT%H:%M:%SZ"),
        "metrics": {
            "ranking": {name: value for name, value in metrics.items() if name not in ERRORS + BUSINESS},
            "prediction": {name: metrics[name] for name in ERRORS if name in metrics},
            "business": {name: metrics[name] for name in BUSINESS if name in metrics},
            "fairness": evaluation.fairness,
        },
        "comparison_to_baseline": improvements(metrics, baselines[reference].metrics, config) if reference else {},
        "baseline": reference,
        "gains": differences(evaluation.figures, baselines[reference].figures, samples, seed) if reference else {},
        "baselines": {name: baseline.metrics for name, baseline in baselines.items()},
        "full_ranking": evaluation.full_ranking,
        "part": evaluation.part,
        "protocol": f"{evaluation.protocol}: {PROTOCOLS[evaluation.protocol]}",
        "choose_by": config.choose_by,
        "users": evaluation.asked,
        "users_with_nothing_relevant": len(evaluation.users) - evaluation.asked,
        "items": evaluation.items,
        "intervals": intervals(evaluation.figures, samples, seed),
        "segments": segments(evaluation, config, seed),
        "definitions": {name: text for name, text in DEFINITIONS.items() if name in metrics} | evaluation.notes,
        "test_reads": test_reads,
        "seed": seed,
    }


def improvements(ours: Mapping[str, float], theirs: Mapping[str, float], config: EvaluationConfig) -> dict[str, str]:
    """In percent of the baseline, "+" is better, of errors too."""
    result = {}
    for name in dict.fromkeys((*COMPARED, config.choose_by)):
        if name in ours and theirs.get(name, 0) > 0:
            share = ours[name] / theirs[name] - 1
            result[f"{name}_improvement"] = f"{100 * (-share if name in ERRORS else share):+.1f}%"
    return result


def segments(evaluation: Evaluation, config: EvaluationConfig, seed: int) -> dict[str, dict[str, Any]]:
    """By attribute and group: how many users the figures are of, the figures, and their 95 % intervals."""
    names = [name for name in dict.fromkeys((config.choose_by, *HEADLINE)) if name in evaluation.figures]
    figures = {name: evaluation.figures[name] for name in names}
    if not figures:
        return {}
    applies = np.any([figure.weight > 0 for figure in figures.values()], axis=0)
    result: dict[str, dict[str, Any]] = {}
    for attribute, group in evaluation.groups.items():
        result[attribute] = {}
        for name in np.unique(group[(group != "") & applies]):
            users = (group == name) & applies
            values = {metric: figure.value(users) for metric, figure in figures.items()}
            result[attribute][str(name)] = {
                "users": int(users.sum()),
                "metrics": {metric: value for metric, value in values.items() if np.isfinite(value)},
                "intervals": intervals(figures, config.bootstrap_samples, seed, users),
            }
    return result
