"""The two other runbooks: going back, and launching where there is nothing to cut over from.

rollback   trigger -> readers back -> stop new -> old from anchor -> catch up -> parity -> tell
launch     gates -> alarms -> start -> first checkpoint -> promises -> outage drill -> soak
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

from pipelineplan.bundle import commands
from pipelineplan.bundle.checklist import Checklist, LeftOut, Said, Step
from pipelineplan.bundle.cutover import triggers
from pipelineplan.bundle.deadlines import deadlines, until_deadline
from pipelineplan.bundle.runbook import Runbook
from pipelineplan.bundle.saying import not_stated, place, simulated_as, stated
from pipelineplan.bundle.switching import soak
from pipelineplan.gates import GateDecision
from pipelineplan.plan import Plan

if TYPE_CHECKING:
    from pipelineplan.simulation.result import SimulationResult


def rollback(plan: Plan, simulated: SimulationResult | None, gates: tuple[GateDecision, ...]) -> Checklist:
    """The way back, with the deadline after which there is none."""
    book = Runbook(plan, simulated, gates, deadlines(plan, simulated))
    parts = (_trigger, _readers_back, _stop_new, _planned, _old_from_anchor, _old_caught_up, _tell)
    made = [entry for part in parts for entry in part(book)]
    steps = tuple(entry for entry in made if isinstance(entry, Step))
    left_out = tuple(entry for entry in made if isinstance(entry, LeftOut))
    return Checklist(
        "rollback",
        f"Rollback of {plan.name}",
        steps,
        left_out,
        book.dates,
        triggers(plan),
    )


def launch(plan: Plan, simulated: SimulationResult | None, gates: tuple[GateDecision, ...]) -> Checklist:
    """The first start of a pipeline that replaces nothing."""
    book = Runbook(plan, simulated, gates, deadlines(plan, simulated))
    made = [entry for part in (_alarms, _begin, _promises, _drill, soak) for entry in part(book)]
    steps = tuple(entry for entry in made if isinstance(entry, Step))
    return Checklist("launch", f"Launch of {plan.name}", steps, (), book.dates, triggers(plan))


def _fallback(book: Runbook) -> Said:
    """What is done when the way back does not work."""
    return stated(book.plan, book.plan.model.rollback, "fallback", "$.rollback.fallback", "fallback: {}")


def _limit(book: Runbook) -> Said:
    section = book.plan.model.reliability
    return stated(
        book.plan,
        section,
        "recovery_time",
        "$.reliability.recovery_time",
        "within {} of the trigger",
    )


def _trigger(book: Runbook) -> Iterator[Step | LeftOut]:
    cutover = book.plan.model.cutover
    decider = stated(book.plan, cutover.decider if cutover else None, "primary", "$.cutover.decider.primary")
    first = triggers(book.plan)[0]
    yield Step(
        "trigger",
        "Trigger and decision",
        "A trigger has fired: check that the way back is still open, and decide.",
        decider,
        book.backup,
        commands.describe_group(book.group),
        "The trigger is seen in the measurement and not only in one alert.",
        Said("the triggers above"),
        first,
        until_deadline(book.dates),
        Said("no rollback: write down why the trigger was false"),
    )


def _readers_back(book: Runbook) -> Iterator[Step | LeftOut]:
    yield Step(
        "readers-back",
        "Readers back",
        f"Set the share of reads of {book.sink.id} on the new output to 0 %.",
        book.owner,
        book.backup,
        f"<ROUTER> set {commands.word(book.sink.id)} --new-share 0",
        "Every read is served by the old output.",
        Said("reads of the new output per minute"),
        Said("0 reads", "all readers are back"),
        _limit(book),
        Said("set the share forward again"),
    )


def _stop_new(book: Runbook) -> Iterator[Step | LeftOut]:
    yield Step(
        "stop-new",
        "Stop and fence the new writer",
        f"Stop the new job with a savepoint and take its right to write {book.sink.id}.",
        book.owner,
        book.backup,
        f"{commands.stop_job()}\n"
        + commands.psql(
            f"REVOKE INSERT, UPDATE, DELETE ON {commands.identifier(book.sink.id)} FROM <NEW_WRITER_ROLE>;"
        ),
        "The job is FINISHED with a savepoint path.",
        Said("commits by the new writer after the fence"),
        Said("0 commits by the new writer", "one writer at a time"),
        _limit(book),
        Said("start the new job from its savepoint"),
    )


def _planned(book: Runbook) -> Iterator[Step | LeftOut]:
    """The plan's own steps, in its words."""
    section = book.plan.model.rollback
    if section is None or not section.steps:
        yield LeftOut("The plan's own steps", "the plan states none ($.rollback.steps)")
        return
    path = book.plan.path(section, "steps")
    for index, text in enumerate(section.steps):
        where = place(book.plan, (*path, index))
        yield Step(
            f"planned-{index + 1}",
            f"As planned, {index + 1} of {len(section.steps)}",
            text,
            book.owner,
            book.backup,
            "",
            "",
            Said("done, seen by a second person", where),
            Said("done", where),
            _limit(book),
            _fallback(book),
        )


def _old_from_anchor(book: Runbook) -> Iterator[Step | LeftOut]:
    yield Step(
        "old-from-anchor",
        "Old side from its anchor",
        "Start the old pipeline from its anchored position; what it writes again must be idempotent.",
        book.owner,
        book.backup,
        commands.slots()
        if book.source.cdc is not None
        else commands.anchor_offsets("<OLD_GROUP>", book.source.id, "<ANCHOR_TIME>"),
        "The anchored position still exists.",
        Said("the anchored position against the oldest that is kept"),
        until_deadline(book.dates),
        _limit(book),
        _fallback(book),
    )


def _old_caught_up(book: Runbook) -> Iterator[Step | LeftOut]:
    drain = simulated_as(book.simulated, "drain_seconds", "within {}, the longest simulated drain")
    yield Step(
        "old-caught-up",
        "Old side caught up",
        "Wait until the old pipeline has worked off what came since its anchor.",
        book.owner,
        book.backup,
        commands.describe_group("<OLD_GROUP>"),
        "Lag falls to its usual level.",
        Said("age of the oldest unread record"),
        book.alert("lag"),
        drain or not_stated("a drain: run `pipelineplan simulate`"),
        _fallback(book),
    )


def _tell(book: Runbook) -> Iterator[Step | LeftOut]:
    yield Step(
        "tell",
        "Tell and record",
        "Tell every consumer that reads are back, and record what fired, when, and what was seen.",
        book.owner,
        book.backup,
        "",
        "Every consumer has confirmed.",
        Said("consumers told: " + (", ".join(book.sink.consumers) or "<CONSUMERS>")),
        Said("all of them"),
        _limit(book),
        Said("none is needed"),
    )


def _alarms(book: Runbook) -> Iterator[Step | LeftOut]:
    operations = book.plan.model.operations
    on_call = operations.on_call if operations is not None else None
    yield Step(
        "alarms",
        "Alarms and on-call",
        "Let each alert fire once on purpose, and see that it reaches the one who is called.",
        stated(book.plan, on_call, "team", "$.operations.on_call.team"),
        book.backup,
        "",
        "Each alert of the plan has reached a person.",
        Said("alerts that fired and were answered"),
        stated(
            book.plan,
            on_call,
            "respond_within",
            "$.operations.on_call.respond_within",
            "answered within {}",
        ),
        book.before_window,
        Said("do not start"),
    )


def _begin(book: Runbook) -> Iterator[Step | LeftOut]:
    workers = book.job.parallelism.now if book.job is not None and book.job.parallelism is not None else None
    yield Step(
        "start",
        "Start",
        "Start the pipeline and see its first checkpoint complete.",
        book.owner,
        book.backup,
        commands.run_job(workers),
        "The job is RUNNING and its first checkpoint is completed.",
        Said("duration of the first checkpoints"),
        book.alert("checkpoint"),
        book.in_window,
        Said(f"stop it: {commands.stop_job()}"),
    )


def _promises(book: Runbook) -> Iterator[Step | LeftOut]:
    yield Step(
        "promises",
        "Promises over one full cycle",
        "Hold the pipeline against its promises over one full cycle, its peak included.",
        book.owner,
        book.backup,
        commands.describe_group(book.group),
        "Freshness stays within its promise at peak.",
        Said("freshness at the sink by percentile, lag"),
        book.freshness(),
        stated(
            book.plan,
            book.plan.model.acceptance,
            "post_launch_window",
            "$.acceptance.post_launch_window",
            "within {}",
        ),
        Said(f"stop it: {commands.stop_job()}"),
    )


def _drill(book: Runbook) -> Iterator[Step | LeftOut]:
    drain = simulated_as(book.simulated, "drain_seconds", "drained within {}, the longest simulated drain")
    yield Step(
        "drill",
        "Outage drill",
        "Take something away that the plan claims to survive, and measure the drain.",
        book.owner,
        book.backup,
        commands.stop_job(),
        "Lag rises while it is away and falls to its usual level after.",
        Said("time from the restart until lag is at its usual level"),
        drain or not_stated("$.outages[].drain_target, and run `pipelineplan simulate`"),
        book.in_window,
        Said("start it again from its last checkpoint"),
    )
