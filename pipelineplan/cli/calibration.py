"""Print what recorded lag says of a plan's numbers: `profile --metrics lag.csv --for plan.yaml`."""

from __future__ import annotations

import argparse
import math
from pathlib import Path
from typing import TYPE_CHECKING

from pipelineplan.cli.output import coloured, envelope, safe, say
from pipelineplan.errors import InputError, Position, Problem
from pipelineplan.quantities import say_seconds, say_share

if TYPE_CHECKING:
    from pipelineplan.simulation.questions.calibration import Calibrated


def add_options(parser: argparse.ArgumentParser) -> None:
    """The options of `profile --metrics`."""
    parser.add_argument(
        "--metrics", type=Path, metavar="FILE", help="a CSV of recorded lag: calibrate a plan instead"
    )
    parser.add_argument("--for", dest="plan", type=Path, metavar="PLAN", help="the plan to calibrate")
    parser.add_argument("--topic", metavar="NAME", help="of the recorded lag, where there are several")
    parser.add_argument("--group", metavar="NAME", help="of the recorded lag, where there are several")
    parser.add_argument("--sink", metavar="ID", help="of the plan's pipeline, where there are several")


def run(options: argparse.Namespace) -> int:
    """Calibrate and print; 0 whatever is found, since a plan may know better than one recording."""
    from pipelineplan.workflow import calibrate

    if None in {options.plan, options.metrics} or options.data or options.event_time is not None:
        wanted = "--metrics goes with --for PLAN, without DATA and --event-time"
        raise InputError([Problem(wanted, Position("command line"))])
    found = calibrate(
        options.plan, options.metrics, topic=options.topic, group=options.group, sink=options.sink
    )
    if options.format == "json":
        say(envelope("profile", 0, calibration=[each.to_json_dict() for each in found]))
        return 0
    for each in found:
        say(_line(each))
    return 0


def _line(each: Calibrated) -> str:
    if math.isnan(each.value):
        return f"{each.name}: {coloured('unknown', 'unknown')}, {safe(each.why)}"
    value, low, high = (_said(number, each.unit) for number in (each.value, each.low, each.high))
    text = f"{each.name}: {value} ({low} to {high}, {each.samples} samples)"
    if each.agrees is None:
        return text
    planned = f"the plan says {_said(each.planned, each.unit)}"
    return f"{text}; {planned}" + ("" if each.agrees else f", {coloured('outside', 'fails')}")


def _said(value: float, unit: str) -> str:
    if unit == "s":
        return say_seconds(value)
    return say_share(value) if unit == "share" else f"{value:,.4g}/s"
