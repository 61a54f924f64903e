"""Tables where they are: Great Expectations reads the open DuckDB database."""

# ruff: noqa: S608 - the query is a checked SELECT

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

from pipelineplan.quality.check import Suites
from pipelineplan.quality.engine import SqlEngine
from pipelineplan.quality.outcome import MOST_SAMPLES
from pipelineplan.quality.tables import Tables

if TYPE_CHECKING:
    from duckdb import DuckDBPyConnection


@contextmanager
def duckdb_engine(suites: Suites, tables: Tables) -> Iterator[SqlEngine]:
    """The database of `tables`, lent to SQLAlchemy as long as the context lasts."""
    from pipelineplan.quality.duckdb_dialect import lend

    del suites
    with lend(tables.connection) as url:
        yield SqlEngine(url, lambda query: _first_rows(tables.connection, query))


def _first_rows(connection: DuckDBPyConnection, query: str) -> list[dict[str, Any]] | None:
    """The first rows by value; None when the query cannot be asked in this form."""
    import duckdb

    try:
        cursor = connection.execute(f"SELECT * FROM ({query}) AS bad ORDER BY ALL LIMIT {MOST_SAMPLES}")
        names = [column[0] for column in cursor.description or ()]
        return [dict(zip(names, row, strict=True)) for row in cursor.fetchall()]
    except duckdb.Error:
        return None
