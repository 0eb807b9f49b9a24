"""CARD.md: what the bundle is, in figures of the run that made it."""

from typing import Any

CARD = """\
# {name} {version}

{description}. A source package is the user, its build dependencies are the history.

| operation | answers |
|---|---|
| `recommend`, `rank` | what else a project builds with: {items:,} packages that enough sources use |
| `similar` | packages that read alike, by description: all {catalogue:,} |

## How good it is

One test and one validation item per source held out at random (seed 0); all {sources:,} sources, ranking all items except
those of their training history. Every choice was made on the validation items; the figures are of the test items.

| | HR@10 | 95 % interval | NDCG@10 | MRR@10 | coverage@10 |
|---|---|---|---|---|---|
{rows}

**Served** is what the running server answers: about {candidates:.0f} candidates of three sources (which hold the held-out item in
{recall:.1%} of the requests), the seen ones filtered, the rest ranked. The full rankings score every item instead. The
ranker's full ranking asks {sampled:,} sources, all others ask every source.

The server reproduces the served figure: `heldout.msgpack` lists every source with its held-out item, the request is
`recommend {{"user": source, "k": 10}}`.

HR@10 by length of history: {groups}.

HNSW recall@{recall_k} against the exact index: {hnsw:.4f}.

## Data

The index files of the Debian archive, suite bookworm 12.15 (Release of 2026-07-11), main, amd64: package metadata that the
Debian project publishes; free to use and redistribute, no personal data (`Maintainer` is never read). {pairs:,} training pairs after
dropping {dropped}, items with fewer than {min_sources} sources and sources with fewer than {min_items} items. Of
alternatives `a | b` the first counts. Files by SHA-256:

{files}

## Models

- `item_item`: EASE (l2 = {l2:g}), cut to {neighbours} neighbours an item.
- `towers`: user tower over a learned user vector, what the source's own packages describe and the mean of its history;
  unit vectors of {tower_dim} numbers, sampled softmax with logQ correction, {tower_epochs} epochs.
- `ranker`: hybrid NCF + content (embedding {embedding}, content {content}, fusion {fusion}), {negatives} negatives per
  positive, binary cross entropy, {ranker_epochs} epochs. It reads the scores of both sources, fitted without its targets.
- Row 0 of every user table is the unknown user, trained by masking.

Weights are under the project's licence, Apache-2.0.

## Limits

- Splits are random: the archive has no times, so the figures do not say how the model ages.
- Co-occurrence is not cause: an answer is what similar packages build with, not what yours needs.
- Names follow bookworm; packages renamed or removed later are not known.
- Items that few sources use are ranked by description more than by use; packages outside the {items:,} score near the bottom in `rank`.
- The ranker learned mostly from what the sources retrieve: asked for every item, it is weaker than on candidates.
- The score is a probability among drawn negatives, not the rate at which a recommendation is taken.
"""

LABELS = {
    "random": "random",
    "popularity": "popularity",
    "item_knn": "cosine item-kNN",
    "ease": "EASE, all weights",
    "item_item": "full ranking: item_item",
    "towers": "full ranking: towers",
    "ranker": "full ranking: ranker",
    "served": "**served pipeline**",
    "served_history_only": "served, as a new user with the same history",
}


def make_card(facts: dict[str, Any], metrics: dict[str, Any]) -> str:
    """facts: everything that is not a metric, see bundle.py."""
    table = {
        **metrics["baselines"],
        **metrics["full_ranking"],
        **{key: metrics[key] for key in ("served", "served_history_only")},
    }
    groups = metrics["metrics"]["fairness"]["equal_opportunity"]
    return CARD.format(
        rows="\n".join(table_row(LABELS[name], figures) for name, figures in table.items()),
        sources=metrics["sources"],
        items=metrics["items"],
        candidates=metrics["served"]["candidates_per_request"],
        recall=metrics["served"]["candidate_recall"],
        sampled=metrics["full_ranking"]["ranker"]["sources"],
        groups=", ".join(
            f"{name.removeprefix('history ')} items {rate:.3f}" for name, rate in groups.items() if name != "difference"
        ),
        **facts,
    )


def table_row(label: str, figures: dict[str, Any]) -> str:
    low, high = figures["hr@10_interval"]
    return (
        f"| {label} | {figures['hr@10']:.4f} | {low:.4f}-{high:.4f} | {figures['ndcg@10']:.4f} "
        f"| {figures['mrr@10']:.4f} | {figures['coverage@10']:.3f} |"
    )
