"""The first part of a cutover: everything that changes nothing for a reader.

freeze -> schema -> anchor -> capacity and throttle -> shadow output -> backfill
"""

from __future__ import annotations

from collections.abc import Iterator

from pipelineplan.bundle import commands
from pipelineplan.bundle.checklist import LeftOut, Said, Step
from pipelineplan.bundle.runbook import Runbook
from pipelineplan.bundle.saying import not_stated, place, say_value, stated


def freeze(book: Runbook) -> Iterator[Step | LeftOut]:
    """The running system is what the plan says, and stays so."""
    partitions = stated(
        book.plan,
        book.source,
        "partitions",
        f"$.sources[] {book.source.id} partitions",
        "exactly {} partitions, as planned",
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
        Said(f"partitions of {book.source.id}, and whatever else differs from this plan"),
        partitions,
        book.before_window,
        Said("lift the freeze; nothing has changed"),
    )


def schema(book: Runbook) -> Iterator[Step | LeftOut]:
    """New schema versions go out in the order in which readers can read them."""
    contracts = book.plan.model.contracts
    if contracts is None or not contracts.policies:
        yield LeftOut("Schema", "the plan states no contract policy ($.contracts)")
        return
    modes = [
        f"{name} {policy.compatibility}"
        for name, policy in contracts.policies.items()
        if policy.compatibility
    ]
    rollout = "; ".join(f"at {say_value(s.at)} {s.upgrade} to {s.to}" for s in contracts.rollout)
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
        Said(f"0 records dead-lettered, compatibility {', '.join(modes)}", path)
        if modes
        else not_stated("$.contracts.*.compatibility"),
        book.before_window,
        Said("roll back in the order of $.contracts.rollback", path)
        if contracts.rollback
        else not_stated("$.contracts.rollback"),
    )


def anchor(book: Runbook) -> Iterator[Step | LeftOut]:
    """The position to which the old side could go back is written down."""
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


def capacity(book: Runbook) -> Iterator[Step | LeftOut]:
    """The planned workers are there, and what is not live is throttled."""
    policy, replay = book.plan.model.capacity, book.plan.model.replay
    rate = replay.rate_limit if replay is not None else None
    record = book.source.record
    size = record.size if record is not None else None
    wire = size.value / (record.compression or 1.0) if record is not None and size is not None else None
    quota = int(rate.value * wire) if rate is not None and wire is not None else None
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


def shadow(book: Runbook) -> Iterator[Step | LeftOut]:
    """The new side writes beside the old one, unread."""
    cutover_plan = book.plan.model.cutover
    strategy = cutover_plan.strategy if cutover_plan is not None else None
    if strategy == "big_bang":
        yield LeftOut(
            "Shadow output",
            "the strategy is big_bang ($.cutover.strategy): nothing runs beside the old side",
        )
        return
    workers = book.job.parallelism.now if book.job is not None and book.job.parallelism is not None else None
    yield Step(
        "shadow",
        "Shadow output",
        f"Start the new pipeline with its output where no consumer of {book.sink.id} reads it.",
        book.owner,
        book.backup,
        commands.run_job(workers, "--sink", f"{book.sink.id}_shadow"),
        f"The job is RUNNING and {book.sink.id}_shadow grows; no reader of {book.sink.id} sees a change.",
        Said("checkpoints completed, errors, records written to the shadow"),
        book.alert("error_rate"),
        book.before_window,
        Said("stop the new job and drop the shadow table"),
    )


def backfill(book: Runbook) -> Iterator[Step | LeftOut]:
    """Old records run through the new side, isolated and idempotent."""
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
        commands.run_job(None, "--from", replay.start or "<FROM>", "--to", replay.end or "<TO>"),
        "The backfill finishes by itself and its last event time is the end of the range.",
        Said("rows of the range read and written, duplicates by the key"),
        stated(
            book.plan,
            replay,
            "rate_limit",
            "$.replay.rate_limit",
            "0 duplicates by the key, at a rate limit of {} beside live traffic",
        ),
        not_stated("$.cutover.steps[] backfill with a timeout")
        if not book.own_steps()
        else book.before_window,
        Said("stop it and delete the range by the idempotency key; it can be run again"),
    )
