# ruff: noqa: S608 -- every identifier and literal in SQL goes through quoted() or literal()
"""A recording: files of records, read in batches in the order in which the records arrived.

Without an arrival time that is the order of the files and of the rows in them. With one it is
the order of arrival, equal times in file order; files that are in that order already are read
straight through, others are sorted by the database, which spills to disk.
"""

from __future__ import annotations

from collections.abc import Callable, Generator, Iterator, Sequence
from contextlib import closing, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, Protocol, TypeVar

import numpy as np
import numpy.typing as npt

from pipelineplan.errors import InputError, Position, Problem
from pipelineplan.profiling.counting import Integers
from pipelineplan.profiling.files import (
    MEMORY_MB,
    Format,
    RecordFile,
    connect,
    find_files,
    open_files,
    quoted,
    threads,
)
from pipelineplan.profiling.times import TimeColumn, Unit, time_column

if TYPE_CHECKING:
    from duckdb import DuckDBPyConnection

Result = TypeVar("Result")
ROWS = 1 << 17
EXAMPLES = 5
_MOST_REJECTED = 100_000
# Groups are not read in order and nothing else is held while they are: there is room for more of them.
GROUPING_MEMORY_MB = 256
_MOST_DOUBLINGS = 6
MOST_PARTITIONS = 4096


class Progress(Protocol):
    """Is told how many events were read so far."""

    def __call__(self, events: int, /) -> None:
        """Show it."""


@dataclass(frozen=True)
class Batch:
    """Consecutive records in arrival order, times in microseconds; all of shape `(n,)`."""

    event_us: Integers
    arrival_us: Integers | None = None
    partition: npt.NDArray[np.int32] | None = None


@dataclass
class Recording:
    """Opened files and what their columns mean. `unreadable` is final once a pass is through."""

    connection: DuckDBPyConnection
    files: list[RecordFile]
    event: TimeColumn
    arrival: TimeColumn | None
    partition: str | None = None
    unreadable: int = 0
    is_sorted: bool | None = None

    @property
    def times(self) -> list[TimeColumn]:
        """Event time, and arrival time if there is one."""
        return [self.event] + ([self.arrival] if self.arrival else [])

    def batches(self, progress: Progress | None = None) -> Generator[Batch]:
        """Every readable record once, in arrival order."""
        if self.arrival is not None and self.is_sorted is None:
            self.is_sorted = self._arrives_in_file_order()
        self.unreadable = 0
        seen = 0
        names = self.partition_names() if self.partition is not None else None
        with closing(self._pieces()) as pieces:
            for rows in pieces:
                batch = self._batch(rows, names)
                seen += len(batch.event_us)
                if len(batch.event_us):
                    yield batch
                if progress is not None:
                    progress(seen)
        self.unreadable += sum(int(row[0]) for row in self._of_rejected("SELECT count(*) FROM rejected"))

    def passed_to(
        self, consume: Callable[[Iterator[Batch]], Result], progress: Progress | None = None
    ) -> Result:
        """What `consume` makes of all batches, read once if the files are in order of arrival.

        Where they turn out not to be, it is called again with the batches in order.
        """
        if self.arrival is not None and self.is_sorted is None:
            self.is_sorted = True
            try:
                return self._with_room(lambda: self._consumed(lambda read: consume(_rising(read)), progress))
            except _ArrivalFallsError:
                self.is_sorted = False
        return self._with_room(lambda: self._consumed(consume, progress))

    def _consumed(self, consume: Callable[[Iterator[Batch]], Result], progress: Progress | None) -> Result:
        # A reader that is left half-way keeps the database from everything else until it is closed.
        with closing(self.batches(progress)) as batches:
            return consume(batches)

    def partition_names(self) -> list[str | None]:
        """The values of the partition column, in order; `InputError` if they are no partitions."""
        column = quoted(self.partition or "")
        found = self.aggregate(
            f"SELECT p FROM (SELECT DISTINCT {column}::VARCHAR AS p FROM readable"
            f" LIMIT {MOST_PARTITIONS + 1}) ORDER BY p",
            [self.partition],
        )
        if len(found) > MOST_PARTITIONS:
            values = f"found {len(found):,} values or more in {self.partition!r}"
            message = f"{values}, wanted at most {MOST_PARTITIONS} partitions"
            fix = "is this the key? name the column of the partition"
            raise InputError([Problem(message, Position(str(self.files[0].path)), fix=fix)])
        return [row[0] for row in found]

    def aggregate(self, sql: str, columns: Sequence[str | None]) -> list[Any]:
        """Run `sql` over the table `readable`, with every readable record in no order.

        It has the named columns, `event_us`, and `arrival_us` if there is one.
        """
        picked = [quoted(column) for column in dict.fromkeys(columns) if column]
        tables = []
        for file in self.files:
            times = [
                f"{time.microseconds(file)} AS {name}"
                for time, name in zip(self.times, ("event_us", "arrival_us"), strict=False)
            ]
            tables.append(self._select(file, ", ".join([*times, *picked])))
        query = f"WITH readable AS ({' UNION ALL '.join(tables)}) {sql}"
        self.connection.execute("SET preserve_insertion_order = false")
        try:
            return self._with_room(lambda: self.connection.execute(query).fetchall(), GROUPING_MEMORY_MB)
        finally:
            self.connection.execute("SET preserve_insertion_order = true")

    def _with_room(self, run: Callable[[], Result], least_mb: int = MEMORY_MB) -> Result:
        """Run, and where the database runs out of its memory, again with fewer threads, then with more."""
        rungs = [(least_mb, threads()), *((least_mb << doubled, 1) for doubled in range(_MOST_DOUBLINGS))]
        try:
            for memory_mb, workers in rungs:
                self.connection.execute(f"SET memory_limit = '{memory_mb}MB'; SET threads = {workers}")
                with _no_room_is_no_end():
                    return run()
        finally:
            self.connection.execute(f"SET memory_limit = '{MEMORY_MB}MB'; SET threads = {threads()}")
        found = f"the records cannot be sorted or grouped within {rungs[-1][0]:,} MB of memory"
        fix = "group by fewer or shorter columns, or give the files in order of arrival"
        raise InputError([Problem(found, Position(str(self.files[0].path)), fix=fix)])

    def examples(self) -> list[str]:
        """Where the first unreadable rows are, and what stands there."""
        if not self.unreadable:
            return []
        rejected = self._rejected()
        found = [f"{path} line {line}: {why.lower()}" for path, line, why in rejected[:EXAMPLES]]
        for file in self.files:
            if len(found) >= EXAMPLES:
                break
            skipped = sorted(line for path, line, _ in rejected if path == str(file.path))
            found += [
                self._example(file, row, skipped) for row in self._bad_rows(file, EXAMPLES - len(found))
            ]
        return found

    def _pieces(self) -> Generator[Any]:
        """Arrow batches: event, then arrival and partition if there are any."""
        tables = [self._select(file, self._columns(file), every=True) for file in self.files]
        if self.is_sorted is False:
            numbered = [
                self._select(
                    file, f"{self._columns(file)}, {number} AS f, row_number() OVER () AS r", every=True
                )
                for number, file in enumerate(self.files)
            ]
            names = "event, arrival" + (", partition" if self.partition else "")
            tables = [f"SELECT {names} FROM ({' UNION ALL '.join(numbered)}) ORDER BY arrival, f, r"]
        for table in tables:
            with closing(self.connection.sql(table).to_arrow_reader(ROWS)) as reader:
                yield from reader

    def _columns(self, file: RecordFile) -> str:
        columns = [f"{self.event.microseconds(file)} AS event"]
        if self.arrival is not None:
            columns.append(f"{self.arrival.microseconds(file)} AS arrival")
        if self.partition is not None:
            columns.append(f"{quoted(self.partition)}::VARCHAR AS partition")
        return ", ".join(columns)

    def _select(self, file: RecordFile, columns: str, *, every: bool = False) -> str:
        readable = " AND ".join(f"({time.microseconds(file)}) IS NOT NULL" for time in self.times)
        return f"(SELECT {columns} FROM {file.table}" + ("" if every else f" WHERE {readable}") + ")"

    def _batch(self, rows: Any, names: list[str | None] | None) -> Batch:
        """Rows of Arrow as arrays, without the unreadable ones, which are counted."""
        import pyarrow as pa
        import pyarrow.compute as pc

        times = rows.columns[: len(self.times)]
        bad = sum(column.null_count for column in times)
        if bad:
            valid = times[0].is_valid()
            for column in times[1:]:
                valid = pc.and_(valid, column.is_valid())
            self.unreadable += rows.num_rows - int(pc.sum(valid).as_py() or 0)
            rows = rows.filter(valid)
        arrays = [_array(column) for column in rows.columns[: len(times)]]
        codes = None
        if names is not None:
            codes = pc.index_in(rows.column("partition"), pa.array(names, pa.string())).to_numpy()
        return Batch(arrays[0], arrays[1] if self.arrival else None, codes)

    def _arrives_in_file_order(self) -> bool:
        latest = None
        for file in self.files:
            arrival = (self.arrival or self.event).microseconds(file)
            table = self._select(file, f"{arrival} AS arrival")
            with closing(self.connection.sql(table).to_arrow_reader(ROWS)) as reader:
                for rows in reader:
                    times = _array(rows.column(0))
                    if len(times) == 0:
                        continue
                    if (latest is not None and times[0] < latest) or (times[1:] < times[:-1]).any():
                        return False
                    latest = times[-1]
        return True

    def _rejected(self) -> list[tuple[str, int, str]]:
        """The first lines of CSV files that are no rows at all: path, line, why."""
        found = self._of_rejected(f"SELECT * FROM rejected ORDER BY ALL LIMIT {_MOST_REJECTED}")
        return [(str(path), int(line), str(why)) for path, line, why in found]

    def _of_rejected(self, sql: str) -> list[Any]:
        if all(file.format is not Format.CSV for file in self.files):
            return []
        rejected = (
            "SELECT s.file_path, e.line, min(e.error_type::VARCHAR) FROM reject_errors e"
            " JOIN reject_scans s USING (scan_id, file_id) GROUP BY s.file_path, e.line"
        )
        return self.connection.execute(f"WITH rejected AS ({rejected}) {sql}").fetchall()

    def _bad_rows(self, file: RecordFile, most: int) -> list[tuple[int, str]]:
        times = " OR ".join(f"({time.microseconds(file)}) IS NULL" for time in self.times)
        shown = " || ', ' || ".join(
            f"coalesce({quoted(time.name)}::VARCHAR, 'nothing')" for time in self.times
        )
        numbered = f"SELECT *, row_number() OVER () AS r FROM {file.table}"
        sql = f"SELECT r, {shown} FROM ({numbered}) WHERE {times} ORDER BY r LIMIT {most}"
        return [(int(row), str(text)) for row, text in self.connection.execute(sql).fetchall()]

    def _example(self, file: RecordFile, found: tuple[int, str], skipped: list[int]) -> str:
        row, text = found
        if file.format is not Format.CSV:
            return f"{file.path} row {row}: found {text[:60]!r}"
        if len(skipped) == _MOST_REJECTED:
            return f"{file.path} row {row} of those that can be read: found {text[:60]!r}"
        line = row + 1
        for rejected in skipped:
            line += rejected <= line
        return f"{file.path} line {line}: found {text[:60]!r}"


class _ArrivalFallsError(Exception):
    """An arrival time before the one before it."""


def _array(column: Any) -> Integers:
    """A column without nulls, shared with Arrow, whose own way to numpy imports pandas (a second)."""
    return np.from_dlpack(column).view(np.int64)


@contextmanager
def _no_room_is_no_end() -> Iterator[None]:
    """Lets pass that the database ran out of its memory; while rows are read, Arrow says so by an OSError."""
    import duckdb

    try:
        yield
    except duckdb.OutOfMemoryException:
        return
    except OSError as error:
        if "Out of Memory" not in str(error):
            raise


def _rising(batches: Iterator[Batch]) -> Iterator[Batch]:
    latest = None
    for batch in batches:
        arrival = batch.arrival_us
        if arrival is not None:
            if (latest is not None and arrival[0] < latest) or (arrival[1:] < arrival[:-1]).any():
                raise _ArrivalFallsError
            latest = arrival[-1]
        yield batch


def open_recording(
    paths: Sequence[str | Path],
    *,
    event_time: str,
    arrival_time: str | None = None,
    partition: str | None = None,
    others: Sequence[str] = (),
    unit: Unit = "auto",
) -> Recording:
    """Open files and globs whose columns are named; `others` must be there too.

    Raises `InputError` for files that are missing, unreadable or lack a column, and
    `MissingExtraError` without the extra `data`.
    """
    connection = connect()
    wanted = [column for column in dict.fromkeys((event_time, arrival_time, partition, *others)) if column]
    files = open_files(connection, find_files(paths), wanted)
    event = time_column(connection, files[0], event_time, unit)
    arrival = time_column(connection, files[0], arrival_time, unit) if arrival_time else None
    return Recording(connection, files, event, arrival, partition)


def nothing_readable(recording: Recording) -> InputError:
    """The error for a recording without a single usable record."""
    times = " and ".join(repr(time.name) for time in recording.times)
    seen = "; ".join(recording.examples())
    message = f"found no row with a readable time in {times}" + (
        f" ({seen})" if seen else ": the files are empty"
    )
    fix = "wanted numbers since 1970 or times such as 2026-01-31T12:00:00Z"
    return InputError([Problem(message, Position(str(recording.files[0].path)), fix=fix)])
