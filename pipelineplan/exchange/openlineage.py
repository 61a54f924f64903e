"""The plan's lineage as OpenLineage events that need no run: a job for each sink, and every dataset.

{"eventTime": ..., "job": {"name": "sales.warehouse"}, "inputs": [orders], "outputs": [warehouse]}

One event a line. What happens between is facets: what a dataset is made of by its contract, who owns it, what
the stages do. An event wants a time and namespaces, which no plan states: `--set time=`, `--set namespace=`.
Source: OpenLineage specification 2-0-2, JobEvent and DatasetEvent, and its facets.
"""

from __future__ import annotations

import json
from datetime import datetime
from typing import Any

from pipelineplan.contracts import Contract
from pipelineplan.contracts.contract import Field
from pipelineplan.documents.redaction import redacted_tree
from pipelineplan.errors import InputError, Position, Problem
from pipelineplan.exchange.exported import Export, File
from pipelineplan.exchange.settings import Settings
from pipelineplan.exchange.text import one_line
from pipelineplan.exchange.traced import Traced, agreed, plain, traced_in
from pipelineplan.exchange.tracing import Tracer
from pipelineplan.plan import Plan
from pipelineplan.plan.sink import Sink
from pipelineplan.plan.source import Source
from pipelineplan.plan.stage import Stage

TITLE = "lineage as OpenLineage static events"
ASKS = {
    "time": "the time of the events, as 2026-11-09T10:30:00Z",
    "namespace": "the namespace of the jobs, and of datasets that are no topics",
    "kafka": "the brokers, as host:port: the namespace of topics is kafka://host:port",
}

_PRODUCER = "urn:pipelineplan:export"
_SPEC = "https://openlineage.io/spec"
_EVENT = f"{_SPEC}/2-0-2/OpenLineage.json#/$defs"
_FACETS = {
    "DocumentationDatasetFacet": "1-1-0",
    "DocumentationJobFacet": "1-1-0",
    "JobTypeJobFacet": "2-0-4",
    "OwnershipDatasetFacet": "1-0-1",
    "OwnershipJobFacet": "1-0-1",
    "SchemaDatasetFacet": "1-2-0",
}
_KINDS = {"stream": "STREAMING", "cdc": "STREAMING", "batch": "BATCH"}
_INTEGRATIONS = {"flink": "FLINK", "spark": "SPARK", "dbt": "DBT", "beam": "BEAM"}


def export(plan: Plan, settings: Settings) -> Export | None:
    """A job event for each sink, then an event for each source and sink."""
    _check(plan, settings)
    tracer = Tracer(plan)
    jobs = [_job_event(tracer, sink, settings) for sink in plan.model.sinks]
    ends: list[Source | Sink] = [*plan.model.sources, *plan.model.sinks]
    events = [*jobs, *(_dataset_event(tracer, end, settings) for end in ends)]
    for stage in plan.model.stages:
        tracer.left(stage, {"id", "inputs", "purpose", "engine", "job"}, "lineage says nothing of it")
    lines = [json.dumps(redacted_tree(plain(event)), ensure_ascii=False) for event in events]
    values = [(f"[{n}].{_dotted(at)}", traced) for n, e in enumerate(events) for at, traced in traced_in(e)]
    file = File("lineage.jsonl", "\n".join(lines) + "\n", tuple(values))
    return Export("openlineage", (file,), tuple(tracer.dropped))


def _check(plan: Plan, settings: Settings) -> None:
    """Raise `InputError` for every setting without which no event is one."""
    topics = any(source.system == "kafka" for source in plan.model.sources)
    wanted = ["time", "namespace", *(["kafka"] if topics else [])]
    problems = [
        Problem(f"an event wants {ASKS[name]}", Position("--set"), fix=f"add --set {name}=...")
        for name in wanted
        if name not in settings.values
    ]
    given = settings.values.get("time")
    if given is not None and not _is_time(given):
        message = f"found {given!r} for time, wanted one such as 2026-11-09T10:30:00Z"
        problems.append(Problem(message, Position("--set")))
    if problems:
        raise InputError(problems)


def _is_time(text: str) -> bool:
    try:
        return datetime.fromisoformat(text).tzinfo is not None and "T" in text
    except ValueError:
        return False


def _dotted(path: tuple[str | int, ...]) -> str:
    return ".".join(str(step) for step in path)


def _event(kind: str, settings: Settings, **content: Any) -> dict[str, Any]:
    time = {"eventTime": settings.get("time")}
    return {**time, "producer": _PRODUCER, "schemaURL": f"{_EVENT}/{kind}", **content}


def _facet(name: str, **content: Any) -> dict[str, Any]:
    url = f"{_SPEC}/facets/{_FACETS[name]}/{name}.json#/$defs/{name}"
    return {"_producer": _PRODUCER, "_schemaURL": url, **content}


def _job_event(tracer: Tracer, sink: Sink, settings: Settings) -> dict[str, Any]:
    plan = tracer.plan
    above = [(name, plan.graph.kinds[name]) for name in plan.graph.above(sink.id)]
    sources = [plan.source(name) for name, kind in above if kind == "source"]
    stages = [plan.stage(name) for name, kind in above if kind == "stage"]
    job = {
        "namespace": settings.get("namespace"),
        "name": f"{plan.name}.{sink.id}",
        "facets": _job_facets(tracer, stages),
    }
    named = [_named(tracer, source, settings) for source in sources]
    return _event("JobEvent", settings, job=job, inputs=named, outputs=[_named(tracer, sink, settings)])


def _job_facets(tracer: Tracer, stages: list[Stage]) -> dict[str, Any]:
    facets: dict[str, Any] = {}
    said = [stage for stage in stages if stage.purpose is not None]
    if said:
        places = tuple(tracer.place(stage, "purpose") for stage in said)
        words = "; ".join(f"{stage.id}: {one_line(stage.purpose)}" for stage in said)
        facets["documentation"] = _facet("DocumentationJobFacet", description=Traced(words, places))
    engine = agreed([one for stage in stages if (one := tracer.stated(stage, "engine")) is not None])
    mode = tracer.stated(tracer.plan.model.ingestion, "mode")
    if engine is not None and engine.value in _INTEGRATIONS and mode is not None and mode.value in _KINDS:
        kind, integration = mode.as_value(_KINDS[mode.value]), engine.as_value(_INTEGRATIONS[engine.value])
        facets["jobType"] = _facet("JobTypeJobFacet", processingType=kind, integration=integration)
    owner = tracer.stated(tracer.plan.model.metadata, "owner")
    if owner is not None:
        facets["ownership"] = _facet("OwnershipJobFacet", owners=[{"name": owner}])
    return facets


def _dataset_event(tracer: Tracer, end: Source | Sink, settings: Settings) -> dict[str, Any]:
    facets: dict[str, Any] = {}
    contract = tracer.plan.contracts.get(end.contract) if end.contract is not None else None
    if contract is not None and (fields := _fields(contract, end.dataset)):
        facets["schema"] = _facet("SchemaDatasetFacet", fields=fields)
    owner = tracer.stated(end, "owner")
    if owner is not None:
        facets["ownership"] = _facet("OwnershipDatasetFacet", owners=[{"name": owner}])
    if contract is not None and contract.description:
        described = one_line(contract.description)
        facets["documentation"] = _facet("DocumentationDatasetFacet", description=described)
    return _event("DatasetEvent", settings, dataset={**_named(tracer, end, settings), "facets": facets})


def _named(tracer: Tracer, end: Source | Sink, settings: Settings) -> dict[str, Any]:
    """A dataset by its names: a topic at its brokers, anything else in the namespace that was given."""
    field = "topic" if isinstance(end, Source) else "table"
    name = tracer.stated(end, field) or Traced(end.id, (tracer.place(end, "id"),))
    if isinstance(end, Source) and end.system == "kafka":
        return {"namespace": f"kafka://{settings.values['kafka']}", "name": name}
    return {"namespace": settings.get("namespace"), "name": name}


def _fields(contract: Contract, dataset: str | None) -> list[dict[str, Any]]:
    """The fields of the dataset that is meant, or of the only one that there is."""
    found = [
        one for one in contract.datasets if dataset in {one.name, one.physical_name}
    ] or contract.datasets
    return [_field(field) for field in found[0].fields] if len(found) == 1 else []


def _field(field: Field) -> dict[str, Any]:
    typed = field.physical_type or field.logical_type
    return {
        "name": field.column,
        **({"type": typed} if typed else {}),
        **({"description": one_line(field.description)} if field.description else {}),
        **({"fields": [_field(inner) for inner in field.fields]} if field.fields else {}),
    }
