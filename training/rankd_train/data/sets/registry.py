"""Known sets by the name that a recipe gives them. A module is imported when it is asked for."""

from importlib import import_module

from rankd_train.data.snapshot import KnownSet
from rankd_train.errors import ConfigError

MODULES = {
    "debian-packages": "debian_packages",
    "gowalla": "gowalla",
    "ml-1m-ncf": "ml_1m_ncf",
    "ml-100k": "ml_100k",
}


def find_known(name: str) -> KnownSet:
    if name not in MODULES:
        raise ConfigError(
            f'unknown data set "{name}"; known are: {", ".join(sorted(MODULES))}. Your own goes into data.table'
        )
    return import_module(f"rankd_train.data.sets.{MODULES[name]}").SET
