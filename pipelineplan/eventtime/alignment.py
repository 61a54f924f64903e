"""Watermark alignment: a partition that runs ahead is not read on until the others have come near.

    drift 10, announced every 100 ms        p0 reads 5, 50           p1 is slow
    at 100 the group's least watermark is 7: nobody above 17 is read on; p0 waits
    at 200 it is 45: up to 55, p0 goes on

What arrives is not changed, nor how it is judged, but when it is read: merged windows hold less, and a fast
partition's backlog stays in the topic. As Flink does it: every partition reports its watermark at each
announcement; one that has none yet does not count, an idle one counts as infinitely far; whoever is above the
least by more than the drift reads nothing, from the next record on, until an announcement lets it. Before the
first announcement nobody waits.

Sources: Apache Flink, SourceOperator.java (emitLatestWatermark, updateCurrentSplitWatermark,
shouldWaitForAlignment) and SourceCoordinator.java; FLIP-182 and FLIP-217. Read, not run:
watermarks are taken to move with every record, and events between reader and coordinator to take no time.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise

from pipelineplan.eventtime.watermarks import FURTHEST_MS


@dataclass(frozen=True)
class Alignment:
    """How far a partition may be ahead of the slowest, and how often that is told."""

    max_drift_ms: int
    update_interval_ms: int = 1000
    started_ms: int = 0
    idle_timeout_ms: int | None = None

    def __post_init__(self) -> None:
        if self.max_drift_ms < 0 or self.update_interval_ms < 1:
            raise ValueError(f"found {self}, wanted a drift of 0 ms or more and an interval above 0")


@dataclass(frozen=True)
class Read:
    """Record `record` is read at `clock_ms`, not before it arrived."""

    record: int
    clock_ms: int


@dataclass
class _Partition:
    waiting: deque[int]
    newest_ms: int | None = None
    read_at_ms: int = 0


def aligned(
    alignment: Alignment, event_time_ms: Sequence[int], clock_ms: Sequence[int], partition: Sequence[int]
) -> tuple[Read, ...]:
    """When each record is read, in the order of reading; `clock_ms` is when it arrived, and rises.

    The lag of the watermark is the same for all partitions and falls out. What is still held back when
    nothing arrives any more is read as announcements go on; a partition is done when it has no more
    records to come. Raises `ValueError` for lengths that differ or a clock that falls.
    """
    if not len(event_time_ms) == len(clock_ms) == len(partition):
        raise ValueError("found columns of different lengths, wanted a clock and a partition for each record")
    if any(later < earlier for earlier, later in pairwise(clock_ms)):
        raise ValueError("found an arrival clock that falls, wanted one that rises")
    reader = _Reader(alignment, event_time_ms, clock_ms, partition)
    return reader.run()


class _Reader:
    def __init__(
        self, alignment: Alignment, event_ms: Sequence[int], clock_ms: Sequence[int], partition: Sequence[int]
    ) -> None:
        self.alignment, self.event_ms, self.clock_ms = alignment, event_ms, clock_ms
        self.partitions: dict[int, _Partition] = {}
        for record, number in enumerate(partition):
            self.partitions.setdefault(number, _Partition(deque())).waiting.append(record)
        self.most = FURTHEST_MS
        self.reads: list[Read] = []

    def run(self) -> tuple[Read, ...]:
        """From announcement to announcement."""
        now = self.alignment.started_ms
        while any(one.waiting for one in self.partitions.values()):
            now = self._skipped(now)
            later = now + self.alignment.update_interval_ms
            self._read_until(now, later)
            self._announce(later)
            now = later
        return tuple(self.reads)

    def _skipped(self, now: int) -> int:
        """The last announcement before anything can be read or fall silent: those between change nothing."""
        free = [one for one in self.partitions.values() if one.waiting and self._may_read(one)]
        held = any(one.waiting and not self._may_read(one) for one in self.partitions.values())
        if not free or (held and self.alignment.idle_timeout_ms is not None):
            return now
        ahead = min(self.clock_ms[one.waiting[0]] for one in free) - now
        steps = ahead // self.alignment.update_interval_ms
        if steps < 1:
            return now
        now += steps * self.alignment.update_interval_ms
        self._announce(now)
        return now

    def _may_read(self, one: _Partition) -> bool:
        return one.newest_ms is None or one.newest_ms <= self.most

    def _read_until(self, now: int, later: int) -> None:
        """Everything that may be read from `now` to just before `later`, in the order of time."""
        due: list[Read] = []
        for one in self.partitions.values():
            while one.waiting and self._may_read(one):
                at = max(self.clock_ms[one.waiting[0]], now)
                if at >= later:
                    break
                record = one.waiting.popleft()
                newest = self.event_ms[record]
                one.newest_ms = newest if one.newest_ms is None else max(one.newest_ms, newest)
                one.read_at_ms = at
                due.append(Read(record, at))
        self.reads += sorted(due, key=lambda read: (read.clock_ms, read.record))

    def _announce(self, now: int) -> None:
        reported = [
            one.newest_ms
            for one in self.partitions.values()
            if one.newest_ms is not None and not self._idle(one, now)
        ]
        self.most = min(reported) + self.alignment.max_drift_ms if reported else FURTHEST_MS

    def _idle(self, one: _Partition, now: int) -> bool:
        """Silent for longer than the timeout, or over; one that is made to wait is not silent."""
        if not one.waiting:
            return True
        timeout = self.alignment.idle_timeout_ms
        nothing_to_read = self.clock_ms[one.waiting[0]] > now
        return timeout is not None and nothing_to_read and now - one.read_at_ms > timeout
