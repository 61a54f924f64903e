"""Two plans in the same weather: how far apart each figure is, and whether chance explains it.

    job-outage   drain   51.3 min -> 40.1 min   -11.2 min (-11.3 to -11.1 over replications)

Replication number 7 of one plan meets the same records, speeds and failures as number 7 of the
other, so what they have in common cancels and far fewer replications tell them apart.

Source: A. M. Law, Simulation Modeling and Analysis, 5th ed., 2015, section 11.2 (common random numbers).
"""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import asdict, dataclass
from typing import Any

from pipelineplan.simulation.probability import spread
from pipelineplan.simulation.result import ScenarioResult, SimulationResult


@dataclass(frozen=True)
class Difference:
    """One figure of one scenario in two plans; `low` to `high` is the paired 95 % t-interval.

    Without replications, or where a run never ends, the interval is NaN.
    """

    scenario: str
    figure: str
    unit: str
    first: float
    other: float
    low: float
    high: float

    def to_json_dict(self) -> dict[str, Any]:
        """Plain data; what is not finite is None."""
        plain = asdict(self)
        return {
            name: None if isinstance(value, float) and not math.isfinite(value) else value
            for name, value in plain.items()
        }


def compare(first: SimulationResult, other: SimulationResult) -> tuple[Difference, ...]:
    """The figures that differ in the scenarios that both plans have, in the order of the first.

    Scenarios are paired by name and by their turn among those of that name.
    """
    theirs = dict(_by_turn(other))
    pairs = [(one, theirs[key]) for key, one in _by_turn(first) if key in theirs]
    return tuple(each for one, two in pairs for each in _differences(one, two))


def _by_turn(result: SimulationResult) -> Iterator[tuple[tuple[str, int], ScenarioResult]]:
    seen: dict[str, int] = {}
    for scenario in result.scenarios:
        seen[scenario.name] = seen.get(scenario.name, 0) + 1
        yield (scenario.name, seen[scenario.name]), scenario


def _differences(one: ScenarioResult, two: ScenarioResult) -> Iterator[Difference]:
    for name, figure in one.figures.items():
        value, theirs = figure.value, two.figures[name].value
        both_unknown = math.isnan(value) and math.isnan(theirs)
        if value != theirs and not both_unknown:
            low, high = _paired(one, two, name)
            yield Difference(one.name, name, figure.unit, value, theirs, low, high)


def _paired(one: ScenarioResult, two: ScenarioResult, figure: str) -> tuple[float, float]:
    if one.replications is None or two.replications is None:
        return math.nan, math.nan
    ours, theirs = one.replications.samples[figure], two.replications.samples[figure]
    differences = [b - a for a, b in zip(ours, theirs, strict=True)]
    if not all(math.isfinite(each) for each in differences):
        return math.nan, math.nan
    found = spread(differences)
    return found.mean_low, found.mean_high
