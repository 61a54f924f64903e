"""Disorder within each partition: what a watermark per partition acts on.

    arrival order   p0: 10   p1: 4   p0: 12   p1: 5   p1: 3
    merged          p1 is behind by 6, 7, 9: one slow partition looks like disorder
    within          only the last is behind, by 2

Each event is held against the newest event time of its own partition before it. All together are counted
as exactly as anything else. A single partition is exact up to 4096 different values and then rounded up to
seven significant bits, by 1.6 % at most, so that thousands of partitions stay small.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field

import numpy as np

from pipelineplan.profiling.counting import ValueCounts
from pipelineplan.profiling.recording import Batch

_NEVER = -(2**62)
# So many events are taken at once: each partition has its share of the work for every block of them.
_BLOCK = 1 << 18
_MOST_VALUES = 1 << 12
_BITS_KEPT = 7

Name = str | None


@dataclass(frozen=True)
class Within:
    """The disorder of each partition, and of all events pooled, each within its own."""

    of: Mapping[Name, ValueCounts] = field(default_factory=dict)
    pooled: ValueCounts = field(default_factory=ValueCounts.none)

    def merge(self, later: Within) -> Within:
        """The counts of both; which partitions each has seen may differ."""
        none = ValueCounts.none()
        names = {**self.of, **later.of}
        merged = {name: _merged(self.of.get(name, none), later.of.get(name, none)) for name in names}
        return Within(merged, self.pooled.merge(later.pooled))

    def worst(self, probability: float) -> Name:
        """The partition whose quantile of disorder is the highest; the first of equals by name."""
        names = sorted(self.of, key=lambda name: (name is None, name or ""))
        seen = [name for name in names if len(self.of[name].values)]
        return max(seen, key=lambda name: self.of[name].quantile(probability))


class DisorderByPartition:
    """Counts disorder of the named partitions, 0 and on, while batches pass through in order."""

    def __init__(self, names: Sequence[Name], newest_us: Sequence[int | None] = ()) -> None:
        """Nothing has been seen, but for the newest event times before, where they are known."""
        self._names = names
        self._counts = [ValueCounts.none() for _ in names]
        self._pooled = ValueCounts.none()
        self._newest = np.full(len(names), _NEVER, dtype=np.int64)
        for number, microseconds in enumerate(newest_us):
            self._newest[number] = _NEVER if microseconds is None else microseconds

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

    def found(self) -> Within:
        """What the batches that passed through had, once the last has."""
        return Within(dict(zip(self._names, self._counts, strict=True)), self._pooled)

    def _take(self, batches: list[Batch]) -> None:
        partition = np.concatenate([batch.partition for batch in batches if batch.partition is not None])
        # A stable order by partition keeps the order of arrival within each; 16 bits are sorted by counting.
        order = np.argsort(partition.astype(np.uint16), kind="stable")
        present, starts = np.unique(partition[order], return_index=True)
        disorder = np.concatenate([batch.event_us for batch in batches])[order]
        for number, own in zip(present.tolist(), np.split(disorder, starts[1:]), strict=True):
            newest = np.maximum(np.maximum.accumulate(own), self._newest[number])
            self._newest[number] = newest[-1]
            np.subtract(newest, own, out=own)
            counts = self._counts[number]
            self._counts[number] = _merged(counts, ValueCounts.of(own, counts.bits))
        self._pooled = self._pooled.merge(ValueCounts.of(disorder, self._pooled.bits))


def _merged(one: ValueCounts, other: ValueCounts) -> ValueCounts:
    return one.merge(other, _MOST_VALUES, _BITS_KEPT)
