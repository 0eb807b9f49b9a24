"""All that a run needs to go on as if it had never been interrupted, in one file, replaced after every epoch."""

import copy
import dataclasses
import os
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import torch

from rankd_train.errors import TrainError
from rankd_train.training.optimiser import OptimiserConfig

FILE = "checkpoint.pt"


@dataclass
class Progress:
    """What has been reached; the weights of the best epoch are kept beside those of the last."""

    epoch: int = 0  # epochs done
    step: int = 0  # optimiser steps done
    history: list[dict[str, float]] = field(default_factory=list)
    best_epoch: int = -1  # counted from 0
    best_metric: float = float("-inf")
    best_weights: dict[str, torch.Tensor] = field(default_factory=dict)
    finished: bool = False  # early stopping said so

    def keep_best(self, metric: float, module: torch.nn.Module) -> None:
        """Call it before `epoch` is counted up."""
        if metric > self.best_metric:
            self.best_epoch, self.best_metric = self.epoch, metric
            self.best_weights = copy.deepcopy(module.state_dict())


def save_checkpoint(folder: Path, config: OptimiserConfig, progress: Progress, parts: dict[str, Any]) -> None:
    """parts: objects with a state_dict, by name. Written beside and renamed, so that a crash leaves the old file whole."""
    folder.mkdir(parents=True, exist_ok=True)
    written = folder / f"{FILE}.part"
    state = {
        "config": comparable(config),
        "progress": vars(progress),
        "parts": {name: part.state_dict() for name, part in parts.items()},
        "random": random_state(),
    }
    torch.save(state, written)
    os.replace(written, folder / FILE)


def load_checkpoint(folder: Path, config: OptimiserConfig, parts: dict[str, Any]) -> Progress:
    """Brings `parts` and the random numbers to where they were. Raises TrainError if another configuration trained them."""
    saved = torch.load(folder / FILE, weights_only=True)
    if saved["config"] != comparable(config):
        changed = [key for key, value in comparable(config).items() if saved["config"].get(key) != value]
        raise TrainError(
            f"{folder / FILE} was written with another model.optimiser.{changed[0]}: "
            "undo the change, or train from the start without resuming"
        )
    try:
        for name, part in parts.items():
            part.load_state_dict(saved["parts"][name])
    except (RuntimeError, ValueError) as error:
        raise TrainError(f"{folder / FILE} holds another network: {error}") from error
    restore_random_state(saved["random"])
    return Progress(**saved["progress"])


def comparable(config: OptimiserConfig) -> dict[str, Any]:
    """What must not change in between; a run may be made longer."""
    values = dataclasses.asdict(config)
    del values["max_epochs"], values["patience"]
    return values


def random_state() -> dict[str, torch.Tensor]:
    """Of dropout; batches draw from generators of their own (order.py)."""
    state = {"cpu": torch.get_rng_state()}
    if torch.cuda.is_available():
        state["cuda"] = torch.cuda.get_rng_state()
    return state


def restore_random_state(state: dict[str, torch.Tensor]) -> None:
    torch.set_rng_state(state["cpu"])
    if "cuda" in state and torch.cuda.is_available():
        torch.cuda.set_rng_state(state["cuda"])
