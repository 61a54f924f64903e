"""When engines call a record late and when they drop it: the same idea, an instant apart.

A window [start, end) waits until the watermark reaches its end; a record that comes later is
late, and after the allowed lateness it is dropped. Which millisecond that is differs:

    engine               watermark            late when          dropped when
    Beam model, Java     max - lag            wm >= end          wm >= end + allowed
    Beam Python          max - lag            wm >= end          wm >  end + allowed
    Flink DataStream     max - lag - 1 ms     wm >= end - 1 ms   wm >= end - 1 ms + allowed
    Flink SQL            max - lag            wm >= end - 1 ms   wm >= end - 1 ms + allowed

In terms of `max - lag`, Flink's DataStream API and the Beam model agree, and the two others
each differ from them by one instant. An engine whose watermark is not of this form (the
maximum over partitions per micro-batch, stream time per task) would be a further case here
and a further way to move a watermark in `watermarks`.

Sources: Apache Beam, LateDataDroppingDoFnRunner.java and trigger.py; Apache Flink,
WindowOperator.isWindowLate and BoundedOutOfOrdernessWatermarks.onPeriodicEmit.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import assert_never


class EngineRule(StrEnum):
    """Whose rule decides; the value is the name in reports."""

    BEAM_MODEL = "beam-model"
    BEAM_PYTHON = "beam-python"
    FLINK_DATASTREAM = "flink-datastream"
    FLINK_SQL = "flink-sql"

    @property
    def instants(self) -> Instants:
        """The milliseconds in which this engine differs from the plain formula."""
        match self:
            case EngineRule.BEAM_MODEL:
                return Instants(watermark_ms=0, late_ms=0, dropped_ms=0)
            case EngineRule.BEAM_PYTHON:
                return Instants(watermark_ms=0, late_ms=0, dropped_ms=1)
            case EngineRule.FLINK_DATASTREAM:
                return Instants(watermark_ms=-1, late_ms=-1, dropped_ms=-1)
            case EngineRule.FLINK_SQL:
                return Instants(watermark_ms=0, late_ms=-1, dropped_ms=-1)
            case _:
                assert_never(self)

    @property
    def is_flink(self) -> bool:
        """Whether Flink's window operator decides, whatever wrote the watermark."""
        return self in {EngineRule.FLINK_DATASTREAM, EngineRule.FLINK_SQL}


@dataclass(frozen=True)
class Instants:
    """What an engine adds to the newest event time less the lag, and to a window's two deadlines.

    A record is late when `watermark >= end + late_ms`, and dropped when
    `watermark >= end + allowed + dropped_ms`, where `watermark = max - lag + watermark_ms`.
    """

    watermark_ms: int
    late_ms: int
    dropped_ms: int
