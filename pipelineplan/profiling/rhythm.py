"""How evenly events come: the rate and its peak, bursts above it, gaps and idle stretches.

    events per second   2 2 2 9 9 2 2 0 0 0 0 0 2        average 2.5, a burst is more than twice that
                              ^^^       ^^^^^^^^^
                              burst     idle: longer than ten mean gaps, and than a second

The dispersion is the variance of the counts per interval over their mean: 1 for a Poisson stream, more
where events come in clusters (D. Cox, P. Lewis, The Statistical Analysis of Series of Events, 1966). The
interval that the end of the recording cuts off is left out of it.
"""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import numpy as np

from pipelineplan.profiling.counting import TimeBins
from pipelineplan.profiling.partials import SECOND_US, Partial
from pipelineplan.sources import Bursts, Gaps, Idle, MeasuredRate

_WIDTHS = (1, 5, 10, 30, 60, 300, 900, 1800, 3600, 21_600, 86_400, 604_800, 31_536_000, 3_153_600_000)
_MOST_STEPS = 400
_BURST_FACTOR = 2.0
_FEWEST_INTERVALS = 9
_IDLE_FACTOR, _LEAST_IDLE_US = 10, SECOND_US
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


def written(microseconds: int) -> str:
    """An instant in UTC, to the microsecond."""
    moment = _EPOCH + timedelta(microseconds=microseconds)
    return moment.replace(tzinfo=None).isoformat(timespec="microseconds") + "Z"


def rate_of(whole: Partial, clock: str) -> MeasuredRate:
    """The average over the time from the first event to the last, the peak over an interval."""
    span, bins = _span_seconds(whole), whole.seconds
    peak_width = _peak_width(bins, span)
    step_width = next((w for w in _widths(bins) if w * _MOST_STEPS >= span), _widths(bins)[-1])
    average = whole.events / span
    steps = _steps(bins, step_width)
    return MeasuredRate(
        clock="arrival" if clock == "arrival" else "event",
        average_per_second=average,
        # An interval that the stream did not fill shows less than it carried.
        peak_per_second=max(average, int(bins.per(peak_width)[1].max()) / peak_width),
        peak_interval_seconds=float(peak_width),
        length_seconds=steps[-1][0] + step_width,
        steps=steps,
    )


def bursts_of(whole: Partial) -> Bursts | None:
    """Runs of intervals above twice the average; None for fewer than nine complete intervals."""
    span = _span_seconds(whole)
    width = _peak_width(whole.seconds, span)
    numbers, counts = whole.seconds.per(width)
    # The last interval is cut off by the end of the recording: its count says nothing about the stream.
    intervals, complete = int(numbers[-1]), counts[:-1].astype(np.float64)
    if intervals < _FEWEST_INTERVALS:
        return None
    mean = float(complete.sum()) / intervals
    variance = (float(np.square(complete).sum()) - intervals * mean**2) / (intervals - 1)
    threshold = _BURST_FACTOR * whole.events / span
    high = counts / width > threshold
    at = numbers[high]
    # A run ends where the next interval above the threshold is not the very next one.
    runs = np.diff(np.flatnonzero(np.concatenate([[True], np.diff(at) > 1, [True]]))) if len(at) else at
    return Bursts(
        threshold_per_second=threshold,
        interval_seconds=float(width),
        count=len(runs),
        longest_seconds=float(runs.max(initial=0) * width),
        share=float(counts[high].sum() / whole.events),
        dispersion=max(variance, 0.0) / mean,
    )


def gaps_of(whole: Partial) -> Gaps:
    """Silence between one event and the next, and how much of it is idle."""
    counts = whole.gaps
    if len(counts.values) == 0:
        return Gaps(0.0, 0.0)
    span = whole.clock_us[1] - whole.clock_us[0]
    threshold = max(_LEAST_IDLE_US, _IDLE_FACTOR * span / counts.total)
    idle = counts.values > threshold
    lengths, times = counts.values[idle], counts.counts[idle]
    silent = int(np.sum(lengths * times))
    longest_us, since_us = whole.silence_us
    return Gaps(
        longest_us / SECOND_US,
        counts.quantile(0.99) / SECOND_US,
        written(since_us),
        Idle(threshold / SECOND_US, int(times.sum()), silent / SECOND_US, silent / span if span else 0.0),
    )


def _span_seconds(whole: Partial) -> float:
    return max((whole.clock_us[1] - whole.clock_us[0]) / SECOND_US, 1.0)


def _peak_width(bins: TimeBins, span: float) -> int:
    return max([w for w in _widths(bins) if w <= 60 and w * 10 <= span], default=bins.width_seconds)


def _widths(bins: TimeBins) -> list[int]:
    """The widths that are whole numbers of the bins there are."""
    return [width for width in _WIDTHS if width % bins.width_seconds == 0]


def _steps(bins: TimeBins, width: int) -> tuple[tuple[float, float], ...]:
    """Rates from the first event on, one step per `width`, also where nothing came."""
    numbers, counts = bins.per(width)
    counted = dict(zip(numbers.tolist(), counts.tolist(), strict=True))
    return tuple((float(at * width), counted.get(at, 0) / width) for at in range(int(numbers[-1]) + 1))
