"""The fluid of a network whose records all wait in the log, with its inner loop compiled.

No room between the stages means that an exchange only limits: one number of all workers together. What
is left of the state is the queue of each partition, and a loop over those is what numba is good at. The
flow, and what each step means, are those of `Fluid`.
"""

from __future__ import annotations

import numpy as np

from pipelineplan.simulation.flow import kernels
from pipelineplan.simulation.flow.dense_journal import DenseJournal
from pipelineplan.simulation.flow.fluid import Fluid
from pipelineplan.simulation.flow.layout import Layout
from pipelineplan.simulation.flow.rates import Flags
from pipelineplan.simulation.flow.timetable import Timetable
from pipelineplan.simulation.sharing import Floats

_MOST_CHANGES_PER_CHANNEL = 400


class CompiledFluid(Fluid):
    """`Fluid` for a layout without stored edges; see there for what everything means."""

    timetable: Timetable

    def __init__(self, layout: Layout) -> None:
        """Empty queues at time 0, nothing arriving, all workers running."""
        self.clock = np.array([0.0, 0.0])
        self.dense: DenseJournal | None = None
        super().__init__(layout)
        self._lay_flat(layout)
        self.dense = DenseJournal(len(self.shares))
        self.journal = self.dense  # type: ignore[assignment]  # it answers the same questions
        self.note()

    def _lay_flat(self, layout: Layout) -> None:
        """Stage by stage in flat arrays, as the loops want it."""
        widths = [len(each) for each in self._base]
        self._first_of = np.concatenate(((0,), np.cumsum(widths))).astype(np.int64)
        self._able = np.concatenate(self._base)
        self._working = self._able.copy()
        self._stopped = np.zeros(len(self._able), dtype=np.int64)
        seats = layout.seats.astype(np.int64)
        partitions, workers = len(self.shares), widths[0]
        wanting = partitions if seats.shape[1] == 1 else workers
        self._room = (np.zeros(partitions), np.zeros(seats.shape[1]), np.zeros(wanting), np.zeros(partitions))
        segments = np.array([(each.stages[0], each.stages[-1] + 1) for each in layout.segments])
        entry = np.zeros(workers)
        self._reader = (
            self._able,
            self._working,
            self._stopped,
            self._first_of,
            segments,
            self._weights_of(layout),
            entry,
            seats,
        )
        self.timetable = Timetable(partitions, len(self._able))

    def _weights_of(self, layout: Layout) -> Floats:
        weights = np.zeros(len(self._able))
        for segment in layout.segments[1:]:
            first = int(self._first_of[segment.stages[0]])
            weights[first : first + len(segment.weights)] = segment.weights
        return weights

    @property
    def now(self) -> float:
        """Seconds since the start."""
        return float(self.clock[kernels.NOW])

    @now.setter
    def now(self, seconds: float) -> None:
        """Set the clock."""
        self.clock[kernels.NOW] = seconds

    @property
    def drained_at(self) -> float | None:
        """When every partition had been empty once; None until then."""
        seconds = float(self.clock[kernels.DRAINED])
        return None if seconds != seconds else seconds  # noqa: PLR0124  (not a number)

    @drained_at.setter
    def drained_at(self, seconds: float | None) -> None:
        """Set when every partition had been empty once."""
        self.clock[kernels.DRAINED] = np.nan if seconds is None else seconds

    def _count_stops(self, stages: tuple[int, ...], worker: int | None, change: int) -> None:
        self.note()
        for stage in stages:
            first, end = self._first_of[stage], self._first_of[stage + 1]
            chosen = slice(first, end) if worker is None else first + worker
            self._stopped[chosen] += change

    def set_speeds(self, speeds: list[Floats]) -> None:
        """From now on workers do this share of their capacity, `[worker]` per stage."""
        self.note()
        np.multiply(self._able, np.concatenate(speeds), out=self._working)

    def set_rate(self, rate_per_second: float) -> None:
        """From now on the source appends this many records per second over all partitions."""
        self.note()
        np.multiply(self.shares, rate_per_second, out=self.arrivals)

    def _solve(self) -> None:
        """What is read of each partition now, into the room for it."""
        limit = kernels.limit_anew(self._reader, self._room[3])
        entry, seats = self._reader[6:]
        kernels.solve_log(self.queue[self.log], self.arrivals, entry, limit, seats, self._room, 0.0)

    def advance(self, until: float) -> None:
        """Let time pass up to `until`; raises `RuntimeError` if the queues would never settle.

        What the timetable says before then is done at its time; what it says for `until` itself is not yet.
        """
        journal = self.dense
        if journal is None or not self.now < until:
            return
        lines = 1 + self.timetable.until(until)
        most = self.changes + _MOST_CHANGES_PER_CHANNEL * (len(self.queue) + 1) * lines
        log = self.log
        state = (self.queue[log], self.arrived[log], self.departed[log], self._been_empty)
        while self.now < until:
            kernels.run_log(
                until,
                (self.clock, journal.counts),
                state,
                (self.shares, self.arrivals),
                self._reader,
                self._room,
                self.timetable.lines,
                (journal.times, journal.rows),
            )
            journal.make_room()
            self.changes = int(journal.counts[kernels.CHANGES])
            if self.changes > most:
                raise RuntimeError(f"more than {most} changes before {until} s: the queues do not settle")

    def slow(self, stage: int, factor: float) -> None:
        """From now on the workers of a stage do `factor` of what they otherwise would."""
        raise NotImplementedError(f"{stage} by {factor}: only the fluid on numpy slows single stages")

    def hold(self, partitions: Flags) -> None:
        """From now on these partitions of the log are not read."""
        raise NotImplementedError(f"{partitions}: only the fluid on numpy holds partitions")

    def next_change_seconds(self) -> float:
        """Seconds until a queue runs empty, if no knob is turned; inf if none does."""
        self._solve()
        np.subtract(self.arrivals, self._room[0], out=self._net[self.log])
        falling = self._net[self.log] < 0
        return float((self.queue[self.log][falling] / -self._net[self.log][falling]).min(initial=np.inf))

    def let_go(self) -> None:
        """Nothing more is asked of this run: its memory is for the next."""
        if self.dense is not None:
            self.dense.give_back()

    def note(self) -> None:
        """Write the present counts into the journal."""
        if self.dense is not None:
            dense = self.dense
            dense.make_room()
            kernels.write_row(self.clock, dense.counts, self.departed[self.log], dense.times, dense.rows)


def can_be_compiled(layout: Layout) -> bool:
    """Whether all records of this layout wait in the log, which is empty at first."""
    empty = not any(log.backlog_records for log in layout.network.logs)
    return type(layout) is Layout and empty and not layout.stored_edges
