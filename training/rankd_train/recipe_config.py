"""A whole recipe, as `configs/*.yaml` writes it down."""

import re
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import yaml

from rankd_train.config_loader import from_dict
from rankd_train.data.config import DataConfig, FeatureConfig, SplitConfig
from rankd_train.errors import ConfigError
from rankd_train.evaluation.config import EvaluationConfig
from rankd_train.models.registry import find_family

# Requests name a bundle as name@version, and its folder is <name>/<version>.
NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]*")
VERSION = re.compile(r"(0|[1-9]\d*)\.(0|[1-9]\d*)\.(0|[1-9]\d*)")
MAX_K = 10_000  # what the engine answers at most


@dataclass(frozen=True)
class BundleConfig:
    name: str
    version: str
    description: str = ""
    k: int = 10  # how many items an answer has unless the request says otherwise

    def __post_init__(self) -> None:
        """What the engine would refuse after hours of training is refused before."""
        if not NAME.fullmatch(self.name):
            raise ConfigError(
                f'"bundle.name" must be letters, digits, ".", "_" and "-", a letter or digit first, got {self.name!r}'
            )
        if not VERSION.fullmatch(self.version):
            raise ConfigError(f'"bundle.version" must be three numbers such as 1.0.0, got {self.version!r}')
        if not 1 <= self.k <= MAX_K:
            raise ConfigError(f'"bundle.k" must be from 1 to {MAX_K:,}, got {self.k}')


@dataclass(frozen=True)
class Published:
    """A figure to stand beside ours in docs/results.md: same split, same metric."""

    metric: str  # such as "recall@20"
    value: float
    source: str


@dataclass(frozen=True)
class RecipeConfig:
    bundle: BundleConfig
    data: DataConfig
    model: Any  # the family's own config; `family` names it
    family: str
    split: SplitConfig = field(default_factory=SplitConfig)
    features: FeatureConfig = field(default_factory=FeatureConfig)
    evaluation: EvaluationConfig = field(default_factory=EvaluationConfig)
    published: tuple[Published, ...] = ()
    seed: int = 0
    threads: int = 1
    folder: str = "."  # of the recipe's file: paths in it are relative to this


def load_recipe(path: Path, changes: Sequence[str] = ()) -> RecipeConfig:
    """changes: "model.l2=300" and the like, in place of what the file says."""
    values = read_yaml(path)
    for change in changes:
        apply_change(values, change)
    model = values.get("model")
    if not isinstance(model, dict) or not isinstance(model.get("name"), str):
        raise ConfigError('missing key "model.name", such as model: {name: ease}')
    for key in ("family", "folder"):
        if key in values:
            raise ConfigError(f'unknown key "{key}"')
    family = find_family(model["name"])
    settings = {key: value for key, value in model.items() if key != "name"}
    built = from_dict(family.config, settings, "model.")
    return from_dict(RecipeConfig, {**values, "model": built, "family": family.name, "folder": str(path.parent)})


def read_yaml(path: Path) -> dict[str, Any]:
    try:
        values = yaml.safe_load(path.read_text(encoding="utf-8"))
    except OSError as error:
        raise ConfigError(f"cannot read the recipe {path}: {error.strerror}") from error
    except yaml.YAMLError as error:
        raise ConfigError(f"{path} is not valid YAML: {error}") from error
    if not isinstance(values, dict):
        raise ConfigError(f"{path} must be a mapping of keys, got {type(values).__name__}")
    return values


def apply_change(values: dict[str, Any], change: str) -> None:
    key, equals, text = change.partition("=")
    if not equals or not key:
        raise ConfigError(f'--set takes KEY=VALUE, such as model.l2=300, got "{change}"')
    *groups, last = key.split(".")
    for group in groups:
        values = values.setdefault(group, {})
        if not isinstance(values, dict):
            raise ConfigError(f'--set {change}: "{group}" is no group of keys')
    values[last] = yaml.safe_load(text)
