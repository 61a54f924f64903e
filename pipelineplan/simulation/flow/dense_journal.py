"""The journal of a compiled run: every row as it is, in blocks, and what is asked of it in compiled loops."""

from __future__ import annotations

import numpy as np

from pipelineplan.simulation.flow import kernels, row_kernels
from pipelineplan.simulation.sharing import Floats

_ROWS_IN_A_BLOCK = 4096
# Blocks of runs that are over, for the next of the same width: fresh memory costs as much as filling it.
_SPARE: dict[int, list[tuple[Floats, Floats]]] = {}


class DenseJournal:
    """Rows of `time` and one count for each partition."""

    def __init__(self, partitions: int) -> None:
        """One empty block."""
        self.partitions = partitions
        self.counts = np.zeros(2, dtype=np.int64)
        self.full: list[tuple[Floats, Floats]] = []
        self.blocks: list[tuple[Floats, Floats]] = []
        self._begin()

    def _begin(self) -> None:
        spare = _SPARE.get(self.partitions)
        fresh = (_ROWS_IN_A_BLOCK, self.partitions)
        self.times, self.rows = spare.pop() if spare else (np.empty(fresh[0]), np.empty(fresh))
        self.blocks.append((self.times, self.rows))
        self.counts[kernels.USED] = 0

    def give_back(self) -> None:
        """Let the next journal write over this one, of which nothing can be asked any more."""
        _SPARE.setdefault(self.partitions, []).extend(self.blocks)
        self.full, self.blocks, self.times, self.rows = [], [], self.times[:0], self.rows[:0]
        self.counts[kernels.USED] = 0

    def __len__(self) -> int:
        """The number of rows."""
        return sum(len(times) for times, _ in self.full) + int(self.counts[kernels.USED])

    def make_room(self) -> None:
        """Begin another block where less than two rows are left in this one."""
        used = int(self.counts[kernels.USED])
        if used + 1 >= _ROWS_IN_A_BLOCK:
            self.full.append((self.times[:used], self.rows[:used]))
            self._begin()

    def _blocks(self) -> list[tuple[Floats, Floats]]:
        used = int(self.counts[kernels.USED])
        return [*self.full, (self.times[:used], self.rows[:used])]

    @property
    def time(self) -> Floats:
        """Seconds from the start, `[row]`, not falling."""
        return np.concatenate([times for times, _ in self._blocks()])

    def column(self, number: int) -> Floats:
        """One count over all rows, in records."""
        return np.concatenate([rows[:, number] for _, rows in self._blocks()])

    def total(self, columns: int) -> Floats:
        """The sum of the first `columns` counts over all rows, in records."""
        found = np.empty(len(self))
        for place, rows in self._places():
            row_kernels.sum_of(rows, columns, found[place])
        return found

    def least(self, shares: Floats) -> Floats:
        """The least of all counts over their shares, over all rows; without a share none counts."""
        found, live = np.empty(len(self)), shares > 0
        per_share = 1.0 / np.where(live, shares, 1.0)
        for place, rows in self._places():
            row_kernels.least_of(rows, per_share, live, found[place])
        return found

    def _places(self) -> list[tuple[slice, Floats]]:
        """Where in a curve of the whole run each block lies."""
        ends = np.cumsum([0, *(len(times) for times, _ in self._blocks())]).tolist()
        return [
            (slice(first, end), rows)
            for first, end, (_, rows) in zip(ends[:-1], ends[1:], self._blocks(), strict=True)
        ]

    def first_times(self, shares: Floats, counts: Floats) -> Floats:
        """When each partition first comes to its share of each count; inf where it does not."""
        order = np.argsort(counts, kind="stable")
        rising = counts[order]
        found = np.full((len(shares), len(counts)), np.inf)
        last, places = np.zeros(len(shares)), np.zeros(len(shares), dtype=np.int64)
        carried = (np.full(1, np.nan), last, places)
        for times, rows in self._blocks():
            row_kernels.first_reached(times, rows, carried, rising, shares, found)
        if (order[1:] > order[:-1]).all():
            return found
        back = np.empty_like(order)
        back[order] = np.arange(len(order))
        return found[:, back]
