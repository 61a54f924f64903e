"""Print the runbook of a cutover, a rollback or a launch, each step with its threshold and where from.

pipelineplan cutover plan.yaml
pipelineplan cutover plan.yaml --kind rollback > rollback.md
"""

from __future__ import annotations

import argparse
from pathlib import Path

from pipelineplan.cli.output import envelope, say


def add_options(parser: argparse.ArgumentParser) -> None:
    """The options of `cutover`."""
    parser.add_argument("plan", metavar="PLAN", type=Path)
    parser.add_argument("--kind", choices=("cutover", "rollback", "launch"), default="cutover")
    parser.add_argument("--env", metavar="NAME", help="lay the overlay of this environment over the plan")
    parser.add_argument("--format", choices=("markdown", "json"), default="markdown")


def run(options: argparse.Namespace) -> int:
    """Compile the plan and print one of its runbooks."""
    from pipelineplan.bundle.as_checklist_md import as_checklist_md
    from pipelineplan.bundle.as_json import checklist_json
    from pipelineplan.workflow import compile_plan

    contents = compile_plan(options.plan, env=options.env)
    checklist = contents.checklist(options.kind)
    if checklist is None:
        raise LookupError(f"no runbook of the kind {options.kind!r} was compiled")
    if options.format == "json":
        say(envelope("cutover", 0, checklist=checklist_json(checklist)))
    else:
        say(as_checklist_md(checklist).rstrip("\n"))
    return 0
