"""Simulate load, outages, late data and replay of a plan, and judge its promises.

    pipelineplan simulate plan.yaml
    pipelineplan simulate plan.yaml --scenario burst
    pipelineplan simulate plan.yaml --scenario all -o out/ --format json

By default: steady load, peak load, and every outage that the plan declares. Each figure comes with
the interval that the plan's own inputs allow.
"""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import TYPE_CHECKING

from pipelineplan.cli.output import coloured, envelope, note, safe, say
from pipelineplan.quantities import Dimension, say_seconds
from pipelineplan.quantities import say as say_quantity
from pipelineplan.verdicts import Verdict

if TYPE_CHECKING:
    from pipelineplan.simulation import Figure, ScenarioResult, SimulationResult

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
)


def add_options(parser: argparse.ArgumentParser) -> None:
    """The options of `simulate`."""
    parser.add_argument("plan", metavar="PLAN", type=Path)
    parser.add_argument(
        "--scenario",
        action="append",
        default=[],
        metavar="NAME|FILE|all",
        help="a scenario of the library or a file; may be repeated",
    )
    parser.add_argument("-o", "--output", type=Path, metavar="DIR", help="write figures and curves there")
    parser.add_argument("--strict", action="store_true", help="an unknown verdict counts as a failing one")
    parser.add_argument("--env", metavar="NAME", help="lay the overlay of this environment over the plan")
    parser.add_argument("--format", choices=("text", "json"), default="text")


def run(options: argparse.Namespace) -> int:
    """Simulate, write, print."""
    from pipelineplan.workflow import simulate

    result = simulate(options.plan, scenarios=options.scenario, env=options.env)
    if options.output is not None:
        _write(result, options.output)
    bad = {Verdict.FAILS, Verdict.UNKNOWN} if options.strict else {Verdict.FAILS}
    status = 1 if result.verdict in bad else 0
    if options.format == "json":
        say(envelope("simulate", status, **result.to_json_dict()))
        return status
    for scenario in result.scenarios:
        _print(scenario)
    for what, reason in result.not_simulated:
        say(f"{coloured('not simulated', 'unknown')}  {safe(what)}: {safe(reason)}")
    for assumption in result.assumptions:
        note(f"assumed: {safe(assumption)}")
    return status


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
            f"{safe(scenario.pipeline)}: {safe(scenario.title or scenario.name)} ({scenario.tier})", "bold"
        )
    )
    for name in _SHOWN:
        figure = scenario.figures.get(name)
        if figure is not None:
            say(f"  {_words(name):<32} {figure_text(figure)}")
    for verdict in scenario.slo_verdicts:
        say(f"  {coloured(verdict.verdict.value, verdict.verdict.value):<9} {safe(verdict.message)}")
    for remark in scenario.notes:
        say(f"  note: {safe(remark)}")
    say()


def _words(name: str) -> str:
    if name.startswith("freshness_p"):  # from the record where there is no window
        return f"{name.removesuffix('_seconds').replace('_', ' ')} since window"
    return name.removesuffix("_seconds").removesuffix("_records").replace("_", " ")


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
    return f"{number:,.0f} {unit}" if abs(number) != float("inf") else f"unbounded {unit}"
