"""How long checkpoints and restores take where the size of state decides: it is asked for at each of them.

    nothing waits behind the log            what came, and what of it is forgotten, are a few sums of now
    something waits, or was just restored   the curves of the run are looked at from there on

The second costs up to a hundred times as much, so there is a limit to it.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from pipelineplan.simulation.event_progress import event_time_of
from pipelineplan.simulation.flow.joint import JointLayout
from pipelineplan.simulation.memory import Clock, Memory, size_decides
from pipelineplan.simulation.network import NotSimulated, flows_of
from pipelineplan.simulation.remembering import Remembered, remembered

if TYPE_CHECKING:
    from pipelineplan.simulation.flow.fluid import Fluid
    from pipelineplan.simulation.network import Checkpoint
    from pipelineplan.simulation.sharing import Floats

# What waits in queues came within so many rows, where a checkpoint looks back.
_MOST_ROWS_BEFORE = 512
# So many looks at the curves take from some seconds to some minutes.
_MOST_LOOKS_BACK = 20_000


class Pace:
    """How long checkpoints and restores of a run take where the size of its state decides.

    `decides` is false where they take as long as the plan says, whatever the state.
    """

    def __init__(self, fluid: Fluid, appended: tuple[Floats, Floats], plan: Checkpoint | None) -> None:
        """Look for stages whose state changes its size."""
        self.fluid, self.appended, self.plan = fluid, appended, plan
        self.decides = size_decides(fluid.layout.network)
        known = [stage.memory for stage in fluid.layout.network.stages if stage.memory is not None]
        lives = [each.life_seconds for each in known if each.clock is Clock.PROCESSING and each.grows]
        self._reach_seconds = max((each for each in lives if each < np.inf), default=0.0)
        self._now = {
            stage.name: _SizeNow(fluid, appended, number, stage.memory)
            for number, stage in enumerate(fluid.layout.network.stages)
            if stage.memory is not None and stage.memory.grows and self.decides
        }
        self._looks_back = 0

    def checkpoint_seconds(self, plan: Checkpoint, begun: float, before: float) -> float:
        """For one that begins now, the last completed one having begun at `before`.

        An incremental one writes the more, the longer that is ago, and never more than everything.
        """
        longest = plan.duration_seconds if plan.fixed_seconds is None else plan.fixed_seconds
        for memory, size in self._sizes(begun):
            longest = max(longest, memory.checkpoint_seconds(size, plan.intervals(begun - before)))
        return longest

    def with_restore(self, seconds: float, begun: float | None) -> float:
        """A standstill, with reading back what the checkpoint that began then has written (None: nothing).

        The slowest stage's largest task decides, in place of what was planned.
        """
        if not self.decides or begun is None:
            return seconds
        planned = self.plan.restore_seconds if self.plan is not None else 0.0
        read = [memory.restore_seconds(size) for memory, size in self._sizes(begun)]
        return max(seconds - planned, 0.0) + max(read, default=0.0)

    def _sizes(self, when: float) -> list[tuple[Memory, float]]:
        """The size of every state that grows, at a moment that has come."""
        self.fluid.note()
        known = [each.remembered() for each in self._now.values()] if when == self.fluid.now else [None]
        found = [each for each in known if each is not None]
        if len(found) < len(known):
            found = [each for each in self._look_back(when).values() if each.memory.grows]
        return [(each.memory, float(each.bytes_at(np.array([when]))[0])) for each in found]

    def _look_back(self, when: float) -> dict[str, Remembered]:
        self._looks_back += 1
        if self._looks_back > _MOST_LOOKS_BACK:
            raise NotSimulated(
                f"the size of state decides how long checkpoints take, and at more than {_MOST_LOOKS_BACK:,} "
                "of them records waited between stages or had been restored: raise the checkpoint interval"
            )
        journal = self.fluid.journal
        row = int(np.searchsorted(journal.time, when - self._reach_seconds)) - _MOST_ROWS_BEFORE
        return remembered(self.fluid, self.appended, journal.since(max(row, 0)))


class _SizeNow:
    """What one stage remembers at this moment, from the counts of this moment, where they say it."""

    def __init__(self, fluid: Fluid, appended: tuple[Floats, Floats], number: int, memory: Memory) -> None:
        """Find the columns of the journal whose sum has come to the stage."""
        self.fluid, self.memory = fluid, memory
        self.weights, self.live, self.plain = _columns_of(fluid, number)
        self.appended = (appended[0], appended[1] * self.live)
        self.all_appended = appended
        edges = [fluid.layout.edges[each].channels for each in fluid.layout.stored_edges if each <= number]
        self.queues = edges if memory.clock is Clock.EVENT else []

    def remembered(self) -> Remembered | None:
        """The state as of now alone; None where its past has to be looked at."""
        fluid, memory, now = self.fluid, self.memory, self.fluid.now
        asides, forgets = fluid.asides, np.isfinite(memory.life_seconds)
        if not self.plain or asides.reread_at or asides.dead_letters:
            return None
        if any(fluid.queue[channels].any() for channels in self.queues):
            return None
        by_clock = forgets and memory.clock is Clock.PROCESSING
        since = max(now - memory.life_seconds, 0.0) if by_clock else now - 1.0
        if by_clock and asides.went_back_at >= since:
            return None
        came = self._came(np.array([since, now])) if by_clock else np.repeat(self._came(np.array([now])), 2)
        progress = self._progress() if self.memory.clock is Clock.EVENT else 0.0
        return Remembered(memory, np.array([since, now]), came, np.full(2, progress), self.appended)

    def _came(self, when: Floats) -> Floats:
        """What had come to the stage by then; straight between the two rows around it."""
        journal = self.fluid.journal
        right = np.clip(np.searchsorted(journal.time, when, side="right"), 1, len(journal) - 1)
        before, after = journal.rows_at(right - 1) @ self.weights, journal.rows_at(right) @ self.weights
        first, last = journal.time[right - 1], journal.time[right]
        share = np.where(last > first, (when - first) / np.maximum(last - first, 1e-300), 1.0)
        return np.asarray(before + np.clip(share, 0.0, 1.0) * (after - before))

    def _progress(self) -> float:
        live = self.fluid.shares > 0
        least = (self.fluid.departed[self.fluid.log][live] / self.fluid.shares[live]).min()
        return float(event_time_of(self.all_appended, np.array([least]))[0])


def _columns_of(fluid: Fluid, number: int) -> tuple[Floats, float, bool]:
    """Weights of the journal's columns that add up to what came, live records for each that is appended.

    And whether that is all that there is to know: not where partitions that do not reach it have a share,
    nor where old records lie in a log of their own.
    """
    layout, network = fluid.layout, fluid.layout.network
    weights = np.zeros(fluid.journal.columns)
    if not isinstance(layout, JointLayout):
        scale = network.scale(number)
        edge = max((each for each in layout.stored_edges if each <= number), default=0)
        lanes = range(network.stages[edge].workers) if edge else ()
        columns = [fluid.columns_of(edge, lane)[1] for lane in lanes] or list(range(len(fluid.shares)))
        weights[columns] = scale
        return weights, scale, True
    first, live, plain = 0, 0.0, True
    for log in network.logs:
        end = first + log.partitions
        inside = np.zeros(len(fluid.shares))
        inside[first:end] = log.shares
        each = sum(flows_of(network, tuple(inside.tolist()))[number])
        plain = plain and each > 0 and log.part > 0
        weights[first:end] = each
        live += each * log.part
        first = end
    return weights, live, plain
