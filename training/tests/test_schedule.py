"""Learning rates against PyTorch's own schedulers and the papers' closed forms."""

import math

import pytest
import torch

from rankd_train.training.optimiser import OptimiserConfig
from rankd_train.training.schedule import Schedule


def optimiser_with(rate: float) -> torch.optim.Optimizer:
    return torch.optim.SGD([torch.nn.Parameter(torch.zeros(1))], lr=rate)


@pytest.mark.parametrize("factor", [1, 2, 3])
def test_cosine_with_warm_restarts_is_that_of_pytorch(factor):
    config = OptimiserConfig(learning_rate=0.3, schedule="cosine", restart_steps=7, restart_factor=factor)
    optimiser = optimiser_with(0.3)
    theirs = torch.optim.lr_scheduler.CosineAnnealingWarmRestarts(optimiser, 7, factor, eta_min=1e-6)
    ours = Schedule(config)
    for step in range(60):
        assert ours.learning_rate(step) == pytest.approx(optimiser.param_groups[0]["lr"], rel=1e-9)
        optimiser.step()
        theirs.step()


def test_the_warm_up_rises_linearly_and_hands_over_to_the_full_rate():
    schedule = Schedule(OptimiserConfig(learning_rate=0.4, schedule="cosine", warmup_steps=4, restart_steps=10))
    assert [schedule.learning_rate(step) for step in range(5)] == pytest.approx([0.1, 0.2, 0.3, 0.4, 0.4])
    halfway = 1e-6 + (0.4 - 1e-6) * (1 + math.cos(math.pi / 2)) / 2
    assert schedule.learning_rate(4 + 5) == pytest.approx(halfway)


def test_the_rate_falls_on_plateaus_as_pytorch_lets_it_fall():
    config = OptimiserConfig(learning_rate=1e-3, plateau_patience=2, min_learning_rate=2e-4)
    optimiser = optimiser_with(1e-3)
    theirs = torch.optim.lr_scheduler.ReduceLROnPlateau(
        optimiser, mode="max", factor=0.5, patience=2, min_lr=2e-4, threshold=0
    )
    ours = Schedule(config)
    for metric in (0.1, 0.3, 0.2, 0.3, 0.1, 0.2, 0.4, 0.4, 0.4, 0.4, 0.5, 0.1, 0.1, 0.1, 0.1, 0.1, 0.1, 0.1, 0.1, 0.1):
        ours.after_epoch(metric)
        theirs.step(metric)
        assert ours.learning_rate(99) == pytest.approx(optimiser.param_groups[0]["lr"])
    assert ours.learning_rate(99) == 2e-4


def test_without_a_schedule_the_rate_stays():
    schedule = Schedule(OptimiserConfig(learning_rate=0.01, schedule="none"))
    for _ in range(9):
        schedule.after_epoch(0.0)
    assert schedule.learning_rate(10_000) == 0.01
