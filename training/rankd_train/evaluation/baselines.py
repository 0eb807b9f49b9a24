"""What any model has to beat: the families that the recipe names, with their defaults, on the same data and users."""

from dataclasses import replace

from rankd_train.evaluation.config import ERRORS, EvaluationConfig
from rankd_train.evaluation.evaluate import Evaluation, EvaluationContext, evaluate
from rankd_train.models.recommender import FitOptions, TrainingSet
from rankd_train.models.registry import find_family
from rankd_train.progress import step


def evaluate_baselines(
    training: TrainingSet, context: EvaluationContext, config: EvaluationConfig, options: FitOptions, family: str
) -> dict[str, Evaluation]:
    """training: what the model was fitted on; family: the model's own, which is no baseline of itself.

    Where values are predicted, families that only rank have nothing to show and are left out."""
    evaluations = {}
    for name in config.baselines:
        if name == family:
            continue
        baseline = find_family(name)
        with step(f"baseline {name}"):
            own = replace(options, folder=options.folder / name, choices={}, resume=False)
            fitted = baseline.fit(baseline.config(), training, own)
            evaluation = evaluate(fitted.model, context, config, options.seed)
        if evaluation.metrics:
            evaluations[name] = evaluation
    return evaluations


def strongest(baselines: dict[str, Evaluation], metric: str) -> str | None:
    """The one that is best by `metric`; None where no baseline has it, as popularity predicts no ratings."""
    having = {
        name: evaluation.metrics[metric] for name, evaluation in baselines.items() if metric in evaluation.metrics
    }
    if not having:
        return None
    return (min if metric in ERRORS else max)(having, key=lambda name: having[name])
