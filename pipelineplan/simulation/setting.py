"""A scenario of the library that is being arranged for a plan."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace

from pipelineplan.quantities import Dimension
from pipelineplan.simulation.network import Network
from pipelineplan.simulation.reading.facts import Facts
from pipelineplan.simulation.scenario import Act, Outage, Scenario

# A number without a unit, in a scenario's file.
NUMBER = "number"
Values = Mapping[str, float]


@dataclass(frozen=True)
class Setting:
    """A scenario in the making: what it runs on, what the plan says besides, and when things begin."""

    network: Network
    scenario: Scenario
    facts: Facts
    rate_per_second: float
    start_seconds: float

    def with_act(self, act: Act, **scenario: object) -> Setting:
        """The same with one act more, and other fields of the scenario changed."""
        acts = (*self.scenario.acts, act)
        changed = replace(self.scenario, acts=acts, **scenario)  # type: ignore[arg-type]
        return replace(self, scenario=_long_enough(changed))

    def with_outages(self, outages: tuple[Outage, ...]) -> Setting:
        """The same with other outages, and time to drain after them."""
        return replace(self, scenario=_long_enough(replace(self.scenario, outages=outages)))


@dataclass(frozen=True)
class Happening:
    """The keys that a scenario's file gives (the optional ones with a default), and what they do."""

    fields: Mapping[str, Dimension | str]
    arrange: Callable[[Values, Setting], Setting]
    optional: Mapping[str, float]


def _long_enough(scenario: Scenario) -> Scenario:
    return replace(scenario, horizon_seconds=max(scenario.horizon_seconds, 4.0 * scenario.busy_until_seconds))
