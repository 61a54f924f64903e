"""Print a JSON Schema: of the plan language, for editors, or of what `simulate --format json` prints.

pipelineplan schema > plan.schema.json
pipelineplan schema --for simulate > simulate.schema.json
"""

from __future__ import annotations

import argparse

from pipelineplan.cli.output import say


def add_options(parser: argparse.ArgumentParser) -> None:
    """The options of `schema`."""
    parser.add_argument(
        "--for", dest="output", choices=("plan", "simulate"), default="plan", help="default: plan"
    )


def run(options: argparse.Namespace) -> int:
    """Print the schema."""
    if options.output == "simulate":
        from pipelineplan.simulation.schema import simulate_schema_text

        say(simulate_schema_text().rstrip("\n"))
        return 0
    from pipelineplan.plan.schema import plan_schema_text

    say(plan_schema_text().rstrip("\n"))
    return 0
