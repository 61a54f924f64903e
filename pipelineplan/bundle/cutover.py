"""The steps of a cutover up to the decision: from the inventory to go or no-go.

    freeze -> schema -> anchor -> capacity -> shadow -> backfill -> catch-up -> parity -> rehearsal -> go/no-go

The second half, which moves reads and writes, is in `switching`.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING

from pipelineplan.bundle import commands
from pipelineplan.bundle.checklist import Checklist, LeftOut, Said, Step
from pipelineplan.bundle.deadlines import deadlines
from pipelineplan.bundle.runbook import Runbook, kind_of
from pipelineplan.bundle.saying import (
    not_stated,
    place,
    say_value,
    simulated_as,
    stated,
)
from pipelineplan.bundle.switching import move_reads, retire, soak, switch_writes
from pipelineplan.gates import GateDecision, GateState
from pipelineplan.plan import Plan

if TYPE_CHECKING:
    from pipelineplan.simulation.result import SimulationResult

Part = Callable[[Runbook], Iterator[Step | LeftOut]]


def cutover(
    plan: Plan, simulated: SimulationResult | None, gates: tuple[GateDecision, ...]
) -> Checklist:
    """The runbook of the cutover, every threshold from the plan or the simulation."""
    book = Runbook(plan, simulated, gates, deadlines(plan, simulated))
    made = [entry for part in _PARTS for entry in part(book)]
    steps = tuple(
        book.sharpened(entry) if isinstance(entry, Step) else entry for entry in made
    )
    left_out = tuple(entry for entry in steps if isinstance(entry, LeftOut))
    kept = tuple(entry for entry in steps if isinstance(entry, Step))
    return Checklist(
        "cutover", f"Cutover of {plan.name}", kept, left_out, book.dates, triggers(plan)
    )


def triggers(plan: Plan) -> tuple[Said, ...]:
    """What makes one go back: the plan's own triggers with their places, or an open point."""
    rollback = plan.model.rollback
    if rollback is None or not rollback.triggers:
        return (not_stated("$.rollback.triggers, each with a number and a time"),)
    path = plan.path(rollback, "triggers")
    return tuple(
        Said(text, place(plan, (*path, index)))
        for index, text in enumerate(rollback.triggers)
    )


def _freeze(book: Runbook) -> Iterator[Step | LeftOut]:
    partitions = stated(
        book.plan,
        book.source,
        "partitions",
        f"$.sources[] {book.source.id} partitions",
        "{} partitions, as planned",
    )
    yield Step(
        "freeze",
        "Inventory and freeze",
        "Compare the running system with the plan, then freeze topics, schemas and jobs until the soak ends.",
        book.owner,
        book.backup,
        "\n".join(
            commands.describe_topic(source.id)
            for source in book.plan.model.sources
            if source.system in {"kafka", "other"}
        ),
        "Partitions, replication and retention as the plan states them; no deployment in the queue.",
        Said("differences between the system and this plan"),
        partitions,
        book.before_window,
        Said("lift the freeze; nothing has changed"),
    )


def _schema(book: Runbook) -> Iterator[Step | LeftOut]:
    contracts = book.plan.model.contracts
    if contracts is None or not contracts.policies:
        yield LeftOut("Schema", "the plan states no contract policy ($.contracts)")
        return
    modes = [
        f"{name} {policy.compatibility}"
        for name, policy in contracts.policies.items()
        if policy.compatibility
    ]
    rollout = "; ".join(
        f"at {say_value(s.at)} {s.upgrade} to {s.to}" for s in contracts.rollout
    )
    path = place(book.plan, book.plan.path(contracts))
    yield Step(
        "schema",
        "Schema",
        f"Deploy schema versions in the order of the rollout: {rollout or 'no order is stated'}.",
        book.owner,
        book.backup,
        f"curl --fail --silent <SCHEMA_REGISTRY>/config/{commands.word(book.source.id + '-value')}",
        "The registry answers with the compatibility of the plan.",
        Said("compatibility mode per dataset, records dead-lettered for their schema"),
        Said(", ".join(modes) + "; 0 records dead-lettered", path)
        if modes
        else not_stated("$.contracts.*.compatibility"),
        book.before_window,
        Said("roll back in the order of $.contracts.rollback", path)
        if contracts.rollback
        else not_stated("$.contracts.rollback"),
    )


def _anchor(book: Runbook) -> Iterator[Step | LeftOut]:
    cdc = book.source.cdc
    path = f"$.sources[] {book.source.id}"
    if cdc is not None:
        threshold = stated(
            book.plan,
            cdc,
            "slot_cap",
            f"{path} cdc.slot_cap",
            "the slot keeps less than {}",
        )
        command, measure = commands.slots(), Said("log kept by the slot, in bytes")
        expect = "The slot exists, is older than the snapshot, and what it keeps stops growing."
    else:
        retention = book.source.retention
        threshold = stated(
            book.plan,
            retention,
            "time",
            f"{path} retention",
            "the anchored offset is younger than {}",
        )
        command = commands.anchor_offsets(book.group, book.source.id, "<ANCHOR_TIME>")
        measure, expect = (
            Said("age of the anchored offset per partition"),
            "One offset per partition, none out of range.",
        )
    yield Step(
        "anchor",
        "Anchor offsets or slot",
        "Write down the position from which the new pipeline reads, and to which the old one could go back.",
        book.owner,
        book.backup,
        command,
        expect,
        measure,
        threshold,
        book.before_window,
        Said("release the slot or the group; the old pipeline is untouched"),
    )


def _capacity(book: Runbook) -> Iterator[Step | LeftOut]:
    policy, replay = book.plan.model.capacity, book.plan.model.replay
    rate = replay.rate_limit if replay is not None else None
    size = book.source.record.size if book.source.record is not None else None
    quota = (
        int(rate.value * size.value) if rate is not None and size is not None else None
    )
    full = stated(
        book.plan,
        policy,
        "max_utilisation",
        "$.capacity.max_utilisation",
        "busiest worker at most {} utilised",
    )
    yield Step(
        "capacity",
        "Capacity and throttle",
        "Bring up the planned workers and throttle what is not live"
        + (f": the replay at {rate.text}." if rate is not None else "."),
        book.owner,
        book.backup,
        commands.throttle(book.group, quota),
        "The quota, which holds per broker, is listed; every planned worker is registered.",
        Said("busyTimeMsPerSecond of the busiest subtask, divided by 1,000"),
        full,
        book.before_window,
        Said("remove the quota, scale back"),
    )


def _shadow(book: Runbook) -> Iterator[Step | LeftOut]:
    cutover_plan = book.plan.model.cutover
    strategy = cutover_plan.strategy if cutover_plan is not None else None
    if strategy == "big_bang":
        yield LeftOut(
            "Shadow output",
            "the strategy is big_bang ($.cutover.strategy): nothing runs beside the old side",
        )
        return
    workers = (
        book.job.parallelism.now
        if book.job is not None and book.job.parallelism is not None
        else None
    )
    yield Step(
        "shadow",
        "Shadow output",
        f"Start the new pipeline with its output beside the old one, where no consumer of {book.sink.id} reads it.",
        book.owner,
        book.backup,
        commands.run_job(workers, "--sink", f"{book.sink.id}_shadow"),
        f"The job is RUNNING and {book.sink.id}_shadow grows; no reader of {book.sink.id} sees a change.",
        Said("checkpoints completed, errors, records written to the shadow"),
        book.alert("error_rate"),
        book.before_window,
        Said("stop the new job and drop the shadow table"),
    )


def _backfill(book: Runbook) -> Iterator[Step | LeftOut]:
    replay = book.plan.model.replay
    if replay is None or replay.input is None:
        yield LeftOut("Backfill", "the plan replays nothing ($.replay)")
        return
    isolated = f"{say_value(replay.isolation)} " if replay.isolation else ""
    yield Step(
        "backfill",
        "Backfill",
        f"Replay {replay.start or '<FROM>'} to {replay.end or '<TO>'} from the {replay.input}, {isolated}"
        f"idempotent by {', '.join(replay.idempotent_by) or '<KEY>'}.",
        book.owner,
        book.backup,
        commands.run_job(
            None, "--from", replay.start or "<FROM>", "--to", replay.end or "<TO>"
        ),
        "The backfill finishes by itself and its last event time is the end of the range.",
        Said("rows of the range read and written, duplicates by the key"),
        stated(
            book.plan,
            replay,
            "rate_limit",
            "$.replay.rate_limit",
            "at most {} beside live traffic, 0 duplicates",
        ),
        not_stated("$.cutover.steps[] backfill with a timeout")
        if not book.own_steps()
        else book.before_window,
        Said(
            "stop it and delete the range by the idempotency key; it can be run again"
        ),
    )


def _catch_up(book: Runbook) -> Iterator[Step | LeftOut]:
    drain = simulated_as(
        book.simulated, "drain_seconds", "within {}, the longest simulated drain"
    )
    yield Step(
        "catch-up",
        "Catch-up over one full cycle",
        "Let the new pipeline live through one full cycle of the load, its peak included, and stay caught up.",
        book.owner,
        book.backup,
        commands.describe_group(book.group),
        "Lag falls to its usual level and stays there over the peak.",
        Said("age of the oldest unread record, and freshness at the sink"),
        book.alert("lag"),
        drain
        or not_stated(
            "a drain: run `pipelineplan simulate`, or $.cutover.steps[] catch-up with a timeout"
        ),
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
        Said(
            "rows only in the old and rows only in the new output, up to the frozen event time"
        ),
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
        f"Decide with the results of the steps before; required gates not passed in this bundle: {not_passed}.",
        decider,
        book.backup,
        "pipelineplan verify <BUNDLE>",
        "The bundle is unaltered, every step above has its evidence, and the decider says go by name.",
        Said("required gates that are not passed"),
        Said("0 required gates open", "the gates of this bundle"),
        book.before_window,
        Said("no-go: keep the old side and lift the freeze"),
    )


def _own(book: Runbook) -> Iterator[Step | LeftOut]:
    """What the plan adds that is none of the usual steps stands before the decision."""
    yield from (book.added(own) for own in book.own_steps() if not kind_of(own.id))


_PARTS: tuple[Part, ...] = (
    _freeze,
    _schema,
    _anchor,
    _capacity,
    _shadow,
    _backfill,
    _catch_up,
    _parity,
    _rehearsal,
    _own,
    _decide,
    move_reads,
    switch_writes,
    soak,
    retire,
)
