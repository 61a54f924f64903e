"""Compare two plans, or a plan with an earlier revision: values, verdicts, simulated figures.

    pipelineplan diff old.yaml new.yaml
    pipelineplan diff plan.yaml --base origin/main

Prints nothing when nothing changed. Exit status 1 when the newer plan has a finding that counts as an
error, or breaks a promise in the simulation, that the older one did not.
"""

from __future__ import annotations

import argparse
from contextlib import ExitStack
from pathlib import Path

from pipelineplan.cli.output import envelope, say
from pipelineplan.errors import InputError, Position, Problem


def add_options(parser: argparse.ArgumentParser) -> None:
    """The options of `diff`."""
    parser.add_argument("old", metavar="OLD", type=Path, help="the older plan, or with --base the plan")
    parser.add_argument("new", metavar="NEW", type=Path, nargs="?")
    parser.add_argument("--base", metavar="REV", help="compare with the plan at this git revision")
    parser.add_argument("--env", metavar="NAME", help="lay the overlay of this environment over both plans")
    parser.add_argument("--format", choices=("text", "markdown", "json"), default="text")


def run(options: argparse.Namespace) -> int:
    """Read both plans, judge and simulate them, print what differs."""
    from pipelineplan.documents.revision import files_at
    from pipelineplan.plan import read_plan
    from pipelineplan.workflow import diff

    if (options.new is None) == (options.base is None):
        raise InputError([Problem("wanted two plans, or one plan and --base REV", Position("diff"))])
    with ExitStack() as stack:
        if options.base is not None:
            old, new = stack.enter_context(files_at(options.old, options.base)), options.old
        else:
            old, new = options.old, options.new
        difference = diff(read_plan(old, options.env), read_plan(new, options.env))
    status = 1 if difference.worse else 0
    match options.format:
        case "json":
            say(envelope("diff", status, **difference.to_json_dict()))
        case "markdown" if not difference.empty:
            say(difference.to_markdown().rstrip("\n"))
        case "text" if not difference.empty:
            say(difference.to_text().rstrip("\n"))
    return status
