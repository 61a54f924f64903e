"""A plan's windows as an Apache Beam pipeline, played through TestStream in this process.

    TestStream -> validate -> drop repeats -> window -> count by key -> panes
                     |             |
               dead letters     repeats

TestStream sets the watermark between records, so what is late does not depend on speed. It runs on
`BundleBasedDirectRunner` only: the name `DirectRunner` would look for another runner to download,
and without the streaming option Beam silently keeps late records.

One bundle takes milliseconds, whatever is in it. So the watermark is moved only when it comes to, or
within 1 ms of, an instant at which some engine might decide about some window of these records (an
end, or an end and the allowed lateness); records in between share a bundle, and no count can tell.
"""

from __future__ import annotations

import json
import tempfile
from bisect import bisect_right
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any, assert_never

from pipelineplan.engines.beam_plan import Case
from pipelineplan.engines.beam_records import Row, watermarks_after
from pipelineplan.engines.beam_runner import beam_version, quiet, run_pipeline
from pipelineplan.eventtime.panes import Accumulation, Timing
from pipelineplan.eventtime.timeliness import FixedWindows
from pipelineplan.eventtime.window_kinds import (
    GlobalWindow,
    SessionWindows,
    SlidingWindows,
    Windows,
    assigned,
)


@dataclass(frozen=True)
class CountedPane:
    """One firing of one key's window: how many records it counted."""

    key: str
    start_ms: int
    end_ms: int
    index: int
    timing: Timing
    count: int


@dataclass(frozen=True)
class BeamAnswer:
    """What came out of the pipeline: panes, and the numbers of the rows that were set aside."""

    version: str
    panes: tuple[CountedPane, ...]
    dead_letters: tuple[int, ...]
    repeats: tuple[int, ...]


def run_beam(case: Case, rows: tuple[Row, ...]) -> BeamAnswer:
    """Run the pipeline of `case` over `rows`.

    Raises `MissingExtraError` without Apache Beam, `BeamError` when the pipeline fails.
    """
    with quiet():
        version = beam_version("running a plan's windows on Apache Beam")
    with quiet(), tempfile.TemporaryDirectory(prefix="pipelineplan-beam-") as name:
        _run(case, rows, Path(name))
        panes = tuple(
            CountedPane(key, start, end, index, Timing(timing), count)
            for key, start, end, index, timing, count in _lines(Path(name), "panes")
        )
        set_aside = [
            tuple(sorted(row for (row,) in _lines(Path(name), kind))) for kind in ("dead", "repeats")
        ]
    return BeamAnswer(version, panes, *set_aside)


def _run(case: Case, rows: tuple[Row, ...], folder: Path) -> None:
    import apache_beam as beam
    from apache_beam.runners.direct.direct_runner import BundleBasedDirectRunner

    from pipelineplan.engines import beam_transforms as own

    pipeline = beam.Pipeline(runner=BundleBasedDirectRunner(), options=_options())
    source = pipeline | "read" >> _stream(case, rows)
    readable = source | "validate" >> own.split(own.Validate(), "dead")
    _ = readable.dead | "dead letters" >> beam.ParDo(own.Note(folder / "dead"))
    records = readable.main
    if case.repeats_by:
        first = (
            records
            | "by identity" >> beam.Map(own.by_identity)
            | "drop repeats" >> own.split(own.FirstOnly(), "repeats")
        )
        _ = first.repeats | "repeats" >> beam.ParDo(own.Note(folder / "repeats"))
        records = first.main
    counted = records | "by key" >> beam.Map(own.by_key) | "window" >> _window_into(case)
    counts = counted | "count" >> beam.CombinePerKey(beam.combiners.CountCombineFn())
    _ = counts | "panes" >> beam.ParDo(own.NotePane(folder / "panes"))
    run_pipeline(pipeline, repr(case.stage))


def _options() -> Any:
    """Options said explicitly: the default would read this program's own command line."""
    from apache_beam.options.pipeline_options import PipelineOptions, StandardOptions

    options = PipelineOptions([])
    options.view_as(StandardOptions).streaming = True
    return options


def _stream(case: Case, rows: tuple[Row, ...]) -> Any:
    from apache_beam.testing.test_stream import TestStream
    from apache_beam.transforms.window import TimestampedValue
    from apache_beam.utils.timestamp import Timestamp

    stream: Any = TestStream()
    for together, watermark in bundles(case, rows):
        # A row without a time needs a stamp to travel with; no window ever sees it.
        stamps = [watermark or 0 if row.event_ms is None else row.event_ms for row in together]
        elements = [
            TimestampedValue((row.number, row.event_ms, row.key, row.repeat), Timestamp(micros=stamp * 1000))
            for row, stamp in zip(together, stamps, strict=True)
        ]
        stream = stream.add_elements(elements)
        if watermark is not None:
            stream = stream.advance_watermark_to(Timestamp(micros=watermark * 1000))
    return stream.advance_watermark_to_infinity()


def bundles(case: Case, rows: tuple[Row, ...]) -> Iterator[tuple[list[Row], int | None]]:
    """Rows that no engine can tell apart by their watermark, and the watermark after them."""
    instants = _deciding_instants(case.paning.windows, rows)
    together: list[Row] = []
    reached = -1
    for row, after in zip(rows, watermarks_after(case, rows), strict=True):
        together.append(row)
        passed = -1 if after is None else bisect_right(instants, after)
        if passed != reached:
            yield together, after
            together, reached = [], passed
    if together:
        yield together, None


def _deciding_instants(windows: Windows, rows: tuple[Row, ...]) -> list[int]:
    """Each millisecond at which a window of these rows might fire or close, and those beside it.

    A session ends at some record's time and the gap, so those instants are among these.
    """
    ends = {end for row in rows if row.event_ms is not None for _, end in assigned(windows, row.event_ms)}
    late = windows.allowed_lateness_ms
    return sorted({end + wait + beside for end in ends for wait in (0, late) for beside in (-1, 0, 1)})


def _window_into(case: Case) -> Any:
    import apache_beam as beam
    from apache_beam.transforms.trigger import AccumulationMode, AfterCount, AfterWatermark
    from apache_beam.utils.timestamp import Duration

    accumulating = case.paning.accumulation is Accumulation.ACCUMULATING
    return beam.WindowInto(
        window_fn(case.paning.windows),
        trigger=AfterWatermark(late=AfterCount(1)),
        accumulation_mode=AccumulationMode.ACCUMULATING if accumulating else AccumulationMode.DISCARDING,
        allowed_lateness=Duration(micros=case.paning.windows.allowed_lateness_ms * 1000),
    )


def window_fn(windows: Windows) -> Any:
    """Beam's own windows."""
    from apache_beam.transforms import window
    from apache_beam.utils.timestamp import Duration

    def span(milliseconds: int) -> Any:
        return Duration(micros=milliseconds * 1000)

    match windows:
        case FixedWindows(size_ms=size):
            return window.FixedWindows(span(size))
        case SlidingWindows(size_ms=size, every_ms=every):
            return window.SlidingWindows(span(size), span(every))
        case SessionWindows(gap_ms=gap):
            return window.Sessions(span(gap))
        case GlobalWindow():
            return window.GlobalWindows()
        case _:
            assert_never(windows)


def _lines(folder: Path, name: str) -> list[Any]:
    file = folder / name
    return [json.loads(line) for line in file.read_text("utf-8").splitlines()] if file.is_file() else []
