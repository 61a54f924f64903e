# ruff: noqa: S608 -- every identifier and literal in SQL goes through quoted() or literal()
"""A column of times as microseconds since 1970, however it is written.

    1415624021690                     numbers: seconds, ms, us or ns, told apart by their size
    1415624021.690
    2014-11-10T13:53:41.690+0100      text: with a zone, or else in UTC
    TIMESTAMP, DATE                   typed columns of Parquet

A value that is none of these becomes NULL in SQL and is counted, never guessed.
"""

from __future__ import annotations

from dataclasses import dataclass
from statistics import median
from typing import TYPE_CHECKING, Literal

from pipelineplan.profiling.files import RecordFile, quoted

if TYPE_CHECKING:
    from duckdb import DuckDBPyConnection

Unit = Literal["auto", "s", "ms", "us", "ns"]
_KnownUnit = Literal["s", "ms", "us", "ns"]

_PEEKED = 1000
# The years 1 to 9999, in microseconds.
_EARLIEST, _LATEST = -62_135_596_800_000_000, 253_402_300_799_999_999
_NUMBERS = ("TINYINT", "SMALLINT", "INTEGER", "BIGINT", "HUGEINT", "FLOAT", "DOUBLE", "DECIMAL")


@dataclass(frozen=True)
class TimeColumn:
    """A column and, where it holds numbers, their unit."""

    name: str
    unit: _KnownUnit | None

    def microseconds(self, file: RecordFile) -> str:
        """The SQL expression that gives the time, or NULL."""
        column, type_of = _expression(file, self.name), file.types[self.name]
        if self.unit is not None:
            value = _from_number(column, self.unit)
        elif type_of.startswith("TIMESTAMP") or type_of == "DATE":
            value = f"CASE WHEN isfinite({column}) THEN epoch_us({column}::TIMESTAMP) END"
            if "TIME ZONE" in type_of:
                value = f"CASE WHEN isfinite({column}) THEN epoch_us({column}) END"
        else:
            moment = f"try_cast({column} AS TIMESTAMPTZ)"
            value = f"CASE WHEN isfinite({moment}) THEN epoch_us({moment}) END"
        return f"CASE WHEN ({value}) BETWEEN {_EARLIEST} AND {_LATEST} THEN ({value}) END"


def time_column(connection: DuckDBPyConnection, file: RecordFile, name: str, unit: Unit) -> TimeColumn:
    """Look at the first values of `name` to see what they are; `unit` overrules what numbers seem."""
    type_of = file.types[name]
    if type_of.startswith("TIMESTAMP") or type_of == "DATE":
        return TimeColumn(name, None)
    column = _expression(file, name)
    casts = f"try_cast({column} AS DOUBLE), try_cast({column}::VARCHAR AS TIMESTAMPTZ) IS NOT NULL"
    sql = f"SELECT {casts} FROM {file.table} WHERE {column} IS NOT NULL LIMIT {_PEEKED}"
    seen = connection.execute(sql).fetchall()
    numbers = [abs(number) for number, _ in seen if number is not None]
    texts = sum(is_text for _, is_text in seen)
    if not type_of.startswith(_NUMBERS) and len(numbers) <= texts:
        return TimeColumn(name, None)
    return TimeColumn(name, _likely_unit(median(numbers or [0.0])) if unit == "auto" else unit)


def _expression(file: RecordFile, name: str) -> str:
    """The column; text without its blanks, which also keeps the reader from casting while it scans."""
    return f"trim({quoted(name)})" if file.types[name] == "VARCHAR" else quoted(name)


def _likely_unit(size: float) -> _KnownUnit:
    """By magnitude: each unit is a thousand times the next, and all mean the years 1973 to 5138."""
    if size < 1e11:
        return "s"
    if size < 1e14:
        return "ms"
    return "us" if size < 1e17 else "ns"


def _from_number(column: str, unit: _KnownUnit) -> str:
    match unit:
        case "s":
            return f"try_cast(round(try_cast({column} AS DOUBLE) * 1000000) AS BIGINT)"
        case "ms":
            return f"try_cast(round(try_cast({column} AS DOUBLE) * 1000) AS BIGINT)"
        case "us":
            return f"try_cast({column} AS BIGINT)"
        case "ns":
            return f"try_cast({column} AS BIGINT) // 1000"
