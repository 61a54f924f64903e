"""What a log deletes, and what becomes of readers that come too late.

    |segment|segment|segment|segm          kept: the last R seconds, the last B bytes, and the rest
            ^ start        ^ reader        of the segment in which those begin

Sources: Apache Kafka documentation, `retention.ms`, `retention.bytes`, `segment.ms`, `segment.bytes`,
`log.retention.check.interval.ms`, `auto.offset.reset`.
"""

from __future__ import annotations

import math
from collections.abc import Generator
from typing import TYPE_CHECKING, Any

import numpy as np
import simpy

from pipelineplan.simulation.network import OffsetReset, SourceLog
from pipelineplan.simulation.sharing import Floats

if TYPE_CHECKING:
    from pipelineplan.simulation.control import Control

Process = Generator[simpy.Event, Any, None]
# A boundary that is missed by rounding is met.
_WHOLE = 1e-9


class Retention:
    """The cleaner of one run's logs."""

    def __init__(self, control: Control) -> None:
        """Nothing has been deleted."""
        self.control = control
        self.lost = np.zeros(len(control.fluid.shares))
        self.halted_at: float | None = None

    @property
    def limited(self) -> bool:
        """Whether any log deletes anything."""
        return any(log.forgets for log in self.control.network.logs)

    def process(self) -> Process:
        """Look for what is to be deleted, as often as the cleaner does."""
        control = self.control
        while True:
            yield control.env.timeout(control.network.source.cleaner_seconds)
            control.catch_up()
            # Who does not read finds out only on return that the position is gone; but where reading goes
            # on at the oldest record left, the position is as good as moved when records are deleted.
            reads = not control.down and not control.source_down
            if reads or control.network.source.offset_reset is OffsetReset.EARLIEST:
                self.expire()

    def start(self) -> Floats:
        """The position of the oldest record that is left, `[partition]`."""
        parts, first = [], 0
        for log in self.control.network.logs:
            shares = self.control.fluid.shares[first : first + log.partitions]
            parts.append(self._start_of(log, shares))
            first += log.partitions
        return np.concatenate(parts)

    def _start_of(self, log: SourceLog, shares: Floats) -> Floats:
        now, (times, counts) = self.control.env.now, self.control.appended
        start = np.zeros(len(shares))
        since = now - log.retention_seconds
        if since > 0:
            rolled = _rolled(since, log.segment_seconds)
            start = _segment(shares * float(np.interp(since, times, counts)), log.segment_records)
            if log.segment_seconds > 0:
                start = np.minimum(start, shares * float(np.interp(rolled, times, counts)))
        if math.isfinite(log.retention_records):
            kept = shares * float(np.interp(now, times, counts)) - log.retention_records
            start = np.maximum(start, _segment(np.maximum(kept, 0.0), log.segment_records))
        return start

    def expire(self) -> None:
        """Readers whose position is gone do what the offset reset says."""
        control = self.control
        start, position = self.start(), control.fluid.position()
        behind = position < start * (1.0 - _WHOLE)
        if not behind.any():
            return
        match control.network.source.offset_reset:
            case OffsetReset.EARLIEST:
                target = start
            case OffsetReset.LATEST:
                target = position + control.fluid.queue[control.fluid.log]
            case OffsetReset.NONE:
                self._halt()
                return
        forward = np.where(behind, target - position, 0.0)
        self.lost += forward
        control.fluid.move(forward)
        control.turn()

    def _halt(self) -> None:
        if self.halted_at is None:
            self.halted_at = self.control.env.now
            self.control.stop(self.control.reading)


def _rolled(since: float, segment_seconds: float) -> float:
    """The roll of the segment in which that moment lies: it is deleted only as a whole."""
    return math.floor(since / segment_seconds + _WHOLE) * segment_seconds if segment_seconds > 0 else since


def _segment(position: Floats, segment_records: float) -> Floats:
    return (
        np.floor(position / segment_records + _WHOLE) * segment_records if segment_records > 0 else position
    )
