"""A runbook as Markdown that is ticked off on the day: one box per step, everything a step needs under it.

Where evidence was recorded, the steps stand in a table with their states, and what is closed is ticked.
"""

from __future__ import annotations

from collections.abc import Iterator

from pipelineplan.bundle.checklist import Checklist, Deadlines, Said, Step
from pipelineplan.bundle.escaping import block, code, markdown
from pipelineplan.bundle.standing import CLOSED, Progress, Standing, counted
from pipelineplan.quantities import say_seconds


def as_checklist_md(checklist: Checklist) -> str:
    """The runbook as one Markdown document."""
    return "\n".join(_lines(checklist)) + "\n"


def _lines(checklist: Checklist) -> Iterator[str]:
    yield f"# {markdown(checklist.title)}"
    yield ""
    yield from _deadlines(checklist.deadlines)
    yield from ("", "## What makes us go back", "")
    yield from (f"- {_said(trigger)}" for trigger in checklist.triggers)
    progress = checklist.progress if checklist.progress is not None and checklist.progress.is_begun else None
    if progress is not None:
        yield from ("", "## Where it stands", "", *_progress(progress))
    yield from ("", "## Steps", "")
    for number, step in enumerate(checklist.steps, start=1):
        yield from _step(number, step, progress.of(step.id) if progress is not None else None)
    if checklist.left_out:
        yield from ("## Left out", "")
        yield from (f"- {markdown(entry.title)}: {markdown(entry.reason)}" for entry in checklist.left_out)
        yield ""
    yield from ("## Open points", "")
    yield from [f"- [ ] {markdown(point)}" for point in checklist.open_points] or ["None."]


def _deadlines(dates: Deadlines) -> Iterator[str]:
    first = dates.earliest
    if first is None:
        yield "**Rollback deadline:** not computable from this plan."
    else:
        until = f", **{markdown(dates.until)}**" if dates.until else ""
        yield (
            f"**Rollback deadline:** {say_seconds(first.seconds)} after {markdown(dates.anchor)}{until}, "
            f"because then {markdown(first.name)}."
        )
    last = dates.point_of_no_return
    yield ""
    yield f"**Point of no return:** {_said(last)}; at the latest the rollback deadline."
    if dates.horizons:
        yield from (
            "",
            "| what ends the way back | after | from | where |",
            "|---|---|---|---|",
        )
    for horizon in dates.horizons:
        cells = (
            markdown(horizon.name),
            say_seconds(horizon.seconds),
            markdown(horizon.formula),
            code(horizon.origin),
        )
        yield f"| {' | '.join(cells)} |"


def _progress(progress: Progress) -> Iterator[str]:
    """Every step with its state, and what of the evidence counts as nothing."""
    as_of = f" as of {progress.as_of}" if progress.as_of else ""
    yield f"{markdown(counted(progress))}{as_of}, by {code(progress.file)}."
    yield from ("", "| step | state | why | by | when |", "|---|---|---|---|---|")
    for each in progress.standings:
        newest = each.newest
        who, when = (newest.by, newest.at) if newest is not None else ("", "")
        cells = (code(each.step), each.state.value, markdown(each.reason), markdown(who), when)
        yield f"| {' | '.join(cells)} |"
    loose = [*progress.others, *(str(problem) for problem in progress.unread)]
    if loose:
        yield ""
    yield from (f"- not counted: {markdown(text)}" for text in loose)


def _evidence(standing: Standing) -> Iterator[str]:
    """The records of a step, newest first."""
    for entry in reversed(standing.entries):
        told = (
            entry.measured or "nothing measured",
            f"by {entry.by}" if entry.by else "",
            f"at {entry.at}",
            entry.note,
            entry.ref,
            f"valid for {entry.valid_for}" if entry.valid_for else "",
        )
        yield f"- **recorded:** {markdown(', '.join(part for part in told if part))} ({code(entry.position)})"


def _step(number: int, step: Step, standing: Standing | None) -> Iterator[str]:
    yield f"### {number}. {markdown(step.title)} ({code(step.id)})"
    box = "x" if standing is not None and standing.state in CLOSED else " "
    yield from ("", f"- [{box}] {markdown(step.does)}")
    rows = (
        ("owner", step.owner),
        ("backup", step.backup),
        ("measure", step.measure),
        ("threshold", step.threshold),
        ("timeout", step.timeout),
        ("way back", step.rollback),
    )
    yield from (f"- **{name}:** {_said(said)}" for name, said in rows)
    if step.valid_for:
        yield f"- **evidence counts for:** {markdown(step.valid_for)}"
    if standing is not None and standing.entries:
        yield f"- **stands:** {standing.state.value}, {markdown(standing.reason)}"
        yield from _evidence(standing)
    if step.command:
        yield from ("", block(step.command, "sh"))
    if step.expect:
        yield from ("", f"Expected: {markdown(step.expect)}")
    yield ""


def _said(said: Said) -> str:
    if said.is_open:
        return f"**open:** {markdown(said.text)}"
    origin = (
        f" ({code(said.origin) if said.origin.startswith('$') else markdown(said.origin)})"
        if said.origin
        else ""
    )
    return f"{markdown(said.text)}{origin}"
