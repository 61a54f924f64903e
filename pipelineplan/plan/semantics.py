"""Event time as the plan states it: which disorder, watermark and windows stand before a node."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING

from pipelineplan.documents import dotted
from pipelineplan.eventtime import Disorder
from pipelineplan.plan.plan import Plan
from pipelineplan.plan.source import Quantiles, Source
from pipelineplan.plan.stage import Stage
from pipelineplan.quantities import Dimension
from pipelineplan.verdicts import Basis, Operand

if TYPE_CHECKING:
    from pipelineplan.sources import StreamProfile
    from pipelineplan.sources.measured import Curve

WATERMARK_INTERVAL_SECONDS = 0.2  # Flink's pipeline.auto-watermark-interval


@dataclass(frozen=True)
class EventTime:
    """What decides lateness before a node: the sources' watermark and the window it goes through."""

    source: Source
    stage: Stage
    lag: Operand
    window: Operand
    lateness: Operand
    interval: Operand


def windowed_above(plan: Plan, node: str) -> tuple[Stage, ...]:
    """The stages with a window that records of `node` have come through, `node` included."""
    names = (*plan.graph.above(node), node)
    stages = [plan.stage(name) for name in names if plan.graph.kinds[name] == "stage"]
    return tuple(stage for stage in stages if stage.window is not None)


def sources_above(plan: Plan, node: str) -> tuple[Source, ...]:
    """The sources whose records come to `node`."""
    return tuple(plan.source(name) for name in plan.graph.above(node) if plan.graph.kinds[name] == "source")


def event_time(plan: Plan, source: Source, stage: Stage) -> EventTime | None:
    """The operands of lateness for records of `source` in the fixed window of `stage`."""
    watermark = source.semantics.watermark if source.semantics is not None else None
    lag = plan.operand("B", watermark, "lag", "watermark lag")
    window = plan.operand("W", stage.window, "fixed", "window")
    if lag is None or window is None or stage.window is None:
        return None
    lateness = plan.operand("L", stage.window, "allowed_lateness", "allowed lateness")
    if lateness is None:
        path = plan.path(stage.window)
        lateness = plan.assumed("L", "allowed lateness", 0.0, Dimension.DURATION, path)
    return EventTime(source, stage, lag, window, lateness, _interval(plan, source))


def disorder_of(plan: Plan, source: Source) -> Disorder | None:
    """The disorder that the plan states by quantiles, or that its profile measured."""
    quantiles = source.semantics.disorder if source.semantics is not None else None
    return _distribution(plan, quantiles, lambda profile: profile.disorder())


def lateness_of(plan: Plan, source: Source) -> Disorder | None:
    """How late records arrive, as a distribution: by quantiles, or measured; None where not stated."""
    quantiles = source.semantics.lateness if source.semantics is not None else None
    return _distribution(plan, quantiles, lambda profile: profile.lateness())


def _distribution(
    plan: Plan, quantiles: Quantiles | None, measured: Callable[[StreamProfile], Curve | None]
) -> Disorder | None:
    """A measured curve where a profile is named, else what the stated quantiles allow."""
    if quantiles is None:
        return None
    if quantiles.profile is not None:
        curve = measured(plan.profiles[quantiles.profile])
        return Disorder.from_curve(curve) if curve is not None else None
    stated: Mapping[float, tuple[float, float]] = {
        p: (quantity.low, quantity.high) for p, quantity in quantiles.by_probability()
    }
    return Disorder.from_quantiles(stated) if stated else None


def disorder_operand(plan: Plan, source: Source) -> Operand | None:
    """Where the disorder comes from, as an operand that `explain` can show: its highest quantile."""
    quantiles = source.semantics.disorder if source.semantics is not None else None
    if quantiles is None:
        return None
    path = plan.path(quantiles)
    if quantiles.profile is not None:
        last = plan.profiles[quantiles.profile].disorder()[-1][0]
        return _shown(
            plan, "disorder", f"disorder measured in {quantiles.profile}, largest", last, path, Basis.MEASURED
        )
    name, highest = _highest(quantiles)
    return _shown(plan, "disorder", f"disorder, {name}", highest, path, Basis.DECLARED)


def _highest(quantiles: Quantiles) -> tuple[str, float]:
    pairs = quantiles.by_probability()
    names = {round(float(key[1:]) / 100, 12): key for key in quantiles.quantiles}
    return (names[pairs[-1][0]], pairs[-1][1].value) if pairs else ("not stated", 0.0)


def _shown(
    plan: Plan, symbol: str, name: str, seconds: float, path: tuple[str | int, ...], basis: Basis
) -> Operand:
    return Operand(
        symbol, name, seconds, seconds, seconds, basis, dotted(path), plan.position(path), Dimension.DURATION
    )


def _interval(plan: Plan, source: Source) -> Operand:
    watermark = source.semantics.watermark if source.semantics is not None else None
    stated = plan.operand("w", watermark, "interval", "watermark interval")
    if stated is not None:
        return stated
    path = plan.path(watermark) if watermark is not None else plan.path(source)
    between = (0.0, 1.0)
    return plan.assumed(
        "w", "watermark interval", WATERMARK_INTERVAL_SECONDS, Dimension.DURATION, path, between
    )
