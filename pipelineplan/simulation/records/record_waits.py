r"""T2: every record by itself through the stages, as fast as arrays go: who waits for whom by chance.

    arrivals   | |||  | |    ||      work   [5][2][9]...
    worker     ##_#######__###       done = max(came, done before) + work, worker by worker

A worker that stands still (a checkpoint, an outage) has a clock of its own that stops too, and in its
own time nothing ever interrupts it: so each stage is Lindley's recursion, `D = S + running max(A - S')`
with `S` the work so far, which numpy does in two passes and numba in one, to within 1e-9.

Room between the stages is unlimited here, and a worker takes what came first rather than turn by turn.

Source: D. V. Lindley, The theory of queues with a single server, Proc. Cambridge Philosophical
Society 48, 1952.
"""

from __future__ import annotations

from dataclasses import dataclass
from importlib.util import find_spec

import numpy as np
import numpy.typing as npt

from pipelineplan.simulation.control import Run
from pipelineplan.simulation.figures.curves import Curves
from pipelineplan.simulation.flow.laying_out import lay_out
from pipelineplan.simulation.network import Exchange, Stage
from pipelineplan.simulation.scenario import Breaks, Scenario
from pipelineplan.simulation.sharing import Floats
from pipelineplan.simulation.weather import Weather

Numbers = npt.NDArray[np.intp]
Stops = tuple[tuple[float, float], ...]


def served(came: Floats, work: Floats, *, compiled: bool | None = None) -> Floats:
    """When each record is done by one server that takes them in order: times `came`, rising, and `work`.

    By numba where it is there, or as `compiled` says.
    """
    if find_spec("numba") is not None if compiled is None else compiled:
        from pipelineplan.simulation.flow import kernels

        return kernels.serve(came, work)
    done = np.cumsum(work)
    return done + np.maximum.accumulate(came - (done - work))


@dataclass(frozen=True)
class Clock:
    """The time of a worker that stands still during `stops` (seconds, in order, not overlapping)."""

    stops: Stops

    def _parts(self) -> tuple[Floats, Floats, Floats]:
        """Where the stops begin and end, and how long those before each were, and all."""
        starts, ends = np.array(self.stops, dtype=np.float64).reshape(-1, 2).T
        return starts, ends, np.concatenate(((0.0,), np.cumsum(ends - starts)))

    def own(self, when: Floats) -> Floats:
        """How far the worker's own time has come at each time."""
        starts, ends, before = self._parts()
        passed = np.searchsorted(starts, when, side="right")
        inside = np.maximum(ends[np.maximum(passed - 1, 0)] - when, 0.0) if len(starts) else 0.0
        return np.asarray(when - before[passed] + np.where(passed > 0, inside, 0.0))

    def wall(self, own: Floats) -> Floats:
        """The first time at which the worker's own time has come so far."""
        starts, _, before = self._parts()
        passed = np.searchsorted(starts - before[:-1], own, side="left")
        return np.asarray(own + before[passed])


@dataclass(frozen=True)
class Walk:
    """All records that arrived, and those that came out of the last stage, in the order of arrival.

    `came`, `read` (when the first stage was done with it) and `partition` are `[record]`; `born`, `out`
    and `origin` (the partition) are `[record that came out]`.
    """

    came: Floats
    read: Floats
    partition: Numbers
    born: Floats
    out: Floats
    origin: Numbers


def walk(run: Run, weather: Weather) -> Walk:
    """Every record of a run that nothing restored, through all stages, in this weather.

    Raises `ValueError` for a run that went back to a checkpoint.
    """
    if any(outage.restores for outage in run.scenario.outages):
        raise ValueError(f"{run.scenario.name}: records that are read again have no single way")
    layout = lay_out(run.network)
    came = arrivals(run.scenario, run.fluid.now, weather)
    partition = _dealt(np.array(layout.network.source.shares), len(came), weather, "partition")
    lane, now = layout.worker_of[partition], came
    which = np.arange(len(came))
    read = came
    for number, stage in enumerate(layout.network.stages):
        which, lane, now = _selected(stage, which, lane, now, weather)
        if stage.exchange is not Exchange.FORWARD:
            lane = _dealt(np.array(stage.weights), len(now), weather, f"exchange/{stage.name}")
        now = _through(stage, Clock(_stops(run, number, len(layout.network.stages))), lane, now, weather)
        if number == 0:
            read = _of_all(came, which, now)
    order = np.argsort(which, kind="stable")
    return Walk(came, read, partition, came[which[order]], now[order], partition[which[order]])


def arrivals(scenario: Scenario, until: float, weather: Weather) -> Floats:
    """A Poisson process with the rates of a scenario, in seconds from its start."""
    starts = np.array([start for start, _ in scenario.rates if start < until])
    rates = np.array([rate for _, rate in scenario.rates])[: len(starts)]
    edges = np.append(starts, until)
    expected = np.concatenate(((0.0,), np.cumsum(rates * np.diff(edges))))
    random = weather.stream("records/arrivals")
    places = np.sort(random.random(int(random.poisson(expected[-1])))) * expected[-1]
    return np.asarray(np.interp(places, expected, edges))


def _dealt(shares: Floats, count: int, weather: Weather, name: str) -> Numbers:
    edges = np.cumsum(shares)
    drawn = weather.stream(f"records/{name}").random(count) * edges[-1]
    return np.asarray(np.minimum(np.searchsorted(edges, drawn, side="right"), len(edges) - 1))


def _selected(
    stage: Stage, which: Numbers, lane: Numbers, now: Floats, weather: Weather
) -> tuple[Numbers, Numbers, Floats]:
    """Which records reach a stage: some not, some several times, as its selectivity says on average."""
    if stage.selectivity == 1.0:
        return which, lane, now
    whole = int(stage.selectivity)
    drawn = weather.stream(f"records/selected/{stage.name}").random(len(which))
    copies = whole + (drawn < stage.selectivity - whole)
    return np.repeat(which, copies), np.repeat(lane, copies), np.repeat(now, copies)


def _through(stage: Stage, clock: Clock, lane: Numbers, now: Floats, weather: Weather) -> Floats:
    """When a stage is done with each record."""
    work = _work(stage, len(now), weather)
    own = clock.own(now)
    order = np.lexsort((now, lane))
    ends = np.searchsorted(lane[order], np.arange(stage.workers), side="right")
    done = np.empty(len(now))
    for first, end in zip(np.concatenate(((0,), ends[:-1])), ends, strict=True):
        mine = order[first:end]
        done[mine] = served(own[mine], work[mine])
    return np.maximum(clock.wall(done), now)


def _work(stage: Stage, count: int, weather: Weather) -> Floats:
    """Service times: mean `1 / capacity`, gamma with the stage's coefficient of variation."""
    if np.isinf(stage.capacity_per_second):
        return np.zeros(count)
    if stage.service_cv <= 0:
        return np.full(count, 1.0 / stage.capacity_per_second)
    squared = stage.service_cv**2
    drawn = weather.stream(f"records/service/{stage.name}").gamma(1.0 / squared, squared, count)
    return np.asarray(drawn / stage.capacity_per_second)


def _of_all(came: Floats, which: Numbers, done: Floats) -> Floats:
    """For every record when it was read; one that the first stage does not get is read as it comes."""
    read = came.copy()
    np.maximum.at(read, which, done)
    return read


def _stops(run: Run, number: int, stages: int) -> Stops:
    """When a stage stands still: the stalls of checkpoints, and outages of its end of the network."""
    plan = run.network.checkpoint
    stall = plan.sync_stall_seconds if plan is not None else 0.0
    stops = [(cut.begun, cut.begun + stall) for cut in run.cuts if stall > 0 and cut.completed > 0]
    stops += [
        (outage.start_seconds, outage.start_seconds + outage.down_seconds)
        for outage in run.scenario.outages
        if number == (stages - 1 if outage.of is Breaks.SINK else 0)
    ]
    merged: list[tuple[float, float]] = []
    for start, end in sorted(stops):
        if merged and start <= merged[-1][1]:
            merged[-1] = (merged[-1][0], max(end, merged[-1][1]))
        else:
            merged.append((start, end))
    return tuple(merged)


class RecordCurves(Curves):
    """The curves of a run with every record in its own time; asked as those of the fluid are."""

    def __init__(self, run: Run, weather: Weather) -> None:
        """Walk all records of `run` once."""
        super().__init__(run)
        self.walk = walk(run, weather)
        self._mine = [np.flatnonzero(self.walk.partition == each) for each in range(self.partitions)]
        self._outs = [np.flatnonzero(self.walk.origin == each) for each in range(self.partitions)]

    def read_at(self, partition: int, arrived: Floats) -> Floats:
        """When the first record of a partition that came at or after those times was read."""
        mine = self._mine[partition]
        if not len(mine):
            return arrived
        found = np.searchsorted(self.walk.came[mine], arrived, side="left")
        return np.maximum(self.walk.read[mine[np.minimum(found, len(mine) - 1)]], arrived)

    def emitted_at(self, arrived: Floats) -> Floats:
        """As late after those times as records at the same places of their partition came out.

        By place and not by time: the record after a moment has had a longer gap before it than most.
        """
        places = self.appended_at(arrived) / max(float(self.appended_at(self._end)[0]), 1e-300)
        out = np.tile(arrived, (self.partitions, 1))
        for partition, mine in enumerate(self._outs):
            if len(mine):
                which = mine[np.minimum((places * len(mine)).astype(np.intp), len(mine) - 1)]
                out[partition] += self.walk.out[which] - self.walk.born[which]
        return out

    @property
    def _end(self) -> Floats:
        return np.array([self.run.fluid.now])

    def passed_on(self, when: Floats) -> Floats:
        """When all that was read by those times has come out."""
        born = np.searchsorted(self.walk.came, self.walk.born)
        read = self.walk.read[np.minimum(born, len(self.walk.read) - 1)]
        order = np.argsort(read)
        latest = np.maximum.accumulate(self.walk.out[order]) if len(order) else np.zeros(1)
        found = np.searchsorted(read[order], when, side="right") - 1
        return np.where(found >= 0, np.maximum(latest[np.maximum(found, 0)], when), when)

    def committed_at(self, partition: int, arrived: Floats) -> Floats:
        """When the first checkpoint completed that began after those records were read."""
        begun = np.array([cut.begun for cut in self.run.cuts])
        completed = np.array([cut.completed for cut in self.run.cuts])
        found = np.searchsorted(begun, self.read_at(partition, arrived), side="left")
        return np.asarray(np.maximum(np.append(completed, np.inf)[found], arrived))
