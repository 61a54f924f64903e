"""Tables as pandas data frames of plain Python values, which Great Expectations asks directly.

    BIGINT with NULL   dtype object: ints and None      (not float64, which merges 2^53 and 2^53 + 1)
    VARCHAR            dtype object: str and None       (not `str` of pandas 3, which checks confuse)
    DECIMAL            floats where they say the same number, else Decimal

Frames hold their rows in memory: for data of this machine's size, not more.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from decimal import Decimal
from typing import Any

from pipelineplan.quality.check import Suites
from pipelineplan.quality.engine import FrameEngine
from pipelineplan.quality.in_duckdb import duckdb_engine
from pipelineplan.quality.tables import Tables
from pipelineplan.quality.values import as_float, column_blocks


@contextmanager
def pandas_engine(suites: Suites, tables: Tables) -> Iterator[FrameEngine]:
    """Frames of all datasets that have data, beside the DuckDB that they come from."""
    with duckdb_engine(suites, tables) as database:
        yield FrameEngine({name: _frame(tables, name) for name in tables.tables}, database)


def _frame(tables: Tables, dataset: str) -> Any:
    import pandas as pd

    names = list(tables.tables[dataset].columns)
    columns: list[list[Any]] = [[] for _ in names]
    for block in column_blocks(tables, dataset):
        for column, values in zip(columns, block, strict=True):
            column.extend(values)
    series = {
        name: pd.Series(_numbers(values), dtype=object) for name, values in zip(names, columns, strict=True)
    }
    return pd.DataFrame(series, columns=pd.Index(names, dtype=object))


def _numbers(values: list[Any]) -> list[Any]:
    """Decimals as floats, if all of the column's can be."""
    floats = [as_float(value) if isinstance(value, Decimal) else value for value in values]
    lost = any(new is None and old is not None for new, old in zip(floats, values, strict=True))
    return values if lost else floats
