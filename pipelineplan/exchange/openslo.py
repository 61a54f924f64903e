"""Promises of the plan as OpenSLO v1: a service, an objective for each promise, and known indicators.

slos: {for: warehouse, freshness: {p95: 4 min}}     op: lte, value: 240 seconds, target: 0.95
slos: {for: warehouse, availability: 99.5 %}        target: 0.995

A plan does not say by which metric a promise is measured: an objective refers to its indicator by name, and
the indicator is written where `--set` names the metric. Source: OpenSLO specification, version 1.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from pipelineplan.exchange.exported import Export
from pipelineplan.exchange.measuring_by import METERS, check_metrics
from pipelineplan.exchange.settings import Settings
from pipelineplan.exchange.text import distinct, one_line
from pipelineplan.exchange.traced import Needs, Traced
from pipelineplan.exchange.tracing import Tracer
from pipelineplan.exchange.yaml_text import as_yaml
from pipelineplan.plan import Plan
from pipelineplan.plan.objectives import Freshness, Slo

TITLE = "service level objectives as OpenSLO v1"
ASKS = {name: METERS[name] for name in ("freshness", "errors", "requests")}

_WINDOWS = (("w", 604_800), ("d", 86_400), ("h", 3600), ("m", 60))
_LONGEST_DESCRIPTION = 1050


@dataclass(frozen=True)
class Objective:
    """One promise: what it is about, its target, and for a quantile the value that is compared."""

    slo: Slo
    kind: str
    name: str
    says: str
    target: Traced
    value: Traced | None = None

    @property
    def indicator(self) -> str:
        """What the indicator is called: one for all quantiles of a kind."""
        return f"{self.slo.subject}-{self.kind}-sli"


def export(plan: Plan, settings: Settings) -> Export | None:
    """Every promise of the plan; None when it promises nothing."""
    check_metrics(settings)
    tracer = Tracer(plan)
    objectives = [one for slo in plan.model.slos for one in _objectives(tracer, slo)]
    if not objectives:
        return None
    names = distinct([plan.name, *(one for o in objectives for one in (o.name, o.indicator))], _name)
    indicators = _indicators(objectives, settings, names)
    trees = [
        _service(tracer, names[plan.name]),
        *(tree for _, tree in indicators.values() if tree is not None),
        *(_slo(tracer, one, names) for one in objectives),
    ]
    _left(tracer)
    open_ones = [f"{names[name]}: {says}" for name, (says, tree) in indicators.items() if tree is None]
    wanted = ["Indicators to be written, which no plan states:", *(f"  {one}" for one in open_ones)]
    head = [
        f"Promises of the plan {plan.name}.",
        *settings.head(tracer.dropped),
        *(wanted if open_ones else []),
    ]
    return Export("openslo", (as_yaml("slos.yaml", head, trees),), tuple(tracer.dropped))


def _objectives(tracer: Tracer, slo: Slo) -> Iterator[Objective]:
    for kind in ("freshness", "latency"):
        promise = getattr(slo, kind)
        if promise is not None:
            yield from _quantiles(tracer, slo, kind, promise)
    words = {
        "availability": "the share of requests that are answered",
        "durability": "the share of records that are never lost",
    }
    for kind, says in words.items():
        target = _target(tracer, slo, kind)
        if target is not None:
            yield Objective(slo, kind, f"{slo.subject}-{kind}", says, target)
    share = _target(tracer, slo.completeness, "share")
    if slo.completeness is not None and share is not None:
        when = "at the first firing of their window" if slo.completeness.at == "first" else "finally"
        says = f"the share of {slo.completeness.of} that are in the result {when}"
        yield Objective(slo, "completeness", f"{slo.subject}-completeness", says, share)


def _quantiles(tracer: Tracer, slo: Slo, kind: str, promise: Freshness) -> Iterator[Objective]:
    since = "a record's event time" if promise.measured_from == "record" else "the end of its window"
    until = "a reader sees it" if promise.until == "committed_visible" else "its result is emitted"
    share = "of the records" if promise.over == "records" else "of the time, by samples at equal intervals"
    for name, probability, quantity in promise.targets():
        place = tracer.place(promise, name)
        if quantity.uncertain:
            tracer.drop(promise, name, f"{quantity.text} is an interval, and an objective has one value")
            continue
        says = f"seconds from {since} until {until}, for {probability:.0%} {share}"
        target = Traced(probability, (place,), name)
        value = Traced(_plain(quantity.value), (place,), "seconds")
        yield Objective(slo, kind, f"{slo.subject}-{kind}-{name}", says, target, value)


def _target(tracer: Tracer, section: Any, name: str) -> Traced | None:
    found = tracer.stated(section, name)
    if found is None:
        return None
    if found.value.uncertain or found.value.value >= 1:
        why = "is an interval" if found.value.uncertain else "leaves no budget, and OpenSLO wants less than 1"
        tracer.drop(section, name, f"{found.value.text} {why}")
        return None
    return found.as_value(found.value.value)


def _plain(value: float) -> int | float:
    return int(value) if value == int(value) else value


def _service(tracer: Tracer, name: str) -> dict[str, Any]:
    metadata = tracer.plan.model.metadata
    owner = tracer.stated(metadata, "owner")
    says = "what the plan promises" + (f"; its owner is {one_line(owner.value)}" if owner else "")
    traced = owner.as_value(says) if owner is not None else says
    named = {"name": Traced(name, (tracer.place(metadata, "name"),))}
    return {"apiVersion": "openslo/v1", "kind": "Service", "metadata": named, "spec": {"description": traced}}


def _slo(tracer: Tracer, one: Objective, names: dict[str, str]) -> dict[str, Any]:
    compared = {"op": "lte", "value": one.value} if one.value is not None else {}
    shown = one_line(one.name.replace("-", " "))
    return {
        "apiVersion": "openslo/v1",
        "kind": "SLO",
        "metadata": {"name": names[one.name], "displayName": shown},
        "spec": {
            "description": one.says[:_LONGEST_DESCRIPTION],
            "service": names[tracer.plan.name],
            "indicatorRef": names[one.indicator],
            "timeWindow": _window(tracer, one.slo),
            "budgetingMethod": "Occurrences",
            "objectives": [{"displayName": shown, **compared, "target": one.target}],
        },
    }


def _window(tracer: Tracer, slo: Slo) -> Any:
    if slo.window is None:
        return Needs(
            [{"duration": "<WINDOW>", "isRolling": True}], f"state window: of the slo for {slo.subject}"
        )
    seconds = slo.window.value
    place = tracer.place(slo, "window")
    unit = next(((sign, size) for sign, size in _WINDOWS if seconds % size == 0), None)
    if unit is None or slo.window.uncertain:
        why = f"{one_line(slo.window.text)} is no whole number of minutes"
        return Needs([{"duration": "<WINDOW>", "isRolling": True}], why)
    shorthand = Traced(f"{int(seconds // unit[1])}{unit[0]}", (place,))
    return [
        {"duration": shorthand, "isRolling": Traced(value=True, places=(place,), how="no calendar is stated")}
    ]


def _indicators(
    objectives: list[Objective], settings: Settings, names: dict[str, str]
) -> dict[str, tuple[str, dict[str, Any] | None]]:
    """Each indicator by its name: what it measures, and its document where a metric was named."""
    found: dict[str, tuple[str, dict[str, Any] | None]] = {}
    ratios = [one for one in objectives if one.kind == "availability"]
    fresh = {one.indicator for one in objectives if one.kind == "freshness"}
    for one in objectives:
        spec: dict[str, Any] | None = None
        if one.kind == "freshness" and len(fresh) == 1:
            spec = _threshold(settings)
        elif one.kind == "availability" and len(ratios) == 1:
            spec = _ratio(settings)
        document = {
            "apiVersion": "openslo/v1",
            "kind": "SLI",
            "metadata": {"name": names[one.indicator]},
            "spec": {"description": one.says.partition(", for ")[0], **(spec or {})},
        }
        found.setdefault(one.indicator, (one.says.partition(", for ")[0], document if spec else None))
    return found


def _threshold(settings: Settings) -> dict[str, Any] | None:
    metric = settings.get("freshness")
    return {"thresholdMetric": _source(metric)} if metric is not None else None


def _ratio(settings: Settings) -> dict[str, Any] | None:
    errors, requests = settings.get("errors"), settings.get("requests")
    if errors is None or requests is None:
        return None
    return {"ratioMetric": {"counter": True, "bad": _source(errors), "total": _source(requests)}}


def _source(metric: Traced) -> dict[str, Any]:
    return {"metricSource": {"type": "Prometheus", "spec": {"query": metric}}}


def _left(tracer: Tracer) -> None:
    carried = {"subject", "freshness", "latency", "completeness", "availability", "durability", "window"}
    for slo in tracer.plan.model.slos:
        tracer.left(slo, carried, "the budget is what the target leaves; an indicator counts what it counts")
    operations = tracer.plan.model.operations
    for alert in operations.alerts if operations is not None else ():
        if alert.signal == "burn_rate":
            why = "a policy wants notification targets, which no plan states; the rules of prometheus have it"
            tracer.drop(alert, "", why)


def _name(text: str) -> str:
    """A name by RFC 1123: at most 63 small letters, digits and dashes."""
    if re.fullmatch(r"[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?", text):
        return text
    return re.sub(r"[^a-z0-9]+", "-", text.lower())[:54].strip("-") or "plan"
