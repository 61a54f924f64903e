"""Reads out of a plan what its records and workers use, as `plan.cost` counts it for a month."""

from __future__ import annotations

import math

from pipelineplan.plan import Plan
from pipelineplan.plan.cost import LOGS, cross_zone_bytes, kept_bytes, most_kept_bytes, on_disk_bytes
from pipelineplan.plan.load import average_rate
from pipelineplan.plan.source import Source
from pipelineplan.plan.stage import Stage
from pipelineplan.simulation.reading.chains import workers_of
from pipelineplan.simulation.reading.inflow import Read
from pipelineplan.simulation.usage import Usage


def usage_of(plan: Plan, sources: tuple[Source, ...], stages: tuple[Stage, ...], read: Read) -> Usage:
    """What a way from `sources` through `stages` uses at one end of the inputs."""
    rates = [average_rate(plan, source) for source in sources]
    each = [0.0 if rate is None else read(rate) for rate in rates]
    total = math.fsum(each)
    parts = [one / total if total else 0.0 for one in each]
    weighed = list(zip(sources, parts, strict=True))
    paid = plan.operand("n", plan.model.capacity, "workers", "workers that are paid")
    reference = plan.model.capacity.price_file if plan.model.capacity is not None else None
    prices = plan.prices.get(reference) if reference is not None else None
    readers = float(_stated(plan, "readers") or 1)
    return Usage(
        workers=read(paid) if paid is not None else float(sum(workers_of(stage) for stage in stages)),
        record_bytes=math.fsum(part * (on_disk_bytes(source) or 0.0) for source, part in weighed),
        crossing_bytes=math.fsum(part * _crossing(plan, source, readers) for source, part in weighed),
        reread_bytes=math.fsum(part * _read_across(plan, source) for source, part in weighed),
        kept_byte_seconds=math.fsum(
            part * _kept(source, rate) for (source, part), rate in zip(weighed, each, strict=True)
        ),
        prices=tuple((kind, price.per_base) for kind, price in prices.by_kind.items()) if prices else (),
        currency=prices.currency if prices is not None else "",
    )


def _stated(plan: Plan, field: str) -> int | None:
    policy = plan.model.capacity
    return getattr(policy, field) if policy is not None else None


def _crossing(plan: Plan, source: Source, readers: float) -> float:
    """Bytes of one record that go from zone to zone, to copies and to so many groups of readers."""
    zones = _stated(plan, "failure_domains") or 1
    if source.system not in LOGS or zones < 2:
        return 0.0
    return cross_zone_bytes(on_disk_bytes(source) or 0.0, float(source.replication or 1), zones, readers)


def _read_across(plan: Plan, source: Source) -> float:
    """Those of one more reader."""
    return _crossing(plan, source, 1.0) - _crossing(plan, source, 0.0)


def _kept(source: Source, rate_per_second: float) -> float:
    """Bytes of one record in all copies, times the seconds until the log deletes it."""
    time = source.retention.time if source.retention is not None else None
    if source.system not in LOGS or time is None or not rate_per_second:
        return 0.0
    copy = kept_bytes(rate_per_second, on_disk_bytes(source) or 0.0, time.value, 1.0)
    return min(copy, most_kept_bytes(source)) * float(source.replication or 1) / rate_per_second
