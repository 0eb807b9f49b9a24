"""What both MovieLens sets share: how ages and release years are told."""

import calendar

import numpy as np

GROUPLENS_LICENCE = (
    "GroupLens: research use with acknowledgement, no redistribution, no commercial use without permission; "
    "nothing of it ships"
)

# Lowest age of each band, as MovieLens 1M has them; MovieLens 100K tells years, which are brought to the same bands.
AGE_BANDS = {1: "under 18", 18: "18-24", 25: "25-34", 35: "35-44", 45: "45-49", 50: "50-55", 56: "56+"}


def age_band(years: int) -> str:
    return AGE_BANDS[max(lowest for lowest in AGE_BANDS if lowest <= years)]


def seconds_of_years(years: list[int | None]) -> np.ndarray:
    """[I] int64 Unix seconds of 1 January, below zero before 1970; -1 where the year is unknown."""
    seconds = [-1 if year is None else calendar.timegm((year, 1, 1, 0, 0, 0)) for year in years]
    return np.array(seconds, dtype=np.int64)
