# mypy: disable-error-code="no-untyped-call"
"""Every pane that Apache Beam emits, for bundles of records between given watermarks."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import apache_beam as beam
from apache_beam.options.pipeline_options import PipelineOptions, StandardOptions
from apache_beam.runners.direct.direct_runner import BundleBasedDirectRunner
from apache_beam.testing.test_stream import TestStream
from apache_beam.transforms import trigger, window
from apache_beam.utils.timestamp import Duration, Timestamp
from apache_beam.utils.windowed_value import PaneInfoTiming

from pipelineplan.eventtime.panes import Accumulation, Pane, Paning, Timing
from pipelineplan.eventtime.timeliness import FixedWindows
from pipelineplan.eventtime.window_kinds import ALWAYS, GlobalWindow, SlidingWindows

# A bundle: (number, key, event time) of its records, then the watermark after it, None if it stays.
Bundle = tuple[Sequence[tuple[int, str, int]], int | None]
# After so many bundles the processing time moves by so many seconds.
Ticks = Mapping[int, int]
SEEN: list[Pane] = []
TIMINGS = {
    PaneInfoTiming.EARLY: Timing.EARLY,
    PaneInfoTiming.ON_TIME: Timing.ON_TIME,
    PaneInfoTiming.LATE: Timing.LATE,
}


class Collect(beam.DoFn):
    """Notes each pane."""

    def process(
        self, element: Any, pane: Any = beam.DoFn.PaneInfoParam, w: Any = beam.DoFn.WindowParam
    ) -> None:
        """Take one pane: `(key, numbers of records)`."""
        key, numbers = element
        always = isinstance(w, window.GlobalWindow)
        span = ALWAYS if always else (w.start.micros // 1000, w.end.micros // 1000)
        SEEN.append(Pane(key, *span, pane.index, TIMINGS[pane.timing], tuple(sorted(numbers)), -1))


def beam_panes(paning: Paning, bundles: Sequence[Bundle], ticks: Ticks | None = None) -> list[Pane]:
    """What Beam Python emits, in order; `after` is -1, for Beam does not say."""
    SEEN.clear()
    options = PipelineOptions([])
    options.view_as(StandardOptions).streaming = True
    pipeline = beam.Pipeline(runner=BundleBasedDirectRunner(), options=options)
    early = trigger.AfterCount(paning.early_count) if paning.early_count else None
    if paning.early_delay_ms is not None:
        early = trigger.AfterProcessingTime(paning.early_delay_ms // 1000)
    discarding = paning.accumulation is Accumulation.DISCARDING
    modes = trigger.AccumulationMode
    into = beam.WindowInto(
        window_fn(paning),
        trigger=trigger.AfterWatermark(early=early, late=trigger.AfterCount(paning.late_count)),
        accumulation_mode=modes.DISCARDING if discarding else modes.ACCUMULATING,
        allowed_lateness=Duration(micros=paning.windows.allowed_lateness_ms * 1000),
    )
    keyed = beam.Map(lambda pair: pair)
    _ = pipeline | stream(bundles, ticks or {}) | keyed | into | beam.GroupByKey() | beam.ParDo(Collect())
    pipeline.run().wait_until_finish()
    return list(SEEN)


def window_fn(paning: Paning) -> Any:
    windows = paning.windows
    if isinstance(windows, FixedWindows):
        return window.FixedWindows(span(windows.size_ms), at(windows.offset_ms))
    if isinstance(windows, SlidingWindows):
        return window.SlidingWindows(span(windows.size_ms), span(windows.every_ms), at(windows.offset_ms))
    if isinstance(windows, GlobalWindow):
        return window.GlobalWindows()
    return window.Sessions(span(windows.gap_ms))


def stream(bundles: Sequence[Bundle], ticks: Ticks) -> Any:
    found: Any = TestStream()
    for number, (records, watermark) in enumerate(bundles, start=1):
        stamped = [window.TimestampedValue((key, one), at(time)) for one, key, time in records]
        found = found.add_elements(stamped) if stamped else found
        if watermark is not None and watermark < ALWAYS[1]:
            found = found.advance_watermark_to(at(watermark))
        if number in ticks:
            found = found.advance_processing_time(ticks[number])
    return found.advance_watermark_to_infinity()


def at(milliseconds: int) -> Timestamp:
    return Timestamp(micros=milliseconds * 1000)


def span(milliseconds: int) -> Duration:
    return Duration(micros=milliseconds * 1000)
