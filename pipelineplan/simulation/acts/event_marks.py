"""Which records come late or are dropped in a run: event time as marks on the fluid's curves.

    p0  read  ---x---x---x---x--->        watermark per partition: as far as the slowest has come
    p1  read  ---x--x-->                  merged: as far as the furthest, and p1's records are late

A fluid has no records, so evenly spaced marks stand for them. Where the watermark is when a mark is
read comes from the curves themselves and not from the marks, since thinning a stream would hold the
watermark back. What a watermark does to a window is `eventtime`'s to say.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from pipelineplan.simulation.acts.knobs import Knobs, Process
    from pipelineplan.simulation.control import Run
    from pipelineplan.simulation.figures.curves import Curves
    from pipelineplan.simulation.sharing import Floats

_MARKS = 4000
_PROBES = 3


@dataclass(frozen=True)
class Silence:
    """One partition sends nothing for a while."""

    partition: int
    start_seconds: float
    length_seconds: float


@dataclass(frozen=True)
class FutureRecord:
    """One record in partition 0 whose clock is `ahead_seconds` ahead."""

    at_seconds: float
    ahead_seconds: float


@dataclass(frozen=True)
class LateBurst:
    """For a while, `share` of the records that arrive happened `behind_seconds` before."""

    start_seconds: float
    length_seconds: float
    share: float
    behind_seconds: float


@dataclass(frozen=True)
class EventMarks:
    """How the job takes event time, and what disturbs it. Seconds.

    `merged` takes the watermark after all partitions have been merged; `idle_seconds` leaves a
    silent partition out after that time, None never does. `most_ahead_seconds` is what a record
    may be ahead before it is turned away, None lets every one through.
    """

    lag_seconds: float
    window_seconds: float
    allowed_lateness_seconds: float = 0.0
    interval_seconds: float = 0.2
    merged: bool = False
    idle_seconds: float | None = None
    most_ahead_seconds: float | None = None
    silence: Silence | None = None
    future: FutureRecord | None = None
    late: LateBurst | None = None
    awaited = True

    @property
    def busy_until_seconds(self) -> float:
        """When the last disturbance is over."""
        ends = [each.start_seconds + each.length_seconds for each in (self.silence, self.late) if each]
        if self.future is not None and not self.turned_away:
            ends.append(self.future.at_seconds + self.future.ahead_seconds)
        return max(ends, default=0.0)

    @property
    def found_idle_seconds(self) -> float:
        """When the silent partition is left out at the latest: three probes later (FLINK-40503)."""
        if self.silence is None or self.idle_seconds is None:
            return float("inf")
        return self.silence.start_seconds + self.idle_seconds + _PROBES * self.interval_seconds

    @property
    def turned_away(self) -> bool:
        """Whether the record from the future is refused."""
        most = self.most_ahead_seconds
        return self.future is not None and most is not None and self.future.ahead_seconds > most

    def process(self, knobs: Knobs) -> Process:
        """Event time does not move the flow."""
        yield from knobs.until(0.0)

    def figures(self, run: Run) -> Mapping[str, float]:
        """Records late and dropped, how far the watermark stood behind, and what waited for it."""
        from pipelineplan.simulation.figures.curves import Curves

        curves = Curves(run)
        frontier = _Frontier(self, curves)
        late = dropped = 0.0
        for partition in frontier.used:
            for came, happened, weight in self._marks(curves, partition):
                read = curves.read_at(partition, came)
                seen = np.isfinite(read)
                judged = self._judged(happened[seen], frontier.at(read[seen]))
                late += weight * float((judged >= 1).sum())
                dropped += weight * float((judged >= 2).sum())
        behind, waiting = frontier.behind()
        return {
            "late_records": late,
            "dropped_records": dropped,
            "watermark_delay_seconds": behind,
            "buffered_records": waiting,
        }

    def _marks(self, curves: Curves, partition: int) -> list[tuple[Floats, Floats, float]]:
        """Arrival and event time of marks, and how many records each stands for."""
        total = float(curves.appended_at(np.array([curves.run.fluid.now]))[0])
        counts = (np.arange(_MARKS) + 0.5) / _MARKS * total
        came = np.interp(counts, curves.appended, curves.appended_time)
        if self.silence is not None and self.silence.partition == partition:
            quiet = came - self.silence.start_seconds
            came = came[(quiet < 0) | (quiet >= self.silence.length_seconds)]
        weight = float(curves.shares[partition]) * total / _MARKS
        if self.late is None:
            return [(came, came, weight)]
        since = came - self.late.start_seconds
        hit = came[(since >= 0) & (since < self.late.length_seconds)]
        usual = (came, came, weight)
        # The share that comes late is taken from those that would have been on time.
        return [
            usual,
            (hit, hit, -weight * self.late.share),
            (hit, hit - self.late.behind_seconds, weight * self.late.share),
        ]

    def _judged(self, happened: Floats, watermark: Floats) -> np.ndarray[tuple[int], np.dtype[np.int64]]:
        """0 on time, 1 late and accepted, 2 dropped, as the event-time rules of the engine say."""
        from pipelineplan.eventtime.timeliness import FixedWindows, Judgement
        from pipelineplan.eventtime.watermarks import Watermark

        size = max(1, round(self.window_seconds * 1000))
        windows = FixedWindows(size, round(self.allowed_lateness_seconds * 1000))
        judgement = Judgement(Watermark(round(self.lag_seconds * 1000)), windows)
        happened_ms = np.floor(happened * 1000).astype(np.int64)
        progress = np.floor(np.clip(watermark, -1e12, 1e12) * 1000).astype(np.int64)
        ahead = progress + judgement.rule.instants.watermark_ms - windows.start_ms(windows.index(happened_ms))
        fires, closes = ahead >= judgement.fires_at_ms, ahead >= judgement.closes_at_ms
        return np.asarray(fires.astype(np.int64) + closes.astype(np.int64))


class _Frontier:
    """The watermark over time, from the curves themselves."""

    def __init__(self, marks: EventMarks, curves: Curves) -> None:
        self.marks, self.curves = marks, curves
        self.used = [number for number, share in enumerate(curves.shares) if share > 0]
        self._read = {number: curves.highest(number) for number in self.used}

    def _of(self, partition: int, when: Floats) -> Floats:
        """The newest event time read of a partition by each time; inf while it is left out as idle."""
        newest = self.curves.event_time_of(partition, self._read[partition].at(when))
        silence = self.marks.silence
        if silence is not None and silence.partition == partition:
            end = silence.start_seconds + silence.length_seconds
            quiet = (when >= silence.start_seconds) & (when < end)
            newest = np.where(quiet, np.minimum(newest, silence.start_seconds), newest)
            if self.marks.idle_seconds is not None:
                newest = np.where(quiet & (when >= self.marks.found_idle_seconds), np.inf, newest)
        future = self.marks.future
        if future is not None and partition == self.used[0] and not self.marks.turned_away:
            read = float(self.curves.read_at(partition, np.array([future.at_seconds]))[0])
            newest = np.where(
                when > read, np.maximum(newest, future.at_seconds + future.ahead_seconds), newest
            )
        return np.asarray(newest)

    def at(self, when: Floats) -> Floats:
        """The watermark before what is read at each time."""
        of = np.array([self._of(partition, when) for partition in self.used])
        merged = np.where(np.isinf(of), -np.inf, of).max(axis=0)
        return np.asarray((merged if self.marks.merged else of.min(axis=0)) - self.marks.lag_seconds)

    def behind(self) -> tuple[float, float]:
        """How far the watermark stood behind the clock at worst, and the records that it held back then."""
        silence = self.marks.silence
        extra = [self.marks.busy_until_seconds]
        if silence is not None:
            extra.append(silence.start_seconds + silence.length_seconds - 1e-6)
            if self.marks.idle_seconds is not None:
                extra.append(self.marks.found_idle_seconds - 1e-6)
        last = self.curves.run.fluid.now
        when = np.unique(
            np.clip(np.concatenate((self.curves.time, extra, np.linspace(0, last, 2001))), 0, last)
        )
        watermark = np.minimum(self.at(when), when)
        behind = when - watermark
        waiting = self.curves.appended_at(when) - self.curves.appended_at(
            np.maximum(watermark + self.marks.lag_seconds, 0.0)
        )
        if silence is not None:
            waiting *= 1.0 - self.curves.shares[silence.partition]
        started = when >= min(self.marks.lag_seconds, last)
        return float(behind[started].max()), float(waiting[started].max())
