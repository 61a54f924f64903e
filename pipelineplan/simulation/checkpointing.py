"""The checkpoints of a job: begun, completed, timed out, and the failures that follow from that.

    t=60 begins: positions noted     t=65 completes: the cut is valid
    t=120 begins, barrier behind 11 min of records     t=720 times out: one failure too many,
          the job restarts from t=60 and reads twelve minutes again, which keeps the next barrier waiting

An aligned barrier waits behind what was read before it. An unaligned one overtakes it, and the cut
holds what it has overtaken, so the duration does not depend on the queues.

Source: Apache Flink documentation, *Checkpointing under backpressure*.
"""

from __future__ import annotations

from collections.abc import Generator
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
import simpy

from pipelineplan.simulation.flow.fluid import State
from pipelineplan.simulation.network import Checkpoint
from pipelineplan.simulation.sharing import Floats

if TYPE_CHECKING:
    from pipelineplan.simulation.control import Control

Process = Generator[simpy.Event, Any, None]
Asking = Generator[simpy.Event, Any, bool]
_BARRIER_TOLERANCE = 1e-9


@dataclass(frozen=True)
class Cut:
    """A completed checkpoint: begun, completed (seconds), and the positions it restores `[partition]`.

    `state` holds what was under way, where the checkpoint was unaligned.
    """

    begun: float
    completed: float
    position: Floats
    state: State | None = None


class Checkpointing:
    """The checkpoints of one run, and what they restore."""

    def __init__(self, control: Control, plan: Checkpoint) -> None:
        """None has been taken; the beginning itself can be gone back to."""
        self.control, self.plan = control, plan
        self.failed: list[float] = []
        self.in_a_row = 0
        self.coming: list[Cut] = []

    def process(self) -> Process:
        """Take one checkpoint after the other, for as long as the run lasts."""
        control, plan, epoch = self.control, self.plan, 0
        yield control.env.timeout(plan.interval_seconds + plan.later_seconds)
        while True:
            if epoch != control.epoch:
                epoch, self.in_a_row = control.epoch, 0
                yield from self._after_restart()
                continue
            begun = control.env.now
            ahead = self._undisturbed(begun)
            if ahead:
                yield from self._all(ahead)
                continue
            completed = yield from self._one(begun, epoch)
            if epoch != control.epoch:
                continue
            if not completed:
                yield from self._count_failure(begun)
                continue
            self.in_a_row = 0
            yield from control.until(self._next(begun, control.env.now))

    def _next(self, begun: float, ended: float) -> float:
        """When the checkpoint after one begins."""
        return max(begun + self.plan.interval_seconds, ended + self.plan.min_pause_seconds)

    def _undisturbed(self, begun: float) -> list[tuple[float, float]]:
        """Begin and end of all checkpoints from here to the next outage that nothing can hold up.

        None where no timetable takes them, or where how long they take depends on what has happened.
        """
        control, plan = self.control, self.plan
        takes = max(plan.duration_seconds, plan.sync_stall_seconds)
        if control.timetable is None or control.sink_down or plan.full_seconds > 0 or control.pace.decides:
            return []
        if takes <= 0 or plan.duration_seconds > plan.timeout_seconds:
            return []
        starts = [each.start_seconds for each in control.scenario.outages]
        end = min([control.scenario.horizon_seconds, *(start for start in starts if start >= begun)])
        found = []
        while begun + takes < end:
            found.append((begun, begun + takes))
            begun = self._next(begun, begun + takes)
        return found

    def _all(self, ahead: list[tuple[float, float]]) -> Process:
        """Take all these checkpoints, which nothing disturbs."""
        control = self.control
        control.catch_up()
        if control.timetable is not None:
            begins = np.array([begun for begun, _ in ahead])
            marks = control.timetable.stalls(begins, self.plan.sync_stall_seconds)
            self.coming = [
                Cut(begun, done, position) for (begun, done), position in zip(ahead, marks, strict=True)
            ]
        yield from control.until(ahead[-1][1])
        self.gather()
        self.in_a_row = 0
        yield from control.until(self._next(*ahead[-1]))

    def gather(self) -> None:
        """Those of the undisturbed checkpoints that have completed by now become cuts."""
        control = self.control
        control.catch_up()
        control.cuts += [cut for cut in self.coming if cut.completed <= control.env.now]
        self.coming = []

    def _one(self, begun: float, epoch: int) -> Asking:
        """Take a checkpoint; false when it was given up."""
        control, plan = self.control, self.plan
        control.catch_up()
        state = control.fluid.state()
        given_up = begun + plan.timeout_seconds
        done = begun + self._duration(begun)
        yield from self._stall(plan.sync_stall_seconds)
        yield from control.until(min(done, given_up))
        if done > given_up:
            return False
        passed = yield from self._barrier(state.position, epoch, given_up)
        if passed and epoch == control.epoch:
            kept = state if plan.unaligned else None
            control.cuts.append(Cut(begun, control.env.now, state.position, kept))
        return passed

    def _duration(self, begun: float) -> float:
        """Of incremental checkpoints the longer, the more has changed since the last completed one."""
        plan = self.plan
        if self.control.pace.decides:
            return self.control.pace.checkpoint_seconds(plan, begun, self.control.cuts[-1].begun)
        if plan.full_seconds <= 0:
            return plan.duration_seconds
        since = max(begun - self.control.cuts[-1].begun, plan.interval_seconds)
        return min(plan.duration_seconds * since / plan.effective_interval_seconds, plan.full_seconds)

    def _count_failure(self, begun: float) -> Process:
        control, plan = self.control, self.plan
        self.failed.append(control.env.now)
        self.in_a_row += 1
        if plan.tolerable_failures is not None and self.in_a_row > plan.tolerable_failures:
            yield from control.restart_job(plan.restart_seconds)
        else:
            yield from control.until(self._next(begun, control.env.now))

    def _after_restart(self) -> Process:
        """A restored job counts its interval from the restart."""
        while self.control.down:
            yield self.control.turned
        yield from self.control.until(self.control.restarted + self.plan.interval_seconds)

    def _stall(self, seconds: float) -> Process:
        if seconds > 0:
            self.control.stop(self.control.everything)
            yield self.control.env.timeout(seconds)
            self.control.go_on(self.control.everything)

    def _barrier(self, position: Floats, epoch: int, given_up: float) -> Asking:
        """Wait until all that was read before the cut has passed every queue, and the sink is up.

        Nothing is looked at in between: the next change of a queue is known, and whoever turns a
        knob says so. False when it takes too long.
        """
        control = self.control
        env, fluid = control.env, control.fluid
        while epoch == control.epoch:
            left, change = 0.0, np.inf
            # Without room between the stages nothing is under way, and there is nothing to catch up with.
            if fluid.layout.stored_edges and not self.plan.unaligned:
                control.catch_up()
                left, change = self._seconds_left(position), fluid.next_change_seconds()
            left = np.inf if control.sink_down else left
            if env.now + left <= env.now:
                return True
            if env.now >= given_up:
                return False
            wait = min(left, change, given_up - env.now)
            yield control.turned if np.isinf(wait) else env.any_of([env.timeout(wait), control.turned])
        return False

    def _seconds_left(self, position: Floats) -> float:
        """Until the barrier has passed every queue, at the rates of now."""
        fluid, left = self.control.fluid, 0.0
        for number in fluid.layout.stored_edges:
            channels = fluid.layout.edges[number].channels
            missing = fluid.passed(number, position) * (1.0 - _BARRIER_TOLERANCE) - fluid.departed[channels]
            with np.errstate(divide="ignore", invalid="ignore"):
                times = np.where(missing > 0, missing / fluid.rates.outflow[channels], 0.0)
            left = max(left, float(times.max()))
        return left
