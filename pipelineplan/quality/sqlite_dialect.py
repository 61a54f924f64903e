"""SQLite for Great Expectations: read only, statements that end, and patterns in linear time.

SQLAlchemy gives SQLite a `REGEXP` that is Python's `re`, which a hostile pattern can hang; here it
is RE2, which has no such patterns and agrees with DuckDB. Importing this module imports SQLAlchemy.
"""

# ruff: noqa: TID253 - a dialect is a class of SQLAlchemy; only the runner imports this module

from __future__ import annotations

import sqlite3
import threading
from typing import Any

import sqlalchemy
from sqlalchemy.dialects.sqlite.pysqlite import SQLiteDialect_pysqlite

SCHEME = "pipelineplan_sqlite"
LONGEST_STATEMENT_SECONDS = 600


def register() -> None:
    """Make the scheme known to SQLAlchemy."""
    sqlalchemy.dialects.registry.register(SCHEME, __name__, "ReadOnlySqlite")


def prepare(connection: sqlite3.Connection) -> None:
    """Give `connection` the operator REGEXP and take writing from it."""
    connection.create_function("regexp", 2, _found, deterministic=True)
    connection.execute("PRAGMA query_only = ON")


def _found(pattern: str, text: Any) -> bool | None:
    import pyarrow as pa
    import pyarrow.compute as pc

    if text is None:
        return None
    return bool(pc.match_substring_regex(pa.scalar(str(text)), pattern).as_py())


class ReadOnlySqlite(SQLiteDialect_pysqlite):
    """SQLAlchemy's own dialect of SQLite, on connections that `prepare` has seen."""

    supports_statement_cache = False

    def on_connect(self) -> Any:
        """Prepare every connection after SQLAlchemy has."""
        before = super().on_connect()

        def both(connection: Any) -> None:
            if before is not None:
                before(connection)
            prepare(connection)

        return both

    def do_execute(self, cursor: Any, statement: Any, parameters: Any, context: Any = None) -> None:
        """Run a statement, and stop it when it takes too long."""
        watch = threading.Timer(LONGEST_STATEMENT_SECONDS, cursor.connection.interrupt)
        watch.daemon = True
        watch.start()
        try:
            super().do_execute(cursor, statement, parameters, context)  # type: ignore[no-untyped-call]
        finally:
            watch.cancel()
