"""State in the model of single records: every entry is kept, and looked at one by one to be forgotten.

None of the fluid's formulas is used here: a window holds a number of entries and is thrown away when the
watermark has passed it, and an entry with a time to live carries the time of its own.
"""

from __future__ import annotations

import heapq
import math
from collections.abc import Sequence
from copy import copy
from typing import NamedTuple

from pipelineplan.simulation.memory import Clock, Memory
from pipelineplan.simulation.network import Checkpoint, Network

# What tells the records apart: the partition and its event time, and of several copies which.
Name = tuple[float | str, ...]
Snapshot = tuple[dict[tuple[int, int], "RecordMemory"], dict[int, float]]


class Record(NamedTuple):
    """A record on its way: its event time (seconds), and the number of the checkpoint before it was read."""

    born: float
    tag: int
    name: Name


class RecordMemory:
    """The entries of one worker, to which that part of its stage's history came.

    Each has the name of the record that brought it: who reads a record again writes the same entry again.
    """

    def __init__(self, memory: Memory, part: float) -> None:
        """What the past has left: entries at even distances before the start."""
        self.memory = memory
        self.kept: set[Name] = set()
        self.times: dict[Name, float] = {}
        self.oldest: list[tuple[float, Name]] = []
        self.windows: dict[float, set[Name]] = {}
        self.watermark = -math.inf
        if memory.history_per_second * part > 0 and math.isfinite(memory.life_seconds):
            reach = memory.life_seconds + memory.window_seconds + memory.watermark_lag_seconds
            each = memory.history_per_second * part
            for number in range(int(reach * each), 0, -1):
                self.take(("past", number), -(number - 0.5) / each, -number / each)

    def copy(self) -> RecordMemory:
        """The same, of which neither changes with the other."""
        twin = copy(self)
        twin.kept, twin.times, twin.oldest = set(self.kept), dict(self.times), list(self.oldest)
        twin.windows = {end: set(names) for end, names in self.windows.items()}
        return twin

    def take(self, name: Name, born: float, now: float) -> None:
        """A record of that event time comes now."""
        memory = self.memory
        if memory.window_seconds > 0:
            every = memory.slide_seconds or memory.window_seconds
            end = (math.floor(born / every) + 1) * every
            while end - memory.window_seconds <= born:
                self.windows.setdefault(end, set()).add(name)
                end += every
        elif math.isinf(memory.life_seconds):
            self.kept.add(name)
        else:
            self.times[name] = born if memory.clock is Clock.EVENT else now
            heapq.heappush(self.oldest, (self.times[name], name))

    def knows(self, name: Name) -> bool:
        """Whether that record's entry is here."""
        return name in self.kept or name in self.times or any(name in each for each in self.windows.values())

    def bytes_now(self, now: float, progress: float) -> float:
        """Forget what is to be forgotten, and weigh the rest; `progress` is the event time that was read.

        Who reads again has a watermark already, which does not go back.
        """
        memory = self.memory
        self.watermark = max(self.watermark, progress - memory.watermark_lag_seconds)
        clock = self.watermark if memory.clock is Clock.EVENT or memory.window_seconds > 0 else now
        for end in [end for end in self.windows if end + memory.life_seconds <= self.watermark]:
            del self.windows[end]
        while self.oldest and self.oldest[0][0] + memory.life_seconds <= clock:
            written, name = heapq.heappop(self.oldest)
            if self.times.get(name) == written:
                del self.times[name]
        entries = len(self.kept) + len(self.times) + sum(len(each) for each in self.windows.values())
        return entries * memory.bytes_per_record


class RecordStates:
    """The state of all stages of a run, what the last checkpoint kept of it, and what that takes.

    Entries lie with the workers that took them, so that one can lose its own.
    """

    def __init__(self, network: Network) -> None:
        """What is there at the beginning can be gone back to."""
        stages = enumerate(network.stages)
        self.memories = {number: each.memory for number, each in stages if each.memory is not None}
        self.of = {
            (number, worker): RecordMemory(memory, part)
            for number, memory in self.memories.items()
            for worker, part in enumerate(network.worker_shares(number))
        }
        self.workers = {number: range(network.stages[number].workers) for number in self.memories}
        self.cut, self.cut_bytes = self._copied(), self.look(0.0, [0.0] * len(network.stages))

    def _copied(self) -> dict[tuple[int, int], RecordMemory]:
        return {at: each.copy() for at, each in self.of.items()}

    def take(self, stage: int, worker: int, record: Record, now: float) -> None:
        """A record comes to a worker, or once more to the one that has its key already."""
        if stage in self.memories:
            known = (at for at in self.workers[stage] if self.of[stage, at].knows(record.name))
            self.of[stage, next(known, worker)].take(record.name, record.born, now)

    def look(self, now: float, progress: Sequence[float]) -> dict[int, float]:
        """The bytes of each stage; `progress` is the event time up to which all has come to it `[stage]`."""
        found = {number: memory.always_bytes for number, memory in self.memories.items()}
        for (number, _), each in self.of.items():
            found[number] += each.bytes_now(now, progress[number])
        return found

    def snapshot(self, now: float, progress: Sequence[float]) -> Snapshot:
        """What a checkpoint that begins now writes."""
        sizes = self.look(now, progress)
        return self._copied(), sizes

    def complete(self, snapshot: Snapshot) -> None:
        """A checkpoint has completed: this is what a restart restores."""
        self.cut, self.cut_bytes = snapshot

    def restore(self, worker: int | None) -> None:
        """Back to what the last completed checkpoint kept: all workers, or that one of each stage."""
        self.of |= {at: each.copy() for at, each in self.cut.items() if worker in {None, at[1]}}

    def checkpoint_seconds(self, plan: Checkpoint, sizes: dict[int, float], since: float) -> float:
        """How long writing takes: as planned, or as long as the largest task of a growing stage."""
        written = [
            self.memories[number].checkpoint_seconds(size, plan.intervals(since))
            for number, size in sizes.items()
            if self.memories[number].paces_checkpoints
        ]
        if not written:
            return plan.duration_seconds
        return max(plan.duration_seconds if plan.fixed_seconds is None else plan.fixed_seconds, *written)

    def with_restore(self, seconds: float, plan: Checkpoint | None) -> float:
        """A standstill, with reading back what the last completed checkpoint kept."""
        read = [
            self.memories[number].restore_seconds(size)
            for number, size in self.cut_bytes.items()
            if self.memories[number].paces_restores
        ]
        planned = plan.restore_seconds if plan is not None and read else 0.0
        return max(seconds - planned, 0.0) + max(read, default=0.0)
