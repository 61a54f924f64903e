"""The section on schema evolution: policies, recorded versions, what was judged, and what a replay costs.

recorded versions of orders   orders.v1 from 2026-01-01, orders.v2 from 2026-03-02
SCH204 orders                 orders.v2 of 'orders' reads every version that the replay may meet
replay orders -> warehouse    3,629 M records, drained in 4.2 d
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable, Iterator
from typing import TYPE_CHECKING

from pipelineplan.bundle.checklist import Said
from pipelineplan.bundle.saying import place, say_figure
from pipelineplan.plan import Plan
from pipelineplan.plan.succession import successions
from pipelineplan.verdicts import Finding, Verdict

if TYPE_CHECKING:
    from pipelineplan.simulation.result import SimulationResult

_TOLD = ("SCH201", "SCH202", "SCH203", "SCH204", "SCH205", "SCH206", "SCH401", "SCH402")


def evolution_facts(
    plan: Plan, findings: Iterable[Finding], simulated: SimulationResult | None
) -> Iterator[tuple[str, Said]]:
    """Labels with what is said: recorded versions, verdicts that hold, and simulated replays."""
    for one in successions(plan):
        if one.recorded.names:
            versions = zip(one.names, one.recorded.starts, strict=False)
            said = ", ".join(f"{name}{_since(start)}" for name, start in versions)
            yield f"recorded versions of {one.dataset}", Said(said, place(plan, one.path("versions")))
    for finding in findings:
        if finding.code in _TOLD and finding.verdict is Verdict.HOLDS:
            where = f"{finding.path} ({finding.position})"
            yield f"{finding.code} {finding.subject}", Said(finding.message, where)
    for scenario in simulated.scenarios if simulated is not None else ():
        if scenario.name == "replay":
            records, seconds = (scenario.figures[name] for name in ("replayed_records", "drain_seconds"))
            said = f"{say_figure(records)}, drained in {say_figure(seconds)}"
            why = f"scenario replay, figures replayed_records and drain_seconds: {scenario.notes[0]}"
            yield f"replay {scenario.pipeline}", Said(said, why)


def _since(start: float | None) -> str:
    return f" from {dt.datetime.fromtimestamp(start, dt.UTC):%Y-%m-%d}" if start is not None else ""
