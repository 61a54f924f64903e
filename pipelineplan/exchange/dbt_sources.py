"""dbt sources with the freshness that the plan's checks allow: the tables that the pipeline writes.

sinks: {id: warehouse, table: raw.orders}                               source raw, table orders
quality: {check: freshness, fields: loaded_at, within: 12 h}            error_after: {count: 12, period: hour}

A check of severity error is `error_after`, one of severity warning `warn_after`. Both stand under `config:`,
as dbt 1.9 and later want it; `facts` reads them back. Source: dbt documentation, "freshness".
"""

from __future__ import annotations

from typing import Any

from pipelineplan.exchange.exported import Export
from pipelineplan.exchange.settings import Settings
from pipelineplan.exchange.traced import Needs, Traced
from pipelineplan.exchange.tracing import Tracer
from pipelineplan.exchange.yaml_text import as_yaml
from pipelineplan.plan import Plan
from pipelineplan.plan.governance import QualityCheck
from pipelineplan.plan.sink import Sink

TITLE = "freshness of dbt sources"
ASKS = {"source": "the dbt source of tables that the plan does not place in one"}

_SECONDS = {"day": 86_400, "hour": 3600, "minute": 60}
_LIMITS = {"error": "error_after", "warning": "warn_after"}


def export(plan: Plan, settings: Settings) -> Export | None:
    """The tables of every sink with a freshness check, by source; None when there is no such check."""
    tracer = Tracer(plan)
    checks = [check for check in plan.model.quality if check.check == "freshness"]
    by_source: dict[str, list[Any]] = {}
    named: dict[str, Traced] = {}
    placed: set[int] = set()
    for sink in plan.model.sinks:
        own = [check for check in checks if check.dataset in {sink.id, sink.dataset, sink.table}]
        placed |= {id(check) for check in own}
        source, table = _names(tracer, sink, settings)
        tree = _table(tracer, table, own) if own else None
        if tree is not None:
            named[str(source.value)] = source
            by_source.setdefault(str(source.value), []).append(tree)
    for check in checks:
        if id(check) not in placed:
            tracer.drop(check, "dataset", "no table that the pipeline writes")
    if not by_source:
        return None
    trees = [_source(named[name], tables) for name, tables in by_source.items()]
    head = (f"Freshness of the tables that the plan {plan.name} writes.", *settings.head(tracer.dropped))
    return Export(
        "dbt", (as_yaml("sources.yml", head, [{"version": 2, "sources": trees}]),), tuple(tracer.dropped)
    )


def _names(tracer: Tracer, sink: Sink, settings: Settings) -> tuple[Traced, Traced]:
    """The dbt source and table of a sink: `table: raw.orders`, else its id in a source that `--set` names."""
    stated = tracer.stated(sink, "table")
    if stated is not None and "." in str(stated.value):
        source, _, table = str(stated.value).rpartition(".")
        return stated.as_value(source), stated.as_value(table)
    source_given = settings.get("source") or Traced("", ())
    return source_given, stated or Traced(sink.id, (tracer.place(sink, "id"),))


def _source(name: Traced, tables: list[Any]) -> Any:
    if name.value:
        return {"name": name, "tables": tables}
    why = "--set source=NAME, or state table: of the sink as source.table"
    return Needs({"name": "<SOURCE>", "tables": tables}, why)


def _table(tracer: Tracer, name: Traced, checks: list[QualityCheck]) -> dict[str, Any] | None:
    freshness: dict[str, Any] = {}
    fields: dict[str, Traced] = {}
    for check in checks:
        limit = _limit(tracer, check)
        if limit is None:
            continue
        key = _LIMITS[check.severity]
        if key in freshness:
            tracer.drop(check, "within", f"another check of the table is its {key} already")
            continue
        freshness[key] = limit
        if len(check.fields) == 1:
            fields[check.fields[0]] = Traced(check.fields[0], (tracer.place(check, "fields"),))
    if not freshness:
        return None
    field = next(iter(fields.values())) if len(fields) == 1 else None
    loaded = {"loaded_at_field": field} if field is not None else {}
    if len(fields) > 1:
        tracer.drop(checks[0], "fields", "checks of the table look at different fields, and dbt at one")
    return {"name": name, "config": {"freshness": freshness, **loaded}}


def _limit(tracer: Tracer, check: QualityCheck) -> dict[str, Any] | None:
    if check.severity not in _LIMITS:
        tracer.drop(check, "severity", f"{check.severity} neither warns nor fails in dbt")
        return None
    found = tracer.whole(check, "within", 1, "seconds")
    if found is None:
        return None
    period = next((name for name, size in _SECONDS.items() if found.value % size == 0), None)
    if period is None:
        tracer.drop(check, "within", "no whole number of minutes, which is the finest that dbt knows")
        return None
    return {"count": found.as_value(found.value // _SECONDS[period]), "period": period}
