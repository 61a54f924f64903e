"""Changes of schemas with evidence: the rules that are unknown until something is simulated.

findings (SCH402 unknown) + simulation  ->  SCH402 fails: 30 d of 'orders' are 2,592 M records, take 40 d
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Iterator
from typing import TYPE_CHECKING

from pipelineplan.plan import Plan
from pipelineplan.plan.succession import Succession
from pipelineplan.rules.claim import Claim
from pipelineplan.rules.registry import RULES, judged
from pipelineplan.rules.schema_evidence import Forced, lag_claims, replay_claims, simulated_operand
from pipelineplan.verdicts import Finding, Operand

if TYPE_CHECKING:
    from pipelineplan.simulation.arranging import Pipeline
    from pipelineplan.simulation.result import Figure, ScenarioResult, SimulationResult

SIMULATED = frozenset({"SCH401", "SCH402"})


def with_simulated(
    plan: Plan, findings: Iterable[Finding], simulated: SimulationResult | None
) -> tuple[Finding, ...]:
    """`findings` with those on schema changes judged by `simulated`; as they are where nothing was."""
    given = tuple(findings)
    if simulated is None or not any(finding.code in SIMULATED for finding in given):
        return given
    told = {
        finding.fingerprint: finding
        for code, claims in simulated_claims(plan, simulated).items()
        for finding in judged(RULES[code], plan, claims)
    }
    return tuple(told.get(finding.fingerprint, finding) for finding in given)


def simulated_claims(plan: Plan, simulated: SimulationResult) -> dict[str, list[Claim]]:
    """The claims of each rule in `SIMULATED`, with the simulated figures in them."""
    return {
        "SCH401": list(lag_claims(plan, lambda one: _longest_lag(one, simulated))),
        "SCH402": list(replay_claims(plan, _cost)),
    }


def _longest_lag(one: Succession, simulated: SimulationResult) -> Operand | None:
    """The age of the oldest unread record in the worst scenario of a pipeline that reads the dataset."""
    figures = [
        (scenario.name, scenario.figures["oldest_unread_seconds"])
        for scenario in simulated.scenarios
        if one.source is not None and one.source.id in _sources(scenario)
    ]
    if not figures:
        return None
    name, worst = max(figures, key=lambda pair: pair[1].high)
    return simulated_operand(one, "lag", f"oldest unread record, scenario {name}", _ends(worst))


def _sources(scenario: ScenarioResult) -> list[str]:
    return scenario.pipeline.partition(" -> ")[0].split(" + ")


def _cost(forced: Forced) -> tuple[Operand, float] | None:
    """The time and the records of a replay of that range: those of the slowest pipeline that has to."""
    found = list(_replays(forced))
    if not found:
        return None
    slowest = max(found, key=lambda figures: figures[0].high)
    seconds = simulated_operand(forced.one, "time", "simulated time of the replay", _ends(slowest[0]))
    return seconds, slowest[1].value


def _replays(forced: Forced) -> Iterator[tuple[Figure, Figure]]:
    from pipelineplan.simulation import NotSimulated, pipelines_of
    from pipelineplan.simulation.replaying import replay_of, replayed

    one = forced.one
    wanted = replay_of(one.plan, forced.range_seconds)
    for pipeline in pipelines_of(one.plan)[0]:
        if one.source is not None and one.source.id in _reads(pipeline):
            try:
                figures = replayed(pipeline, wanted).figures
            except NotSimulated:
                continue
            yield figures["drain_seconds"], figures["replayed_records"]


def _reads(pipeline: Pipeline) -> list[str]:
    return pipeline.name.partition(" -> ")[0].split(" + ")


def _ends(figure: Figure) -> tuple[float, float, float]:
    low, high = min(figure.low, figure.value), max(figure.high, figure.value)
    return (figure.value, low, high if not math.isnan(high) else math.inf)
