"""T0: the same network record by record in SimPy, slow and literal, to check the fluid against.

    worker:  look at my partitions in turn -> take the next record -> serve it -> hand it on,
             and wait if there is no room

No line of the fluid's arithmetic is used here: only the network, and where its queues lie. About
10^5 records a second, so for small networks; above some 10^7 records it is the wrong tool.
"""

from __future__ import annotations

import math
from collections.abc import Generator
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import simpy

from pipelineplan.simulation.acts.retrying import RetryStorm
from pipelineplan.simulation.network import Checkpoint, Network, Visible
from pipelineplan.simulation.records.record_flow import Coming, Process, RecordFlow, Service
from pipelineplan.simulation.scenario import Breaks, Outage, Scenario
from pipelineplan.simulation.sharing import Floats

_BARRIER_LOOK_SECONDS, _DRAIN_LOOK_SECONDS = 0.05, 0.5


@dataclass
class PerRecordRun:
    """What was seen: lag at `time`, drains and replays by outage, latencies of emitted records.

    `born` is when each of those came, `seen` what acts noted by name, `state_bytes` those of each
    stage that remembers, by its name, at `time`. `seen_at` is when a reader sees each of those that were
    emitted, or infinite: what a transaction took back. `jobs` are those of several, each by itself.
    """

    time: Floats
    lag: Floats
    drains: list[float] = field(default_factory=list)
    replayed: list[float] = field(default_factory=list)
    duplicates: list[float] = field(default_factory=list)
    latencies: list[float] = field(default_factory=list)
    born: list[float] = field(default_factory=list)
    seen: dict[str, list[float]] = field(default_factory=dict)
    state_bytes: dict[str, Floats] = field(default_factory=dict)
    retried: int = 0
    dead_letters: int = 0
    seen_at: list[float] = field(default_factory=list)
    jobs: tuple[PerRecordRun, ...] = ()

    @property
    def first_latencies(self) -> list[float]:
        """Of each record the latency with which it was first out: what is emitted again does not count."""
        first: dict[float, float] = {}
        for born, latency in zip(self.born, self.latencies, strict=True):
            first.setdefault(born, latency)
        return list(first.values())


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
    if network.then is not None:
        raise ValueError(f"{network.name!r} is the first of several jobs, wanted one")
    return run_one_job(network, scenario, end_seconds, service, seed)


def run_one_job(
    network: Network,
    scenario: Scenario,
    end_seconds: float,
    service: Service,
    seed: int,
    handed: Coming | None = None,
) -> PerRecordRun:
    """The same of one job, on a load of its own or on what another hands over."""
    return _Model(network, scenario, end_seconds, service, seed, handed).run()


class _Model(RecordFlow):
    """The control plane over single records; its knobs are those of `knobs.Knobs`."""

    def __init__(
        self,
        network: Network,
        scenario: Scenario,
        end: float,
        service: Service,
        seed: int,
        handed: Coming | None,
    ) -> None:
        super().__init__(network, scenario, end, service, seed, handed)
        self.shown = 0
        self.failures = 0
        self.restored = 0.0
        self.cut_begun = 0.0
        self.result = PerRecordRun(np.linspace(0.0, end, 1001), np.zeros(1001))

    def run(self) -> PerRecordRun:
        self.start_workers()
        self.env.process(self._watch())
        if self.network.checkpoint:
            self.env.process(self._checkpoints(self.network.checkpoint))
        for outage in self.scenario.outages:
            self.env.process(self._outage(outage))
        for act in self.scenario.acts:
            self.env.process(act.process(self))
        self.env.run(until=self.end)
        self.result.retried, self.result.dead_letters = self.retried, self.dead_letters
        self.result.latencies, self.result.born = self.latencies, self.born
        if self.network.visible is Visible.ON_EMIT:
            self.result.seen_at = [
                born + waited for born, waited in zip(self.born, self.latencies, strict=True)
            ]
        self.result.seen_at += [math.inf] * (len(self.born) - len(self.result.seen_at))
        return self.result

    def _show(self, tag: int) -> None:
        """What was read before a checkpoint is seen when it completes; what was taken back never is.

        Records leave in an order that is not quite that of the checkpoints, hence each is looked at.
        """
        seen, now = self.result.seen_at, self.env.now
        seen += [math.nan] * (len(self.born) - len(seen))
        for number in range(self.shown, len(seen)):
            if math.isnan(seen[number]) and self.marks[number][0] < tag:
                seen[number] = now
        while self.shown < len(seen) and not math.isnan(seen[self.shown]):
            self.shown += 1

    def _watch(self) -> Process:
        live = sum(log.partitions for log in self.layout.network.logs if log.part > 0)
        counts = [np.array(each) for each in self.arrivals[:live]]
        for index, time in enumerate(self.result.time):
            yield self.env.timeout(max(time - self.env.now, 0.0))
            come = sum(int(np.searchsorted(each, time, side="right")) for each in counts)
            self.result.lag[index] = come - sum(self.cursor[:live])
            for number, size in self.states.look(self.env.now, self.progress()).items():
                name = self.layout.network.stages[number].name
                self.result.state_bytes.setdefault(name, np.zeros(1001))[index] = size

    def _checkpoints(self, plan: Checkpoint) -> Process:
        begin, epoch = plan.interval_seconds + plan.later_seconds, self.epoch
        while True:
            yield self.env.timeout(max(begin - self.env.now, 0.0))
            if epoch != self.epoch:
                begin, epoch = self.restored + plan.interval_seconds, self.epoch
                continue
            begun = self.env.now
            completed = yield from self._one(plan, begun)
            if epoch == self.epoch and not completed:
                yield from self._give_up(plan)
            begin = max(begun + plan.interval_seconds, self.env.now + plan.min_pause_seconds)

    def _one(self, plan: Checkpoint, begun: float) -> Generator[simpy.Event, Any, bool]:
        epoch, position, given_up = self.epoch, list(self.cursor), begun + plan.timeout_seconds
        snapshot = self.states.snapshot(begun, self.progress())
        takes = self.states.checkpoint_seconds(plan, snapshot[1], begun - self.cut_begun)
        self.tag += 1
        tag = self.tag
        if plan.sync_stall_seconds > 0:
            self.change_stops(range(len(self.stops)), None, +1)
            yield self.env.timeout(plan.sync_stall_seconds)
            self.change_stops(range(len(self.stops)), None, -1)
        yield self.env.timeout(max(min(begun + takes, given_up) - self.env.now, 0.0))
        while epoch == self.epoch and (self.sink_down or self._before(tag) or takes > plan.timeout_seconds):
            if self.env.now >= given_up:
                return False
            yield self.env.timeout(_BARRIER_LOOK_SECONDS)
        if epoch == self.epoch:
            self.cut, self.failures, self.cut_begun = position, 0, begun
            self.states.complete(snapshot)
            if self.network.visible is Visible.AT_CHECKPOINT:
                self._show(tag)
        return True

    def _give_up(self, plan: Checkpoint) -> Process:
        """One failure more; beyond those that are borne the job restarts."""
        self.failures += 1
        if plan.tolerable_failures is not None and self.failures > plan.tolerable_failures:
            self.failures = 0
            self.change_stops(range(len(self.stops)), None, +1)
            down = self.states.with_restore(plan.restart_seconds, plan)
            self._restore(None, self.env.now + down)
            yield self.env.timeout(down)
            self.change_stops(range(len(self.stops)), None, -1)

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
        self.change_stops(stages, worker, +1)
        self.sink_down += outage.of is Breaks.SINK
        down = outage.down_seconds
        if outage.restores:
            down = self.states.with_restore(down, self.network.checkpoint)
            self._restore(worker, self.env.now + down)
        yield self.env.timeout(down)
        self.change_stops(stages, worker, -1)
        self.sink_down -= outage.of is Breaks.SINK
        restarted = self.env.now
        self.empty_at = [None if share > 0 else restarted for share in self.layout.network.shares]
        while None in self.empty_at:
            yield self.env.timeout(_DRAIN_LOOK_SECONDS)
        self.result.drains.append(max(each for each in self.empty_at if each is not None) - restarted)

    def _restore(self, worker: int | None, when: float) -> None:
        """Everything under way is lost, and readers go back to the last completed checkpoint.

        One worker's loss without an exchange leaves the others their records; here all are
        started anew, but only its partitions go back.
        """
        self.restored = when
        self.states.restore(worker)
        back = 0
        for partition, position in enumerate(self.cut):
            if worker is None or self.layout.worker_of[partition] == worker:
                back += self.cursor[partition] - position
                self.cursor[partition] = position
        self.result.replayed.append(back)
        self.result.duplicates.append(self.emitted - sum(self.cut) if worker is None else float("nan"))
        self._take_back(worker)
        self._begin_anew()

    def _take_back(self, worker: int | None) -> None:
        """What a transaction has not shown by now is not seen any more, of one worker or of all."""
        if self.network.visible is Visible.AT_CHECKPOINT:
            seen = self.result.seen_at
            seen += [math.nan] * (len(self.born) - len(seen))
            for number in range(self.shown, len(seen)):
                if math.isnan(seen[number]) and worker in {None, self.marks[number][1]}:
                    seen[number] = math.inf

    def _begin_anew(self) -> None:
        self.emitted = sum(self.cursor)
        self.epoch += 1
        self.in_flight.clear()
        self.start_workers()

    def until(self, seconds: float) -> Process:
        """Sleep until that time."""
        if seconds > self.env.now:
            yield self.env.timeout(seconds - self.env.now)

    def slow(self, stage: str, factor: float) -> None:
        """The workers of a stage do this share of what they can; a record under way is not touched."""
        names = [each.name for each in self.layout.network.stages]
        self.slowed[names.index(stage)] = factor

    def fail(self, stage: str, storm: RetryStorm | None) -> None:
        """Records of a stage fail as the storm says, until it is over."""
        number = [each.name for each in self.layout.network.stages].index(stage)
        self.storms.pop(number, None)
        if storm is not None:
            self.storms[number] = storm

    def stand_still(self) -> None:
        """All workers stop."""
        self.change_stops(range(len(self.stops)), None, +1)

    def move_on(self) -> None:
        """Lift one standing still."""
        self.change_stops(range(len(self.stops)), None, -1)

    def hold(self, partitions: tuple[int, ...]) -> None:
        """These partitions, and no others, are not read."""
        self.held = [number in partitions for number in range(len(self.cursor))]
        self.open_gate()

    def limit(self, log: int, rate_per_second: float) -> None:
        """No more than this is read of a log from now on."""
        self.limits[log] = rate_per_second
        self.open_gate()

    def read_again(self, position: Floats) -> float:
        """Readers go back to `position` and all that is under way is lost."""
        back = float(sum(self.cursor) - position.sum())
        self.cursor = [round(each) for each in position]
        self._begin_anew()
        return back

    def position(self) -> Floats:
        """How far each partition has been read."""
        return np.array(self.cursor, dtype=np.float64)

    def waiting(self) -> Floats:
        """Records that have arrived and were not read, `[partition]`."""
        come = [int(np.searchsorted(each, self.env.now, side="right")) for each in self.arrivals]
        return np.array(come, dtype=np.float64) - self.position()

    def changed(self) -> simpy.Event:
        """What happens when workers may go on next."""
        return self.gate

    def note(self, name: str, value: float) -> None:
        """Remember a number."""
        self.result.seen.setdefault(name, []).append(value)
