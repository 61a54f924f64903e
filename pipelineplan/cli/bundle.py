"""Compile everything about a plan into one folder: report, runbooks, findings, simulation, quality.

    pipelineplan bundle plan.yaml -o out/orders
    pipelineplan bundle plan.yaml --data-dir data/ --as-of 2026-11-09T10:30 -o out/orders
    pipelineplan bundle plan.yaml --as design-spec -o out/orders-design

The folder is written whole or not at all, with a manifest that `verify` checks. Without data, quality
stays open and the report says so. Exit status 1 when the plan does not hold; the bundle is written.
"""

from __future__ import annotations

import argparse
from pathlib import Path

from pipelineplan.cli.data_options import add_as_of, add_data_options, as_of, given_data
from pipelineplan.cli.output import coloured, envelope, safe, say
from pipelineplan.cli.progress import progress
from pipelineplan.cli.simulate import add_replications
from pipelineplan.errors import InputError, Position, Problem
from pipelineplan.verdicts import Verdict


def add_options(parser: argparse.ArgumentParser) -> None:
    """The options of `bundle`."""
    parser.add_argument("plan", metavar="PLAN", type=Path)
    parser.add_argument("-o", "--output", type=Path, required=True, metavar="DIR")
    parser.add_argument(
        "--as",
        dest="rendering",
        choices=("data-plan", "design-spec", "technical-design"),
        default="data-plan",
        help="the document that the report is: the thirteen sections of a data plan (default), the ten of a "
        "design spec, or the technical design template, by quality level",
    )
    add_data_options(parser)
    add_as_of(parser)
    parser.add_argument(
        "--mutate",
        action="store_true",
        help="put faults into the data and report which check notices which; takes minutes",
    )
    parser.add_argument(
        "--strict", action="store_true", help="unknown verdicts and assumptions count in full"
    )
    add_replications(parser)
    parser.add_argument(
        "--evidence",
        type=Path,
        metavar="FILE",
        help="records of `cutover --record`; default: beside the plan",
    )
    parser.add_argument("--env", metavar="NAME", help="lay the overlay of this environment over the plan")
    parser.add_argument("--format", choices=("text", "json"), default="text")


def run(options: argparse.Namespace) -> int:
    """Compile, write, say where and what."""
    from pipelineplan.workflow import simulate, write

    data = given_data(options)
    if options.mutate and not data:
        fix = "add --data NAME=PATH or --data-dir DIR"
        raise InputError([Problem("there is no data to put faults into", Position("--mutate"), fix=fix)])
    simulated = None
    if options.replications:
        drawn = {"replications": options.replications, "seed": options.seed, "jobs": options.jobs}
        simulated = simulate(options.plan, env=options.env, **drawn)
    contents = write(
        options.plan,
        options.output,
        data,
        as_of=as_of(options),
        env=options.env,
        strict=options.strict,
        mutation=options.mutate,
        simulated=simulated,
        rendering=options.rendering,
        evidence=options.evidence,
        progress=progress(),
    )
    bad = {Verdict.FAILS, Verdict.UNKNOWN} if options.strict else {Verdict.FAILS}
    status = 1 if contents.verdict in bad else 0
    gates = {gate.gate: gate.state.value for gate in contents.gates}
    if options.format == "json":
        verdict = contents.verdict.value
        say(envelope("bundle", status, verdict=verdict, gates=gates, folder=options.output.as_posix()))
        return status
    say(f"{safe(contents.plan.name)}: {coloured(contents.verdict.value, contents.verdict.value)}")
    for gate in contents.gates:
        if gate.state.value not in {"pass", "not_required"}:
            reason = f": {safe(gate.reasons[0])}" if gate.reasons else ""
            say(f"  {gate.gate} {gate.title} {gate.state.value}{reason}")
    say(f"open {options.output / 'report.html'}")
    return status
