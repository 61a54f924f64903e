"""How many bytes a stage remembers, from the curves of a run.

    came     ____/-----   by the machine's clock an entry lives for T after it was last written, so what
    came before T  __/    is left is  D(t) - min of D over [t - T, t]: after a restart positions went
                          back, and what is read again is written again
    by event time         D(t) - A(c), with c the end of the last window that has been forgotten

The curves are straight between their rows, so values are exact; between the rows the peak lies where
something begins to be forgotten, and those moments are looked at too. Event times before the run are those
of its history, at a constant rate.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from functools import cached_property
from typing import TYPE_CHECKING

import numpy as np

from pipelineplan.simulation.event_progress import (
    REACHED,
    Rows,
    behind_queues,
    falls,
    read_progress,
    risings,
    staying,
    with_rows,
)
from pipelineplan.simulation.flow.joint import JointLayout
from pipelineplan.simulation.flow.journal import first_time_at, highest_yet, value_at
from pipelineplan.simulation.memory import Clock, Memory, size_decides
from pipelineplan.simulation.network import flows_of

if TYPE_CHECKING:
    from pipelineplan.simulation.flow.asides import DeadLetters
    from pipelineplan.simulation.flow.fluid import Fluid
    from pipelineplan.simulation.flow.journal import Journal
    from pipelineplan.simulation.network import Checkpoint
    from pipelineplan.simulation.sharing import Floats

# So many overlapping windows, and so many ends of windows, are looked at; of more an even choice.
_MOST_ROWS_OF_WINDOWS, _MOST_ENDS = 48, 4000
# What waits in queues came within so many rows, where a checkpoint looks back.
_MOST_ROWS_BEFORE = 512


@dataclass(frozen=True)
class OldRecords:
    """Those of a log of their own that came to a stage, `[row]`, out of `records` of the `seconds` before."""

    came: Floats
    records: float
    seconds: float

    def before(self, event_time: Floats) -> Floats:
        """How many of all have happened by an event time; they are spread evenly."""
        part = np.where(event_time < 0, 1.0 + event_time / max(self.seconds, 1e-300), 1.0)
        return np.asarray(self.records * np.maximum(part, 0.0))


@dataclass(frozen=True)
class Remembered:
    """One stage of a run: `came` records by `time`, the event time `progress` of what was read, `[row]`.

    `appended` are seconds and live records of the stage's input that had been appended by then. `old`
    records count beside those by event time. At the moments `reread` positions went back without the state.
    """

    memory: Memory
    time: Floats
    came: Floats
    progress: Floats
    appended: tuple[Floats, Floats]
    old: tuple[OldRecords, ...] = ()
    reread: tuple[float, ...] = ()

    def without(self, dead: DeadLetters, scale: float) -> Remembered:
        """The same without those that are not passed on; `scale` records come for each that is read."""
        ends = np.array([dead.first, dead.last]) * scale
        seconds, counts = with_rows(*self.appended, np.interp(ends, self.appended[1], self.appended[0]))
        passes = first_time_at(self.time, self.came, ends)
        time, came = with_rows(self.time, self.came, passes)
        return replace(
            self,
            time=time,
            came=dead.passed(came, scale),
            progress=with_rows(self.time, self.progress, passes)[1],
            appended=(seconds, dead.passed(counts, scale)),
        )

    def bytes_at(self, when: Floats) -> Floats:
        """The size at each time; at a jump, after it."""
        return self._size(when, self._watermark(when))

    def peak_bytes(self) -> float:
        """The largest size of the run: at a row, or where something is about to be forgotten."""
        return float(self._over_time[1].max())

    def turns(self) -> Floats:
        """The moments at which the size may turn, in seconds, in order."""
        return self._over_time[0]

    def bytes_before(self, when: Floats) -> Floats:
        """The size at each time; where something is forgotten then, right before."""
        times, sizes = self._over_time
        known = np.searchsorted(times, when)
        known = np.minimum(known, len(times) - 1)
        return np.where(times[known] == when, sizes[known], self.bytes_at(when))

    def seconds_to(self, size: float) -> float:
        """When the size first passes that many bytes; beyond the run at its mean growth; inf if never."""
        times, sizes = self._over_time[0], highest_yet(self._over_time[1])
        if sizes[-1] > size:
            return float(first_time_at(times, sizes, np.array([size]))[0])
        if not np.isinf(self.memory.life_seconds):
            return float("inf")
        end = self.time[-1]
        first, last = self.bytes_at(np.array([0.0, end]))
        growth = (last - first) / end if end > 0 else 0.0
        return float(end + (size - last) / growth) if growth > 0 else float("inf")

    @cached_property
    def _over_time(self) -> tuple[Floats, Floats]:
        """Every moment at which the size may turn, once and in order, and the larger size of it."""
        times, before = self._turns()
        when = np.concatenate((self.time, times))
        sizes = np.concatenate((self._size(self.time, self._watermark(self.time)), self._size(times, before)))
        order = np.lexsort((-sizes, when))
        when, sizes = when[order], sizes[order]
        first = np.concatenate(((True,), np.diff(when) > 0))
        return when[first], sizes[first]

    def _watermark(self, when: Floats) -> Floats:
        return value_at(self.time, self.progress, when) - self.memory.watermark_lag_seconds

    def _appended(self, event_time: Floats) -> Floats:
        """Records of the stage's input up to an event time, which may lie before the run."""
        before = np.minimum(event_time, 0.0) * self.memory.history_per_second
        return np.asarray(np.interp(event_time, *self.appended) + before)

    def _size(self, when: Floats, watermark: Floats) -> Floats:
        memory = self.memory
        if not memory.grows:
            return np.full_like(when, memory.always_bytes)
        came = value_at(self.time, self.came, when)
        if memory.window_seconds > 0:
            kept = self._in_windows(when, came, watermark)
        elif np.isinf(memory.life_seconds):
            kept = came
        elif memory.clock is Clock.EVENT:
            kept = self._after(when, came, np.minimum(watermark - memory.life_seconds, self.time[-1]))
        else:
            since = when - memory.life_seconds
            kept = self._most_since(since, when, came) - self._least_since(since, when)
        return memory.always_bytes + np.maximum(kept, 0.0) * memory.bytes_per_record

    def _after(self, when: Floats, came: Floats, event_time: Floats) -> Floats:
        """What has come of all that happened after an event time; the watermark has passed what is before."""
        kept = came - self._appended(event_time)
        for old in self.old:
            kept += np.maximum(value_at(self.time, old.came, when) - old.before(event_time), 0.0)
        return kept

    def _in_windows(self, when: Floats, came: Floats, watermark: Floats) -> Floats:
        """Records times the windows in which they still are: rows of windows that do not overlap, in turn.

        Of very many rows the first window that is still there began anywhere within its length before.
        """
        memory, length = self.memory, self.memory.window_seconds
        past = watermark - memory.life_seconds
        rows = max(1, round(memory.copies))
        kept = np.zeros_like(came)
        for number in range(min(rows, _MOST_ROWS_OF_WINDOWS)):
            if rows <= _MOST_ROWS_OF_WINDOWS:
                phase = number * length / rows
                begun = phase + np.floor((past - phase) / length + 1e-9) * length
            else:
                begun = past - (number + 0.5) * length / _MOST_ROWS_OF_WINDOWS
            kept += self._after(when, came, begun)
        return np.asarray(kept * memory.copies / min(rows, _MOST_ROWS_OF_WINDOWS))

    def _least_since(self, since: Floats, when: Floats) -> Floats:
        """The lowest count between two times: at the first of them, or where positions went back."""
        at_first = value_at(self.time, self.came, np.maximum(since, 0.0))
        least = np.where(since < 0, since * self.memory.history_per_second, at_first)
        for row in self._back:
            inside = (since <= self.time[row]) & (self.time[row] <= when)
            least = np.where(inside, np.minimum(least, self.came[row]), least)
        return least

    def _most_since(self, since: Floats, when: Floats, came: Floats) -> Floats:
        """The highest count between two times, where what is read again is still remembered."""
        most = came
        for row in self._back[np.isin(self.time[self._back], self.reread)]:
            inside = (since <= self.time[row]) & (self.time[row] <= when)
            most = np.where(inside, np.maximum(most, self.came[row - 1]), most)
        return most

    @cached_property
    def _back(self) -> Rows:
        """The rows to which positions went back."""
        return falls(self.came)

    def _turns(self) -> tuple[Floats, Floats]:
        """Times at which something begins to be forgotten, and the watermark right before."""
        memory, end = self.memory, float(self.time[-1])
        if not memory.grows or np.isinf(memory.life_seconds):
            return np.zeros(0), np.zeros(0)
        if memory.clock is Clock.PROCESSING and memory.window_seconds <= 0:
            times = self.time + memory.life_seconds
            times = times[times <= end]
            return times, self._watermark(times)
        if memory.window_seconds > 0:
            every = memory.slide_seconds or memory.window_seconds
            # Of windows that were over before the run, those that had not yet been forgotten.
            first = np.ceil(-(memory.life_seconds + memory.watermark_lag_seconds) / every)
            last = end / every + 1.0
            step = max(1.0, np.floor((last - first) / _MOST_ENDS))
            marks = np.arange(first, last, step) * every + memory.life_seconds
        else:
            marks = self.appended[0] + memory.life_seconds
        # A window that is forgotten at this very moment is still there.
        nearly = marks - 1e-6 * max(memory.window_seconds, 1e-9)
        reached = marks + memory.watermark_lag_seconds
        passed = [self._passes(stretch, reached) for stretch in risings(self.progress)]
        times = np.concatenate(passed)
        seen = np.isfinite(times) & (times <= end)
        return times[seen], np.tile(nearly, len(passed))[seen]

    def _passes(self, rows: slice, reached: Floats) -> Floats:
        """When progress passes each of those event times within a stretch; inf where it does not."""
        progress = self.progress[rows]
        if len(progress) < 2:
            return np.full(len(reached), np.inf)
        times = first_time_at(self.time[rows], progress, reached * (1.0 - REACHED))
        return np.where(reached > progress[0], times, np.inf)


def remembered(
    fluid: Fluid, appended: tuple[Floats, Floats], journal: Journal | None = None
) -> dict[str, Remembered]:
    """What every stage with a memory has remembered up to now, by its name.

    `journal` is the part of the fluid's that is looked at; all of it unless given.
    """
    seen = _Seen(fluid, fluid.journal if journal is None else journal)
    stages = enumerate(fluid.layout.network.stages)
    return {
        stage.name: _of_stage(seen, number, stage.memory, appended)
        for number, stage in stages
        if stage.memory is not None
    }


def _of_stage(seen: _Seen, number: int, memory: Memory, appended: tuple[Floats, Floats]) -> Remembered:
    by_event = memory.clock is Clock.EVENT
    came = _input(seen, number, by_event=by_event)
    progress = read_progress(seen.journal, came.shares, appended)
    if by_event:
        progress = behind_queues(progress, seen.fluid, seen.journal, number)
    own = [came.records, *(old.came for old in came.old)]
    curves = [with_rows(seen.journal.time, each, progress.time)[1] for each in own]
    time, curves = progress.time, [progress.event_time, *curves]
    if by_event or np.isinf(memory.life_seconds):
        # Who reads again remembers already, and its watermark does not go back.
        time, curves = staying(time, curves, seen.fluid.asides.reread_at)
    found = Remembered(
        memory,
        time,
        curves[1],
        curves[0],
        (appended[0], appended[1] * came.live),
        tuple(replace(old, came=curve) for old, curve in zip(came.old, curves[2:], strict=True)),
        tuple(seen.fluid.asides.reread_at),
    )
    layout = seen.fluid.layout
    before = [] if isinstance(layout, JointLayout) else [each.name for each in layout.network.stages[:number]]
    for dead in seen.fluid.asides.dead_letters:
        found = found.without(dead, came.live) if dead.stage in before else found
    return found


@dataclass(frozen=True)
class _Seen:
    """A fluid, and the rows of its journal that are looked at."""

    fluid: Fluid
    journal: Journal


@dataclass(frozen=True)
class _Input:
    """`records` that came to a stage `[row]`, `live` ones for each that is appended.

    `shares` are those of the partitions whose progress counts, 0 of others. By event time `old` records
    that lie in a log of their own are apart: the watermark does not wait for them.
    """

    records: Floats
    live: float
    shares: Floats
    old: tuple[OldRecords, ...] = ()


def _input(seen: _Seen, number: int, *, by_event: bool) -> _Input:
    layout, journal, shares = seen.fluid.layout, seen.journal, seen.fluid.shares
    if isinstance(layout, JointLayout):
        return _joint_input(seen, number, by_event=by_event)
    scale = layout.network.scale(number)
    edge = max((each for each in layout.stored_edges if each <= number), default=0)
    if not edge:
        return _Input(journal.total(len(shares)) * scale, scale, shares)
    lanes = range(layout.network.stages[edge].workers)
    came = np.sum([seen.fluid.curves_of(edge, lane, seen.journal)[1] for lane in lanes], axis=0)
    return _Input(came * scale, scale, shares)


def _joint_input(seen: _Seen, number: int, *, by_event: bool) -> _Input:
    journal, shares = seen.journal, seen.fluid.shares
    network, first = seen.fluid.layout.network, 0
    came, live, reaching = np.zeros(len(journal)), 0.0, np.zeros(len(shares))
    apart = []
    for log in network.logs:
        end = first + log.partitions
        inside = np.zeros(len(shares))
        inside[first:end] = log.shares
        each = sum(flows_of(network, tuple(inside.tolist()))[number])
        if each > 0:
            before = journal.total(first) if first else 0.0
            records = each * (journal.total(end) - before)
            if by_event and log.part <= 0:
                apart.append(OldRecords(records, each * log.backlog_records, log.backlog_seconds))
            else:
                came += records
            live += each * log.part
            reaching[first:end] = shares[first:end]
        first = end
    return _Input(came, live, reaching, tuple(apart))


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
        self.fluid.note()
        journal = self.fluid.journal
        row = int(np.searchsorted(journal.time, when - self._reach_seconds)) - _MOST_ROWS_BEFORE
        found = remembered(self.fluid, self.appended, journal.since(max(row, 0))).values()
        growing = [each for each in found if each.memory.grows]
        return [(each.memory, float(each.bytes_at(np.array([when]))[0])) for each in growing]
