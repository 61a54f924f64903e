"""Burn rates of the plan's own promises, each over a long and a short window.

    99.5 % at 14.4 times over 1 h      errors / requests > 14.4 * 0.005 = 0.072, over 1 h and over 5 min

The short window is a twelfth of the long one: it ends the alert soon after the burning has ended. A promise
that no alert guards gets the three of `plan.budgets`. Source: B. Beyer et al., The Site Reliability Workbook,
O'Reilly 2018, chapter 5, "Multiwindow, Multi-Burn-Rate Alerts".
"""

from __future__ import annotations

from collections.abc import Iterator

from pipelineplan.exchange.alert_rule import AlertRule
from pipelineplan.exchange.measuring_by import Meters
from pipelineplan.exchange.promql import duration, number
from pipelineplan.exchange.traced import Place, Traced
from pipelineplan.plan import budgets
from pipelineplan.plan.objectives import Slo
from pipelineplan.plan.operations import Alert
from pipelineplan.quantities import say_seconds

_SHORT = 12.0


def burning(meters: Meters, alert: Alert) -> Iterator[AlertRule]:
    """The rules of one burn-rate alert of the plan: one for each promise that it guards."""
    if alert.burn_rate is None or alert.window is None:
        meters.tracer.drop(alert, "", "burn_rate: state burn_rate: and window:")
        return
    for slo in _promises(meters):
        if alert.objective in {None, slo.subject}:
            places = (
                meters.tracer.place(alert, "burn_rate"),
                meters.tracer.place(alert, "window"),
                meters.tracer.place(slo, "availability"),
            )
            severity = meters.tracer.stated(alert, "severity")
            runbook = meters.tracer.stated(alert, "runbook")
            yield _rule(meters, slo, alert.burn_rate, alert.window.value, places, severity, runbook)


def unguarded(meters: Meters) -> Iterator[AlertRule]:
    """The usual alerts for each promise of availability that no alert of the plan guards."""
    operations = meters.tracer.plan.model.operations
    alerts = [a for a in operations.alerts if a.signal == "burn_rate"] if operations is not None else []
    for slo in _promises(meters):
        if any(alert.objective in {None, slo.subject} for alert in alerts):
            continue
        if slo.window is None:
            meters.tracer.drop(slo, "availability", "no burn rate follows without window:")
            continue
        places = (meters.tracer.place(slo, "availability"), meters.tracer.place(slo, "window"))
        for usual in budgets.BURN_ALERTS:
            rate = usual.burn_rate(slo.window.value)
            severity = Traced(usual.severity, (), "as in The Site Reliability Workbook, chapter 5")
            yield _rule(meters, slo, rate, usual.window_seconds, places, severity, None)


def _promises(meters: Meters) -> list[Slo]:
    """Every promise of availability that is one number."""
    return [
        slo
        for slo in meters.tracer.plan.model.slos
        if slo.availability is not None and not slo.availability.uncertain
    ]


def _rule(
    meters: Meters,
    slo: Slo,
    rate: float,
    window_seconds: float,
    places: tuple[Place, ...],
    severity: Traced | None,
    runbook: Traced | None,
) -> AlertRule:
    promised = slo.availability.value if slo.availability is not None else 1.0
    share = number(budgets.error_rate(rate, promised))
    errors, needs = meters.named("errors")
    requests, also = meters.named("requests")
    if len(_promises(meters)) > 1:
        needs = "the plan promises availability of several things, and one counter cannot be of them all"
    spans = [duration(window_seconds), duration(window_seconds / _SHORT)]
    ratios = [f"sum(rate({errors}[{span}])) / sum(rate({requests}[{span}])) > {share}" for span in spans]
    over = say_seconds(window_seconds)
    says = f"the error budget of {slo.subject} burns {rate:.4g} times too fast over {over}"
    return AlertRule(
        "ErrorBudgetBurns",
        " and ".join(ratios),
        says,
        "burn_rate",
        places,
        f"{rate:.6g} * (1 - {number(promised)})",
        None,
        severity,
        runbook,
        {"objective": slo.subject, "window": spans[0]},
        needs="; ".join(text for text in (needs, also) if text),
    )
