"""How far behind the newest event time records arrive: a distribution known fully or in part.

A plan that says `{p50: 1 s, p99: 40 s, p99.9: 10 min}` knows three points and nothing between
them, so the share of records within 30 seconds is somewhere from 50 % to 99 %:

    P(disorder <= x)
     1.0 |                     ...............    above the last quantile: up to 1
    .999 |            .........________________
     .99 |   .........________|                   `_` is the lower bound, `.` the upper
     .50 |___|
         +---+--------+--------+--------> x
            1 s      40 s    600 s

A profile gives the same curve densely, and then the share is a point and not an interval.
"""

from __future__ import annotations

import math
from bisect import bisect_left, bisect_right
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from itertools import pairwise
from typing import NamedTuple

Seconds = float | tuple[float, float]


class Bounds(NamedTuple):
    """The true value lies in `[low, high]`; it is known when both are equal."""

    low: float
    high: float


class DisorderError(ValueError):
    """Quantiles that no distribution can have; says which, and what is wanted."""


@dataclass(frozen=True)
class Disorder:
    """The distribution function of disorder, in seconds, at `probabilities`.

    The quantile of `probabilities[i]` lies in `[low_seconds[i], high_seconds[i]]`; all three
    rise. `dense` says that the points are an empirical curve which may be read between them.
    Build one with `from_quantiles` or `from_curve`.
    """

    probabilities: tuple[float, ...]
    low_seconds: tuple[float, ...]
    high_seconds: tuple[float, ...]
    dense: bool = False

    @classmethod
    def from_quantiles(cls, quantiles: Mapping[float, Seconds]) -> Disorder:
        """Disorder known by some quantiles only: `{0.5: 1.0, 0.99: 40.0, 0.999: (550.0, 650.0)}`.

        Keys are probabilities in (0, 1], where 1 is the largest disorder there is; values are
        seconds, or an interval of seconds. Raises `DisorderError` if there is none, if one is
        outside its range, or if a higher quantile is shorter than a lower one.
        """
        rows = sorted((p, *_interval(seconds)) for p, seconds in quantiles.items())
        _require(bool(rows), "found no quantile of disorder, wanted at least one such as p99: 40 s")
        for p, low, high in rows:
            _require(0 < p <= 1, f"found the quantile {p:g}, wanted a probability above 0 and at most 1")
            _require(
                0 <= low <= high < math.inf,
                f"found {low:g} to {high:g} s for p{p * 100:g}, wanted 0 s or more",
            )
        for (p, low, high), (q, later_low, later_high) in pairwise(rows):
            falls = f"found p{q * 100:g} = {later_low:g} s below p{p * 100:g} = {low:g} s"
            _require(low <= later_low and high <= later_high, f"{falls}, wanted rising quantiles")
        shares, lows, highs = zip(*rows, strict=True)
        return cls(shares, lows, highs)

    @classmethod
    def from_curve(cls, points: Iterable[tuple[float, float]]) -> Disorder:
        """Disorder measured densely: `(seconds, share of records with at most that disorder)`.

        Read linearly between points, 0 before the first; the last share must be 1. Raises
        `DisorderError` if seconds or shares fall, or lie outside their range.
        """
        curve = tuple(points)
        _require(bool(curve) and curve[-1][1] == 1, "found a curve that does not end at a share of 1")
        _require(curve[0][0] >= 0 and curve[0][1] >= 0, "found a negative disorder or share")
        for (x, p), (y, q) in pairwise(curve):
            _require(
                x < y and p <= q, f"found ({y:g} s, {q:g}) after ({x:g} s, {p:g}), wanted a rising curve"
            )
        seconds, shares = zip(*curve, strict=True)
        return cls(shares, seconds, seconds, dense=True)

    def cdf_bounds(self, seconds: float) -> Bounds:
        """Bounds on P(disorder <= seconds): equal when the curve is dense."""
        if seconds < 0:
            return Bounds(0.0, 0.0)
        if self.dense:
            share = _interpolated(self.low_seconds, self.probabilities, seconds)
            return Bounds(share, share)
        surely = bisect_right(self.high_seconds, seconds)
        possibly = bisect_right(self.low_seconds, seconds)
        return Bounds(
            self.probabilities[surely - 1] if surely else 0.0,
            self.probabilities[possibly] if possibly < len(self.probabilities) else 1.0,
        )

    def quantile_bounds(self, probability: float) -> Bounds:
        """Bounds in seconds on the disorder that `probability` of the records do not exceed."""
        if self.dense:
            seconds = _quantile_of_curve(self.low_seconds, self.probabilities, probability)
            return Bounds(seconds, seconds)
        below = bisect_right(self.probabilities, probability)
        above = bisect_left(self.probabilities, probability)
        return Bounds(
            self.low_seconds[below - 1] if below else 0.0,
            self.high_seconds[above] if above < len(self.high_seconds) else math.inf,
        )

    def mean_cdf_bounds(self, start_seconds: float, end_seconds: float) -> Bounds:
        """Bounds on `1/(end - start) * integral from start to end of P(disorder <= x) dx`.

        Exact for the curve that is known: piecewise constant between quantiles, piecewise
        linear when dense. An empty range is the value at its start.
        """
        if end_seconds <= start_seconds:
            return self.cdf_bounds(start_seconds)
        knots = sorted({0.0, *self.low_seconds, *self.high_seconds})
        inside = [x for x in knots if start_seconds < x < end_seconds]
        pieces = list(pairwise([start_seconds, *inside, end_seconds]))
        means = [self._mean_of_piece(a, b) for a, b in pieces]
        weights = [b - a for a, b in pieces]
        lows, highs = zip(*means, strict=True)
        return Bounds(_weighted(lows, weights), _weighted(highs, weights))

    def _mean_of_piece(self, start: float, end: float) -> Bounds:
        """The mean over a piece without a knot inside, half-open at its end."""
        if not self.dense or start < 0:
            return self.cdf_bounds(start)
        first = self.cdf_bounds(start).low
        # At the very first point the curve may jump, so a piece that ends there stays at zero.
        last = self.cdf_bounds(end).low if start >= self.low_seconds[0] else first
        return Bounds((first + last) / 2, (first + last) / 2)


def _require(holds: bool, message: str) -> None:  # noqa: FBT001 -- reads as the law it states
    if not holds:
        raise DisorderError(message)


def _interval(seconds: Seconds) -> tuple[float, float]:
    return (
        (float(seconds[0]), float(seconds[1]))
        if isinstance(seconds, tuple)
        else (float(seconds), float(seconds))
    )


def _interpolated(xs: tuple[float, ...], ys: tuple[float, ...], x: float) -> float:
    """`y` at `x` on the line through the points: 0 before the first, the last after it."""
    after = bisect_right(xs, x)
    if after == 0:
        return 0.0
    if after == len(xs):
        return ys[-1]
    part = (x - xs[after - 1]) / (xs[after] - xs[after - 1])
    return ys[after - 1] + part * (ys[after] - ys[after - 1])


def _quantile_of_curve(seconds: tuple[float, ...], shares: tuple[float, ...], probability: float) -> float:
    """The shortest disorder whose share reaches `probability`."""
    at = bisect_left(shares, probability)
    if at == 0:
        return seconds[0]
    if at == len(shares):
        return seconds[-1]
    part = (probability - shares[at - 1]) / (shares[at] - shares[at - 1])
    return seconds[at - 1] + part * (seconds[at] - seconds[at - 1])


def _weighted(values: tuple[float, ...], weights: list[float]) -> float:
    mean = math.fsum(v * w for v, w in zip(values, weights, strict=True)) / math.fsum(weights)
    # A mean lies between its values; rounding must not say otherwise.
    return min(max(mean, min(values)), max(values))
