# mypy: disable-error-code="no-untyped-call"
"""Apache Beam's own answer: the records through TestStream, one per bundle, then the watermark.

Beam Python's DirectRunner by name would look for another runner to download, and TestStream
without the streaming option silently keeps late data, so both are said explicitly.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import apache_beam as beam
from apache_beam.options.pipeline_options import PipelineOptions, StandardOptions
from apache_beam.runners.direct.direct_runner import BundleBasedDirectRunner
from apache_beam.testing.test_stream import TestStream
from apache_beam.transforms.trigger import AccumulationMode, AfterCount, AfterWatermark
from apache_beam.transforms.window import FixedWindows, TimestampedValue
from apache_beam.utils.timestamp import Duration, Timestamp
from apache_beam.utils.windowed_value import PaneInfoTiming

from pipelineplan.eventtime.timeliness import Judgement, Timeliness
from pipelineplan.eventtime.watermarks import Scope

# Filled by the pipeline, which runs in this process; Beam pickles `Collect` by reference.
SEEN: list[tuple[int, Timeliness]] = []


class Collect(beam.DoFn):
    """Notes for each record of a pane whether the pane was late."""

    def process(self, element: Any, pane: Any = beam.DoFn.PaneInfoParam) -> None:
        """Take one pane: `(key, numbers of records)`."""
        late = pane.timing == PaneInfoTiming.LATE
        SEEN.extend((number, Timeliness.LATE if late else Timeliness.ON_TIME) for number in element[1])


def beam_says(judgement: Judgement, records: list[tuple[int, int]]) -> list[Timeliness]:
    """What Beam Python does with `(event time in ms, partition)` records in arrival order."""
    SEEN.clear()
    options = PipelineOptions([])
    options.view_as(StandardOptions).streaming = True
    assert options.view_as(StandardOptions).streaming
    pipeline = beam.Pipeline(runner=BundleBasedDirectRunner(), options=options)
    windows = judgement.windows
    window_into = beam.WindowInto(
        FixedWindows(Duration(micros=windows.size_ms * 1000), at(windows.offset_ms)),
        trigger=AfterWatermark(late=AfterCount(1)),
        accumulation_mode=AccumulationMode.DISCARDING,
        allowed_lateness=Duration(micros=windows.allowed_lateness_ms * 1000),
    )
    _ = (
        pipeline
        | stream_of(judgement, records)
        | beam.Map(lambda number: ("all", number))
        | window_into
        | beam.GroupByKey()
        | beam.ParDo(Collect())
    )
    pipeline.run().wait_until_finish()
    kept = dict(SEEN)
    assert len(kept) == len(SEEN), "a record was in two panes"
    return [kept.get(number, Timeliness.DROPPED) for number in range(len(records))]


def stream_of(judgement: Judgement, records: list[tuple[int, int]]) -> Any:
    """One record per bundle, and after each the watermark, if it has moved."""
    stream: Any = TestStream()
    for number, ((time, _), watermark) in enumerate(
        zip(records, watermarks(judgement, records), strict=True)
    ):
        stream = stream.add_elements([TimestampedValue(number, at(time))])
        if watermark is not None:
            stream = stream.advance_watermark_to(at(watermark))
    return stream.advance_watermark_to_infinity()


def watermarks(judgement: Judgement, records: list[tuple[int, int]]) -> Iterator[int | None]:
    """The watermark after each record where it rises; the minimum over partitions is taken here."""
    newest: dict[int, int] = {}
    reached = None
    merged = judgement.watermark.scope is Scope.MERGED
    for time, partition in records:
        key = 0 if merged else partition
        newest[key] = max(newest.get(key, time), time)
        complete = len(newest) == judgement.watermark.followed
        watermark = min(newest.values()) - judgement.watermark.lag_ms if complete else None
        yield watermark if watermark is not None and (reached is None or watermark > reached) else None
        reached = watermark


def at(milliseconds: int) -> Timestamp:
    """A Beam timestamp, exactly."""
    return Timestamp(micros=milliseconds * 1000)
