"""Print a JSON Schema: of the plan language, for editors, or of what a command prints as JSON.

pipelineplan schema > plan.schema.json
pipelineplan schema --for check > check.schema.json
"""

from __future__ import annotations

import argparse
from collections.abc import Callable, Mapping
from importlib import import_module

from pipelineplan.cli.output import say

# Where the text of each schema comes from; a module is imported when its schema is asked for.
_SCHEMAS: Mapping[str, tuple[str, str]] = {
    "plan": ("pipelineplan.plan.schema", "plan_schema_text"),
    "check": ("pipelineplan.verdicts.schema", "check_schema_text"),
    "simulate": ("pipelineplan.simulation.figures.schema", "simulate_schema_text"),
}


def add_options(parser: argparse.ArgumentParser) -> None:
    """The options of `schema`."""
    parser.add_argument("--for", dest="output", choices=tuple(_SCHEMAS), default="plan", help="default: plan")


def run(options: argparse.Namespace) -> int:
    """Print the schema."""
    module, name = _SCHEMAS[options.output]
    text: Callable[[], str] = getattr(import_module(module), name)
    say(text().rstrip("\n"))
    return 0
