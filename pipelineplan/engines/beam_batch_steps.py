# mypy: disable-error-code="misc"
# ruff: noqa: S608, TID253 -- identifiers in SQL go through quoted(); imported only once Apache Beam is about to run
"""The steps of a batch: a stretch of files in, valid records by key and window counted, Parquet out."""

from __future__ import annotations

import json
import tempfile
import zlib
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import apache_beam as beam
import pyarrow as pa
import pyarrow.parquet as pq

from pipelineplan.engines.beam_profile_steps import Stretch
from pipelineplan.profiling.files import quoted

WINDOWS = pa.schema(
    [("key", pa.string()), ("start_ms", pa.int64()), ("end_ms", pa.int64()), ("records", pa.int64())]
)
DEAD_LETTERS = pa.schema([("file", pa.string()), ("row", pa.int64()), ("reason", pa.string())])
FILES = 8
_AT_ONCE = 10_000


@dataclass(frozen=True)
class Reading:
    """What is read of a record: its key, what makes it the same as another, what is wrong with it."""

    key: str | None
    repeats_by: tuple[str, ...]
    wrong: str


@dataclass(frozen=True, order=True)
class Record:
    """One record by its place; `wrong` says why it is a dead letter. The least of equal ones came first."""

    stretch: int
    row: int
    event_ms: int
    key: str
    identity: str
    wrong: str


def records_of(stretch: Stretch, reading: Reading) -> Iterator[Record]:
    """The records of a stretch in their order, broken ones too; rows are counted from 1 in the file."""
    recording, event = stretch.opened(), stretch.event.microseconds(stretch.file)
    key = f"coalesce({quoted(reading.key)}::VARCHAR, '')" if reading.key else "''"
    same = ", ".join(f"coalesce({quoted(column)}::VARCHAR, '')" for column in reading.repeats_by)
    unread = f"CASE WHEN ({event}) IS NULL THEN 'no readable time in ' || {_text(stretch.event.name)} END"
    wrong = f"concat_ws('; ', {unread}, {reading.wrong})"
    sql = f"SELECT ({event}), {key}, to_json([{same}]::VARCHAR[])::VARCHAR, {wrong} FROM {stretch.file.table}"
    rows, first = recording.connection.execute(sql), getattr(stretch.file, "first", 0)
    number = first
    while found := rows.fetchmany(_AT_ONCE):
        for event_us, name, identity, why in found:
            number += 1
            event_ms = 0 if event_us is None else int(event_us) // 1000
            yield Record(stretch.number, number, event_ms, str(name), str(identity), str(why))


def _text(name: str) -> str:
    return "'" + name.replace("'", "''") + "'"


class Sort(beam.DoFn):
    """Valid records go on, the others aside."""

    def process(self, record: Record) -> Iterator[Any]:
        """One record in, one out or aside."""
        yield beam.pvalue.TaggedOutput("dead", (record.stretch, record)) if record.wrong else record


def by_identity(record: Record) -> tuple[str, Record]:
    """The record under what makes it the same as another."""
    return record.identity, record


def stamped(record: Record) -> Any:
    """Its key and a one, at its event time."""
    from apache_beam.transforms.window import TimestampedValue
    from apache_beam.utils.timestamp import Timestamp

    return TimestampedValue((record.key, 1), Timestamp(micros=record.event_ms * 1000))


class Counted(beam.DoFn):
    """The count of a key in its window, as a row, under the number of the file that it goes to."""

    def process(
        self, element: tuple[str, int], window: Any = beam.DoFn.WindowParam
    ) -> Iterator[tuple[int, tuple[str, int, int, int]]]:
        """One count in, one row out."""
        key, number = element
        span = (window.start.micros // 1000, window.end.micros // 1000)
        yield zlib.crc32(json.dumps([key, *span]).encode()) % FILES, (key, *span, number)


def write_windows(rows: tuple[int, Iterable[tuple[str, int, int, int]]], folder: Path) -> None:
    """The rows of one file, by key and window."""
    number, found = rows
    columns = zip(*sorted(found), strict=True)
    _write(pa.table([list(c) for c in columns], schema=WINDOWS), folder / f"windows-{number}.parquet")


def write_dead(letters: tuple[int, Iterable[Record]], files: tuple[str, ...], folder: Path) -> None:
    """The dead letters of one stretch: where they stand, and why."""
    number, found = letters
    rows = sorted(found)
    columns = [
        [files[number]] * len(rows),
        [record.row for record in rows],
        [record.wrong for record in rows],
    ]
    _write(pa.table(columns, schema=DEAD_LETTERS), folder / f"dead-letters-{number}.parquet")


def _write(table: pa.Table, file: Path) -> None:
    """Whole or not at all: a worker that is asked twice writes the same."""
    with tempfile.NamedTemporaryFile(dir=file.parent, suffix=".part", delete=False) as stream:
        pq.write_table(table, stream)
    Path(stream.name).replace(file)
