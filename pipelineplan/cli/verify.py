"""Whether a bundle is whole and unaltered, by the hashes of its manifest.

pipelineplan verify out/orders
"""

from __future__ import annotations

import argparse
from pathlib import Path

from pipelineplan.cli.output import envelope, problem_json, safe, say


def add_options(parser: argparse.ArgumentParser) -> None:
    """The options of `verify`."""
    parser.add_argument("folder", metavar="DIR", type=Path, help="the folder of a bundle")
    parser.add_argument("--format", choices=("text", "json"), default="text")


def run(options: argparse.Namespace) -> int:
    """Name every file that is altered, missing or extra."""
    from pipelineplan.bundle import verify

    problems = verify(options.folder)
    status = 1 if problems else 0
    if options.format == "json":
        say(envelope("verify", status, problems=[problem_json(problem) for problem in problems]))
        return status
    for problem in problems:
        say(safe(str(problem)))
    say(f"{options.folder}: {'whole and unaltered' if not problems else f'{len(problems)} differences'}")
    return status
