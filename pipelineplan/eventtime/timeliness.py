"""On time, late or dropped: the answer for every record, and what every window then contains.

    event time    2   8  11   4  25   9          windows of 10, lag 0, allowed lateness 10
    window        0   0  10   0  20   0          (their starts)
    watermark     .   2   8  11  11  25          before each record
    timeliness    on  on on late on dropped      window 0: two at its first firing, three in the end

Times are whole milliseconds: floats lose the instants at which engines decide. Records come in
arrival order, whole or in chunks; what is carried between chunks is a `WatermarkState`, and a
`WindowTally` keeps one row per window, so memory does not grow with the number of records.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from enum import IntEnum

import numpy as np
import numpy.typing as npt

from pipelineplan.eventtime.engine_rules import EngineRule
from pipelineplan.eventtime.watermarks import (
    FURTHEST_MS,
    Milliseconds,
    Watermark,
    WatermarkState,
    advance,
)

# Records at a time when a long array is cut up: their arrays then stay in the processor's cache.
CHUNK = 1 << 15


class Timeliness(IntEnum):
    """What becomes of a record: in its window's first firing, in a later one, in none."""

    ON_TIME = 0
    LATE = 1
    DROPPED = 2


@dataclass(frozen=True)
class FixedWindows:
    """Windows [k * size + offset, (k + 1) * size + offset), open for `allowed_lateness_ms` longer."""

    size_ms: int
    allowed_lateness_ms: int = 0
    offset_ms: int = 0

    def __post_init__(self) -> None:
        sizes = (self.size_ms - 1, self.allowed_lateness_ms)
        if min(sizes) < 0 or max(*sizes, abs(self.offset_ms)) >= FURTHEST_MS:
            message = f"found {self}, wanted a size above 0 and an allowed lateness of 0 ms or more"
            raise ValueError(message)

    def index(self, event_time_ms: Milliseconds) -> Milliseconds:
        """The number of each record's window, counted from the offset."""
        shifted = event_time_ms - self.offset_ms if self.offset_ms else event_time_ms
        return np.asarray(shifted // self.size_ms, dtype=np.int64)

    def start_ms(self, index: Milliseconds) -> Milliseconds:
        """The starts of the windows numbered `index`."""
        return index * self.size_ms + self.offset_ms


@dataclass(frozen=True)
class Judgement:
    """Everything that decides about a record but the record: watermark, windows, engine."""

    watermark: Watermark
    windows: FixedWindows
    rule: EngineRule = EngineRule.BEAM_MODEL

    @property
    def fires_at_ms(self) -> int:
        """The watermark at which a window first fires, counted from its start."""
        return self.windows.size_ms + self.rule.instants.late_ms

    @property
    def closes_at_ms(self) -> int:
        """The watermark from which a window's records are dropped, counted from its start."""
        return self.windows.size_ms + self.windows.allowed_lateness_ms + self.rule.instants.dropped_ms


@dataclass(frozen=True)
class Classified:
    """The answer for `n` records in arrival order.

    `timeliness` (uint8, shape `(n,)`) holds the values of `Timeliness`; `window_index` and
    `window_start_ms` say which window each belongs to; `watermark_ms` has shape `(n + 1,)`,
    before each record and after the last. `state` goes into the next chunk.
    """

    judgement: Judgement
    timeliness: npt.NDArray[np.uint8]
    window_index: Milliseconds
    watermark_ms: Milliseconds
    state: WatermarkState

    @property
    def window_start_ms(self) -> Milliseconds:
        """The start of each record's window."""
        return self.judgement.windows.start_ms(self.window_index)


def classify(
    judgement: Judgement,
    event_time_ms: Milliseconds,
    partition: npt.NDArray[np.integer] | None = None,
    state: WatermarkState | None = None,
) -> Classified:
    """Say for each record, in arrival order, whether it is on time, late and accepted, or dropped.

    `event_time_ms` (int64) and `partition` (integers from 0) have shape `(n,)`; `state` is that
    of the chunk before, None at the start. Raises `ValueError` as `advance` does.
    """
    before = state or WatermarkState.start(judgement.watermark)
    progress, after = advance(before, event_time_ms, partition)
    progress += judgement.rule.instants.watermark_ms - judgement.watermark.lag_ms
    index = judgement.windows.index(event_time_ms)
    ahead = progress[:-1] - judgement.windows.start_ms(index)
    timeliness = (ahead >= judgement.fires_at_ms).view(np.uint8)
    timeliness += (ahead >= judgement.closes_at_ms).view(np.uint8)
    return Classified(judgement, timeliness, index, progress, after)


def classified_in_chunks(
    judgement: Judgement,
    event_time_ms: Milliseconds,
    partition: npt.NDArray[np.integer] | None = None,
    state: WatermarkState | None = None,
) -> Iterator[Classified]:
    """The same as `classify`, a cacheful of records at a time: faster for long arrays."""
    for start in range(0, len(event_time_ms), CHUNK):
        part = slice(start, start + CHUNK)
        own = None if partition is None else partition[part]
        done = classify(judgement, event_time_ms[part], own, state)
        state = done.state
        yield done
