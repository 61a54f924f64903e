"""`test PLAN --generate ROWS -o DIR`: sample data that meets the plan's contracts and quality rules."""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import TYPE_CHECKING

from pipelineplan.cli.data_options import as_of
from pipelineplan.cli.output import envelope, note, safe, say
from pipelineplan.errors import InputError, Position, Problem
from pipelineplan.quantities import Dimension, QuantityError, parse

if TYPE_CHECKING:
    from pipelineplan.quality import Stream

_OPTIONS = ("output", "seed", "late", "late_by", "duplicates")


def add_sample_options(parser: argparse.ArgumentParser) -> None:
    """The options that belong to --generate."""
    parser.add_argument(
        "--generate", type=int, metavar="ROWS", help="write sample data that meets every rule it can"
    )
    parser.add_argument("-o", "--output", type=Path, metavar="DIR", help="with --generate: where to")
    parser.add_argument("--seed", type=int, help="with --generate: other data for every number (0)")
    parser.add_argument(
        "--late", type=_share, metavar="SHARE", help="with --generate: the share of records that come late"
    )
    parser.add_argument(
        "--late-by", type=_seconds, metavar="DURATION", help="with --generate: how late they come (1 min)"
    )
    parser.add_argument(
        "--duplicates", type=_share, metavar="SHARE", help="with --generate: the share that comes twice"
    )


def check_options(options: argparse.Namespace) -> None:
    """Raises `InputError` for options without the one that they belong to."""
    given = [f"--{name.replace('_', '-')}" for name in _OPTIONS if getattr(options, name) is not None]
    problems = []
    if options.generate is None:
        problems = [Problem("means something only with --generate", Position(name)) for name in given]
    elif options.output is None:
        problems = [Problem("no folder to write to", Position("--generate"), fix="add -o DIR")]
    if options.generate is not None:
        others = ("data", "data_dir", "on", "against", "mutate")
        problems += [
            Problem("means nothing with --generate", Position(f"--{name.replace('_', '-')}"))
            for name in others
            if getattr(options, name)
        ]
    if problems:
        raise InputError(problems)


def run_generate(options: argparse.Namespace) -> int:
    """Generate, write, say what and which rules were not followed."""
    from pipelineplan.workflow import generate

    now, seed = as_of(options), options.seed or 0
    files, made = generate(
        options.plan,
        options.output,
        rows=options.generate,
        as_of=now,
        seed=seed,
        stream=_stream(options),
        env=options.env,
    )
    rows = {name: table.num_rows for name, table in made.tables.items()}
    if options.format == "json":
        written = {name: file.as_posix() for name, file in files.items()}
        say(envelope("test", 0, files=written, rows=rows, not_followed=made.not_followed))
        return 0
    for name, file in files.items():
        say(f"{safe(name)}: {rows[name]:,} rows in {file}")
    for name, left in made.not_followed.items():
        for rule in left:
            note(f"{safe(name)}: not followed, as it is a query of its own: {safe(rule)}")
    data = f"--data-dir {options.output} --as-of {now.isoformat()}"
    say(f"check it with: pipelineplan test {options.plan} {data}")
    return 0


def _stream(options: argparse.Namespace) -> Stream:
    from pipelineplan.quality import Stream

    return Stream(options.late or 0.0, options.late_by or 60.0, options.duplicates or 0.0)


def _share(text: str) -> float:
    return _quantity(text, Dimension.SHARE)


def _seconds(text: str) -> float:
    return _quantity(text, Dimension.DURATION)


def _quantity(text: str, dimension: Dimension) -> float:
    try:
        return parse(text, dimension).value
    except QuantityError as error:
        raise argparse.ArgumentTypeError(str(error)) from None
