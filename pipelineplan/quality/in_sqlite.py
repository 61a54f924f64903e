"""Tables as a SQLite database in a temporary folder, which Great Expectations reads.

    DECIMAL, DOUBLE   REAL      timestamps   TEXT "2026-03-01 11:00:00.000000", in UTC
    integers          INTEGER   dates        TEXT "2026-03-01"

SQLite keeps about 15 digits of a decimal. A column with more is told of, so that no check of it
passes on digits that were lost.
"""

# ruff: noqa: S608 - names are quoted by `sql.identifier`

from __future__ import annotations

import sqlite3
import tempfile
from collections.abc import Iterator
from contextlib import closing, contextmanager
from datetime import date, datetime, time
from decimal import Decimal
from pathlib import Path
from typing import Any

from pipelineplan.quality.check import Suites
from pipelineplan.quality.engine import SqlEngine
from pipelineplan.quality.sql import identifier, sqlite_text
from pipelineplan.quality.tables import Tables
from pipelineplan.quality.types import has_type
from pipelineplan.quality.values import as_float, column_blocks

_WHOLE = range(-(2**63), 2**63)


@contextmanager
def sqlite_engine(suites: Suites, tables: Tables) -> Iterator[SqlEngine]:
    """A database with a copy of `tables`, as long as the context lasts."""
    from pipelineplan.quality import sqlite_dialect

    sqlite_dialect.register()
    with tempfile.TemporaryDirectory(prefix="pipelineplan-sqlite-") as folder:
        file = Path(folder) / "data.sqlite"
        with closing(sqlite3.connect(file)) as connection:
            inexact = [
                (suite.dataset, column)
                for suite in suites.suites
                if suite.dataset in tables.tables
                for column in _copy(connection, tables, suite.dataset, suite.table)
            ]
            connection.commit()
            sqlite_dialect.prepare(connection)

            def ask(query: str) -> list[dict[str, Any]] | None:
                return _first_rows(connection, query)

            reasons = dict.fromkeys(inexact, "SQLite keeps 15 digits of a decimal, and it has more")
            yield SqlEngine(f"{sqlite_dialect.SCHEME}:///{file.as_posix()}", ask, reasons)


def _copy(connection: sqlite3.Connection, tables: Tables, dataset: str, table: str) -> list[str]:
    """Copy one dataset; gives the columns with numbers that did not fit."""
    kinds = tables.tables[dataset].columns
    columns = ", ".join(f"{identifier(name)} {_type(kind)}" for name, kind in kinds.items())
    connection.execute(f"CREATE TABLE {identifier(table)} ({columns})")
    if table != dataset:
        connection.execute(f"CREATE VIEW {identifier(dataset)} AS SELECT * FROM {identifier(table)}")
    marks = ", ".join("?" for _ in kinds)
    inexact: set[str] = set()
    for block in column_blocks(tables, dataset):
        for name, values in zip(kinds, block, strict=True):
            if any(_loses(value) for value in values):
                inexact.add(name)
        rows = zip(*([_kept(value) for value in values] for values in block), strict=True)
        connection.executemany(f"INSERT INTO {identifier(table)} VALUES ({marks})", rows)
    return sorted(inexact)


def _type(kind: str) -> str:
    if kind == "BOOLEAN" or has_type(kind, "integer"):
        return "INTEGER"
    if has_type(kind, "number"):
        return "REAL"
    return "BLOB" if kind == "BLOB" else "TEXT"


def _loses(value: Any) -> bool:
    if isinstance(value, Decimal):
        return as_float(value) is None
    return isinstance(value, int) and value not in _WHOLE


def _kept(value: Any) -> Any:
    if isinstance(value, date | datetime | time):
        return sqlite_text(value)
    if isinstance(value, Decimal) or (isinstance(value, int) and value not in _WHOLE):
        return float(value)
    return value


def _first_rows(connection: sqlite3.Connection, query: str) -> list[dict[str, Any]] | None:
    try:
        cursor = connection.execute(f"SELECT * FROM ({query}) AS bad LIMIT 5")
        names = [column[0] for column in cursor.description]
        return [dict(zip(names, row, strict=True)) for row in cursor.fetchall()]
    except sqlite3.Error:
        return None
