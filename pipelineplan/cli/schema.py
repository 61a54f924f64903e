"""Print the JSON Schema of the plan language, for editors and for other tools.

pipelineplan schema > plan.schema.json
"""

from __future__ import annotations

import argparse

from pipelineplan.cli.output import say


def add_options(parser: argparse.ArgumentParser) -> None:
    """The options of `schema`."""
    parser.add_argument("--for", dest="output", choices=("plan",), default="plan", help="default: plan")


def run(options: argparse.Namespace) -> int:
    """Print the schema."""
    from pipelineplan.plan.schema import plan_schema_text

    del options
    say(plan_schema_text().rstrip("\n"))
    return 0
