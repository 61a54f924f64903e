"""The curves of a run: cumulative counts at the times where a rate changed, straight in between.

    records
      |          ______ A   appended to the log
      |    _____/  __/
      |  _/   ____/     D   read by the job
      |_/____/_______________ time

Between two rows nothing bends, so peaks lie on rows and every value between is exact. A row is
written twice at a jump (a rewind after a failure).
"""

from __future__ import annotations

import numpy as np

from pipelineplan.simulation.sharing import Floats

_FIRST_ROWS = 1024


class Journal:
    """Rows of `time` and `columns` cumulative counts, growing as needed."""

    def __init__(self, columns: int) -> None:
        """An empty journal of that many columns."""
        self._time = np.empty(_FIRST_ROWS)
        self._rows = np.empty((_FIRST_ROWS, columns))
        self._used = 0

    def write(self, time: float, *counts: Floats) -> None:
        """Add a row: the counts, one array after the other."""
        if self._used == len(self._time):
            self._time = np.concatenate((self._time, np.empty_like(self._time)))
            self._rows = np.concatenate((self._rows, np.empty_like(self._rows)))
        self._time[self._used] = time
        np.concatenate(counts, out=self._rows[self._used])
        self._used += 1

    @property
    def time(self) -> Floats:
        """Seconds from the start, `[row]`, not falling."""
        return self._time[: self._used]

    @property
    def rows(self) -> Floats:
        """Records, `[row, column]`."""
        return self._rows[: self._used]


def value_at(time: Floats, curve: Floats, when: Floats) -> Floats:
    """The curve's value at each time of `when`; after a jump at that time, the later value."""
    right = np.clip(np.searchsorted(time, when, side="right"), 1, len(time) - 1)
    left = right - 1
    width = time[right] - time[left]
    with np.errstate(divide="ignore", invalid="ignore"):
        share = np.where(width > 0, (when - time[left]) / width, 1.0)
    return np.asarray(curve[left] + np.clip(share, 0.0, 1.0) * (curve[right] - curve[left]))


def first_time_at(time: Floats, rising: Floats, counts: Floats) -> Floats:
    """The first time at which a curve that never falls reaches each count; inf where it does not."""
    right = np.searchsorted(rising, counts, side="left")
    inside = np.clip(right, 1, len(time) - 1)
    left = inside - 1
    height = rising[inside] - rising[left]
    with np.errstate(divide="ignore", invalid="ignore"):
        share = np.where(height > 0, (counts - rising[left]) / height, 1.0)
    found = time[left] + np.clip(share, 0.0, 1.0) * (time[inside] - time[left])
    return np.where(right == 0, time[0], np.where(right >= len(time), np.inf, found))
