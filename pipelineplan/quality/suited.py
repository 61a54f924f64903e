"""Whether a check suits the column it asks, and its bounds in that column's own kind of time.

    expect_column_values_to_be_between, min 18       on VARCHAR      not evaluated: wanted a number
    min "2026-01-01"                                 on TIMESTAMP WITH TIME ZONE
      -> min "2026-01-01T00:00:00+00:00"

Engines disagree on text compared with numbers and on times with and without a zone: some convert,
some raise, one compares as text. Decided here, before any of them is asked, all of them agree.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from typing import Any

from pipelineplan.quality.check import Check
from pipelineplan.quality.types import has_type

_BETWEEN = "expect_column_values_to_be_between"
_OF_TEXT = frozenset(
    {
        "expect_column_values_to_match_regex",
        "expect_column_value_lengths_to_be_between",
        "expect_column_value_lengths_to_equal",
    }
)
_IN_SET = "expect_column_values_to_be_in_set"
_ENDS = ("min_value", "max_value")


def unsuited(check: Check, columns: Mapping[str, str]) -> str:
    """Why `check` cannot be asked of a column of that type; empty when it can.

    `columns` gives DuckDB's types by name. A column that is not there is for the engine to tell.
    """
    found = _type_of(check, columns)
    wanted = _wanted(check)
    if not found or not wanted or any(has_type(found, each) for each in wanted):
        return ""
    return f"{check.kwargs['column']} is {found}, wanted {' or '.join(wanted)}"


def aligned(check: Check, columns: Mapping[str, str]) -> Check:
    """`check` with bounds of time as dates for a column of dates, with a zone where that has one."""
    found = _type_of(check, columns)
    if check.expectation_type != _BETWEEN or not found:
        return check
    kwargs = dict(check.kwargs)
    for end in _ENDS:
        if isinstance(kwargs.get(end), str):
            kwargs |= _bound(end, kwargs, found)
    return replace(check, kwargs=kwargs)


def _type_of(check: Check, columns: Mapping[str, str]) -> str:
    lowered = {name.lower(): kind for name, kind in columns.items()}
    return lowered.get(str(check.kwargs.get("column", "")).lower(), "")


def _wanted(check: Check) -> tuple[str, ...]:
    """The logical types that a check can be asked of; empty for any."""
    kind = check.expectation_type
    if kind in _OF_TEXT:
        return ("string",)
    if kind == _BETWEEN:
        bounds = [check.kwargs[end] for end in _ENDS if check.kwargs.get(end) is not None]
        if any(isinstance(bound, str) for bound in bounds):
            return ("date", "timestamp")
        return ("number",) if bounds else ()
    values = check.kwargs.get("value_set")
    if kind == _IN_SET and isinstance(values, list) and values:
        return ("number",) if all(_is_number(value) for value in values) else _text_like(values)
    return ()


def _text_like(values: list[Any]) -> tuple[str, ...]:
    return ("string", "date", "timestamp") if all(isinstance(value, str) for value in values) else ()


def _is_number(value: Any) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool)


def _bound(end: str, kwargs: Mapping[str, Any], duckdb_type: str) -> dict[str, Any]:
    try:
        read = datetime.fromisoformat(kwargs[end])
    except ValueError:
        return {}
    if duckdb_type == "DATE":
        return _day(end, kwargs, _in_utc(read))
    if "WITH TIME ZONE" in duckdb_type:
        return {end: (read if read.tzinfo else read.replace(tzinfo=UTC)).astimezone(UTC).isoformat()}
    return {end: _in_utc(read).isoformat()}


def _in_utc(instant: datetime) -> datetime:
    """Without a zone, which is UTC where there is none."""
    return instant.astimezone(UTC).replace(tzinfo=None) if instant.tzinfo else instant


def _day(end: str, kwargs: Mapping[str, Any], instant: datetime) -> dict[str, Any]:
    """The bound on days, each of which is its midnight: no day lies between two midnights."""
    day: date = instant.date()
    if instant != datetime.combine(day, datetime.min.time()):
        strict = f"strict_{end[:3]}"
        day = day + timedelta(days=1) if end == "min_value" else day
        return {end: day.isoformat(), **({strict: False} if strict in kwargs else {})}
    return {end: day.isoformat()}
