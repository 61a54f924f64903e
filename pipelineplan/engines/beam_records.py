# ruff: noqa: S608 -- every identifier in SQL goes through quoted()
"""The recorded events of a preview: the first few thousand rows, as they stand in the files.

number   event_ms   key    repeat
0        1204       d33    ("d33", "1")
1        None       d34    ("d34", "1")      no readable event time: Beam sends it to the dead letters
"""

from __future__ import annotations

from dataclasses import dataclass

from pipelineplan.engines.beam_plan import Case

MOST_RECORDS = 3000


@dataclass(frozen=True)
class Row:
    """One recorded event: its time in whole milliseconds, None when it cannot be read."""

    number: int
    event_ms: int | None
    key: str
    repeat: tuple[str, ...]


def read_rows(case: Case, most: int = MOST_RECORDS) -> tuple[Row, ...]:
    """The first `most` rows of a case's files, in file order.

    Raises `InputError` for files and columns that cannot be used, and when no event time can be read.
    """
    from pipelineplan.profiling.files import quoted
    from pipelineplan.profiling.recording import nothing_readable, open_recording

    others = [column for column in (case.key, *case.repeats_by) if column]
    recording = open_recording([case.data], event_time=case.event_time, others=others)
    key = f"coalesce({quoted(case.key)}::VARCHAR, '')" if case.key else "''"
    repeats = [f"coalesce({quoted(column)}::VARCHAR, '')" for column in case.repeats_by]
    found: list[Row] = []
    for file in recording.files:
        columns = ", ".join([f"({recording.event.microseconds(file)})", key, *repeats])
        limit = most - len(found)
        sql = f"SELECT {columns} FROM {file.table} LIMIT {limit}"
        for event_us, text, *repeat in recording.connection.execute(sql).fetchall():
            event_ms = None if event_us is None else int(event_us) // 1000
            found.append(Row(len(found), event_ms, str(text), tuple(map(str, repeat))))
    if all(row.event_ms is None for row in found):
        recording.unreadable = len(found)
        raise nothing_readable(recording)
    return tuple(found)


def watermarks_after(case: Case, rows: tuple[Row, ...]) -> tuple[int | None, ...]:
    """The watermark after each row: the newest event time so far less the lag; None before the first."""
    newest: int | None = None
    found: list[int | None] = []
    for row in rows:
        if row.event_ms is not None:
            newest = row.event_ms if newest is None else max(newest, row.event_ms)
        found.append(None if newest is None else newest - case.watermark.lag_ms)
    return tuple(found)
