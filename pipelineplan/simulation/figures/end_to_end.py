"""Several jobs in a row as one: from a record in the first log until a reader of the last job's sink sees it.

    arrives     leaves job 1     seen in the log between     read by job 2     visible
       |-------------|----------------------|---------------------|--------------|

A record that has left one job has a place in the log of the next, and is read there when that job has come
so far. What a failure writes again lies behind what was written first, which is what counts.
"""

from __future__ import annotations

import math
from collections.abc import Iterator
from functools import cached_property

import numpy as np

from pipelineplan.simulation.control import Run
from pipelineplan.simulation.figures.curves import Curves
from pipelineplan.simulation.figures.freshness import (
    Delays,
    Over,
    Since,
    Until,
    at_checkpoint,
    freshness,
    in_order,
    sample_times,
)
from pipelineplan.simulation.flow.journal import value_at
from pipelineplan.simulation.handing_over import Written, factors_of, written
from pipelineplan.simulation.network import Network, Visible
from pipelineplan.simulation.sharing import Floats

_GOLDEN = 0.6180339887498949
_WATERMARK_POINTS = 4001


class Following(Curves):
    """The curves of a job that reads what another has `written`: records come when they leave that."""

    def __init__(self, run: Run, before: Written) -> None:
        """Take the journal of `run` apart."""
        super().__init__(run)
        self.before = before

    def appended_at(self, when: Floats) -> Floats:
        """The place in this job's log of what leaves the job before at each time."""
        return self.before.place_of(when)


class Row:
    """The curves of all jobs of a run, each after the one before."""

    def __init__(self, run: Run) -> None:
        """Take the journals of all jobs apart."""
        self.run = run
        self.jobs: list[Curves] = [Curves(run.jobs[0])]
        factors = factors_of(run.network)
        for job, after, factor in zip(run.jobs[:-1], run.jobs[1:], factors[:-1], strict=True):
            self.jobs.append(Following(after, written(job, factor)))

    @cached_property
    def windowed(self) -> int | None:
        """The place of the job that has a window."""
        found = [n for n, job in enumerate(self.run.jobs) if job.network.event_time.window_seconds > 0]
        return found[0] if found else None

    def seen(self, when: Floats, until: Until) -> tuple[Floats, Floats]:
        """When records that arrived at those times are seen, and their weights, over all partitions."""
        if self.windowed is not None:
            fired = self._fired(when, until)
            return (fired, np.ones(len(when))) if self._is_last(self.windowed) else self._on(fired, until)
        first = self.jobs[0]
        left = first.emitted_at(when)
        return self._on(left.ravel(), until, np.repeat(first.shares, len(when)))

    def _is_last(self, place: int) -> bool:
        return place == len(self.jobs) - 1

    def _fired(self, ends: Floats, until: Until) -> Floats:
        """When results of windows with those ends leave their job, or are seen where it is the last."""
        place = self.windowed or 0
        event_time = self.run.jobs[place].network.event_time
        when = ends + event_time.watermark_lag_seconds + event_time.watermark_interval_seconds
        for curves in self.jobs[:place]:
            when = curves.passed_on(_all_read(curves, when))
        curves = self.jobs[place]
        if self._is_last(place) and at_checkpoint(curves, until):
            live = np.flatnonzero(curves.shares > 0)
            return np.asarray(np.max([curves.committed_at(int(each), when) for each in live], axis=0))
        return curves.passed_on(_all_read(curves, when))

    def _on(self, left: Floats, until: Until, weights: Floats | None = None) -> tuple[Floats, Floats]:
        """The rest of the way of records that have left the job of the window, or the first."""
        start = (self.windowed or 0) + 1
        for place in range(start, len(self.jobs)):
            curves = self.jobs[place]
            partition = _spread(curves.shares, len(left))
            committed = self._is_last(place) and at_checkpoint(curves, until)
            when = np.full_like(left, np.inf)
            for each in np.unique(partition):
                mine = partition == each
                if committed:
                    when[mine] = curves.committed_at(int(each), left[mine])
                else:
                    when[mine] = curves.read_at(int(each), left[mine])
            lanes = curves.run.fluid.layout.worker_of[partition]
            left = when if committed else curves.left_at(lanes, when)
        return left, np.ones(len(left)) if weights is None else weights

    @cached_property
    def watermark(self) -> tuple[Floats, Floats]:
        """Times of arrival, and when the job of the window (or else the last) had read all up to there."""
        came = np.linspace(0.0, self.run.fluid.now, _WATERMARK_POINTS)
        when = came
        for curves in self.jobs[: self.read_by]:
            when = curves.passed_on(_all_read(curves, when))
        return came, np.maximum.accumulate(_all_read(self.jobs[self.read_by], when))

    @property
    def read_by(self) -> int:
        """The place of the job whose watermark counts: that of the window, or else the last."""
        return len(self.jobs) - 1 if self.windowed is None else self.windowed

    def watermark_age(self, time: Floats) -> Floats:
        """Seconds since the oldest record came that the job of the window has not read, at each time."""
        came, read = self.watermark
        oldest = np.searchsorted(read, time, side="right")
        return np.where(oldest < len(came), time - came[np.minimum(oldest, len(came) - 1)], 0.0).clip(0.0)

    def lag_at(self, time: Floats) -> Floats:
        """Records that wait in all logs together, each in the records of its own log."""
        each = [Curves(job).lag for job in self.run.jobs]
        return np.asarray(np.sum([value_at(lag.time, lag.records, time) for lag in each], axis=0))

    @cached_property
    def turns(self) -> Floats:
        """Every time at which the lag of a log bends."""
        return np.unique(np.concatenate([job.fluid.journal.time for job in self.run.jobs]))


def _all_read(curves: Curves, when: Floats) -> Floats:
    live = curves.shares > 0
    return np.asarray(curves.all_read_at(when)[live].max(axis=0))


def _spread(shares: Floats, count: int) -> np.ndarray[tuple[int], np.dtype[np.intp]]:
    """A partition for each of `count` records, in their shares, evenly mixed."""
    edges = np.cumsum(shares)
    points = (np.arange(count) * _GOLDEN + 0.5) % 1.0
    found = np.searchsorted(edges, points * edges[-1], side="right")
    return np.asarray(np.minimum(found, len(edges) - 1), dtype=np.intp)


def freshness_of(curves: Curves, since: Since, until: Until, over: Over = Over.RECORDS) -> Delays:
    """The delays of a run, of one job as `freshness` says them, or from the first of several to the last."""
    run = curves.run
    if not run.jobs:
        return freshness(curves, since, until, over)
    at = sample_times(curves, over, _tail_seconds(run.network, until))
    if not len(at):
        return Delays(np.zeros(0), np.zeros(0), np.zeros(0))
    row = Row(run)
    window = run.network.event_time.window_seconds
    ends = at
    if since is Since.RECORD and window > 0:
        # A record lies anywhere in its window, whose end is up to a window away.
        ends = at + np.arange(len(at)) * (2 * _GOLDEN) % 1.0 * window
    seen, weights = row.seen(ends, until)
    came = np.resize(at, len(seen))
    return in_order(seen - came, weights, run.fluid.now - came)


def _tail_seconds(network: Network, until: Until) -> float:
    """The end of a run in which results may be under way although nothing is wrong."""
    return math.fsum(_tails(network, until))


def _tails(network: Network, until: Until) -> Iterator[float]:
    for job in network.jobs:
        event_time, checkpoint = job.event_time, job.checkpoint
        yield event_time.window_seconds + event_time.watermark_lag_seconds
        yield event_time.watermark_interval_seconds
        waits = job is not network.jobs[-1] or until is Until.COMMITTED
        if checkpoint is not None and job.visible is Visible.AT_CHECKPOINT and waits:
            yield 2 * checkpoint.effective_interval_seconds + checkpoint.duration_seconds
