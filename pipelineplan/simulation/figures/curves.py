"""What the curves of a run say of records: when each was read, how old the oldest unread one was.

    A  appended   --------/           horizontal distance at a count: how long that record waited
    D  read       ----____/----       vertical distance at a time: how many records wait

A record is its number in its partition. The maps between numbers and times are exact; only the
choice of records to look at is a sample, spread evenly.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

import numpy as np
import numpy.typing as npt

from pipelineplan.simulation.control import Run
from pipelineplan.simulation.event_progress import Progress, event_time_of, read_progress, with_rows
from pipelineplan.simulation.flow.journal import Highest, first_time_at
from pipelineplan.simulation.sharing import Floats

Lanes = npt.NDArray[np.intp]
# A count that is reached up to this share is reached: sums of floats differ in the last digits.
_REACHED = 1.0 - 1e-12
_GOLDEN = 0.6180339887498949


@dataclass(frozen=True)
class _MostRead:
    """The most read of partitions, by number, at each time."""

    time: Floats
    most: dict[int, Highest]

    def column(self, number: int) -> Floats:
        """That of one partition, in records."""
        return self.most[number].at(self.time)


@dataclass(frozen=True)
class Lag:
    """Lag over time: seconds, records that wait in the log, seconds since the oldest of them came."""

    time: Floats
    records: Floats
    oldest_seconds: Floats


class Curves:
    """The curves of one run, and the questions asked of them."""

    def __init__(self, run: Run) -> None:
        """Take the journal of `run` apart."""
        self.run = run
        self.time = run.fluid.journal.time
        self.shares = run.fluid.shares
        self.partitions = len(self.shares)
        self.appended_time, self.appended = run.appended
        self._totals: dict[int, Floats] = {}

    def read(self, partition: int) -> Floats:
        """Records read of a partition, at every row of the journal."""
        return self.run.fluid.journal.column(partition)

    def appended_at(self, when: Floats) -> Floats:
        """Records appended to all partitions by each time."""
        return np.asarray(np.interp(when, self.appended_time, self.appended))

    @cached_property
    def lag(self) -> Lag:
        """Lag at every row of the journal, which is where it peaks."""
        live = sum(log.partitions for log in self.run.network.logs if log.part > 0)
        records = self.appended_at(self.time) - self.total(live)
        records = np.where(records > 1e-9 * self.appended_at(self.time), records, 0.0)
        least = self.run.fluid.journal.least(self.shares)
        return Lag(self.time, records, self._age(self.time, least))

    def total(self, partitions: int) -> Floats:
        """Records read of the first of all partitions together, at every row of the journal."""
        if partitions not in self._totals:
            self._totals[partitions] = self.run.fluid.journal.total(partitions)
        return self._totals[partitions]

    def _age(self, when: Floats, count: Floats) -> Floats:
        """Seconds since the record after `count`, of all partitions together, came; 0 when there is none."""
        waiting = count < self.appended_at(when) * (1.0 - 1e-9)
        age = np.zeros_like(when)
        age[waiting] = when[waiting] - self._came_after(count[waiting])
        return age

    def _came_after(self, count: Floats) -> Floats:
        """When the record after each count was appended, all partitions counted together."""
        after = np.searchsorted(self.appended, count, side="right")
        right = np.clip(after, 1, len(self.appended) - 1)
        left = right - 1
        height = self.appended[right] - self.appended[left]
        with np.errstate(divide="ignore", invalid="ignore"):
            share = np.where(height > 0, (count - self.appended[left]) / height, 0.0)
        width = self.appended_time[right] - self.appended_time[left]
        return np.asarray(self.appended_time[left] + np.clip(share, 0.0, 1.0) * width)

    def highest(self, partition: int) -> Highest:
        """The most that had been read of a partition; what is read again is nothing new."""
        return Highest(self.time, self.read(partition))

    def event_time_of(self, partition: int, records: Floats) -> Floats:
        """The event time of the last of so many records of a partition."""
        return event_time_of((self.appended_time, self.appended), records / self.shares[partition])

    def event_time_read(self, first: int, last: int) -> Progress:
        """The event time up to which partitions `first` to `last - 1` have all been read, with all bends."""
        shares = np.where(np.isin(np.arange(self.partitions), np.arange(first, last)), self.shares, 0.0)
        most = {each: self.highest(each) for each in np.flatnonzero(shares).tolist()}
        extra = [each.passed_again() for each in most.values()]
        time = with_rows(self.time, self.time, np.concatenate([np.zeros(0), *extra]))[0]
        return read_progress(_MostRead(time, most), shares, (self.appended_time, self.appended))

    def peak_age(self) -> float:
        """The greatest age that an unread record reached, in seconds.

        Between rows the age is straight except where the reader passes a record at which the
        arrival rate changed, so it is looked at there too.
        """
        peak = float(self.lag.oldest_seconds.max())
        came = self.appended_time[1:-1]
        if not len(came):
            return peak
        counts = self.appended_at(came)
        for when in self.all_read_at(came)[self.shares > 0]:
            longer = np.isfinite(when) & (when - came > peak)
            waited = counts[longer] < self.appended_at(when[longer]) * (1.0 - 1e-9)
            peak = max(peak, float((when - came)[longer][waited].max(initial=0.0)))
        return peak

    def all_read_at(self, arrived: Floats) -> Floats:
        """When records that arrived at those times were first read, `[partition, record]`."""
        found = self.run.fluid.journal.first_times(self.shares, self.appended_at(arrived) * _REACHED)
        return np.asarray(np.maximum(found, arrived, out=found))

    def read_at(self, partition: int, arrived: Floats) -> Floats:
        """When records that arrived at those times were first read; inf where they were not."""
        counts = self.shares[partition] * self.appended_at(arrived) * _REACHED
        return np.maximum(first_time_at(self.time, self.read(partition), counts), arrived)

    def emitted_at(self, arrived: Floats) -> Floats:
        """When records that arrived at those times first left the last queue, `[partition, record]`."""
        layout = self.run.fluid.layout
        when = self.all_read_at(arrived).ravel()
        lane, inside = np.repeat(layout.worker_of, len(arrived)), 0
        for edge in layout.stored_edges:
            segment = layout.segment_of(edge)
            if segment > inside:
                lane, inside = self._spread(segment, len(when)), segment
            when = self._through(edge, lane, when)
        return when.reshape(self.partitions, len(arrived))

    def passed_on(self, when: Floats) -> Floats:
        """When what every partition had sent by those times has left every lane: the watermark's way."""
        layout = self.run.fluid.layout
        for edge in layout.stored_edges:
            lanes = range(layout.network.stages[edge].workers)
            each = [self._through(edge, np.full(len(when), lane, dtype=np.intp), when) for lane in lanes]
            when = np.max(each, axis=0)
        return when

    def _spread(self, segment: int, count: int) -> Lanes:
        """A lane for each of `count` records, in the shares of the exchange, evenly mixed."""
        edges = np.cumsum(self.run.fluid.layout.segments[segment].weights)
        points = (np.arange(count) * _GOLDEN + 0.5) % 1.0
        found = np.searchsorted(edges, points * edges[-1], side="right")
        return np.asarray(np.minimum(found, len(edges) - 1), dtype=np.intp)

    def _through(self, edge: int, lane: Lanes, when: Floats) -> Floats:
        """When records that enter an edge's lanes at those times leave them."""
        out = np.full_like(when, np.inf)
        for number in np.unique(lane):
            mine = (lane == number) & np.isfinite(when)
            if mine.any():
                came, left = self.run.fluid.columns_of(edge, int(number))
                journal = self.run.fluid.journal
                gone = journal.first_time(left, journal.at(came, when[mine]) * _REACHED)
                out[mine] = np.maximum(gone, when[mine])
        return out

    def committed_at(self, partition: int, arrived: Floats) -> Floats:
        """When the first checkpoint completed whose positions cover those records."""
        completed, covered = self._covered
        counts = self.shares[partition] * self.appended_at(arrived) * _REACHED
        found = np.searchsorted(covered[:, partition], counts, side="left")
        times: Floats = np.append(completed, np.inf)[found]
        return np.asarray(np.maximum(times, arrived))

    @cached_property
    def _covered(self) -> tuple[Floats, Floats]:
        """When checkpoints completed, and the highest positions that they cover, `[cut, partition]`."""
        completed = np.array([cut.completed for cut in self.run.cuts])
        return completed, np.maximum.accumulate(np.array([cut.position for cut in self.run.cuts]), axis=0)
