"""Sample data from contracts and quality rules: valid by construction, with a chosen disorder on top.

    generate(contracts, rules, rows=1000, as_of, seed=7, stream=Stream(late_share=0.05, late_seconds=60))
      -> {"orders": pyarrow.Table, "customers": pyarrow.Table}

Tables come in the order of their references, parents first; rows in the order in which they arrive.
With a late share of 0 and no duplicates, every check passes that is not a query of its own.
"""

from __future__ import annotations

import random
import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from pipelineplan.contracts import Contract
from pipelineplan.errors import InputError, MissingExtraError, Position, Problem
from pipelineplan.quality.rule import QualityRule
from pipelineplan.quality.values_made import CannotMakeError, ends, maker
from pipelineplan.quality.wishes import TableWish, Wish, table_wishes

_TRIES = 200
_NULLS = 0.05
_MOST_ROWS = 10_000_000

Rows = dict[str, list[Any]]


@dataclass(frozen=True)
class Stream:
    """How records of a dataset with event and arrival time arrive.

    A share `late_share` (at most 0.4) of them arrives `late_seconds` after its event, behind newer ones;
    the others at once. A share `duplicate_share` (at most 0.4) comes twice, the second right behind the
    first. Both are shares of the rows without the second ones, rounded to whole rows.
    """

    late_share: float = 0.0
    late_seconds: float = 60.0
    duplicate_share: float = 0.0


@dataclass(frozen=True)
class Generated:
    """Arrow tables by dataset, and by dataset the rules that could not be followed by construction."""

    tables: Mapping[str, Any]
    not_followed: Mapping[str, tuple[str, ...]]


def generate(
    contracts: Sequence[Contract],
    rules: Sequence[QualityRule] = (),
    *,
    rows: int,
    as_of: datetime,
    seed: int = 0,
    stream: Stream | None = None,
    event_times: Mapping[str, str] | None = None,
) -> Generated:
    """Tables for every dataset of `contracts` and `rules`.

    `event_times` names the column of event time of the datasets that are streams; a rule on order
    names that and the column of arrival itself. Without one the order of rows is that of arrival.
    `rows` is brought into the bounds that a dataset's own rules set; duplicates come on top. The
    newest times lie shortly before `as_of`. The same arguments give the same tables. Raises
    `InputError` for rules that contradict each other, with the columns, and `MissingExtraError`
    without the extra `quality`.
    """
    _require()
    shape = _checked(rows, stream or Stream())
    wishes = table_wishes(contracts, rules)
    for name, column in (event_times or {}).items():
        if name in wishes and wishes[name].event_and_arrival is None:
            wishes[name].event_and_arrival = (column, None)
    now = (as_of if as_of.tzinfo else as_of.replace(tzinfo=UTC)).astimezone(UTC)
    made: dict[str, Rows] = {}
    problems: list[Problem] = []
    for wish in _parents_first(wishes):
        try:
            made[wish.dataset] = _table(wish, made, rows, now, seed, shape)
        except CannotMakeError as error:
            problems.append(Problem(f"no data can be made: {error}", Position(wish.dataset)))
            made[wish.dataset] = {column: [] for column in wish.columns}
    if problems:
        raise InputError(problems)
    tables = {name: _arrow(wishes[name], made[name]) for name in wishes}
    return Generated(tables, {w.dataset: tuple(w.not_followed) for w in wishes.values() if w.not_followed})


def write_tables(made: Generated, folder: Path) -> dict[str, Path]:
    """A Parquet file per dataset in `folder`, named after it; raises `InputError` when that fails."""
    import pyarrow.parquet as pq

    files: dict[str, Path] = {}
    try:
        folder.mkdir(parents=True, exist_ok=True)
        for name, table in made.tables.items():
            plain = re.sub(r"[^A-Za-z0-9_-]", "_", name)
            files[name] = folder / f"{plain}.parquet"
            pq.write_table(table, files[name])
    except OSError as error:
        reason = f"cannot be written: {(error.strerror or str(error)).lower()}"
        raise InputError([Problem(reason, Position(folder.as_posix()))]) from error
    return files


def _require() -> None:
    try:
        import pyarrow as pa  # noqa: F401 - is it there at all
        import rstr  # noqa: F401
    except ImportError as error:
        raise MissingExtraError("sample data", "quality") from error


def _checked(rows: int, stream: Stream) -> Stream:
    wrong = []
    if not 1 <= rows <= _MOST_ROWS:
        wrong.append(f"{rows} rows, wanted 1 to {_MOST_ROWS:,}")
    shares = {"late_share": stream.late_share, "duplicate_share": stream.duplicate_share}
    wrong += [f"{name} {share}, wanted 0 to 0.4" for name, share in shares.items() if not 0 <= share <= 0.4]
    if stream.late_seconds <= 0:
        wrong.append(f"late_seconds {stream.late_seconds}, wanted more than 0")
    if wrong:
        raise InputError([Problem(each, Position("sample data")) for each in wrong])
    return stream


def _parents_first(wishes: Mapping[str, TableWish]) -> list[TableWish]:
    """The wishes in an order in which what is referred to comes first; raises `InputError` on cycles."""
    left, ordered = dict(wishes), []
    while left:
        ready = [
            name
            for name, wish in left.items()
            if not any(parent in left and parent != name for _, parent, _ in wish.links)
        ]
        if not ready:
            message = f"the datasets {', '.join(sorted(left))} refer to each other in a circle"
            raise InputError([Problem(message, Position("sample data"))])
        ordered += [left.pop(name) for name in ready]
    return ordered


def _table(
    wish: TableWish, made: Mapping[str, Rows], rows: int, now: datetime, seed: int, stream: Stream
) -> Rows:
    most = rows if wish.most_rows is None else min(rows, wish.most_rows)
    if wish.most_rows is not None and wish.least_rows > wish.most_rows:
        raise CannotMakeError(f"at least {wish.least_rows} and at most {wish.most_rows} rows are wanted")
    count = max(most, wish.least_rows)
    times = _times(wish, count, now, stream)
    makers = {
        name: _column_maker(column, now, _draw(seed, wish.dataset, name))
        for name, column in wish.columns.items()
        if name not in times
    }
    found: Rows = {name: [] for name in wish.columns}
    found |= times
    _fill(wish, found, makers, count, _draw(seed, wish.dataset, ""))
    _fill_links(wish, found, made, count, _draw(seed, wish.dataset, "\n"))
    return _duplicated(_sorted_by_arrival(wish, found), stream, wish)


def _draw(seed: int, dataset: str, column: str) -> random.Random:
    """Each column draws for itself, so that a new one changes no other."""
    return random.Random(f"{seed}\0{dataset}\0{column}")  # noqa: S311 - sample data, no secret


def _column_maker(column: Wish, now: datetime, draw: random.Random) -> Callable[[], Any]:
    try:
        return maker(column, draw, now)
    except CannotMakeError as error:
        raise CannotMakeError(f"{column.column}: {error}") from None


def _fill(
    wish: TableWish, found: Rows, makers: Mapping[str, Callable[[], Any]], count: int, draw: random.Random
) -> None:
    """Row after row; a row whose key was there is drawn again, in the columns of that key."""
    seen: dict[tuple[str, ...], set[tuple[Any, ...]]] = {key: set() for key in wish.keys}
    linked = {column for columns, _, _ in wish.links for column in columns}
    own = {key: taken for key, taken in seen.items() if not linked & set(key)}
    for index in range(count):
        row = {name: _value(wish, name, make, draw) for name, make in makers.items()}
        row |= {name: values[index] for name, values in found.items() if name not in makers}
        for key, taken in own.items():
            _other_key(wish, row, key, taken, makers)
        for name in makers:
            found[name].append(row[name])


def _value(wish: TableWish, name: str, make: Callable[[], Any], draw: random.Random) -> Any:
    column = wish.columns[name]
    empty = column.most_nulls > 0 and draw.random() < _NULLS
    try:
        return None if empty else make()
    except CannotMakeError as error:
        raise CannotMakeError(f"{name}: {error}") from None


def _other_key(
    wish: TableWish,
    row: dict[str, Any],
    key: tuple[str, ...],
    taken: set[tuple[Any, ...]],
    makers: Mapping[str, Callable[[], Any]],
) -> None:
    free = [name for name in key if name in makers]
    for _ in range(_TRIES):
        values = tuple(row[name] for name in key)
        if values not in taken or None in values:
            taken.add(values)
            return
        row |= {name: makers[name]() for name in free}
    raise CannotMakeError(f"{', '.join(key)}: too few different values for so many rows of {wish.dataset}")


def _fill_links(
    wish: TableWish, found: Rows, made: Mapping[str, Rows], count: int, draw: random.Random
) -> None:
    """Columns that refer to another dataset take their values from its rows."""
    for columns, parent, keys in wish.links:
        there = found if parent == wish.dataset else made.get(parent)
        partners = _partners(there, keys)
        if not partners:
            raise CannotMakeError(f"{', '.join(columns)}: no sample data is made for {parent}")
        seen = {key: set[tuple[Any, ...]]() for key in wish.keys if set(columns) & set(key)}
        for index in range(count):
            _link(wish, found, index, columns, partners, seen, draw)


def _partners(there: Rows | None, keys: tuple[str, ...]) -> list[tuple[Any, ...]]:
    if there is None or any(key not in there for key in keys):
        return []
    return list(
        dict.fromkeys(row for row in zip(*(there[key] for key in keys), strict=True) if None not in row)
    )


def _link(
    wish: TableWish,
    found: Rows,
    index: int,
    columns: tuple[str, ...],
    partners: list[tuple[Any, ...]],
    seen: Mapping[tuple[str, ...], set[tuple[Any, ...]]],
    draw: random.Random,
) -> None:
    for _ in range(_TRIES):
        for column, value in zip(columns, draw.choice(partners), strict=True):
            found[column][index] = value
        values = {key: tuple(found[name][index] for name in key) for key in seen}
        if all(values[key] not in taken for key, taken in seen.items()):
            for key, taken in seen.items():
                taken.add(values[key])
            return
    raise CannotMakeError(f"{', '.join(columns)}: too few partners for so many rows of {wish.dataset}")


def _times(wish: TableWish, count: int, now: datetime, stream: Stream) -> Rows:
    """The event and arrival times of a stream: events evenly apart, up to shortly before `now`."""
    if wish.event_and_arrival is None:
        return {}
    event, arrival = wish.event_and_arrival
    column = wish.column(event)
    column.logical_type = column.logical_type or "timestamp"
    if column.logical_type != "timestamp":
        return {}
    late = _late(count, stream)
    behind = timedelta(seconds=stream.late_seconds if late else 0)
    age = min(behind.total_seconds(), (column.fresh_seconds or 2 * stream.late_seconds) / 2)
    first, last = ends(column, now - timedelta(seconds=age), timedelta(days=30), timedelta(microseconds=1000))
    gap = min(timedelta(seconds=1), (last - first) / max(1, count))
    if late and 2 * gap >= behind:
        gap = behind / 4
    start = last - gap * (count - 1)
    events = [start + gap * index for index in range(count)]
    arrivals = [at + behind if index in late else at for index, at in enumerate(events)]
    if arrival is not None and wish.column(arrival).logical_type in {"", "timestamp"}:
        wish.column(arrival).logical_type = "timestamp"
        return {event: events, arrival: arrivals}
    order = sorted(range(count), key=arrivals.__getitem__)
    return {event: [events[index] for index in order]}


def _late(count: int, stream: Stream) -> set[int]:
    """Which events are late: evenly spread, never two in a row, and not the last one."""
    wanted = round(count * stream.late_share)
    return {round((index + 0.5) * (count - 1) / wanted) for index in range(wanted)} if wanted else set()


def _sorted_by_arrival(wish: TableWish, found: Rows) -> Rows:
    """The rows in order of arrival, where a column of time tells of it; else they are in order."""
    arrival = wish.event_and_arrival[1] if wish.event_and_arrival else None
    if arrival is None or wish.columns[arrival].logical_type != "timestamp":
        return found
    order = sorted(range(len(found[arrival])), key=found[arrival].__getitem__)
    return {name: [values[index] for index in order] for name, values in found.items()}


def _duplicated(found: Rows, stream: Stream, wish: TableWish) -> Rows:
    """Some rows twice, the second right behind the first; none that came late."""
    count = len(next(iter(found.values()), []))
    wanted = round(count * stream.duplicate_share)
    if not wanted:
        return found
    event = found.get(wish.event_and_arrival[0]) if wish.event_and_arrival else None
    rows = [index for index in range(count) if event is None or _is_newest(event, index)]
    chosen = {rows[round((index + 0.5) * (len(rows) - 1) / wanted)] for index in range(wanted)}
    order = [index for index in range(count) for _ in range(2 if index in chosen else 1)]
    return {name: [values[index] for index in order] for name, values in found.items()}


def _is_newest(event: list[Any], index: int) -> bool:
    """Whether a row is no older than the one before it: then its copy is in order."""
    return index == 0 or event[index] >= event[index - 1]


def _arrow(wish: TableWish, found: Rows) -> Any:
    import pyarrow as pa

    types = {
        "string": pa.string(),
        "integer": pa.int64(),
        "number": pa.float64(),
        "boolean": pa.bool_(),
        "date": pa.date32(),
        "timestamp": pa.timestamp("us", tz="UTC"),
        "time": pa.time64("us"),
    }
    columns = {}
    for name, values in found.items():
        kind = types.get(wish.columns[name].logical_type)
        columns[name] = pa.array(values, type=kind)
    return pa.table(columns)
