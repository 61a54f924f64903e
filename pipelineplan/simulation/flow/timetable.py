"""What is known beforehand of a run: load, speeds and stalls, as lines that a compiled loop works through.

    when    0      0      60     60    60.25  120 ...
    what    rate   speeds mark   stop  go on  rate
    value   8.1e5  row 0  row 0  +1    -1     8.4e5

None of it depends on the queues, so nobody has to wake up for it: the fluid does what is due as it
advances. What does depend on them, or breaks, stays with the control plane.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from pipelineplan.simulation.flow import kernels
from pipelineplan.simulation.sharing import Floats


class Timetable:
    """The lines to come, in the order of their times; those of the same moment are done together."""

    def __init__(self, partitions: int, workers: int) -> None:
        """Nothing is known."""
        self.when = np.zeros(0)
        self.what = np.zeros(0, dtype=np.int64)
        self.value = np.zeros(0)
        self.done = np.zeros(1, dtype=np.int64)
        self.speeds = np.ones((1, workers))
        self.marks = np.zeros((1, partitions))

    @property
    def lines(self) -> tuple[kernels.Whole, Floats, kernels.Whole, Floats, Floats, Floats]:
        """As the loops want it."""
        return self.done, self.when, self.what, self.value, self.speeds, self.marks

    def until(self, seconds: float) -> int:
        """How many lines are to be done before that time."""
        return int(np.searchsorted(self.when, seconds)) - int(self.done[0])

    def load(self, steps: Sequence[tuple[float, float]]) -> None:
        """The rates to come, as steps `(start, records per second)`."""
        starts, rates = np.array(steps, dtype=np.float64).T
        self._add(starts, kernels.RATE, rates)

    def at_speeds(self, first: float, spell_seconds: float, speeds: Floats) -> None:
        """The share of its capacity that each worker does in spell after spell, `[spell, worker]`.

        Those that were known before must have been done.
        """
        self.speeds = np.ascontiguousarray(speeds)
        spells = np.arange(len(speeds), dtype=np.float64)
        self._add(first + spells * spell_seconds, kernels.SPEEDS, spells)

    def stalls(self, begins: Floats, seconds: float) -> Floats:
        """All workers stand still for so long from each begin; returns where they note their positions.

        That is `[begin, partition]`. Those that were known before must have been done.
        """
        self.marks = np.zeros((len(begins), self.marks.shape[1]))
        self._add(begins, kernels.MARK, np.arange(len(begins), dtype=np.float64))
        if seconds > 0:
            self._add(begins, kernels.STOPS, np.ones(len(begins)))
            self._add(begins + seconds, kernels.STOPS, -np.ones(len(begins)))
        return self.marks

    def _add(self, when: Floats, what: int, value: Floats) -> None:
        left = slice(int(self.done[0]), None)
        times = np.concatenate((self.when[left], when))
        order = np.argsort(times, kind="stable")
        kinds = np.concatenate((self.what[left], np.full(len(when), what, dtype=np.int64)))
        self.when, self.what = times[order], kinds[order]
        self.value = np.concatenate((self.value[left], value))[order]
        self.done[0] = 0
