"""Run the scenarios of a pipeline and judge its promises.

Pipeline + recipes -> runs at every end of the inputs -> figures with intervals -> verdicts
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Iterator
from dataclasses import replace

from pipelineplan.quantities import say_seconds
from pipelineplan.simulation.acts.library import Recipe, recipes_named
from pipelineplan.simulation.arranging import End, Inputs, Pipeline, arrange, outage_scenario, trace_scenario
from pipelineplan.simulation.chance.keeping import Sample
from pipelineplan.simulation.chance.replicating import Futures, judge_chances, kept, replications, samples
from pipelineplan.simulation.control import Run, run_scenario
from pipelineplan.simulation.figures.curves import Curves
from pipelineplan.simulation.figures.measures import FIGURES, Range, combine, in_currency, measure, promised
from pipelineplan.simulation.figures.series import series
from pipelineplan.simulation.figures.state_figures import full_notes, stage_states
from pipelineplan.simulation.network import Network, NotSimulated
from pipelineplan.simulation.probability import Chance
from pipelineplan.simulation.records.by_record import ByRecord, refined
from pipelineplan.simulation.result import (
    FLUID,
    PER_RECORD,
    Figure,
    FreshnessTarget,
    ScenarioResult,
    SimulationResult,
    SloVerdict,
    Uncertain,
)
from pipelineplan.simulation.scenario import Scenario
from pipelineplan.verdicts import Verdict

# How one end's network and scenario are made; the name and title are in the scenario.
Arranged = Callable[[Inputs, End], tuple[Network, Scenario]]
_DEFAULT = ("steady", "peak")
WALKED = "every record, with the 95 % interval of the mean over runs; room between stages unlimited"


def simulate_pipelines(
    pipelines: Iterable[Pipeline],
    recipes: Iterable[Recipe] | None = None,
    not_simulated: tuple[tuple[str, str], ...] = (),
    futures: Futures | None = None,
) -> SimulationResult:
    """Run `recipes` on every pipeline; by default steady, peak, recorded, and each declared outage.

    With `futures`, every scenario is replicated too. A scenario that this slice cannot simulate is
    named with its reason and the others still run.
    """
    chosen = None if recipes is None else tuple(recipes)
    results, refused, assumptions = [], list(not_simulated), []
    for pipeline in pipelines:
        assumptions += [f"{pipeline.name}: {each}" for each in pipeline.assumptions]
        for name, arranged in arrangements(pipeline, chosen):
            try:
                results.append(run_ends(pipeline, arranged, futures))
            except NotSimulated as reason:
                refused.append((f"{pipeline.name}: {name}", reason.reason))
    seed = futures.seed if futures is not None else None
    return SimulationResult(tuple(results), tuple(refused), tuple(dict.fromkeys(assumptions)), seed)


def arrangements(pipeline: Pipeline, recipes: tuple[Recipe, ...] | None) -> list[tuple[str, Arranged]]:
    """The scenarios to run on a pipeline, by name: the chosen ones, or those of every plan."""
    found = _arrangements(pipeline, recipes)
    if pipeline.horizon_seconds is None:
        return found
    return [(name, _lasting(pipeline.horizon_seconds, arranged)) for name, arranged in found]


def _lasting(seconds: float, arranged: Arranged) -> Arranged:
    """The same for so long: what runs by schedule keeps its runs, and a recording ends with its last step."""

    def lasting(inputs: Inputs, end: End) -> tuple[Network, Scenario]:
        network, scenario = arranged(inputs, end)
        recorded = scenario.horizon_seconds if scenario.rates is inputs.load.trace else math.inf
        length = min(seconds, recorded)
        if network.runs is not None:
            return network, scenario
        return network, replace(scenario, horizon_seconds=length, settle_seconds=length)

    return lasting


def _arrangements(pipeline: Pipeline, recipes: tuple[Recipe, ...] | None) -> list[tuple[str, Arranged]]:
    if recipes is not None:
        return [(recipe.name, _of_recipe(recipe)) for recipe in recipes]
    arranged = [(recipe.name, _of_recipe(recipe)) for recipe in recipes_named(_DEFAULT) or ()]
    likely = pipeline.inputs[End.LIKELY]
    if likely.load.trace:
        arranged.append(("recorded", lambda inputs, _end: (inputs.network, trace_scenario(inputs.load))))
    for index, declared in enumerate(likely.outages):
        name = declared.name or f"{declared.of.value}-outage"
        arranged.append((name, _of_outage(index, name)))
    return arranged


def _of_recipe(recipe: Recipe) -> Arranged:
    return lambda inputs, end: arrange(recipe, inputs, end)


def _of_outage(index: int, name: str) -> Arranged:
    def arranged(inputs: Inputs, end: End) -> tuple[Network, Scenario]:
        declared = inputs.outages[index]
        load = inputs.load
        rate = load.peak_per_second if declared.at_peak else load.average_per_second
        title = f"{name}, as the plan declares it"
        return inputs.network, outage_scenario(name, title, inputs.network, rate, declared, end)

    return arranged


def run_ends(pipeline: Pipeline, arranged: Arranged, futures: Futures | None = None) -> ScenarioResult:
    """One scenario at every end of the inputs, as figures with intervals and verdicts."""
    result = _run_ends(pipeline, arranged)
    if futures is None:
        return result
    likely = arranged(pipeline.inputs[End.LIKELY], End.LIKELY)
    load, worker = likely[0].utilisation(likely[1].lasting_rate)
    if load > 1:
        why = f"not replicated: {worker} gets more than it can take, and no chance changes that"
        return replace(result, notes=(*result.notes, why))
    return replicated(pipeline, arranged, result, futures)


def replicated(
    pipeline: Pipeline, arranged: Arranged, result: ScenarioResult, futures: Futures
) -> ScenarioResult:
    """The same result with what replications say, and its promises judged by how often they are kept."""
    by_end: dict[End, list[Sample]] = {}
    done: list[tuple[tuple[Network, Scenario], list[Sample]]] = []
    for end in End:
        pair = arranged(pipeline.inputs[end], End.LIKELY)
        before = [found for known, found in done if known == pair]
        by_end[end] = before[0] if before else samples(*pair, _judged(pipeline, result), futures)
        if not before:
            done.append((pair, by_end[end]))
    ends = tuple(End) if len(done) > 1 else (End.LIKELY,)
    verdicts = [
        judge_chances(verdict, chances, futures.needed, pipeline.uncertain)
        for verdict, chances in _chances(pipeline, result, {end: by_end[end] for end in ends})
    ]
    end_seconds = result.series["time_seconds"][-1]
    summary = replications(by_end[End.LIKELY], futures, end_seconds)
    return replace(result, slo_verdicts=tuple(verdicts), replications=summary)


def _judged(pipeline: Pipeline, result: ScenarioResult) -> tuple[FreshnessTarget, ...]:
    return () if result.phases else pipeline.targets


def _chances(
    pipeline: Pipeline, result: ScenarioResult, by_end: dict[End, list[Sample]]
) -> Iterator[tuple[SloVerdict, dict[End, Chance]]]:
    """Each promise of a result, and how often it was kept at every end."""
    targets = _judged(pipeline, result)
    place = {End.LIKELY: 0, End.PESSIMISTIC: 1, End.OPTIMISTIC: 2}
    for number, verdict in enumerate(result.slo_verdicts):
        chances = {}
        for end, found in by_end.items():
            if number < len(targets):
                seconds = [each.fresh_seconds[number] for each in found]
                chances[end] = kept(seconds, targets[number].seconds[place[end]])
            else:
                seconds = [each.figures["drain_seconds"] for each in found]
                chances[end] = kept(seconds, verdict.target_seconds)
        yield verdict, chances


def _run_ends(pipeline: Pipeline, arranged: Arranged) -> ScenarioResult:
    runs = _runs(pipeline, arranged)
    likely = runs[0]
    walked, why = refined(runs, pipeline.targets)
    figures = in_currency(combine([measure(run) for run in runs]), likely.network)
    for name in walked[0].figures if walked else ():
        figures[name] = _figure([each.figures[name] for each in walked], PER_RECORD, WALKED)
    states = stage_states(runs)
    verdicts = [*_freshness_verdicts(pipeline, runs, walked), *_drain_verdicts(pipeline, likely, figures)]
    return ScenarioResult(
        name=likely.scenario.name,
        title=likely.scenario.title,
        pipeline=pipeline.name,
        figures=figures,
        series=series(likely),
        slo_verdicts=tuple(verdicts),
        phases=likely.phases,
        notes=(
            *_notes(likely, pipeline, walked=bool(walked)),
            *full_notes(states),
            *([why] if why else []),
        ),
        states=states,
    )


def _runs(pipeline: Pipeline, arranged: Arranged) -> list[Run]:
    """The likely run first, then those of the other ends that differ from it."""
    seen: list[tuple[Network, Scenario]] = []
    for end in (End.LIKELY, End.OPTIMISTIC, End.PESSIMISTIC):
        pair = arranged(pipeline.inputs[end], end)
        if pair not in seen:
            seen.append(pair)
    return [run_scenario(network, scenario) for network, scenario in seen]


def _freshness_verdicts(pipeline: Pipeline, runs: list[Run], walked: list[ByRecord]) -> list[SloVerdict]:
    """Judged where nothing breaks: an outage is what an error budget is for."""
    if runs[0].scenario.outages:
        return []
    curves = [] if walked else [Curves(run) for run in runs]
    verdicts = []
    for number, target in enumerate(pipeline.targets):
        if walked:
            figure = _figure([each.promised[number] for each in walked], PER_RECORD, WALKED)
        else:
            ranges = [promised(target, each) for each in curves]
            figure = _figure(ranges, FLUID, FIGURES["freshness_p95_seconds"][1])
        verdicts.append(
            judge(target.subject, target.objective, figure, target.seconds, pipeline.uncertain, target.path)
        )
    return verdicts


def _figure(ranges: list[Range], tier: str, error_class: str) -> Figure:
    """A delay over the runs at all ends of the inputs, of which the first is the likely one."""
    low, high = min(each[0] for each in ranges), max(each[2] for each in ranges)
    return Figure(ranges[0][1], low, high, "s", tier, error_class)


def _drain_verdicts(pipeline: Pipeline, run: Run, figures: dict[str, Figure]) -> list[SloVerdict]:
    verdicts = []
    for outage in run.scenario.outages:
        if outage.drain_target_seconds is not None:
            target = (outage.drain_target_seconds,) * 3
            drained = figures["drain_seconds"]
            verdicts.append(
                judge(run.scenario.name, "drain", drained, target, pipeline.uncertain, outage.path)
            )
    return verdicts


def judge(
    subject: str,
    objective: str,
    figure: Figure,
    target: tuple[float, float, float],
    uncertain: tuple[Uncertain, ...] = (),
    path: str = "",
) -> SloVerdict:
    """Holds when the whole interval is within the target, fails when all of it is beyond.

    `target` is its likely value, low and high end, in seconds.
    """
    likely, least, most = target
    if figure.high <= least:
        verdict = Verdict.HOLDS
    elif figure.low > most:
        verdict = Verdict.FAILS
    else:
        verdict = Verdict.UNKNOWN
    message = f"{objective} of {subject}: {_said(figure)} against {say_seconds(likely)}"
    if verdict is Verdict.UNKNOWN:
        message += f"; {_to_settle(uncertain)}"
    return SloVerdict(subject, objective, likely, figure, verdict, message, path)


def _said(figure: Figure) -> str:
    value = say_seconds(figure.value)
    low, high = say_seconds(figure.low), say_seconds(figure.high)
    return value if low == high else f"{value} ({low} to {high})"


def _to_settle(uncertain: tuple[Uncertain, ...]) -> str:
    if not uncertain:
        return (
            "only chance decides: when in its interval a failure comes, and how long records happen to wait"
        )
    return "to settle it, measure " + ", ".join(f"{each.path} ({each.text})" for each in uncertain)


def _overload_notes(run: Run, load: float, worker: str) -> list[str]:
    """Whether a worker gets more than it can take: in the end, or for a part of a load that comes again."""
    if run.scenario.mean_rate is None:
        said = f"{worker} gets {load:.0%} of what it can take: lag grows for as long as this load lasts"
        return [said] if load > 1 else []
    notes = []
    if load > 1:
        notes.append(f"{worker} gets {load:.0%} of what it can take in the mean: lag grows whenever it comes")
    above = math.fsum(
        seconds for rate, seconds in run.scenario.spells if run.network.utilisation(rate)[0] > 1
    )
    if above:
        most, busiest = run.network.utilisation(run.scenario.peak_rate)
        notes.append(
            f"{busiest} gets more than it can take for {say_seconds(above)}, {most:.0%} at most: what comes "
            "then waits until the load falls"
        )
    waiting = float(run.fluid.queue[run.fluid.log][run.fluid.shares > 0].sum())
    if waiting >= 1:
        notes.append(f"{waiting:,.0f} records still wait when this load ends")
    return notes


def _notes(run: Run, pipeline: Pipeline, *, walked: bool) -> list[str]:
    load, worker = run.network.utilisation(run.scenario.lasting_rate)
    notes = _overload_notes(run, load, worker)
    if run.halted_at is not None:
        notes.append(
            f"the reader's position expired after {say_seconds(run.halted_at)} and no offset reset is set: "
            "it stops"
        )
    if any(math.isinf(each.drain_seconds) for each in run.phases) and load <= 1:
        notes.append(f"not drained within {say_seconds(run.fluid.now)}, where the run ends")
    if run.scenario.outages and pipeline.targets:
        notes.append("freshness targets are judged without outages; this run's freshness is in its figures")
    if run.network.event_time.unknown_freshness:
        notes.append(run.network.event_time.unknown_freshness)
    if run.network.event_time.merged_watermark and (run.phases or load > 1):
        notes.append(
            "the watermark is taken after merging, so catching up may drop records beyond those counted: "
            "keep it per partition"
        )
    if any(stage.service_cv**2 > 1.5 for stage in run.network.stages) and not walked:
        notes.append(
            "service times vary so much (c^2 above 1.5) that the estimate of the random wait is no bound"
        )
    return notes
