"""Disorder within each partition: what a watermark per partition acts on.

    arrival order   p0: 10   p1: 4   p0: 12   p1: 5   p1: 3
    merged          p1 is behind by 6, 7, 9: one slow partition looks like disorder
    within          only the last is behind, by 2

Each event is held against the newest event time of its own partition before it.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence

import numpy as np
import numpy.typing as npt

from pipelineplan.profiling.counting import Integers, ValueCounts
from pipelineplan.profiling.recording import Batch

_NEVER = -(2**62)


class DisorderByPartition:
    """Counts disorder of partitions 0 to `partitions` - 1 while batches pass through, in order."""

    def __init__(self, partitions: int, newest_us: Sequence[int | None] = ()) -> None:
        """Nothing has been seen, but for the newest event times before, where they are known."""
        self.counts = [ValueCounts.none() for _ in range(partitions)]
        self._newest = np.full(partitions, _NEVER, dtype=np.int64)
        for number, microseconds in enumerate(newest_us):
            self._newest[number] = _NEVER if microseconds is None else microseconds

    def watching(self, batches: Iterable[Batch]) -> Iterator[Batch]:
        """The same batches, counted on their way; each must have its partitions."""
        for batch in batches:
            if batch.partition is None:
                raise ValueError("found a batch without partitions, wanted one per event")
            self._take(batch.event_us, batch.partition)
            yield batch

    def _take(self, event_us: Integers, partition: npt.NDArray[np.int32]) -> None:
        # A stable order by partition keeps the order of arrival within each.
        order = np.argsort(partition, kind="stable")
        present, starts = np.unique(partition[order], return_index=True)
        for number, events in zip(present.tolist(), np.split(event_us[order], starts[1:]), strict=True):
            newest = np.maximum(np.maximum.accumulate(events), self._newest[number])
            self.counts[number] = self.counts[number].merge(ValueCounts.of(newest - events))
            self._newest[number] = newest[-1]

    def pooled(self) -> ValueCounts:
        """The disorder of all events, each within its own partition."""
        whole = ValueCounts.none()
        for counts in self.counts:
            whole = whole.merge(counts)
        return whole

    def worst(self, probability: float) -> int:
        """The partition whose quantile of disorder is the highest; the first of equals."""
        quantiles = [c.quantile(probability) if len(c.values) else -1.0 for c in self.counts]
        return quantiles.index(max(quantiles))
