"""Reads a CSV file (gzip'd or not, any usual delimiter) or a Parquet file, and says precisely why it cannot."""

import csv
import gzip
from collections.abc import Sequence
from difflib import get_close_matches
from pathlib import Path
from typing import TextIO

import polars as pl

from rankd_train.errors import DataError, DataMissing

DELIMITERS = ",;\t|"
GZIP_MAGIC, PARQUET_MAGIC = b"\x1f\x8b", b"PAR1"


def read_frame(path: Path) -> pl.DataFrame:
    """All rows; the columns of a CSV file are text, and what is empty is null.

    Raises DataMissing when there is no such file, DataError when it cannot be read or has no row."""
    if not path.is_file():
        raise DataMissing(f"{path} is not there; paths in a recipe are relative to the recipe's file")
    if path.stat().st_size == 0:
        raise DataError(f"{path} is empty")
    kind = "Parquet" if path.suffix == ".parquet" or start_of(path) == PARQUET_MAGIC else "CSV"
    try:
        frame = pl.read_parquet(path) if kind == "Parquet" else read_csv(path)
    except (pl.exceptions.PolarsError, OSError, EOFError) as error:
        raise DataError(f"{path} cannot be read as {kind}: {str(error).splitlines()[0]}") from error
    if not len(frame):
        raise DataError(f"{path} has a header ({', '.join(frame.columns)}) and no rows")
    return frame


def read_csv(path: Path) -> pl.DataFrame:
    delimiter = delimiter_of(path)
    try:
        frame = pl.read_csv(path, separator=delimiter, infer_schema=False)
    except pl.exceptions.ComputeError:
        explain_bad_line(path, delimiter)
        raise
    names = [name.strip() for name in frame.columns]
    return frame.rename(dict(zip(frame.columns, names))) if len(set(names)) == len(names) else frame


def delimiter_of(path: Path) -> str:
    """The delimiter that the header has most of; a file of one column has none, and gets a comma."""
    with open_text(path) as file:
        try:
            header = file.readline()
        except UnicodeDecodeError as error:
            raise not_utf8(path, 1) from error
    if not header.strip():
        raise DataError(f"the first line of {path} is empty; a header with the names of the columns was expected")
    return max(DELIMITERS, key=header.count)


def start_of(path: Path) -> bytes:
    with path.open("rb") as file:
        return file.read(4)


def open_text(path: Path) -> TextIO:
    start = start_of(path)
    if start.startswith((b"\xff\xfe", b"\xfe\xff")):
        raise DataError(f"{path} is UTF-16; save it as UTF-8")
    if start.startswith(GZIP_MAGIC):
        return gzip.open(path, "rt", encoding="utf-8", newline="")
    return path.open(encoding="utf-8", newline="")


def explain_bad_line(path: Path, delimiter: str) -> None:
    """Raises DataError for the first line that is no UTF-8 or has more fields than the header; returns if there is none."""
    number = 1
    with open_text(path) as file:
        lines = csv.reader(file, delimiter=delimiter)
        try:
            width = len(next(lines))
            for fields in lines:
                number = lines.line_num
                if len(fields) > width:
                    raise DataError(
                        f"line {number} of {path} has {len(fields)} fields, the header {width}: {delimiter.join(fields)[:80]!r}. "
                        f"Put a field that contains {delimiter!r} between double quotes"
                    )
        except UnicodeDecodeError as error:
            raise not_utf8(path, number + 1) from error
        except csv.Error as error:
            raise DataError(f"line {number + 1} of {path} cannot be read: {error}") from error


def not_utf8(path: Path, near: int) -> DataError:
    return DataError(
        f"{path} is not UTF-8 (at or soon after line {near}); convert it, for example with iconv -f latin1 -t utf-8"
    )


def column_of(frame: pl.DataFrame, name: str, key: str, path: Path) -> pl.Series:
    """key: of the recipe that named the column. Raises DataError with the columns there are and the likely slip."""
    if name in frame.columns:
        return frame[name]
    raise DataError(
        f'{path.name} has no column "{name}" ({key}); it has: {", ".join(frame.columns)}{likely(name, frame.columns)}'
    )


def likely(name: str, columns: Sequence[str]) -> str:
    lower = {column.strip().lower(): column for column in columns}
    close = get_close_matches(name.lower(), lower, n=1, cutoff=0.5)
    return f'. Did you mean "{lower[close[0]]}"?' if close else ""
