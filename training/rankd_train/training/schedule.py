"""The learning rate of each step: linear warm-up, then constant, cosine with warm restarts, or halved on plateaus."""

import math
from typing import Any

from rankd_train.training.optimiser import OptimiserConfig


class Schedule:
    """The rate depends on the number of steps and on what validation said, so its whole state is a handful of numbers."""

    def __init__(self, config: OptimiserConfig):
        self.config = config
        self.level = 1.0  # what plateaus left of the rate
        self.best = -math.inf
        self.worse_epochs = 0

    def learning_rate(self, step: int) -> float:
        """step: optimiser steps done so far."""
        config = self.config
        if step < config.warmup_steps:
            return config.learning_rate * (step + 1) / config.warmup_steps
        if config.schedule == "cosine":
            return cosine_with_restarts(step - config.warmup_steps, config)
        return max(config.learning_rate * self.level, min(config.min_learning_rate, config.learning_rate))

    def after_epoch(self, metric: float) -> None:
        """metric: higher is better. Lowers the level after more than `plateau_patience` epochs in a row without a new best."""
        if self.config.schedule != "plateau":
            return
        if metric > self.best:
            self.best, self.worse_epochs = metric, 0
            return
        self.worse_epochs += 1
        if self.worse_epochs > self.config.plateau_patience:
            self.level *= self.config.plateau_factor
            self.worse_epochs = 0

    def state_dict(self) -> dict[str, Any]:
        return {"level": self.level, "best": self.best, "worse_epochs": self.worse_epochs}

    def load_state_dict(self, state: dict[str, Any]) -> None:
        self.level, self.best, self.worse_epochs = state["level"], state["best"], state["worse_epochs"]


def cosine_with_restarts(step: int, config: OptimiserConfig) -> float:
    """SGDR (Loshchilov & Hutter 2017, equation 5), with T_i = restart_steps x restart_factor^i."""
    length = config.restart_steps
    while step >= length:
        step -= length
        length *= config.restart_factor
    low = min(config.min_learning_rate, config.learning_rate)
    return low + (config.learning_rate - low) * (1 + math.cos(math.pi * step / length)) / 2
