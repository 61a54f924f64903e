"""Checks before they have a name: the few forms that every rule is compiled to.

    not_null("email")                 expect_column_values_to_not_be_null
    unique(("order_id",))             expect_column_values_to_be_unique
    broken_rows("amount", '"amount" < 0')   unexpected_rows_expectation

A rule becomes drafts, or a `Reason` why nothing can run it.
"""

# ruff: noqa: S608 - names and values are quoted by `sql.identifier` and `sql.literal`

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from pipelineplan.quality import sql
from pipelineplan.quality.check import Check, How

_QUERY = "unexpected_rows_expectation"


@dataclass(frozen=True)
class Draft:
    """A check without place, severity and id."""

    title: str
    dimension: str
    expectation_type: str
    kwargs: Mapping[str, Any]
    how: How = "expectation"
    columns: tuple[str, ...] = ()


@dataclass(frozen=True)
class Reason:
    """Why a rule cannot be executed."""

    text: str


Drafted = tuple[Draft, ...] | Reason


def expectation(title: str, dimension: str, kind: str, column: str, **kwargs: Any) -> Draft:
    """A core expectation on one column; arguments that are None are left out."""
    given = {key: value for key, value in kwargs.items() if value is not None}
    return Draft(title, dimension, kind, {"column": column, **given}, "expectation", (column,))


def query(title: str, dimension: str, text: str, *columns: str) -> Draft:
    """A query that selects what is wrong."""
    return Draft(title, dimension, _QUERY, {"unexpected_rows_query": text}, "sql", columns)


def not_null(column: str, at_most_share: float = 0.0) -> Draft:
    """No value of `column` is NULL, or at most that share of all rows."""
    title = (
        f"{column} is not null" if not at_most_share else f"{column} is null in at most {at_most_share:.4g}"
    )
    mostly = whole_percent(1 - at_most_share) if at_most_share else None
    if at_most_share and mostly is None:
        return query(title, "completeness", sql.share(_where(_is_null(column)), at_most_share), column)
    return expectation(title, "completeness", "expect_column_values_to_not_be_null", column, mostly=mostly)


def unique(columns: tuple[str, ...]) -> Draft:
    """No two rows agree in all of `columns`; a row with a NULL among them agrees with none.

    Of several columns it is SQL: `expect_compound_columns_to_be_unique` joins every row, with all of its
    columns, to the counts of the keys.
    """
    columns = tuple(dict.fromkeys(columns))
    title = f"{', '.join(columns)} is unique"
    # Great Expectations writes a name with a quote into a condition of its own and cannot read it back.
    if len(columns) == 1 and '"' not in columns[0]:
        return expectation(title, "uniqueness", "expect_column_values_to_be_unique", columns[0])
    return query(title, "uniqueness", sql.selected(_repeated(columns), 0.0), *columns)


def wants_unique(check: Check) -> bool:
    """Whether `check` is the SQL of `unique`: its rows are those that share a key."""
    return check.how == "sql" and check.kwargs == unique(check.columns).kwargs


def in_set(column: str, values: list[Any]) -> Draft:
    """Every value of `column` that is not NULL is one of `values`."""
    title = f"{column} is one of {len(values)} values"
    texts = all(isinstance(value, str) and value for value in values)
    numbers = all(isinstance(value, int | float) and not isinstance(value, bool) for value in values)
    if texts or numbers:
        return expectation(title, "conformity", "expect_column_values_to_be_in_set", column, value_set=values)
    # The schema of Great Expectations takes neither an empty text nor a mixed set.
    listed = ", ".join(sql.literal(value) for value in values)
    return broken_rows(title, "conformity", f"{sql.identifier(column)} NOT IN ({listed})", 0.0, column)


def row_count(low: int | None, high: int | None) -> Draft:
    """The dataset has at least `low` and at most `high` rows."""
    ends = [f"at least {low}" if low is not None else "", f"at most {high}" if high is not None else ""]
    title = f"has {' and '.join(end for end in ends if end)} rows"
    bounds = {"min_value": low, "max_value": high}
    kwargs = {key: value for key, value in bounds.items() if value is not None}
    return Draft(title, "coverage", "expect_table_row_count_to_be_between", kwargs)


def broken_rows(title: str, dimension: str, predicate: str, at_most_share: float, *columns: str) -> Draft:
    """No row for which `predicate` is true, or at most that share of all rows."""
    text = sql.share(_where(predicate), at_most_share) if at_most_share else sql.rows(predicate)
    return query(title, dimension, text, *columns)


def foreign_key(columns: tuple[str, ...], table: str, keys: tuple[str, ...], at_most_share: float) -> Draft:
    """Every row whose `columns` are not NULL has its partner in `table`."""
    pairs = list(zip(columns, keys, strict=True))
    known = " AND ".join(f"checked.{sql.identifier(column)} IS NOT NULL" for column in columns)
    same = " AND ".join(f"parent.{sql.identifier(k)} = checked.{sql.identifier(c)}" for c, k in pairs)
    partner = f"SELECT 1 FROM {sql.identifier(table)} AS parent WHERE {same}"
    title = f"{', '.join(columns)} is in {table}({', '.join(keys)})"
    return broken_rows(title, "consistency", f"{known} AND NOT EXISTS ({partner})", at_most_share, *columns)


def excess_rows(columns: tuple[str, ...]) -> str:
    """How many rows repeat a key that an earlier one had, as an expression over `checked`."""
    key = columns[0] if len(columns) == 1 else ""
    known = " AND ".join(f"{sql.identifier(column)} IS NOT NULL" for column in columns)
    if key:
        return f"COUNT({sql.identifier(key)}) - COUNT(DISTINCT {sql.identifier(key)})"
    names = ", ".join(sql.identifier(column) for column in columns)
    distinct = f"SELECT COUNT(*) FROM (SELECT DISTINCT {names} FROM checked WHERE {known}) AS keys"
    return f"COUNT(CASE WHEN {known} THEN 1 END) - ({distinct})"


def _repeated(columns: tuple[str, ...]) -> str:
    """The keys of the rows whose key occurs more than once, each as often as it occurs."""
    names = ", ".join(sql.identifier(column) for column in columns)
    known = " AND ".join(f"{sql.identifier(column)} IS NOT NULL" for column in columns)
    counted = f"SELECT {names}, COUNT(*) OVER (PARTITION BY {names}) AS checked_times FROM checked"
    return f"SELECT {names} FROM ({counted} WHERE {known}) AS counted WHERE checked_times > 1"


def whole_percent(value: float) -> float | None:
    """`value` as a `mostly` that the schema of Great Expectations takes, or None.

    That schema wants a multiple of 0.01 in binary floating point, which 0.94 for one is not.
    """
    hundredths = round(value * 100)
    mostly = hundredths / 100
    exact = abs(value * 100 - hundredths) < 1e-9 and 0 <= hundredths <= 100
    return mostly if exact and (mostly / 0.01).is_integer() else None


def _where(predicate: str) -> str:
    return f"SELECT 1 FROM checked WHERE {predicate}"


def _is_null(column: str) -> str:
    return f"{sql.identifier(column)} IS NULL"
