"""Alerting rules of Prometheus, with thresholds that the plan states or that follow from it.

operations.alerts: {signal: lag, above: 10 min}    the age of the oldest unread record, by offsets
slos: {availability: 99.5 %}                       burn rates of its budget over two windows each
outages, simulated                                 lag beyond all that the plan claims to survive

Metric names differ between exporters of consumer lag: `--set exporter=` chooses one. What no exporter
measures stands as a comment with what it needs. Source: Prometheus documentation, "Alerting rules".
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from pipelineplan.exchange.alert_rule import AlertRule
from pipelineplan.exchange.budget_alerts import unguarded
from pipelineplan.exchange.computed_alerts import checkpoint_alerts, missing_series, unforeseen_lag
from pipelineplan.exchange.exported import Export
from pipelineplan.exchange.measuring_by import EXPORTERS, METERS, meters
from pipelineplan.exchange.plan_alerts import stated_alerts
from pipelineplan.exchange.settings import Settings
from pipelineplan.exchange.traced import Needs
from pipelineplan.exchange.tracing import Tracer
from pipelineplan.exchange.yaml_text import as_yaml
from pipelineplan.plan import Plan

TITLE = "Prometheus alerting rules"
ASKS = {"exporter": f"who measures lag: {', '.join(EXPORTERS)}", **METERS}


def export(plan: Plan, settings: Settings) -> Export | None:
    """The rules in one file, in groups by where they come from; None when there is none."""
    tracer = Tracer(plan)
    measured = meters(tracer, settings)
    stated = list(stated_alerts(measured))
    follow = [
        *unguarded(measured),
        *checkpoint_alerts(measured),
        *unforeseen_lag(measured, settings.simulated),
    ]
    blind = list(missing_series([*stated, *follow]))
    groups = [("stated", stated), ("computed", follow), ("blind", blind)]
    trees = [_group(plan, name, rules) for name, rules in groups if rules]
    if not trees:
        return None
    head = (
        f"Alerting rules of the plan {plan.name}; lag is measured by {measured.exporter}.",
        *settings.head(tracer.dropped),
    )
    document = as_yaml(f"{measured.exporter}.rules.yaml", head, [{"groups": trees}])
    return Export("prometheus", (document,), tuple(tracer.dropped))


def _group(plan: Plan, name: str, rules: Iterable[AlertRule]) -> Any:
    """A group; one whose rules are all open is a comment, since a group wants rules."""
    operations = plan.model.operations
    on_call = operations.on_call if operations is not None else None
    team = Tracer(plan).stated(on_call, "team")
    listed = [rule.tree(plan.name, team) for rule in rules]
    group = {"name": f"{plan.name} {name}", "rules": listed}
    return (
        Needs(group, "nothing of it can be measured yet")
        if all(isinstance(r, Needs) for r in listed)
        else group
    )
