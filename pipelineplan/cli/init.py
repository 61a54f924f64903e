"""Write plans to start from: one that holds, and one that fails and says why.

pipelineplan init my-plans --demo
pipelineplan check my-plans/demo-fails
"""

from __future__ import annotations

import argparse
import shutil
from pathlib import Path

from pipelineplan.cli.output import say
from pipelineplan.errors import InputError, Position, Problem

SCHEMA = "plan.schema.json"
DEMOS = ("demo-holds", "demo-fails")


def add_options(parser: argparse.ArgumentParser) -> None:
    """The options of `init`."""
    parser.add_argument("folder", metavar="DIR", type=Path)
    parser.add_argument("--demo", action="store_true", required=True, help="the two demonstration plans")


def run(options: argparse.Namespace) -> int:
    """Copy the demonstration plans into a new or empty folder."""
    from pipelineplan.catalogue import folder

    target: Path = options.folder
    taken = [name for name in DEMOS if (target / name).exists()]
    if taken:
        message = f"{', '.join(taken)} already there; nothing was written"
        raise InputError([Problem(message, Position(target.as_posix()), fix="choose another folder")])
    try:
        target.mkdir(parents=True, exist_ok=True)
        for name in DEMOS:
            shutil.copytree(folder("examples") / name, target / name)
            _name_schema(target / name / "plan.yaml")
        shutil.copy(folder("contracts") / SCHEMA, target)
    except OSError as error:
        reason = f"cannot be written: {(error.strerror or str(error)).lower()}"
        raise InputError([Problem(reason, Position(target.as_posix()))]) from error
    say(f"wrote {' and '.join(f'{target / name}/plan.yaml' for name in DEMOS)}")
    say(f"next: pipelineplan check {target / 'demo-fails'}")
    return 0


def _name_schema(plan: Path) -> None:
    """Let the plan's first line name the schema that lies in the folder above, for editors."""
    _, *rest = plan.read_text(encoding="utf-8").splitlines(keepends=True)
    first = f"# yaml-language-server: $schema=../{SCHEMA}\n"
    plan.write_text("".join([first, *rest]), encoding="utf-8", newline="\n")
