"""What a bundle tells of the run that made it."""

from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from rankd_train.data.interactions import Events
from rankd_train.models.recommender import Family, Recommender, TrainingSet
from rankd_train.recipe_config import BundleConfig


@dataclass(frozen=True)
class ExportFacts:
    bundle: BundleConfig
    family: Family
    model: Recommender  # the one whose `serving()` is exported: what the narrow form costs is measured against it
    training: TrainingSet  # what it was fitted on; its events become the published histories
    heldout: Events  # the test part: the served figures are measured on it
    # Of opinions, the lowest value that counts as a hit; None where an event's mere presence speaks.
    relevant_from: float | None
    config: dict[str, Any]  # config.json: the recipe, whole
    metrics: dict[str, Any] = field(default_factory=dict)  # metrics.json, to which the exporter adds
    history: dict[str, Any] = field(default_factory=dict)  # training_history.json
    results: str = ""  # of CARD.md: evaluation in Markdown, below a heading of the second level
    data: str = ""  # of CARD.md: where the data come from and under which terms, a paragraph
    plots: tuple[Path, ...] = ()  # SVG files to lie in the bundle and to be shown in CARD.md
    seed: int = 0
