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

from pipelineplan.simulation.acts.open_outage import OpenOutage
from pipelineplan.simulation.acts.retention import Retention
from pipelineplan.simulation.acts.retrying import RetryStorm
from pipelineplan.simulation.checkpointing import Checkpointing, Cut
from pipelineplan.simulation.flow.fluid import Fluid
from pipelineplan.simulation.flow.laying_out import lay_out
from pipelineplan.simulation.memory import size_decides
from pipelineplan.simulation.network import Network, Visible
from pipelineplan.simulation.refusing import refuse_endless, refuse_without_cuts
from pipelineplan.simulation.remembering import Pace
from pipelineplan.simulation.running import Running
from pipelineplan.simulation.runs import RunOf
from pipelineplan.simulation.scenario import Act, Breaks, Outage, Phases, Scenario, appended_curve
from pipelineplan.simulation.sharing import Floats
from pipelineplan.simulation.weather import SPELLS_IN_A_BLOCK, Weather

Process = Generator[simpy.Event, Any, None]
_DRAIN_LOOK_SECONDS = (1.0, 600.0)


@dataclass
class Run:
    """One scenario on one network, run to its end.

    `lost` is `[partition]`, `burst_drains` the seconds that each burst took to drain (None: it
    did not), `halted_at` when a reader without an offset reset stopped for good.
    `failed_checkpoints` are the times at which one was given up, `restarts` pairs of the time and
    the records read again where that took the job down, `seen` what acts noted by name, `runs`
    those of a schedule.
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
    failed_checkpoints: tuple[float, ...] = ()
    restarts: tuple[tuple[float, float], ...] = ()
    seen: dict[str, list[float]] = field(default_factory=dict)
    runs: tuple[RunOf, ...] = ()


def run_scenario(network: Network, scenario: Scenario) -> Run:
    """Run `scenario` on `network` until it has drained or its horizon is reached.

    Raises `NotSimulated` for a job that fails without checkpoints, and where no capacity is given.
    """
    refuse_endless(network, scenario)
    refuse_without_cuts(network, scenario)
    control = Control(network, scenario)
    run = control.run()
    # SimPy's processes and the control hold each other, and would hold the curves until garbage is collected.
    vars(control).clear()
    return run


def fluid_for(network: Network, *, compiled: bool) -> Fluid:
    """The data plane of a network; `compiled` where that pays and the extra `fast` is there."""
    layout = lay_out(network)
    if compiled and find_spec("numba") is not None:
        from pipelineplan.simulation.flow.compiled import CompiledFluid, can_be_compiled

        if can_be_compiled(layout):
            return CompiledFluid(layout)
    return Fluid(layout)


def _can_be_compiled(network: Network, scenario: Scenario) -> bool:
    """Whether nobody asks on the way what only the other fluid can say."""
    return scenario.weather is not None and not scenario.acts and not size_decides(network)


class Control:
    """One run in the making: the clock, the fluid, and the knobs that acts and outages turn.

    Whoever changes the fluid does it through the knobs here, which let it catch up first and tell
    those who wait by succeeding `turned`.
    """

    def __init__(self, network: Network, scenario: Scenario) -> None:
        """Everything runs, nothing has arrived."""
        self.network, self.scenario = network, scenario
        self.env = simpy.Environment()
        self.turned = self.env.event()
        self.fluid = fluid_for(network, compiled=_can_be_compiled(network, scenario))
        stages = len(self.fluid.layout.network.stages)
        self.everything, self.sink = tuple(range(stages)), (stages - 1,)
        self.reading = self.fluid.layout.reading
        self.epoch = self.down = self.sink_down = self.source_down = 0
        self.restarted = self.resumed = 0.0
        self.retention = Retention(self)
        self.cuts = [Cut(0.0, 0.0, self.fluid.position(), self.fluid.state())]
        self.running = Running(self, network.runs) if network.runs is not None else None
        # A run by schedule asks when the next queue changes, and must be woken for it.
        self.timetable = self.fluid.timetable if self.running is None else None
        self.checkpoints = Checkpointing(self, network.checkpoint) if network.checkpoint else None
        self.open = [OpenOutage(outage) for outage in scenario.outages]
        self.bursts: list[float | None] = [None] * len(scenario.drain_from_seconds)
        self.restarts: list[tuple[float, float]] = []
        self.seen: dict[str, list[float]] = {}
        self.appended = appended_curve(scenario)
        self.pace = Pace(self.fluid, self.appended, network.checkpoint)

    def run(self) -> Run:
        """Run to the end."""
        if self.running is None:
            self.env.process(self._steps())
        else:
            self.env.process(self.running.process())
        if self.scenario.weather is not None:
            self.env.process(self._speeds(self.scenario.weather))
        for each in self.open:
            self.env.process(self._outage(each))
        if self.checkpoints is not None:
            self.env.process(self.checkpoints.process())
        if self.retention.limited:
            self.env.process(self.retention.process())
        acts = [(act, self.env.process(act.process(self))) for act in self.scenario.acts]
        self.env.run(until=self.env.process(self._until_drained(acts)))
        self.catch_up()
        self.fluid.note()
        if self.checkpoints is not None:
            self.checkpoints.gather()
        failed = self.checkpoints.failed if self.checkpoints is not None else []
        return Run(
            self.network,
            self.scenario,
            self.fluid,
            self.cuts,
            self.retention.lost,
            tuple(each.close() for each in self.open),
            tuple(self.bursts),
            self.retention.halted_at,
            self.appended,
            tuple(failed),
            tuple(self.restarts),
            self.seen,
            tuple(self.running.done) if self.running is not None else (),
        )

    def catch_up(self) -> None:
        """Let the fluid come to the present."""
        self.fluid.advance(self.env.now)

    def turn(self) -> None:
        """Tell those who wait for it that a knob has been turned."""
        before, self.turned = self.turned, self.env.event()
        before.succeed()

    def until(self, seconds: float) -> Process:
        """Sleep until that time; not at all when it has passed."""
        if seconds > self.env.now:
            yield self.env.timeout(seconds - self.env.now)

    def stop(self, stages: tuple[int, ...], worker: int | None = None) -> None:
        """All workers of these stages stand still, or one; stops add up."""
        self.catch_up()
        self.fluid.stop(stages, worker)
        self.turn()

    def go_on(self, stages: tuple[int, ...], worker: int | None = None) -> None:
        """Lift one stop."""
        self.catch_up()
        self.fluid.go_on(stages, worker)
        self.turn()

    def slow(self, stage: str, factor: float) -> None:
        """The workers of a stage do this share of what they can, until it is said anew."""
        self.catch_up()
        names = [each.name for each in self.fluid.layout.network.stages]
        self.fluid.slow(names.index(stage), factor)
        self.turn()

    def fail(self, stage: str, storm: RetryStorm | None) -> None:
        """Records of a stage fail and are tried again, which costs it the mean of what the storm says."""
        capacity = next(each for each in self.network.stages if each.name == stage).capacity_per_second
        self.slow(stage, 1.0 if storm is None else storm.factor(capacity))
        self.fluid.asides.drop(stage, storm.dead_share if storm else 0.0, float(self.position().sum()))

    def stand_still(self) -> None:
        """All workers stop, until they go on."""
        self.stop(self.everything)

    def move_on(self) -> None:
        """Lift one standing still."""
        self.go_on(self.everything)

    def hold(self, partitions: tuple[int, ...]) -> None:
        """These partitions, and no others, are not read."""
        self.catch_up()
        held = np.zeros(len(self.fluid.shares), dtype=np.bool_)
        held[list(partitions)] = True
        self.fluid.hold(held)
        self.turn()

    def limit(self, log: int, rate_per_second: float) -> None:
        """No more than this is read of a log from now on; only joint networks have limits."""
        self.catch_up()
        self.fluid.limit(log, rate_per_second)
        self.turn()

    def read_again(self, position: Floats) -> float:
        """Readers go back to `position` and the job begins anew; returns the records."""
        self.catch_up()
        back = float(self.fluid.read_again(np.minimum(position, self.fluid.position())).sum())
        self.turn()
        return back

    def position(self) -> Floats:
        """How far each partition has been read."""
        self.catch_up()
        return self.fluid.position()

    def waiting(self) -> Floats:
        """Records that wait in each partition."""
        self.catch_up()
        return self.fluid.queue[self.fluid.log].copy()

    def changed(self) -> simpy.Event:
        """What happens when somebody else turns a knob next."""
        return self.turned

    def note(self, name: str, value: float) -> None:
        """Remember a number for the figures."""
        self.seen.setdefault(name, []).append(value)

    def restart_job(self, seconds: float) -> Process:
        """The job dies here and now, goes back to its last completed checkpoint, and is back later."""
        self.stop(self.everything)
        self.epoch += 1
        self.down += 1
        back, _ = self.rewind(None)
        self.restarts.append((self.env.now, back))
        self.turn()
        yield self.env.timeout(self.pace.with_restore(seconds, self.cuts[-1].begun))
        self.down -= 1
        self.restarted = self.env.now
        self.go_on(self.everything)

    def _steps(self) -> Process:
        if self.timetable is not None:
            self.timetable.load(self.scenario.steps)
            return
        for start, rate in self.scenario.steps:
            yield from self.until(start)
            self.catch_up()
            self.fluid.set_rate(rate)
            self.turn()

    def _speeds(self, weather: Weather) -> Process:
        for block in count():
            drawn = [weather.speeds(each, block) for each in self.fluid.layout.network.stages]
            if self.timetable is not None:
                self.catch_up()
                self.timetable.at_speeds(self.env.now, weather.spell_seconds, np.concatenate(drawn).T)
                yield from self.until((block + 1) * SPELLS_IN_A_BLOCK * weather.spell_seconds)
                continue
            for spell in range(SPELLS_IN_A_BLOCK):
                yield from self.until((block * SPELLS_IN_A_BLOCK + spell) * weather.spell_seconds)
                self.catch_up()
                self.fluid.set_speeds([each[:, spell] for each in drawn])
                self.turn()

    def _outage(self, each: OpenOutage) -> Process:
        outage = each.outage
        yield from self.until(outage.start_seconds)
        stages, worker = self._what_stops(outage)
        self.stop(stages, worker)
        self.sink_down += outage.of is Breaks.SINK
        self.source_down += outage.of is Breaks.SOURCE
        if outage.restores:
            self.epoch += 1
            self.down += 1
            each.replayed, each.duplicates = self.rewind(worker)
        self.turn()
        begun = self.cuts[-1].begun if outage.restores else None
        yield self.env.timeout(self.pace.with_restore(outage.down_seconds, begun))
        self.sink_down -= outage.of is Breaks.SINK
        self.source_down -= outage.of is Breaks.SOURCE
        self.down -= outage.restores
        each.restarted = self.resumed = self.env.now
        if outage.restores:
            self.restarted = self.env.now
        self.go_on(stages, worker)
        self.retention.expire()
        yield from self._drain(each)

    def _what_stops(self, outage: Outage) -> tuple[tuple[int, ...], int | None]:
        match outage.of:
            case Breaks.JOB:
                return self.everything, None
            case Breaks.SINK:
                return self.sink, None
            case Breaks.SOURCE:
                return self.reading, None
            case Breaks.WORKER:
                # An exchange connects all workers into one failover region, which restarts whole.
                return self.everything, None if self.network.has_shuffle else self._busiest()

    def _busiest(self) -> int:
        return int(np.argmax(self.network.worker_shares(0)))

    def rewind(self, worker: int | None) -> tuple[float, float]:
        """Go back to the last completed checkpoint; returns records to be read, and written, again."""
        before = self.fluid.emitted()
        worker_of = self.fluid.layout.worker_of
        mine = np.ones(len(worker_of), dtype=np.bool_) if worker is None else worker_of == worker
        cut = self.cuts[-1]
        # What retention has taken since the cut cannot be read again.
        start = self.retention.start() if self.retention.limited else 0.0
        position = np.minimum(np.maximum(cut.position, start), self.fluid.position())
        if cut.state is not None and worker is None and (position == cut.position).all():
            replayed = float(self.fluid.restore(cut.state).sum())
        else:
            workers = len(self.fluid.layout.network.worker_shares(0))
            lanes = None if worker is None else np.arange(workers) == worker
            replayed = float(self.fluid.rewind(position, mine, lanes).sum())
        if self.network.visible is not Visible.ON_EMIT or self.network.absorbs_duplicates:
            return replayed, 0.0
        scale = self.network.scale(len(self.network.stages) - 1)
        return replayed, max(before - self.fluid.emitted(), 0.0) * scale

    def _drain(self, each: OpenOutage) -> Process:
        if self.running is not None:
            yield from self.running.until_on_schedule()
            each.drained = self.env.now
            return
        self.note_drains()
        self.fluid.watch_drain()
        each.draining = True
        yield from self.until_empty()
        each.drained = each.drained if each.drained is not None else self.fluid.drained_at

    def until_empty(self) -> Process:
        """Wait until every partition has been empty once since the watch began."""
        while self.fluid.drained_at is None:
            bound = self.fluid.drain_bound()
            yield self.env.timeout(min(max(bound, _DRAIN_LOOK_SECONDS[0]), _DRAIN_LOOK_SECONDS[1]))
            self.catch_up()

    def note_drains(self) -> None:
        """Before the watch begins anew, whoever was waiting for it is told."""
        for each in self.open:
            if each.draining and each.drained is None and self.fluid.drained_at is not None:
                each.drained = max(self.fluid.drained_at, each.restarted)

    def _burst(self, number: int) -> Process:
        end = self.scenario.drain_from_seconds[number]
        yield from self.until(end)
        self.catch_up()
        self.note_drains()
        self.fluid.watch_drain()
        yield from self.until_empty()
        if self.fluid.drained_at is not None:
            self.bursts[number] = self.fluid.drained_at - end

    def _until_drained(self, acts: list[tuple[Act, simpy.Process]]) -> Process:
        waited = [self.env.process(self._burst(number)) for number in range(len(self.bursts))]
        waited += [process for act, process in acts if act.awaited]
        end = self.scenario.horizon_seconds
        yield from self.until(min(self.scenario.busy_until_seconds, end))
        self.catch_up()
        while self.env.now < end and (self._waits() or any(each.is_alive for each in waited)):
            if not self._waits():
                alive = [each for each in waited if each.is_alive]
                yield self.env.any_of([self.env.all_of(alive), self.env.timeout(end - self.env.now)])
                continue
            wait = min(max(self.fluid.drain_bound(), _DRAIN_LOOK_SECONDS[0]), _DRAIN_LOOK_SECONDS[1])
            yield from self.until(min(self.env.now + wait, end))
            self.catch_up()
        yield from self.until(min(self.env.now + self.scenario.settle_seconds, end))
        self.catch_up()
        self.note_drains()

    def _waits(self) -> bool:
        return self.fluid.drained_at is None or any(each.drained is None for each in self.open)
