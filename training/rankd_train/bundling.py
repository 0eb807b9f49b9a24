"""From a run's folder to a bundle: gathers what the exporter tells of the run."""

import dataclasses
from pathlib import Path

from rankd_train.data.sets.registry import find_known
from rankd_train.evaluation.plots import write_plots
from rankd_train.evaluation.summary import results_markdown
from rankd_train.export.bundle import export_bundle
from rankd_train.export.facts import ExportFacts
from rankd_train.run import CHOICE, TEST, Run, last_stage, load_model, read_json, training_set


def export_run(run: Run, folder: Path) -> Path:
    """The bundle of the last run's model, which is the one that the test figures are of. Raises ExportMismatch."""
    recipe, stage = run.recipe, last_stage(run)
    training = training_set(run, stage)
    model = load_model(run, stage, training)
    metrics = read_json(run.folder / TEST)
    history = {each: read_json(run.folder / each / "training_history.json") for each in dict.fromkeys((CHOICE, stage))}
    facts = ExportFacts(
        bundle=recipe.bundle,
        family=run.family,
        model=model,
        training=training,
        heldout=run.split.test,
        relevant_from=recipe.evaluation.relevant_from if run.split.explicit else None,
        config=dataclasses.asdict(dataclasses.replace(recipe, folder=".")),
        metrics=metrics,
        history=history,
        results=results_markdown(metrics),
        data=data_text(run),
        plots=tuple(write_plots(run.folder / "plots", metrics, history[CHOICE]["epochs"])),
        seed=recipe.seed,
    )
    return export_bundle(model.serving(), facts, folder)


def data_text(run: Run) -> str:
    files = "\n".join(f"- `{name}` {digest}" for name, digest in sorted(run.loaded.sha256.items()))
    if run.recipe.data.set is None:
        return f"Files by SHA-256:\n\n{files}"
    known = find_known(run.recipe.data.set)
    return f"{known.title}. {known.licence}. Files by SHA-256:\n\n{files}"
