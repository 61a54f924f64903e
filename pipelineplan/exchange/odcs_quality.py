"""Checks of a plan as quality rules of a data contract: the library's metrics, with the plan's own bounds.

null        {metric: nullValues, mustBe: 0}                       of its property
unique      {metric: duplicateValues, arguments: {properties}}    of the dataset
domain      {metric: invalidValues, arguments: {validValues}}     of its property
regex       {metric: invalidValues, arguments: {pattern}}
volume      {metric: rowCount, mustBeBetween: [1000, 50000000]}

A threshold is a percentage that must not be exceeded. What the library has no metric for is left out.
"""

from __future__ import annotations

from typing import Any

from pipelineplan.exchange.traced import Traced
from pipelineplan.exchange.tracing import Tracer
from pipelineplan.plan.governance import QualityCheck

_OF_A_FIELD = {"null": "nullValues", "domain": "invalidValues", "regex": "invalidValues"}


def quality_of(
    tracer: Tracer, node: str, dataset: str | None, properties: dict[str, dict[str, Any]]
) -> list[dict[str, Any]]:
    """The rules of a whole dataset; those of one field are put to it in `properties`."""
    whole: list[dict[str, Any]] = []
    for check in tracer.plan.model.quality:
        if check.dataset not in {node, dataset}:
            continue
        if check.check in _OF_A_FIELD and len(check.fields) == 1:
            rule = _field_rule(tracer, check)
            name = check.fields[0]
            place = tracer.place(check, "fields")
            entry = properties.setdefault(name, {"name": Traced(name, (place,))})
            entry.setdefault("quality", []).append(rule)
        elif check.check == "unique":
            names = [Traced(name, (tracer.place(check, "fields"),)) for name in check.fields]
            whole.append(_rule(tracer, check, "duplicateValues", {"properties": names}))
        elif check.check == "volume" and (rows := _row_count(tracer, check)) is not None:
            whole.append(rows)
        elif check.check != "freshness":  # which is a service level
            tracer.drop(check, "", f"the standard's library has no metric for {check.check!r}")
    return whole


def _field_rule(tracer: Tracer, check: QualityCheck) -> dict[str, Any]:
    arguments: dict[str, Any] = {}
    if check.check == "domain":
        place = tracer.place(check, "values")
        arguments = {"validValues": [Traced(value, (place,)) for value in check.values]}
    if check.check == "regex" and (pattern := tracer.stated(check, "pattern")) is not None:
        arguments = {"pattern": pattern}
    return _rule(tracer, check, _OF_A_FIELD[check.check], arguments)


def _rule(tracer: Tracer, check: QualityCheck, metric: str, arguments: dict[str, Any]) -> dict[str, Any]:
    return {
        **_named(tracer, check),
        "metric": metric,
        **({"arguments": arguments} if arguments else {}),
        **_bound(tracer, check),
        **_severity(tracer, check),
    }


def _named(tracer: Tracer, check: QualityCheck) -> dict[str, Any]:
    name = tracer.stated(check, "id")
    return {"name": name} if name is not None else {}


def _bound(tracer: Tracer, check: QualityCheck) -> dict[str, Any]:
    """None at all where nothing else is said: that is what a check of a plan means."""
    share = tracer.stated(check, "threshold")
    if share is None or share.value.value == 0:
        return {"mustBe": share.as_value(0) if share is not None else 0}
    percent = round(share.value.value * 100, 12)
    return {"mustBeLessOrEqualTo": share.as_value(percent), "unit": "percent"}


def _severity(tracer: Tracer, check: QualityCheck) -> dict[str, Any]:
    said = tracer.stated(check, "severity")
    return {"severity": said} if said is not None else {}


def _row_count(tracer: Tracer, check: QualityCheck) -> dict[str, Any] | None:
    if check.between is None:
        return None
    low, high = (tracer.stated(check.between, name) for name in ("min", "max"))
    if low is not None and high is not None:
        bound: dict[str, Any] = {"mustBeBetween": [low, high]}
    elif low is not None:
        bound = {"mustBeGreaterOrEqualTo": low}
    else:
        bound = {"mustBeLessOrEqualTo": high}
    return {**_named(tracer, check), "metric": "rowCount", **bound, **_severity(tracer, check)}
