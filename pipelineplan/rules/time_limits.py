"""EVT3, EVT4: idle partitions that come back, clocks that run ahead, replays, late routes, repeated panes.

now |---- max skew ----> a record from the future moves the watermark, and everything behind it is late
"""

from __future__ import annotations

import math
from collections.abc import Iterator

from pipelineplan.plan import Plan
from pipelineplan.plan.semantics import disorder_of, disorder_operand, sources_above
from pipelineplan.plan.sink import Sink
from pipelineplan.plan.source import Source, Watermark
from pipelineplan.plan.stage import Stage
from pipelineplan.quantities import Dimension, say_seconds
from pipelineplan.rules.claim import Change, Claim, Evaluation
from pipelineplan.rules.inequality import at_most, statement
from pipelineplan.rules.registry import ADVICE, BY_LEVEL, rule
from pipelineplan.verdicts import Operand


def _windowed(plan: Plan) -> Iterator[tuple[Source, Stage]]:
    for stage in plan.model.stages:
        for source in sources_above(plan, stage.id) if stage.window is not None else ():
            yield source, stage


def _watermark(source: Source) -> Watermark | None:
    return source.semantics.watermark if source.semantics is not None else None


@rule(
    "EVT302",
    title="A partition counts as idle only after a silence that is not normal",
    why="A partition that was counted out while it merely paused comes back with records that are late.",
    formula="normal_gap <= idle_timeout",
    bad="normal_gap: 5 min with idle_timeout: 1 min",
    good="normal_gap: 5 s with idle_timeout: 45 s",
    fix="raise watermark.idle_timeout above semantics.normal_gap",
    source="Apache Flink documentation, dealing with idle sources; FLINK-40503",
    severity=ADVICE,
)
def idle_is_not_normal(plan: Plan) -> Iterator[Claim]:
    """`normal_gap <= idle_timeout` for every source that states both."""
    for source in plan.model.sources:
        idle = plan.operand("idle", _watermark(source), "idle_timeout", "idle timeout")
        gap = plan.operand("gap", source.semantics, "normal_gap", "longest normal silence")
        if idle is None or gap is None:
            continue
        yield _gap_claim(plan, source, gap, idle)


def _gap_claim(plan: Plan, source: Source, gap: Operand, idle: Operand) -> Claim:
    return at_most(
        plan.path(source, "semantics", "watermark", "idle_timeout"),
        source.id,
        gap,
        idle,
        lambda e: (
            f"a partition of {source.id!r} may be silent for {e.left_shown}; it counts as idle after "
            f"{e.right_shown}"
        ),
        changes=(Change("idle", rises=True),),
    )


@rule(
    "EVT401",
    title="One bad clock cannot make everybody late",
    why="A record from the future carries the watermark with it, and every honest record behind it is "
    "late; no counter shows a fault.",
    formula="max_skew + disorder at p99.9 <= B + L, or records from the future are rejected or clamped",
    bad="max_skew: 2 h, future: accept, lag 30 s, allowed lateness 5 min",
    good="max_skew: 2 s, future: reject, with an owner",
    fix="state clock.future: reject or clamp with a future_owner, or widen the watermark",
    source="laminardb/laminardb#388; turbolytics/sql-flow#358; feldera/feldera#5629",
    severity=BY_LEVEL,
)
def future_is_bounded(plan: Plan) -> Iterator[Claim]:
    """The clock's skew against the patience of every window, unless the future is turned away."""
    for source, stage in _windowed(plan):
        clock = source.semantics.clock if source.semantics is not None else None
        if clock is None:
            continue
        path, subject = plan.path(clock), f"{source.id} {stage.id}"
        if clock.future in {"reject", "clamp"}:
            done = {"reject": "rejected", "clamp": "clamped to the present"}[clock.future]
            what = (
                f"records of {source.id!r} from the future are {done}, and "
                f"{clock.future_owner or 'nobody'} looks after them"
            )
            yield statement((*path, "future"), subject, what, true=clock.future_owner is not None)
        elif clock.max_skew is not None:
            yield _skew_claim(plan, source, stage)


def _skew_claim(plan: Plan, source: Source, stage: Stage) -> Claim:
    clock = source.semantics.clock if source.semantics is not None else None
    disorder = disorder_of(plan, source)
    behind = disorder.quantile_bounds(0.999) if disorder is not None else (0.0, 0.0)
    operands = (
        plan.operand("skew", clock, "max_skew", "largest clock skew"),
        disorder_operand(plan, source),
        plan.operand("B", _watermark(source), "lag", "watermark lag"),
        plan.operand("L", stage.window, "allowed_lateness", "allowed lateness"),
    )
    patience = [operand.symbol for operand in operands[2:] if operand is not None]
    return Claim(
        plan.path(source, "semantics", "clock", "max_skew"),
        f"{source.id} {stage.id}",
        tuple(operand for operand in operands if operand is not None),
        left=lambda v: (v["skew"] + behind[0], v["skew"] + behind[1]),
        right=lambda v: (sum(v[symbol] for symbol in patience),) * 2,
        dimension=Dimension.DURATION,
        says=lambda e: (
            f"a clock of {source.id!r} that is {say_seconds(e.values['skew'])} ahead makes records at p99.9 "
            f"late by {_late_by(e)}; {stage.id!r} waits for {e.right_shown}"
        ),
        changes=(Change("skew", rises=False), *(Change(symbol, rises=True) for symbol in patience)),
    )


def _late_by(evaluation: Evaluation) -> str:
    """How late, or that the quantiles stop before p99.9."""
    low, high = evaluation.left
    if math.isfinite(high):
        return f"up to {evaluation.left_shown}"
    return f"{say_seconds(low)} or more (state semantics.disorder.p99.9)"


@rule(
    "EVT402",
    title="A replay keeps a watermark for each partition",
    why="Partitions are read at different speeds in a replay; a watermark over all of them runs with "
    "the fastest, and the slow ones are late as a whole.",
    formula="watermark.scope = per_partition, where a replay reads a topic with several partitions",
    bad="scope: merged with replay: {input: topic}: 24.8 % of all records dropped in one measured case",
    good="scope: per_partition",
    fix="state watermark.scope: per_partition and assign watermarks in the source",
    source="confluentinc/kafka-tutorials#1229; apache/beam#39822; SPARK-24730",
    severity=BY_LEVEL,
)
def replay_scope(plan: Plan) -> Iterator[Claim]:
    """The scope of every watermark before a window, in a plan that replays."""
    if plan.model.replay is None:
        return
    for source, stage in _windowed(plan):
        watermark = _watermark(source)
        if watermark is None or (source.partitions or 1) < 2:
            continue
        path, subject = plan.path(watermark, "scope"), f"{source.id} {stage.id}"
        if watermark.scope is None:
            missing = f"cannot say what a replay of {source.id!r} drops: state watermark.scope"
            yield Claim(path, subject, missing=missing)
            continue
        apart = watermark.scope == "per_partition"
        what = (
            f"the watermark of {source.id!r} is kept for each partition in a replay"
            if apart
            else f"the watermark of {source.id!r} is taken over all partitions together: in a replay it runs "
            "with the fastest, and records of the slower ones are late"
        )
        yield statement(path, subject, what, true=apart)


@rule(
    "EVT403",
    title="Late records have an owner",
    why="What a side output collects and nobody reads is dropped with more steps.",
    formula="late.to: side_output or correction: late.owner stated",
    bad="late: {to: side_output}",
    good="late: {to: side_output, owner: web-data, alert: 0.5 %}",
    fix="state late.owner: and late.alert:",
    source="confluentinc/ksql#6563, of records that nobody looks at",
    severity=ADVICE,
)
def late_records_are_owned(plan: Plan) -> Iterator[Claim]:
    """The owner of every route for late records that keeps them."""
    for stage in plan.model.stages:
        if stage.late is None or stage.late.to == "drop":
            continue
        owner = stage.late.owner
        what = f"late records of {stage.id!r} go to a {stage.late.to.replace('_', ' ')}"
        said = f"{what}, looked after by {owner}" if owner else f"{what} that nobody looks after"
        yield statement(plan.path(stage, "late"), stage.id, said, true=owner is not None)


@rule(
    "EVT404",
    title="What a window sends again fits what the sink does with it",
    why="An accumulating window sends the whole again and a discarding one only the rest: the first "
    "counts twice where it is appended, the second loses what it overwrites.",
    formula="accumulating needs an upsert or changelog sink, discarding an appending one, where a window "
    "fires more than once",
    bad="accumulation: accumulating into mode: append, with an allowed lateness",
    good="accumulation: accumulating into mode: upsert",
    fix="change window.accumulation or the sink's mode",
    source="Akidau et al., The Dataflow Model, PVLDB 8(12), 2015, section 2.3",
    severity=BY_LEVEL,
)
def accumulation_fits(plan: Plan) -> Iterator[Claim]:
    """Accumulation against the mode of every sink that the window is written to directly."""
    for sink in plan.model.sinks:
        for edge in plan.graph.into(sink.id):
            stage = plan.stage(edge.upstream) if plan.graph.kinds[edge.upstream] == "stage" else None
            if (
                stage is not None
                and stage.window is not None
                and sink.mode is not None
                and _fires_again(stage)
            ):
                yield _accumulation_claim(plan, stage, sink)


def _fires_again(stage: Stage) -> bool:
    window = stage.window
    return window is not None and bool(window.allowed_lateness and window.allowed_lateness.value > 0)


def _accumulation_claim(plan: Plan, stage: Stage, sink: Sink) -> Claim:
    stated = stage.window.accumulation if stage.window is not None else None
    kind = stated or ("accumulating" if stage.engine == "flink" else None)  # Flink does not purge by itself
    path, subject = plan.path(stage, "window"), f"{stage.id} {sink.id}"
    if kind is None:
        missing = f"{stage.id!r} fires again for late records into {sink.id!r}: state window.accumulation"
        return Claim(path, subject, missing=missing)
    fits = (kind == "accumulating") == (sink.mode in {"upsert", "changelog"})
    harm = "late records count twice" if kind == "accumulating" else "the first part is overwritten"
    what = (
        f"{stage.id!r} fires again for late records ({kind}) into {sink.id!r}, which does {sink.mode}"
        f"{'' if fits else ': ' + harm}"
    )
    return statement((*path, "accumulation") if stated else path, subject, what, true=fits)
