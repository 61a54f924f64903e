"""A recorded stream counted in parts that add up, so that nobody needs all of it at once.

    order of arrival   late, dropped, out_of_order      file by file, given the newest event time before it
    keys               duplicate, gap, stale_correction ...      bucket by bucket, all records of a key in one

What a record's place in the stream decides needs one number of what came before. What its key decides needs
the records of that key alone, so each bucket of keys is read for itself, in the order of the files.
"""

# ruff: noqa: S608 - names and values are quoted by `sql.identifier` and `sql.literal`

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from contextlib import closing, contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from pipelineplan.errors import InputError, Position, Problem
from pipelineplan.eventtime.timeliness import Judgement
from pipelineplan.eventtime.watermarks import NEVER, WatermarkState
from pipelineplan.quality.check import Suite, Suites
from pipelineplan.quality.reconciling.columns import column, microseconds
from pipelineplan.quality.streaming.flags import Flagged, Records, in_order, of_keys
from pipelineplan.quality.streaming.metrics import WindowMetrics, merge, partial, partial_flags
from pipelineplan.quality.tables import open_tables

if TYPE_CHECKING:
    from duckdb import DuckDBPyConnection

ROWS_AT_ONCE = 1 << 20
BUCKET_ROWS = 1 << 21
# Of a column that says what kind of change it is: Debezium's and others' words for a deletion.
_DELETIONS = ("d", "delete", "true")
_UNKNOWN_VERSION = -(2**62)


@dataclass(frozen=True)
class Stream:
    """What is asked of a recorded stream: how event time is judged, and its columns by their use.

    `operation` says of a record whether it deletes its key's row.
    """

    judgement: Judgement
    event_time: str
    key: tuple[str, ...] = ()
    identity: tuple[str, ...] = ()
    horizon_ms: int | None = None
    version: str | None = None
    sequence: str | None = None
    operation: str | None = None

    @property
    def named(self) -> tuple[str, ...]:
        """Every column that is read."""
        single = (self.event_time, self.version, self.sequence, self.operation)
        return tuple(dict.fromkeys([*(name for name in single if name), *self.key, *self.identity]))


@dataclass(frozen=True)
class Counted:
    """A stream's table of metrics, and how many records have no readable event time."""

    metrics: WindowMetrics
    unreadable: int = 0


def count_stream(stream: Stream, path: Path, bucket_rows: int = BUCKET_ROWS) -> Counted:
    """Count the records in `path`, a file, folder or glob, in the order of the files.

    Memory does not grow with the records but with `bucket_rows` (and with the records of one key). Raises
    `InputError` for files and columns that cannot be used.
    """
    found = count_in_order(stream, path, None)
    buckets = 1 + found.metrics.total("records") // bucket_rows
    parts = [
        count_bucket(group, path, number, many)
        for group in groups(stream)
        for many in (buckets if group.by else 1,)
        for number in range(many)
    ]
    return Counted(merge([found.metrics, *parts]), found.unreadable)


def count_in_order(stream: Stream, path: Path, newest_ms: int | None) -> Counted:
    """Records, late, dropped and out of order, where `newest_ms` was the newest event time before `path`."""
    start = NEVER if newest_ms is None else newest_ms
    state = WatermarkState(np.full(1, start, dtype=np.int64))
    total, parts = 0, [WindowMetrics()]
    times = Stream(stream.judgement, stream.event_time)
    for arrays, unreadable in _batches(times, path):
        found, state = in_order(stream.judgement, arrays["event_ms"], state)
        parts = [merge([*parts, partial(found)])]
        total += unreadable
    return Counted(parts[0], total)


def newest_event_ms(stream: Stream, path: Path) -> int | None:
    """The newest event time in `path`; None where none can be read."""
    with _opened(path, stream) as (connection, columns):
        event = microseconds(column(stream.event_time), columns[stream.event_time])
        (newest,) = connection.execute(f'SELECT max({event}) FROM "stream"').fetchone() or (None,)
    return None if newest is None else int(newest) // 1000


@dataclass(frozen=True)
class Group:
    """Flags that can be found for the values of some columns apart; of none, only for all records at once."""

    stream: Stream
    by: tuple[str, ...]


def groups(stream: Stream) -> tuple[Group, ...]:
    """What keys and identities decide, by the columns whose values can be told apart for it."""
    key, identity = set(stream.key), set(stream.identity)
    if not key and not identity:
        return ()
    if not key or not identity or key <= identity:
        return (Group(stream, stream.key or stream.identity),)
    if stream.version:
        return (Group(stream, ()),)
    repeats = replace(stream, key=(), sequence=None, operation=None)
    return (Group(replace(stream, identity=()), stream.key), Group(repeats, stream.identity))


def count_bucket(
    group: Group, path: Path, number: int, buckets: int, *, portable: bool = False
) -> WindowMetrics:
    """The flags of the records whose columns `by` fall into bucket `number` of `buckets`.

    With `portable` every version of DuckDB puts a value into the same bucket, which takes longer.
    """
    stream = group.stream
    where = _in_bucket(group.by, number, buckets, portable=portable) if buckets > 1 else ""
    parts = [arrays for arrays, _ in _batches(stream, path, where)]
    if not parts:
        return WindowMetrics()
    whole = {name: np.concatenate([part[name] for part in parts]) for name in parts[0]}
    deletes = whole.pop("is_delete", None)
    is_delete = None if deletes is None else deletes.astype(np.bool_)
    records = Records(**whole, horizon_ms=stream.horizon_ms, is_delete=is_delete)
    windows = stream.judgement.windows
    starts = windows.start_ms(windows.index(records.event_ms))
    return partial_flags(Flagged(starts, of_keys(records)))


def _in_bucket(by: Sequence[str], number: int, buckets: int, *, portable: bool) -> str:
    names = [column(name) for name in by]
    text = ", ".join(f"coalesce(CAST({name} AS VARCHAR), '')" for name in names)
    digest = f"md5_number_lower(concat_ws(chr(31), {text}))" if portable else f"hash({', '.join(names)})"
    return f" WHERE {digest} % {buckets} = {number}"


def _batches(stream: Stream, path: Path, where: str = "") -> Iterator[tuple[dict[str, Any], int]]:
    """Arrays by what they are for, a million rows at a time, of the rows whose event time can be read.

    Beside them, how many rows have none.
    """
    with _opened(path, stream) as (connection, columns):
        picked = _picked(stream, columns)
        selected = ", ".join(f"{expression} AS {name}" for name, expression in picked.items())
        query = f'SELECT {selected} FROM "stream"{where}'
        with closing(connection.sql(query).to_arrow_reader(ROWS_AT_ONCE)) as reader:
            for batch in reader:
                arrays = {name: batch[name].to_numpy(zero_copy_only=False) for name in picked}
                known = arrays["event_us"] != NEVER
                own = {name: values[known] for name, values in arrays.items()}
                own = {"event_ms": own.pop("event_us") // 1000, **own}
                yield own, int((~known).sum())


@contextmanager
def _opened(path: Path, stream: Stream) -> Iterator[tuple[DuckDBPyConnection, Mapping[str, str]]]:
    """What is in `path` as one view called stream, with its columns; all of the stream's own are there."""
    tables = open_tables(Suites((Suite("stream", "stream", ()),), ()), {"stream": path})
    try:
        columns = tables.tables["stream"].columns
        missing = [name for name in stream.named if name not in columns]
        if missing:
            known = f"its columns are {', '.join(columns)[:300]}"
            where = Position(str(path))
            raise InputError([Problem(f"found no column {name!r}", where, fix=known) for name in missing])
        yield tables.connection, columns
    finally:
        tables.connection.close()


def _picked(stream: Stream, columns: Mapping[str, str]) -> dict[str, str]:
    """SQL by what it is for; keys are known by 63 bits of a hash."""
    event = microseconds(column(stream.event_time), columns[stream.event_time])
    picked = {"event_us": f"coalesce({event}, {NEVER})"}
    for name, fields in (("identity", stream.identity), ("key", stream.key)):
        if fields:
            picked[name] = f"(hash({', '.join(column(field) for field in fields)}) >> 1)::BIGINT"
    for name, field in (("version", stream.version), ("sequence", stream.sequence)):
        if field:
            picked[name] = f"coalesce(TRY_CAST({column(field)} AS BIGINT), {_UNKNOWN_VERSION})"
    if stream.operation:
        words = ", ".join(f"'{word}'" for word in _DELETIONS)
        deletes = f"lower(CAST({column(stream.operation)} AS VARCHAR)) IN ({words})"
        picked["is_delete"] = f"CAST(coalesce({deletes}, false) AS BIGINT)"
    return picked
