"""The recorded versions of one schema in a folder, oldest first.

    contracts/orders/                           a folder of files with a date in their names
      2026-01-01.orders.v1.avsc                 -> orders.v1, from 2026-01-01
      2026-01-20.orders.v2.avsc                 -> orders.v2, from 2026-01-20
    contracts/orders/history.yaml               or a file that says so, beside the schemas
      versions: [{schema: orders.v1.avsc, from: 2026-01-01}, ...]

Files without a date are put in the order of the numbers in their names. Only files whose ending a format
stands for are versions; a README beside them is none.
"""

from __future__ import annotations

import datetime as dt
import re
from dataclasses import replace
from pathlib import Path

from pipelineplan.contracts.evolution.history import versions_in
from pipelineplan.contracts.evolution.recorded import Found, Recorded, read_recorded
from pipelineplan.contracts.evolution.schemas import is_schema
from pipelineplan.documents.reads import note_read
from pipelineplan.errors import InputError, Position, Problem

HISTORY_NAMES = ("history.yaml", "history.yml")
_DATE = re.compile(r"(?<!\d)(\d{4}-\d{2}-\d{2})(?!\d)[._-]?|[._-]?(?<!\d)(\d{4}-\d{2}-\d{2})(?!\d)")
_NUMBERS = re.compile(r"\d+")


def recorded_at(place: Path) -> Recorded:
    """The versions in a folder, or in a history file. Raises `InputError` with all problems."""
    if not place.is_dir():
        recorded = read_recorded(versions_in(place))
        return replace(recorded, files=(place, *recorded.files))
    recorded = read_recorded(in_folder(place))
    history = tuple(place / name for name in HISTORY_NAMES if (place / name).is_file())
    return replace(recorded, files=(*history, *recorded.files))


def in_folder(folder: Path) -> list[Found]:
    """The versions in `folder`: as its history file says, else by the dates or numbers in their names."""
    note_read(folder)
    for name in HISTORY_NAMES:
        if (folder / name).is_file():
            return versions_in(folder / name)
    files = sorted(file for file in folder.iterdir() if file.is_file() and is_schema(file))
    outside = [file for file in files if not file.resolve().is_relative_to(folder.resolve())]
    if outside:
        raise InputError(
            [Problem("a link that leaves its folder", Position(file.as_posix())) for file in outside]
        )
    found = [Found(file, _without_date(file.stem), _date_in(file)) for file in files]
    dated = [one for one in found if one.start is not None]
    if dated and len(dated) < len(found):
        missing = ", ".join(one.file.name for one in found if one.start is None)
        message = f"some files have a date in their name and some have none: {missing}"
        raise InputError([Problem(message, Position(folder.as_posix()), fix="date all, or none")])
    return sorted(found, key=lambda one: (one.start or 0.0, _natural(one.name)))


def _natural(name: str) -> tuple[tuple[int, ...], str]:
    return tuple(int(number) for number in _NUMBERS.findall(name)), name


def _without_date(stem: str) -> str:
    return _DATE.sub("", stem, count=1) or stem


def _date_in(file: Path) -> float | None:
    found = _DATE.search(file.stem)
    if found is None:
        return None
    text = found[1] or found[2]
    try:
        return dt.datetime.fromisoformat(text).replace(tzinfo=dt.UTC).timestamp()
    except ValueError:
        message = f"{text} in its name is no date"
        raise InputError([Problem(message, Position(file.as_posix()), fix="write YYYY-MM-DD")]) from None
