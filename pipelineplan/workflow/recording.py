"""Evidence for a step of a runbook: what was measured, held against the plan's threshold, kept beside it.

step + measured + who  ->  verdict by the threshold of today's plan  ->  one line in plan.evidence.jsonl
"""

from __future__ import annotations

from dataclasses import dataclass, fields, replace
from datetime import UTC, datetime
from difflib import get_close_matches
from pathlib import Path
from typing import TYPE_CHECKING

from pipelineplan.bundle.checklist import Checklist, ChecklistKind, Step
from pipelineplan.bundle.contents import Contents
from pipelineplan.bundle.evidence import (
    LONGEST_LINE,
    LONGEST_TEXT,
    Entry,
    Evidence,
    append,
    evidence_file,
    instant_text,
    read_evidence,
)
from pipelineplan.bundle.limit import limit_in, measured_as
from pipelineplan.bundle.manifest import digest_of
from pipelineplan.bundle.standing import DECISION, Day, Standing, judged, progress_of, still_wanted
from pipelineplan.documents.redaction import redacted
from pipelineplan.errors import InputError, Position, Problem
from pipelineplan.gates import GateState
from pipelineplan.quantities import Dimension, QuantityError, parse

if TYPE_CHECKING:
    from pipelineplan.plan import Plan


@dataclass(frozen=True)
class Observation:
    """What somebody says of a step; all but `by` may be empty. Times are UTC, `valid_for` a duration."""

    measured: str = ""
    by: str = ""
    note: str = ""
    ref: str = ""
    valid_for: str = ""


@dataclass(frozen=True)
class Recording:
    """A record that was written to `file`, and where its step and its whole runbook stand with it."""

    entry: Entry
    file: Path
    standing: Standing
    checklist: Checklist


def evidence_of(plan: Plan, file: Path | None) -> Evidence | None:
    """The evidence in `file`, or in the plan's own place; None where there is no file."""
    place = file if file is not None else evidence_file(plan)
    if not place.exists():
        return None
    return read_evidence(place, _shown(place, plan))


def day_of(plan: Plan, as_of: datetime | None) -> Day:
    """What the evidence of `plan` is judged by; a date counts to its end."""
    if as_of is not None and as_of.time() == datetime.min.time():
        as_of = as_of.replace(hour=23, minute=59, second=59)
    return Day(as_of, plan.env or "", digest_of(plan))


def recorded(
    contents: Contents,
    kind: ChecklistKind,
    step: str,
    said: Observation,
    *,
    as_of: datetime,
    at: datetime | None = None,
    file: Path | None = None,
) -> Recording:
    """Hold what was `said` of `step` against its threshold, and add it to the evidence of the plan.

    `contents` are compiled as of `as_of`; the record is of `at`, or of that same instant. Raises
    `InputError`, and writes nothing, for a step that the runbook does not have, a value in another unit
    than the threshold's, a time still to come, and a decision that somebody else than the decider gives.
    """
    plan, checklist = contents.plan, contents.checklist(kind)
    if checklist is None:
        raise LookupError(f"no runbook of the kind {kind!r} was compiled")
    if at is not None and at > as_of:
        raise InputError([Problem(f"{instant_text(at)} is still to come", Position("--at"))])
    entry = _entry(contents, checklist, _step(checklist, step), said, at or as_of)
    place = file if file is not None else evidence_file(plan)
    append(place, entry)
    evidence = read_evidence(place, _shown(place, plan))
    progress = progress_of(checklist, evidence, day_of(plan, as_of))
    return Recording(entry, place, progress.of(step), replace(checklist, progress=progress))


def _shown(place: Path, plan: Plan) -> str:
    """How outputs name the file: relative to the root where it is inside, else by its name alone."""
    try:
        return plan.root.named(place.resolve())
    except ValueError:
        return place.name


def _step(checklist: Checklist, name: str) -> Step:
    for step in checklist.steps:
        if step.id == name:
            return step
    known = [step.id for step in checklist.steps]
    close = get_close_matches(name, known, n=3, cutoff=0.5)
    fix = f"did you mean {', '.join(close)}?" if close else f"its steps are {', '.join(known)}"
    raise InputError([Problem(f"the {checklist.kind} has no step {name!r}", Position("--record"), fix=fix)])


def _entry(contents: Contents, checklist: Checklist, step: Step, said: Observation, at: datetime) -> Entry:
    problems: list[Problem] = []
    measured, wanting = said.measured.strip(), ""
    if step.id == DECISION:
        problems += _undecided(step, said)
        still_open = _open_before(contents, checklist)
        measured, wanting = f"{len(still_open)} open", ", ".join(still_open)
    limit = limit_in(step.threshold.text) if not step.threshold.is_open else None
    if measured and limit is not None:
        try:
            measured_as(measured, limit)
        except ValueError as fault:
            problems.append(
                Problem(str(fault), Position("--measured"), fix=f"the threshold is {limit.said()}")
            )
    problems += _faults(said)
    if problems:
        raise InputError(problems)
    entry = Entry(
        instant_text(at.astimezone(UTC)),
        checklist.kind,
        step.id,
        measured,
        limit.said() if limit is not None else "",
        step.threshold.text[:LONGEST_TEXT],
        by=said.by,
        note=redacted("; ".join(part for part in (wanting, said.note) if part))[:LONGEST_TEXT],
        ref=redacted(said.ref),
        valid_for=said.valid_for,
        env=contents.plan.env or "",
        plan=digest_of(contents.plan),
    )
    return _checked(entry)


def _checked(entry: Entry) -> Entry:
    """The record with its verdict; raises `InputError` when its line would be too long to be read again."""
    entry = replace(entry, verdict=judged(entry).value)
    if len(entry.line().encode()) > LONGEST_LINE:
        message = f"the record would be longer than {LONGEST_LINE:,} bytes"
        raise InputError([Problem(message, Position("--note"), fix="say less, and give a --ref")])
    return entry


def _open_before(contents: Contents, checklist: Checklist) -> tuple[str, ...]:
    """What a decision rests on and is open: the plan's required gates, and the steps before."""
    gates = [g for g in contents.gates if g.required and g.state is not GateState.PASS]
    return (*(f"{gate.gate} {gate.state.value}" for gate in gates), *still_wanted(checklist))


def _undecided(step: Step, said: Observation) -> list[Problem]:
    """Whether the one who decides is named by the plan, and that nobody counts by hand what is counted."""
    problems = []
    if said.measured:
        fix = "leave --measured out"
        problems.append(Problem("what is open is counted, not said", Position("--measured"), fix=fix))
    deciders = [who.text for who in (step.owner, step.backup) if not who.is_open]
    if deciders and not any(name.lower() in said.by.lower() for name in deciders):
        message = f"found {said.by!r}, but the plan lets {' or '.join(deciders)} decide"
        fix = f"--by {deciders[0]!r}, or state another $.cutover.decider"
        problems.append(Problem(message, Position("--by"), fix=fix))
    return problems


def _faults(said: Observation) -> list[Problem]:
    found = [
        Problem(f"longer than {LONGEST_TEXT:,} characters", Position(f"--{each.name.replace('_', '-')}"))
        for each in fields(said)
        if len(getattr(said, each.name)) > LONGEST_TEXT
    ]
    if said.valid_for:
        try:
            parse(said.valid_for, Dimension.DURATION)
        except QuantityError as fault:
            found.append(Problem(str(fault), Position("--valid-for")))
    return found
