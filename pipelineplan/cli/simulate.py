"""Simulate load, outages, late data and replay of a plan, and judge its promises.

    pipelineplan simulate plan.yaml
    pipelineplan simulate plan.yaml --scenario burst
    pipelineplan simulate plan.yaml --scenario all -o out/ --format json
    pipelineplan simulate plan.yaml --replications 1000 --seed 7 --jobs 2
    pipelineplan simulate plan.yaml other.yaml --replications 200
    pipelineplan simulate plan.yaml --sensitivity
    pipelineplan simulate plan.yaml --solve stages.count.parallelism --until 'drain_time <= 30 min @ 95 %'

By default: steady load, peak load, and every outage that the plan declares. Each figure comes with
the interval that the plan's own inputs allow. With replications, what chance adds is shown beside
it, and a promise is judged by how often it is kept. Solving finds the least value of one number of
the plan that keeps a figure of all scenarios within a bound, and shows that less does not. Sensitivity
moves each number of the plan alone and says which moves the verdict most.
"""

from __future__ import annotations

import argparse
import math
from collections.abc import Iterator, Mapping
from itertools import groupby
from pathlib import Path
from typing import TYPE_CHECKING, Any

from pipelineplan.cli import tornado
from pipelineplan.cli.output import coloured, envelope, note, safe, say
from pipelineplan.errors import InputError, Position, Problem
from pipelineplan.quantities import Dimension, QuantityError, parse, say_seconds
from pipelineplan.quantities import say as say_quantity
from pipelineplan.verdicts import Verdict

if TYPE_CHECKING:
    from pipelineplan.simulation import Difference, Figure, ScenarioResult, SimulationResult
    from pipelineplan.simulation.questions.solving import Solution, Trial

_SHOWN = (
    "peak_lag_records",
    "oldest_unread_seconds",
    "drain_seconds",
    "replayed_records",
    "duplicate_records",
    "lost_records",
    "late_records",
    "dropped_records",
    "freshness_p95_seconds",
    "peak_utilisation_worst_worker",
    "peak_state_bytes",
    "seconds_to_full_state",
    "longest_checkpoint_seconds",
    "restore_seconds",
    "cost",
    "added_cost",
)


def add_options(parser: argparse.ArgumentParser) -> None:
    """The options of `simulate`."""
    parser.add_argument("plan", metavar="PLAN", type=Path)
    parser.add_argument(
        "others",
        metavar="OTHER",
        type=Path,
        nargs="*",
        help="plans to compare with the first, in the same weather",
    )
    parser.add_argument(
        "--scenario",
        action="append",
        default=[],
        metavar="NAME|FILE|all",
        help="a scenario of the library or a file; may be repeated",
    )
    parser.add_argument("-o", "--output", type=Path, metavar="DIR", help="write figures and curves there")
    parser.add_argument(
        "--horizon",
        type=_duration,
        metavar="TIME",
        help="how long each run lasts, but those by schedule; default: until everything has drained",
    )
    add_replications(parser)
    parser.add_argument(
        "--resume",
        type=Path,
        metavar="FILE",
        help="write each finished replication there, and go on with those that are there already",
    )
    parser.add_argument("--solve", metavar="ENTRY", help="the number of the plan to vary, with --until")
    parser.add_argument(
        "--until", metavar="CONDITION", help="FIGURE <= QUANTITY, and @ PROBABILITY if wanted"
    )
    tornado.add_options(parser)
    parser.add_argument("--strict", action="store_true", help="an unknown verdict counts as a failing one")
    parser.add_argument("--env", metavar="NAME", help="lay the overlay of this environment over the plan")
    parser.add_argument("--format", choices=("text", "json"), default="text")


def add_replications(parser: argparse.ArgumentParser) -> None:
    """The options of replications, which `bundle` has too."""
    parser.add_argument(
        "--replications", type=_count, default=0, metavar="N", help="draw load, service and failures N times"
    )
    parser.add_argument("--seed", type=_count, default=0, metavar="S", help="of the replications; default: 0")
    parser.add_argument(
        "--jobs", type=_count, default=1, metavar="N", help="processes for the replications; default: 1"
    )


def _count(text: str) -> int:
    if not text.isascii() or not text.isdigit():
        raise argparse.ArgumentTypeError(f"found {text!r}, wanted a whole number from 0 up")
    return int(text)


def _duration(text: str) -> float:
    try:
        return float(parse(text, Dimension.DURATION).value)
    except QuantityError as error:
        raise argparse.ArgumentTypeError(str(error)) from None


def run(options: argparse.Namespace) -> int:
    """Simulate, write, print."""
    from pipelineplan.workflow import simulate

    if options.sensitivity is not None:
        return tornado.run(options)
    if options.solve is not None or options.until is not None:
        return _solve(options)
    results = {
        str(plan): simulate(
            plan,
            scenarios=options.scenario,
            env=options.env,
            replications=options.replications,
            seed=options.seed,
            jobs=options.jobs,
            resume=options.resume,
            horizon_seconds=options.horizon,
        )
        for plan in (options.plan, *options.others)
    }
    if options.output is not None:
        _write_all(results, options.output)
    bad = {Verdict.FAILS, Verdict.UNKNOWN} if options.strict else {Verdict.FAILS}
    status = 1 if any(result.verdict in bad for result in results.values()) else 0
    if options.format == "json":
        say(envelope("simulate", status, **_plain(results)))
    else:
        _print_all(results)
    return status


def _plain(results: Mapping[str, SimulationResult]) -> dict[str, Any]:
    """One plan's result as it is; of several, each, and how they differ from the first."""
    first, *others = results.values()
    if not others:
        return first.to_json_dict()
    return {
        "plans": [{"plan": plan, **result.to_json_dict()} for plan, result in results.items()],
        "comparison": [
            {"plan": plan, **difference.to_json_dict()}
            for plan, differences in _compared(results)
            for difference in differences
        ],
    }


def _compared(results: Mapping[str, SimulationResult]) -> Iterator[tuple[str, tuple[Difference, ...]]]:
    """Every other plan, and how its figures differ from those of the first."""
    from pipelineplan.simulation import compare

    (_, first), *others = results.items()
    for plan, result in others:
        yield plan, compare(first, result)


def _print_all(results: Mapping[str, SimulationResult]) -> None:
    for plan, result in results.items():
        if len(results) > 1:
            say(coloured(safe(plan), "bold"))
        for scenario in result.scenarios:
            _print(scenario)
        _print_classes(result)
        for what, reason in result.not_simulated:
            say(f"{coloured('not simulated', 'unknown')}  {safe(what)}: {safe(reason)}")
        for assumption in result.assumptions:
            note(f"assumed: {safe(assumption)}")
    for plan, differences in _compared(results):
        say(coloured(f"{safe(plan)}, compared with {safe(next(iter(results)))}", "bold"))
        for each in differences:
            say(f"  {safe(each.scenario)}: {_words(each.figure):<28} {_difference(each)}")
        if not differences:
            say("  no figure differs")


def _difference(each: Difference) -> str:
    """Before and after, and with replications the interval of what lies between."""
    change = f"{_amount(each.first, each.unit)} -> {_amount(each.other, each.unit)}"
    if not math.isfinite(each.low):
        return change
    low, high = (("-" if end < 0 else "+") + _amount(abs(end), each.unit) for end in (each.low, each.high))
    return f"{change} ({low} to {high})"


def _solve(options: argparse.Namespace) -> int:
    """Find the least value, and print it with what was tried around it."""
    from pipelineplan.workflow import solve

    alone = options.output is None and not options.others and options.horizon is None
    if options.solve is None or options.until is None or not alone:
        found = "--solve and --until go together, with one plan and without --output and --horizon"
        raise InputError([Problem(found, Position("command line"))])
    solution = solve(
        options.plan,
        options.solve,
        options.until,
        scenarios=options.scenario,
        env=options.env,
        replications=options.replications,
        seed=options.seed,
        jobs=options.jobs,
    )
    status = 0 if solution.found is not None else 1
    if options.format == "json":
        say(envelope("simulate", status, solution=solution.to_json_dict()))
    else:
        _print_solution(solution)
    return status


def _print_solution(solution: Solution) -> None:
    where, asked = safe(solution.path), safe(solution.condition)
    if solution.found is None:
        say(f"{coloured('fails', 'fails')}  no value of {where} that was tried meets {asked}")
    else:
        say(f"{where}: {coloured(safe(solution.found), 'bold')} is the least with {asked}")
    say(f"  now {safe(solution.now)}; tried: {'; '.join(_tried(solution))}")
    for trial in (solution.before, solution.at_found):
        if trial is not None:
            say(f"  at {safe(trial.value)}: {_bounds(trial, solution)}")
    if not solution.monotone:
        say("  more is not always better: a larger value that was tried fails")


def _tried(solution: Solution) -> Iterator[str]:
    """What was tried, as runs of neighbours that agree."""
    for met, group in groupby(solution.trials, key=lambda trial: trial.met):
        values = [safe(trial.value) for trial in group]
        span = values[0] if len(values) == 1 else f"{values[0]} to {values[-1]} ({len(values)} values)"
        yield f"{span} {'met' if met else 'not met'}"


def _bounds(trial: Trial, solution: Solution) -> str:
    low, high = _amount(trial.low, solution.unit), _amount(trial.high, solution.unit)
    figure = low if low == high else f"{low} to {high}"
    return f"{figure}; {safe(trial.why)}" if trial.why else figure


def _write_all(results: Mapping[str, SimulationResult], folder: Path) -> None:
    """The files of one plan into the folder; of several, each into its own by number, and side by side."""
    from pipelineplan.bundle.plots import write_plots
    from pipelineplan.errors import MissingExtraError

    for number, result in enumerate(results.values(), start=1):
        _write(result, folder if len(results) == 1 else folder / f"plan-{number}")
    try:
        names = [file.name for file in write_plots(results, folder)]
        note(f"wrote {len(names)} plots to {folder}")
    except MissingExtraError as error:
        note(f"no plots: {error}")


def _write(result: SimulationResult, folder: Path) -> None:
    """Parquet where it can be written, CSV always."""
    from pipelineplan.errors import MissingExtraError
    from pipelineplan.simulation import write_csv, write_parquet

    written = list(write_csv(result, folder))
    try:
        written += write_parquet(result, folder)
    except MissingExtraError as error:
        note(f"CSV only: {error}")
    note(f"wrote {', '.join(file.name for file in written)} to {folder}")


def _print(scenario: ScenarioResult) -> None:
    say(
        coloured(
            f"{safe(scenario.pipeline)}: {safe(scenario.title or scenario.name)} ({_tiers(scenario)})", "bold"
        )
    )
    for name in _SHOWN:
        figure = scenario.figures.get(name)
        if figure is not None:
            other = "" if figure.tier == scenario.tier else f" ({figure.tier})"
            say(f"  {_words(name):<32} {figure_text(figure)}{other}{_by_chance(scenario, name, figure.unit)}")
    for verdict in scenario.slo_verdicts:
        say(f"  {coloured(verdict.verdict.value, verdict.verdict.value):<9} {safe(verdict.message)}")
    for remark in scenario.notes:
        say(f"  note: {safe(remark)}")
    say()


def _print_classes(result: SimulationResult) -> None:
    """Of which model and error class each figure is, once for all scenarios."""
    classes: dict[str, list[str]] = {}
    for scenario in result.scenarios:
        for name in _SHOWN:
            figure = scenario.figures.get(name)
            if figure is not None:
                names = classes.setdefault(f"{figure.tier}, {figure.error_class}", [])
                names += [] if _words(name) in names else [_words(name)]
    if classes:
        say("how exact a figure is")
    for title, names in classes.items():
        say(f"  {safe(title)}: {', '.join(names)}")


def _tiers(scenario: ScenarioResult) -> str:
    """Which model ran a scenario, and which its replications."""
    if scenario.replications is None:
        return scenario.tier
    return f"{scenario.tier}; replications {scenario.replications.tier}"


def _by_chance(scenario: ScenarioResult, name: str, unit: str) -> str:
    """Where nine of ten replications were, if chance moves the figure at all."""
    if scenario.replications is None:
        return ""
    spread = scenario.replications.figures[name]
    low, high = _amount(spread.p05, unit), _amount(spread.p95, unit)
    return "" if low == high else f"; by chance {low} to {high}"


def _words(name: str) -> str:
    if name.startswith("freshness_p"):  # from the record where there is no window
        return f"{name.removesuffix('_seconds').replace('_', ' ')} since window"
    name = name.replace("seconds_to_", "time_to_")
    for ending in ("_seconds", "_records"):
        name = name.removesuffix(ending)
    return name.replace("_", " ")


def figure_text(figure: Figure) -> str:
    """A figure with its interval, in the units that a person would choose."""
    value, low, high = (_amount(number, figure.unit) for number in (figure.value, figure.low, figure.high))
    return value if low == high else f"{value} ({low} to {high})"


def _amount(number: float, unit: str) -> str:
    if number != number:  # noqa: PLR0124  (not a number: nothing was there to be measured)
        return "unknown"
    if unit == "s":
        return say_seconds(number)
    if unit == "share":
        return say_quantity(number, Dimension.SHARE)
    if unit == "bytes" and math.isfinite(number):
        return say_quantity(number, Dimension.SIZE)
    if unit.isupper() and math.isfinite(number):
        return f"{number:,.2f} {unit}"
    return f"{number:,.0f} {unit}" if abs(number) != float("inf") else f"unbounded {unit}"
