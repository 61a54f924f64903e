"""Pipelines that work in runs: by schedule, or by a trigger as soon as the run before has ended.

    schedule   |04:15     |04:15     |04:15        each run reads what came up to its boundary
    run         ====       =======    ====         startup, then as fast as the workers are
    input       ^ ready    ^late  ^                a run waits for its upstream file

A micro-batch begins one trigger after the one before, or at once where that one took longer
(SPARK-20209). Results are seen when a run has ended.
"""

from __future__ import annotations

from collections.abc import Generator
from typing import TYPE_CHECKING, Any

import numpy as np
import simpy

from pipelineplan.simulation.checkpointing import Cut
from pipelineplan.simulation.runs import RunOf, Runs

if TYPE_CHECKING:
    from pipelineplan.simulation.control import Control

Process = Generator[simpy.Event, Any, None]
_LOOK_SECONDS = 600.0


class Running:
    """The runs of one simulation: what arrives is given to the readers run by run."""

    def __init__(self, control: Control, plan: Runs) -> None:
        """None has run; nothing has been given out."""
        self.control, self.plan = control, plan
        self.done: list[RunOf] = []
        self.busy = False
        self.ended = control.env.event()
        self.given = np.zeros(len(control.fluid.shares))

    def process(self) -> Process:
        """One run after the other, to the end of the schedule."""
        control, plan, number = self.control, self.plan, 0
        while True:
            due = self._due(number)
            if due is None:
                return
            if self._covered(number):
                number += 1
                continue
            ready = max(
                due + (plan.late_seconds if number == plan.late_run else 0.0), plan.held_until_seconds
            )
            self.busy = due <= control.env.now
            self._tell()
            yield from control.until(due)
            self.busy = True
            yield from control.until(ready)
            yield from self._one(due, ready)
            number += 1

    def _due(self, number: int) -> float | None:
        plan = self.plan
        if plan.starts:
            return plan.starts[number] if number < len(plan.starts) else None
        # The first boundary is one trigger after the beginning, and no run overtakes another.
        return plan.every_seconds if not self.done else self.done[-1].begun + plan.every_seconds

    def _tell(self) -> None:
        before, self.ended = self.ended, self.control.env.event()
        before.succeed()

    def until_on_schedule(self) -> Process:
        """Wait until no run is under way or overdue."""
        while self.busy:
            yield self.ended

    def _covered(self, number: int) -> bool:
        """Whether a missed run is left out, since the next one that was missed reads its records too."""
        following = self._due(number + 1) if self.plan.starts else None
        return not self.plan.catch_up and following is not None and following <= self.plan.held_until_seconds

    def _one(self, due: float, ready: float) -> Process:
        """Startup, then everything up to the boundary; a schedule's is when it was due."""
        control, plan = self.control, self.plan
        begun = control.env.now
        boundary = due if plan.starts else begun
        yield control.env.timeout(plan.startup_seconds)
        times, counts = control.appended
        upto = control.fluid.shares * float(np.interp(boundary, times, counts))
        records = float((upto - self.given).sum())
        control.catch_up()
        control.fluid.give(np.maximum(upto - self.given, 0.0))
        self.given = np.maximum(upto, self.given)
        control.turn()
        # Whatever breaks a run off, it then takes its whole time from there.
        while True:
            yield from self._until_read()
            if control.down or control.source_down or control.sink_down:
                yield control.turned
            elif control.env.now < max(begun, control.resumed) + plan.least_seconds:
                whole = max(begun, control.resumed) + plan.least_seconds - control.env.now
                yield control.env.any_of([control.env.timeout(whole), control.turned])
            else:
                break
        control.cuts.append(Cut(begun, control.env.now, control.fluid.position()))
        self.done.append(RunOf(due, ready, begun, control.env.now, records))

    def _until_read(self) -> Process:
        fluid = self.control.fluid
        while fluid.queue.max() > 0:
            wait = fluid.next_change_seconds()
            awhile = self.control.env.timeout(min(max(wait, 0.0), _LOOK_SECONDS))
            yield self.control.env.any_of([awhile, self.control.turned])
            self.control.catch_up()
