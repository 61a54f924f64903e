"""The recorded versions of one schema, oldest first, with when each was first written where that is known.

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
import tempfile
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from pipelineplan.contracts.evolution.modes import Version
from pipelineplan.contracts.evolution.replay import Written, written
from pipelineplan.contracts.evolution.schemas import Format, format_of, is_schema
from pipelineplan.documents.reads import note_read
from pipelineplan.errors import InputError, Position, Problem

HISTORY_NAMES = ("history.yaml", "history.yml")
_DATE = re.compile(r"(?<!\d)(\d{4}-\d{2}-\d{2})(?!\d)[._-]?|[._-]?(?<!\d)(\d{4}-\d{2}-\d{2})(?!\d)")
_NUMBERS = re.compile(r"\d+")
_LABEL = re.compile(r"(?:^|[^0-9A-Za-z])v?(\d+(?:\.\d+)*)(?=$|[^0-9])")


@dataclass(frozen=True)
class Recorded:
    """`versions` with, of each, when it was first written and up to when a rollback wrote it again.

    Both are in seconds since the epoch, None where not known. `form` is None where there is no version.
    `files` are all that was read.
    """

    versions: tuple[Version[Any], ...] = ()
    starts: tuple[float | None, ...] = ()
    until: tuple[float | None, ...] = ()
    form: Format | None = None
    files: tuple[Path, ...] = ()

    @property
    def names(self) -> tuple[str, ...]:
        """The names of the versions, oldest first."""
        return tuple(version.name for version in self.versions)

    @property
    def dated(self) -> bool:
        """Whether it is known of every version when it was first written."""
        return bool(self.starts) and None not in self.starts

    def spans(self, drain_seconds: float = 0.0) -> list[Written]:
        """When each version may have been written; wants `dated`."""
        starts = [start for start in self.starts if start is not None]
        return written(starts, drain_seconds, self.until)

    def index(self, name: str) -> int | None:
        """The number of the version that `name` means: its name, or its number as in `1.1.0` or `v2`."""
        return index_of(name, self.names)


@dataclass(frozen=True)
class Found:
    """One version before it is read: its file, its name, and when it was first written."""

    file: Path
    name: str
    start: float | None = None
    until: float | None = None


def index_of(name: str, names: Sequence[str]) -> int | None:
    """The place of the one of `names` that `name` means, or None; the newest where several would do."""
    if name in names:
        return names.index(name)
    wanted = label_of(name)
    fitting = [index for index, one in enumerate(names) if wanted and label_of(one) == wanted]
    return fitting[-1] if fitting else None


def label_of(name: str) -> str:
    """The number in a version's name: `1.1.0` of `orders-1.1.0.odcs`, `2` of `orders.v2`, else empty."""
    found = _LABEL.findall(name)
    return found[-1] if found else ""


def read_recorded(found: Sequence[Found], schema_type: str | None = None) -> Recorded:
    """Read the schemas of `found`, oldest first; raises `InputError` with the problems of all of them."""
    if not found:
        return Recorded()
    form = format_of([one.file for one in found], schema_type)
    versions: list[Version[Any]] = []
    problems: list[Problem] = []
    for one in found:
        try:
            note_read(one.file)
            versions.append(Version(one.name, form.read(one.file)))
        except InputError as error:
            problems += error.problems
    if problems:
        raise InputError(problems)
    form.lineage([version.schema for version in versions])
    return Recorded(
        tuple(versions),
        tuple(one.start for one in found),
        tuple(one.until for one in found),
        form,
        tuple(one.file for one in found),
    )


def recorded_at(place: Path) -> Recorded:
    """The versions in a folder, or in a history file. Raises `InputError` with all problems."""
    from pipelineplan.contracts.evolution.history import versions_in

    if not place.is_dir():
        recorded = read_recorded(versions_in(place))
        return replace(recorded, files=(place, *recorded.files))
    recorded = read_recorded(in_folder(place))
    history = tuple(place / name for name in HISTORY_NAMES if (place / name).is_file())
    return replace(recorded, files=(*history, *recorded.files))


def in_folder(folder: Path) -> list[Found]:
    """The versions in `folder`: as its history file says, else by the dates or numbers in their names."""
    from pipelineplan.contracts.evolution.history import versions_in

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


@dataclass(frozen=True)
class Content:
    """One version that is no file: its name, the text of its schema, and when it was first written."""

    name: str
    content: bytes
    start: float | None = None


def read_contents(contents: Sequence[Content], ending: str, schema_type: str | None = None) -> Recorded:
    """As `read_recorded`, of schemas that come from elsewhere; `ending` is what their file would have."""
    with tempfile.TemporaryDirectory(prefix="pipelineplan-") as folder:
        found = []
        for number, one in enumerate(contents):
            file = Path(folder) / f"{number}{ending}"
            file.write_bytes(one.content)
            found.append(Found(file, one.name, one.start))
        try:
            return replace(read_recorded(found, schema_type), files=())
        except InputError as error:
            named = {one.file.as_posix(): one.name for one in found}
            raise InputError([_at_name(problem, named) for problem in error.problems]) from None


def _at_name(problem: Problem, named: Mapping[str, str]) -> Problem:
    place = problem.position
    return replace(problem, position=replace(place, file=named.get(place.file, place.file)))
