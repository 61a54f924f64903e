"""The recorded versions of one schema, oldest first, with when each was first written where that is known.

Found      a file, its name and its date      from_folder, from_git, from_registry and history find them
Recorded   the same, read
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from pipelineplan.contracts.evolution.modes import Version
from pipelineplan.contracts.evolution.replay import Written, written
from pipelineplan.contracts.evolution.schemas import Format, format_of
from pipelineplan.documents.reads import note_read
from pipelineplan.errors import InputError, Problem

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


@dataclass(frozen=True)
class Content:
    """One version that is no file: its name, the text of its schema, and when it was first written."""

    name: str
    content: bytes
    start: float | None = None


def read_contents(contents: Sequence[Content], ending: str, schema_type: str | None = None) -> Recorded:
    """As `read_recorded`, of schemas that come from elsewhere; `ending` is what their file would have."""
    import tempfile

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
    return replace(problem, position=place._replace(file=named.get(place.file, place.file)))
