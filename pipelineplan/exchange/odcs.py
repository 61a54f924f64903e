"""Data contracts of the Open Data Contract Standard: of every source and sink, as far as the plan knows them.

A source or sink with a contract gets that contract, with the service levels that the plan promises and the
contract does not yet say. One without gets a contract made of what the plan says of its data:

    keys, event time, fields of checks     schema.properties, primaryKey where the plan names the key
    quality: {check: "null", threshold: 0 %}         quality: {metric: nullValues, mustBe: 0}
    retention: 7 d                         slaProperties: {property: retention, value: 7, unit: d}

Source: Open Data Contract Standard 3.1.0, Bitol, LF AI & Data, 2025.
"""

from __future__ import annotations

from typing import Any

from pipelineplan.contracts import Contract
from pipelineplan.documents import Path, dotted
from pipelineplan.exchange.exported import Dropped, Export, File
from pipelineplan.exchange.odcs_quality import quality_of
from pipelineplan.exchange.settings import Settings
from pipelineplan.exchange.text import distinct, one_line
from pipelineplan.exchange.traced import Needs, Place, Traced
from pipelineplan.exchange.tracing import Tracer
from pipelineplan.exchange.yaml_text import as_yaml
from pipelineplan.plan import Plan
from pipelineplan.plan.sink import Sink
from pipelineplan.plan.source import Source

TITLE = "data contracts of the Open Data Contract Standard"
ASKS = {"version": "the version of contracts that the plan refers to none for"}

_UNITS = (("d", 86_400), ("h", 3600), ("m", 60), ("s", 1))
_DRAFT = Traced("draft", (), "chosen by this export: nobody has agreed to it yet")


def export(plan: Plan, settings: Settings) -> Export | None:
    """A contract for each source and sink."""
    ends: list[Source | Sink] = [*plan.model.sources, *plan.model.sinks]
    folders = distinct([end.id for end in ends], str)
    files: list[File] = []
    dropped: list[Dropped] = []
    for end in ends:
        tracer = Tracer(plan)
        found = plan.contracts.get(end.contract) if end.contract is not None else None
        tree = _extended(tracer, end, found) if found is not None else _drafted(tracer, end, settings)
        head = (f"The contract of {end.id}, of the plan {plan.name}.", *settings.head(tracer.dropped))
        files.append(as_yaml(f"{folders[end.id]}.odcs.yaml", head, [tree]))
        dropped += tracer.dropped
    return Export("odcs", tuple(files), tuple(dropped))


def _extended(tracer: Tracer, end: Source | Sink, contract: Contract) -> Any:
    """The contract that the plan refers to, each value from its own place, and levels that it lacks."""
    document = contract.document
    tree: Any = _traced(contract, document.data, ()) if document is not None else {}
    stated = {sla.name.lower() for sla in contract.sla}
    added = []
    for level in _levels(tracer, end):
        name = str(level["property"])
        if name in stated:
            tracer.dropped.append(_kept(tracer, end, name))
        else:
            added.append(level)
    if added:
        tree = {**tree, "slaProperties": [*tree.get("slaProperties", []), *added]}
    checks = [check for check in tracer.plan.model.quality if check.dataset in {end.id, end.dataset}]
    if checks:
        place = tracer.place(checks[0])
        named = ", ".join(check.id or check.check for check in checks)
        why = "checks of the plan, beside the quality that the contract says itself"
        tracer.dropped.append(Dropped(f"$.quality[{named}]", why, place.position))
    return tree


def _kept(tracer: Tracer, end: Source | Sink, name: str) -> Dropped:
    place = tracer.place(end, "contract")
    why = f"the contract says its own {name}, which is kept"
    return Dropped(f"{place.path} ({name})", why, place.position)


def _traced(contract: Contract, value: Any, path: Path) -> Any:
    if isinstance(value, dict):
        return {str(key): _traced(contract, inner, (*path, str(key))) for key, inner in value.items()}
    if isinstance(value, list):
        return [_traced(contract, inner, (*path, index)) for index, inner in enumerate(value)]
    if contract.document is None or value is None:
        return value
    return Traced(value, (Place(dotted(path), contract.document.position(path)),))


def _drafted(tracer: Tracer, end: Source | Sink, settings: Settings) -> dict[str, Any]:
    version = settings.get("version") or Needs("<VERSION>", "--set version=, the plan refers to no contract")
    owner = tracer.stated(end, "owner")
    levels = _levels(tracer, end)
    return {
        "apiVersion": "v3.1.0",
        "kind": "DataContract",
        "id": Traced(end.id, (tracer.place(end, "id"),)),
        "version": version,
        "status": _DRAFT,
        **({"team": {"name": owner.as_value(one_line(owner.value))}} if owner is not None else {}),
        "schema": [_schema(tracer, end)],
        **({"slaProperties": levels} if levels else {}),
    }


def _schema(tracer: Tracer, end: Source | Sink) -> dict[str, Any]:
    name = tracer.stated(end, "dataset") or Traced(end.id, (tracer.place(end, "id"),))
    physical = tracer.stated(end, "topic" if isinstance(end, Source) else "table")
    properties = _properties(tracer, end)
    quality = quality_of(tracer, end.id, end.dataset, properties)
    return {
        "name": name,
        **({"physicalName": physical} if physical is not None else {}),
        **({"properties": list(properties.values())} if properties else {}),
        **({"quality": quality} if quality else {}),
    }


def _properties(tracer: Tracer, end: Source | Sink) -> dict[str, dict[str, Any]]:
    """The fields that the plan names, those of the key first; a plan says nothing of their types."""
    found: dict[str, dict[str, Any]] = {}
    keys = (end.cdc, "primary_key") if isinstance(end, Source) else (end, "idempotency_key")
    section, field = keys
    if section is not None:
        place = tracer.place(section, field)
        for number, name in enumerate(getattr(section, field), start=1):
            found[name] = {
                "name": Traced(name, (place,)),
                "primaryKey": Traced(value=True, places=(place,)),
                "primaryKeyPosition": number,
            }
    if isinstance(end, Source):
        for part, name in ((end.semantics, "event_time"), (end.keys, "field"), (end.cdc, "version")):
            said = tracer.stated(part, name)
            if said is not None:
                found.setdefault(str(said.value), {"name": said})
    return found


def _levels(tracer: Tracer, end: Source | Sink) -> list[dict[str, Any]]:
    """Retention of a source; of a sink the slowest freshness that is promised."""
    if isinstance(end, Source):
        kept = tracer.whole(end.retention, "time", 1, "seconds")
        return [_level("retention", kept)] if kept is not None else []
    for slo in tracer.plan.model.slos:
        if slo.subject == end.id and slo.freshness is not None:
            last = slo.freshness.targets()[-1][0]
            latest = tracer.whole(slo.freshness, last, 1, "seconds")
            return [_level("latency", latest.as_value(latest.value, last))] if latest is not None else []
    return []


def _level(name: str, seconds: Traced) -> dict[str, Any]:
    unit, size = next((unit, size) for unit, size in _UNITS if seconds.value % size == 0)
    return {"property": name, "value": seconds.as_value(seconds.value // size), "unit": unit}
