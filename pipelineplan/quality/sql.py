"""SQL for the rules that no expectation of Great Expectations asks: queries of unexpected rows.

    WITH checked AS (SELECT * FROM {batch})
    SELECT * FROM checked WHERE "amount" < 0

`{batch}` is filled in by Great Expectations and stands once, so that a table and a query both
fit. Identifiers and values are quoted here; nothing else of a rule but its own SQL is code.

What is written here runs on DuckDB and PostgreSQL as it stands. SQLite has no types for time and
no operator for patterns, so those few places take the dialect.
"""

# ruff: noqa: S608 - names and values are quoted by `sql.identifier` and `sql.literal`

from __future__ import annotations

import re
from datetime import UTC, date, datetime, time
from decimal import Decimal
from typing import Any, Literal

from pipelineplan.contracts import Comparison

Dialect = Literal["standard", "sqlite"]

# SQLAlchemy would read `:word` in a query as the name of a parameter.
_PARAMETER = re.compile(r"(?<![:\w\\]):(?=\w)")
_TABLE = re.compile(r"\$?\{\s*(?:table|object|batch)\s*\}")
_COLUMN = re.compile(r"\$?\{\s*(?:column|property|field)\s*\}")
_CHECKED = "checked"


def identifier(name: str) -> str:
    """`name` as a quoted SQL identifier; a quote inside is doubled."""
    return '"' + name.replace('"', '""') + '"'


def literal(value: Any, dialect: Dialect = "standard") -> str:  # noqa: PLR0911 - one for each type
    """`value` as a SQL literal; raises `ValueError` for what has none.

    To SQLite a date or time is the text that SQLAlchemy keeps there, an instant in UTC.
    """
    match value:
        case None:
            return "NULL"
        case bool():
            return "TRUE" if value else "FALSE"
        case int() | float():
            return repr(value)
        case Decimal():
            return str(value)
        case date() | time() if dialect == "sqlite":
            return f"'{sqlite_text(value)}'"
        case time():
            return f"TIME '{value.isoformat()}'"
        case datetime():
            kind = "TIMESTAMP WITH TIME ZONE" if value.tzinfo else "TIMESTAMP"
            return f"{kind} '{value.isoformat(sep=' ')}'"
        case date():
            return f"DATE '{value.isoformat()}'"
        case str():
            return "'" + value.replace("'", "''") + "'"
        case _:
            raise ValueError(f"a {type(value).__name__} is not a value of a column")


def sqlite_text(value: date | time) -> str:
    """A date, time or instant as SQLAlchemy writes it into SQLite, so that text sorts as time does."""
    match value:
        case datetime():
            naive = value.astimezone(UTC).replace(tzinfo=None) if value.tzinfo else value
            return naive.isoformat(sep=" ", timespec="microseconds")
        case time():
            return value.isoformat(timespec="microseconds")
        case _:
            return value.isoformat()


def matches(name: str, pattern: str, dialect: Dialect) -> str:
    """Whether the pattern is found anywhere in the column."""
    if dialect == "sqlite":
        return f"regexp({literal(pattern)}, {name})"
    return f"({name} ~ {literal(pattern)})"


def seconds_between(later: str, earlier: str, at_most: float, dialect: Dialect) -> str:
    """Whether `later` comes less than `at_most` seconds after `earlier`; both are columns of time."""
    if dialect == "standard":
        return f"{later} - {earlier} < INTERVAL '{at_most:.6f} seconds'"
    return f"{_microseconds(later)} - {_microseconds(earlier)} < {round(at_most * 1e6)}"


def _microseconds(text: str) -> str:
    """Text of SQLAlchemy's form in SQLite as whole microseconds; without a fraction it has none."""
    whole = f"CAST(strftime('%s', substr({text}, 1, 19)) AS INTEGER)"
    return f"({whole} * 1000000 + CAST(substr({text}, 21, 6) AS INTEGER))"


def rows(predicate: str) -> str:
    """The rows for which `predicate` is true; NULL is not true."""
    return _query(f"SELECT * FROM {_CHECKED} WHERE {predicate}")


def share(broken: str, at_most: float) -> str:
    """One row with the share, when more than `at_most` of all rows are in `broken`.

    `broken` is a SELECT over `checked` with as many rows as rows are bad. No rows, no share.
    """
    counted = f"(SELECT COUNT(*) FROM ({broken}) AS broken)"
    measure = f"SELECT 1.0 * {counted} / NULLIF(COUNT(*), 0) AS observed FROM {_CHECKED}"
    return _query(f"SELECT observed FROM ({measure}) AS measured WHERE observed > {literal(at_most)}")


def measure(expression: str, comparisons: tuple[Comparison, ...], *, percent: bool = False) -> str:
    """One row with the value of `expression` over `checked`, when it does not compare as wanted.

    In percent the value is taken as a share of all rows; of no rows it is 0.
    """
    of_all = "CASE WHEN COUNT(*) = 0 THEN 1 ELSE COUNT(*) END"
    value = f"100.0 * ({expression}) / {of_all}" if percent else expression
    return _query(_unless(f"SELECT {value} AS observed FROM {_CHECKED}", comparisons))


def answer(query: str, comparisons: tuple[Comparison, ...]) -> str:
    """One row with the one value that `query` selects, when it does not compare as wanted.

    No row, and NULL, compare as wanted with nothing.
    """
    return _query(_unless(f"SELECT (\n{query}\n) AS observed", comparisons))


def selected(query: str, at_most: float) -> str:
    """The rows that `query` selects, or their share when some are allowed."""
    if at_most > 0:
        return share(query, at_most)
    return _query(f"SELECT * FROM (\n{query}\n) AS selected")


def comparison(observed: str, wanted: Comparison) -> str:
    """`wanted` as a condition on `observed`; both ends of a range belong to it."""
    first = literal(wanted.values[0])
    match wanted.operator:
        case "between":
            return f"({observed} BETWEEN {first} AND {literal(wanted.values[1])})"
        case "not between":
            return f"(NOT {observed} BETWEEN {first} AND {literal(wanted.values[1])})"
        case "!=":
            return f"({observed} <> {first})"
        case operator:
            return f"({observed} {operator} {first})"


def placeholders(query: str, column: str | None) -> str:
    """The contract's `${table}` and `${column}` put in; a final semicolon goes."""
    text = _TABLE.sub(_CHECKED, query.strip().rstrip(";").strip())
    return _COLUMN.sub(lambda _: identifier(column), text) if column else text


def _unless(measured: str, comparisons: tuple[Comparison, ...]) -> str:
    wanted = " AND ".join(comparison("observed", each) for each in comparisons)
    return f"SELECT observed FROM ({measured}) AS measured WHERE observed IS NULL OR NOT ({wanted})"


def _query(body: str) -> str:
    escaped = body.replace("{", "{{").replace("}", "}}")
    return f"WITH {_CHECKED} AS (SELECT * FROM {{batch}}) " + _PARAMETER.sub(r"\\:", escaped)
