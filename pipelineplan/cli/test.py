"""Run the plan's quality rules and contracts on data, with Great Expectations over DuckDB.

    pipelineplan test plan.yaml --data orders=data/orders.csv customers=data/customers.csv
    pipelineplan test plan.yaml --data-dir data/

Every check passes, fails, or could not be evaluated; a rule that nothing can execute is listed with
its reason. Exit status 1 when a check of severity error fails or any could not be evaluated.
"""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import TYPE_CHECKING

from pipelineplan.cli.data_options import add_as_of, add_data_options, as_of, given_data
from pipelineplan.cli.output import coloured, envelope, note, safe, say
from pipelineplan.cli.progress import progress
from pipelineplan.errors import InputError, Position, Problem

if TYPE_CHECKING:
    from pipelineplan.quality import CheckResult, QualityReport


def add_options(parser: argparse.ArgumentParser) -> None:
    """The options of `test`."""
    parser.add_argument("plan", metavar="PLAN", type=Path)
    add_data_options(parser)
    add_as_of(parser)
    parser.add_argument("--env", metavar="NAME", help="lay the overlay of this environment over the plan")
    parser.add_argument("--format", choices=("text", "json"), default="text")


def run(options: argparse.Namespace) -> int:
    """Compile, run, print."""
    from pipelineplan.verdicts import Verdict
    from pipelineplan.workflow import test

    data = given_data(options)
    if not data:
        raise InputError(
            [Problem("no data given, wanted --data NAME=PATH or --data-dir DIR", Position("--data"))]
        )
    report = test(options.plan, data, as_of=as_of(options), env=options.env, progress=progress())
    status = 0 if report.verdict is Verdict.HOLDS else 1
    if options.format == "json":
        say(envelope("test", status, report=report.to_json_dict()))
        return status
    _print(report)
    return status


def _print(report: QualityReport) -> None:
    for name, rows in report.datasets.items():
        say(coloured(f"{safe(name)}: {rows:,} rows", "bold"))
        for check in report.checks:
            if check.dataset == name:
                say(_line(check))
    for entry in report.not_executable:
        say(f"  not executable  {safe(entry.rule)} ({entry.position}): {safe(entry.reason)}")
    without = sorted({check.dataset for check in report.checks} - set(report.datasets))
    if without:
        note(f"no data given for {', '.join(without)}")
    counts = report.to_json_dict()["counts"]
    say(", ".join(f"{number} {verdict}" for verdict, number in counts.items()))


def _line(check: CheckResult) -> str:
    meaning = {"pass": "holds", "fail": "fails"}.get(str(check.verdict), "unknown")
    line = f"  {coloured(str(check.verdict), meaning):<14}  {safe(check.title)}"
    if check.unexpected_count:
        line += f": {check.unexpected_count:,} of {check.row_count:,} rows"
    if check.reason:
        line += f": {safe(check.reason)}"
    if check.unexpected_count and check.samples:
        line += f" (such as {', '.join(safe(str(sample)) for sample in check.samples[:3])})"
    return line
