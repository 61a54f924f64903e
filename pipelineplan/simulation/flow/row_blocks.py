r"""Questions to a journal of many columns that need only few of its rows.

    count |          __/|     blocks of rows over which no count goes back: which one a count is reached in,
          |   ___/__/   |     their ends say; where inside, halving says: some twenty looks for each question,
          |__/__________|     however many rows and columns there are

The least of all columns is asked at every row. A row is a base and a row of a pattern, so it is the least of
the pattern where the columns of the base are alike, and the least of the base where one is far behind.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt

if TYPE_CHECKING:
    from collections.abc import Iterator

    from pipelineplan.simulation.flow.journal import Journal
    from pipelineplan.simulation.sharing import Floats

Rows = npt.NDArray[np.intp]
_ROWS_IN_A_BLOCK = 1024
# So many numbers are looked at together.
_AT_ONCE = 1 << 22
_ALIKE = 1e-12


class RowBlocks:
    """The rows of a journal as it is now, in blocks over which no count goes back."""

    def __init__(self, journal: Journal) -> None:
        """Find where counts go back, which only happens between two rows at one time."""
        self.journal, self.time = journal, journal.time
        count = len(self.time)
        starts = np.union1d(np.arange(0, count, _ROWS_IN_A_BLOCK), self._back())
        ends = np.append(starts[1:], count) - 1
        self.edges: Rows = np.stack((starts, ends), axis=1).ravel()
        self.edge_time = self.time[self.edges]

    def _back(self) -> Rows:
        journal = self.journal
        later = np.flatnonzero(self.time[1:] == self.time[:-1]) + 1
        found = [np.zeros(0, dtype=np.intp)]
        for rows in in_parts(later, journal.columns):
            less = journal.rows_at(rows) < journal.rows_at(rows - 1)
            found.append(rows[less.any(axis=1)])
        return np.concatenate(found)

    def at(self, number: int, when: Floats) -> Floats:
        """One count at each time; after a jump at that time, the later value."""
        right = np.clip(np.searchsorted(self.time, when, side="right"), 1, len(self.time) - 1)
        before, after = self.journal.cells(number, right - 1), self.journal.cells(number, right)
        width = self.time[right] - self.time[right - 1]
        with np.errstate(divide="ignore", invalid="ignore"):
            share = np.where(width > 0, (when - self.time[right - 1]) / width, 1.0)
        return np.asarray(before + np.clip(share, 0.0, 1.0) * (after - before))

    def first_time(self, number: int, counts: Floats) -> Floats:
        """The first time at which one count reaches each of `counts`; inf where it does not."""
        ends = self.journal.cells(number, self.edges)
        edge = np.searchsorted(np.maximum.accumulate(ends), counts, side="left")
        known = np.clip(edge, 1, len(ends) - 1)
        low, high = self.edges[known - 1], self.edges[known]
        while (high - low > 1).any():
            middle = (low + high) // 2
            reached = self.journal.cells(number, middle) >= counts
            low, high = np.where(reached, low, middle), np.where(reached, middle, high)
        before, after = self.journal.cells(number, low), self.journal.cells(number, high)
        with np.errstate(divide="ignore", invalid="ignore"):
            share = np.where(after > before, (counts - before) / (after - before), 1.0)
        found = self.time[low] + np.clip(share, 0.0, 1.0) * (self.time[high] - self.time[low])
        return np.where(edge == 0, self.time[0], np.where(edge >= len(ends), np.inf, found))


def in_parts(rows: Rows, columns: int) -> Iterator[Rows]:
    """The same in pieces that are small enough to look at all columns at once."""
    each = max(1, _AT_ONCE // max(columns, 1))
    return (rows[first : first + each] for first in range(0, len(rows), each))


def least_of_rows(bases: Floats, patterns: Floats, of: tuple[Rows, Rows], shares: Floats) -> Floats:
    """The least count over its share at every row, a base plus a row of a pattern: `of` are their places.

    Columns without a share do not count. Where the columns of a base are alike, they are so but for rounding.
    """
    used = np.flatnonzero(shares > 0)
    base_of, pattern_of = of
    if not len(used):
        return np.full(len(base_of), np.inf)
    first, second, most, which = _extremes(bases, used, shares)
    lowest, _, _, lowest_which = _extremes(patterns, used, shares)
    found = first[base_of]
    moving = np.flatnonzero(pattern_of > 0)
    base, pattern = base_of[moving], pattern_of[moving]
    by_pattern, by_base = lowest_which[pattern], which[base]
    likely = (bases[base, by_pattern] + patterns[pattern, by_pattern]) / shares[by_pattern]
    behind = (bases[base, by_base] + patterns[pattern, by_base]) / shares[by_base]
    found[moving] = np.minimum(likely, behind)
    alike = most[base] - first[base] <= _ALIKE * most[base]
    far = behind <= second[base] + lowest[pattern]
    for rows in in_parts(moving[~(alike | far)], len(used)):
        both = bases[np.ix_(base_of[rows], used)] + patterns[np.ix_(pattern_of[rows], used)]
        found[rows] = (both / shares[used]).min(axis=1)
    return found


def _extremes(counts: Floats, used: Rows, shares: Floats) -> tuple[Floats, Floats, Floats, Rows]:
    """Over the used columns of each row: the least, the next, the most, and the column of the least."""
    first, second, most = (np.empty(len(counts)) for _ in range(3))
    which = np.empty(len(counts), dtype=np.intp)
    for rows in in_parts(np.arange(len(counts)), len(used)):
        part = counts[np.ix_(rows, used)] / shares[used]
        place = part.argmin(axis=1)
        which[rows], first[rows], most[rows] = used[place], part.min(axis=1), part.max(axis=1)
        part[np.arange(len(rows)), place] = np.inf
        second[rows] = part.min(axis=1)
    return first, second, most, which
