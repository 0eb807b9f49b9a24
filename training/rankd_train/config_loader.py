"""From parsed YAML to frozen dataclasses: a misspelt key, a missing one or a wrong type is an error that names the whole key."""

import dataclasses
import types
import typing
from collections.abc import Mapping
from typing import Any, TypeVar

from rankd_train.errors import ConfigError

T = TypeVar("T")


def from_dict(kind: type[T], values: Any, where: str = "") -> T:
    """where: the key that `values` stands under, with its dot, such as "model."."""
    if not isinstance(values, dict):
        raise ConfigError(f"{where.rstrip('.') or 'the configuration'} must be a mapping, got {type(values).__name__}")
    hints = typing.get_type_hints(kind)
    fields = {f.name: f for f in dataclasses.fields(kind)}
    for key in values:
        if key not in fields:
            raise ConfigError(f'unknown key "{where}{key}"; known are: {", ".join(sorted(fields))}')
    arguments = {key: convert(hints[key], value, f"{where}{key}") for key, value in values.items()}
    missing = [
        name
        for name, f in fields.items()
        if name not in arguments and f.default is dataclasses.MISSING and f.default_factory is dataclasses.MISSING
    ]
    if missing:
        raise ConfigError(f'missing key "{where}{missing[0]}"')
    return kind(**arguments)


def convert(hint: Any, value: Any, where: str) -> Any:
    """hint: a dataclass, a plain type, Literal, X | None, tuple[X, ...], tuple[X, Y] or Mapping[str, X]."""
    if hint is Any:
        return value
    if dataclasses.is_dataclass(hint):
        return from_dict(hint, value, f"{where}.")
    origin, arguments = typing.get_origin(hint), typing.get_args(hint)
    if origin in (types.UnionType, typing.Union):
        present = [part for part in arguments if part is not types.NoneType]
        return None if value is None else convert(present[0], value, where)
    if origin is typing.Literal:
        if value not in arguments:
            raise ConfigError(f'"{where}" must be one of {", ".join(map(str, arguments))}, got {value!r}')
        return value
    if origin is tuple:
        return convert_tuple(arguments, value, where)
    if origin in (dict, Mapping):
        if not isinstance(value, dict):
            raise ConfigError(f'"{where}" must be a mapping, got {value!r}')
        return {key: convert(arguments[1], element, f"{where}.{key}") for key, element in value.items()}
    if hint is float and isinstance(value, int) and not isinstance(value, bool):
        return float(value)
    if not isinstance(value, hint) or (hint is not bool and isinstance(value, bool)):
        raise ConfigError(f'"{where}" must be {hint.__name__}, got {value!r}')
    return value


def convert_tuple(arguments: tuple[Any, ...], value: Any, where: str) -> tuple[Any, ...]:
    if not isinstance(value, list):
        raise ConfigError(f'"{where}" must be a list, got {value!r}')
    kinds = [arguments[0]] * len(value) if arguments[-1] is Ellipsis else list(arguments)
    if len(kinds) != len(value):
        raise ConfigError(f'"{where}" must have {len(kinds)} elements, got {len(value)}')
    return tuple(convert(kind, element, where) for kind, element in zip(kinds, value))
