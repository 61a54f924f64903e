"""Checks from the quality rules of a plan.

QualityRule("orders", "out_of_order", ("event_time", "arrived_at", "order_id"))
  -> rows whose event time lies before one of the same key that arrived earlier
"""

# ruff: noqa: S608 - names and values are quoted by `sql.identifier` and `sql.literal`

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any

from pipelineplan.quality import sql
from pipelineplan.quality.draft import (
    Draft,
    Drafted,
    Reason,
    broken_rows,
    excess_rows,
    expectation,
    foreign_key,
    in_set,
    not_null,
    query,
    row_count,
    unique,
)
from pipelineplan.quality.rule import QualityRule
from pipelineplan.quality.sql import Dialect

_BETWEEN = "expect_column_values_to_be_between"


def plan_checks(  # noqa: C901, PLR0911 - one case for each kind of check
    rule: QualityRule,
    columns: tuple[str, ...],
    parents: Mapping[str, str],
    as_of: datetime | None,
    dialect: Dialect,
) -> Drafted:
    """The drafts of `rule`, whose fields are `columns` of the data.

    `parents` gives the table's name for a dataset, `as_of` the instant that counts as now.
    """
    least = {"referential": 1, "volume": 0, "sql": 0, "out_of_order": 2}.get(rule.check, 1)
    if len(columns) < least:
        return Reason(f"{rule.check} needs {least} field(s), and {len(columns)} are named")
    match rule.check:
        case "null":
            return tuple(not_null(column, rule.at_most_share) for column in columns)
        case "unique":
            return _unique(columns, rule.at_most_share)
        case "domain" | "range" | "regex":
            return _values(rule, columns, dialect)
        case "referential":
            return _referential(rule, columns, parents)
        case "freshness":
            return freshness(columns[0], rule.within_seconds, as_of, dialect)
        case "volume":
            return _volume(rule)
        case "duplicate":
            return _duplicate(rule, columns, dialect)
        case "out_of_order":
            return _out_of_order(rule, columns)
        case "drift":
            return _drift(rule, columns[0])
        case "sql":
            return _sql(rule)


def freshness(column: str, within_seconds: float | None, as_of: datetime | None, dialect: Dialect) -> Drafted:
    """The newest value is at most that old at `as_of`; the bound is rendered, in UTC.

    Not `expect_column_max_to_be_between`: that fails with an exception on a column whose zone
    and the bound's are not both given or both absent. A time without a zone is read as UTC.
    """
    if within_seconds is None:
        return Reason("freshness without an age: nothing says how old is too old")
    if as_of is None:
        return Reason("freshness needs an instant that counts as now, and none was given")
    now = as_of if as_of.tzinfo else as_of.replace(tzinfo=UTC)
    bound = (now - timedelta(seconds=within_seconds)).astimezone(UTC)
    name = sql.identifier(column)
    instant = name if dialect == "sqlite" else f"CAST({name} AS TIMESTAMP WITH TIME ZONE)"
    newest = f"SELECT MAX({instant}) AS newest FROM checked"
    late = f"newest IS NULL OR newest < {sql.literal(bound, dialect)}"
    text = sql.selected(f"SELECT CAST(newest AS VARCHAR) AS observed FROM ({newest}) AS m WHERE {late}", 0.0)
    return (query(f"{column} is as new as {bound.isoformat()}", "timeliness", text, column),)


def _unique(columns: tuple[str, ...], at_most_share: float) -> Drafted:
    if not at_most_share:
        return (unique(columns),)
    title = f"{', '.join(columns)} repeats in at most {at_most_share:.4g} of rows"
    measured = f"SELECT 1.0 * ({excess_rows(columns)}) / NULLIF(COUNT(*), 0) AS observed FROM checked"
    text = f"SELECT observed FROM ({measured}) AS measured WHERE observed > {sql.literal(at_most_share)}"
    return (query(title, "uniqueness", sql.selected(text, 0.0), *columns),)


def _values(rule: QualityRule, columns: tuple[str, ...], dialect: Dialect) -> Drafted:
    if rule.check == "domain" and not rule.values:
        return Reason("domain without values: nothing says what is allowed")
    if rule.check == "range" and rule.low is None and rule.high is None:
        return Reason("range without bounds")
    if rule.check == "regex" and not rule.pattern:
        return Reason("regex without a pattern")
    if rule.at_most_share:
        return tuple(
            broken_rows(
                _title(rule, column),
                "conformity",
                _outside(rule, column, dialect),
                rule.at_most_share,
                column,
            )
            for column in columns
        )
    return tuple(_core(rule, column) for column in columns)


def _core(rule: QualityRule, column: str) -> Draft:
    title = _title(rule, column)
    if rule.check == "domain":
        return in_set(column, list(rule.values))
    if rule.check == "regex":
        kind = "expect_column_values_to_match_regex"
        return expectation(title, "conformity", kind, column, regex=rule.pattern)
    low, high = _plain(rule.low), _plain(rule.high)
    return expectation(title, "accuracy", _BETWEEN, column, min_value=low, max_value=high)


def _outside(rule: QualityRule, column: str, dialect: Dialect) -> str:
    name = sql.identifier(column)
    if rule.check == "domain":
        return f"{name} NOT IN ({', '.join(sql.literal(value) for value in rule.values)})"
    if rule.check == "regex":
        return f"NOT {sql.matches(name, rule.pattern, dialect)}"
    ends = [f"{name} < {sql.literal(rule.low, dialect)}"] if rule.low is not None else []
    ends += [f"{name} > {sql.literal(rule.high, dialect)}"] if rule.high is not None else []
    return f"({' OR '.join(ends)})"


def _referential(rule: QualityRule, columns: tuple[str, ...], parents: Mapping[str, str]) -> Drafted:
    targets = [part.strip().rpartition(".") for part in rule.references.split(",")]
    if len(targets) != len(columns) or not all(dataset and key for dataset, _, key in targets):
        return Reason("references is not written as dataset.field, one for every field")
    if len({dataset for dataset, _, _ in targets}) != 1:
        return Reason("references names several datasets for one key")
    dataset = targets[0][0]
    table = parents.get(dataset, dataset)
    keys = tuple(key for _, _, key in targets)
    return (foreign_key(columns, table, keys, rule.at_most_share),)


def _volume(rule: QualityRule) -> Drafted:
    if rule.low is None and rule.high is None:
        return Reason("volume without bounds")
    whole = [None if end is None else int(end) for end in (rule.low, rule.high)]
    return (row_count(whole[0], whole[1]),)


def _duplicate(rule: QualityRule, columns: tuple[str, ...], dialect: Dialect) -> Drafted:
    if rule.within_seconds is None:
        return _unique(columns, rule.at_most_share)
    if len(columns) < 2:
        return Reason("duplicate within a time needs the key's fields and then the time")
    *key, time = columns
    name = sql.identifier(time)
    last = f"LAG({name}) OVER (PARTITION BY {_list(key)} ORDER BY {name} NULLS LAST)"
    known = " AND ".join(f"{sql.identifier(column)} IS NOT NULL" for column in key)
    inner = f"SELECT *, {last} AS checked_last_time FROM checked WHERE {known}"
    soon = sql.seconds_between(name, "checked_last_time", rule.within_seconds, dialect)
    text = f"SELECT * FROM ({inner}) AS keyed WHERE {soon}"
    title = f"{', '.join(key)} does not come again within {rule.within_seconds:g} s"
    return (query(title, "uniqueness", sql.selected(text, rule.at_most_share), *columns),)


def _out_of_order(rule: QualityRule, columns: tuple[str, ...]) -> Drafted:
    event, arrival, *key = columns
    partition = f"PARTITION BY {_list(key)} " if key else ""
    frame = "ROWS BETWEEN UNBOUNDED PRECEDING AND 1 PRECEDING"
    order = f"ORDER BY {sql.identifier(arrival)} NULLS LAST, {sql.identifier(event)} NULLS LAST"
    earlier = f"MAX({sql.identifier(event)}) OVER ({partition}{order} {frame})"
    inner = f"SELECT *, {earlier} AS checked_newest_before FROM checked"
    text = f"SELECT * FROM ({inner}) AS ordered WHERE {sql.identifier(event)} < checked_newest_before"
    per = f" per {', '.join(key)}" if key else ""
    return (
        query(f"{event} is in order{per}", "timeliness", sql.selected(text, rule.at_most_share), *columns),
    )


def _drift(rule: QualityRule, column: str) -> Drafted:
    """The total variation distance of the values' shares from the usual ones.

    Half the sum of the differences, which is the least share of rows that would have to be others
    (Levin, Peres, Wilmer, Markov Chains and Mixing Times, 2009, proposition 4.2). NULL has no share.
    """
    total = sum(share for _, share in rule.shares)
    if not rule.shares or abs(total - 1) > 0.001:
        return Reason(f"the usual shares are {total:.4g} together, wanted 1")
    name = sql.identifier(column)
    known = f"NULLIF(COUNT({name}), 0)"
    terms = [
        f"ABS(1.0 * COUNT(CASE WHEN {name} = {sql.literal(value)} THEN 1 END) / {known} - {share!r})"
        for value, share in rule.shares
    ]
    listed = ", ".join(sql.literal(value) for value, _ in rule.shares)
    terms.append(f"1.0 * COUNT(CASE WHEN {name} NOT IN ({listed}) THEN 1 END) / {known}")
    measured = f"SELECT ({' + '.join(terms)}) / 2 AS observed FROM checked"
    # Sums of floats: the last digits do not count.
    text = f"SELECT observed FROM ({measured}) AS measured WHERE observed > {rule.at_most_share + 1e-9!r}"
    title = f"{column} is distributed as usual but for {rule.at_most_share:.4g}"
    return (query(title, "consistency", sql.selected(text, 0.0), column),)


def _sql(rule: QualityRule) -> Drafted:
    if not rule.query.strip():
        return Reason("sql without a query")
    text = sql.placeholders(rule.query, rule.fields[0] if rule.fields else None)
    title = rule.title or "a query finds no broken rows"
    return (query(title, "accuracy", sql.selected(text, rule.at_most_share), *rule.fields),)


def _title(rule: QualityRule, column: str) -> str:
    match rule.check:
        case "domain":
            what = f"is one of {len(rule.values)} values"
        case "regex":
            what = f"matches {rule.pattern}"
        case _:
            low = "" if rule.low is None else f"at least {rule.low}"
            high = "" if rule.high is None else f"at most {rule.high}"
            what = f"is {' and '.join(end for end in (low, high) if end)}"
    most = f" but for {rule.at_most_share:.4g}" if rule.at_most_share else ""
    return f"{column} {what}{most}"


def _plain(value: Any) -> Any:
    """A bound as JSON has it: a date or time as text in ISO 8601."""
    if isinstance(value, Decimal):
        return int(value) if value == value.to_integral_value() else float(value)
    return value.isoformat() if hasattr(value, "isoformat") else value


def _list(columns: list[str]) -> str:
    return ", ".join(sql.identifier(column) for column in columns)
