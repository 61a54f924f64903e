r"""The curves of a run: cumulative counts at the times where a rate changed, straight in between.

    records
      |          ______ A   appended to the log
      |    _____/  __/
      |  _/   ____/     D   read by the job
      |_/____/_______________ time

Between two rows nothing bends, so peaks lie on rows and every value between is exact. A row is
written twice at a jump (a rewind after a failure).

What repeats is kept once: a row is a base plus a row of a pattern, and a cycle that comes back
(the stall of a checkpoint, each minute of a day) costs one base however many rows it has. No row
is ever left out, so there is no tolerance that could pass a kink.
"""

from __future__ import annotations

from copy import copy
from dataclasses import dataclass
from functools import cached_property
from typing import Any, Protocol

import numpy as np
import numpy.typing as npt

from pipelineplan.simulation.flow.row_blocks import RowBlocks, Rows, least_of_rows
from pipelineplan.simulation.sharing import Floats

_FIRST_ROWS = 256


class _Growing:
    """Rows of one width, doubling their room as needed."""

    def __init__(self, columns: int, dtype: type = np.float64) -> None:
        self.room: npt.NDArray[Any] = np.empty((_FIRST_ROWS, columns), dtype=dtype)
        self.used = 0

    @property
    def rows(self) -> Any:
        """What has been taken so far."""
        return self.room[: self.used]

    def since(self, row: int) -> _Growing:
        """The rows from that one on, to be read."""
        part = copy(self)
        part.room, part.used = self.room[row : self.used], self.used - row
        return part

    def take(self, count: int) -> Any:
        """A view of the next `count` rows, to be written."""
        first, self.used = self.used, self.used + count
        if self.used > len(self.room):
            larger = np.empty((max(2 * len(self.room), self.used), self.room.shape[1]), self.room.dtype)
            larger[:first] = self.room[:first]
            self.room = larger
        return self.room[first : self.used]


class Journal:
    """Rows of `time` and `columns` cumulative counts, growing as needed."""

    def __init__(self, columns: int) -> None:
        """An empty journal of that many columns."""
        self.columns = columns
        self._time = _Growing(1)
        self._base_of = _Growing(1, np.int32)
        self._pattern_of = _Growing(1, np.int32)
        self._bases = _Growing(columns)
        self._patterns = _Growing(columns)
        self._patterns.take(1)[:] = 0.0
        self._known: RowBlocks | None = None

    def __len__(self) -> int:
        """The number of rows."""
        return self._time.used

    def write(self, time: float, *counts: Floats) -> None:
        """Add a row: the counts, one array after the other."""
        base = self._base(counts)
        self._time.take(1)[:] = time
        self._base_of.take(1)[:] = base
        self._pattern_of.take(1)[:] = 0

    def learn(self, rows: Floats) -> int:
        """Keep a pattern `[row, column]` of counts since its beginning; returns its place."""
        place = self._patterns.used
        self._patterns.take(len(rows))[:] = rows
        return place

    def repeat(self, pattern: int, times: Floats, *counts: Floats) -> None:
        """Add a row for each of `times`: the counts at the beginning plus the pattern's rows."""
        if len(times):
            base = self._base(counts)
            self._time.take(len(times))[:, 0] = times
            self._base_of.take(len(times))[:, 0] = base
            self._pattern_of.take(len(times))[:, 0] = np.arange(pattern, pattern + len(times))

    def _base(self, counts: tuple[Floats, ...]) -> int:
        np.concatenate(counts, out=self._bases.take(1)[0])
        return self._bases.used - 1

    @property
    def time(self) -> Floats:
        """Seconds from the start, `[row]`, not falling."""
        return np.asarray(self._time.rows[:, 0])

    def column(self, number: int) -> Floats:
        """One count over all rows, in records."""
        bases = np.ascontiguousarray(self._bases.rows[:, number])
        return self._put_together(bases, np.ascontiguousarray(self._patterns.rows[:, number]))

    def total(self, columns: int) -> Floats:
        """The sum of the first `columns` counts over all rows, in records."""
        bases = self._bases.rows[:, :columns].sum(axis=1)
        return self._put_together(bases, self._patterns.rows[:, :columns].sum(axis=1))

    def least(self, shares: Floats) -> Floats:
        """The least of all counts over their shares, over all rows; without a share none counts."""
        of = (self._base_of.rows[:, 0], self._pattern_of.rows[:, 0])
        return least_of_rows(self._bases.rows, self._patterns.rows, of, shares)

    def first_times(self, shares: Floats, counts: Floats) -> Floats:
        """When each partition first comes to its share of each count; inf where it does not."""
        return np.array([self.first_time(number, share * counts) for number, share in enumerate(shares)])

    def first_time(self, number: int, counts: Floats) -> Floats:
        """When one count first comes to each of `counts`; inf where it does not."""
        return self._blocks().first_time(number, counts)

    def at(self, number: int, when: Floats) -> Floats:
        """One count at each time; after a jump at that time, the later value."""
        return self._blocks().at(number, when)

    def cells(self, number: int, rows: Rows) -> Floats:
        """One count at some rows."""
        bases, patterns = self._base_of.rows[rows, 0], self._pattern_of.rows[rows, 0]
        return np.asarray(self._bases.rows[bases, number] + self._patterns.rows[patterns, number])

    def rows_at(self, rows: Rows) -> Floats:
        """All counts at some rows, `[row, column]`."""
        bases, patterns = self._base_of.rows[rows, 0], self._pattern_of.rows[rows, 0]
        return np.asarray(self._bases.rows[bases] + self._patterns.rows[patterns])

    def _blocks(self) -> RowBlocks:
        """The rows of now, to be asked; what is written later is not in it."""
        if self._known is None or len(self._known.time) != len(self):
            self._known = RowBlocks(self)
        return self._known

    def since(self, row: int) -> Journal:
        """The rows from that one on, which share their memory with this journal."""
        part, base_of = copy(self), self._base_of.since(row)
        first = int(base_of.room.min())
        base_of.room = base_of.room - first
        rows = {"_time": self._time.since(row), "_pattern_of": self._pattern_of.since(row)}
        vars(part).update(rows, _base_of=base_of, _bases=self._bases.since(first), _known=None)
        return part

    def _put_together(self, bases: Floats, patterns: Floats) -> Floats:
        together: Floats = bases.take(self._base_of.rows[:, 0])
        together += patterns.take(self._pattern_of.rows[:, 0])
        return together


class Columns(Protocol):
    """Counts over time, column by column."""

    @property
    def time(self) -> Floats:
        """Seconds from the start, `[row]`, not falling."""

    def column(self, number: int, /) -> Floats:
        """One count over all rows, in records."""


def least_over(curves: Columns, shares: Floats) -> Floats:
    """The least of all columns over their shares, at every row; a column without a share does not count."""
    least = np.full_like(curves.time, np.inf)
    for number, share in enumerate(shares):
        if share > 0:
            np.minimum(least, curves.column(number) / share, out=least)
    return least


def first_times_in(curves: Columns, shares: Floats, counts: Floats) -> Floats:
    """When each column first comes to its share of each count, `[column, count]`; inf where it does not."""
    time = curves.time
    return np.array(
        [first_time_at(time, curves.column(number), share * counts) for number, share in enumerate(shares)]
    )


def highest_yet(curve: Floats) -> Floats:
    """The curve without its steps back, or the curve itself where it has none."""
    return curve if (curve[1:] >= curve[:-1]).all() else np.asarray(np.maximum.accumulate(curve))


@dataclass(frozen=True)
class Highest:
    """The height of a curve so far, at any time: a curve that went back is passed on its own line again."""

    time: Floats
    curve: Floats

    @cached_property
    def _yet(self) -> Floats:
        return highest_yet(self.curve)

    def at(self, when: Floats) -> Floats:
        """The height at each time; before the first row that of the first."""
        before = np.maximum(np.searchsorted(self.time, when, side="right") - 1, 0)
        return np.asarray(np.maximum(self._yet[before], value_at(self.time, self.curve, when)))

    def passed_again(self) -> Floats:
        """When the curve comes to where it was before it went back."""
        rows = np.flatnonzero((self.curve[:-1] < self._yet[:-1]) & (self.curve[1:] > self._yet[:-1]))
        part = (self._yet[rows] - self.curve[rows]) / (self.curve[rows + 1] - self.curve[rows])
        return np.asarray(self.time[rows] + part * (self.time[rows + 1] - self.time[rows]))


def value_at(time: Floats, curve: Floats, when: Floats) -> Floats:
    """The curve's value at each time of `when`; after a jump at that time, the later value."""
    right = np.clip(np.searchsorted(time, when, side="right"), 1, len(time) - 1)
    left = right - 1
    width = time[right] - time[left]
    with np.errstate(divide="ignore", invalid="ignore"):
        share = np.where(width > 0, (when - time[left]) / width, 1.0)
    return np.asarray(curve[left] + np.clip(share, 0.0, 1.0) * (curve[right] - curve[left]))


def first_time_at(time: Floats, curve: Floats, counts: Floats) -> Floats:
    """The first time at which a curve reaches each count; inf where it does not.

    A curve that went back comes to where it was along its own line, which is later than along the line from
    the height that it once had.
    """
    highest = highest_yet(curve)
    right = np.searchsorted(highest, counts, side="left")
    inside = np.clip(right, 1, len(time) - 1)
    left = inside - 1
    height = curve[inside] - curve[left]
    with np.errstate(divide="ignore", invalid="ignore"):
        share = np.where(height > 0, (counts - curve[left]) / height, 1.0)
    found = time[left] + np.clip(share, 0.0, 1.0) * (time[inside] - time[left])
    return np.where(right == 0, time[0], np.where(right >= len(time), np.inf, found))
