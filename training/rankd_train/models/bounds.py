"""What every hyperparameter has to be, told by its key while the recipe is read."""

from typing import Any

from rankd_train.errors import ConfigError


def check_bounds(
    config: Any, above_zero: tuple[str, ...] = (), not_negative: tuple[str, ...] = (), group: str = ""
) -> None:
    """config: of a model; the names are those of its fields; group: where they stand below `model`, such as "tower."."""
    for name in above_zero:
        if not getattr(config, name) > 0:
            raise ConfigError(f'"model.{group}{name}" must be above 0, got {getattr(config, name)}')
    for name in not_negative:
        if not getattr(config, name) >= 0:
            raise ConfigError(f'"model.{group}{name}" must not be negative, got {getattr(config, name)}')
