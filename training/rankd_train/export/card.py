"""CARD.md: what the bundle is, in figures of the run that made it."""

from pathlib import Path
from typing import Any

from rankd_train.export.contents import Contents
from rankd_train.export.facts import ExportFacts

CARD = """\
# {name} {version}

{description}

{title} ({paper}), trained with seed {seed}.

| operation | answers |
|---|---|
{operations}

## How good it is
{results}{served}
The bundle is not quite the model: tables are narrower than what was learned, and `recommend` sees candidates instead of every
item. Over {asked:,} users {overlap:.1%} of the model's own ten best items are in the answer.
{plots}
## Data

{users:,} users, {items:,} items, {events:,} training events, which the bundle carries as histories. {data}

## Limits

- Row 0 of the user tables stands for whoever training did not meet; such a user's history comes with the request.
- Items that training never met have no interactions to speak for them; {untrained:,} of the items are such.
- Scores compare within one answer. They are no probabilities unless the model says so, and no two users' scores compare.
- An answer shorter than asked for is filled with popular items, and says so in `degraded`.
"""

ANSWERS = {
    "recommend": "items for a user or a history, the seen ones left out",
    "rank": "the scores of given candidates",
    "similar": "items like a given one",
}


def make_card(facts: ExportFacts, contents: Contents, metrics: dict[str, Any]) -> str:
    """metrics: as metrics.json holds them, with what the exporter measured."""
    form = metrics["serving_form"]
    return CARD.format(
        name=facts.bundle.name,
        version=facts.bundle.version,
        description=facts.bundle.description or "A recommender.",
        title=facts.family.title,
        paper=facts.family.paper,
        seed=facts.seed,
        operations="\n".join(f"| `{name}` | {ANSWERS[name]} |" for name in contents.operations),
        results=f"\n{facts.results.strip()}\n" if facts.results else "",
        served=served_text(metrics["served"]),
        asked=form["users"],
        overlap=form["overlap@10"],
        plots="".join(f"\n![{title_of(plot)}]({plot.name})\n" for plot in facts.plots),
        users=len(contents.users),
        items=len(contents.items),
        events=len(facts.training.events),
        data=facts.data,
        untrained=int((contents.popularity == 0).sum()),
    )


def served_text(served: dict[str, float] | None) -> str:
    if served is None:
        return ""
    return f"""
**Served**, as the engine itself answers `recommend` with `k` 10 for {served["users"]:,} users with held-out items:

| HR@10 | recall@10 | NDCG@10 | MAP@10 |
|---|---|---|---|
| {served["hr@10"]:.4f} | {served["recall@10"]:.4f} | {served["ndcg@10"]:.4f} | {served["map@10"]:.4f} |

`heldout.msgpack` lists the users with their held-out items, so that anyone can ask again.
"""


def title_of(plot: Path) -> str:
    return plot.stem.replace("_", " ").replace("-", " ")
