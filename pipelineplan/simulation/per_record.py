"""T0: the same network record by record in SimPy, slow and literal, to check the fluid against.

    worker:  look at my partitions in turn -> take the next record -> serve it -> hand it on,
             and wait if there is no room

No line of the fluid's arithmetic is used here: only the network, and where its queues lie. About
10^5 records a second, so for small networks; above some 10^7 records it is the wrong tool.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Generator
from dataclasses import dataclass, field
from typing import Any, Literal

import numpy as np
import simpy

from pipelineplan.simulation.control import appended_curve
from pipelineplan.simulation.layout import Layout, lay_out
from pipelineplan.simulation.network import Checkpoint, Network
from pipelineplan.simulation.record_routes import Route, backlogs_of, partitions_of, room_of, routes_of
from pipelineplan.simulation.scenario import Breaks, Outage, Scenario
from pipelineplan.simulation.sharing import Floats

Service = Literal["exponential", "deterministic"]
Process = Generator[simpy.Event, Any, None]
_LEAST_ROOM = 20
_BARRIER_LOOK_SECONDS = 0.05


@dataclass
class PerRecordRun:
    """What was seen: lag at `time`, drains and replays by outage, latencies of emitted records."""

    time: Floats
    lag: Floats
    drains: list[float] = field(default_factory=list)
    replayed: list[float] = field(default_factory=list)
    duplicates: list[float] = field(default_factory=list)
    latencies: list[float] = field(default_factory=list)


def run_per_record(
    network: Network,
    scenario: Scenario,
    end_seconds: float,
    *,
    service: Service = "exponential",
    seed: int = 1,
) -> PerRecordRun:
    """Run `scenario` up to `end_seconds` with random or fixed service; arrivals are alike.

    Room in front of a worker is at least 20 records, since an exchange of random keys without any
    room would lose throughput that no real system loses.
    """
    return _Model(network, scenario, end_seconds, service, seed).run()


@dataclass
class _Lane:
    """A queue with room for `bound`: records are pairs of arrival time and checkpoint number."""

    bound: float
    records: deque[tuple[float, int]] = field(default_factory=deque)
    getter: simpy.Event | None = None
    putters: deque[simpy.Event] = field(default_factory=deque)

    def full(self) -> bool:
        return len(self.records) >= self.bound

    def put(self, record: tuple[float, int]) -> None:
        self.records.append(record)
        if self.getter is not None and not self.getter.triggered:
            self.getter.succeed()

    def take(self) -> tuple[float, int]:
        record = self.records.popleft()
        if self.putters:
            self.putters.popleft().succeed()
        return record


class _Model:
    def __init__(self, network: Network, scenario: Scenario, end: float, service: Service, seed: int) -> None:
        self.env = simpy.Environment()
        self.network, self.scenario, self.end = network, scenario, end
        self.layout: Layout = lay_out(network)
        self.random = np.random.default_rng(seed)
        self.draw = self._drawing(service)
        self.arrivals = self._arrivals(service)
        self.routes = routes_of(self.layout)
        self.cursor = [0] * len(self.arrivals)
        self.been_empty = [True] * len(self.arrivals)
        self.held = [False] * len(self.arrivals)
        self.slowed = [1.0] * len(self.layout.network.stages)
        self.cut = list(self.cursor)
        self.epoch = self.tag = self.emitted = 0
        self.in_flight: dict[int, int] = {}
        self.stops = [[0] * stage.workers for stage in self.layout.network.stages]
        self.gate = self.env.event()
        self.sink_down = 0
        self.capacity = self.layout.capacity()
        self.choices = {
            route: self._choosing(np.array(route.weights))
            for each in self.routes
            for route in each
            if route.weights
        }
        self.owed: dict[tuple[Route, int], float] = {}
        self.result = PerRecordRun(np.linspace(0.0, end, 1001), np.zeros(1001))

    def _drawing(self, service: Service) -> Callable[[float], float]:
        if service == "deterministic":
            return lambda mean: mean
        waiting: list[float] = []

        def draw(mean: float) -> float:
            if not waiting:
                waiting.extend(self.random.standard_exponential(4096))
            return mean * waiting.pop()

        return draw

    def _choosing(self, weights: Floats) -> Callable[[], int]:
        edges, waiting = np.cumsum(weights), list[int]()

        def choose() -> int:
            if not waiting:
                waiting.extend(
                    np.searchsorted(edges / edges[-1], self.random.random(4096), side="right").tolist()
                )
            return waiting.pop()

        return choose

    def _arrivals(self, service: Service) -> list[list[float]]:
        """When each record of each partition arrives, in order."""
        times, counts = appended_curve(self.scenario)
        total = float(np.interp(self.end, times, counts))
        rising = np.concatenate(((True,), np.diff(counts) > 0))
        arrivals = []
        for share in self.layout.network.shares:
            expected = share * total
            if service == "deterministic":
                places = np.arange(int(expected)) + 0.5
            else:
                places = np.cumsum(self.random.standard_exponential(int(expected + 10 * expected**0.5 + 20)))
                places = places[places < expected]
            arrivals.append(np.interp(places / max(share, 1e-300), counts[rising], times[rising]).tolist())
        return [
            [*([0.0] * lain), *come]
            for lain, come in zip(backlogs_of(self.layout.network), arrivals, strict=True)
        ]

    def run(self) -> PerRecordRun:
        self._start_workers()
        self.env.process(self._watch())
        if self.network.checkpoint:
            self.env.process(self._checkpoints(self.network.checkpoint))
        for outage in self.scenario.outages:
            self.env.process(self._outage(outage))
        self.env.run(until=self.end)
        return self.result

    def _start_workers(self) -> None:
        self.lanes = [
            [_Lane(max(room_of(self.layout, number), _LEAST_ROOM)) for _ in range(stage.workers)]
            for number, stage in enumerate(self.layout.network.stages)
        ]
        for number, stage in enumerate(self.layout.network.stages):
            for worker in range(stage.workers):
                mine = partitions_of(self.layout, number, worker)
                self.env.process(
                    self._worker(number, worker) if mine is None else self._reader(number, worker, mine)
                )

    def _running(self, stage: int, worker: int, epoch: int) -> Process:
        while self.stops[stage][worker] and epoch == self.epoch:
            yield self.gate

    def _reader(self, stage: int, worker: int, mine: list[int]) -> Process:
        """Takes from its partitions in turn, so that backlogged ones share it evenly."""
        epoch, turn = self.epoch, 0
        mean = 1.0 / float(self.capacity[stage][worker])
        while mine:
            yield from self._running(stage, worker, epoch)
            if epoch != self.epoch:
                return
            found = self._next_of(mine, turn)
            if found is None:
                yield from self._nothing_to_read(mine)
                continue
            turn = found + 1
            partition = mine[found]
            record = (self.arrivals[partition][self.cursor[partition]], self.tag)
            self.cursor[partition] += 1
            self.in_flight[self.tag] = self.in_flight.get(self.tag, 0) + 1
            if mean > 0:
                yield self.env.timeout(self.draw(mean) / self.slowed[stage])
            if epoch != self.epoch:
                return
            yield from self._hand_on(stage, worker, record, epoch)

    def _nothing_to_read(self, mine: list[int]) -> Process:
        coming = min(self._next_arrival(p) for p in mine)
        if coming > self.env.now and not any(self.held[p] for p in mine):
            yield self.env.timeout(coming - self.env.now)
        else:
            yield self.gate

    def _next_of(self, mine: list[int], turn: int) -> int | None:
        for step in range(len(mine)):
            place = (turn + step) % len(mine)
            partition = mine[place]
            if self._next_arrival(partition) > self.env.now:
                self.been_empty[partition] = True
            elif not self.held[partition]:
                return place
        return None

    def _next_arrival(self, partition: int) -> float:
        cursor, arrivals = self.cursor[partition], self.arrivals[partition]
        return arrivals[cursor] if cursor < len(arrivals) else self.end

    def _worker(self, stage: int, worker: int) -> Process:
        epoch, lane = self.epoch, self.lanes[stage][worker]
        mean = 1.0 / float(self.capacity[stage][worker])
        while True:
            yield from self._running(stage, worker, epoch)
            if epoch != self.epoch:
                return
            if not lane.records:
                lane.getter = self.env.event()
                yield lane.getter
                continue
            if mean > 0:
                yield self.env.timeout(self.draw(mean) / self.slowed[stage])
            if epoch != self.epoch:
                return
            yield from self._hand_on(stage, worker, lane.records[0], epoch)
            if epoch == self.epoch:
                lane.take()

    def _hand_on(self, stage: int, worker: int, record: tuple[float, int], epoch: int) -> Process:
        """Give a record to every stage that reads this one, waiting for room; behind the sink it is out."""
        tag = record[1]
        if stage == len(self.lanes) - 1:
            self.emitted += 1
            self.result.latencies.append(self.env.now - record[0])
        for route in self.routes[stage]:
            for _ in range(self._copies(route, worker)):
                choose = self.choices.get(route)
                lane = self.lanes[route.to][
                    worker % len(self.lanes[route.to]) if choose is None else choose()
                ]
                while lane.full() and epoch == self.epoch:
                    room = self.env.event()
                    lane.putters.append(room)
                    yield room
                if epoch == self.epoch:
                    self.in_flight[tag] += 1
                    lane.put(record)
        if epoch == self.epoch:
            self.in_flight[tag] -= 1

    def _copies(self, route: Route, worker: int) -> int:
        """How many records go this way now: as many in the end as the selectivity says."""
        if route.selectivity == 1.0:
            return 1
        owed = self.owed.get((route, worker), 0.0) + route.selectivity
        self.owed[(route, worker)] = owed - int(owed)
        return int(owed)

    def _watch(self) -> Process:
        live = sum(log.partitions for log in self.layout.network.logs if log.part > 0)
        counts = [np.array(each) for each in self.arrivals[:live]]
        for index, time in enumerate(self.result.time):
            yield self.env.timeout(max(time - self.env.now, 0.0))
            come = sum(int(np.searchsorted(each, time, side="right")) for each in counts)
            self.result.lag[index] = come - sum(self.cursor[:live])

    def _change_stops(self, stages: range | tuple[int, ...], worker: int | None, change: int) -> None:
        for stage in stages:
            for number in range(len(self.stops[stage])) if worker is None else (worker,):
                self.stops[stage][number] += change
        if change < 0:
            self.open_gate()

    def open_gate(self) -> None:
        """Tell all who stand still to look again."""
        self.gate.succeed()
        self.gate = self.env.event()

    def _checkpoints(self, plan: Checkpoint) -> Process:
        everything = range(len(self.stops))
        begin, epoch = plan.interval_seconds, self.epoch
        while True:
            yield self.env.timeout(max(begin - self.env.now, 0.0))
            if epoch != self.epoch:
                begin, epoch = self.restored + plan.interval_seconds, self.epoch
                continue
            epoch, begun, position = self.epoch, self.env.now, list(self.cursor)
            self.tag += 1
            tag = self.tag
            if plan.sync_stall_seconds > 0:
                self._change_stops(everything, None, +1)
                yield self.env.timeout(plan.sync_stall_seconds)
                self._change_stops(everything, None, -1)
            yield self.env.timeout(begun + plan.duration_seconds - self.env.now)
            while epoch == self.epoch and (self.sink_down or self._before(tag)):
                yield self.env.timeout(_BARRIER_LOOK_SECONDS)
            if epoch == self.epoch:
                self.cut = position
                begin = max(begun + plan.interval_seconds, self.env.now + plan.min_pause_seconds)

    def _before(self, tag: int) -> bool:
        return any(count for number, count in self.in_flight.items() if number < tag)

    def _outage(self, outage: Outage) -> Process:
        yield self.env.timeout(outage.start_seconds)
        stages: range | tuple[int, ...] = range(len(self.stops))
        worker: int | None = None
        if outage.of is Breaks.SINK:
            stages = (len(self.stops) - 1,)
        elif outage.of is Breaks.SOURCE:
            stages = self.layout.reading
        elif outage.of is Breaks.WORKER and not self.network.has_shuffle:
            worker = int(np.argmax(self.network.worker_shares(0)))
        self._change_stops(stages, worker, +1)
        self.sink_down += outage.of is Breaks.SINK
        if outage.restores:
            self._restore(worker, self.env.now + outage.down_seconds)
        yield self.env.timeout(outage.down_seconds)
        self._change_stops(stages, worker, -1)
        self.sink_down -= outage.of is Breaks.SINK
        self.been_empty = [share <= 0 for share in self.layout.network.shares]
        restarted = self.env.now
        while not all(self.been_empty):
            yield self.env.timeout(0.5)
        self.result.drains.append(self.env.now - restarted)

    def _restore(self, worker: int | None, when: float) -> None:
        """Everything under way is lost, and readers go back to the last completed checkpoint.

        One worker's loss without an exchange leaves the others their records; here all are
        started anew, but only its partitions go back.
        """
        self.restored = when
        back = 0
        for partition, position in enumerate(self.cut):
            if worker is None or self.layout.worker_of[partition] == worker:
                back += self.cursor[partition] - position
                self.cursor[partition] = position
        self.result.replayed.append(back)
        self.result.duplicates.append(self.emitted - sum(self.cut) if worker is None else float("nan"))
        self.emitted = sum(self.cursor)
        self.epoch += 1
        self.in_flight.clear()
        self._start_workers()
