"""Watermarks that are emitted by a clock and not with every record, and partitions that fall silent.

    every 200 ms     a record is judged by the last probe at or before its arrival, and that probe
                     has seen only what arrived before it: the watermark trails, fewer are late
    idle after T     a partition without records stops counting; Flink notices it only at probes:

    record   probe 1: saw it   probe 2: nothing new, the timer starts   ...   first probe later than T
       |----------|--------------------|------------------------------------------|  idle from here

so a partition is idle between T and T + 3 probes after its last record. When all are idle the
watermark stays where it was; a partition that returns can never pull it back.

Sources: Apache Flink, WatermarksWithIdleness.java (IdlenessTimer.checkIfIdle; FLINK-40503),
CombinedWatermarkStatus.java, BoundedOutOfOrdernessWatermarks.java (onPeriodicEmit).
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from pipelineplan.eventtime.engine_rules import EngineRule
from pipelineplan.eventtime.timeliness import Timeliness
from pipelineplan.eventtime.watermarks import FURTHEST_MS, NEVER, Milliseconds, Scope, Watermark, advance
from pipelineplan.eventtime.watermarks import WatermarkState as State

_NEVER_IDLE = FURTHEST_MS


@dataclass(frozen=True)
class Periodic:
    """Probes at `started_ms + k * interval_ms` (k = 1, 2, ...) of the arrival clock.

    A probe at the same instant as a record comes before it. Without `idle_timeout_ms` a silent
    partition holds the watermark for ever.
    """

    interval_ms: int
    started_ms: int
    idle_timeout_ms: int | None = None

    def __post_init__(self) -> None:
        if self.interval_ms < 1 or (self.idle_timeout_ms is not None and self.idle_timeout_ms < 1):
            raise ValueError(f"found {self}, wanted an interval and an idle timeout above 0 ms")

    def last_probe(self, clock_ms: Milliseconds) -> Milliseconds:
        """The last probe at or before each instant; `started_ms`, which is none, before the first."""
        return (
            self.started_ms
            + np.maximum((clock_ms - self.started_ms) // self.interval_ms, 0) * self.interval_ms
        )

    def idle_from(self, last_ms: Milliseconds) -> Milliseconds:
        """The probe at which a partition turns idle whose last record came at `last_ms` (`NEVER`: none)."""
        if self.idle_timeout_ms is None:
            return np.full(len(last_ms), _NEVER_IDLE, dtype=np.int64)
        # The probe that sees the record is the first one after it; the next finds nothing new.
        starts = self.last_probe(last_ms) + 2 * self.interval_ms
        starts[last_ms == NEVER] = self.started_ms + self.interval_ms
        waits = self.idle_timeout_ms // self.interval_ms + 1
        return starts + waits * self.interval_ms


def periodic_watermarks(
    watermark: Watermark,
    periodic: Periodic,
    event_time_ms: Milliseconds,
    clock_ms: Milliseconds,
    partition: npt.NDArray[np.integer] | None = None,
    rule: EngineRule = EngineRule.FLINK_DATASTREAM,
) -> Milliseconds:
    """The watermark before each of `n` records and after the last: shape `(n + 1,)`, never falling.

    `clock_ms` is when each record arrived, rising; all records are given at once. Merged, all
    records are one partition. The last item is what the probe at the last arrival would say.
    Raises `ValueError` for a clock that falls or starts before the probes do, and as `advance` does.
    """
    _require_clock(clock_ms, event_time_ms, periodic)
    merged = watermark.scope is Scope.MERGED
    own = np.zeros(len(event_time_ms), dtype=np.int64) if merged else partition
    if own is None:
        raise ValueError("found no partition for every record, wanted one: the watermark is per partition")
    instants = np.append(clock_ms, clock_ms[-1:])
    probes = periodic.last_probe(instants)
    newest, idle = _by_partition(watermark, periodic, event_time_ms, clock_ms, own, probes)
    slowest = np.where(idle, FURTHEST_MS, newest).min(axis=0)
    # All idle: the watermark stays; what was emitted before, nothing takes back.
    emitted = np.maximum.accumulate(np.where(idle.all(axis=0), NEVER, slowest))
    moved = rule.instants.watermark_ms - watermark.lag_ms
    return np.where(emitted == NEVER, NEVER, emitted + moved)


def timeliness_under(
    watermark_ms: Milliseconds, event_time_ms: Milliseconds, size_ms: int, allowed_ms: int, rule: EngineRule
) -> npt.NDArray[np.uint8]:
    """`Timeliness` of each record of tumbling windows under watermarks of shape `(n + 1,)`."""
    end = event_time_ms - event_time_ms % size_ms + size_ms
    before = watermark_ms[:-1]
    late = before >= end + rule.instants.late_ms
    dropped = before >= end + allowed_ms + rule.instants.dropped_ms
    return np.where(dropped, Timeliness.DROPPED, np.where(late, Timeliness.LATE, Timeliness.ON_TIME)).astype(
        np.uint8
    )


def _by_partition(
    watermark: Watermark,
    periodic: Periodic,
    event_time_ms: Milliseconds,
    clock_ms: Milliseconds,
    partition: npt.NDArray[np.integer],
    probes: Milliseconds,
) -> tuple[Milliseconds, npt.NDArray[np.bool_]]:
    """Per partition and probe: the newest event time that arrived before it, and whether it is idle.

    Where all are idle at a probe, the last probe at which one was not is looked at instead: in
    between, the others had gone idle one by one and the minimum had risen.
    """
    newest = np.empty((watermark.followed, len(probes)), dtype=np.int64)
    idle_from = np.empty_like(newest)
    for number in range(watermark.followed):
        mine = partition == number
        clocks, times = clock_ms[mine], event_time_ms[mine]
        progress, _ = advance(State(np.full(1, NEVER, dtype=np.int64)), times)
        seen = np.searchsorted(clocks, probes, side="left")
        newest[number] = progress[seen]
        idle_from[number] = periodic.idle_from(np.concatenate([[NEVER], clocks])[seen])
    asked = np.minimum(probes, idle_from.max(axis=0) - periodic.interval_ms)
    return newest, idle_from <= asked


def _require_clock(clock_ms: Milliseconds, event_time_ms: Milliseconds, periodic: Periodic) -> None:
    if len(clock_ms) != len(event_time_ms) or not len(clock_ms):
        raise ValueError("found no arrival time for every record, wanted one: probes go by the arrival clock")
    if (clock_ms[1:] < clock_ms[:-1]).any() or int(clock_ms[0]) < periodic.started_ms:
        raise ValueError("found an arrival clock that falls or starts before the probes, wanted a rising one")
