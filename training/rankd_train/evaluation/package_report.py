"""metrics.json: the test items read once, for the served pipeline, the full rankings and every baseline."""

from datetime import UTC, datetime
from typing import Any

import numpy as np
import scipy.sparse as sp
import torch

from rankd_train.artefact import Artefact
from rankd_train.config import RunConfig
from rankd_train.dataset import Dataset
from rankd_train.evaluation import full_ranking as full
from rankd_train.evaluation.bootstrap import intervals
from rankd_train.evaluation.leave_one_out import Answers
from rankd_train.evaluation.lists import coverage, list_figures
from rankd_train.evaluation.metrics import PerUser, ranking_figures
from rankd_train.evaluation.served import CandidateSet, candidates_of, rank_candidates
from rankd_train.models.ease import ease_weights
from rankd_train.models.item_knn import cosine_weights
from rankd_train.progress import step

K = 10


def evaluate(config: RunConfig, data: Dataset, artefact: Artefact) -> dict[str, Any]:
    """Everything that metrics.json holds."""
    torch.set_num_threads(config.threads)
    with step("evaluating the baselines"):
        baselines = evaluate_baselines(config, data)
    with step("evaluating the full rankings"):
        full_rankings = evaluate_full_rankings(config, data, artefact)
    with step("evaluating the served pipeline"):
        everyone = torch.arange(1, len(data.split.users) + 1)
        served, answers, prediction = evaluate_served(config, data, artefact, everyone)
        new_user, _, _ = evaluate_served(config, data, artefact, torch.zeros_like(everyone))
    ranking = {
        key: value
        for key, value in served.items()
        if "@" in key and key.split("@")[0] in ("precision", "recall", "ndcg")
    }
    split = data.split
    rankings = answers.rankings(split.test, len(split.items))
    content = sp.csr_matrix(data.content[: len(split.items)])
    lists = {name: figure.value() for name, figure in list_figures(rankings, split.train, content).items()}
    return {
        "model_version": f"v{config.bundle.version}",
        "timestamp": datetime.now(UTC).strftime("%Y-%m-%dT%H:%M:%SZ"),
        "protocol": (
            "leave-two-out, seed 0: one test and one validation item per source; all figures on the test items, "
            "training items excluded from the answers, validation items not"
        ),
        "sources": len(data.split.users),
        "items": len(data.split.items),
        "metrics": {
            "ranking": {**ranking, "map": served["map@10"]},
            "prediction": prediction,
            "business": {"coverage": served["coverage@10"], **lists},
            "fairness": {"equal_opportunity": by_group(ranking_figures(rankings, (K,))["hr@10"], history_groups(data))},
        },
        "served": served,
        "served_history_only": new_user,
        "full_ranking": full_rankings,
        "baselines": baselines,
        "comparison_to_baseline": {
            f"{key}_improvement": f"{100 * (served[key] / baselines['item_knn'][key] - 1):+.1f}%"
            for key in ("hr@10", "ndcg@10", "precision@10")
        },
    }


def evaluate_baselines(config: RunConfig, data: Dataset) -> dict[str, dict[str, float]]:
    """Each fitted on the training items of the same split, ranking all items for all sources."""
    train = data.split.train
    scorers = {
        "random": full.by_chance(train.shape[1], config.seed),
        "popularity": full.by_popularity(data.split.popularity),
        "item_knn": full.by_item_item(cosine_weights(train)),
        "ease": full.by_item_item(ease_weights(train, config.item_item.l2)),
    }
    users = np.arange(train.shape[0])
    return {
        name: figures(config, full.rank_all(score, train, users, data.split.test, K), data.split.test, train.shape[1])
        for name, score in scorers.items()
    }


def evaluate_full_rankings(config: RunConfig, data: Dataset, artefact: Artefact) -> dict[str, Any]:
    """Stage one's sources over all sources; the ranker over a sample of them, as it scores every pair."""
    train, test = data.split.train, data.split.test
    items = train.shape[1]
    stage_one = artefact.stage_one(config)
    everyone = np.arange(train.shape[0])
    count = min(config.evaluation.full_ranking_sources, len(everyone))
    sample = np.sort(np.random.default_rng(config.seed).choice(everyone, size=count, replace=False))
    ranker = full.by_ranker(artefact.ranker, artefact.ranker_tables(), stage_one)
    asked = {
        "item_item": (full.by_item_item(stage_one.item_item), everyone, 512),
        "towers": (full.by_towers(stage_one), everyone, 512),
        "ranker": (ranker, sample, 8),
    }
    return {
        name: {
            **figures(config, full.rank_all(score, train, users, test[users], K, chunk), test[users], items),
            "sources": len(users),
        }
        for name, (score, users, chunk) in asked.items()
    }


def evaluate_served(
    config: RunConfig, data: Dataset, artefact: Artefact, user_row: torch.Tensor
) -> tuple[dict[str, Any], Answers, dict[str, float]]:
    """Candidates, filter, rank: for every source, with its training items as history.

    user_row: [U], the sources' own rows, or zeros to ask as a new user who sends the same history."""
    split = data.split
    candidates = candidates_of(artefact.stage_one(config), user_row, split.train, split.test)
    scores = rank_candidates(artefact.ranker, artefact.ranker_tables(), candidates)
    answers = Answers(candidates.target_ranks(scores).numpy(), candidates.best(scores, K))
    found = candidates.item == candidates.target[candidates.row_user]
    served = {
        **figures(config, answers, split.test, len(split.items)),
        "candidates_per_request": round(len(scores) / len(user_row), 1),
        "candidate_recall": float(found.sum() / len(user_row)),
    }
    return served, answers, prediction_metrics(candidates, scores, found)


def figures(config: RunConfig, answers: Answers, target: np.ndarray, items: int) -> dict[str, Any]:
    """target: [U] the held-out items. With one relevant item the reciprocal rank is the average precision."""
    per_user = ranking_figures(answers.rankings(target, items), (K // 2, K))
    values = {name: figure.value() for name, figure in per_user.items() if "@" in name}
    interval = intervals({"hr@10": per_user["hr@10"]}, config.evaluation.bootstrap_samples, config.seed)["hr@10"]
    return {
        **values,
        "mrr@10": values["map@10"],
        "coverage@10": coverage(answers.top, items),
        "hr@10_interval": interval,
    }


def by_group(hits: PerUser, groups: np.ndarray) -> dict[str, float]:
    """Hit rate by group of users, and the largest difference between two groups (equal opportunity)."""
    rates = {str(group): hits.value(groups == group) for group in np.unique(groups)}
    return {**rates, "difference": max(rates.values()) - min(rates.values())}


def prediction_metrics(candidates: CandidateSet, scores: torch.Tensor, found: torch.Tensor) -> dict[str, float]:
    """Error of the score as a probability, over all candidates of all sources (one in about 200 is the held-out item)."""
    error = scores - found.float()
    return {"rmse": float(error.square().mean().sqrt()), "mae": float(error.abs().mean())}


def history_groups(data: Dataset) -> np.ndarray:
    """[U] text: sources grouped by how many training items they have."""
    lengths = np.diff(data.split.train.indptr)
    return np.select([lengths <= 3, lengths <= 9], ["history 2-3", "history 4-9"], "history 10+")
