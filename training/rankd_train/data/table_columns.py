"""Columns of a table as ids, numbers and times. What is missing becomes null; what is wrong is an error with its row."""

import polars as pl

from rankd_train.errors import DataError

MISSING = ("", "NaN", "nan", "NULL", "null", "None", "N/A")
WHOLE_NUMBER = r"^(0|[1-9][0-9]*)$"  # 007 is text: as a number it would lose its zeros

CURE = "Correct it, or set data.table.ids: text to take all of them as text"

NO_SECONDS = 1e11  # as seconds the year 5138, as milliseconds 1973: from here on a time counts smaller units
UNITS = ((1e17, 1_000_000_000), (1e14, 1_000_000), (NO_SECONDS, 1_000), (0.0, 1))


def ids_of(column: pl.Series, as_text: bool, where: str) -> pl.Series:
    """Int64, or String if it has anything else than whole numbers from 0.

    where: for messages, such as `column "user" of events.csv`. Raises DataError for a mixture, unless `as_text`."""
    if as_text:
        return text_of(column, where)
    if column.dtype.is_float() and (column.drop_nulls().drop_nans() % 1 == 0).all():
        column = column.fill_nan(None).cast(pl.Int64, strict=False)  # whole numbers beside missing ones
    if column.dtype.is_integer() and (column.min() or 0) < 0:
        raise DataError(
            f"{where}: row {row_of(column < 0)} is {first(column, column < 0)}; numbers as ids start at 0. {CURE}"
        )
    text = text_of(column, where)
    plain = text.str.replace(r"\.0+$", "")  # what some tools write beside missing values
    numbers = plain.cast(pl.Int64, strict=False)  # null from 2^63 on
    whole = (plain.str.contains(WHOLE_NUMBER) & numbers.is_not_null()).set(text.is_null(), None)
    if whole.all():  # nulls apart
        return numbers
    if not whole.any():
        return text
    mostly_whole = whole.sum() * 2 >= text.count()
    wrong = ~whole if mostly_whole else whole  # whatever is rarer
    most = "whole numbers" if mostly_whole else "text"
    raise DataError(f"{where} mixes types: row {row_of(wrong)} is {first(text, wrong)!r}, but most are {most}. {CURE}")


def numbers_of(column: pl.Series, where: str) -> pl.Series:
    """Float64; what is not finite counts as missing."""
    if column.dtype.is_numeric() or column.dtype == pl.Boolean:
        numbers = column.cast(pl.Float64)
    else:
        text = text_of(column, where)
        numbers = text.cast(pl.Float64, strict=False)
        wrong = numbers.is_null() & text.is_not_null()
        if wrong.any():
            raise DataError(f"{where} must be numbers; row {row_of(wrong)} is {first(text, wrong)!r}")
    return numbers.set(~numbers.is_finite(), None)


def times_of(column: pl.Series, where: str) -> pl.Series:
    """Int64 Unix seconds. Numbers are seconds, or by their size milli-, micro- or nanoseconds; text is ISO 8601, UTC unless
    it has an offset."""
    if column.dtype in (pl.Date, pl.Datetime):
        return column.dt.epoch("s")
    if column.dtype.is_temporal():
        raise DataError(f"{where} has the type {column.dtype}; moments were expected, with their day")
    if not column.dtype.is_numeric():
        column = text_of(column, where)
        if not column.cast(pl.Float64, strict=False).is_not_null().any():
            return iso_times_of(column, where)
    numbers = numbers_of(column, where)
    size = numbers.abs().median() or 0.0
    seconds = (numbers / next(unit for least, unit in UNITS if size >= least)).floor()
    wrong = seconds.abs() >= NO_SECONDS
    if wrong.any():
        raise DataError(
            f"{where}: row {row_of(wrong)} is {first(column, wrong)}, far from the others ({size:.10g} in the middle); all times "
            "must have one unit"
        )
    return seconds.cast(pl.Int64)


def iso_times_of(text: pl.Series, where: str) -> pl.Series:
    full = text.str.replace(" ", "T")
    full = full.str.replace(r"^(\d{4}-\d\d-\d\d)$", "${1}T00:00:00")
    full = full.str.replace(r"^(.{10}T\d\d:\d\d)(Z|[+-].*)?$", "${1}:00${2}")  # without seconds
    full = full.str.replace(r"([+-]\d\d)(\d\d)$", "${1}:${2}")  # +0200
    full = full.str.replace(r"^(.{19}(?:\.\d+)?)$", "${1}Z")  # without an offset
    whole = full.str.to_datetime("%+", strict=False, time_zone="UTC")
    wrong = whole.is_null() & text.is_not_null()
    if wrong.any():
        raise DataError(
            f"{where} must be Unix seconds, milliseconds, or ISO 8601 such as 2026-01-31T12:00:00Z; "
            f"row {row_of(wrong)} is {first(text, wrong)!r}"
        )
    return whole.dt.epoch("s")


def text_of(column: pl.Series, where: str) -> pl.Series:
    """String without surrounding blanks; null where missing."""
    if column.dtype.is_nested() or column.dtype == pl.Binary:
        raise DataError(f"{where} has the type {column.dtype}; text or numbers were expected")
    text = column.cast(pl.String).str.strip_chars()
    return text.set(text.is_in(MISSING), None)


def row_of(wrong: pl.Series) -> int:
    """As an editor shows it: the header is row 1, the first row after it 2."""
    return wrong.fill_null(False).arg_max() + 2


def first(column: pl.Series, wrong: pl.Series) -> object:
    return column[wrong.fill_null(False).arg_max()]
