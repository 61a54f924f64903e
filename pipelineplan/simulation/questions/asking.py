"""Ask a plan what it would take: every value is tried on all scenarios, and the worst one counts.

stages.count.parallelism until drain_time <= 30 min @ 95 %   ->  14, and 13 fails
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from pipelineplan.errors import InputError, Position, Problem
from pipelineplan.plan import Plan
from pipelineplan.plan.changing import path_named
from pipelineplan.simulation.acts.library import Recipe
from pipelineplan.simulation.arranging import End, Pipeline
from pipelineplan.simulation.chance.replicating import Futures, samples
from pipelineplan.simulation.figures.measures import FIGURES
from pipelineplan.simulation.from_plan import pipelines_of
from pipelineplan.simulation.network import Network
from pipelineplan.simulation.probability import Chance, chance, runs_to_decide
from pipelineplan.simulation.questions.condition import Condition, read_condition
from pipelineplan.simulation.questions.solving import Solution, Trial, solve
from pipelineplan.simulation.result import Figure
from pipelineplan.simulation.scenario import Scenario
from pipelineplan.simulation.simulating import arrangements, simulate_pipelines

_ENOUGH_RUNS = 200


def solve_plan(
    plan: Plan,
    name: str,
    until: str,
    recipes: tuple[Recipe, ...] | None = None,
    futures: Futures | None = None,
) -> Solution:
    """The least value of the entry `name` at which the condition `until` is met by all scenarios.

    A condition with a probability is confirmed by replications, 200 if `futures` does not say.
    Raises `InputError` for an entry or a condition that cannot be read.
    """
    condition = read_condition(until, {name: unit for name, (unit, _) in FIGURES.items()})
    futures = futures or Futures(_ENOUGH_RUNS)
    _enough(condition, futures)
    asked = _Asked(condition, recipes, _refused(plan, recipes), futures)
    return solve(plan, path_named(plan, name), condition, asked.try_out, asked.confirm)


def _enough(condition: Condition, futures: Futures) -> None:
    """Refuse to search for what no outcome of so few replications could show."""
    needed, clean = condition.probability, chance(futures.runs, futures.runs)
    if needed is not None and clean.low < needed:
        message = f"{futures.runs:,} replications, all kept, show no more than {clean.low:.4f}"
        fix = f"at least {runs_to_decide(clean, needed):,} replications for {needed:g}"
        raise InputError([Problem(f"{condition.text!r}: {message}", Position("--replications"), fix=fix)])


def _refused(plan: Plan, recipes: tuple[Recipe, ...] | None) -> frozenset[str]:
    """What is not simulated of the plan as it stands, and so is no reason against another value."""
    pipelines, refused = pipelines_of(plan)
    return frozenset(what for what, _ in simulate_pipelines(pipelines, recipes, refused).not_simulated)


@dataclass(frozen=True)
class _Asked:
    condition: Condition
    recipes: tuple[Recipe, ...] | None
    refused: frozenset[str]
    futures: Futures

    def try_out(self, plan: Plan) -> Trial:
        """All scenarios once at every end of the inputs."""
        pipelines, refused = pipelines_of(plan)
        result = simulate_pipelines(pipelines, self.recipes, refused)
        more = [f"{what}: {why}" for what, why in result.not_simulated if what not in self.refused]
        figures = [scenario.figures[self.condition.figure] for scenario in result.scenarios]
        if more or not figures:
            return Trial(
                "", float("nan"), float("nan"), met=False, why="; ".join(more) or "nothing is simulated"
            )
        low, likely, high = self._worst(figures)
        # With a probability, chance decides and not the worst moment: what the likely run keeps is confirmed.
        met = (
            self.condition.met(low, high)
            if self.condition.probability is None
            else self.condition.met(likely, likely)
        )
        return Trial("", low, high, met)

    def _worst(self, figures: list[Figure]) -> tuple[float, float, float]:
        of = max if self.condition.at_most else min
        lows, likely, highs = zip(*((each.low, each.value, each.high) for each in figures), strict=True)
        return of(lows), of(likely), of(highs)

    def confirm(self, plan: Plan) -> Trial:
        """The same with replications, where a probability is asked for."""
        trial = self.try_out(plan)
        if self.condition.probability is None or not trial.met:
            return trial
        worst = chance(self.futures.runs, self.futures.runs)
        for network, scenario in self._pairs(pipelines_of(plan)[0]):
            worst = min(worst, self._kept(network, scenario), key=lambda one: one.low)
            if worst.low < self.condition.probability:
                break
        met = worst.low >= self.condition.probability
        return Trial("", trial.low, trial.high, met, f"kept in {worst.kept:,} of {worst.runs:,} replications")

    def _pairs(self, pipelines: tuple[Pipeline, ...]) -> Iterator[tuple[Network, Scenario]]:
        """Every scenario at every end of the inputs that differs from the others."""
        seen: list[tuple[Network, Scenario]] = []
        for pipeline in pipelines:
            for name, arranged in arrangements(pipeline, self.recipes):
                for end in End if f"{pipeline.name}: {name}" not in self.refused else ():
                    pair = arranged(pipeline.inputs[end], End.LIKELY)
                    if pair not in seen:
                        seen.append(pair)
                        yield pair

    def _kept(self, network: Network, scenario: Scenario) -> Chance:
        if network.utilisation(scenario.rates[-1][1])[0] > 1:
            # No chance mends an overload, and a run of it lasts for days.
            return chance(0, self.futures.runs)
        found = samples(network, scenario, (), self.futures)
        values = [each.figures[self.condition.figure] for each in found]
        return chance(sum(self.condition.met(value, value) for value in values), len(values))
