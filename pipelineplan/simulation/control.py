"""The control plane: what the operators, the clock and bad luck do to the queues, in SimPy.

    t=60  checkpoint begins: positions noted     t=630  the job dies
    t=65  it completes: the cut is valid         t=670  restored: positions go back to the cut

Each process sleeps until its next act, lets the fluid catch up, and turns a knob. A day has a
few thousand acts, whatever the number of records.
"""

from __future__ import annotations

from collections.abc import Generator
from dataclasses import dataclass, field
from importlib.util import find_spec
from itertools import count
from typing import Any

import numpy as np
import simpy

from pipelineplan.simulation.fluid import Fluid
from pipelineplan.simulation.layout import lay_out
from pipelineplan.simulation.network import Checkpoint, Network, NotSimulated, OffsetReset, Visible
from pipelineplan.simulation.scenario import Breaks, Outage, Phases, Scenario
from pipelineplan.simulation.sharing import Floats
from pipelineplan.simulation.weather import SPELLS_IN_A_BLOCK, Weather

Process = Generator[simpy.Event, Any, None]
_BARRIER_TOLERANCE = 1e-9
_LOOK_AGAIN_SECONDS = (0.01, 5.0)
_MOST_CHECKPOINTS = 400_000
_DRAIN_LOOK_SECONDS = (1.0, 600.0)


@dataclass(frozen=True)
class Cut:
    """A completed checkpoint: begun, completed (seconds), and the positions it restores `[partition]`."""

    begun: float
    completed: float
    position: Floats


@dataclass
class _Open:
    """An outage that is under way or draining."""

    outage: Outage
    restarted: float = 0.0
    draining: bool = False
    drained: float | None = None
    replayed: float = 0.0
    duplicates: float = 0.0

    def close(self) -> Phases:
        detected = self.outage.start_seconds + self.outage.detect_seconds
        return Phases(
            of=self.outage.of.value,
            start_seconds=self.outage.start_seconds,
            detected_seconds=detected,
            repaired_seconds=detected + self.outage.repair_seconds,
            restarted_seconds=self.restarted,
            drained_seconds=self.drained,
            replayed_records=self.replayed,
            duplicate_records=self.duplicates,
            drain_target_seconds=self.outage.drain_target_seconds,
        )


@dataclass
class Run:
    """One scenario on one network, run to its end.

    `lost` is `[partition]`, `burst_drains` the seconds that each burst took to drain (None: it
    did not), `halted_at` when a reader without an offset reset stopped for good.
    """

    network: Network
    scenario: Scenario
    fluid: Fluid
    cuts: list[Cut]
    lost: Floats
    phases: tuple[Phases, ...] = ()
    burst_drains: tuple[float | None, ...] = ()
    halted_at: float | None = None
    appended: tuple[Floats, Floats] = field(default_factory=lambda: (np.zeros(1), np.zeros(1)))


def run_scenario(network: Network, scenario: Scenario) -> Run:
    """Run `scenario` on `network` until it has drained or its horizon is reached.

    Raises `NotSimulated` for a job that fails without checkpoints, and where no capacity is given.
    """
    _bounded(network, scenario)
    if network.checkpoint is None and any(outage.restores for outage in scenario.outages):
        raise NotSimulated(
            f"scenario {scenario.name!r}: a job without checkpoints has no position to go back to: "
            "add `checkpoint: {interval: ...}` to a stage"
        )
    return _Control(network, scenario).run()


def fluid_for(network: Network, *, compiled: bool) -> Fluid:
    """The data plane of a network; `compiled` where that pays and the extra `fast` is there."""
    layout = lay_out(network)
    if compiled and find_spec("numba") is not None:
        from pipelineplan.simulation.compiled import CompiledFluid, can_be_compiled

        if can_be_compiled(layout):
            return CompiledFluid(layout)
    return Fluid(layout)


def _bounded(network: Network, scenario: Scenario) -> None:
    """Refuse what would keep a machine busy for hours."""
    checkpoint = network.checkpoint
    if checkpoint is None:
        return
    count = scenario.horizon_seconds / checkpoint.effective_interval_seconds
    if count > _MOST_CHECKPOINTS:
        raise NotSimulated(
            f"scenario {scenario.name!r}: {count:,.0f} checkpoints in a run, wanted at most "
            f"{_MOST_CHECKPOINTS:,}: raise the checkpoint interval"
        )


class _Control:
    def __init__(self, network: Network, scenario: Scenario) -> None:
        self.network, self.scenario = network, scenario
        self.env = simpy.Environment()
        self.fluid = fluid_for(network, compiled=scenario.weather is not None)
        stages = len(self.fluid.layout.network.stages)
        self.everything, self.sink = tuple(range(stages)), (stages - 1,)
        self.epoch = 0
        self.down = 0
        self.sink_down = 0
        self.source_down = 0
        self.lost = np.zeros(network.source.partitions)
        self.cuts = [Cut(0.0, 0.0, self.fluid.position())]
        self.open = [_Open(outage) for outage in scenario.outages]
        self.bursts: list[float | None] = [None] * len(scenario.drain_from_seconds)
        self.halted_at: float | None = None
        self.appended = appended_curve(scenario)

    def run(self) -> Run:
        self.env.process(self._steps())
        if self.scenario.weather is not None:
            self.env.process(self._speeds(self.scenario.weather))
        for each in self.open:
            self.env.process(self._outage(each))
        if self.network.checkpoint:
            self.env.process(self._checkpoints(self.network.checkpoint))
        if np.isfinite(self.network.source.retention_seconds):
            self.env.process(self._cleaner())
        self.env.run(until=self.env.process(self._until_drained()))
        self._catch_up()
        self.fluid.note()
        phases = tuple(each.close() for each in self.open)
        bursts = tuple(self.bursts)
        return Run(
            self.network,
            self.scenario,
            self.fluid,
            self.cuts,
            self.lost,
            phases,
            bursts,
            self.halted_at,
            self.appended,
        )

    def _catch_up(self) -> None:
        self.fluid.advance(self.env.now)

    def _wait_until(self, seconds: float) -> simpy.Event:
        return self.env.timeout(max(seconds - self.env.now, 0.0))

    def _steps(self) -> Process:
        for start, rate in self.scenario.steps:
            yield self._wait_until(start)
            self._catch_up()
            self.fluid.set_rate(rate)

    def _speeds(self, weather: Weather) -> Process:
        for block in count():
            drawn = [weather.speeds(each, block) for each in self.fluid.layout.network.stages]
            for spell in range(SPELLS_IN_A_BLOCK):
                yield self._wait_until((block * SPELLS_IN_A_BLOCK + spell) * weather.spell_seconds)
                self._catch_up()
                self.fluid.set_speeds([each[:, spell] for each in drawn])

    def _checkpoints(self, plan: Checkpoint) -> Process:
        yield self.env.timeout(plan.interval_seconds)
        epoch = 0
        while True:
            if epoch != self.epoch:
                epoch = self.epoch
                yield from self._after_restart(plan.interval_seconds)
                continue
            begun = self.env.now
            self._catch_up()
            position = self.fluid.position()
            yield from self._stall(plan.sync_stall_seconds)
            yield self._wait_until(begun + plan.duration_seconds)
            yield from self._barrier(position, epoch)
            if epoch != self.epoch:
                continue
            self.cuts.append(Cut(begun, self.env.now, position))
            yield self._wait_until(max(begun + plan.interval_seconds, self.env.now + plan.min_pause_seconds))

    def _after_restart(self, interval: float) -> Process:
        """A restored job counts its interval from the restart."""
        restarted = max(each.restarted for each in self.open)
        while self.down:
            yield self.env.timeout(_LOOK_AGAIN_SECONDS[1])
            restarted = max(each.restarted for each in self.open)
        yield self._wait_until(restarted + interval)

    def _stall(self, seconds: float) -> Process:
        if seconds > 0:
            self.fluid.stop(self.everything)
            yield self.env.timeout(seconds)
            self._catch_up()
            self.fluid.go_on(self.everything)

    def _barrier(self, position: Floats, epoch: int) -> Process:
        """Wait until all that was read before the cut has passed every queue, and the sink is up."""
        while epoch == self.epoch:
            # Without room between the stages nothing is under way, and there is nothing to catch up with.
            if self.fluid.layout.stored_edges:
                self._catch_up()
            remaining = 0.0 if not self.sink_down else np.inf
            for number in self.fluid.layout.stored_edges:
                channels = self.fluid.layout.edges[number].channels
                wanted = self.fluid.passed(number, position)
                missing = wanted * (1.0 - _BARRIER_TOLERANCE) - self.fluid.departed[channels]
                with np.errstate(divide="ignore", invalid="ignore"):
                    times = np.where(missing > 0, missing / self.fluid.rates.outflow[channels], 0.0)
                remaining = max(remaining, float(times.max()))
            if remaining <= 0:
                return
            yield self.env.timeout(min(max(remaining, _LOOK_AGAIN_SECONDS[0]), _LOOK_AGAIN_SECONDS[1]))

    def _outage(self, each: _Open) -> Process:
        outage = each.outage
        yield self._wait_until(outage.start_seconds)
        self._catch_up()
        stages, worker = self._what_stops(outage)
        self.fluid.stop(stages, worker)
        self.sink_down += outage.of is Breaks.SINK
        self.source_down += outage.of is Breaks.SOURCE
        if outage.restores:
            self.epoch += 1
            self.down += 1
            self._rewind(each, worker)
        yield self.env.timeout(outage.down_seconds)
        self._catch_up()
        self.fluid.go_on(stages, worker)
        self.sink_down -= outage.of is Breaks.SINK
        self.source_down -= outage.of is Breaks.SOURCE
        self.down -= outage.restores
        each.restarted = self.env.now
        self._expire()
        yield from self._drain(each)

    def _what_stops(self, outage: Outage) -> tuple[tuple[int, ...], int | None]:
        match outage.of:
            case Breaks.JOB:
                return self.everything, None
            case Breaks.SINK:
                return self.sink, None
            case Breaks.SOURCE:
                return (0,), None
            case Breaks.WORKER:
                # An exchange connects all workers into one failover region, which restarts whole.
                return self.everything, None if self.network.has_shuffle else self._busiest()

    def _busiest(self) -> int:
        return int(np.argmax(self.network.worker_shares(0)))

    def _rewind(self, each: _Open, worker: int | None) -> None:
        before = self.fluid.emitted()
        worker_of = self.fluid.layout.worker_of
        mine = np.ones(len(worker_of), dtype=np.bool_) if worker is None else worker_of == worker
        workers = len(self.fluid.layout.network.worker_shares(0))
        lanes = None if worker is None else np.arange(workers) == worker
        # What retention has taken since the cut cannot be read again.
        cut = np.minimum(np.maximum(self.cuts[-1].position, self._log_start()), self.fluid.position())
        each.replayed = float(self.fluid.rewind(cut, mine, lanes).sum())
        if self.network.visible is Visible.ON_EMIT and not self.network.absorbs_duplicates:
            scale = self.network.scale(len(self.network.stages) - 1)
            each.duplicates = max(before - self.fluid.emitted(), 0.0) * scale

    def _drain(self, each: _Open) -> Process:
        self._note_drains()
        self.fluid.watch_drain()
        each.draining = True
        yield from self._until_empty()
        each.drained = each.drained if each.drained is not None else self.fluid.drained_at

    def _until_empty(self) -> Process:
        while self.fluid.drained_at is None:
            bound = self.fluid.drain_bound()
            yield self.env.timeout(min(max(bound, _DRAIN_LOOK_SECONDS[0]), _DRAIN_LOOK_SECONDS[1]))
            self._catch_up()

    def _note_drains(self) -> None:
        """Before the watch begins anew, whoever was waiting for it is told."""
        for each in self.open:
            if each.draining and each.drained is None and self.fluid.drained_at is not None:
                each.drained = max(self.fluid.drained_at, each.restarted)

    def _burst(self, number: int) -> Process:
        end = self.scenario.drain_from_seconds[number]
        yield self._wait_until(end)
        self._catch_up()
        self._note_drains()
        self.fluid.watch_drain()
        yield from self._until_empty()
        if self.fluid.drained_at is not None:
            self.bursts[number] = self.fluid.drained_at - end

    def _until_drained(self) -> Process:
        bursts = [self.env.process(self._burst(number)) for number in range(len(self.bursts))]
        end = self.scenario.horizon_seconds
        yield self._wait_until(min(self.scenario.busy_until_seconds, end))
        self._catch_up()
        while self.env.now < end and (self._waits() or any(burst.is_alive for burst in bursts)):
            wait = min(max(self.fluid.drain_bound(), _DRAIN_LOOK_SECONDS[0]), _DRAIN_LOOK_SECONDS[1])
            yield self._wait_until(min(self.env.now + wait, end))
            self._catch_up()
        yield self._wait_until(min(self.env.now + self.scenario.settle_seconds, end))
        self._catch_up()
        self._note_drains()

    def _waits(self) -> bool:
        return self.fluid.drained_at is None or any(each.drained is None for each in self.open)

    def _cleaner(self) -> Process:
        while True:
            yield self.env.timeout(self.network.source.cleaner_seconds)
            self._catch_up()
            # Who does not read finds out only on return that the position is gone; but where reading goes
            # on at the oldest record left, the position is as good as moved when records are deleted.
            reads = not self.down and not self.source_down
            if reads or self.network.source.offset_reset is OffsetReset.EARLIEST:
                self._expire()

    def _log_start(self) -> Floats:
        """The position of the oldest record that retention has left, `[partition]`."""
        since = self.env.now - self.network.source.retention_seconds
        if since <= 0:
            return np.zeros(len(self.lost))
        times, counts = self.appended
        return np.asarray(self.fluid.shares * float(np.interp(since, times, counts)))

    def _expire(self) -> None:
        """Readers whose position is gone do what the offset reset says."""
        start, position = self._log_start(), self.fluid.position()
        behind = position < start
        if not behind.any():
            return
        match self.network.source.offset_reset:
            case OffsetReset.EARLIEST:
                target = start
            case OffsetReset.LATEST:
                target = position + self.fluid.queue[self.fluid.log]
            case OffsetReset.NONE:
                self._halt()
                return
        forward = np.where(behind, target - position, 0.0)
        self.lost += forward
        self.fluid.move(forward)

    def _halt(self) -> None:
        if self.halted_at is None:
            self.halted_at = self.env.now
            self.fluid.stop((0,))


def appended_curve(scenario: Scenario) -> tuple[Floats, Floats]:
    """Seconds and records appended to the log since the start, straight between the points."""
    starts = np.array(
        [start for start, _ in scenario.steps] + [max(scenario.horizon_seconds, scenario.steps[-1][0] + 1.0)]
    )
    rates = np.array([rate for _, rate in scenario.steps])
    counts = np.concatenate(((0.0,), np.cumsum(rates * np.diff(starts))))
    return starts, counts
