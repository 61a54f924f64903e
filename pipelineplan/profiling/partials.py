"""What is kept of a stretch of records, so that stretches add up to the whole stream.

    before -> [ stretch ] [ stretch ] [ stretch ]      each knows the newest event time before it
              partial     partial     partial
                  └─ merge ─┘           │
                        └──── merge ────┘  ->  finish

Merging is associative: one process that reads on and many that share the work (after a first
pass for the newest event times) get the same figures.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from operator import itemgetter

import numpy as np

from pipelineplan.profiling.counting import EXACT, TimeBins, ValueCounts, counted
from pipelineplan.profiling.recording import Batch

SECOND_US = 1_000_000


@dataclass(frozen=True)
class Partial:
    """A stretch of at least one record; times in microseconds.

    The clock is that of arrival, or without one the newest event time so far. `seconds` counts
    events by seconds of the clock, `gaps` the clock's steps from event to event, and `silence_us` the
    longest of these and when it began.
    """

    events: int
    earliest_us: int
    latest_us: int
    out_of_order: int
    disorder: ValueCounts
    lateness: ValueCounts | None
    seconds: TimeBins
    gaps: ValueCounts
    clock_us: tuple[int, int]
    future: int
    furthest_future_us: int
    silence_us: tuple[int, int]

    def merge(self, later: Partial) -> Partial:
        """This stretch and the one right after it, as one."""
        pause = later.clock_us[0] - self.clock_us[1]
        between = counted([pause])
        lateness = None
        if self.lateness is not None and later.lateness is not None:
            lateness = self.lateness.merge(later.lateness)
        return Partial(
            events=self.events + later.events,
            earliest_us=min(self.earliest_us, later.earliest_us),
            latest_us=max(self.latest_us, later.latest_us),
            out_of_order=self.out_of_order + later.out_of_order,
            disorder=self.disorder.merge(later.disorder),
            lateness=lateness,
            seconds=self.seconds.merge(later.seconds),
            gaps=self.gaps.merge(later.gaps).merge(between),
            clock_us=(self.clock_us[0], later.clock_us[1]),
            future=self.future + later.future,
            furthest_future_us=max(self.furthest_future_us, later.furthest_future_us),
            # The first of equals, as `max` has it.
            silence_us=max(self.silence_us, (pause, self.clock_us[1]), later.silence_us, key=itemgetter(0)),
        )


def partial(batch: Batch, newest_before_us: int | None = None, like: Partial | None = None) -> Partial:
    """Measure one stretch, given the newest event time before it (None at the very start).

    What is rounded in `like`, with which it will be merged, is rounded from the start: faster, and the same.
    """
    bits = _bits(like)
    event = batch.event_us
    newest = np.maximum.accumulate(event)
    if newest_before_us is not None:
        np.maximum(newest, newest_before_us, out=newest)
    disorder = newest - event
    clock = newest if batch.arrival_us is None else batch.arrival_us
    lateness = None if batch.arrival_us is None else batch.arrival_us - event
    steps = np.diff(clock)
    longest = int(np.argmax(steps)) if len(steps) else 0
    ahead = np.empty(0, dtype=np.int64) if lateness is None else -lateness[lateness < 0]
    return Partial(
        events=len(event),
        earliest_us=int(event.min()),
        latest_us=int(newest[-1]),
        out_of_order=int(np.count_nonzero(disorder)),
        disorder=ValueCounts.of(disorder, bits[0]),
        lateness=None if lateness is None else ValueCounts.of(lateness, bits[1]),
        seconds=TimeBins.of(clock),
        gaps=ValueCounts.of(steps, bits[2]),
        clock_us=(int(clock[0]), int(clock[-1])),
        future=len(ahead),
        furthest_future_us=int(ahead.max(initial=0)),
        silence_us=(int(steps[longest]) if len(steps) else 0, int(clock[longest])),
    )


def _bits(like: Partial | None) -> tuple[int, int, int]:
    """How coarse disorder, lateness and gaps are."""
    if like is None:
        return EXACT, EXACT, EXACT
    return like.disorder.bits, EXACT if like.lateness is None else like.lateness.bits, like.gaps.bits


def partials(batches: Iterable[Batch]) -> Iterable[Partial]:
    """Measure consecutive batches, carrying the newest event time."""
    newest: int | None = None
    for batch in batches:
        measured = partial(batch, newest)
        newest = measured.latest_us
        yield measured


def fold(batches: Iterable[Batch]) -> Partial | None:
    """Measure consecutive batches as one stretch; None without any."""
    merging = Merging()
    newest: int | None = None
    for batch in batches:
        measured = partial(batch, newest, merging.largest)
        newest = measured.latest_us
        merging.take(measured)
    return merging.whole()


def merge_all(parts: Iterable[Partial]) -> Partial | None:
    """Merge consecutive stretches; None without any."""
    merging = Merging()
    for part in parts:
        merging.take(part)
    return merging.whole()


class Merging:
    """Consecutive stretches, merged like with like: a large sum is not copied for every small part."""

    def __init__(self) -> None:
        """Nothing was taken."""
        self._waiting: list[tuple[int, Partial]] = []

    @property
    def largest(self) -> Partial | None:
        """The sum of the most stretches so far."""
        return self._waiting[0][1] if self._waiting else None

    def take(self, part: Partial) -> None:
        """Add the stretch that follows those taken before."""
        size, merged = 1, part
        while self._waiting and self._waiting[-1][0] == size:
            before, earlier = self._waiting.pop()
            size, merged = size + before, earlier.merge(merged)
        self._waiting.append((size, merged))

    def whole(self) -> Partial | None:
        """All stretches as one; None if none was taken."""
        if not self._waiting:
            return None
        _, merged = self._waiting.pop()
        while self._waiting:
            merged = self._waiting.pop()[1].merge(merged)
        return merged
