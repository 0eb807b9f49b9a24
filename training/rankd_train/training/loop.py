"""The training loop: epochs of steps, validation, early stopping, a checkpoint after every epoch.

A plain loop instead of a framework's: what happens in a step stands in `train_step`, in its order, and a resumed run is
bit for bit the uninterrupted one."""

import time
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from itertools import islice
from pathlib import Path
from typing import Any, Protocol, TypeVar

import torch
from torch import Tensor, nn

from rankd_train.errors import TrainError
from rankd_train.progress import progress as progress_bar
from rankd_train.progress import tell
from rankd_train.training.checkpoint import FILE, Progress, load_checkpoint, save_checkpoint
from rankd_train.training.optimiser import OptimiserConfig, find_device, make_optimiser
from rankd_train.training.precision import Precision
from rankd_train.training.schedule import Schedule

T = TypeVar("T")


class Task(Protocol):
    """What is trained: a module, its batches, its loss, and what tells whether it gets better."""

    name: str
    module: nn.Module
    metric: str  # of `validate`; higher is better

    def batches(self, epoch: int) -> Iterable[Any]:
        """Each with a length. Must depend on the epoch's number alone, or a resumed run goes another way."""

    def loss(self, batch: Any) -> Tensor:
        """Mean over the batch, a scalar."""

    def validate(self) -> dict[str, float]:
        """Asked after every epoch, with dropout off and without gradients."""


@dataclass(frozen=True)
class Plan:
    """What an earlier run with validation decided, for one that has nothing to validate on."""

    epochs: int
    levels: tuple[
        float, ...
    ] = ()  # of each epoch: what plateaus had left of the learning rate; 1 where it says nothing


@dataclass(frozen=True)
class Trained:
    """The module holds the weights of the best epoch, or of the last one of a plan."""

    history: list[dict[str, float]]  # one entry per epoch
    best_epoch: int  # counted from 0

    def plan(self) -> Plan:
        epochs = self.best_epoch + 1
        return Plan(epochs, tuple(entry["level"] for entry in self.history[:epochs]))


def train(
    task: Task, config: OptimiserConfig, folder: Path | None = None, plan: Plan | None = None, resume: bool = False
) -> Trained:
    """Trains until `task.metric` has not risen for `patience` epochs and takes the best epoch; or exactly what `plan` says.

    folder: for checkpoints, None to write none. resume: go on from the checkpoint in `folder`, if there is one."""
    device = find_device(config)
    task.module.to(device)
    run = Run(task, config, device)
    reached = Progress()
    if folder is not None and not resume:
        (folder / FILE).unlink(missing_ok=True)  # of an earlier run: whoever resumes this one must not meet it
    elif folder is not None and (folder / FILE).is_file():
        reached = load_checkpoint(folder, config, run.parts())
        tell(f"  {task.name}: going on after {reached.epoch} epochs")
    last = plan.epochs if plan else config.max_epochs
    while reached.epoch < last and not reached.finished:
        if plan:
            run.schedule.level = plan.levels[reached.epoch] if reached.epoch < len(plan.levels) else 1.0
        run.epoch(reached, validate=plan is None)
        if plan is None:
            reached.finished = reached.epoch - 1 - reached.best_epoch >= config.patience
        if folder is not None:
            save_checkpoint(folder, config, reached, run.parts())
    if plan is None:
        if reached.best_epoch < 0:
            raise TrainError(f"{task.name}: {task.metric} was never a number: lower model.optimiser.learning_rate")
        task.module.load_state_dict(reached.best_weights)
    task.module.eval()
    return Trained(reached.history, reached.best_epoch if plan is None else last - 1)


class Run:
    """One module on its way."""

    def __init__(self, task: Task, config: OptimiserConfig, device: torch.device):
        self.task = task
        self.config = config
        self.parameters = [weight for weight in task.module.parameters() if weight.requires_grad]
        self.optimiser = make_optimiser(self.parameters, config)
        self.schedule = Schedule(config)
        self.precision = Precision(config, device)

    def parts(self) -> dict[str, Any]:
        """What a checkpoint keeps."""
        return {
            "module": self.task.module,
            "optimiser": self.optimiser,
            "schedule": self.schedule,
            "scaler": self.precision.scaler,
        }

    def epoch(self, reached: Progress, validate: bool) -> None:
        started = time.monotonic()
        task = self.task
        level = self.schedule.level
        task.module.train()
        total, rows = torch.zeros(()), 0
        batches = progress_bar(task.batches(reached.epoch), f"{task.name} epoch {reached.epoch}")
        for group in groups(batches, self.config.accumulation):
            size = sum(len(batch) for batch in group)
            total += self.train_step(group, self.schedule.learning_rate(reached.step)) * size
            rows += size
            reached.step += 1
        if not torch.isfinite(total):
            raise TrainError(
                f"{task.name}: the loss of epoch {reached.epoch} is not finite: lower model.optimiser.learning_rate"
            )
        metrics = {"train_loss": float(total) / max(rows, 1)}
        if validate:
            metrics |= self.validate()
            reached.keep_best(metrics[task.metric], task.module)
            self.schedule.after_epoch(metrics[task.metric])
        metrics["learning_rate"] = self.optimiser.param_groups[0]["lr"]
        seconds = time.monotonic() - started
        entry = {"epoch": reached.epoch, **metrics, "level": level, "seconds": round(seconds, 2)}
        reached.history.append(entry)
        shown = " ".join(f"{key} {value:.4g}" for key, value in metrics.items())
        tell(f"  {task.name} epoch {reached.epoch}: {shown} {seconds:.1f} s")
        reached.epoch += 1

    def train_step(self, group: Sequence[Any], learning_rate: float) -> Tensor:
        """One step with the mean loss over all rows of some batches; returns that loss."""
        scaler = self.precision.scaler
        rows = sum(len(batch) for batch in group)
        for settings in self.optimiser.param_groups:
            settings["lr"] = learning_rate
        self.optimiser.zero_grad()
        total = torch.zeros(())
        for batch in group:
            with self.precision.forward():
                loss = self.task.loss(batch) * (len(batch) / rows)
            scaler.scale(loss).backward()
            total += loss.detach().cpu()
        if self.config.clip_norm:
            scaler.unscale_(self.optimiser)
            nn.utils.clip_grad_norm_(self.parameters, self.config.clip_norm)
        scaler.step(self.optimiser)
        scaler.update()
        return total

    def validate(self) -> dict[str, float]:
        self.task.module.eval()
        with torch.no_grad():
            return self.task.validate()


def groups(values: Iterable[T], size: int) -> Iterator[list[T]]:
    """Lists of `size` values in their order; the last may be shorter."""
    iterator = iter(values)
    while group := list(islice(iterator, size)):
        yield group
