"""Faults that are put into good data: what goes wrong in pipelines, one kind at a time.

    duplicate   a twentieth of the rows comes again            a retry without a key
    drop        every second row is gone                       a partition that was not read
    late        times a day back, for some rows or for all     a replay; a load that stopped
    reorder     some rows swap their time of arrival           a retry behind newer records
    null        a value that is always there is gone           a field that a producer dropped
    type        a column has values of another type            a schema that changed
    value       a number 1000 times as large and negative, text with a tail, a time in 1970

Each is SQL over the dataset's view. What cannot be put in (a reordering where no column tells of
arrival) is told, with the reason.
"""

# ruff: noqa: S608 - names and values are quoted by `sql.identifier` and `sql.literal`

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Literal, get_args

from pipelineplan.quality.check import Check, Suite
from pipelineplan.quality.sql import identifier
from pipelineplan.quality.types import has_type

FaultClass = Literal["duplicate", "drop", "late", "reorder", "null", "type", "value"]
FAULT_CLASSES: tuple[FaultClass, ...] = get_args(FaultClass)

_EVERY = 20
_NO_ARRIVAL = (
    "no check says by which column rows arrive; keep the time of arrival in the table, and check out_of_order"
    " by it"
)
_ROW, _ROWS = '"row number of it"', '"rows of it"'


@dataclass(frozen=True)
class Fault:
    """One fault in one dataset: in words, the columns that it touches, and the query of faulty rows.

    `blind` says why it is hard to notice in this dataset as it is, and what would help.
    """

    kind: FaultClass
    dataset: str
    words: str
    columns: tuple[str, ...]
    query: str
    blind: str = ""


@dataclass(frozen=True)
class Impossible:
    """A class of faults that a dataset cannot be given, and why."""

    kind: FaultClass
    dataset: str
    reason: str


def row_faults(suite: Suite, columns: Mapping[str, str], seed: int) -> Iterator[Fault | Impossible]:
    """Duplicates, losses, lateness and disorder in the dataset, whose columns have DuckDB's types."""
    name, view = suite.dataset, identifier(suite.dataset)
    numbered, some = _numbered(view), _some(seed, 0)
    kept = f"SELECT * EXCLUDE ({_ROW}, {_ROWS}) FROM ({numbered})"
    again = f"SELECT * FROM {view} UNION ALL {kept} WHERE {some}"
    yield Fault("duplicate", name, "a twentieth of the rows comes again", (), again)
    yield Fault("drop", name, "every second row is gone", (), f"{kept} WHERE {_ROW} % 2 = 0")
    times = event_and_arrival(suite, columns)
    if times is None:
        yield Impossible("late", name, "it has no column of time")
        yield Impossible("reorder", name, "it has no column of time")
        return
    event, arrival = times
    a_day_ago = f"CAST({{}} - INTERVAL '1 day' AS {columns[event]})"
    late_rows, all_rows = (_with(view, {event: a_day_ago}, where) for where in (some, "TRUE"))
    blind = "" if arrival else f"a late row looks like an old one: {_NO_ARRIVAL}"
    yield Fault("late", name, "some rows are a day late", (event,), late_rows, blind)
    yield Fault("late", name, "every row is a day late", (event,), all_rows)
    if arrival is None:
        yield Impossible("reorder", name, _NO_ARRIVAL)
        return
    other = f"SELECT o.{identifier(arrival)} FROM ({numbered}) AS o WHERE o.{_ROW} = f.{_ROWS} + 1 - f.{_ROW}"
    # Both of a pair, or the swap would make copies.
    mirrored = f"({some} OR {_some(seed, 0, f'({_ROWS} + 1 - {_ROW})')})"
    swapped = f"CASE WHEN {mirrored} THEN ({other}) ELSE {identifier(arrival)} END AS {identifier(arrival)}"
    query = f"SELECT * EXCLUDE ({_ROW}, {_ROWS}) REPLACE ({swapped}) FROM ({numbered}) AS f"
    yield Fault("reorder", name, f"some rows swap {arrival}", (arrival,), query)


def column_faults(
    suite: Suite, columns: Mapping[str, str], never_null: frozenset[str], seed: int
) -> Iterator[Fault]:
    """Missing values, wrong types and wrong values, one fault for each column that can have it."""
    view = identifier(suite.dataset)
    for place, (column, kind) in enumerate(columns.items()):
        some = _some(seed, place)
        for fault, words, value in _changes(column, kind, never_null):
            query = _with(view, {column: value}, some, retyped=fault == "type")
            yield Fault(fault, suite.dataset, f"{column} {words}", (column,), query)


def together(faults: list[Fault], suite: Suite, columns: Mapping[str, str], seed: int) -> Fault:
    """All of `faults`, which are of one class and of different columns, in one dataset."""
    view = identifier(suite.dataset)
    places = {column: place for place, column in enumerate(columns)}
    changes = {
        column: (value, _some(seed, places[column]))
        for fault in faults
        for column in fault.columns
        for kind, _, value in _changes(column, columns[column], frozenset(columns))
        if kind == fault.kind
    }
    kind = faults[0].kind
    replaced = ", ".join(
        _case(column, value, some, retyped=kind == "type") for column, (value, some) in changes.items()
    )
    query = f"SELECT * EXCLUDE ({_ROW}, {_ROWS}) REPLACE ({replaced}) FROM ({_numbered(view)})"
    return Fault(kind, suite.dataset, "all columns", tuple(changes), query)


def event_and_arrival(suite: Suite, columns: Mapping[str, str]) -> tuple[str, str | None] | None:
    """The column of event time and that of arrival: as a check of order names them, else the first time."""
    for check in suite.checks:
        if check.source_rule == "out_of_order":
            return check.columns[0], check.columns[1]
    times = [column for column, kind in columns.items() if _is_time(kind)]
    fresh = [check.columns[0] for check in suite.checks if _is_freshness(check) and check.columns[0] in times]
    return ((*fresh, *times)[0], None) if times else None


def _is_freshness(check: Check) -> bool:
    return check.source_rule in {"freshness", "latency"} and bool(check.columns)


def _is_time(kind: str) -> bool:
    return kind == "DATE" or has_type(kind, "timestamp")


def _changes(column: str, kind: str, never_null: frozenset[str]) -> Iterator[tuple[FaultClass, str, str]]:
    """The faults of one column: class, words, and the value as SQL with {} for the column."""
    if column in never_null:
        yield "null", "is missing", "NULL"
    if has_type(kind, "string"):
        yield "type", "is a number", f"CAST({_ROW} AS BIGINT)"
        yield "value", "has a tail", "CAST({} AS VARCHAR) || ' ?'"
    elif has_type(kind, "number"):
        yield "type", "is text", "'n/a'"
        yield "value", "is negative and 1000 times as large", "-1000 * (ABS({}) + 1)"
    elif _is_time(kind):
        yield "type", "is text", "'n/a'"
        yield "value", "is in 1970", f"CAST('1970-01-01' AS {kind})"
    elif kind == "BOOLEAN":
        yield "type", "is text", "'n/a'"


def _numbered(view: str) -> str:
    return f"SELECT *, ROW_NUMBER() OVER () AS {_ROW}, COUNT(*) OVER () AS {_ROWS} FROM {view}"


def _some(seed: int, place: int, row: str = _ROW) -> str:
    """A twentieth of the rows, other ones for every column, and at least the first."""
    chosen = f"{row} % {_EVERY} = {(seed + place) % _EVERY}"
    return f"({chosen} OR ({_ROWS} < {_EVERY} AND {row} = {place} % {_ROWS} + 1))"


def _with(view: str, values: Mapping[str, str], where: str, *, retyped: bool = False) -> str:
    replaced = ", ".join(_case(column, value, where, retyped=retyped) for column, value in values.items())
    return f"SELECT * EXCLUDE ({_ROW}, {_ROWS}) REPLACE ({replaced}) FROM ({_numbered(view)})"


def _case(column: str, value: str, where: str, *, retyped: bool) -> str:
    name = identifier(column)
    new = value.replace("{}", name)
    if retyped and new.startswith("CAST("):
        return f"{new} AS {name}"
    old = f"CAST({name} AS VARCHAR)" if retyped else name
    return f"CASE WHEN {where} THEN {new} ELSE {old} END AS {name}"
