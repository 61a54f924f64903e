r"""The data plane: queues that fill and empty at constant rates, from one change to the next.

    lag  |      /\
         |     /  \__            rates hold until a queue runs empty or full,
         |____/      \____       or until somebody turns a knob; time jumps there
              ^  ^  ^
There is no time step. The only error is rounding: what leaves one queue is, as the same
number, what enters the next.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from pipelineplan.simulation.flow.asides import Asides
from pipelineplan.simulation.flow.courses import Course, Courses, Leg, counts_along
from pipelineplan.simulation.flow.filling import JointRates
from pipelineplan.simulation.flow.joint import JointLayout
from pipelineplan.simulation.flow.journal import Journal
from pipelineplan.simulation.flow.layout import Layout
from pipelineplan.simulation.flow.rates import Flags, Rates
from pipelineplan.simulation.sharing import Floats

if TYPE_CHECKING:
    from pipelineplan.simulation.flow.timetable import Timetable

# A net rate that is this small beside the flow is rounding of "what comes in goes out".
_STILL = 1e-12
# Two queues whose times differ by less than this share of the step change together.
_TOGETHER = 1e-9
_MOST_CHANGES_PER_CHANNEL = 400


@dataclass(frozen=True)
class State:
    """Where the readers are `[partition]`, and what is under way behind them `[channel]`, in records."""

    position: Floats
    arrived: Floats
    departed: Floats
    queue: Floats


class Fluid:
    """The state of a layout: `queue`, `arrived` and `departed`, each `[channel]`, at time `now`.

    Counts are records of the source. `arrived - departed == queue` up to rounding, and
    `0 <= queue <= bound` exactly.
    """

    timetable: Timetable | None = None  # only a compiled loop has one

    def __init__(self, layout: Layout) -> None:
        """Empty queues at time 0, nothing arriving, all workers running."""
        self.layout = layout
        self.now = 0.0
        self.rates: Rates | JointRates = (
            JointRates(layout) if isinstance(layout, JointLayout) else Rates(layout)
        )
        self.queue = np.zeros(layout.channels)
        self.arrived = np.zeros(layout.channels)
        self.departed = np.zeros(layout.channels)
        self.shares = np.array(layout.network.shares)
        self.arrivals = np.zeros(len(self.shares))
        self.changes = 0
        self.bound = np.concatenate([np.full(_width(edge.channels), edge.bound) for edge in layout.edges])
        self._base = layout.capacity()
        self._speeds = [np.ones(len(each)) for each in self._base]
        self._slowed = [1.0] * len(self._base)
        self._stops = [np.zeros(len(each), dtype=np.int64) for each in self._base]
        self._net = np.zeros(layout.channels)
        self._next = np.inf
        self._stale = True
        self._courses = Courses()
        self._been_empty = np.ones(len(self.shares), dtype=np.bool_)
        backlogs = [np.full(log.partitions, log.backlog_records) for log in layout.network.logs]
        self.queue[self.log] = np.concatenate(backlogs) * np.concatenate(
            [log.shares for log in layout.network.logs]
        )
        self.arrived[self.log] = self.queue[self.log]
        self.asides = Asides()
        self.drained_at: float | None = 0.0
        self.journal = Journal(
            len(self.shares) + 2 * sum(_width(layout.edges[e].channels) for e in layout.stored_edges)
        )
        self._kept = np.concatenate(
            [
                np.arange(layout.edges[e].channels.start, layout.edges[e].channels.stop)
                for e in layout.stored_edges
            ]
            or [np.zeros(0, dtype=np.intp)]
        ).astype(np.intp)
        self.note()

    @property
    def log(self) -> slice:
        """The channels of the log: its partitions."""
        return self.layout.edges[0].channels

    def set_rate(self, rate_per_second: float) -> None:
        """From now on the source appends this many records per second over all partitions."""
        self.note()
        self.arrivals = self.shares * rate_per_second
        self._stale = True

    def give(self, records: Floats) -> None:
        """Put records into the log at once, `[partition]`."""
        self.note()
        self.queue[self.log] += records
        self.arrived[self.log] += records
        self.note()
        self._stale = True

    def stop(self, stages: tuple[int, ...], worker: int | None = None) -> None:
        """Stand still: all workers of these stages, or one. Stops add up until each is lifted."""
        self._count_stops(stages, worker, +1)

    def go_on(self, stages: tuple[int, ...], worker: int | None = None) -> None:
        """Lift one stop that was set with the same arguments."""
        self._count_stops(stages, worker, -1)

    def _count_stops(self, stages: tuple[int, ...], worker: int | None, change: int) -> None:
        self.note()
        for stage in stages:
            self._stops[stage][slice(None) if worker is None else worker] += change
        self._set_capacities(stages)

    def set_speeds(self, speeds: list[Floats]) -> None:
        """From now on workers do this share of their capacity, `[worker]` per stage."""
        self.note()
        self._speeds = speeds
        self._set_capacities(tuple(range(len(speeds))))

    def slow(self, stage: int, factor: float) -> None:
        """From now on the workers of a stage do `factor` of what they otherwise would."""
        self.note()
        self._slowed[stage] = factor
        self._set_capacities((stage,))

    def hold(self, partitions: Flags) -> None:
        """From now on these partitions of the log are not read."""
        self.note()
        self.rates.held = partitions
        self._stale = True

    def limit(self, log: int, rate_per_second: float) -> None:
        """From now on no more than this is read of a log of a joint network."""
        self.note()
        if isinstance(self.rates, JointRates):
            self.rates.limits[log] = rate_per_second
        self._stale = True

    def _set_capacities(self, stages: tuple[int, ...]) -> None:
        for stage in stages:
            able = self._base[stage] * self._speeds[stage] * self._slowed[stage]
            self.rates.capacity[stage] = np.where(self._stops[stage] > 0, 0.0, able)
        self.rates.forget()
        self._stale = True

    def advance(self, until: float) -> None:
        """Let time pass up to `until`; raises `RuntimeError` if the queues would never settle."""
        most = self.changes + _MOST_CHANGES_PER_CHANNEL * (len(self.queue) + 1)
        with np.errstate(divide="ignore", invalid="ignore"):
            self._run(until, most)

    def _run(self, until: float, most: int) -> None:
        # Who waits for a drain looks at every change, so there no course is taken as a whole.
        if self._stale and self.drained_at is not None:
            self._to_rest(until, most)
        while self.now < until:
            self._one_change(until, most)

    def _one_change(self, until: float, most: int) -> None:
        if self._stale:
            self._find_next()
        if self.now + self._next <= until:
            self._step(self._next, to=self.now + self._next)
            self._settle()
            self.note()
        else:
            self._next -= until - self.now
            self._step(until - self.now, to=until)
        if self.changes > most:
            raise RuntimeError(f"more than {most} changes before {until} s: the queues do not settle")

    def _to_rest(self, until: float, most: int) -> None:
        """Take the course from this state again, or take it for the first time and remember it."""
        state = b"".join(
            (
                self.queue.tobytes(),
                self.arrivals.tobytes(),
                self.rates.held.tobytes(),
                *(each.tobytes() for each in self.rates.capacity),
            )
        )
        known = self._courses.find(state)
        if known is None:
            self._explore(state, until, most)
        elif self.now + known.length_seconds <= until:
            self._follow(known)

    def _explore(self, state: bytes, until: float, most: int) -> None:
        legs: list[Leg] = []
        while self.now < until:
            self._find_next()
            if np.isinf(self._next):
                self._courses.keep(state, self._course(legs))
                return
            if self.now + self._next > until:
                return
            legs.append(Leg(self._next, self.rates.inflow.copy(), self.rates.outflow.copy()))
            self._one_change(until, most)

    def _course(self, legs: list[Leg]) -> Course:
        seconds, arrived, departed = counts_along(legs, self.layout.channels)
        rows = np.hstack((departed[:, self.log], arrived[:, self._kept], departed[:, self._kept]))
        nothing = np.zeros(self.layout.channels)
        return Course(
            seconds,
            self.journal.learn(rows),
            arrived[-1] if legs else nothing,
            departed[-1] if legs else nothing,
            self.queue.copy(),
            self.rates.inflow.copy(),
            self.rates.outflow.copy(),
            self._net.copy(),
        )

    def _follow(self, course: Course) -> None:
        """Be where the course ends, with a row in the journal for each change on the way."""
        counts = (self.departed[self.log], self.arrived[self._kept], self.departed[self._kept])
        self.journal.repeat(course.pattern, self.now + course.seconds, *counts)
        self.now += course.length_seconds
        self.changes += len(course.seconds)
        self.arrived += course.arrived
        self.departed += course.departed
        self.queue[:] = course.queue
        self.rates.inflow[:], self.rates.outflow[:], self._net[:] = course.inflow, course.outflow, course.net
        self._times = np.full(self.layout.channels, np.inf)
        self._next = np.inf
        self._stale = False

    def _find_next(self) -> None:
        rates = self.rates
        rates.solve(self.queue, self.arrivals)
        net = np.subtract(rates.inflow, rates.outflow, out=self._net)
        net[np.abs(net) <= _STILL * rates.inflow] = 0.0
        times = np.where(net > 0, self.bound - self.queue, -self.queue)
        times /= net
        times[net == 0] = np.inf
        self._times = times
        self._next = max(float(times.min()), 0.0)
        self._stale = False

    def _step(self, seconds: float, to: float) -> None:
        self.queue += self._net * seconds
        self.arrived += self.rates.inflow * seconds
        self.departed += self.rates.outflow * seconds
        self._times -= seconds
        self.now = to

    def _settle(self) -> None:
        """Put the queues that have run empty or full exactly there."""
        changed = self._times <= _TOGETHER * self._next
        self.queue[changed] = np.where(self._net[changed] < 0, 0.0, self.bound[changed])
        self.changes += 1
        self._stale = True
        if self.drained_at is None:
            self._look_for_drained()

    def watch_drain(self) -> None:
        """From now on, wait for every partition of the log to have been empty once."""
        # What lay there from the start is no backlog of this outage.
        self._been_empty = self.shares <= 0.0
        self.drained_at = None
        self._look_for_drained()

    def _look_for_drained(self) -> None:
        self._been_empty |= self.queue[self.log] <= 0.0
        if self._been_empty.all():
            self.drained_at = self.now

    def drain_bound(self) -> float:
        """Seconds until the partitions that are shrinking are empty at the rates of now; inf if one grows."""
        self.next_change_seconds()
        waiting = ~self._been_empty
        net, queue = self._net[self.log][waiting], self.queue[self.log][waiting]
        if (net >= 0).any():
            return np.inf
        return float((queue / -net).max(initial=0.0))

    def next_change_seconds(self) -> float:
        """Seconds until a queue runs empty or full, if no knob is turned; inf if none does."""
        if self._stale:
            with np.errstate(divide="ignore", invalid="ignore"):
                self._find_next()
        return self._next

    def state(self) -> State:
        """Everything that an unaligned checkpoint keeps."""
        return State(self.position(), self.arrived.copy(), self.departed.copy(), self.queue.copy())

    def restore(self, state: State) -> Floats:
        """Go back to what a checkpoint kept; returns the records to be read again `[partition]`."""
        back = self.departed[self.log] - state.position
        self.move(-back)
        behind = slice(self.log.stop, None)
        self.arrived[behind] = state.arrived[behind]
        self.departed[behind] = state.departed[behind]
        self.queue[behind] = state.queue[behind]
        self.note()
        return back

    def position(self) -> Floats:
        """The reader's position in each partition, in records."""
        return self.departed[self.log].copy()

    def rewind(self, position: Floats, partitions: Flags, lanes: Flags | None = None) -> Floats:
        """Put the readers of `partitions` back to `position`; returns the records to be read again.

        What was under way is discarded, and the counts behind the log become those of the cut:
        everything before the position has passed, nothing after it. `lanes` limits that to some
        workers, where all exchanges are forward.
        """
        back = np.where(partitions, self.departed[self.log] - position, 0.0)
        self.move(-back)
        for number in self.layout.stored_edges:
            channels = self.layout.edges[number].channels
            chosen = np.ones(_width(channels), dtype=np.bool_) if lanes is None else lanes
            cut = self.passed(number, self.departed[self.log])
            self.arrived[channels] = np.where(chosen, cut, self.arrived[channels])
            self.departed[channels] = np.where(chosen, cut, self.departed[channels])
            self.queue[channels] = np.where(chosen, 0.0, self.queue[channels])
        self.note()
        return back

    def read_again(self, position: Floats) -> Floats:
        """Put all readers back to `position`, while stages go on remembering what they had read."""
        self.asides.reread_at.append(self.now)
        return self.rewind(position, np.ones(len(self.shares), dtype=np.bool_))

    def move(self, forward: Floats) -> None:
        """Change the readers' positions by `forward` records `[partition]` without reading them."""
        self.note()
        self.departed[self.log] += forward
        self.queue[self.log] = np.where(
            forward == 0, self.queue[self.log], np.maximum(self.queue[self.log] - forward, 0)
        )
        self.note()
        self._stale = True

    def passed(self, edge: int, position: Floats) -> Floats:
        """The count of an edge's channels once all records before `position` have passed it."""
        segment = self.layout.segment_of(edge)
        if segment:
            return np.asarray(self.layout.segments[segment].weights * position.sum())
        workers = len(self._base[0])
        return np.bincount(self.layout.worker_of, weights=position, minlength=workers).astype(np.float64)

    def emitted(self) -> float:
        """Source records whose results have left the last queue."""
        stored = self.layout.stored_edges
        last = self.layout.edges[stored[-1]].channels if stored else self.log
        return float(self.departed[last].sum())

    def curves_of(self, edge: int, lane: int, journal: Journal | None = None) -> tuple[Floats, Floats]:
        """What came into and left one lane of a stored edge, `[row]` of the journal or of a part of it."""
        journal = self.journal if journal is None else journal
        came, left = self.columns_of(edge, lane)
        return journal.column(came), journal.column(left)

    def columns_of(self, edge: int, lane: int) -> tuple[int, int]:
        """The columns of the journal with what came into and left one lane of a stored edge."""
        before = [each for each in self.layout.stored_edges if each < edge]
        column = len(self.shares) + sum(_width(self.layout.edges[each].channels) for each in before) + lane
        return column, column + len(self._kept)

    def let_go(self) -> None:
        """Nothing more is asked of this run; a loop that keeps its memory for the next overrides this."""

    def note(self) -> None:
        """Write the present counts into the journal: where a rate bends or a count jumps, and at the end."""
        self.journal.write(
            self.now, self.departed[self.log], self.arrived[self._kept], self.departed[self._kept]
        )


def _width(channels: slice) -> int:
    return int(channels.stop - channels.start)
