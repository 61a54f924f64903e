"""CAP3: does the log keep what nobody has read yet, and what does a reader do whose position is gone?

|-- R, what is kept --------------|
         |-- detect, repair, restart --|  the oldest unread record: expired
earliest goes on after the hole     latest skips to now     none stops, and somebody is called
"""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass

from pipelineplan.plan import Plan, capacity
from pipelineplan.plan.jobs import readers_of, stopped_readers
from pipelineplan.plan.load import Values, average_rate, peak_rate
from pipelineplan.plan.objectives import Outage
from pipelineplan.plan.recovery import Downtime, downtime, slowest_downtime
from pipelineplan.plan.source import Source
from pipelineplan.quantities import Dimension, say_seconds, say_share
from pipelineplan.rules.capacity import Busiest, busiest_worker
from pipelineplan.rules.claim import Bounds, Change, Claim, Evaluation
from pipelineplan.rules.inequality import inequality, statement
from pipelineplan.rules.registry import ADVICE, BY_LEVEL, rule
from pipelineplan.verdicts import Operand


@rule(
    "CAP301",
    title="Nothing expires unread",
    why="A log that keeps less than the oldest unread record's age loses records silently, and a reset "
    "to the latest offset loses the more the further behind it is.",
    formula="margin * (T) <= R, R = min(retention time, bytes per partition / bytes per second); "
    "if s_w * λ > μ: time to loss (R - T) / (1 - μ / (s_w * λ))",
    bad="retention: 3 h with outages of 2 h, at a margin of 2",
    good="retention: 7 d with outages of 2 h",
    fix="raise the retention of the source, or let its readers catch up sooner",
    source="apache/pinot#19359; PostHog/posthog#20283",
    severity=BY_LEVEL,
)
def nothing_expires(plan: Plan) -> Iterator[Claim]:
    """`margin * T <= R` for every source with a retention and every declared outage."""
    for source in plan.model.sources:
        for outage in plan.model.outages:
            if source.retention is not None:
                yield from _retention_claims(plan, source, outage)


@dataclass(frozen=True)
class Kept:
    """How long the log of a source keeps a record: by time, and by bytes of its fullest partition at peak."""

    operands: tuple[Operand, ...]
    rate: str = ""

    def seconds(self, values: Values) -> float:
        """The shorter of the two."""
        by_time = values.get("R", math.inf)
        if "R_bytes" not in values:
            return by_time
        partitions = max(1, int(values["P"]))
        share = capacity.forward_share(partitions, partitions, values.get("h", 0.0))
        filling = values["b"] * values[self.rate] * share
        return min(by_time, values["R_bytes"] / filling if filling else math.inf)


def kept_of(plan: Plan, source: Source) -> Kept | str | None:
    """What the retention of `source` comes to, or what the plan must state first; None without one."""
    time = plan.operand("R", source.retention, "time", "retention")
    room = plan.operand("R_bytes", source.retention, "bytes_per_partition", "bytes kept of a partition")
    if room is None:
        return Kept((time,)) if time is not None else None
    rate = peak_rate(plan, source)
    size = plan.operand("b", source.record, "size", "size of a record")
    partitions = plan.operand("P", source, "partitions", "partitions")
    if rate is None or size is None or partitions is None:
        return (
            f"cannot say for how long {room.shown} last in a partition of {source.id!r}: state its rate, "
            "partitions and record.size"
        )
    hottest = plan.operand("h", source.keys, "hottest_key", "share of the hottest key")
    known = (time, room, rate, size, partitions, hottest)
    return Kept(tuple(operand for operand in known if operand is not None), rate.symbol)


def _retention_claims(plan: Plan, source: Source, outage: Outage) -> Iterator[Claim]:
    kept = kept_of(plan, source)
    readers = stopped_readers(plan, source, outage)
    if kept is None or not readers:
        return
    if isinstance(kept, str):
        name = f"{source.id} {outage.id or outage.of}"
        yield Claim(plan.path(source, "retention"), name, missing=kept)
        return
    margin = plan.assumed("margin", "margin on retention", 2.0, None, plan.path(source), (1.0, 3.0))
    worker = max(
        (w for s in readers if not isinstance(w := busiest_worker(plan, s), str)), default=None, key=_full
    )
    down = downtime(plan, outage, worker.stage if worker else readers[0])
    rates = worker.operands if worker else ()

    def left(values: Values) -> Bounds:
        piled_up = values["margin"] * down.piled_up(values)
        if worker is None:
            return (piled_up, math.inf)  # nobody knows whether the readers ever catch up
        return _twice(
            values["margin"]
            * capacity.oldest_unread_seconds(worker.utilisation(values), down.piled_up(values))
        )

    yield Claim(
        plan.path(source, "retention"),
        f"{source.id} {outage.id or outage.of}",
        _each_once(*kept.operands, margin, *rates, *down.operands),
        left=left,
        right=lambda v: _twice(kept.seconds(v)),
        dimension=Dimension.DURATION,
        says=lambda e: _retention_said(source, outage, worker, down, e),
        changes=tuple(
            Change(one.symbol, rises=True) for one in kept.operands if one.symbol in {"R", "R_bytes"}
        ),
    )


def _each_once(*operands: Operand) -> tuple[Operand, ...]:
    """One operand for each symbol: rate and partitions are needed for the log and for its readers."""
    return tuple({operand.symbol: operand for operand in operands}.values())


def _full(worker: Busiest) -> float:
    return worker.utilisation({operand.symbol: operand.value for operand in worker.operands})


def _retention_said(
    source: Source, outage: Outage, worker: Busiest | None, down: Downtime, evaluation: Evaluation
) -> str:
    values = evaluation.values
    utilised = worker.utilisation(values) if worker else 0.0
    kept = evaluation.right_shown
    if utilised > 1:
        loss = capacity.seconds_to_loss(evaluation.right[0], down.piled_up(values), utilised)
        return (
            f"{source.id!r} keeps {kept}, and its readers never catch up at {say_share(utilised)}: records "
            f"expire unread {say_seconds(loss)} after an outage of {outage.id or outage.of}"
        )
    return (
        f"{source.id!r} keeps {kept}; after an outage of {outage.id or outage.of} the oldest unread record "
        f"is {say_seconds(down.piled_up(values))} old, {_with_margin(evaluation)} with margin"
        f"{'' if worker else '; whether its readers catch up at all is unknown: state rate and capacity'}"
    )


def _with_margin(evaluation: Evaluation) -> str:
    """The age that has to be kept: its lower bound, where nobody knows whether readers catch up."""
    low, high = evaluation.left
    return evaluation.left_shown if low == high else say_seconds(low)


def _twice(value: float) -> Bounds:
    return (value, value)


@rule(
    "CAP302",
    title="A reader whose position expired skips nothing unseen",
    why="When retention has taken the record a reader stands at, its offset reset decides: latest goes on at "
    "now and skips all that is unread, earliest goes on after the hole; neither says a word. None stops.",
    formula="lost = 0;   latest: R and more, whenever a stop outlasts R;   earliest: T - R;   none: 0",
    bad="offset_reset: latest with retention: 3 d: a stop of 73 h skips 73 h",
    good="offset_reset: none: the reader stops, and somebody decides where it goes on",
    fix="set consumer.offset_reset: none and alert on the reader that stops",
    source="apache/pinot#19359; PostHog/posthog#20283; confluentinc/confluent-kafka-dotnet#2009",
    severity=ADVICE,
)
def nothing_is_skipped(plan: Plan) -> Iterator[Claim]:
    """What the offset reset of every source with a consumer does when its position has expired."""
    for source in plan.model.sources:
        kept = plan.operand("R", source.retention, "time", "retention")
        readers = readers_of(plan, source)
        if source.consumer is None or kept is None or not readers:
            continue
        path, reset = plan.path(source.consumer, "offset_reset"), source.consumer.offset_reset
        if reset is None:
            missing = (
                f"cannot say what the reader of {source.id!r} does when its position has expired: state "
                "consumer.offset_reset"
            )
            yield Claim(path, source.id, missing=missing)
        elif reset == "none":
            what = f"a reader of {source.id!r} whose position expired stops, and nothing is skipped unseen"
            yield statement(path, source.id, what, true=True)
        elif reset == "latest":
            yield statement(path, source.id, _skips_said(plan, source, kept), true=False, operands=(kept,))
        else:
            yield from _hole_claims(plan, source, kept)


def _skips_said(plan: Plan, source: Source, kept: Operand) -> str:
    rate = average_rate(plan, source)
    records = f", {rate.value * kept.value:,.0f} records and more" if rate is not None else ""
    return (
        f"after a stop of more than {say_seconds(kept.value)} the reader of {source.id!r} goes on at now: it "
        f"skips all that is unread{records}, and says nothing"
    )


def _hole_claims(plan: Plan, source: Source, kept: Operand) -> Iterator[Claim]:
    """The hole that an outage leaves which outlasts the retention, without any margin."""
    for outage in plan.model.outages:
        readers = stopped_readers(plan, source, outage)
        if not readers:
            continue
        down = slowest_downtime(plan, outage, readers)
        yield inequality(
            plan.path(source, "consumer", "offset_reset"),
            f"{source.id} {outage.id or outage.of}",
            (kept, *down.operands),
            down.piled_up,
            lambda v: v["R"],
            lambda e, name=outage.id or outage.of: _hole_said(source, name, e),  # type: ignore[misc]
            changes=(Change("R", rises=True), Change("repair", rises=False)),
        )


def _hole_said(source: Source, outage: str, evaluation: Evaluation) -> str:
    lost = evaluation.left[1] - evaluation.right[0]
    old = evaluation.left_shown
    after = f"after an outage of {outage} the oldest unread record of {source.id!r} is {old} old"
    if lost <= 0:
        return f"{after}; {evaluation.right_shown} are kept, so the reader goes on where it stood"
    return (
        f"{after} and {evaluation.right_shown} are kept: the reader goes on at the earliest record, and the "
        f"{say_seconds(lost)} before it are lost unseen"
    )
