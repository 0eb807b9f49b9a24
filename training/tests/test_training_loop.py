"""The loop on a small regression: accumulation, clipping, loss scaling, early stopping, plans, and resuming bit for bit."""

import dataclasses

import pytest
import torch
from torch import Tensor, nn

from rankd_train.errors import TrainError
from rankd_train.training.checkpoint import FILE
from rankd_train.training.loop import Plan, Run, train
from rankd_train.training.optimiser import OptimiserConfig
from rankd_train.training.order import epoch_generator, shuffled_batches

ROWS = 70


class Regression:
    """Fits a plane through noisy points; dropout makes every step depend on the global random numbers."""

    name = "regression"
    metric = "val_score"

    def __init__(self, batch: int, dropout: float = 0.0, scores: list[float] | None = None, seed: int = 3):
        torch.manual_seed(seed)
        self.module = nn.Sequential(nn.Linear(4, 8), nn.ReLU(), nn.Dropout(dropout), nn.Linear(8, 1))
        made = torch.Generator().manual_seed(0)
        self.x = torch.randn(ROWS, 4, generator=made)
        self.y = self.x.sum(dim=1, keepdim=True) + 0.1 * torch.randn(ROWS, 1, generator=made)
        self.batch = batch
        self.scores = scores
        self.asked = 0

    def batches(self, epoch: int):
        return shuffled_batches(ROWS, self.batch, epoch_generator(1, epoch))

    def loss(self, rows: Tensor) -> Tensor:
        return ((self.module(self.x[rows]) - self.y[rows]) ** 2).mean()

    def validate(self) -> dict[str, float]:
        self.asked += 1
        if self.scores:
            return {self.metric: self.scores[self.asked - 1]}
        return {self.metric: -float(self.loss(torch.arange(ROWS)))}


CONFIG = OptimiserConfig(learning_rate=0.01, max_epochs=6, warmup_steps=3)


def weights(task: Regression) -> list[Tensor]:
    return [weight.detach().clone() for weight in task.module.parameters()]


def test_training_lowers_the_loss_and_tells_each_epoch():
    trained = train(Regression(16), dataclasses.replace(CONFIG, max_epochs=20))
    losses = [epoch["train_loss"] for epoch in trained.history]
    assert losses[-1] < losses[0] / 2
    assert {"epoch", "train_loss", "val_score", "learning_rate", "level", "seconds"} == set(trained.history[0])


def test_four_batches_accumulated_are_one_batch_of_four_times_the_rows():
    """To rounding; 70 rows make a last group of fewer and smaller batches, which must weigh by its rows too."""
    for clip in (0.0, 0.5):
        config = dataclasses.replace(CONFIG, clip_norm=clip)
        large, small = Regression(64), Regression(16)
        once = train(large, config)
        several = train(small, dataclasses.replace(config, accumulation=4))
        for a, b in zip(weights(large), weights(small)):
            assert torch.allclose(a, b, atol=1e-6)
        assert [e["train_loss"] for e in once.history] == pytest.approx(
            [e["train_loss"] for e in several.history], abs=1e-6
        )


def test_gradients_are_clipped_to_the_norm_of_all_together():
    task = Regression(ROWS)
    config = OptimiserConfig(kind="sgd", learning_rate=1.0, weight_decay=0.0, clip_norm=0.25)
    before = weights(task)
    run = Run(task, config, torch.device("cpu"))
    run.train_step([torch.arange(ROWS)], learning_rate=1.0)
    moved = torch.cat([(a - b).flatten() for a, b in zip(weights(task), before)])
    assert float(moved.norm()) == pytest.approx(0.25, rel=1e-4)


def test_with_loss_scaling_a_step_that_overflows_is_left_out_and_the_scale_falls():
    task = Regression(ROWS)
    config = OptimiserConfig(kind="sgd", learning_rate=0.1, weight_decay=0.0)
    run, plain = Run(task, config, torch.device("cpu")), Regression(ROWS)
    run.precision.scaler = torch.amp.GradScaler("cpu", init_scale=2.0**10)
    run.train_step([torch.arange(ROWS)], 0.1)
    Run(plain, config, torch.device("cpu")).train_step([torch.arange(ROWS)], 0.1)
    for a, b in zip(weights(task), weights(plain)):
        assert torch.allclose(a, b, atol=1e-6)  # scaled up, scaled back, then clipped: the same step
    before = weights(task)
    task.y[0] = torch.inf
    run.train_step([torch.arange(ROWS)], 0.1)
    assert all(torch.equal(a, b) for a, b in zip(weights(task), before))
    assert run.precision.scaler.get_scale() == 2.0**9


def test_training_ends_after_patience_and_takes_the_best_epoch():
    scores = [0.1, 0.5, 0.3, 0.5, 0.4, 0.9, 0.9]
    config = dataclasses.replace(CONFIG, max_epochs=50, patience=3)
    task = Regression(16, scores=scores)
    trained = train(task, config)
    assert (trained.best_epoch, len(trained.history)) == (1, 5)
    shorter = Regression(16)
    train(shorter, config, plan=Plan(2))
    assert all(torch.equal(a, b) for a, b in zip(weights(task), weights(shorter)))


def test_a_plan_repeats_what_validation_decided_on_the_rate():
    scores = [0.9, 0.1, 0.1, 0.1, 0.1, 1.0]
    config = dataclasses.replace(CONFIG, plateau_patience=1, warmup_steps=0)
    first = Regression(16, scores=scores)
    plan = train(first, config).plan()
    assert plan == Plan(6, (1.0, 1.0, 1.0, 0.5, 0.5, 0.25))
    again = Regression(16)
    train(again, config, plan=plan)
    assert again.asked == 0
    assert all(torch.equal(a, b) for a, b in zip(weights(first), weights(again)))


@pytest.mark.parametrize("schedule", ["cosine", "plateau"])
def test_a_resumed_run_is_bit_for_bit_the_uninterrupted_one(schedule, tmp_path):
    config = dataclasses.replace(CONFIG, schedule=schedule, restart_steps=4, plateau_patience=0, patience=50)
    whole = Regression(16, dropout=0.3)
    uninterrupted = train(whole, config, tmp_path / "whole")

    train(Regression(16, dropout=0.3), dataclasses.replace(config, max_epochs=3), tmp_path / "cut")
    later = Regression(16, dropout=0.3, seed=99)  # other weights and random numbers: all must come from the checkpoint
    resumed = train(later, config, tmp_path / "cut", resume=True)
    for a, b in zip(weights(whole), weights(later)):
        assert torch.equal(a, b)
    timeless = [[{**entry, "seconds": 0} for entry in run.history] for run in (uninterrupted, resumed)]
    assert timeless[0] == timeless[1]
    finished = train(Regression(16, dropout=0.3), config, tmp_path / "cut", resume=True)
    assert finished.history == resumed.history


def test_resuming_with_another_configuration_is_refused(tmp_path):
    train(Regression(16), CONFIG, tmp_path)
    assert (tmp_path / FILE).is_file()
    with pytest.raises(TrainError, match=r"another model\.optimiser\.learning_rate"):
        train(Regression(16), dataclasses.replace(CONFIG, learning_rate=0.02), tmp_path, resume=True)
    other = Regression(16)
    other.module = nn.Linear(4, 1)
    with pytest.raises(TrainError, match="another network"):
        train(other, CONFIG, tmp_path, resume=True)


def test_a_loss_that_is_not_finite_is_an_error_that_says_what_to_do():
    task = Regression(16)
    task.y[5] = torch.nan
    with pytest.raises(TrainError, match=r"lower model\.optimiser\.learning_rate"):
        train(task, CONFIG)


def test_a_metric_that_is_never_a_number_is_an_error():
    with pytest.raises(TrainError, match="never a number"):
        train(Regression(16, scores=[float("nan")] * 6), CONFIG)
