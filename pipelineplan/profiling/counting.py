"""How often each value came: exact quantiles and curves from counts, mergeable in any order.

    values   0   3   7          F(0) = 6/10, F(3) = 9/10, F(7) = 1
    counts   6   3   1          p95 = 5.2 (linear interpolation between the 9th and 10th value)

Counts grow with the number of different values and not of records. Up to `MOST_VALUES` of them all is
exact; beyond, values are rounded up to eleven significant bits, which is said in the result. Whether
they are does not depend on how the records were cut up: only on how many different values there are.
"""

from __future__ import annotations

import math
from collections.abc import Iterable
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

Integers = npt.NDArray[np.int64]

MOST_VALUES = 1 << 19
EXACT = 64
BITS_KEPT = 11
# Each is a multiple of the one before.
_BIN_WIDTHS = (1, 10, 60, 600, 3600, 86_400)
ROUNDING = 2.0**-10
_MILLISECOND_US = 1000
# A batch whose values span no more than this many steps for each value is counted in a table.
_SPAN_PER_VALUE = 8
_MANTISSA_BITS = 52
_ONE = 1023 << _MANTISSA_BITS

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
    """`values` rise and differ, `counts` are above 0; both int64 of shape `(k,)`.

    `bits` says to how many significant bits the values were rounded up: all 64 when they are exact.
    """

    values: Integers
    counts: Integers
    bits: int = EXACT

    @classmethod
    def of(cls, values: Integers, bits: int = EXACT) -> ValueCounts:
        """Count an array of values, rounded up to `bits` significant bits."""
        if len(values) == 0:
            return cls(values.astype(np.int64), values.astype(np.int64), bits)
        if bits < EXACT:
            return _from_steps(_steps_of(values, bits), bits)
        # Times come in whole milliseconds more often than not, and then a table is short enough.
        step = 1 if (values[:64] % _MILLISECOND_US).any() or (values % _MILLISECOND_US).any() else 1000
        low = int(values.min())
        if (int(values.max()) - low) // step > _SPAN_PER_VALUE * len(values):
            return cls._sorted(values)
        table = np.bincount((values - low) // step)
        present = np.flatnonzero(table)
        return cls(present * step + low, table[present])

    @classmethod
    def _sorted(cls, values: Integers) -> ValueCounts:
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

    def merge(self, other: ValueCounts, most: int | None = None, bits: int = BITS_KEPT) -> ValueCounts:
        """The counts of both; rounded to `bits` when more than `most` (`MOST_VALUES`) values differ."""
        merged = self.add(other)
        limit = MOST_VALUES if most is None else most
        return merged.round_up(bits) if len(merged.values) > limit and merged.bits > bits else merged

    def add(self, other: ValueCounts) -> ValueCounts:
        """The counts of both, whatever their number; as coarse as the coarser of the two."""
        bits = min(self.bits, other.bits)
        one, two = self._coarsened(bits), other._coarsened(bits)
        return _summed(
            np.concatenate([one.values, two.values]), np.concatenate([one.counts, two.counts]), bits
        )

    def round_up(self, bits: int = BITS_KEPT) -> ValueCounts:
        """Values rounded away from zero to so many significant bits."""
        return _from_steps(_steps_of(self.values, bits), bits, self.counts)

    def _coarsened(self, bits: int) -> ValueCounts:
        return self.round_up(bits) if bits < self.bits else self

    @property
    def rounded(self) -> bool:
        """Whether any value may have been rounded."""
        return self.bits < EXACT

    @property
    def relative_error(self) -> float:
        """By how much of itself a value may be too large at most."""
        return 2.0 ** (1 - self.bits) if self.rounded else 0.0

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
        summed = _summed(numbers, self.counts.counts)
        return summed.values, summed.counts

    def _widened(self, width: int) -> ValueCounts:
        if width == self.width_seconds:
            return self.counts
        return _summed(self.counts.values // (width // self.width_seconds), self.counts.counts)


def _summed(values: Integers, counts: Integers, bits: int = EXACT) -> ValueCounts:
    # Stable sorting takes the runs that already rise as they are, so merging costs no more than copying.
    order = np.argsort(values, kind="stable")
    rising = values[order]
    starts = np.flatnonzero(np.concatenate([[True], rising[1:] != rising[:-1]])[: len(rising)])
    sums = np.add.reduceat(counts[order], starts) if len(starts) else counts
    return ValueCounts(rising[starts], sums, bits)


def _steps_of(values: Integers, bits: int) -> Integers:
    """Each value's place on a ladder whose rungs are numbers of `bits` significant bits, 0 for 0."""
    dropped = _MANTISSA_BITS + 1 - bits
    pattern = np.abs(values).astype(np.float64).view(np.int64)
    # The exponent and the leading bits of a double are one rising whole number; adding rounds up.
    steps = np.maximum(((pattern + ((1 << dropped) - 1)) >> dropped) - (_ONE >> dropped) + 1, 0)
    return np.asarray(np.where(values < 0, -steps, steps), dtype=np.int64)


def _from_steps(steps: Integers, bits: int, weights: Integers | None = None) -> ValueCounts:
    if len(steps) == 0:
        return ValueCounts(steps, steps, bits)
    dropped = _MANTISSA_BITS + 1 - bits
    low = int(steps.min())
    table = np.bincount(steps - low)
    present = np.flatnonzero(table)
    if weights is not None:
        sums = np.zeros(len(table), dtype=np.int64)
        np.add.at(sums, steps - low, weights)
        table = sums
    rungs = present + low
    sizes = ((np.abs(rungs) - 1 + (_ONE >> dropped)) << dropped).view(np.float64).astype(np.int64)
    values = np.where(rungs == 0, 0, np.where(rungs < 0, -sizes, sizes))
    return ValueCounts(values, table[present], bits)


def counted(values: Iterable[int]) -> ValueCounts:
    """Count some plain numbers."""
    return ValueCounts.of(np.array(list(values), dtype=np.int64))
