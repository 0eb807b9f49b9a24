"""Families of models by the name that a recipe gives them. A module is imported when it is asked for: torch takes seconds."""

from importlib import import_module

from rankd_train.errors import ConfigError
from rankd_train.models.recommender import Family

MODULES = {
    "popularity": "popularity",
    "random": "random_order",
    "category": "category",
    "item-knn": "item_knn",
    "ease": "ease",
    "gf-cf": "gf_cf",
    "svd": "svd",
    "als": "als",
    "nmf": "nmf",
    "segments": "segments",
    "ncf": "ncf",
    "hybrid-ncf": "hybrid_ncf",
    "neumf": "neumf",
    "mf": "mf",
    "two-stage": "two_stage.family",
}


def find_family(name: str) -> Family:
    if name not in MODULES:
        raise ConfigError(f'unknown model "{name}"; known are: {", ".join(sorted(MODULES))}')
    return import_module(f"rankd_train.models.{MODULES[name]}").FAMILY
