"""From a recipe's `data` to clean interactions with a report."""

from pathlib import Path

from rankd_train.data.cleaning import clean
from rankd_train.data.config import DataConfig
from rankd_train.data.loaded import Loaded
from rankd_train.data.sets.registry import find_known
from rankd_train.data.snapshot import FoundSet, find_set, verify_set
from rankd_train.data.validation import validate
from rankd_train.errors import ConfigError


def load_interactions(config: DataConfig, folder: Path, cache: Path) -> Loaded:
    """folder: of the recipe, for relative paths; cache: for what is slow to read twice.

    Raises ConfigError, DataMissing or DataError, each saying what to do."""
    if config.set is None:
        raise ConfigError('"data" names nothing to learn from: give it a set')
    known = find_known(config.set)
    place = find_set(known)
    sha256 = verify_set(known, place, config.allow_other)
    interactions, given = known.read(FoundSet(place, sha256, cache))
    cleaned = clean(interactions, given, config.cleaning or known.cleaning)
    return Loaded(cleaned.interactions, cleaned.given, validate(cleaned), sha256)
