"""Recipes as people write them: what is taken, and what each slip is answered with."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Literal

import pytest

from rankd_train.config_loader import from_dict
from rankd_train.errors import ConfigError


@dataclass(frozen=True)
class Inner:
    size: int = 4


@dataclass(frozen=True)
class Outer:
    name: str
    kind: Literal["a", "b"] = "a"
    rate: float = 0.1
    inner: Inner = field(default_factory=Inner)
    maybe: Inner | None = None
    names: tuple[str, ...] = ()
    pair: tuple[float, float] = (0.0, 1.0)
    weights: Mapping[str, float] = field(default_factory=dict)


def test_every_kind_of_value_is_read():
    values = {
        "name": "x",
        "kind": "b",
        "rate": 2,
        "inner": {"size": 5},
        "maybe": {"size": 6},
        "names": ["p", "q"],
        "pair": [1, 2],
        "weights": {"view": 1},
    }
    expected = Outer("x", "b", 2.0, Inner(5), Inner(6), ("p", "q"), (1.0, 2.0), {"view": 1.0})
    assert from_dict(Outer, values) == expected
    assert from_dict(Outer, {"name": "x", "maybe": None}) == Outer("x")


@pytest.mark.parametrize(
    ("values", "message"),
    [
        ({}, 'missing key "name"'),
        ({"name": "x", "nmae": 1}, 'unknown key "nmae"; known are: '),
        ({"name": 3}, '"name" must be str, got 3'),
        ({"name": "x", "kind": "c"}, "\"kind\" must be one of a, b, got 'c'"),
        ({"name": "x", "rate": "fast"}, "\"rate\" must be float, got 'fast'"),
        ({"name": "x", "inner": {"size": True}}, '"inner.size" must be int, got True'),
        ({"name": "x", "inner": {"sise": 1}}, 'unknown key "inner.sise"'),
        ({"name": "x", "inner": 3}, "inner must be a mapping, got int"),
        ({"name": "x", "maybe": {"size": "big"}}, '"maybe.size" must be int'),
        ({"name": "x", "names": "p"}, "\"names\" must be a list, got 'p'"),
        ({"name": "x", "pair": [1]}, '"pair" must have 2 elements, got 1'),
        ({"name": "x", "weights": {"view": "much"}}, '"weights.view" must be float'),
        (["name"], "the configuration must be a mapping, got list"),
    ],
)
def test_a_slip_is_named_with_its_whole_key(values, message):
    with pytest.raises(ConfigError) as raised:
        from_dict(Outer, values)
    assert message in str(raised.value)
