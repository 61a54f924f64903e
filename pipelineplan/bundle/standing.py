"""Where a runbook stands: each step with what its newest record says, as of one instant.

    the newest record of a step, held against the threshold of today's plan:
    done      within it                       failed    beyond it
    vouched   words, which no number decides  expired   older than its validity
    open      no record, none with a value, one for another threshold, or an interval across it

What a record calls its own verdict decides nothing: the measured value is held against the limit again.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from enum import StrEnum

from pipelineplan.bundle.checklist import Checklist, Step
from pipelineplan.bundle.evidence import LONGEST_TEXT, Entry, Evidence, instant_text
from pipelineplan.bundle.limit import Limit, limit_in, measured_as
from pipelineplan.errors import Problem
from pipelineplan.gates import Recorded
from pipelineplan.verdicts import Verdict

DECISION = "go-no-go"
# The gate that a runbook's evidence is about: carrying the plan over, or accepting what runs.
_GATES = {"cutover": "W10", "rollback": "W10", "launch": "W11"}


class StepState(StrEnum):
    """Where one step stands."""

    DONE = "done"
    VOUCHED = "vouched"
    OPEN = "open"
    FAILED = "failed"
    EXPIRED = "expired"


# What lets the next step begin: a person's word does, where a threshold is words and not a number.
CLOSED = frozenset((StepState.DONE, StepState.VOUCHED))


@dataclass(frozen=True)
class Standing:
    """One step: its state, why, the verdict on its newest record, and all of its records, oldest first."""

    step: str
    state: StepState
    reason: str
    verdict: Verdict = Verdict.UNKNOWN
    entries: tuple[Entry, ...] = ()

    @property
    def newest(self) -> Entry | None:
        """The record that the state follows from."""
        return self.entries[-1] if self.entries else None


@dataclass(frozen=True)
class Progress:
    """Where a runbook stands as of `as_of` (UTC, empty for no day), and what does not count.

    `unread` are lines that hold no record; `others` say which records belong to no step of the runbook.
    """

    standings: tuple[Standing, ...]
    file: str = ""
    as_of: str = ""
    others: tuple[str, ...] = ()
    unread: tuple[Problem, ...] = ()

    @property
    def is_begun(self) -> bool:
        """Whether anything was recorded."""
        return any(each.entries for each in self.standings) or bool(self.others or self.unread)

    @property
    def verdict(self) -> Verdict:
        """Fails with a failed step, holds when every step is closed, else unknown."""
        states = {each.state for each in self.standings}
        if StepState.FAILED in states:
            return Verdict.FAILS
        return Verdict.HOLDS if states <= CLOSED else Verdict.UNKNOWN

    def of(self, step: str) -> Standing:
        """The standing of the step with that id."""
        return next(each for each in self.standings if each.step == step)

    def in_state(self, *states: StepState) -> tuple[Standing, ...]:
        """The steps in one of these states, in the order of the runbook."""
        return tuple(each for each in self.standings if each.state in states)


@dataclass(frozen=True)
class Day:
    """What records are judged by: an instant, or none; the environment; the digest of the plan's files."""

    as_of: dt.datetime | None = None
    env: str = ""
    plan: str = ""


def progress_of(checklist: Checklist, evidence: Evidence, day: Day) -> Progress:
    """Where each step of `checklist` stands by `evidence`."""
    mine = [e for e in evidence.entries if e.kind == checklist.kind and e.env == day.env and _given(e, day)]
    by_step: dict[str, list[Entry]] = {step.id: [] for step in checklist.steps}
    others = [e for e in mine if e.step not in by_step]
    for entry in mine:
        if entry.step in by_step:
            by_step[entry.step].append(entry)
    standings = tuple(_standing(step, by_step[step.id], day) for step in checklist.steps)
    return Progress(
        _decision_reopened(standings),
        evidence.file,
        instant_text(day.as_of) if day.as_of is not None else "",
        tuple(dict.fromkeys(f"{e.step} is no step of this runbook any more ({e.position})" for e in others)),
        evidence.problems,
    )


def counted(progress: Progress) -> str:
    """How many steps are in each state: "3 done, 1 expired, 14 open"."""
    numbers = [(state.value, len(progress.in_state(state))) for state in StepState]
    return ", ".join(f"{number} {state}" for state, number in numbers if number)


def judged(entry: Entry) -> Verdict:
    """The verdict on a record: its measured value held against the limit that it was recorded with."""
    limit = limit_in(entry.limit)
    if limit is None or not entry.measured:
        return Verdict.UNKNOWN
    try:
        return limit.verdict(measured_as(entry.measured, limit))
    except ValueError:  # edited by hand
        return Verdict.UNKNOWN


def still_wanted(checklist: Checklist) -> tuple[str, ...]:
    """What keeps the decision from being go: the steps before it that are not closed."""
    progress = checklist.progress
    if progress is None:
        return tuple(_before_decision(step.id for step in checklist.steps))
    open_ones = [each for each in progress.standings if each.state not in CLOSED]
    before = set(_before_decision(each.step for each in progress.standings))
    return tuple(f"{each.step} {each.state.value}" for each in open_ones if each.step in before)


def recorded_of(checklists: Iterable[Checklist]) -> tuple[Recorded, ...]:
    """What the gates are told of the runbooks; the decision itself rests on the gates, and not they on it."""
    told = [(_GATES[each.kind], each.progress) for each in checklists if each.progress is not None]
    return tuple(_recorded(gate, progress) for gate, progress in told if progress.is_begun)


def _recorded(gate: str, progress: Progress) -> Recorded:
    begun = [each for each in progress.standings if each.entries and each.step != DECISION]
    said = {each.step: f"{each.step} {each.state.value}: {each.reason} ({_place(each)})" for each in begun}

    def of(*states: StepState) -> tuple[str, ...]:
        return tuple(f"recorded {said[each.step]}" for each in begun if each.state in states)

    return Recorded(gate, of(StepState.FAILED), of(StepState.OPEN, StepState.EXPIRED), of(*CLOSED))


def _place(standing: Standing) -> str:
    return str(standing.newest.position) if standing.newest is not None else ""


def _before_decision(steps: Iterable[str]) -> Iterator[str]:
    for step in steps:
        if step == DECISION:
            return
        yield step


def _given(entry: Entry, day: Day) -> bool:
    """A record of a time that is still to come has not been given yet."""
    return day.as_of is None or entry.at <= instant_text(day.as_of)


def _standing(step: Step, entries: Sequence[Entry], day: Day) -> Standing:
    if not entries:
        return Standing(step.id, StepState.OPEN, "not recorded")
    newest, kept = entries[-1], tuple(entries)
    verdict = judged(newest)
    changed = _changed(step, newest)
    state, reason = (StepState.OPEN, changed) if changed else _state(step, newest, verdict, day)
    if not changed and newest.plan and day.plan and newest.plan != day.plan:
        reason += "; the plan's files have changed since, its threshold has not"
    return Standing(step.id, state, reason, verdict, kept)


def _changed(step: Step, newest: Entry) -> str:
    """Why a record was made against another threshold than today's; empty where it was not."""
    now = limit_in(step.threshold.text)
    said = now.said() if now is not None else step.threshold.text[:LONGEST_TEXT]
    if step.threshold.is_open:
        return f"there is no threshold: {step.threshold.text}"
    same = _same(limit_in(newest.limit), now) if now is not None else newest.threshold == said
    return (
        "" if same else f"recorded against {newest.limit or newest.threshold or 'nothing'}, now it is {said}"
    )


def _same(one: Limit | None, other: Limit) -> bool:
    """Whether two limits ask the same, whatever the unit they are written in."""
    return one is not None and replace(one, text="", unit="") == replace(other, text="", unit="")


def _state(  # noqa: PLR0911  (one line per way to stand reads best)
    step: Step, newest: Entry, verdict: Verdict, day: Day
) -> tuple[StepState, str]:
    """The state of a step by a record against today's threshold; what is beyond it stays so."""
    limit, until = limit_in(step.threshold.text), _ends(step, newest)
    wanted = limit.said() if limit is not None else step.threshold.text
    if verdict is Verdict.FAILS:
        return StepState.FAILED, f"{newest.measured}, wanted {wanted}"
    if until is not None and day.as_of is None:
        return StepState.OPEN, f"valid until {instant_text(until)}: state the day of judgement with --as-of"
    if until is not None and day.as_of is not None and until < day.as_of:
        return StepState.EXPIRED, f"was valid until {instant_text(until)}, open again"
    if limit is None:
        return StepState.VOUCHED, f"on the word of {newest.by or 'nobody named'}: {wanted}"
    if not newest.measured:
        return StepState.OPEN, f"recorded without a measured value, wanted {wanted}"
    if verdict is Verdict.UNKNOWN:
        return StepState.OPEN, f"{newest.measured} may or may not be {wanted}"
    return StepState.DONE, f"{newest.measured}, wanted {wanted}"


def _ends(step: Step, newest: Entry) -> dt.datetime | None:
    """When the record stops counting: by its own validity or the plan's, whichever ends first."""
    ends = (newest.ends(), replace(newest, valid_for=step.valid_for).ends())
    return min((each for each in ends if each is not None), default=None)


def _decision_reopened(standings: tuple[Standing, ...]) -> tuple[Standing, ...]:
    """A go that nobody has acted on rests on the steps before it: one that is open again reopens it."""
    names = [each.step for each in standings]
    if DECISION not in names:
        return standings
    place = names.index(DECISION)
    decision, after = standings[place], standings[place + 1 :]
    loose = [each for each in standings[:place] if each.state not in CLOSED]
    if decision.state not in CLOSED or not loose or any(each.entries for each in after):
        return standings
    why = ", ".join(f"{each.step} {each.state.value}" for each in loose)
    reopened = replace(decision, state=StepState.OPEN, reason=f"open again, since it rests on: {why}")
    return (*standings[:place], reopened, *after)
