"""The steps of a cutover up to the decision: from the inventory to go or no-go.

    prepare ...  ->  catch-up -> parity -> rehearsal -> go/no-go  ->  ... reads, writes, soak, retire

What comes before is in `preparing`, what comes after the decision in `switching`.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING

from pipelineplan.bundle import commands
from pipelineplan.bundle.checklist import Checklist, LeftOut, Said, Step
from pipelineplan.bundle.deadlines import deadlines
from pipelineplan.bundle.preparing import (
    anchor,
    backfill,
    capacity,
    freeze,
    schema,
    shadow,
)
from pipelineplan.bundle.runbook import Runbook, kind_of
from pipelineplan.bundle.saying import (
    not_stated,
    place,
    simulated_as,
    stated,
)
from pipelineplan.bundle.switching import move_reads, retire, soak, switch_writes
from pipelineplan.gates import GateDecision, GateState
from pipelineplan.plan import Plan

if TYPE_CHECKING:
    from pipelineplan.simulation.result import SimulationResult

Part = Callable[[Runbook], Iterator[Step | LeftOut]]


def cutover(plan: Plan, simulated: SimulationResult | None, gates: tuple[GateDecision, ...]) -> Checklist:
    """The runbook of the cutover, every threshold from the plan or the simulation."""
    book = Runbook(plan, simulated, gates, deadlines(plan, simulated))
    usual = [entry for part in _PARTS for entry in part(book)]
    sharpened = [book.sharpened(entry) if isinstance(entry, Step) else entry for entry in usual]
    steps = tuple(_with_added(book, sharpened))
    left_out = tuple(entry for entry in steps if isinstance(entry, LeftOut))
    kept = tuple(entry for entry in steps if isinstance(entry, Step))
    return Checklist("cutover", f"Cutover of {plan.name}", kept, left_out, book.dates, triggers(plan))


def triggers(plan: Plan) -> tuple[Said, ...]:
    """What makes one go back: the plan's own triggers with their places, or an open point."""
    rollback = plan.model.rollback
    if rollback is None or not rollback.triggers:
        return (not_stated("$.rollback.triggers, each with a number and a time"),)
    path = plan.path(rollback, "triggers")
    return tuple(Said(text, place(plan, (*path, index))) for index, text in enumerate(rollback.triggers))


def _catch_up(book: Runbook) -> Iterator[Step | LeftOut]:
    drain = simulated_as(book.simulated, "drain_seconds", "within {}, the longest simulated drain")
    yield Step(
        "catch-up",
        "Catch-up over one full cycle",
        "Live through one full cycle of the load, its peak included, and stay caught up.",
        book.owner,
        book.backup,
        commands.describe_group(book.group),
        "Lag falls to its usual level and stays there over the peak.",
        Said("age of the oldest unread record, and freshness at the sink"),
        book.alert("lag"),
        drain
        or not_stated("a drain: run `pipelineplan simulate`, or $.cutover.steps[] catch-up with a timeout"),
        Said("stop the new job; the old side serves as before"),
    )


def _parity(book: Runbook) -> Iterator[Step | LeftOut]:
    pairs = book.plan.model.reconciliation
    pair = next(
        (each for each in pairs if each.destination == book.sink.id),
        pairs[0] if pairs else None,
    )
    acceptance = book.plan.model.acceptance
    tolerance = (
        stated(
            book.plan,
            pair,
            "tolerance",
            "$.reconciliation[].tolerance",
            "rows that differ at most {}, both ways",
        )
        if pair is not None and pair.tolerance is not None
        else stated(
            book.plan,
            acceptance,
            "parity_tolerance",
            "$.reconciliation[].tolerance",
            "at most {} differ",
        )
    )
    columns = (*pair.keys, *pair.measures) if pair is not None else ()
    shadow = commands.identifier(f"{book.sink.id}_shadow")
    old = commands.identifier(book.sink.id)
    yield Step(
        "parity",
        "Two-way parity at a frozen event time",
        _parity_words(book),
        book.owner,
        book.backup,
        commands.parity(old, shadow, columns, "", "<FROZEN_EVENT_TIME>"),
        "Both counts are within the tolerance.",
        Said("rows only in the old and rows only in the new output, up to the frozen event time"),
        tolerance,
        book.before_window,
        Said("keep the old output; find the first key that differs"),
    )


def _parity_words(book: Runbook) -> str:
    plan = book.plan.model.cutover
    if plan is not None and plan.parity:
        return plan.parity
    return "Compare old and new output in both directions, at one event time that both have closed."


def _rehearsal(book: Runbook) -> Iterator[Step | LeftOut]:
    reliability = book.plan.model.reliability
    limit = stated(
        book.plan,
        reliability,
        "recovery_time",
        "$.reliability.recovery_time",
        "back on the old side within {}",
    )
    yield Step(
        "rehearse-rollback",
        "Rehearsed rollback",
        "Go back once on purpose, by the rollback checklist, before anything depends on the new side.",
        book.owner,
        book.backup,
        "follow checklists/rollback.md",
        "The old side serves again and parity holds.",
        Said("time from the trigger until the old side serves"),
        limit,
        book.before_window,
        Said("the rehearsal is the rollback"),
    )


def _decide(book: Runbook) -> Iterator[Step | LeftOut]:
    plan = book.plan.model.cutover
    decider = stated(
        book.plan,
        plan.decider if plan else None,
        "primary",
        "$.cutover.decider.primary",
    )
    standing = [d for d in book.gates if d.required and d.state is not GateState.PASS]
    not_passed = ", ".join(f"{d.gate} {d.state.value}" for d in standing) or "none"
    yield Step(
        "go-no-go",
        "Go or no-go",
        f"Decide with the results of the steps before. Required gates not passed: {not_passed}.",
        decider,
        book.backup,
        "pipelineplan verify <BUNDLE>",
        "The bundle is unaltered, every step above has its evidence, and the decider says go by name.",
        Said("required gates that are not passed, and steps above that are not closed"),
        Said("0 open", "counted when the decision is recorded"),
        book.before_window,
        Said("no-go: keep the old side and lift the freeze"),
    )


def _with_added(book: Runbook, made: list[Step | LeftOut]) -> Iterator[Step | LeftOut]:
    """What the plan adds, and what sharpens no usual step that is there, stands before the decision."""
    usual = {kind_of(entry.id) for entry in made if isinstance(entry, Step)}
    added = []
    for own in book.own_steps():
        kind = kind_of(own.id)
        if not kind or kind not in usual:
            added.append(book.added(own))
        usual.discard(kind)  # a second step of the same kind is one of its own
    for entry in made:
        if isinstance(entry, Step) and entry.id == "go-no-go":
            yield from added
        yield entry


_PARTS: tuple[Part, ...] = (
    freeze,
    schema,
    anchor,
    capacity,
    shadow,
    backfill,
    _catch_up,
    _parity,
    _rehearsal,
    _decide,
    move_reads,
    switch_writes,
    soak,
    retire,
)
