"""ORD: does the order that is promised survive retries and exchanges, and does the reader stay in its group?

poll N records |-- r1 -- r2 -- wait -- r2 again -- ... -- rN --|  before max.poll.interval
"""

from __future__ import annotations

import math
from collections.abc import Iterator

from pipelineplan.plan import Plan
from pipelineplan.plan.load import Values
from pipelineplan.plan.source import Source
from pipelineplan.plan.stage import Stage
from pipelineplan.quantities import Dimension
from pipelineplan.rules.claim import Change, Claim
from pipelineplan.rules.delivery import mean_wait_seconds
from pipelineplan.rules.inequality import inequality, statement
from pipelineplan.rules.registry import BY_LEVEL, rule
from pipelineplan.verdicts import Operand

_POLLS = {"kafka_streams", "custom", None}
_NORMAL_99 = 2.326  # the 99 % quantile of the standard normal distribution


@rule(
    "ORD101",
    title="A reader polls again before it is thrown out of its group",
    why="A member that does not poll within the interval loses its partitions; the next one reads the "
    "same records as slowly, and the group rebalances for ever.",
    formula="N * t99 + waits of one record that fails every attempt < max.poll.interval   "
    "(t99: 99 % quantile of a lognormal service time of mean 1/μ)",
    bad="500 records of 0.7 s each: 350 s against 5 min",
    good="100 records of 0.7 s each: 70 s against 5 min",
    fix="lower consumer.max_poll_records, raise max_poll_interval, or retry without blocking",
    source="spring-projects/spring-kafka#2337; fasten-project/fasten#183; KIP-62",
    severity=BY_LEVEL,
)
def polls_in_time(plan: Plan) -> Iterator[Claim]:
    """`N * t99 + waits < interval` for every Kafka source that a polling engine reads."""
    for source in plan.model.sources:
        if source.consumer is None or source.system != "kafka":
            continue
        for edge in plan.graph.out_of(source.id):
            stage = plan.stage(edge.downstream) if plan.graph.kinds[edge.downstream] == "stage" else None
            if stage is not None and stage.engine in _POLLS and stage.capacity is not None:
                yield _poll_claim(plan, source, stage)


def _poll_claim(plan: Plan, source: Source, stage: Stage) -> Claim:
    path = plan.path(source, "consumer")
    records = plan.operand("N", source.consumer, "max_poll_records", "records of one poll")
    interval = plan.operand("interval", source.consumer, "max_poll_interval", "max.poll.interval")
    spread = plan.operand("c", stage, "service_cv", "coefficient of variation of the service time")
    waits = _blocked_seconds(stage)
    return inequality(
        path,
        f"{source.id} {stage.id}",
        (
            records or plan.assumed("N", "records of one poll", 500, None, path, (500, 500)),
            plan.operand("μ", stage, "capacity", "capacity of a worker"),
            spread or plan.assumed("c", "coefficient of variation", 0.0, None, path, (0.0, 1.0)),
            interval
            or plan.assumed("interval", "max.poll.interval", 300.0, Dimension.DURATION, path, (300.0, 300.0)),
        ),
        lambda v: v["N"] * _slow_record_seconds(v) + waits,
        lambda v: v["interval"],
        lambda e: (
            f"one poll of {source.id!r} keeps {stage.id!r} busy for up to {e.left_shown}; after "
            f"{e.right_shown} without a poll it loses its partitions"
        ),
        changes=(
            Change("N", rises=False, whole=True),
            Change("interval", rises=True),
            Change("μ", rises=True),
        ),
    )


def _slow_record_seconds(values: Values) -> float:
    """The 99 % quantile of a lognormal time with mean `1/μ` and coefficient of variation `c`."""
    variance = math.log1p(values["c"] ** 2)
    return (
        math.exp(_NORMAL_99 * math.sqrt(variance) - variance / 2) / values["μ"] if values["μ"] else math.inf
    )


def _blocked_seconds(stage: Stage) -> float:
    if stage.retry is None or not stage.retry.blocking:
        return 0.0
    return mean_wait_seconds(stage, stage.retry.attempts)


@rule(
    "ORD102",
    title="What is tried again does not overtake",
    why="A record that waits in a retry topic comes back behind later records of its own key, and an old "
    "state overwrites a newer one.",
    formula="ordering by key, partition or in all: retry.blocking, or a sink that compares versions",
    bad="ordering: per_key with retry: {blocking: false} into an upsert without a version",
    good="the same with cdc.version, by which the sink keeps the newer state",
    fix="retry with blocking: true, state cdc.version: and merge by it, or do not promise an order",
    source="Kafka: ordering holds within a partition; a retry topic is another one",
    severity=BY_LEVEL,
)
def retries_keep_order(plan: Plan) -> Iterator[Claim]:
    """Every stage that retries without blocking, below a source whose order is promised."""
    for stage in plan.model.stages:
        if stage.retry is None or stage.retry.blocking:
            continue
        for source in _ordered_above(plan, stage.id):
            merged = source.cdc is not None and source.cdc.version is not None
            what = (
                f"stage {stage.id!r} lets later records pass the ones it tries again; {source.id!r} promises "
                f"an order {_said(source)}"
            )
            by = f", and {source.cdc.version!r} tells which state is newer" if merged and source.cdc else ""
            yield statement(plan.path(stage, "retry"), f"{stage.id} {source.id}", what + by, true=merged)


@rule(
    "ORD103",
    title="No exchange mixes what was in order",
    why="Rebalancing deals the records of one key out to several workers, which then race each other.",
    formula="ordering by key: every exchange forward or keyed",
    bad="ordering: per_key with {from: orders, exchange: rebalance}",
    good="ordering: per_key with {from: orders, exchange: keyed, key: order_id}",
    fix="use exchange: keyed by the same key, or do not promise an order",
    source="Apache Flink documentation, physical partitioning",
    severity=BY_LEVEL,
)
def exchanges_keep_order(plan: Plan) -> Iterator[Claim]:
    """Every exchange below a source whose order is promised."""
    for place, stage in enumerate(plan.model.stages):
        for index, read in enumerate(stage.inputs):
            for source in _ordered_above(plan, stage.id):
                if source.id != read.upstream and source.id not in plan.graph.above(read.upstream):
                    continue
                what = f"{stage.id!r} reads {read.upstream!r} by exchange {read.exchange}; "
                yield statement(
                    ("stages", place, "inputs", index),
                    f"{stage.id} {source.id} {read.upstream}",
                    f"{what}{source.id!r} promises an order {_said(source)}"
                    f"{', which rebalancing mixes' if read.exchange == 'rebalance' else ''}",
                    true=read.exchange != "rebalance",
                )


@rule(
    "ORD104",
    title="A total order has one partition",
    why="A log keeps order within a partition and nowhere else.",
    formula="ordering total: partitions <= 1",
    bad="ordering: total with partitions: 12",
    good="ordering: per_key with partitions: 12",
    fix="promise an order per key, or use one partition",
    source="Apache Kafka documentation, topics and partitions",
    severity=BY_LEVEL,
)
def total_order(plan: Plan) -> Iterator[Claim]:
    """`partitions <= 1` for every source that promises a total order."""
    for source in plan.model.sources:
        partitions = plan.operand("P", source, "partitions", "partitions")
        if source.semantics is None or source.semantics.ordering != "total" or partitions is None:
            continue
        yield _total_claim(plan, source, partitions)


def _total_claim(plan: Plan, source: Source, partitions: Operand) -> Claim:
    return inequality(
        plan.path(source, "partitions"),
        source.id,
        (partitions,),
        lambda v: v["P"],
        lambda _: 1.0,
        lambda e: (
            f"{source.id!r} promises a total order over {e.values['P']:.0f} "
            f"partition{'s' if e.values['P'] > 1 else ''}"
        ),
        dimension=None,
        changes=(Change("P", rises=False, whole=True),),
    )


def _ordered_above(plan: Plan, node: str) -> tuple[Source, ...]:
    above = [plan.source(name) for name in plan.graph.above(node) if plan.graph.kinds[name] == "source"]
    return tuple(s for s in above if s.semantics is not None and s.semantics.ordering not in {None, "none"})


def _said(source: Source) -> str:
    ordering = source.semantics.ordering if source.semantics is not None else None
    return {"per_key": "per key", "per_partition": "per partition", "total": "over all records"}[
        str(ordering)
    ]
