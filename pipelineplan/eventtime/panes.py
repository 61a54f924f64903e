"""Every pane of every window, record by record: what fires when, with which records, and what is dropped.

    watermark 9   record a (8) ->  [0, 10) waits with a
    watermark 12                   pane [0, 10) ON_TIME {a}
    watermark 12  record b (7) ->  pane [0, 10) LATE {a, b} when accumulating, {b} when discarding
    watermark 16  record c (6) ->  dropped, with an allowed lateness of 5

This is the definition, one record at a time, for every kind of window; `timeliness` gives the same
answer for tumbling windows by arrays, and a test holds them together. Where engines differ:

    pane of a late record   Beam: the delta when discarding. Flink: all contents so far, unless purging
    sessions that touch     end of one = start of the next: Flink merges them, Beam does not
    late for a session      Beam: by the record's own [t, t + gap). Flink: by what it merges into
    a session seen before   Beam Python never forgets one and fires a reopened one at once; Beam's model
                            and Flink forget it after the allowed lateness and fire a reopened one at its end

    late by count, too few  Beam's model fires what is left when the window is forgotten, Beam Python never

Sources: Apache Beam, trigger.py (GeneralTriggerDriver.process_elements), LateDataDroppingDoFnRunner.java,
ReduceFnRunner.java (onTimers: garbage collection), AfterWatermarkStateMachine.java (onMerge); Apache Flink,
WindowOperator.java (processElement, isWindowLate), TimeWindow.java (intersects), EventTimeTrigger.java.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from enum import StrEnum
from heapq import heappop, heappush
from itertools import count

from pipelineplan.eventtime.engine_rules import EngineRule
from pipelineplan.eventtime.timeliness import Timeliness
from pipelineplan.eventtime.watermarks import NEVER
from pipelineplan.eventtime.window_kinds import SessionWindows, Span, Windows, assigned

Arrival = tuple[str, int]


class Accumulation(StrEnum):
    """Whether a later pane repeats what earlier ones held."""

    ACCUMULATING = "accumulating"
    DISCARDING = "discarding"


class Timing(StrEnum):
    """Before the watermark passed the window's end, by passing it, or after."""

    EARLY = "early"
    ON_TIME = "on_time"
    LATE = "late"


@dataclass(frozen=True)
class Paning:
    """Windows, whose rule, and when they fire: at their end, again with late records, and early.

    An early pane fires, again and again until the end, whenever `early_count` records wait, or when
    `early_delay_ms` of the arrival clock have passed since the first of those that wait came (AfterCount,
    AfterProcessingTime). Late panes wait for `late_count` records. Beam only: Flink has no such trigger
    built in, `ValueError`; neither have sessions here.
    """

    windows: Windows
    rule: EngineRule = EngineRule.BEAM_MODEL
    accumulation: Accumulation = Accumulation.ACCUMULATING
    early_count: int | None = None
    early_delay_ms: int | None = None
    late_count: int = 1

    def __post_init__(self) -> None:
        stated = {"early_count": self.early_count, "early_delay_ms": self.early_delay_ms}
        stated |= {"late_count": self.late_count} if self.late_count != 1 else {}
        given = {name: number for name, number in stated.items() if number is not None}
        if given and (min(given.values()) < 1 or self.rule.is_flink):
            raise ValueError(f"found {given} for {self.rule.value}, wanted Beam and numbers above 0")
        if self.early_count is not None and self.early_delay_ms is not None:
            raise ValueError(f"found {given}, wanted early panes by count or by delay, not both")
        if given and isinstance(self.windows, SessionWindows):
            raise ValueError(f"found {given} for sessions, wanted fixed, sliding or global windows")


@dataclass(frozen=True)
class Placement:
    """What became of one record in one of its windows: `[start_ms, end_ms)` as it was on arrival."""

    record: int
    start_ms: int
    end_ms: int
    timeliness: Timeliness


@dataclass(frozen=True)
class Pane:
    """One firing: which records it holds, in order of arrival, and how many records had come by then."""

    key: str
    start_ms: int
    end_ms: int
    index: int
    timing: Timing
    records: tuple[int, ...]
    after: int


@dataclass(frozen=True)
class Played:
    """Placements by record, then window; panes in the order in which they fired.

    `reopened` are the records that moved the end of a session which had fired already.
    """

    placements: tuple[Placement, ...]
    panes: tuple[Pane, ...]
    reopened: tuple[int, ...] = ()

    def final(self) -> dict[tuple[str, int, int], tuple[int, ...]]:
        """The records that the panes of each (key, start, end) hold together, in order of arrival."""
        found: dict[tuple[str, int, int], set[int]] = {}
        for pane in self.panes:
            found.setdefault((pane.key, pane.start_ms, pane.end_ms), set()).update(pane.records)
        return {window: tuple(sorted(records)) for window, records in sorted(found.items())}


@dataclass
class _Window:
    key: str
    start: int
    end: int
    records: list[int] = field(default_factory=list)
    waiting: list[int] = field(default_factory=list)
    fired: int = 0
    # Beam Python's flag that a session stays late once its end was passed.
    past_end: bool = False
    replaced: bool = False
    # When the records that wait make an early pane, by the arrival clock.
    early_at: int | None = None

    @property
    def span(self) -> Span:
        return (self.start, self.end)


def play(
    paning: Paning,
    arrivals: Sequence[Arrival],
    watermark_ms: Sequence[int],
    clock_ms: Sequence[int] | None = None,
) -> Played:
    """Play `(key, event time)` in order of arrival; `watermark_ms` has one value more than `arrivals`.

    Its item `i` is the watermark before record `i`, the last the one after all; it must not fall.
    `clock_ms` likewise says when each record arrived, and when to stop looking: early panes by delay
    need it. After a record the watermark moves, then the clock. Raises `ValueError` when the lengths do
    not fit or one falls.
    """
    for name, given in (("watermarks", watermark_ms), ("instants", clock_ms)):
        if given is not None and len(given) != len(arrivals) + 1:
            raise ValueError(f"found {len(given)} {name} for {len(arrivals)} records, wanted one more")
    if paning.early_delay_ms is not None and clock_ms is None:
        raise ValueError("found no arrival clock, wanted one: early panes come after a delay")
    player = Player(paning, watermark_ms[0], clock_ms[0] if clock_ms else 0)
    for number, (key, event_ms) in enumerate(arrivals, start=1):
        player.take(key, event_ms)
        player.advance(watermark_ms[number])
        player.tick(clock_ms[number] if clock_ms else 0)
    return player.played()


class Player:
    """The open windows of all keys, the watermark and the arrival clock, moved one by one."""

    def __init__(self, paning: Paning, watermark: int = NEVER, clock: int = 0) -> None:
        """No record has come."""
        self.taken = 0
        self.paning = paning
        self.watermark = watermark
        self.clock = clock
        self.placements: list[Placement] = []
        self.panes: list[Pane] = []
        self.reopened: list[int] = []
        self._open: dict[tuple[str, Span], _Window] = {}
        self._sessions: dict[str, list[_Window]] = {}
        self._due: list[tuple[int, int, _Window]] = []
        self._early: list[tuple[int, int, _Window]] = []
        self._late: list[_Window] = []
        self._order = count()
        instants = paning.rule.instants
        self._late_ms = instants.late_ms
        self._dropped_ms = instants.dropped_ms + paning.windows.allowed_lateness_ms

    def played(self) -> Played:
        """What has come of all records so far."""
        return Played(tuple(self.placements), tuple(self.panes), tuple(self.reopened))

    def take(self, key: str, event_ms: int) -> None:
        """One record under the watermark as it stands."""
        number = self.taken
        self.taken += 1
        if isinstance(self.paning.windows, SessionWindows):
            self._into_session(number, key, assigned(self.paning.windows, event_ms)[0])
            return
        for span in assigned(self.paning.windows, event_ms):
            if self._gone(span[1]):
                self._place(number, span, Timeliness.DROPPED)
                continue
            window = self._open.get((key, span))
            if window is None:
                window = self._open[key, span] = _Window(key, *span)
                self._wait(window)
            self._add(number, window)

    def advance(self, watermark: int) -> None:
        """Fire what ends at or before `watermark`."""
        if watermark < self.watermark:
            raise ValueError(
                f"found a watermark of {watermark} after {self.watermark}, wanted none that falls"
            )
        self.watermark = watermark
        while self._due and self._due[0][0] + self._late_ms <= watermark:
            _, _, window = heappop(self._due)
            if not window.replaced and not window.past_end:
                window.past_end = True
                self._fire(window, Timing.ON_TIME)
        self._close()

    def tick(self, clock: int) -> None:
        """Fire early what has waited long enough at `clock`."""
        if clock < self.clock:
            raise ValueError(f"found an arrival at {clock} after {self.clock}, wanted a clock that rises")
        self.clock = clock
        while self._early and self._early[0][0] <= clock:
            at, _, window = heappop(self._early)
            if window.early_at == at and not window.past_end:
                self._fire(window, Timing.EARLY)

    def _close(self) -> None:
        """Beam's model does not leave late records behind that were too few for a pane; Beam Python does."""
        if not self._late or self.paning.rule is not EngineRule.BEAM_MODEL:
            return
        for window in sorted(self._late, key=lambda one: (one.end, one.key)):
            if window.waiting and self._gone(window.end):
                self._fire(window, Timing.LATE)
        self._late = [window for window in self._late if window.waiting]

    def _gone(self, end: int) -> bool:
        return self.watermark >= end + self._dropped_ms

    def _wait(self, window: _Window) -> None:
        """Fire at the window's end, if that is still ahead."""
        if self.watermark < window.end + self._late_ms:
            heappush(self._due, (window.end, next(self._order), window))

    def _place(self, number: int, span: Span, kind: Timeliness) -> None:
        self.placements.append(Placement(number, *span, kind))

    def _add(self, number: int, window: _Window) -> None:
        """A record that is not dropped: it waits, or makes its window fire at once."""
        late = self.watermark >= window.end + self._late_ms
        window.records.append(number)
        window.waiting.append(number)
        self._place(number, window.span, Timeliness.LATE if late else Timeliness.ON_TIME)
        if late:
            window.past_end = True
            if len(window.waiting) >= self.paning.late_count:
                # A late record that waits holds Beam Python's watermark, and its pane says early.
                held = self.paning.late_count > 1 and self.paning.rule is EngineRule.BEAM_PYTHON
                self._fire(window, Timing.EARLY if held else Timing.LATE)
            else:
                self._late.append(window)
        elif window.past_end or len(window.waiting) == self.paning.early_count:
            self._fire(window, Timing.EARLY)
        elif self.paning.early_delay_ms is not None and window.early_at is None:
            window.early_at = self.clock + self.paning.early_delay_ms
            heappush(self._early, (window.early_at, next(self._order), window))

    def _fire(self, window: _Window, timing: Timing) -> None:
        discarding = self.paning.accumulation is Accumulation.DISCARDING
        held = window.waiting if discarding else window.records
        self.panes.append(
            Pane(window.key, *window.span, window.fired, timing, tuple(sorted(held)), self.taken)
        )
        window.fired += 1
        window.waiting = []
        window.early_at = None

    def _into_session(self, number: int, key: str, own: Span) -> None:
        """Merge the record's own window with the sessions of its key, then judge: or the other way round."""
        rule = self.paning.rule
        if not rule.is_flink and self._gone(own[1]):
            self._place(number, own, Timeliness.DROPPED)
            return
        sessions = self._remembered(key)
        touching = [one for one in sessions if _meets(one.span, own, touching=rule.is_flink)]
        span = (min([own[0], *(s.start for s in touching)]), max([own[1], *(s.end for s in touching)]))
        if rule.is_flink and self._gone(span[1]):
            self._place(number, span, Timeliness.DROPPED)
            return
        if any(one.past_end and one.end < span[1] for one in touching):
            self.reopened.append(number)
        merged = self._merged(key, span, touching)
        self._sessions[key] = [one for one in sessions if one not in touching] + [merged]
        self._add(number, merged)

    def _remembered(self, key: str) -> list[_Window]:
        sessions = self._sessions.get(key, [])
        if self.paning.rule is EngineRule.BEAM_PYTHON:
            return sessions
        return [one for one in sessions if not self._gone(one.end)]

    def _merged(self, key: str, span: Span, parts: list[_Window]) -> _Window:
        """One window out of the parts; it fires at its own end, unless Beam Python holds it for late."""
        same = next((one for one in parts if one.span == span), None)
        if same is not None and len(parts) == 1:
            return same
        merged = _Window(key, *span)
        for part in parts:
            part.replaced = True
            merged.records += part.records
            merged.waiting += part.waiting
        merged.fired = same.fired if same is not None else 0
        merged.past_end = self.paning.rule is EngineRule.BEAM_PYTHON and any(p.past_end for p in parts)
        self._wait(merged)
        return merged


def _meets(one: Span, other: Span, *, touching: bool) -> bool:
    """Whether two windows overlap, or, where that is enough, touch."""
    if touching:
        return one[0] <= other[1] and other[0] <= one[1]
    return one[0] < other[1] and other[0] < one[1]
