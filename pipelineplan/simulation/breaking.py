"""Outages of one job: what stands still, what is read again, and when the backlog is gone.

|-- detect --|-- repair --|-- restart --|------------ drain ------------|
stop                      rewind to the last completed checkpoint       every partition was empty once
"""

from __future__ import annotations

from collections.abc import Generator
from typing import TYPE_CHECKING, Any

import numpy as np
import simpy

from pipelineplan.simulation.acts.open_outage import OpenOutage
from pipelineplan.simulation.network import Visible
from pipelineplan.simulation.scenario import Act, Breaks, Outage

if TYPE_CHECKING:
    from pipelineplan.simulation.control import Control

Process = Generator[simpy.Event, Any, None]
_DRAIN_LOOK_SECONDS = (1.0, 600.0)


class Breaking:
    """The outages and drains of one run."""

    def __init__(self, control: Control) -> None:
        """Nothing has broken."""
        self.control = control
        scenario = control.scenario
        self.open = [OpenOutage(outage) for outage in scenario.outages]
        self.bursts: list[float | None] = [None] * len(scenario.drain_from_seconds)

    def process(self, each: OpenOutage) -> Process:
        """One outage, from its start until everything has drained."""
        control, outage = self.control, each.outage
        yield from control.until(outage.start_seconds)
        stages, worker = self._what_stops(outage)
        control.stop(stages, worker)
        control.sink_down += outage.of is Breaks.SINK
        control.source_down += outage.of is Breaks.SOURCE
        if outage.restores:
            control.epoch += 1
            control.down += 1
            each.replayed, each.duplicates = self.rewind(worker)
        control.turn()
        begun = control.cuts[-1].begun if outage.restores else None
        yield control.env.timeout(control.pace.with_restore(outage.down_seconds, begun))
        control.sink_down -= outage.of is Breaks.SINK
        control.source_down -= outage.of is Breaks.SOURCE
        control.down -= outage.restores
        each.restarted = control.resumed = control.env.now
        if outage.restores:
            control.restarted = control.env.now
        control.go_on(stages, worker)
        control.retention.expire()
        yield from self._drain(each)

    def _what_stops(self, outage: Outage) -> tuple[tuple[int, ...], int | None]:
        control = self.control
        match outage.of:
            case Breaks.JOB:
                return control.everything, None
            case Breaks.SINK:
                return control.sink, None
            case Breaks.SOURCE:
                return control.reading, None
            case Breaks.WORKER:
                # An exchange connects all workers into one failover region, which restarts whole.
                return control.everything, None if control.network.has_shuffle else self._busiest()

    def _busiest(self) -> int:
        return int(np.argmax(self.control.network.worker_shares(0)))

    def rewind(self, worker: int | None) -> tuple[float, float]:
        """Go back to the last completed checkpoint; returns records to be read, and written, again."""
        control = self.control
        fluid, network = control.fluid, control.network
        before = fluid.emitted()
        worker_of = fluid.layout.worker_of
        mine = np.ones(len(worker_of), dtype=np.bool_) if worker is None else worker_of == worker
        cut = control.cuts[-1]
        # What retention has taken since the cut cannot be read again.
        start = control.retention.start() if control.retention.limited else 0.0
        position = np.minimum(np.maximum(cut.position, start), fluid.position())
        if cut.state is not None and worker is None and (position == cut.position).all():
            replayed = float(fluid.restore(cut.state).sum())
        else:
            workers = len(fluid.layout.network.worker_shares(0))
            lanes = None if worker is None else np.arange(workers) == worker
            replayed = float(fluid.rewind(position, mine, lanes).sum())
        if network.visible is not Visible.ON_EMIT or network.absorbs_duplicates:
            return replayed, 0.0
        scale = network.scale(len(network.stages) - 1)
        return replayed, max(before - fluid.emitted(), 0.0) * scale

    def _drain(self, each: OpenOutage) -> Process:
        control = self.control
        if control.running is not None:
            yield from control.running.until_on_schedule()
            each.drained = control.env.now
            return
        self.note_drains()
        control.fluid.watch_drain()
        each.draining = True
        yield from self._until_empty()
        each.drained = each.drained if each.drained is not None else control.fluid.drained_at

    def _until_empty(self) -> Process:
        """Wait until every partition has been empty once since the watch began."""
        control = self.control
        while control.fluid.drained_at is None:
            bound = control.fluid.drain_bound()
            yield control.env.timeout(min(max(bound, _DRAIN_LOOK_SECONDS[0]), _DRAIN_LOOK_SECONDS[1]))
            control.catch_up()

    def note_drains(self) -> None:
        """Before the watch begins anew, whoever was waiting for it is told."""
        drained_at = self.control.fluid.drained_at
        for each in self.open:
            if each.draining and each.drained is None and drained_at is not None:
                each.drained = max(drained_at, each.restarted)

    def _burst(self, number: int) -> Process:
        control = self.control
        end = control.scenario.drain_from_seconds[number]
        yield from control.until(end)
        control.catch_up()
        self.note_drains()
        control.fluid.watch_drain()
        yield from self._until_empty()
        if control.fluid.drained_at is not None:
            self.bursts[number] = control.fluid.drained_at - end

    def until_drained(self, acts: list[tuple[Act, simpy.Process]]) -> Process:
        """Until everything planned has happened and drained, and has settled; at the latest the horizon."""
        control = self.control
        waited = [control.env.process(self._burst(number)) for number in range(len(self.bursts))]
        waited += [process for act, process in acts if act.awaited]
        end = control.scenario.horizon_seconds
        yield from control.until(min(control.scenario.busy_until_seconds, end))
        control.catch_up()
        while control.env.now < end and (self._waits() or any(each.is_alive for each in waited)):
            if not self._waits():
                alive = [each for each in waited if each.is_alive]
                yield control.env.any_of(
                    [control.env.all_of(alive), control.env.timeout(end - control.env.now)]
                )
                continue
            wait = min(max(control.fluid.drain_bound(), _DRAIN_LOOK_SECONDS[0]), _DRAIN_LOOK_SECONDS[1])
            yield from control.until(min(control.env.now + wait, end))
            control.catch_up()
        yield from control.until(min(control.env.now + control.scenario.settle_seconds, end))
        control.catch_up()
        self.note_drains()

    def _waits(self) -> bool:
        return self.control.fluid.drained_at is None or any(each.drained is None for each in self.open)
