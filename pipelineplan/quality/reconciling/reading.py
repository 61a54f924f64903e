"""The datasets of a pair as SQL with the same column names and types on every side.

us       event time in microseconds since 1970, NULL where it cannot be read
k0, k1   the keys      v0, v1  compared columns      m0, m1  measures      n  records of the source
"""

# ruff: noqa: S608 - names and values are quoted by `sql.identifier` and `sql.literal`

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from difflib import get_close_matches
from pathlib import Path
from typing import TYPE_CHECKING

from pipelineplan.errors import InputError, Position, Problem
from pipelineplan.quality.check import Suite, Suites
from pipelineplan.quality.reconciling.columns import (
    as_number,
    cast,
    column,
    common_type,
    digits_of,
    microseconds,
)
from pipelineplan.quality.reconciling.pair import Pair, Side
from pipelineplan.quality.reconciling.spans import Clock, Span
from pipelineplan.quality.tables import Tables, open_tables

if TYPE_CHECKING:
    from duckdb import DuckDBPyConnection

# A ceiling for what groups and joins may hold; what is above it goes to a temporary folder.
MEMORY = "160MB"
# The window, and the slice, of rows whose event time cannot be read.
NO_WINDOW = -(1 << 62)
# Names that stand beside the data's own columns.
_US, _W = '"pipelineplan us"', '"pipelineplan slice"'


@dataclass(frozen=True)
class Names:
    """The compared columns by kind, and the decimal places that each measure has."""

    keys: tuple[str, ...]
    values: tuple[str, ...]
    measures: tuple[str, ...]
    digits: tuple[int, ...]


@dataclass(frozen=True)
class Rows:
    """One role's rows in SQL: where they are, their event time, and the columns with their names.

    `casts` are the compared columns that are not of the type of comparison: name, as they are, and cast.
    """

    table: str
    time: str
    columns: str
    clock: Clock | None = None
    casts: tuple[tuple[str, str, str], ...] = ()

    def select(self, slice_us: int, only: str = "", within: Sequence[Span] = ()) -> str:
        """All columns, event time `us` and slice `w`; of the slices in the table `only`, if it is named.

        `within` are spans of time that hold those slices: what a file knows of its parts can be skipped.
        The slice of an event time that cannot be read is NULL.
        """
        near = f" WHERE {self.clock.within(within)}" if self.clock is not None and within else ""
        rows = f"SELECT *, {self.time} AS {_US} FROM {self.table}{near}"
        timed = f"SELECT *, {floor_to(_US, slice_us)} AS {_W} FROM ({rows})"
        among = f" SEMI JOIN (SELECT w AS {_W} FROM {only}) USING ({_W})" if only else ""
        return f"SELECT {self.columns}, {_US} AS us, {_W} AS w FROM (SELECT * FROM ({timed}){among})"


@dataclass(frozen=True)
class Reading:
    """An open database, and per role (source, destination, terms) its rows; `counts` is before `once_by`."""

    connection: DuckDBPyConnection
    names: Names
    rows: Mapping[str, Rows]
    counts: Mapping[str, int]
    unmatched: tuple[str, ...] = ()


def open_pair(
    pair: Pair, data: Mapping[str, Path], text: Mapping[str, tuple[str, ...]] | None = None
) -> Reading:
    """Open the files of `pair`: `data` by role, `text` the columns by role that are declared to be text.

    A term without data has no rows. Raises `InputError` for files and columns that cannot be used,
    all at once; `MissingExtraError` without duckdb.
    """
    declared = text or {}
    suites = Suites(tuple(Suite(role, role, (), declared.get(role, ())) for role, _, _ in pair.roles), ())
    tables = open_tables(suites, data, MEMORY)
    try:
        return _reading(pair, tables, data)
    except InputError:
        tables.connection.close()
        raise


def _reading(pair: Pair, tables: Tables, data: Mapping[str, Path]) -> Reading:
    columns = {role: dict(table.columns) for role, table in tables.tables.items()}
    problems = [
        problem
        for role, _, side in pair.roles
        if role in columns
        for problem in _missing(pair, side, role, columns[role], data[role])
    ]
    if problems:
        raise InputError(problems)
    names = _names(pair, columns)
    types = {name: _type(pair, name, columns) for name in (*names.keys, *names.values)}
    rows = {
        role: _rows(role, side, columns[role], names, types)
        for role, _, side in pair.roles
        if role in columns
    }
    counts = {role: table.row_count for role, table in tables.tables.items()}
    ours, theirs = set(columns["source"]), set(columns["destination"])
    unmatched = () if pair.columns or pair.measures else tuple(sorted((ours ^ theirs) - set(pair.ignored)))
    return Reading(tables.connection, names, rows, counts, unmatched)


def _missing(pair: Pair, side: Side, role: str, columns: Mapping[str, str], path: Path) -> list[Problem]:
    wanted = [key for key in pair.keys if key != side.truncated]
    wanted += [*pair.columns, *pair.measures, *side.once_by]
    wanted += [name for name in (side.event_time, side.records, side.newest_by) if name]
    return [_no_column(name, role, columns, path) for name in dict.fromkeys(wanted) if name not in columns]


def _no_column(name: str, role: str, columns: Mapping[str, str], path: Path) -> Problem:
    close = get_close_matches(name, columns, n=1, cutoff=0.5)
    known = ", ".join(columns)[:300]
    fix = f"did you mean {close[0]!r}?" if close else f"its columns are {known}"
    return Problem(f"found no column {name!r} in the {role}", Position(str(path)), fix=fix)


def _names(pair: Pair, columns: Mapping[str, Mapping[str, str]]) -> Names:
    values = pair.columns
    if not values and not pair.measures:
        apart = {*pair.keys, *pair.ignored}
        values = tuple(
            name for name in columns["source"] if name in columns["destination"] and name not in apart
        )
    digits = tuple(
        max(digits_of(as_number(kinds[measure])) for kinds in columns.values()) for measure in pair.measures
    )
    return Names(
        pair.keys, tuple(name for name in values if name not in pair.measures), pair.measures, digits
    )


def _type(pair: Pair, name: str, columns: Mapping[str, Mapping[str, str]]) -> str:
    sides = {role: side for role, _, side in pair.roles}
    cut = any(side.truncated == name for side in sides.values())
    return "TIMESTAMP" if cut else common_type(kinds[name] for kinds in columns.values() if name in kinds)


def _rows(role: str, side: Side, columns: Mapping[str, str], names: Names, types: Mapping[str, str]) -> Rows:
    time = "0::BIGINT"
    if side.event_time is not None:
        time = microseconds(column(side.event_time), columns[side.event_time])
    wanted = [(f"k{at}", name, types[name]) for at, name in enumerate(names.keys)]
    wanted += [(f"v{at}", name, types[name]) for at, name in enumerate(names.values)]
    wanted += [
        (f"m{at}", name, _measure_type(columns[name], names.digits[at]))
        for at, name in enumerate(names.measures)
    ]
    cut = side.truncated
    own = {
        name: (column(named), cast(column(named), columns[named], kind))
        for name, named, kind in wanted
        if named != cut
    }
    picked = [f"{own[name][1] if name in own else _truncated(side)} AS {name}" for name, _, _ in wanted]
    casts = tuple((named, *own[name]) for name, named, _ in wanted if name in own)
    count = f"coalesce(TRY_CAST({column(side.records)} AS BIGINT), 0)" if side.records else "1::BIGINT"
    picked.append(f"{count} AS n")
    return Rows(
        _once(role, side, columns),
        time,
        ", ".join(picked),
        _clock(side, columns),
        tuple(each for each in casts if each[1] != each[2]),
    )


def _clock(side: Side, columns: Mapping[str, str]) -> Clock | None:
    if side.event_time is None or not columns[side.event_time].startswith("TIMESTAMP"):
        return None
    return Clock(column(side.event_time), columns[side.event_time])


def _measure_type(kind: str, digits: int) -> str:
    own = as_number(kind)
    return own if digits_of(own) == digits and not own.startswith("U") else f"DECIMAL(38,{digits})"


def _once(role: str, side: Side, columns: Mapping[str, str]) -> str:
    if not side.once_by:
        return column(role)
    by = ", ".join(column(name) for name in side.once_by)
    kept = ", ".join(column(name) for name in columns)
    newest = f" ORDER BY {by}, {column(side.newest_by)} DESC NULLS LAST" if side.newest_by else ""
    return f"(SELECT DISTINCT ON ({by}) {kept} FROM {column(role)}{newest})"


def _truncated(side: Side) -> str:
    return f"make_timestamp(({floor_to(_US, side.grain_us)}) * {side.grain_us})"


def floor_to(time: str, length_us: int) -> str:
    """The number of the window of `length_us` that `time` (microseconds since 1970) lies in.

    Integer division rounds towards zero, so times before 1970 are moved up by whole windows first.
    """
    shift = 62_135_596_800_000_000 // length_us + 1
    return f"({time} + {shift * length_us}) // {length_us} - {shift}"
