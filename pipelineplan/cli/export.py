"""Write a plan in another tool's format, each value with the place of the plan that says it.

    pipelineplan export plan.yaml strimzi -o deploy/topics.yaml --set cluster=main
    pipelineplan export plan.yaml flink -o deploy/
    pipelineplan export plan.yaml prometheus --set exporter=burrow -o rules.yaml

Nothing is invented: what the plan does not state stands in the file as a comment that says what it needs,
and what it states and the format cannot carry is listed, in the file and on stderr. Without -o one file is
printed.
"""

from __future__ import annotations

import argparse
from pathlib import Path

from pipelineplan.cli.output import envelope, note, safe, say
from pipelineplan.errors import InputError, Position, Problem
from pipelineplan.exchange import EXPORTS, Export, format_of


def add_options(parser: argparse.ArgumentParser) -> None:
    """The options of `export`."""
    parser.add_argument("plan", metavar="PLAN", type=Path)
    known = "; ".join(f"{name}: {format_of(name).TITLE}" for name in EXPORTS)
    parser.add_argument("target", metavar="FORMAT", choices=tuple(EXPORTS), help=known)
    parser.add_argument(
        "-o",
        "--output",
        type=Path,
        metavar="PATH",
        help="the file to write; a folder where there are several",
    )
    asked = "; ".join(
        f"{name}: {', '.join(f'{key}, {words}' for key, words in asks.items())}"
        for name in EXPORTS
        if (asks := format_of(name).ASKS)
    )
    parser.add_argument(
        "--set",
        dest="settings",
        metavar="NAME=VALUE",
        action="append",
        default=[],
        help=f"what the format asks for and no plan says; may be given again. {asked}",
    )
    parser.add_argument("--env", metavar="NAME", help="lay the overlay of this environment over the plan")
    parser.add_argument("--format", choices=("text", "json"), default="text")


def run(options: argparse.Namespace) -> int:
    """Export, write or print, say what was left out."""
    from pipelineplan.workflow import export

    made = export(options.plan, options.target, settings=_settings(options.settings), env=options.env)
    if options.output is None and options.format == "text" and len(made.files) > 1:
        names = ", ".join(file.name for file in made.files)
        raise InputError([Problem(f"there are several files: {names}", Position("-o"), fix="give -o FOLDER")])
    written = made.write(options.output) if options.output is not None else ()
    if options.format == "json":
        say(_as_json(made, written))
        return 0
    for place in written:
        note(f"wrote {place}")
    if not written:
        say(made.files[0].text.rstrip("\n"))
    for one in made.dropped:
        note(f"left out: {safe(str(one))}")
    return 0


def _settings(given: list[str]) -> dict[str, str]:
    """`--set NAME=VALUE` by name; raises `InputError` for what is none."""
    pairs = [text.partition("=") for text in given]
    wrong = [
        text for text, (name, sign, value) in zip(given, pairs, strict=True) if not (name and sign and value)
    ]
    if wrong:
        problems = [Problem(f"found {text!r}, wanted NAME=VALUE", Position("--set")) for text in wrong]
        raise InputError(problems)
    return {name: value for name, _, value in pairs}


def _as_json(made: Export, written: tuple[Path, ...]) -> str:
    """The envelope: files with their text and where each value is from, and what was left out."""
    content = made.to_json_dict()
    for file, place in zip(content["files"], written, strict=False):
        file["written"] = place.as_posix()
    return envelope("export", 0, **{**content, "format": made.format})
