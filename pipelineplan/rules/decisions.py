"""The decision tables: a plan's choice against what its own signals call for, with the trade-off.

    latency class            regularity              ingestion mode       trade-off
    below a minute           -                       stream, cdc          latency, for overhead
    near-real-time           peak <= 5 * average     micro_batch          simplicity, for latency
    near-real-time           peak >  5 * average     stream, cdc          latency, for overhead
    hourly, daily            -                       batch                cost, for freshness

A departure is no mistake: it wants a recorded decision (`decisions[].departs_from: W-D1`), and
with one the table is content.
"""

from __future__ import annotations

from collections.abc import Iterator

from pipelineplan.documents import Path
from pipelineplan.plan import Plan
from pipelineplan.plan.semantics import disorder_of
from pipelineplan.plan.source import Source
from pipelineplan.plan.stage import Stage
from pipelineplan.quantities import say_seconds
from pipelineplan.rules.antipatterns import AntiPattern, Fault

_FASTEST_FIRST = ("sub-second", "sub-minute", "near-real-time", "hourly", "daily")
_STRICT_DOMAINS = {"finance", "payments", "billing", "accounting", "ledger"}
_MODERATE_PEAK = 5.0
_LONG_TAIL = 10.0
_WIDE_BODY = 100.0
_MANY_KEYS = 10_000_000


def ingestion_mode(plan: Plan) -> Iterator[Fault]:
    """W-D1: the mode that the fastest latency class and the regularity of the rate call for."""
    mode = plan.model.ingestion.mode if plan.model.ingestion is not None else None
    fastest = _fastest_class(plan)
    if mode is None or fastest is None or _recorded(plan, "W-D1"):
        return
    wanted, gains, costs = _called_for(plan, fastest)
    if mode not in wanted:
        what = (
            f"{fastest} calls for {' or '.join(wanted)}, which gains {gains} and costs {costs}; found {mode}"
        )
        yield Fault(("ingestion", "mode"), what)


def _called_for(plan: Plan, fastest: str) -> tuple[tuple[str, ...], str, str]:
    if fastest in {"sub-second", "sub-minute"} or (fastest == "near-real-time" and _bursty(plan)):
        return ("stream", "cdc"), "latency", "a service that runs all the time"
    if fastest == "near-real-time":
        return ("micro_batch",), "simplicity", "latency"
    return ("batch",), "money", "freshness"


def _fastest_class(plan: Plan) -> str | None:
    context = plan.model.context
    if context is None:
        return None
    stated = {context.latency_class, *(consumer.latency_class for consumer in context.consumers)}
    return next((one for one in _FASTEST_FIRST if one in stated), None)


def _bursty(plan: Plan) -> bool:
    rates = [source.rate for source in plan.model.sources if source.rate is not None]
    return any(
        rate.average is not None
        and rate.peak is not None
        and rate.peak.value > _MODERATE_PEAK * rate.average.value
        for rate in rates
    )


def delivery_guarantee(plan: Plan) -> Iterator[Fault]:
    """W-D2: strict uses want an effect that happens once, tolerant ones at least a way to drop repeats."""
    if _recorded(plan, "W-D2"):
        return
    strict = _strict_because(plan)
    dedupes = any(s.semantics is not None and s.semantics.duplicates is not None for s in plan.model.sources)
    for place, sink in enumerate(plan.model.sinks):
        kind = sink.guarantee.kind if sink.guarantee is not None else None
        path: Path = ("sinks", place, "guarantee")
        if strict and kind == "at_least_once":
            what = f"{strict} calls for an idempotent or transactional {sink.id!r}; found at_least_once"
            yield Fault(path, f"{what}, which is simpler and counts some records twice")
        elif kind == "at_least_once" and not (sink.idempotency_key or dedupes):
            what = f"{sink.id!r} is at_least_once, which calls for dropping repeats by a key; found none"
            yield Fault(path, what)


def _strict_because(plan: Plan) -> str:
    """What makes the use strict, in words; empty when nothing does."""
    domain = str(plan.model.metadata.labels.get("domain", ""))
    if domain in _STRICT_DOMAINS:
        return f"the domain {domain}"
    exact = [
        pair for pair in plan.model.reconciliation if pair.tolerance is not None and pair.tolerance.value == 0
    ]
    return f"a reconciliation of {exact[0].destination!r} without tolerance" if exact else ""


def watermark_strategy(plan: Plan) -> Iterator[Fault]:
    """W-D3: a fixed lag for a regular profile, corrections for an irregular one or a tight lag."""
    if _recorded(plan, "W-D3"):
        return
    for place, source in enumerate(plan.model.sources):
        corrected = _corrected_below(plan, source)
        if corrected is None or corrected:
            continue
        what = _irregular(plan, source) or _tight(plan, source)
        if what:
            path: Path = ("sources", place, "semantics", "watermark")
            yield Fault(path, f"{what}, which calls for a correction stream; late records have no route")


def _corrected_below(plan: Plan, source: Source) -> bool | None:
    """Whether late records of `source` go somewhere; None when no window could make them late."""
    windowed = [s for s in plan.model.stages if s.window is not None and source.id in plan.graph.above(s.id)]
    if not windowed:
        return None
    return all(stage.late is not None and stage.late.to != "drop" for stage in windowed)


def _irregular(plan: Plan, source: Source) -> str:
    """p99.9 over ten times p99, or p99 over a hundred times the median: late records come in bursts."""
    disorder = disorder_of(plan, source)
    if disorder is None:
        return ""
    median, high, highest = (disorder.quantile_bounds(p)[0] for p in (0.5, 0.99, 0.999))
    if highest > _LONG_TAIL * high or high > _WIDE_BODY * max(median, 1.0):
        spread = f"p50 {say_seconds(median)}, p99 {say_seconds(high)}, p99.9 {say_seconds(highest)}"
        return f"the disorder of {source.id!r} is irregular ({spread})"
    return ""


def _tight(plan: Plan, source: Source) -> str:
    disorder = disorder_of(plan, source)
    watermark = source.semantics.watermark if source.semantics is not None else None
    if disorder is None or watermark is None or watermark.lag is None:
        return ""
    high = disorder.quantile_bounds(0.99)[0]
    if watermark.lag.value >= high:
        return ""
    against = f"{say_seconds(watermark.lag.value)} against a p99 of {say_seconds(high)}"
    return f"the watermark of {source.id!r} is tight ({against})"


def state_and_checkpoints(plan: Plan) -> Iterator[Fault]:
    """W-D4: many keys want external state that is forgotten, a short recovery time frequent checkpoints."""
    if _recorded(plan, "W-D4"):
        return
    for place, stage in enumerate(plan.model.stages):
        path: Path = ("stages", place)
        if stage.state is not None and (stage.state.keys or 0) >= _MANY_KEYS:
            if stage.state.backend == "heap":
                what = f"{stage.state.keys:,} keys of {stage.id!r} call for rocksdb, forst or external state"
                yield Fault((*path, "state", "backend"), f"{what}, which is slower and survives; found heap")
            if stage.state.ttl is None:
                what = f"{stage.state.keys:,} keys of {stage.id!r} call for a time to live; found none"
                yield Fault((*path, "state"), what)
        yield from _sparse(plan, stage, path)


def _sparse(plan: Plan, stage: Stage, path: Path) -> Iterator[Fault]:
    recovery = plan.model.reliability.recovery_time if plan.model.reliability is not None else None
    interval = stage.checkpoint.interval if stage.checkpoint is not None else None
    if recovery is not None and interval is not None and interval.value > recovery.value / 2:
        what = (
            f"a recovery time of {say_seconds(recovery.value)} calls for checkpoints twice as often as that; "
            f"found {say_seconds(interval.value)} at {stage.id!r}"
        )
        yield Fault((*path, "checkpoint", "interval"), what)


def _recorded(plan: Plan, table: str) -> bool:
    """Whether a decision to depart from `table` is recorded, with its reason."""
    return any(one.departs_from == table and one.because for one in plan.model.decisions)


_RECORD = "or record it: decisions: with departs_from: {} and because:"
DECISION_TABLES: tuple[AntiPattern, ...] = (
    AntiPattern(
        "DEC101",
        "The ingestion mode is the one that its signals call for",
        "Streams gain latency for a service that never stops, batches gain simplicity and money.",
        f"change ingestion.mode:, {_RECORD.format('W-D1')}",
        ingestion_mode,
    ),
    AntiPattern(
        "DEC102",
        "The guarantee is the one that the use calls for",
        "Strict uses pay for an effect that happens once; tolerant ones save that and drop repeats.",
        f"change the sink's guarantee:, {_RECORD.format('W-D2')}",
        delivery_guarantee,
    ),
    AntiPattern(
        "DEC103",
        "The watermark is the one that the disorder calls for",
        "A fixed lag is simple where lateness is regular; elsewhere it is too short or too long.",
        f"add late: {{to: correction}} to the stage, {_RECORD.format('W-D3')}",
        watermark_strategy,
    ),
    AntiPattern(
        "DEC104",
        "State and checkpoints are those that keys and recovery call for",
        "State in memory is fast and lost; sparse checkpoints are cheap and slow to come back from.",
        f"change state: or checkpoint.interval:, {_RECORD.format('W-D4')}",
        state_and_checkpoints,
    ),
)
