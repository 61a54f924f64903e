# ruff: noqa: S608, TID253 -- identifiers in SQL go through quoted(); imported only where data is read
"""What a worker does with its stretch of a recording, and how stretches add up in their order.

    stretch 4   rows [4194304, 5242880) of day.parquet
    head        the newest event time in it, of each partition: all that later stretches need to know
    measured    stretches 4 to 4; merged with 5 to 7 it is 4 to 7

A stretch is measured as `profiling` measures a batch: given the newest event time before it. What was
measured can be some ten MB, which is more than Flink sorts at once; so it travels as files in a
shared folder, and records are only the numbers in their names.
"""

from __future__ import annotations

import json
import pickle
import tempfile
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from functools import reduce
from itertools import accumulate, pairwise
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa

from pipelineplan.profiling.by_partition import DisorderByPartition, Within
from pipelineplan.profiling.files import Format, RecordFile, connect, literal, quoted
from pipelineplan.profiling.groups import ENOUGH_RECORDS
from pipelineplan.profiling.partials import Partial, merge_all, partial
from pipelineplan.profiling.recording import Recording
from pipelineplan.profiling.times import TimeColumn

LARGEST = 20
HEAPS = 64
_HEAP = pa.schema([("v", pa.string()), *((name, pa.int64()) for name in ("n", "least", "first", "last"))])


@dataclass(frozen=True)
class RowsOfFile(RecordFile):
    """Some consecutive rows of a Parquet file: from `first`, up to and without `end`."""

    first: int = 0
    end: int = 0

    @property
    def table(self) -> str:
        """The rows, as SQL; row groups outside of them are not read."""
        numbered = f"read_parquet({literal(str(self.path))}, file_row_number=true)"
        within = f"file_row_number >= {self.first} AND file_row_number < {self.end}"
        return f"(SELECT * EXCLUDE (file_row_number) FROM {numbered} WHERE {within})"


@dataclass(frozen=True)
class Stretch:
    """The part of a recording that comes `number`th, and what its columns mean."""

    number: int
    file: RecordFile
    event: TimeColumn
    arrival: TimeColumn | None
    partition: str | None

    def opened(self) -> Recording:
        """To be read where this is called. It is read as it stands: whether that is its order is seen."""
        return Recording(connect(), [self.file], self.event, self.arrival, self.partition, is_sorted=True)


@dataclass(frozen=True)
class Head:
    """The newest event time of each partition in a stretch, in microseconds; one None without partitions."""

    number: int
    newest_us: dict[str | None, int]


@dataclass(frozen=True)
class Measured:
    """Stretches `first` to `last`; `within` has the disorder of each partition.

    `whole` is None when no row was readable. `in_order` is whether they arrived in this order.
    """

    first: int
    last: int
    whole: Partial | None
    within: Within
    unreadable: dict[str, int]
    in_order: bool

    def merge(self, later: Measured) -> Measured:
        """These stretches and the ones right after them, as one; `ValueError` if others are between."""
        if later.first != self.last + 1:
            raise ValueError(f"found stretch {later.first} after {self.last}: some are lost or came twice")
        one, two = self.whole, later.whole
        follows = one is None or two is None or one.clock_us[1] <= two.clock_us[0]
        unreadable = dict(self.unreadable)
        for path, number in later.unreadable.items():
            unreadable[path] = unreadable.get(path, 0) + number
        both = one.merge(two) if one is not None and two is not None else one or two
        in_order = self.in_order and later.in_order and follows
        return Measured(self.first, later.last, both, self.within.merge(later.within), unreadable, in_order)


@dataclass(frozen=True)
class Shares:
    """How many different values there are, and how often the commonest came.

    `apart_us` is the longest time between two of the same, `least_us` the least lateness of each value
    that came often enough, and `extremes` the values with the least and the most of it.
    """

    values: int
    largest: tuple[int, ...]
    apart_us: int = 0
    least_us: tuple[int, ...] = ()
    extremes: tuple[tuple[int, str], ...] = ()


def head_of(stretch: Stretch) -> Head:
    """Read a stretch for its newest event times."""
    recording, columns = stretch.opened(), [stretch.event.name, stretch.partition]
    if stretch.arrival is not None:
        columns.append(stretch.arrival.name)
    name = f"{quoted(stretch.partition)}::VARCHAR" if stretch.partition else "NULL"
    newest = f"max({stretch.event.microseconds(stretch.file)})"
    found = recording.aggregate(f"SELECT {name} AS p, {newest} FROM readable GROUP BY p", columns)
    return Head(stretch.number, {partition: int(newest_us) for partition, newest_us in found})


def measured_of(stretch: Stretch, heads: Iterable[Head]) -> Measured:
    """Measure a stretch, given the heads of all."""
    recording = stretch.opened()
    before = _newest_before(stretch.number, heads)
    names = recording.partition_names() if stretch.partition is not None else []
    within = DisorderByPartition(names, [before.get(name) for name in names])
    parts: list[Partial] = []
    newest = max(before.values(), default=None)
    in_order = True
    for batch in within.watching(recording.batches()) if names else recording.batches():
        parts.append(partial(batch, newest))
        newest = parts[-1].latest_us
        if batch.arrival_us is not None:
            in_order &= not (batch.arrival_us[1:] < batch.arrival_us[:-1]).any()
    in_order &= all(one.clock_us[1] <= two.clock_us[0] for one, two in pairwise(parts))
    return Measured(
        stretch.number,
        stretch.number,
        merge_all(parts),
        within.found(),
        {str(stretch.file.path): recording.unreadable} if recording.unreadable else {},
        in_order,
    )


def _newest_before(number: int, heads: Iterable[Head]) -> dict[str | None, int]:
    newest: dict[str | None, int] = {}
    for head in heads:
        if head.number < number:
            for name, microseconds in head.newest_us.items():
                newest[name] = max(newest.get(name, microseconds), microseconds)
    return newest


def values_of(stretch: Stretch, columns: Sequence[str]) -> Iterator[tuple[int, pa.Table]]:
    """The different combinations of values in a stretch and how often they came, in `HEAPS` heaps.

    Equal ones go to the same heap, whichever stretch they are in. Columns: `v`, text, `n`, `least`
    lateness, `first` and `last` time.
    """
    names = ", ".join(f"{quoted(column)}::VARCHAR" for column in columns)
    late = "NULL::BIGINT" if stretch.arrival is None else "arrival_us - event_us"
    clock = "event_us" if stretch.arrival is None else "arrival_us"
    figures = f"count(*) AS n, min({late}) AS least, min({clock}) AS first, max({clock}) AS last"
    counted = f"SELECT to_json([{names}])::VARCHAR AS v, {figures} FROM readable GROUP BY v"
    rows = stretch.opened().aggregate(f"SELECT hash(v) % {HEAPS}, * FROM ({counted})", columns)
    heaps: dict[int, list[tuple[Any, ...]]] = {}
    for heap, *row in rows:
        heaps.setdefault(int(heap), []).append(tuple(row))
    for heap, listed in heaps.items():
        columns_of_heap = zip(*listed, strict=True)
        arrays = [pa.array(values, kind) for values, kind in zip(columns_of_heap, _HEAP.types, strict=True)]
        yield heap, pa.table(arrays, schema=_HEAP)


def shares_of(heap: tuple[int, Iterable[pa.Table]]) -> Shares:
    """How many different values are in a heap, the largest of their counts, and what lies between them."""
    wanted = [("n", "sum"), ("least", "min"), ("first", "min"), ("last", "max")]
    groups = pa.concat_tables(list(heap[1])).group_by("v").aggregate(wanted)
    counts = groups.column("n_sum").to_numpy()
    apart = (groups.column("last_max").to_numpy() - groups.column("first_min").to_numpy())[counts > 1]
    often = groups.filter(pa.array(counts >= ENOUGH_RECORDS)).select(["least_min", "v"]).drop_null()
    named = zip(*often.to_pydict().values(), strict=True)
    least = [(int(late), json.loads(value)[0] or "") for late, value in named]
    return Shares(
        len(counts),
        tuple(np.sort(counts)[::-1][:LARGEST].tolist()),
        int(apart.max(initial=0)),
        tuple(late for late, _ in least),
        _extremes(least),
    )


def _extremes(least: Sequence[tuple[int, str]]) -> tuple[tuple[int, str], ...]:
    return (min(least), max(least)) if least else ()


def measure_into(stretch: Stretch, heads: Iterable[Head], folder: Path) -> int:
    """Measure a stretch and leave what was found in the folder; returns its number."""
    write(folder / f"measured-0-{stretch.number}", measured_of(stretch, heads))
    return stretch.number


def merge_into(group: tuple[int, Iterable[int]], level: int, folder: Path) -> int:
    """Merge neighbours of one level into one of the next, in their order; returns its number."""
    number, members = group
    write(folder / f"measured-{level + 1}-{number}", merged(folder, level, members))
    return number


def merged(folder: Path, level: int, numbers: Iterable[int]) -> Measured:
    """What neighbours of one level found, as one."""
    found = (read(folder / f"measured-{level}-{number}") for number in sorted(numbers))
    whole: Measured = reduce(Measured.merge, found)
    return whole


def write(file: Path, found: Any) -> None:
    """Leave what a worker found, whole or not at all: a worker that is asked twice writes the same."""
    with tempfile.NamedTemporaryFile(dir=file.parent, suffix=".part", delete=False) as stream:
        pickle.dump(found, stream)
    Path(stream.name).replace(file)


def read(file: Path) -> Any:
    """What a worker left."""
    return pickle.loads(file.read_bytes())  # noqa: S301 -- our own workers', in a folder made for them


def together(many: Iterable[Shares]) -> Shares:
    """The shares of heaps that have no value in common."""
    listed = list(many)
    largest = sorted((count for one in listed for count in one.largest), reverse=True)
    return Shares(
        sum(one.values for one in listed),
        tuple(largest[:LARGEST]),
        max((one.apart_us for one in listed), default=0),
        tuple(late for one in listed for late in one.least_us),
        _extremes([extreme for one in listed for extreme in one.extremes]),
    )


def stretches_of(recording: Recording, rows: int) -> list[Stretch]:
    """A recording cut into stretches of about `rows` rows: row groups of Parquet, other files whole."""
    files: list[RecordFile] = []
    for file in recording.files:
        files += _cut(recording, file, rows) if file.format is Format.PARQUET else [file]
    columns = (recording.event, recording.arrival, recording.partition)
    return [
        Stretch(number, replace(file, path=file.path.absolute()), *columns)
        for number, file in enumerate(files)
    ]


def _cut(recording: Recording, file: RecordFile, rows: int) -> list[RecordFile]:
    sql = "SELECT row_group_id, any_value(row_group_num_rows) FROM parquet_metadata(?) GROUP BY 1 ORDER BY 1"
    groups = [int(number) for _, number in recording.connection.execute(sql, [str(file.path)]).fetchall()]
    cuts = [0]
    for end in accumulate(groups):
        if end - cuts[-1] >= rows:
            cuts.append(end)
    if sum(groups) > cuts[-1] or len(cuts) == 1:
        cuts.append(sum(groups))
    return [
        RowsOfFile(file.path, file.format, file.types, file.delimiter, first, end)
        for first, end in pairwise(cuts)
    ]
