"""Freshness: how long from an event until a reader of the sink sees it, by quantile.

    event  arrives      read        leaves the last queue   checkpoint completes
      |------|-----------|------------------|-----------------------|
      from: record                     until: emit            until: committed_visible

    a window's result: from its end, to when the watermark has passed it in every partition

Event times are taken to be arrival times: what a record loses on its way to the log is
disorder, which decides what is late and dropped, and is not part of these figures. Window ends
lie anywhere relative to checkpoints, so they are sampled evenly.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from functools import cached_property

import numpy as np

from pipelineplan.simulation.figures.curves import Curves
from pipelineplan.simulation.sharing import Floats

# Places per partition, and in all partitions together.
_SAMPLES, _MOST_SAMPLES, _LEAST_SAMPLES = 4000, 400_000, 100
_GOLDEN = 0.6180339887498949


class Since(StrEnum):
    """Where freshness is measured from."""

    RECORD = "record"
    WINDOW_END = "window_end"


class Until(StrEnum):
    """Where freshness is measured to."""

    EMITTED = "emitted"
    COMMITTED = "committed_visible"


class Over(StrEnum):
    """What a quantile is a share of."""

    RECORDS = "records"
    TIME = "time"


@dataclass(frozen=True)
class Delays:
    """Seconds in rising order, each with the share of all that it stands for (sum 1).

    `waited` are those that had passed when the run ended, of what was not visible then.
    """

    seconds: Floats
    weights: Floats
    waited: Floats

    @cached_property
    def _reached(self) -> Floats:
        return np.asarray(np.cumsum(self.weights))

    def quantile_so_far(self, probability: float) -> float:
        """The same where what is not visible yet takes no longer than until the end of the run."""
        seconds = np.where(np.isinf(self.seconds), self.waited, self.seconds)
        order = np.argsort(seconds, kind="stable")
        return Delays(seconds[order], self.weights[order], self.waited[order]).quantile(probability)

    def quantile(self, probability: float) -> float:
        """The least delay that at least `probability` of all do not exceed; inf if never visible."""
        if not len(self.seconds):
            return float("inf")
        reached = self._reached
        index = int(np.searchsorted(reached, probability * (1.0 - 1e-12) * reached[-1], side="left"))
        return float(self.seconds[min(index, len(self.seconds) - 1)])


def freshness(curves: Curves, since: Since, until: Until, over: Over = Over.RECORDS) -> Delays:
    """The delays of a run, in seconds, from stratified samples of its records or windows.

    A sink that shows results at checkpoints is measured to the checkpoint whichever `until` is
    asked, if `until` is `COMMITTED`; a sink that shows them when written, to the writing.
    """
    event_time, end = curves.run.network.event_time, curves.run.fluid.now
    at = _sample_times(curves, over, _tail_seconds(curves, until))
    if not len(at):
        return Delays(np.zeros(0), np.zeros(0), np.zeros(0))
    if since is Since.WINDOW_END:
        delays = _window_visible(curves, at, until) - at
        return _sorted(delays, np.ones(len(at)), end - at)
    if event_time.window_seconds > 0:
        # A record lies anywhere in its window, whose end is up to a window away.
        spread = np.arange(len(at)) * (2 * _GOLDEN) % 1.0
        ends = at + spread * event_time.window_seconds
        return _sorted(_window_visible(curves, ends, until) - at, np.ones(len(at)), end - at)
    if _at_checkpoint(curves, until):
        seen = np.array([curves.committed_at(partition, at) for partition in range(curves.partitions)])
    else:
        seen = curves.emitted_at(at)
    waited = np.tile(end - at, curves.partitions)
    return _sorted((seen - at).ravel(), np.repeat(curves.shares, len(at)), waited)


def _window_visible(curves: Curves, ends: Floats, until: Until) -> Floats:
    """When results of windows with those ends are seen: every partition is past end and lag."""
    event_time = curves.run.network.event_time
    needed = ends + event_time.watermark_lag_seconds + event_time.watermark_interval_seconds
    used = [partition for partition in range(curves.partitions) if curves.shares[partition] > 0]
    if _at_checkpoint(curves, until):
        return np.asarray(np.max([curves.committed_at(partition, needed) for partition in used], axis=0))
    return curves.passed_on(curves.all_read_at(needed)[used].max(axis=0))


def _at_checkpoint(curves: Curves, until: Until) -> bool:
    return until is Until.COMMITTED and curves.run.network.visible.value == "checkpoint"


def _tail_seconds(curves: Curves, until: Until) -> float:
    """The end of a run in which results may be under way although nothing is wrong."""
    event_time, checkpoint = curves.run.network.event_time, curves.run.network.checkpoint
    if curves.run.network.runs is not None:
        # What came after the boundary of the last run is not due yet.
        return curves.run.fluid.now - (curves.run.runs[-1].due if curves.run.runs else 0.0)
    tail = (
        event_time.window_seconds + event_time.watermark_lag_seconds + event_time.watermark_interval_seconds
    )
    if checkpoint is not None and _at_checkpoint(curves, until):
        tail += 2 * checkpoint.effective_interval_seconds + checkpoint.duration_seconds
    return tail


def _sample_times(curves: Curves, over: Over, tail: float) -> Floats:
    """One arrival time out of each of equal shares of the records, or of the time.

    Where in its share is shifted from one to the next, or else even steps would keep time with
    the checkpoints and see only some of their phases.
    """
    last = curves.run.fluid.now - tail
    if last <= 0:
        return np.zeros(0)
    count = min(_SAMPLES, max(_LEAST_SAMPLES, _MOST_SAMPLES // curves.partitions))
    steps = np.arange(count)
    places = (steps + steps * _GOLDEN % 1.0) / count
    if over is Over.TIME:
        return places * last
    counts = places * float(curves.appended_at(np.array([last]))[0])
    return np.asarray(np.interp(counts, curves.appended, curves.appended_time))


def _sorted(delays: Floats, weights: Floats, waited: Floats) -> Delays:
    order = np.argsort(delays, kind="stable")
    weights = weights[order]
    weights /= weights.sum()
    return Delays(delays[order], weights, waited[order])
