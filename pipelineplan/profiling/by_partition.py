"""Disorder and silence within each partition: what a watermark per partition acts on.

    arrival order   p0: 10   p1: 4   p0: 12   p1: 5   p1: 3
    merged          p1 is behind by 6, 7, 9: one slow partition looks like disorder
    within          only the last is behind, by 2

Each event is held against the newest event time of its own partition before it. Silence is how long
a partition sent nothing while the recording went on, also before its first event and after its last:
as long holds it back a watermark that waits for every partition.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator

import numpy as np

from pipelineplan.profiling import counting
from pipelineplan.profiling.counting import BITS_KEPT, Integers, ValueCounts
from pipelineplan.profiling.recording import Batch

_NEVER = -(2**62)
# So many events are taken at once: each partition has its share of the work for every block of them.
_BLOCK = 1 << 18
_LEAST_VALUES = 1 << 11
_FINE_FROM = 1 << 16
_COARSE_BITS = 7


class DisorderByPartition:
    """Counts disorder of partitions 0 to `partitions` - 1 while batches pass through, in order.

    All partitions together may hold as many different values as one distribution may; where that leaves
    fewer than 65,536 for each, what exceeds its share is rounded to seven significant bits and not eleven.
    """

    def __init__(self, partitions: int) -> None:
        """Nothing has been seen."""
        self.counts = [ValueCounts.none() for _ in range(partitions)]
        self.silence_us = np.zeros(partitions, dtype=np.int64)
        self._pooled = ValueCounts.none()
        self._newest = np.full(partitions, _NEVER, dtype=np.int64)
        self._heard = np.full(partitions, _NEVER, dtype=np.int64)
        self._clock = _NEVER
        self._most = max(_LEAST_VALUES, counting.MOST_VALUES // max(partitions, 1))
        self._bits = BITS_KEPT if self._most >= _FINE_FROM else _COARSE_BITS

    def watching(self, batches: Iterable[Batch]) -> Iterator[Batch]:
        """The same batches, counted on their way; each must have its partitions."""
        waiting: list[Batch] = []
        for batch in batches:
            if batch.partition is None:
                raise ValueError("found a batch without partitions, wanted one per event")
            waiting.append(batch)
            if sum(len(each.event_us) for each in waiting) >= _BLOCK:
                self._take(waiting)
                waiting = []
            yield batch
        if waiting:
            self._take(waiting)
        self._end()

    def _take(self, batches: list[Batch]) -> None:
        event = np.concatenate([batch.event_us for batch in batches])
        # As many bits as partitions can have: numpy sorts these by counting.
        partition = np.concatenate([batch.partition for batch in batches if batch.partition is not None])
        # A stable order by partition keeps the order of arrival within each.
        order = np.argsort(partition.astype(np.uint16), kind="stable")
        present, starts = np.unique(partition[order], return_index=True)
        self._hear(self._clock_of(batches, event)[order], present, starts)
        disorder = event[order]
        for number, own in zip(present.tolist(), np.split(disorder, starts[1:]), strict=True):
            newest = np.maximum(np.maximum.accumulate(own), self._newest[number])
            self._newest[number] = newest[-1]
            np.subtract(newest, own, out=own)
            counts = self.counts[number]
            self.counts[number] = counts.merge(ValueCounts.of(own, counts.bits), self._most, self._bits)
        self._pooled = self._pooled.merge(ValueCounts.of(disorder, self._pooled.bits))

    def _clock_of(self, batches: list[Batch], event: Integers) -> Integers:
        """When each event came: its arrival, or without one the newest event time so far."""
        arrivals = [batch.arrival_us for batch in batches if batch.arrival_us is not None]
        clock = np.concatenate(arrivals) if arrivals else np.maximum.accumulate(event)
        if not arrivals:
            np.maximum(clock, self._clock, out=clock)
        if self._clock == _NEVER:
            self._heard[:] = clock[0]
        self._clock = int(clock[-1])
        return clock

    def _hear(self, clock: Integers, present: Integers, starts: Integers) -> None:
        silence = np.diff(clock, prepend=clock[:1])
        silence[starts] = clock[starts] - self._heard[present]
        longest = np.maximum.reduceat(silence, starts)
        self.silence_us[present] = np.maximum(self.silence_us[present], longest)
        self._heard[present] = clock[np.append(starts[1:], len(clock)) - 1]

    def _end(self) -> None:
        if self._clock != _NEVER:
            self.silence_us = np.maximum(self.silence_us, self._clock - self._heard)

    def pooled(self) -> ValueCounts:
        """The disorder of all events, each within its own partition."""
        return self._pooled

    def worst(self, probability: float) -> int:
        """The partition whose quantile of disorder is the highest; the first of equals."""
        quantiles = [c.quantile(probability) if len(c.values) else -1.0 for c in self.counts]
        return quantiles.index(max(quantiles))
