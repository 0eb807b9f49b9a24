"""How weights are moved: one configuration for every network that is trained by gradients, and the optimiser it asks for."""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Literal

import torch
from torch import nn

from rankd_train.errors import ConfigError


@dataclass(frozen=True)
class OptimiserConfig:
    """Defaults are those of seed 001; docs/training.md tells what each trades."""

    kind: Literal["adam", "adamw", "sgd"] = "adam"
    learning_rate: float = 1e-3
    betas: tuple[float, float] = (0.9, 0.999)  # of Adam: how long mean and variance of the gradients are remembered
    # adam adds it to the gradient (L2), adamw shrinks the weights by it (Loshchilov & Hutter 2019).
    weight_decay: float = 1e-5
    schedule: Literal["none", "cosine", "plateau"] = "plateau"
    warmup_steps: int = 0  # steps over which the rate rises linearly, before any schedule
    restart_steps: int = 10_000  # cosine: steps of the first cycle, T_0
    restart_factor: int = 2  # cosine: each cycle is so many times as long as the one before, T_mult
    plateau_factor: float = 0.5
    plateau_patience: int = 3  # epochs without a better validation metric before the rate falls
    min_learning_rate: float = 1e-6
    precision: Literal["fp32", "bf16", "fp16"] = "fp32"
    device: Literal["cpu", "cuda"] = "cpu"
    clip_norm: float = 1.0  # of all gradients together; 0 = none
    batch_size: int = 256
    accumulation: int = 1  # batches whose gradients make one step
    max_epochs: int = 50
    patience: int = 5  # epochs without a better validation metric before training ends

    def __post_init__(self) -> None:
        positive = (
            "learning_rate",
            "batch_size",
            "accumulation",
            "max_epochs",
            "patience",
            "restart_steps",
            "restart_factor",
        )
        for name in positive:
            if getattr(self, name) <= 0:
                raise ConfigError(f'"model.optimiser.{name}" must be above 0, got {getattr(self, name)}')
        for name in ("weight_decay", "warmup_steps", "clip_norm", "plateau_patience", "min_learning_rate"):
            if getattr(self, name) < 0:
                raise ConfigError(f'"model.optimiser.{name}" must not be negative, got {getattr(self, name)}')
        if not all(0 <= beta < 1 for beta in self.betas):
            raise ConfigError(f'"model.optimiser.betas" must be in [0, 1), got {list(self.betas)}')
        if not 0 < self.plateau_factor < 1:
            raise ConfigError(f'"model.optimiser.plateau_factor" must be between 0 and 1, got {self.plateau_factor}')


def make_optimiser(parameters: Iterable[nn.Parameter], config: OptimiserConfig) -> torch.optim.Optimizer:
    # Fused: one pass over each tensor; on a processor it makes an Adam step four times as fast.
    shared = {"lr": config.learning_rate, "weight_decay": config.weight_decay, "fused": True}
    if config.kind == "sgd":
        return torch.optim.SGD(parameters, **shared)
    kind = torch.optim.Adam if config.kind == "adam" else torch.optim.AdamW
    return kind(parameters, betas=config.betas, **shared)


def find_device(config: OptimiserConfig) -> torch.device:
    if config.device == "cuda" and not torch.cuda.is_available():
        raise ConfigError('"model.optimiser.device" is cuda, but PyTorch sees no such device here: set it to cpu')
    return torch.device(config.device)
