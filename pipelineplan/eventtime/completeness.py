"""How complete a tumbling window is when it first fires, and in the end: a closed form.

A record whose event time lies `u` seconds before its window's end is on time if the newest
event time seen before it has not passed the end by the watermark lag `B`: if its disorder is
less than `B + u`. With an allowed lateness `L` it is accepted as long as it is less than
`B + L + u`. Over a window of length `W`:

    completeness at first firing = (1/W) * integral from 0 to W of P(disorder <= B + u) du
    final completeness           = (1/W) * integral from 0 to W of P(disorder <= B + L + u) du

    disorder {p50: 1 s, p99: 40 s, p99.9: 10 min}, W = 60 s, B = 30 s, L = 300 s
    finally between 99 % and 99.9 %: the quantiles say no more

The formula holds when event times spread evenly over the window, disorder does not depend on
where in the window a record lies, and the watermark moves with every record over one merged
arrival order. A watermark that is emitted periodically trails the one assumed here, so fewer
records are late; a watermark per partition is the minimum over partitions and trails too, if
disorder was measured on the merged order. Delays that come in bursts make single windows much
worse than this mean. Where these conditions do not hold, measure with `profile`.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass

from pipelineplan.eventtime.disorder import Bounds, Disorder

_STEPS = 200


@dataclass(frozen=True)
class Completeness:
    """Bounds on the share of records counted when a window first fires, and in the end."""

    at_first_firing: Bounds
    final: Bounds

    @property
    def dropped(self) -> Bounds:
        """Bounds on the share of records that no firing of their window contains."""
        return Bounds(1 - self.final.high, 1 - self.final.low)


def completeness(
    disorder: Disorder,
    *,
    window_seconds: float,
    watermark_lag_seconds: float,
    allowed_lateness_seconds: float = 0.0,
) -> Completeness:
    """Completeness of a tumbling window, under the conditions that this module opens with.

    All durations in seconds, not negative; a window of 0 seconds is a single instant.
    """
    first = share_within(disorder, window_seconds, watermark_lag_seconds)
    final = share_within(disorder, window_seconds, watermark_lag_seconds + allowed_lateness_seconds)
    return Completeness(first, final)


def share_within(disorder: Disorder, window_seconds: float, patience_seconds: float) -> Bounds:
    """Bounds on the share of records that arrive while their window waits `patience_seconds`.

    Patience is the watermark lag (at the first firing), or that and the allowed lateness.
    """
    return disorder.mean_cdf_bounds(patience_seconds, patience_seconds + window_seconds)


def patience_for(disorder: Disorder, window_seconds: float, share: float) -> Bounds:
    """Bounds in seconds on the least patience with which `share` of the records are counted.

    `low` is the least that can be enough, `high` the least that surely is: infinite when the
    distribution is not known that far out.
    """
    return Bounds(
        _least(lambda patience: share_within(disorder, window_seconds, patience).high >= share, disorder),
        _least(lambda patience: share_within(disorder, window_seconds, patience).low >= share, disorder),
    )


def _least(enough: Callable[[float], bool], disorder: Disorder) -> float:
    """The least patience that is enough, by bisection; `enough` is monotone."""
    if enough(0.0):
        return 0.0
    low, high = 0.0, disorder.high_seconds[-1]
    if not enough(high):
        return math.inf
    for _ in range(_STEPS):
        middle = (low + high) / 2
        if middle in {low, high}:
            break
        low, high = (low, middle) if enough(middle) else (middle, high)
    return high
