"""A Grafana dashboard of what the alerts watch: a panel for each, with the threshold as a line.

operations.alerts: {signal: checkpoint, above: 90 s}      lastCheckpointDuration, red from 90,000 ms on

It measures what the rules of `prometheus` measure, by the same exporter; what compares more than one thing
with one number has no panel. Source: Grafana documentation, "Dashboard JSON model".
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from pipelineplan.documents.redaction import redacted, redacted_tree
from pipelineplan.exchange.budget_alerts import unguarded
from pipelineplan.exchange.exported import Export, File
from pipelineplan.exchange.measuring_by import Meters, meters
from pipelineplan.exchange.plan_alerts import stated_alerts
from pipelineplan.exchange.prometheus import ASKS
from pipelineplan.exchange.settings import Settings
from pipelineplan.exchange.text import one_line
from pipelineplan.exchange.traced import Traced
from pipelineplan.exchange.tracing import Tracer
from pipelineplan.plan import Plan

__all__ = ["ASKS", "TITLE", "export"]

TITLE = "a Grafana dashboard of what the alerts watch"
_HEIGHT, _WIDTH = 8, 12
_SOURCE = {"type": "prometheus", "uid": "${datasource}"}


@dataclass(frozen=True)
class _Panel:
    """A query with its title, and the limit that a rule holds it against, if one does."""

    title: str
    query: str
    limit: Traced | None = None


def export(plan: Plan, settings: Settings) -> Export | None:
    """One dashboard; None when nothing of the plan can be measured."""
    tracer = Tracer(plan)
    measured = meters(tracer, settings)
    panels = [*_lags(measured), *_limits(measured)]
    if not panels:
        return None
    name = one_line(redacted(plan.name))
    dashboard = {
        "title": f"{name}: what its alerts watch",
        "uid": hashlib.sha256(f"{plan.name} {measured.exporter}".encode()).hexdigest()[:24],
        "tags": ["pipelineplan"],
        "schemaVersion": 39,
        "time": {"from": "now-6h", "to": "now"},
        "templating": {"list": [{"name": "datasource", "type": "datasource", "query": "prometheus"}]},
        "panels": [_as_json(number, panel) for number, panel in enumerate(panels)],
    }
    values = tuple((f"panels[{n}].limit", p.limit) for n, p in enumerate(panels) if p.limit is not None)
    text = json.dumps(redacted_tree(dashboard), indent=2, ensure_ascii=False) + "\n"
    return Export("grafana", (File(f"{measured.exporter}.json", text, values),), tuple(tracer.dropped))


def _lags(measured: Meters) -> Iterator[_Panel]:
    """The records that wait in each topic; an alert on their age compares offsets and is no curve."""
    for source in measured.kafka() if measured.lag is not None else ():
        group, needs = measured.group_of(source)
        topic = source.topic or source.id
        if measured.lag is not None and not needs:
            yield _Panel(f"records of {topic} that are unread", measured.lag.records(group, topic))


def _limits(measured: Meters) -> Iterator[_Panel]:
    """What the stated alerts compare with one number, and where that number is from."""
    for rule in (*stated_alerts(measured), *unguarded(measured)):
        compared = rule.compared
        if compared is not None and not rule.needs:
            query, limit = compared
            yield _Panel(rule.says, query, Traced(limit, rule.threshold, rule.how))


def _as_json(number: int, panel: _Panel) -> dict[str, Any]:
    steps: list[dict[str, Any]] = [{"color": "green", "value": None}]
    described = ""
    if panel.limit is not None:
        steps.append({"color": "red", "value": panel.limit.value})
        described = f"the limit is from {panel.limit.origin}"
    return {
        "id": number + 1,
        "type": "timeseries",
        "title": one_line(panel.title),
        "description": one_line(described),
        "datasource": _SOURCE,
        "targets": [{"refId": "A", "expr": panel.query, "datasource": _SOURCE}],
        "fieldConfig": {
            "defaults": {
                "thresholds": {"mode": "absolute", "steps": steps},
                "custom": {"thresholdsStyle": {"mode": "line" if panel.limit is not None else "off"}},
            },
            "overrides": [],
        },
        "gridPos": {
            "h": _HEIGHT,
            "w": _WIDTH,
            "x": number % 2 * _WIDTH,
            "y": number // 2 * _HEIGHT,
        },
    }
