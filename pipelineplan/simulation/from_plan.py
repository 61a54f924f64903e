"""From a plan to the pipelines that can be simulated, at the likely values and at both ends.

    clicks -forward-> count -forward-> dashboard     one pipeline per sink, with all that feeds it

A plan's interval `3_500/s ± 5 %` is 3,500 in the likely network, 3,675 in the optimistic and
3,325 in the pessimistic one; what the plan does not state and an engine's default assumes comes
with its own interval. What this simulator does not model is refused with a reason, node by node.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace
from pathlib import Path

from pipelineplan.errors import InputError, Position, Problem
from pipelineplan.plan import Plan
from pipelineplan.plan.sink import Sink
from pipelineplan.simulation.acts.library import Recipe
from pipelineplan.simulation.arranging import Pipeline
from pipelineplan.simulation.network import NotSimulated
from pipelineplan.simulation.reading.chain_reading import ChainReader
from pipelineplan.simulation.reading.chains import NoChain, chain_to
from pipelineplan.simulation.reading.jobs_reading import JobsReader
from pipelineplan.simulation.reading.whole_reading import WholeReader
from pipelineplan.simulation.reading.wholes import whole_of
from pipelineplan.simulation.result import SimulationResult

_LONGEST_HORIZON_SECONDS = 366 * 86_400.0


def simulate(
    plan: Plan,
    recipes: Iterable[Recipe] | None = None,
    *,
    replications: int = 0,
    seed: int = 0,
    jobs: int = 1,
    resume: Path | None = None,
    horizon_seconds: float | None = None,
) -> SimulationResult:
    """Simulate every pipeline of `plan`: the default scenarios, or `recipes` of the library.

    With `replications`, each is run that many times in weather drawn from `seed`, on `jobs`
    processes, and promises are judged by how often they are kept; finished ones are written to
    `resume`, where a file is named, and taken from there. With `horizon_seconds` each run lasts that
    long. What cannot be simulated stands in the result's `not_simulated`, with the reason. Raises
    `InputError` for a horizon that is not above 0, or longer than a year.
    """
    from pipelineplan.simulation.chance.replicating import Futures
    from pipelineplan.simulation.replaying import declared_replay, with_replay
    from pipelineplan.simulation.simulating import simulate_pipelines

    if horizon_seconds is not None and not 0 < horizon_seconds <= _LONGEST_HORIZON_SECONDS:
        problem = (
            f"found {horizon_seconds:g} s, wanted more than 0 s and at most {_LONGEST_HORIZON_SECONDS:g} s"
        )
        raise InputError([Problem(problem, Position("--horizon"))])
    found, refused = pipelines_of(plan)
    pipelines = tuple(replace(each, horizon_seconds=horizon_seconds) for each in found)
    futures = Futures(replications, seed, jobs, keep=resume) if replications > 0 else None
    result = simulate_pipelines(pipelines, recipes, refused, futures)
    return result if recipes is not None else with_replay(result, declared_replay(plan), pipelines)


def pipelines_of(plan: Plan) -> tuple[tuple[Pipeline, ...], tuple[tuple[str, str], ...]]:
    """The pipelines of `plan`, and for every sink or outage that is left out, its name and why."""
    pipelines: list[Pipeline] = []
    refused: list[tuple[str, str]] = []
    for sink in plan.model.sinks:
        try:
            pipelines.append(_reader(plan, sink).pipeline())
        except NotSimulated as reason:
            refused.append((sink.id, reason.reason))
        except ValueError as error:
            refused.append((sink.id, str(error)))
    return tuple(pipelines), tuple(dict.fromkeys(refused))


def _reader(plan: Plan, sink: Sink) -> ChainReader:
    """A chain where there is one way to the sink, else everything that is connected with it."""
    try:
        reader = ChainReader(plan, chain_to(plan, sink))
    except NoChain:
        return WholeReader(plan, whole_of(plan, sink))
    return JobsReader(plan, reader.chain) if len(reader.jobs()) > 1 else reader
