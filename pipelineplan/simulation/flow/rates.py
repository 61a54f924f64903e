"""The rates of a moment: who takes how many records per second, given which queues are empty or full.

    log -> stage 0 -> | key | -> stage 1 -> | key | -> stage 2
                  T0 <= C0              T1 <= C1

An exchange that spreads records by key passes one total `T` on, and channel `j` gets `w_j T`. A
full channel takes no more than its worker serves, so the total is held to some `C`, whichever
worker the rest came from (head-of-line blocking, as in Flink's shared output). Going from the
sink to the source, `C` of an exchange is the largest `T` with

    w_j T <= min(mu_j, theta(T))   for every full channel j

where `theta(T)` is the water level at which the stage behind it meets its own `C`. The left side
rises in `T` and the right side falls, because a larger inflow leaves less of the level: there is
exactly one solution, it does not depend on what the source sends, and it lies on straight pieces,
so it is found without iteration. Then the rates follow from the source to the sink. Every flow is
one number, used as outflow on one side and as inflow on the other: no solution, however wrong,
could lose or invent a record.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from pipelineplan.simulation.flow.layout import Layout, Segment
from pipelineplan.simulation.sharing import Floats, throttle, water_level, water_levels

Flags = npt.NDArray[np.bool_]


@dataclass(frozen=True)
class Lanes:
    """What a segment's lanes can do: `[lane]` each, in source records per second.

    `entry` is the most that a lane takes in, held by the exchange behind the segment too where
    `entry_held`; `exit` is the most that it passes on, and where `starved` no more than it gets.
    """

    entry: Floats
    entry_held: Flags
    exit: Floats
    starved: Flags


class Rates:
    """Solves the flow of one layout. `capacity` per stage may change between calls to `solve`."""

    def __init__(self, layout: Layout) -> None:
        """Prepare the arrays; all rates are 0."""
        self.layout = layout
        self.capacity = layout.capacity()
        self.inflow = np.zeros(layout.channels)
        self.outflow = np.zeros(layout.channels)
        self.held = np.zeros(len(layout.worker_of), dtype=np.bool_)
        self._limits: list[float] = []
        self._lanes: list[Lanes] = []
        self._known: bytes | None = None
        self._empty = self._full = np.zeros(0, dtype=np.bool_)
        self._wanted = np.zeros(len(layout.worker_of) + 1)
        stored = layout.stored_edges
        # Behind the last buffer nothing waits, so its flow is that of the stage before it.
        self._followed = sum(1 for segment in layout.segments if stored and segment.stages[0] <= stored[-1])

    def forget(self) -> None:
        """The capacities have changed: what is known of the limits no longer holds."""
        self._known = None

    def solve(self, queue: Floats, arrivals: Floats) -> None:
        """Set `inflow` and `outflow` for the queues `[channel]` and the arrivals `[partition]`."""
        first = self.layout.edges[0].channels.stop
        if self._followed or self._known is None:
            self._look(queue[first:])
        empty, full = self._empty, self._full
        self._read_log(queue[:first], arrivals, empty, full)
        total = self._outflow_total(0)
        for number in range(1, self._followed):
            total = self._through(number, total, empty, full)

    def _look(self, queue: Floats) -> None:
        """Which queues behind the log are empty or full; the limits follow anew if that changed."""
        empty, full = self._states(queue)
        pattern = empty.tobytes() + full.tobytes()
        if pattern != self._known:
            self._solve_limits(empty, full)
            self._known = pattern
        self._empty, self._full = empty, full

    def _states(self, queue: Floats) -> tuple[Flags, Flags]:
        full = np.empty(len(queue), dtype=np.bool_)
        first = self.layout.edges[0].channels.stop
        for edge in self.layout.edges[1:]:
            place = slice(edge.channels.start - first, edge.channels.stop - first)
            full[place] = queue[place] >= edge.bound
        return queue <= 0.0, full

    def _solve_limits(self, empty: Flags, full: Flags) -> None:
        segments = self.layout.segments
        self._lanes = [self._lanes_of(segment, empty, full) for segment in segments]
        self._limits = [math.inf] * len(segments)
        for number in range(len(segments) - 1, 0, -1):
            at_door = full[self._place(segments[number].stages[0])]
            self._limits[number - 1] = _admission(
                self._lanes[number], segments[number].weights, at_door, self._limits[number]
            )

    def _place(self, stage: int) -> slice:
        """The channels in front of a stage, counted behind the log."""
        first = self.layout.edges[0].channels.stop
        channels = self.layout.edges[stage].channels
        return slice(channels.start - first, channels.stop - first)

    def _lanes_of(self, segment: Segment, empty: Flags, full: Flags) -> Lanes:
        """Capacities with full buffers taken back towards the source, then what comes out."""
        most = {segment.stages[-1]: self.capacity[segment.stages[-1]]}
        held = np.ones(len(most[segment.stages[-1]]), dtype=np.bool_)
        for stage in reversed(segment.stages[:-1]):
            behind = full[self._place(stage + 1)]
            most[stage] = np.where(
                behind, np.minimum(self.capacity[stage], most[stage + 1]), self.capacity[stage]
            )
            held &= behind
        first = segment.stages[0]
        out = most[first]
        starved = empty[self._place(first)].copy() if first else np.ones(len(out), dtype=np.bool_)
        for stage in segment.stages[1:]:
            dry = empty[self._place(stage)]
            out = np.where(dry, np.minimum(out, most[stage]), most[stage])
            starved &= dry
        return Lanes(most[first], held, out, starved)

    def _read_log(self, queue: Floats, arrivals: Floats, empty: Flags, full: Flags) -> None:
        """The first segment: workers take from their partitions, max-min over the backlogged ones."""
        wanted, seats = self._wanted[:-1], self.layout.seats
        wanted[:] = arrivals
        wanted[queue > 0.0] = np.inf
        wanted[self.held] = 0.0
        # The last place is the padding's, and wants nothing.
        padded = self._wanted[seats]
        taken = self._pass_lanes(0, padded.sum(axis=1), empty, full)
        if seats.shape[1] == 1:
            served = taken[self.layout.worker_of]
        else:
            served = water_levels(padded, taken)[self.layout.worker_of]
        log = self.layout.edges[0].channels
        self.inflow[log] = arrivals
        np.minimum(wanted, served, out=self.outflow[log])

    def _through(self, number: int, total: float, empty: Flags, full: Flags) -> float:
        segment = self.layout.segments[number]
        arriving = segment.weights * total
        first = segment.stages[0]
        channels = self.layout.edges[first].channels
        self.inflow[channels] = arriving
        demand = np.where(empty[self._place(first)], arriving, np.inf)
        self.outflow[channels] = self._pass_lanes(number, demand, empty, full)
        return self._outflow_total(number)

    def _pass_lanes(self, number: int, demand: Floats, empty: Flags, full: Flags) -> Floats:
        """Rates along the lanes of a segment; returns what its first stage takes, `[lane]`."""
        stages, lanes, limit = self.layout.segments[number].stages, self._lanes[number], self._limits[number]
        level = water_level(np.where(lanes.starved, np.minimum(lanes.exit, demand), lanes.exit), limit)
        if len(stages) == 1:
            return np.minimum(np.minimum(self.capacity[stages[0]], level), demand)
        most = {stages[-1]: np.minimum(self.capacity[stages[-1]], level)}
        for stage in reversed(stages[:-1]):
            behind = full[self._place(stage + 1)]
            most[stage] = np.where(
                behind, np.minimum(self.capacity[stage], most[stage + 1]), self.capacity[stage]
            )
        taken = flow = np.minimum(most[stages[0]], demand)
        for stage in stages[1:]:
            channels = self.layout.edges[stage].channels
            self.inflow[channels] = flow
            flow = np.where(empty[self._place(stage)], np.minimum(most[stage], flow), most[stage])
            self.outflow[channels] = flow
        return taken

    def _outflow_total(self, number: int) -> float:
        """The records per second that leave the last stage of a segment."""
        last = self.layout.segments[number].stages[-1]
        return float(self.outflow[self.layout.edges[last].channels].sum())


def _admission(lanes: Lanes, weights: Floats, full: Flags, limit: float) -> float:
    """`C`: the largest total that an exchange may pass into the lanes behind it (see the module)."""
    taking = full & (weights > 0)
    if not taking.any():
        return math.inf
    alone = float((lanes.entry[taking] / weights[taking]).min())
    bound = taking & lanes.entry_held
    if math.isinf(limit) or not bound.any():
        return alone
    hottest = float(weights[bound].max())
    slopes = np.where(lanes.starved, np.minimum(weights, hottest), hottest)
    return min(alone, throttle(lanes.exit, slopes, limit))
