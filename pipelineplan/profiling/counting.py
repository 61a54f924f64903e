"""How often each value came: exact quantiles and curves from counts, mergeable in any order.

    values   0   3   7          F(0) = 6/10, F(3) = 9/10, F(7) = 1
    counts   6   3   1          p95 = 5.2 (linear interpolation between the 9th and 10th value)

Counts grow with the number of different values and not of records. Beyond `MOST_VALUES` the
values are rounded up to eleven significant bits, which is said in the result.
"""

from __future__ import annotations

import math
from collections.abc import Iterable
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

Integers = npt.NDArray[np.int64]

MOST_VALUES = 1 << 21
_BITS_KEPT = 11
# Each is a multiple of the one before.
_BIN_WIDTHS = (1, 10, 60, 600, 3600, 86_400)
ROUNDING = 2.0**-10

_NAMED = (
    ("p25", 0.25),
    ("p50", 0.5),
    ("p75", 0.75),
    ("p90", 0.9),
    ("p95", 0.95),
    ("p98", 0.98),
    ("p99", 0.99),
)
_TAIL = (("p99.9", 0.999), ("p99.99", 0.9999), ("max", 1.0))
QUANTILES = (*_NAMED, *_TAIL)
_BODY = tuple(percent / 100 for percent in range(1, 100))
_FAR = tuple(1 - digit * 10.0**-power for power in range(2, 9) for digit in (5, 2, 1))
_LARGEST_KEPT = 40


@dataclass(frozen=True)
class ValueCounts:
    """`values` rise and differ, `counts` are above 0; both int64 of shape `(k,)`."""

    values: Integers
    counts: Integers
    rounded: bool = False

    @classmethod
    def of(cls, values: Integers) -> ValueCounts:
        """Count an array of values."""
        zeros = len(values) - int(np.count_nonzero(values))
        # Most disorder is zero, and what is not sorted is not paid for.
        rest = values[values != 0] if zeros else values
        different, counts = np.unique(rest, return_counts=True)
        if zeros:
            at = int(np.searchsorted(different, 0))
            different, counts = np.insert(different, at, 0), np.insert(counts, at, zeros)
        return cls(different, counts.astype(np.int64))

    @classmethod
    def none(cls) -> ValueCounts:
        """Nothing was counted."""
        empty = np.empty(0, dtype=np.int64)
        return cls(empty, empty)

    def merge(self, other: ValueCounts) -> ValueCounts:
        """The counts of both; rounded when there are too many different values."""
        merged = self.add(other)
        return merged.round_up() if len(merged.values) > MOST_VALUES else merged

    def add(self, other: ValueCounts) -> ValueCounts:
        """The counts of both, whatever their number."""
        return _summed(
            np.concatenate([self.values, other.values]),
            np.concatenate([self.counts, other.counts]),
            rounded=self.rounded or other.rounded,
        )

    def round_up(self) -> ValueCounts:
        """Values rounded away from zero to eleven significant bits."""
        # frexp gives a mantissa in [0.5, 1), so 2 ** bits of it are whole numbers of equal precision.
        mantissa, exponent = np.frexp(self.values.astype(np.float64))
        coarse = np.sign(mantissa) * np.ceil(np.abs(mantissa) * 2**_BITS_KEPT)
        values = np.ldexp(coarse, exponent - _BITS_KEPT).astype(np.int64)
        return _summed(values, self.counts, rounded=True)

    @property
    def total(self) -> int:
        """How many values were counted, equal ones included."""
        return int(self.counts.sum())

    def quantile(self, probability: float) -> float:
        """The quantile by linear interpolation: type 7 of Hyndman and Fan, 1996."""
        upto = np.cumsum(self.counts)
        rank = (int(upto[-1]) - 1) * probability
        below = math.floor(rank)
        low = self.values[np.searchsorted(upto, below, side="right")]
        high = self.values[np.searchsorted(upto, min(below + 1, int(upto[-1]) - 1), side="right")]
        return float(low) + (rank - below) * (float(high) - float(low))

    def mean_and_deviation(self) -> tuple[float, float]:
        """The mean, and the standard deviation of a sample (0 for a single value)."""
        total = self.total
        weights = self.counts.astype(np.float64)
        mean = float(np.sum(self.values * weights)) / total
        squares = float(np.sum(weights * np.square(self.values - mean)))
        return mean, math.sqrt(squares / (total - 1)) if total > 1 else 0.0

    def curve(self) -> list[tuple[int, float]]:
        """Some points of the empirical distribution function: exact at each, the tail whole."""
        upto = np.cumsum(self.counts)
        shares = upto / upto[-1]
        chosen = {0, *range(max(0, len(shares) - _LARGEST_KEPT), len(shares))}
        chosen |= {int(at) for at in np.searchsorted(shares, (*_BODY, *_FAR))}
        return [(int(self.values[at]), float(shares[at])) for at in sorted(chosen)]


@dataclass(frozen=True)
class TimeBins:
    """Events per bin of `width_seconds` since 1970; bins widen when there are too many."""

    width_seconds: int
    counts: ValueCounts

    @classmethod
    def of(cls, rising_us: Integers) -> TimeBins:
        """Count times that never fall, by the second."""
        seconds = rising_us // 1_000_000
        starts = np.flatnonzero(np.concatenate([[True], seconds[1:] != seconds[:-1]]))
        return cls(1, ValueCounts(seconds[starts], np.diff(np.append(starts, len(seconds)))))

    def merge(self, other: TimeBins) -> TimeBins:
        """The counts of both, in the wider bins of the two or wider still."""
        width = max(self.width_seconds, other.width_seconds)
        merged = TimeBins(width, self._widened(width).add(other._widened(width)))
        while len(merged.counts.values) > MOST_VALUES and width < _BIN_WIDTHS[-1]:
            width = _BIN_WIDTHS[_BIN_WIDTHS.index(width) + 1]
            merged = TimeBins(width, merged._widened(width))
        return merged

    def per(self, width: int) -> tuple[Integers, Integers]:
        """Bins of `width` seconds counted from the first one here: numbers, rising, and their counts."""
        first = int(self.counts.values[0])
        numbers = (self.counts.values - first) * self.width_seconds // width
        summed = _summed(numbers, self.counts.counts, rounded=False)
        return summed.values, summed.counts

    def _widened(self, width: int) -> ValueCounts:
        if width == self.width_seconds:
            return self.counts
        return _summed(self.counts.values // (width // self.width_seconds), self.counts.counts, rounded=False)


def _summed(values: Integers, counts: Integers, *, rounded: bool) -> ValueCounts:
    different, position = np.unique(values, return_inverse=True)
    sums = np.zeros(len(different), dtype=np.int64)
    np.add.at(sums, position, counts)
    return ValueCounts(different, sums, rounded)


def counted(values: Iterable[int]) -> ValueCounts:
    """Count some plain numbers."""
    return ValueCounts.of(np.array(list(values), dtype=np.int64))
