"""Print which number of a plan moves its verdict most, as a tornado."""

from __future__ import annotations

import argparse
import math
from typing import TYPE_CHECKING

from pipelineplan.cli.output import coloured, envelope, safe, say
from pipelineplan.errors import InputError, Position, Problem
from pipelineplan.quantities import Dimension, QuantityError, parse, say_seconds

if TYPE_CHECKING:
    from pipelineplan.simulation.questions.sensitivity import Sensitivity, Swing

_WIDTH, _SHOWN = 24, 20


def add_options(parser: argparse.ArgumentParser) -> None:
    """The options of `simulate --sensitivity`."""
    parser.add_argument(
        "--sensitivity",
        nargs="?",
        const="margin",
        metavar="FIGURE",
        help="move each number of the plan alone: what it does to a figure, or to the margin of the promises",
    )
    parser.add_argument(
        "--vary",
        type=_share,
        default=0.1,
        metavar="SHARE",
        help="by how much a number without an interval is moved; default: 10 %%",
    )
    parser.add_argument(
        "--sobol",
        type=int,
        default=0,
        metavar="N",
        help="draw Sobol indices too, from N rows (extra: sensitivity)",
    )


def _share(text: str) -> float:
    try:
        share = parse(text, Dimension.SHARE).value
    except QuantityError as error:
        raise argparse.ArgumentTypeError(str(error)) from None
    if not 0 < share < 1:
        raise argparse.ArgumentTypeError(f"found {text!r}, wanted a share above 0 and below 100 %")
    return share


def run(options: argparse.Namespace) -> int:
    """Move every number, print what it did."""
    from pipelineplan.workflow import sensitivity

    others = (options.others, options.output, options.solve, options.replications, options.horizon)
    if any(others):
        found = "--sensitivity goes with one plan, without --output, --solve, --replications and --horizon"
        raise InputError([Problem(found, Position("command line"))])
    if options.sobol < 0:
        raise InputError([Problem(f"found {options.sobol} rows, wanted 0 or more", Position("--sobol"))])
    result = sensitivity(
        options.plan,
        options.sensitivity,
        vary=options.vary,
        scenarios=options.scenario,
        env=options.env,
        samples=options.sobol,
        seed=options.seed,
    )
    if options.format == "json":
        say(envelope("simulate", 0, sensitivity=result.to_json_dict()))
    else:
        _print(result, options.vary)
    return 0


def _print(result: Sensitivity, share: float) -> None:
    say(f"{coloured(result.outcome, 'bold')} now: {_said(result.base, result.unit)}")
    moving = [each for each in result.swings if each.width > 0]
    unclear = [each for each in result.swings if each.why]
    widest = max((each.width for each in moving), default=1.0)
    longest = max((len(each.path) for each in moving[:_SHOWN]), default=0)
    for each in moving[:_SHOWN]:
        say(f"  {safe(each.path):<{longest}}  {_bar(each.width / widest)}  {_line(each, result.unit, share)}")
    rest = len(result.swings) - min(len(moving), _SHOWN) - len([each for each in unclear if each.width == 0])
    if rest > 0:
        say(f"  {rest} other numbers move it less, or not at all")
    for each in unclear:
        say(f"  {coloured('unknown', 'unknown')}  {safe(each.path)}: {safe(each.why)}")


def _line(each: Swing, unit: str, share: float) -> str:
    how = "stated" if each.stated else f"±{share:.0%}"
    ends = f"{_said(each.low, unit)} at {each.at_low}, {_said(each.high, unit)} at {each.at_high} ({how})"
    indices = "" if each.total is None else f"; Sobol {each.first:.2f} alone, {each.total:.2f} with others"
    turns = f"; {coloured('turns the verdict', 'fails')}" if each.turns else ""
    return safe(ends) + indices + turns


def _bar(share: float) -> str:
    return ("#" * max(1, round(share * _WIDTH))).ljust(_WIDTH)


def _said(value: float, unit: str) -> str:
    if math.isnan(value):
        return "unknown"
    if unit == "s":
        return say_seconds(value)
    return f"{value:,.3g}" if unit == "of the promise" else f"{value:,.4g} {unit}"
