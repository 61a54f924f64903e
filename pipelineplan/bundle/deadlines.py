"""Until when one can go back: the earliest of retention, slot, savepoint and the plan's own word.

anchor |---- retention 7 d minus catch-up 2 h ----------------------|
       |---- slot 200 GB / 22 GB/h = 9.1 h -----|  <- the earliest decides
       |---- rollback.deadline 5 d ----------------------|
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime, timedelta
from typing import TYPE_CHECKING
from zoneinfo import ZoneInfo

from pipelineplan.bundle.checklist import Deadlines, Horizon, Said
from pipelineplan.bundle.saying import not_stated, place, stated, worst
from pipelineplan.plan import Plan
from pipelineplan.plan.change import Cutover, Rollback
from pipelineplan.plan.section import Section
from pipelineplan.plan.source import Source
from pipelineplan.quantities import Quantity, say, say_seconds

if TYPE_CHECKING:
    from pipelineplan.simulation.result import SimulationResult


def deadlines(plan: Plan, simulated: SimulationResult | None) -> Deadlines:
    """Every horizon that the plan's numbers give, counted from the anchor, earliest first."""
    margin, why = _catch_up(plan, simulated)
    found = [horizon for source in plan.model.sources for horizon in _of_source(plan, source, margin, why)]
    found += _of_rollback(plan, plan.model.rollback)
    found.sort(key=lambda horizon: (horizon.seconds, horizon.name))
    cutover = plan.model.cutover
    last = stated(plan, cutover, "point_of_no_return", "$.cutover.point_of_no_return")
    missing = (
        [] if found else ["state $.rollback.deadline or $.sources[].retention: nothing bounds the way back"]
    )
    missing += [last.text] if last.is_open else []
    missing += _too_long(plan, found[0]) if found else []
    until = _date(cutover, found[0].seconds) if found else ""
    return Deadlines(tuple(found), _anchor(cutover), until, last, tuple(missing))


def _too_long(plan: Plan, first: Horizon) -> list[str]:
    """What the plan promises for longer than one can go back."""
    rollback, acceptance = plan.model.rollback, plan.model.acceptance
    promised = [
        (section, name, words)
        for section, name, words in (
            (rollback, "deadline", "the plan promises a way back for"),
            (acceptance, "post_launch_window", "the soak lasts"),
        )
        if section is not None
        and getattr(section, name) is not None
        and getattr(section, name).low > first.seconds
    ]
    return [
        f"{words} {getattr(section, name).text} ({_at(plan, section, name)}), "
        f"but after {say_seconds(first.seconds)} "
        f"{first.name}"
        for section, name, words in promised
    ]


def _catch_up(plan: Plan, simulated: SimulationResult | None) -> tuple[float, str]:
    """How long the old side needs to catch up after going back: it must not expire meanwhile."""
    drain = worst(simulated, "drain_seconds")
    if drain is not None and drain[1].high < float("inf"):
        return (
            drain[1].high,
            f"longest simulated drain {say_seconds(drain[1].high)} (scenario {drain[0]})",
        )
    longest = max(
        (outage.detect.high + outage.repair.high for outage in plan.model.outages),
        default=0.0,
    )
    if longest:
        return longest, f"longest declared outage {say_seconds(longest)}"
    return 0.0, "no margin: the plan declares no outage and nothing was simulated"


def _of_source(plan: Plan, source: Source, margin_seconds: float, why: str) -> Iterator[Horizon]:
    kept = source.retention.time if source.retention is not None else None
    if source.retention is not None and kept is not None:
        left = max(0.0, kept.low - margin_seconds)
        formula = f"retention {kept.text} - {why}" if margin_seconds else f"retention {kept.text}, {why}"
        yield Horizon(
            f"records of {source.id} expire",
            left,
            formula,
            _at(plan, source.retention, "time"),
        )
    yield from _of_slot(plan, source)
    reader = source.consumer
    if reader is not None and reader.offsets_retention is not None:
        offsets = reader.offsets_retention
        origin = _at(plan, reader, "offsets_retention")
        yield Horizon(
            f"offsets of the stopped group on {source.id} expire",
            offsets.low,
            offsets.text,
            origin,
        )


def _of_slot(plan: Plan, source: Source) -> Iterator[Horizon]:
    """An unread slot keeps the log until its cap, or the disk, is full."""
    cdc = source.cdc
    if cdc is None or cdc.wal_rate is None or not cdc.wal_rate.high:
        return
    limits = [(name, getattr(cdc, name)) for name in ("slot_cap", "disk_free")]
    known: list[tuple[str, Quantity]] = [(name, value) for name, value in limits if value is not None]
    if not known:
        return
    name, cap = min(known, key=lambda pair: pair[1].low)
    seconds = cap.low / cdc.wal_rate.high
    formula = f"{name} {_end(cap, cap.low)} / wal_rate {_end(cdc.wal_rate, cdc.wal_rate.high)}"
    yield Horizon(
        f"the replication slot of {source.id} is full, while nobody reads it",
        seconds,
        formula,
        _at(plan, cdc, name),
    )


def _end(quantity: Quantity, value: float) -> str:
    """As it was written, or the end of the interval that decides."""
    return say(value, quantity.dimension) if quantity.uncertain else quantity.text


def _of_rollback(plan: Plan, rollback: Rollback | None) -> Iterator[Horizon]:
    if rollback is None:
        return
    for name, words in (
        ("deadline", "the plan's own deadline"),
        ("savepoint_age", "the savepoint is too old"),
    ):
        value = getattr(rollback, name)
        if value is not None:
            yield Horizon(words, value.low, value.text, _at(plan, rollback, name))


def _at(plan: Plan, section: Section, name: str) -> str:
    return place(plan, plan.path(section, name))


def _anchor(cutover: Cutover | None) -> str:
    if cutover is None or cutover.window is None:
        return "the anchoring of offsets or slot"
    return f"the start of the window, {cutover.window.start}"


def starts_at(cutover: Cutover | None) -> datetime | None:
    """When the window starts: ISO 8601 with an offset, or followed by an IANA zone; else None."""
    if cutover is None or cutover.window is None:
        return None
    moment, _, zone = cutover.window.start.partition(" ")
    try:
        start = datetime.fromisoformat(moment)
        return start.replace(tzinfo=ZoneInfo(zone)) if zone else start
    except (ValueError, KeyError, OSError):
        return None


def _date(cutover: Cutover | None, seconds: float) -> str:
    start = starts_at(cutover)
    if start is None or seconds > 10 * 365 * 86_400:
        return ""
    if start.tzinfo is None:
        return f"{start + timedelta(seconds=seconds):%Y-%m-%d %H:%M} (the plan's window names no zone)"
    zone = start.tzinfo
    end = (start.astimezone(ZoneInfo("UTC")) + timedelta(seconds=seconds)).astimezone(zone)
    return f"{end:%Y-%m-%d %H:%M} {zone}"


def until_deadline(dates: Deadlines) -> Said:
    """The rollback deadline as something to hold against."""
    first = dates.earliest
    if first is None:
        return not_stated("$.rollback.deadline")
    after = f", that is {dates.until}" if dates.until else ""
    return Said(
        f"within {say_seconds(first.seconds)} of {dates.anchor}{after}: {first.name}",
        first.origin,
    )
