"""A thin SQLAlchemy dialect through which Great Expectations reads an open DuckDB database.

    Great Expectations --SQLAlchemy--> this dialect --a cursor per statement--> duckdb

The stock `duckdb-engine` fails there: Great Expectations hands a connection back before it
reads the rows, and DuckDB drops a pending result (great_expectations issues 10738 and 11579).
So every statement has a cursor of its own, whose rows nobody drops. Remove this module when
Great Expectations has an engine for DuckDB of its own (its pull request 12084).

Great Expectations runs each query of unexpected rows twice, for the rows and for their number, in either
order. Nothing writes to the database, so where one of the two found none the other is not run again.

Importing this module imports duckdb and SQLAlchemy: only the runner does so.
"""

# ruff: noqa: TID253 - a dialect is a class of SQLAlchemy; only the runner imports this module

from __future__ import annotations

import itertools
import re
import threading
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

import duckdb
import sqlalchemy
from duckdb import DuckDBPyConnection
from sqlalchemy.dialects.postgresql.base import PGCompiler, PGDialect, PGIdentifierPreparer

SCHEME = "pipelineplan_duckdb"
LONGEST_STATEMENT_SECONDS = 600

_COUNTED = re.compile(r"\ASELECT COUNT\(\*\) as (\w+) FROM \((.*)\) AS \w+\Z", re.DOTALL)


@dataclass(frozen=True)
class _Lent:
    """A database, and the queries that are known to find no rows in it."""

    connection: DuckDBPyConnection
    without_rows: set[str] = field(default_factory=set)


_opened: dict[str, _Lent] = {}
_numbers = itertools.count()


@contextmanager
def lend(connection: DuckDBPyConnection) -> Iterator[str]:
    """Lend `connection` to SQLAlchemy as long as the context lasts; gives the URL to reach it."""
    sqlalchemy.dialects.registry.register(SCHEME, __name__, "LentDuckDB")
    name = f"lent{next(_numbers)}"
    _opened[name] = _Lent(connection)
    try:
        yield f"{SCHEME}:///{name}"
    finally:
        del _opened[name]


class _Cursor:
    """A DB-API cursor on a DuckDB connection of its own, which outlives the one it came from."""

    arraysize = 1
    rowcount = -1

    def __init__(self, lent: _Lent) -> None:
        self._own = lent.connection.cursor()
        self._without_rows = lent.without_rows
        self._first: list[Any] = []
        self.description: Any = None

    def execute(self, statement: str, parameters: Sequence[Any] | None = None, **_: Any) -> None:
        # DuckDB looks for an interruption while it runs, so no statement runs for ever.
        watch = threading.Timer(LONGEST_STATEMENT_SECONDS, self._own.interrupt)
        watch.daemon = True
        watch.start()
        try:
            self._own.execute(self._shortened(statement), list(parameters or ()))
            self._first = self._own.fetchmany(1) if self._own.description else []
        finally:
            watch.cancel()
        self.description = self._own.description
        if not parameters:
            self._remember(statement)

    def _shortened(self, statement: str) -> str:
        """The statement, or one with the same answer where it is known that no row can be found."""
        counted = _COUNTED.match(statement.strip())
        if counted and counted[2].strip() in self._without_rows:
            return f"SELECT 0 AS {counted[1]}"
        if statement.strip() in self._without_rows:
            return f"SELECT * FROM ({statement}\n) AS found LIMIT 0"  # noqa: S608 - it is what was asked
        return statement

    def _remember(self, statement: str) -> None:
        counted = _COUNTED.match(statement.strip())
        if counted and self._first == [(0,)]:
            self._without_rows.add(counted[2].strip())
        elif not self._first:
            self._without_rows.add(statement.strip())

    def fetchone(self) -> Any:
        return self._first.pop() if self._first else self._own.fetchone()

    def fetchmany(self, size: int | None = None) -> list[Any]:
        wanted = size or self.arraysize
        first, self._first = self._first, []
        return first + (self._own.fetchmany(wanted - len(first)) if wanted > len(first) else [])

    def fetchall(self) -> list[Any]:
        first, self._first = self._first, []
        return first + self._own.fetchall()

    def close(self) -> None:
        """Leave the rows for who still reads them; they go with the cursor."""


class _Connection:
    """A DB-API connection on a database that stays open when it is closed."""

    def __init__(self, lent: _Lent) -> None:
        self._lent = _Lent(lent.connection.cursor(), lent.without_rows)

    def cursor(self) -> _Cursor:
        return _Cursor(self._lent)

    def commit(self) -> None:
        """Nothing to commit: nothing is written."""

    def rollback(self) -> None:
        """Nothing to take back."""

    def close(self) -> None:
        self._lent.connection.close()


class _Compiler(PGCompiler):
    def visit_custom_op_binary(self, element: Any, operator: Any, **kw: Any) -> str:
        """Render PostgreSQL's `~` as a search: DuckDB before 2.0 reads it as a full match."""
        if operator.opstring not in {"~", "!~"}:
            return str(super().visit_custom_op_binary(element, operator, **kw))  # type: ignore[no-untyped-call]
        left, right = self.process(element.left, **kw), self.process(element.right, **kw)
        negation = "NOT " if operator.opstring == "!~" else ""
        return f"{negation}regexp_matches({left}, {right})"


class _Quoting(PGIdentifierPreparer):
    """Every name in quotes: DuckDB reserves words that PostgreSQL does not, `at` and `day` among them."""

    def _requires_quotes(self, value: str) -> bool:
        del value
        return True


class LentDuckDB(PGDialect):
    """DuckDB under the name of PostgreSQL, whose SQL Great Expectations knows how to write."""

    driver = "duckdb"
    supports_statement_cache = False
    statement_compiler = _Compiler
    preparer = _Quoting

    @classmethod
    def import_dbapi(cls) -> Any:
        """DuckDB's own DB-API module."""
        return duckdb

    def create_connect_args(self, url: Any) -> Any:
        """Reach the database by the name that `lend` gave it."""
        return (), {"name": url.database}

    def connect(self, *_: Any, name: str = "", **__: Any) -> Any:
        """A connection of its own on the database that `lend` lends under `name`."""
        return _Connection(_opened[name])

    def do_begin(self, dbapi_connection: Any) -> None:
        """Begin nothing: every statement only reads."""

    def on_connect(self) -> None:
        """Set nothing up."""

    def initialize(self, connection: Any) -> None:
        """Ask nothing: only a PostgreSQL server could answer."""
        del connection
        self.server_version_info, self.default_schema_name = (16, 0), "main"
