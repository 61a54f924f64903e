"""The options by which commands take data and a day: --data NAME=PATH, --data-dir, --as-of."""

from __future__ import annotations

import argparse
import datetime as dt
from pathlib import Path

from pipelineplan.errors import InputError, Position, Problem

_ENDINGS = (".parquet", ".csv", ".jsonl")


def add_data_options(parser: argparse.ArgumentParser) -> None:
    """Options for the data of a plan's datasets."""
    parser.add_argument(
        "--data", nargs="+", action="extend", default=[], metavar="NAME=PATH", help="a dataset's file or glob"
    )
    parser.add_argument(
        "--data-dir", type=Path, metavar="DIR", help="a folder with one file per dataset, named after it"
    )


def add_as_of(parser: argparse.ArgumentParser) -> None:
    """The day or instant that dates and freshness are judged by."""
    parser.add_argument("--as-of", type=instant, default=None, metavar="DATE", help="default: today, UTC")


def instant(text: str) -> dt.datetime:
    """An ISO date or instant; without a zone it is UTC."""
    try:
        found = dt.datetime.fromisoformat(text)
    except ValueError:
        raise argparse.ArgumentTypeError(f"found {text!r}, wanted a date such as 2026-12-06") from None
    return found if found.tzinfo is not None else found.replace(tzinfo=dt.UTC)


def as_of(options: argparse.Namespace) -> dt.datetime:
    """The instant asked for, or today at midnight UTC, so that two runs of one day agree."""
    if options.as_of is not None:
        return options.as_of  # type: ignore[no-any-return]
    return dt.datetime.now(dt.UTC).replace(hour=0, minute=0, second=0, microsecond=0)


def given_data(options: argparse.Namespace) -> dict[str, Path]:
    """Files by dataset name; raises `InputError` for what is no NAME=PATH or is not there."""
    given: dict[str, Path] = {}
    problems: list[Problem] = []
    if options.data_dir is not None:
        files = sorted(options.data_dir.iterdir()) if options.data_dir.is_dir() else []
        given = {file.stem: file for file in files if file.suffix in _ENDINGS}
        if not given:
            wanted = f"no data in this folder, wanted files that end in {', '.join(_ENDINGS)}"
            problems.append(Problem(wanted, Position(options.data_dir.as_posix())))
    for text in options.data:
        name, equals, path = text.partition("=")
        if not equals or not name or not path:
            problems.append(Problem(f"found {text!r}, wanted NAME=PATH", Position("--data")))
        else:
            given[name] = Path(path)
    if problems:
        raise InputError(problems)
    return given
