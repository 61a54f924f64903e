"""Tables as a schema of their own in a PostgreSQL database, dropped when all is checked.

The URL comes from the environment and goes to no file. The checks run in a session that may only
read, counts time in UTC and stops a statement after ten minutes. Rules are SQL: give them a role
that may create a schema and do nothing else in that database.
"""

from __future__ import annotations

import os
import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any
from urllib.parse import quote

from pipelineplan.errors import InputError, MissingExtraError, Position, Problem
from pipelineplan.quality.check import Suites
from pipelineplan.quality.engine import SqlEngine
from pipelineplan.quality.outcome import MOST_SAMPLES
from pipelineplan.quality.project import DATABASE_VARIABLE
from pipelineplan.quality.tables import Tables
from pipelineplan.quality.types import has_type
from pipelineplan.quality.values import column_blocks

if TYPE_CHECKING:
    from psycopg import Connection

LONGEST_STATEMENT_SECONDS = 600
_OPENED = "PIPELINEPLAN_DATABASE_IN_USE"
_TYPES = {
    "BOOLEAN": "boolean",
    "DATE": "date",
    "TIME": "time",
    "DOUBLE": "double precision",
    "FLOAT": "double precision",
    "BLOB": "bytea",
    "TIMESTAMP WITH TIME ZONE": "timestamptz",
}


@contextmanager
def postgresql_engine(suites: Suites, tables: Tables) -> Iterator[SqlEngine]:
    """A copy of `tables` in the database that the environment names, as long as the context lasts.

    Raises `InputError` when no database is named or none answers.
    """
    url = _url()
    schema = f"pipelineplan_{uuid.uuid4().hex[:12]}"
    with _connected(url) as connection:
        _run(connection, "CREATE SCHEMA {}", schema)
        try:
            for suite in suites.suites:
                if suite.dataset in tables.tables:
                    _copy(connection, tables, schema, suite.dataset, suite.table)
            _run(connection, "SET search_path TO {}", schema)
            os.environ[_OPENED] = _session(url, schema)
            connection.execute("SET default_transaction_read_only = on")
            yield SqlEngine(f"${{{_OPENED}}}", lambda query: _first_rows(connection, query))
        finally:
            os.environ.pop(_OPENED, None)
            connection.execute("SET default_transaction_read_only = off")
            _run(connection, "DROP SCHEMA {} CASCADE", schema)


def _url() -> str:
    url = os.environ.get(DATABASE_VARIABLE, "")
    if not url.startswith(("postgresql://", "postgres://", "postgresql+")):
        message = "names no PostgreSQL database" if url else "is not set"
        fix = f"set {DATABASE_VARIABLE}=postgresql://user@host/database"
        raise InputError(
            [Problem(f"{DATABASE_VARIABLE} {message}", Position("--backend postgresql"), fix=fix)]
        )
    return "postgresql://" + url.partition("://")[2]


@contextmanager
def _connected(url: str) -> Iterator[Connection[Any]]:
    try:
        import psycopg
    except ImportError as error:
        raise MissingExtraError("checking in PostgreSQL", "postgresql") from error
    try:
        connection = psycopg.connect(url, autocommit=True, connect_timeout=10, options="-c timezone=UTC")
    except psycopg.Error as error:
        reason = str(error).strip().splitlines()[0]
        raise InputError(
            [Problem(f"the database does not answer: {reason}", Position(DATABASE_VARIABLE))]
        ) from None
    with connection:
        yield connection


def _session(url: str, schema: str) -> str:
    """The URL for SQLAlchemy, whose sessions see the schema and may only read."""
    settings = {
        "search_path": schema,
        "timezone": "UTC",
        "default_transaction_read_only": "on",
        "statement_timeout": f"{LONGEST_STATEMENT_SECONDS}s",
    }
    options = quote(" ".join(f"-c {name}={value}" for name, value in settings.items()))
    joint = "&" if "?" in url else "?"
    return f"postgresql+psycopg://{url.partition('://')[2]}{joint}options={options}"


def _run(connection: Connection[Any], text: str, *names: str) -> None:
    from psycopg import sql

    connection.execute(sql.SQL(text).format(*(sql.Identifier(name) for name in names)))


def _copy(connection: Connection[Any], tables: Tables, schema: str, dataset: str, table: str) -> None:
    from psycopg import sql

    kinds = tables.tables[dataset].columns
    columns = sql.SQL(", ").join(
        sql.SQL("{} {}").format(sql.Identifier(name), sql.SQL(_type(kind))) for name, kind in kinds.items()
    )
    target = sql.Identifier(schema, table)
    connection.execute(sql.SQL("CREATE TABLE {} ({})").format(target, columns))
    with connection.cursor().copy(sql.SQL("COPY {} FROM STDIN").format(target)) as copy:
        for block in column_blocks(tables, dataset):
            for row in zip(*block, strict=True):
                copy.write_row(row)
    if table != dataset:
        view = sql.SQL("CREATE VIEW {} AS SELECT * FROM {}")
        connection.execute(view.format(sql.Identifier(schema, dataset), target))


def _type(kind: str) -> str:
    """A type of PostgreSQL that holds every value of DuckDB's type."""
    if kind in _TYPES:
        return _TYPES[kind]
    if kind.startswith("TIMESTAMP"):
        return "timestamp"
    if kind.startswith("DECIMAL"):
        return f"numeric{kind.removeprefix('DECIMAL')}"
    if has_type(kind, "integer"):
        return "bigint" if kind in {"TINYINT", "SMALLINT", "INTEGER", "BIGINT"} else "numeric"
    return "numeric" if has_type(kind, "number") else "text"


def _first_rows(connection: Connection[Any], query: str) -> list[dict[str, Any]] | None:
    import psycopg

    try:
        cursor = connection.execute(f"SELECT * FROM ({query}) AS bad LIMIT {MOST_SAMPLES}")  # noqa: S608
        names = [column.name for column in cursor.description or ()]
        return [dict(zip(names, row, strict=True)) for row in cursor.fetchall()]
    except psycopg.Error:
        return None
