"""metrics.json in words: the results of a CARD.md, and the table that a terminal shows."""

from collections.abc import Mapping
from typing import Any

from rankd_train.evaluation.fairness import LEAST_USERS

SHOWN = ("hr@10", "recall@10", "recall@20", "ndcg@10", "ndcg@20", "map", "mrr", "auc", "rmse", "mae")
# In words, and the rate that is compared.
FAIRNESS = {
    "demographic_parity": ("demographic parity, largest difference", "selection_rate"),
    "equal_opportunity": ("equal opportunity, largest difference", "true_positive_rate"),
    "disparate_impact": ("disparate impact, smallest ratio", "selection_rate"),
}


def results_markdown(metrics: Mapping[str, Any]) -> str:
    """metrics: of `metrics_json`. Tables and sentences without headings above the third level."""
    parts = [
        protocol_text(metrics),
        comparison_table(metrics),
        gain_text(metrics),
        folds_text(metrics),
        lists_text(metrics),
        segments_table(metrics),
        fairness_table(metrics),
        limits_text(metrics),
    ]
    return "\n\n".join(part for part in parts if part) + "\n"


def flat_metrics(metrics: Mapping[str, Any]) -> dict[str, float]:
    groups = metrics["metrics"]
    return {**groups["ranking"], **groups["prediction"], **groups["business"]}


def shown_metrics(metrics: Mapping[str, Any]) -> list[str]:
    known = flat_metrics(metrics)
    return [name for name in dict.fromkeys((metrics["choose_by"], *SHOWN)) if name in known]


def protocol_text(metrics: Mapping[str, Any]) -> str:
    text = (
        f"{metrics['users']:,} users of the {metrics['part']} part, {metrics['items']:,} items; {metrics['protocol']}."
    )
    if metrics["users_with_nothing_relevant"]:
        text += (
            f" {metrics['users_with_nothing_relevant']:,} more users had nothing relevant to find and were not asked."
        )
    reads = metrics["test_reads"]
    if metrics["part"] == "test" and reads is not None:
        text += (
            " Choices were made on validation; the test part was read once."
            if reads == 1
            else (
                f" The test part was read with {reads} different weights: these figures helped to choose and flatter the model."
            )
        )
    return text


def comparison_table(metrics: Mapping[str, Any]) -> str:
    names = shown_metrics(metrics)
    own = flat_metrics(metrics)
    rows = [["metric", "this model", "95 % interval", *metrics["baselines"]]]
    for name in names:
        others = [figure(baseline, name) for baseline in metrics["baselines"].values()]
        rows.append([name, f"**{own[name]:.4f}**", span(metrics["intervals"].get(name)), *others])
    return markdown_table(rows)


def gain_text(metrics: Mapping[str, Any]) -> str:
    gain = metrics["gains"].get(metrics["choose_by"])
    if gain is None:
        return ""
    low, high = gain["interval"]
    verdict = "" if gain["significant"] else ": it may be chance"
    improvement = metrics["comparison_to_baseline"].get(f"{metrics['choose_by']}_improvement")
    share = f" ({improvement})" if improvement else ""
    return (
        f"Against {metrics['baseline']}, the strongest baseline, {metrics['choose_by']} differs by "
        f"{gain['difference']:+.4f}{share}; on resampled users by {low:+.4f} to {high:+.4f}{verdict}."
    )


def folds_text(metrics: Mapping[str, Any]) -> str:
    """Where the run was repeated on folds, as papers on ratings do."""
    if "folds" not in metrics:
        return ""
    folds = metrics["folds"]
    means = ", ".join(f"{name} {folds['mean'][name]:.4f}" for name in shown_metrics(metrics) if name in folds["mean"])
    return f"Fitted anew on each of {folds['count']} random folds, mean of their test parts: {means}."


def lists_text(metrics: Mapping[str, Any]) -> str:
    business = metrics["metrics"]["business"]
    if "diversity" not in business:
        return ""
    meaning = {
        **metrics["definitions"],
        "diversity": f"mean dissimilarity within a list, by {metrics['definitions']['diversity']}",
    }
    return markdown_table(
        [
            ["lists of ten", "", "what it is"],
            *([name, f"{value:.4f}", meaning[name]] for name, value in business.items()),
        ]
    )


def segments_table(metrics: Mapping[str, Any]) -> str:
    metric = metrics["choose_by"]
    rows = [
        [attribute, name, f"{part['users']:,}", figure(part["metrics"], metric), span(part["intervals"].get(metric))]
        for attribute, groups in metrics["segments"].items()
        for name, part in groups.items()
    ]
    return markdown_table([["users by", "group", "users", metric, "95 % interval"], *rows]) if rows else ""


def fairness_table(metrics: Mapping[str, Any]) -> str:
    fairness = metrics["metrics"]["fairness"]
    rows = [
        [
            label,
            f"{fairness[name]:.4f}",
            bound(name, fairness["limits"][name]),
            "within" if fairness["within_limits"][name] else "**outside**",
            extremes(fairness, name, rate),
        ]
        for name, (label, rate) in FAIRNESS.items()
        if name in fairness
    ]
    if not rows:
        return ""
    attributes = ", ".join(fairness["by_attribute"])
    return (
        f"Between groups of users by {attributes} (the worst counts; selected means: {fairness['selection']}):\n\n"
        + markdown_table([["fairness", "", "limit", "", "between"], *rows])
    )


def extremes(fairness: Mapping[str, Any], name: str, rate: str) -> str:
    """The attribute that the worst figure is of, and its groups with the lowest and the highest rate."""
    attribute, part = next(
        (attribute, part) for attribute, part in fairness["by_attribute"].items() if part.get(name) == fairness[name]
    )
    rates = {group: figures[rate] for group, figures in part["groups"].items()}
    low, high = min(rates, key=rates.__getitem__), max(rates, key=rates.__getitem__)
    return f"{attribute}: {low} {rates[low]:.4f}, {high} {rates[high]:.4f}"


def limits_text(metrics: Mapping[str, Any]) -> str:
    """What the figures do not say."""
    limits = []
    if metrics["protocol"].startswith("sampled"):
        name, figures = metrics["choose_by"], metrics["full_ranking"]
        limits.append(
            f"Ranking among drawn items flatters every model: among all items {name} is {figure(figures, name)}."
        )
    by_attribute = metrics["metrics"]["fairness"].get("by_attribute", {})
    small = [
        f"{attribute} {name} ({count})"
        for attribute, part in by_attribute.items()
        for name, count in part["too_small"].items()
    ]
    if small:
        limits.append(f"Too few users to compare (fewer than {LEAST_USERS}): {', '.join(small)}.")
    if metrics["gains"] and not any(gain["significant"] for gain in metrics["gains"].values()):
        limits.append("No figure differs from the strongest baseline's by more than chance.")
    limits.append("What a user would have liked but never met counts as wrong.")
    return "\n".join(f"- {limit}" for limit in limits)


def terminal_table(metrics: Mapping[str, Any]) -> str:
    """Columns in step: the metrics, their intervals, and the baselines'."""
    own = flat_metrics(metrics)
    rows = [["metric", metrics["part"], "95 % interval", *metrics["baselines"]]]
    for name in shown_metrics(metrics):
        others = [figure(baseline, name) for baseline in metrics["baselines"].values()]
        rows.append([name, f"{own[name]:.4f}", span(metrics["intervals"].get(name)), *others])
    widths = [max(map(len, column)) for column in zip(*rows)]
    return "\n".join("  ".join(cell.ljust(width) for cell, width in zip(row, widths)).rstrip() for row in rows)


def figure(figures: Mapping[str, float], name: str) -> str:
    return f"{figures[name]:.4f}" if name in figures else "–"


def span(interval: list[float] | None) -> str:
    return "" if interval is None else f"{interval[0]:.4f}-{interval[1]:.4f}"


def bound(name: str, limit: float) -> str:
    return f"≥ {limit:g}" if name == "disparate_impact" else f"≤ {limit:g}"


def markdown_table(rows: list[list[str]]) -> str:
    head, *body = rows
    return "\n".join(["| " + " | ".join(row) + " |" for row in (head, ["---"] * len(head), *body)])
