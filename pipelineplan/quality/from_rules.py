"""Checks from the quality rules of a contract: library metrics, SQL, and custom expectations.

    {metric: nullValues, mustBe: 0}                      -> expect_column_values_to_not_be_null
    {metric: duplicateValues, mustBeLessThan: 5}         -> SQL
    {type: text, description: "roughly daily"}           -> not executable: text is for people

What each metric counts, and of what, is pinned in docs/reference/quality-mapping.md.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from typing import Any

from pipelineplan.contracts import Comparison, ContractRule, Dataset
from pipelineplan.documents import read_text
from pipelineplan.errors import InputError
from pipelineplan.quality import sql
from pipelineplan.quality.check import How
from pipelineplan.quality.draft import (
    Draft,
    Drafted,
    Reason,
    excess_rows,
    expectation,
    in_set,
    not_null,
    query,
    row_count,
    unique,
    whole_percent,
)
from pipelineplan.quality.sql import Dialect

_UNITS = {"": False, "rows": False, "percent": True, "%": True}
# What the arguments of a metric may say beside `properties`, which name its columns.
_ARGUMENTS = {"missingValues": ("missingValues",), "invalidValues": ("validValues", "pattern")}
# The names that version 3.0 used in its examples.
_METRICS = {
    "rowCount": "rowCount",
    "nullValues": "nullValues",
    "nullCheck": "nullValues",
    "missingValues": "missingValues",
    "invalidValues": "invalidValues",
    "validValues": "invalidValues",
    "duplicateValues": "duplicateValues",
    "duplicateCount": "duplicateValues",
}


def rule_checks(rule: ContractRule, dataset: Dataset, dialect: Dialect) -> Drafted:
    """The drafts of one quality rule of `dataset`, or the reason why it cannot run."""
    if "." in rule.field and rule.kind != "text":
        return Reason("a rule on a field inside another one: checks run on the columns of a table")
    match rule.kind:
        case "text":
            return Reason("text is for people")
        case "sql":
            return _sql(rule, dataset)
        case "custom":
            return _custom(rule, dataset)
        case "library":
            return _library(rule, dataset, dialect)


def _library(rule: ContractRule, dataset: Dataset, dialect: Dialect) -> Drafted:
    metric = _METRICS.get(rule.metric, "")
    reason = _why_not(rule, metric)
    if reason:
        return Reason(reason)
    if metric == "rowCount":
        return _row_count(rule)
    columns = _columns(rule, dataset)
    if isinstance(columns, Reason):
        return columns
    if len(columns) == 1 or metric == "duplicateValues":
        return _COUNTS[metric](rule, columns, dialect)
    if not _none_allowed(rule):
        return Reason(f"{metric} of several columns: how they count together is not said")
    return _of_each(_COUNTS[metric](rule, (column,), dialect) for column in columns)


def _why_not(rule: ContractRule, metric: str) -> str:
    """Why a library rule cannot run whatever its columns are; empty if it may."""
    if not metric:
        return f"the metric {rule.metric!r} is not one of the standard's"
    if rule.unit not in _UNITS:
        return f"the unit {rule.unit!r} is neither rows nor percent"
    if not all(_comparable(comparison) for comparison in rule.comparisons):
        return "a count compares only with numbers"
    # With an argument that the metric does not have, the rule means something that nobody would check.
    of_columns = () if rule.field or metric == "rowCount" else ("properties",)
    unknown = [name for name in rule.arguments if name not in (*_ARGUMENTS.get(metric, ()), *of_columns)]
    where = f" of {rule.field}" if rule.field else ""
    return f"{rule.metric}{where} has no argument {unknown[0]!r}" if unknown else ""


def _of_each(drafted: Iterable[Drafted]) -> Drafted:
    """The checks of several columns, when there are some for every one of them."""
    drafts: list[Draft] = []
    for each in drafted:
        if isinstance(each, Reason):
            return each
        drafts += each
    return tuple(drafts)


def _columns(rule: ContractRule, dataset: Dataset) -> tuple[str, ...] | Reason:
    """The columns that a rule is about: its field, or the `properties` of its arguments."""
    names = (rule.field,) if rule.field else tuple(rule.arguments.get("properties") or ())
    if not names:
        return Reason(f"{rule.metric} is about a column, and none is named")
    fields = [dataset.find(str(name)) for name in names]
    missing = [str(name) for name, field in zip(names, fields, strict=True) if field is None]
    if missing:
        return Reason(f"the dataset has no field {', '.join(missing)}")
    return tuple(field.column for field in fields if field)


def _row_count(rule: ContractRule) -> Drafted:
    if _UNITS[rule.unit]:
        return Reason("rowCount in percent: of what is not said")
    bounds = _row_bounds(rule.comparisons)
    if bounds is not None:
        return (row_count(*bounds),)
    text = sql.measure("COUNT(*)", rule.comparisons)
    return (query(f"the number of rows {_words(rule)}", "coverage", text),)


def _row_bounds(comparisons: tuple[Comparison, ...]) -> tuple[int | None, int | None] | None:
    """The least and the most rows, when whole numbers and nothing but bounds; else None."""
    low, high = None, None
    if len(comparisons) != 1 or not all(isinstance(value, int) for value in comparisons[0].values):
        return None
    first, last = comparisons[0].values[0], comparisons[0].values[-1]
    match comparisons[0].operator:
        case "=" | "between":
            low, high = first, last
        case ">":
            low = first + 1
        case ">=":
            low = first
        case "<" if last > 0:
            high = last - 1
        case "<=":
            high = last
        case _:
            return None
    return low, high


def _null_values(rule: ContractRule, columns: tuple[str, ...], _: Dialect) -> Drafted:
    column = columns[0]
    if _none_allowed(rule):
        return (not_null(column),)
    share = _largest_share(rule)
    if share is not None and whole_percent(1 - share) is not None:
        return (not_null(column, share),)
    return (_counted(rule, f"COUNT(*) - COUNT({sql.identifier(column)})", "completeness", columns),)


def _missing_values(rule: ContractRule, columns: tuple[str, ...], _: Dialect) -> Drafted:
    """Values of the list; NULL counts when it is in the list, or when there is no list."""
    listed = rule.arguments.get("missingValues")
    if listed is not None and not isinstance(listed, list):
        return Reason("arguments.missingValues is not a list")
    column = sql.identifier(columns[0])
    parts = [f"{column} IS NULL"] if listed is None or None in listed else []
    try:
        values = [(isinstance(value, str), sql.literal(value)) for value in listed or () if value is not None]
    except ValueError as error:
        return Reason(f"arguments.missingValues: {error}")
    # Text among numbers or dates is looked for in what they are written as: none of them can be it.
    for own, is_text in ((column, False), (f"CAST({column} AS VARCHAR)", True)):
        among = ", ".join(literal for text, literal in values if text is is_text)
        parts += [f"{own} IN ({among})"] if among else []
    condition = " OR ".join(parts) or "FALSE"
    return (_counted(rule, f"COUNT(CASE WHEN {condition} THEN 1 END)", "completeness", columns),)


def _invalid_values(rule: ContractRule, columns: tuple[str, ...], dialect: Dialect) -> Drafted:
    """Values outside `validValues` or that do not match `pattern`; NULL is never invalid."""
    valid, pattern = rule.arguments.get("validValues"), rule.arguments.get("pattern")
    if not isinstance(valid, list | None) or not isinstance(pattern, str | None):
        return Reason("arguments.validValues is not a list, or arguments.pattern not a text")
    if valid is None and pattern is None:
        return Reason("invalidValues without validValues or pattern: nothing says what is valid")
    values = None if valid is None else [value for value in valid if value is not None]
    if any(isinstance(value, list | dict) for value in values or ()):
        return Reason("arguments.validValues holds a list or a mapping")
    if _none_allowed(rule) and values != []:
        return _all_valid(columns[0], values, pattern)
    count = _invalid_count(columns[0], values, pattern, dialect)
    return (_counted(rule, count, "conformity", columns),)


def _all_valid(column: str, values: list[Any] | None, pattern: str | None) -> tuple[Draft, ...]:
    drafts = []
    if values is not None:
        drafts.append(in_set(column, values))
    if pattern is not None:
        title, kind = f"{column} matches {pattern}", "expect_column_values_to_match_regex"
        drafts.append(expectation(title, "conformity", kind, column, regex=pattern))
    return tuple(drafts)


def _invalid_count(column: str, values: list[Any] | None, pattern: str | None, dialect: Dialect) -> str:
    name = sql.identifier(column)
    parts = []
    if values is not None:
        listed = ", ".join(sql.literal(value) for value in values)
        parts.append(f"{name} NOT IN ({listed})" if values else f"{name} IS NOT NULL")
    if pattern is not None:
        parts.append(f"NOT {sql.matches(name, pattern, dialect)}")
    return f"COUNT(CASE WHEN {' OR '.join(parts)} THEN 1 END)"


def _duplicate_values(rule: ContractRule, columns: tuple[str, ...], _: Dialect) -> Drafted:
    if _none_allowed(rule):
        return (unique(columns),)
    return (_counted(rule, excess_rows(columns), "uniqueness", columns),)


_COUNTS: Mapping[str, Callable[[ContractRule, tuple[str, ...], Dialect], Drafted]] = {
    "nullValues": _null_values,
    "missingValues": _missing_values,
    "invalidValues": _invalid_values,
    "duplicateValues": _duplicate_values,
}


def _counted(rule: ContractRule, count: str, dimension: str, columns: tuple[str, ...]) -> Draft:
    text = sql.measure(count, rule.comparisons, percent=_UNITS[rule.unit])
    what = f"{rule.metric} of {', '.join(columns)}"
    return query(f"{what} {_words(rule)}", rule.dimension or dimension, text, *columns)


def _sql(rule: ContractRule, dataset: Dataset) -> Drafted:
    if any(isinstance(value, list | dict) for each in rule.comparisons for value in each.values):
        return Reason("a query's answer compares only with one value")
    field = dataset.find(rule.field) if rule.field else None
    text = sql.placeholders(rule.query, field.column if field else None)
    title = rule.name or rule.description or f"a query's answer {_words(rule)}"
    asked = sql.answer(text, rule.comparisons)
    columns = (field.column,) if field else ()
    return (query(title, rule.dimension or "accuracy", asked, *columns),)


def _custom(rule: ContractRule, dataset: Dataset) -> Drafted:
    if rule.engine.lower().replace("-", "").replace("_", "") not in {"greatexpectations", "gx"}:
        return Reason(f"written for the engine {rule.engine!r}, which this package does not run")
    written = rule.implementation
    if isinstance(written, str):
        try:
            written = read_text(written, "implementation").data
        except InputError as error:
            return Reason(f"the implementation cannot be read: {error.problems[0].message}")
    kind = written.get("type") or written.get("expectation_type") if isinstance(written, dict) else None
    kwargs = written.get("kwargs", {}) if isinstance(written, dict) else {}
    if not isinstance(kind, str) or not isinstance(kwargs, dict):
        return Reason("the implementation names no expectation with 'type' and 'kwargs'")
    field = dataset.find(rule.field) if rule.field else None
    if field and "column" in kind and "columns" not in kind:
        kwargs = {"column": field.column, **kwargs}
    return (_custom_draft(rule, kind, kwargs),)


def _custom_draft(rule: ContractRule, kind: str, kwargs: dict[str, Any]) -> Draft:
    title = rule.name or rule.description or kind
    how: How = "sql" if kind == "unexpected_rows_expectation" else "expectation"
    column = kwargs.get("column")
    columns = (column,) if isinstance(column, str) else ()
    return Draft(title, rule.dimension or "accuracy", kind, kwargs, how, columns)


def _none_allowed(rule: ContractRule) -> bool:
    """Whether the only comparison says zero, in rows or in percent."""
    if len(rule.comparisons) != 1:
        return False
    operator, value = rule.comparisons[0].operator, rule.comparisons[0].values[0]
    return operator in {"=", "<="} and value == 0


def _largest_share(rule: ContractRule) -> float | None:
    """The share of a single `at most so many percent`, or None."""
    if len(rule.comparisons) != 1 or not _UNITS[rule.unit] or rule.comparisons[0].operator != "<=":
        return None
    value = rule.comparisons[0].values[0]
    return float(value) / 100 if 0 <= value <= 100 else None


def _comparable(comparison: Comparison) -> bool:
    return all(isinstance(value, int | float) and not isinstance(value, bool) for value in comparison.values)


def _words(rule: ContractRule) -> str:
    unit = " percent" if _UNITS.get(rule.unit) else ""
    spoken = [f"{each.operator} {' and '.join(str(v) for v in each.values)}" for each in rule.comparisons]
    return f"must be {' and '.join(spoken)}{unit}"
