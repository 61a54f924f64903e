"""What a plan uses, in quantities first: worker-hours, bytes kept, bytes moved, bytes scanned, one replay.

log of orders      6_000/s * 780 B / 3.2 * 7 d * 3 copies = 2.65 TB kept
money              only from a price file, as an estimate; what has no price is said

A month has thirty days. Quantities are worker-hours or bytes a month (of a replay: once).
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator
from dataclasses import dataclass

from pipelineplan.documents import dotted
from pipelineplan.plan.load import arrivals, average_rate
from pipelineplan.plan.plan import Plan
from pipelineplan.plan.prices import PriceList
from pipelineplan.plan.source import Source
from pipelineplan.plan.state_size import keys_operand, state_bytes
from pipelineplan.plan.succession import replay_span
from pipelineplan.verdicts import Operand

MONTH_SECONDS = 30 * 86_400.0
MONTH_HOURS = 720.0
LOGS = {"kafka", "kinesis", "pulsar", "pubsub"}


@dataclass(frozen=True)
class CostLine:
    """One thing that is used: `quantity` worker-hours or bytes, a month, or once for a replay.

    `kind` is what a price file calls it, `of` whose it is, `formula` how it was counted.
    """

    kind: str
    of: str
    low: float
    quantity: float
    high: float
    formula: str
    path: str
    once: bool = False

    @property
    def is_compute(self) -> bool:
        """Whether the quantity is worker-hours and not bytes."""
        return self.kind == "compute"


def cost_lines(plan: Plan) -> tuple[CostLine, ...]:
    """Everything that the plan states enough of to be counted; a month's lines first, then the replay's."""
    lines = [*_compute(plan), *_state(plan), *_stores(plan), *_scans(plan), *_egress(plan)]
    for source in plan.model.sources:
        lines += [*_log(plan, source), *_between_zones(plan, source)]
    return (*(line for line in lines if line.quantity > 0), *_replay(plan))


def kept_bytes(rate: float, record_bytes: float, seconds: float, copies: float) -> float:
    """What a log keeps: `lambda * b * R * copies`, with b as it is on disk."""
    return rate * record_bytes * seconds * copies


def cross_zone_bytes(inflow: float, copies: float, zones: float, readers: float) -> float:
    """What crosses zones: `in * ((RF - 1) + (Z - 1) / Z * (1 + F))`, F readers that fetch from the leader.

    Every copy lies in another zone, a producer and each reader sit in the leader's zone by chance 1/Z.
    """
    return inflow * ((copies - 1) + (zones - 1) / zones * (1 + readers))


def cost(lines: tuple[CostLine, ...], prices: PriceList, *, once: bool = False) -> tuple[float, float, float]:
    """Low, expected and high money of the lines that have a price: a month's, or with `once` the replay's."""
    ends = [(0.0, 0.0, 0.0)]
    for line in lines:
        price = prices.by_kind.get(line.kind)
        if line.once is once and price is not None:
            each = price.per_base
            ends.append((line.low * each, line.quantity * each, line.high * each))
    low, value, high = (math.fsum(column) for column in zip(*ends, strict=True))
    return low, value, high


def unpriced(lines: tuple[CostLine, ...], prices: PriceList, *, once: bool = False) -> tuple[CostLine, ...]:
    """The lines for which the price file has nothing."""
    return tuple(line for line in lines if line.once is once and line.kind not in prices.by_kind)


def records_a_month(plan: Plan) -> float:
    """What all sources send in a month, as far as they state a rate."""
    rates = [average_rate(plan, source) for source in plan.model.sources]
    return math.fsum(rate.value * MONTH_SECONDS for rate in rates if rate is not None)


def _line(
    kind: str,
    of: str,
    operand: Operand | None,
    count: Callable[[float], float],
    formula: str,
    path: str,
    *,
    once: bool = False,
) -> CostLine:
    """A line that is `count` of an operand, with its interval."""
    low, value, high = (operand.low, operand.value, operand.high) if operand is not None else (1.0, 1.0, 1.0)
    return CostLine(kind, of, count(low), count(value), count(high), formula, path, once)


def _compute(plan: Plan) -> Iterator[CostLine]:
    """Subtasks that run all month, or the paid workers; of scheduled runs the hours that records need."""
    policy, ingestion = plan.model.capacity, plan.model.ingestion
    if ingestion is not None and (ingestion.mode == "batch" or ingestion.schedule is not None):
        yield from _busy(plan, MONTH_SECONDS, "records of a month", None)
        return
    paid = plan.operand("n", policy, "workers", "workers that are paid")
    if paid is not None:
        yield _line("compute", "workers", paid, _month_of, f"{paid.shown} workers * 720 h", paid.path)
        return
    for stage in plan.model.stages:
        workers = plan.operand("p", stage.parallelism, "now", "parallelism")
        if workers is not None:
            formula = f"{workers.shown} subtasks * 720 h"
            yield _line("compute", stage.id, workers, _month_of, formula, workers.path)


def _busy(plan: Plan, seconds: float, words: str, replay: str | None) -> Iterator[CostLine]:
    """The worker-hours that each stage needs for the records of `seconds`, at the average rate."""
    for stage in plan.model.stages:
        arriving, able = arrivals(plan, stage.id, peak=False), stage.capacity
        if not arriving or able is None or not able.low:
            continue
        records = [math.fsum(_end(one.rate, end) * one.factor for one in arriving) for end in range(3)]
        speeds = (able.high, able.value, able.low)
        low, value, high = (
            count * seconds / speed / 3600 for count, speed in zip(records, speeds, strict=True)
        )
        path = replay or dotted(plan.path(stage, "capacity"))
        formula = f"{words} / {able.text}"
        yield CostLine("compute", stage.id, low, value, high, formula, path, once=replay is not None)


def _month_of(workers: float) -> float:
    return workers * MONTH_HOURS


def on_disk_bytes(source: Source) -> float | None:
    """Bytes of a record as the log has it, compressed."""
    record = source.record
    if record is None or record.size is None:
        return None
    return record.size.value / (record.compression or 1.0)


def _log(plan: Plan, source: Source) -> Iterator[CostLine]:
    rate, each = average_rate(plan, source), on_disk_bytes(source)
    time = source.retention.time if source.retention is not None else None
    if rate is None or each is None or time is None or source.system not in LOGS:
        return
    copies = float(source.replication or 1)
    most = most_kept_bytes(source) * copies
    formula = f"{rate.shown} * {each:.4g} B * {time.text} * {copies:g} copies"
    yield _line(
        "log_storage",
        source.id,
        rate,
        lambda r: min(kept_bytes(r, each, time.value, copies), most),
        formula,
        rate.path,
    )


def most_kept_bytes(source: Source) -> float:
    """What retention by size leaves of one copy, at most; infinite where it is not limited."""
    retention = source.retention
    if retention is None or retention.bytes_per_partition is None or source.partitions is None:
        return math.inf
    return retention.bytes_per_partition.value * source.partitions


def _between_zones(plan: Plan, source: Source) -> Iterator[CostLine]:
    rate, each = average_rate(plan, source), on_disk_bytes(source)
    policy = plan.model.capacity
    zones = policy.failure_domains if policy is not None else None
    if rate is None or each is None or source.system not in LOGS or not zones or zones < 2:
        return
    copies = float(source.replication or 1)
    readers = float(policy.readers if policy is not None and policy.readers is not None else 1)
    formula = f"{rate.shown} * {each:.4g} B * (({copies:g} - 1) + {zones - 1}/{zones} * (1 + {readers:g}))"
    yield _line(
        "cross_zone",
        source.id,
        rate,
        lambda r: cross_zone_bytes(r * each, copies, zones, readers) * MONTH_SECONDS,
        formula,
        rate.path,
    )


def _state(plan: Plan) -> Iterator[CostLine]:
    for stage in plan.model.stages:
        size = state_bytes(plan, stage)
        keys = keys_operand(plan, stage)
        if size and keys is not None:
            formula = f"{keys.shown} keys * bytes * amplification"
            yield CostLine("state_storage", stage.id, size, size, size, formula, keys.path)


def _stores(plan: Plan) -> Iterator[CostLine]:
    for store in plan.model.design.stores if plan.model.design is not None else ():
        data = plan.operand("data", store, "data", "data in one copy")
        copies = float(store.replication or 1)
        if data is not None:
            formula = f"{data.shown} * {copies:g} copies"
            yield _line("store", store.id, data, copies.__mul__, formula, data.path)


def _scans(plan: Plan) -> Iterator[CostLine]:
    for one in plan.model.capacity.scans if plan.model.capacity is not None else ():
        queries = plan.operand("q", one, "queries", "queries")
        if queries is not None and one.bytes is not None:
            each = one.bytes.value
            formula = f"{queries.shown} * {one.bytes.text} * 30 d"
            yield _line("scan", one.of, queries, _a_month_of(each), formula, queries.path)


def _egress(plan: Plan) -> Iterator[CostLine]:
    flow = plan.operand("egress", plan.model.capacity, "egress", "bytes that leave")
    if flow is not None:
        yield _line("egress", "all", flow, _a_month_of(1.0), f"{flow.shown} * 30 d", flow.path)


def _a_month_of(each: float) -> Callable[[float], float]:
    return lambda rate: rate * each * MONTH_SECONDS


def _replay(plan: Plan) -> Iterator[CostLine]:
    """The declared replay, once: its records through every stage, and its bytes read again."""
    span = replay_span(plan)
    if span is None or plan.model.replay is None:
        return
    seconds, path = span[1] - span[0], "$.replay"
    yield from _busy(plan, seconds, "records of the range", path)
    for source in plan.model.sources:
        rate, each = average_rate(plan, source), on_disk_bytes(source)
        if rate is not None and each is not None:
            read = seconds * each
            yield _line("replay_read", source.id, rate, read.__mul__, "bytes of the range", path, once=True)


def _end(operand: Operand, end: int) -> float:
    return (operand.low, operand.value, operand.high)[end]
