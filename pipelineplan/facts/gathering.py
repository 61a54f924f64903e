"""Goes through folders and reads every file that a known tool writes; what is broken is named, nothing lost.

gather([Path("deploy")], root)     what was read, by file; what is broken; how many files nobody knows
"""

from __future__ import annotations

import os
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path

from pipelineplan.errors import InputError, MissingExtraError, Position, Problem
from pipelineplan.facts import read_facts
from pipelineplan.facts.fact import Reading

MOST_FILES = 50_000
_ENDINGS = {".yaml", ".yml", ".json", ".tf", ".tofu", ".csv", ".txt", ".prom", ".metrics", ".conf"}
_SKIPPED = {"node_modules", "__pycache__", "vendor", "dbt_packages", "site-packages"}


@dataclass(frozen=True)
class Gathered:
    """What folders hold: readings in the order of their files, and the fate of every other file.

    `broken` are files that a tool knows, or that are no text, and cannot be read; `unknown` those that
    no tool knows; `passed_over` counts files whose ending no tool uses.
    """

    readings: tuple[Reading, ...]
    broken: tuple[Problem, ...]
    unknown: tuple[str, ...]
    passed_over: int

    @property
    def files(self) -> tuple[str, ...]:
        """The files that were read."""
        return tuple(dict.fromkeys(reading.file for reading in self.readings))


def gather(folders: Iterable[Path], root: Path) -> Gathered:
    """Read everything below `folders`; files are named relative to `root`, and links out of it not followed.

    Raises `InputError` for a folder that is not there or holds too many files.
    """
    readings: list[Reading] = []
    broken: list[Problem] = []
    unknown: list[str] = []
    passed_over = 0
    for file in _files(folders, root):
        name = file.relative_to(root).as_posix()
        if file.suffix.lower() not in _ENDINGS:
            passed_over += 1
            continue
        try:
            found = read_facts(file, name)
        except InputError as error:
            broken += error.problems
        except MissingExtraError as error:
            broken.append(Problem(str(error), Position(name)))
        else:
            readings += found
            unknown += [] if found else [name]
    return Gathered(tuple(readings), tuple(broken), tuple(unknown), passed_over)


def _files(folders: Iterable[Path], root: Path) -> Iterator[Path]:
    seen: set[Path] = set()
    for folder in folders:
        if not folder.exists():
            raise InputError([Problem("there is no such file or folder", Position(folder.as_posix()))])
        for file in _below(folder.resolve()):
            if file in seen or not file.resolve().is_relative_to(root):
                continue
            seen.add(file)
            if len(seen) > MOST_FILES:
                fix = "name the folders with configuration in them"
                message = f"more than {MOST_FILES:,} files"
                raise InputError([Problem(message, Position(folder.as_posix()), fix=fix)])
            yield file


def _below(folder: Path) -> Iterator[Path]:
    if folder.is_file():
        yield folder
        return
    for here, inner, files in os.walk(folder):
        inner[:] = sorted(name for name in inner if name not in _SKIPPED and not name.startswith("."))
        yield from (Path(here) / name for name in sorted(files) if not name.startswith("."))
