"""Single records on their way: who reads them, how long they take, where they wait.

worker:  look at my partitions in turn -> take the next record -> serve it -> hand it on,
         and wait if there is no room
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Generator
from dataclasses import dataclass, field
from typing import Any, Literal

import numpy as np
import simpy

from pipelineplan.simulation.acts.retrying import RetryStorm
from pipelineplan.simulation.flow.laying_out import lay_out
from pipelineplan.simulation.flow.layout import Layout
from pipelineplan.simulation.network import Network
from pipelineplan.simulation.records.record_memory import Record, RecordStates
from pipelineplan.simulation.records.record_routes import (
    Route,
    backlogs_of,
    partitions_of,
    room_of,
    routes_of,
)
from pipelineplan.simulation.scenario import Scenario, appended_curve
from pipelineplan.simulation.sharing import Floats

Service = Literal["exponential", "deterministic"]
Process = Generator[simpy.Event, Any, None]
_LEAST_ROOM = 20
# Who lets another one go first looks again so soon.
_LEAST_WAIT_SECONDS = 1e-6


@dataclass
class _Lane:
    """A queue with room for `bound`."""

    bound: float
    records: deque[Record] = field(default_factory=deque)
    getter: simpy.Event | None = None
    putters: deque[simpy.Event] = field(default_factory=deque)

    def full(self) -> bool:
        return len(self.records) >= self.bound

    def put(self, record: Record) -> None:
        self.records.append(record)
        if self.getter is not None and not self.getter.triggered:
            self.getter.succeed()

    def take(self) -> Record:
        record = self.records.popleft()
        if self.putters:
            self.putters.popleft().succeed()
        return record


class RecordFlow:
    """Logs, workers and rooms of a network, and single records that pass through them."""

    def __init__(self, network: Network, scenario: Scenario, end: float, service: Service, seed: int) -> None:
        """Nothing has arrived; `service` is random or fixed, arrivals are alike."""
        self.env = simpy.Environment()
        self.network, self.scenario, self.end = network, scenario, end
        self.layout: Layout = lay_out(network)
        self.random = np.random.default_rng(seed)
        self.draw = self._drawing(service)
        self.arrivals = self._arrivals(service)
        self.routes = routes_of(self.layout)
        self.cursor = [0] * len(self.arrivals)
        self.empty_at: list[float | None] = [0.0] * len(self.arrivals)
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
        self.storms: dict[int, RetryStorm] = {}
        self.retried = self.dead_letters = 0
        self.latencies: list[float] = []
        self.born: list[float] = []
        logs = self.layout.network.logs
        self.log_of = [number for number, log in enumerate(logs) for _ in range(log.partitions)]
        self.limits = [log.read_limit_per_second for log in logs]
        self.free_at = [0.0] * len(logs)
        self.idle: set[int] = set()
        self.owed: dict[tuple[Route, int], float] = {}
        self.states = RecordStates(self.layout.network)

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
        arrivals = []
        for share in self.layout.network.shares:
            expected = share * total
            if service == "deterministic":
                places = np.arange(int(expected)) + 0.5
            else:
                places = np.cumsum(self.random.standard_exponential(int(expected + 10 * expected**0.5 + 20)))
                places = places[places < expected]
            arrivals.append(np.interp(places / max(share, 1e-300), counts, times).tolist())
        return [[*lain, *come] for lain, come in zip(backlogs_of(self.layout.network), arrivals, strict=True)]

    def start_workers(self) -> None:
        """Empty rooms, and a process for each worker; those of an earlier epoch end by themselves."""
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
            born = self.arrivals[partition][self.cursor[partition]]
            record = Record(born, self.tag, (partition, born))
            self.cursor[partition] += 1
            self.states.take(stage, worker, record, self.env.now)
            self._look_for_empty(partition)
            log = self.log_of[partition]
            self.free_at[log] = max(self.free_at[log], self.env.now) + 1.0 / self.limits[log]
            self.in_flight[self.tag] = self.in_flight.get(self.tag, 0) + 1
            passes = yield from self._serve(stage, mean)
            if epoch != self.epoch:
                return
            yield from self._hand_on(stage, worker, record, epoch, passes=passes)

    def _serve(self, stage: int, mean: float) -> Generator[simpy.Event, Any, bool]:
        """Work on a record until an attempt succeeds; false when it is a dead letter."""
        storm = self.storms.get(stage)
        for attempt in range(storm.attempts if storm else 1):
            if mean > 0:
                yield self.env.timeout(self.draw(mean) / self.slowed[stage])
            if storm is None or self.random.random() >= storm.failure_share:
                return True
            self.retried += attempt + 1 < storm.attempts
            if storm.blocking and attempt + 1 < storm.attempts and storm.waits_seconds:
                yield self.env.timeout(self.draw(storm.waits_seconds[attempt]))
        self.dead_letters += 1
        return False

    def _nothing_to_read(self, mine: list[int]) -> Process:
        """Sleep until a record comes, or may be read, or a knob is turned."""
        open_at = [self._readable_at(p) for p in mine if not self.held[p]]
        coming = min(open_at, default=self.end)
        self.idle.update(mine)
        yield self.env.any_of([self.env.timeout(max(coming - self.env.now, _LEAST_WAIT_SECONDS)), self.gate])
        self.idle.difference_update(mine)

    def _readable_at(self, partition: int) -> float:
        return max(self._next_arrival(partition), self.free_at[self.log_of[partition]])

    def _next_of(self, mine: list[int], turn: int) -> int | None:
        for step in range(len(mine)):
            place = (turn + step) % len(mine)
            partition = mine[place]
            if self._look_for_empty(partition):
                continue
            if not self.held[partition] and self._may_be_read(partition):
                return place
        return None

    def _may_be_read(self, partition: int) -> bool:
        """Whether a limited log gives a record now, and to this partition: the readers take turns."""
        log = self.log_of[partition]
        if self.free_at[log] > self.env.now:
            return False
        if np.isinf(self.limits[log]):
            return True
        others = (each for each in self.idle if self.log_of[each] == log and not self.held[each])
        return not any(
            self.cursor[each] < self.cursor[partition] and self._next_arrival(each) <= self.env.now
            for each in others
        )

    def _look_for_empty(self, partition: int) -> bool:
        """Whether no record of a partition waits, with the first time at which that was so."""
        empty: bool = self._next_arrival(partition) > self.env.now
        if empty and self.empty_at[partition] is None:
            self.empty_at[partition] = self.env.now
        return empty

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
            self.states.take(stage, worker, lane.records[0], self.env.now)
            passes = yield from self._serve(stage, mean)
            if epoch != self.epoch:
                return
            yield from self._hand_on(stage, worker, lane.records[0], epoch, passes=passes)
            if epoch == self.epoch:
                lane.take()

    def _hand_on(self, stage: int, worker: int, record: Record, epoch: int, *, passes: bool) -> Process:
        """Give a record to every stage that reads this one, waiting for room; behind the sink it is out."""
        tag = record.tag
        if passes and stage == len(self.lanes) - 1:
            self.emitted += 1
            self.latencies.append(self.env.now - record.born)
            self.born.append(record.born)
        for route in self.routes[stage] if passes else ():
            for number in range(self._copies(route, worker)):
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
                    # The first of several copies is the record itself.
                    lane.put(record._replace(name=(*record.name, number)) if number else record)
        if epoch == self.epoch:
            self.in_flight[tag] -= 1

    def _copies(self, route: Route, worker: int) -> int:
        """How many records go this way now: as many in the end as the selectivity says."""
        if route.selectivity == 1.0:
            return 1
        owed = self.owed.get((route, worker), 0.0) + route.selectivity
        self.owed[(route, worker)] = owed - int(owed)
        return int(owed)

    def progress(self) -> list[float]:
        """Per stage the event time up to which everything has come to it: nothing older is on the way.

        Old records that lay in a log of their own hold nobody up: they come behind the watermark.
        """
        live = [number for number, share in enumerate(self.layout.network.shares) if share > 0]
        read = [self.arrivals[each][self.cursor[each] - 1] if self.cursor[each] else 0.0 for each in live]
        found, least = [], min(read, default=0.0)
        for stage in self.lanes:
            coming = (record.born for lane in stage for record in lane.records)
            least = min([least, *(born for born in coming if born >= 0)])
            found.append(least)
        return found

    def change_stops(self, stages: range | tuple[int, ...], worker: int | None, change: int) -> None:
        """Set or lift a stop of all workers of these stages, or of one."""
        for stage in stages:
            for number in range(len(self.stops[stage])) if worker is None else (worker,):
                self.stops[stage][number] += change
        if change < 0:
            self.open_gate()

    def open_gate(self) -> None:
        """Tell all who stand still to look again."""
        self.gate.succeed()
        self.gate = self.env.event()
