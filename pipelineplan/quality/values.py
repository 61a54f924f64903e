"""The rows of DuckDB's tables as Python values, for engines that cannot read DuckDB's files.

DECIMAL(12,2)  Decimal("10.50")  -> 10.5 where a float says the same number, else as it is
STRUCT, LIST                     -> JSON as text
"""

# ruff: noqa: S608 - names are quoted by `sql.identifier`

from __future__ import annotations

import json
from collections.abc import Iterator
from datetime import date, datetime, time, timedelta
from decimal import Decimal
from typing import TYPE_CHECKING, Any

from pipelineplan.quality.sql import identifier

if TYPE_CHECKING:
    from pipelineplan.quality.tables import Tables

_ROWS_AT_ONCE = 50_000
_PLAIN = (str, int, float, bool, Decimal, date, datetime, time, bytes)


def column_blocks(tables: Tables, dataset: str) -> Iterator[list[list[Any]]]:
    """The dataset's rows in order, in blocks: for each block, a list of values for every column."""
    cursor = tables.connection.cursor()
    cursor.execute(f"SELECT * FROM {identifier(dataset)}")
    while rows := cursor.fetchmany(_ROWS_AT_ONCE):
        yield [[_plain(value) for value in column] for column in zip(*rows, strict=True)]


def as_float(value: Decimal) -> float | None:
    """The float that is written as `value` is, or None where none is: beyond 15 digits or so."""
    number = float(value)
    return number if Decimal(repr(number)) == value else None


def _plain(value: Any) -> Any:
    """A value of a column; what is nested or has no place in a table is text."""
    if value is None or isinstance(value, _PLAIN):
        return value
    if isinstance(value, dict | list | tuple):
        return json.dumps(value, default=str, ensure_ascii=False, sort_keys=True)
    return str(value.total_seconds()) if isinstance(value, timedelta) else str(value)
