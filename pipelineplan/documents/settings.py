"""What a repository sets for all its plans: `pipelineplan.toml`, whose folder is the root.

required-version = "0.2"        # an older pipelineplan stops and says so
edition = "2026"                # rules as this edition judges; an upgrade turns nothing red by itself
include = ["pipelines/**/plan.yaml"]
fail-level = "warning"          # what `check` fails on: error, warning or info
quality-level = "production"    # of plans that state none
baseline = true                 # `check` reads the baselines beside the plans

[policies]
files = ["policies/*.yaml"]     # an organisation's own rules
python = true                   # and those of installed packages (entry points "pipelineplan.rules")
"""

from __future__ import annotations

import re
import tomllib
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from difflib import get_close_matches
from functools import lru_cache
from pathlib import Path
from typing import Any

from pipelineplan.documents.reads import bytes_of, note_read
from pipelineplan.documents.root import MARKER, Root
from pipelineplan.errors import InputError, Position, Problem

FILE = MARKER
EDITIONS = ("2026",)
LEVELS = ("experiment", "prototype", "production", "secure")
FAIL_LEVELS = ("error", "warning", "info")
_MOST_BYTES = 1_000_000
_NOWHERE = Position(FILE)
_VERSION = re.compile(r"(?:>=\s*)?(\d{1,9}(?:\.\d{1,9}){0,3})\Z")
Check = Callable[[Any], str]


def _one_of(*choices: str) -> Check:
    return lambda value: "" if value in choices else f"wanted one of {', '.join(choices)}"


def _texts(value: Any) -> str:
    good = isinstance(value, list) and all(isinstance(entry, str) for entry in value)
    return "" if good else "wanted a list of texts"


def _globs(value: Any) -> str:
    fault = _texts(value)
    outside = [glob for glob in value if not glob or glob[0] in "/\\" or ".." in glob] if not fault else []
    return fault or ("wanted globs of files below this folder" if outside else "")


def _flag(value: Any) -> str:
    return "" if isinstance(value, bool) else "wanted true or false"


def _version(value: Any) -> str:
    good = isinstance(value, str) and _VERSION.match(value)
    return "" if good else 'wanted the least version as text, such as "0.2"'


def _edition(value: Any) -> str:
    if value in EDITIONS:
        return ""
    newer = isinstance(value, str) and value > EDITIONS[-1]
    return f"this version judges by {', '.join(EDITIONS)}" + ("; install a newer pipelineplan" * newer)


_KNOWN: dict[str, Check | dict[str, Check]] = {
    "required-version": _version,
    "edition": _edition,
    "include": _globs,
    "fail-level": _one_of(*FAIL_LEVELS),
    "quality-level": _one_of(*LEVELS),
    "baseline": _flag,
    "policies": {"files": _texts, "python": _flag},
}


@dataclass(frozen=True)
class Settings:
    """The settings of a root; `include` are globs of plans, None where every plan is meant.

    `quality_level` is that of plans which state none, at `quality_level_position`.
    """

    policy_files: tuple[Path, ...] = ()
    python_rules: bool = False
    include: tuple[str, ...] | None = None
    edition: str = EDITIONS[-1]
    fail_level: str = "error"
    quality_level: str | None = None
    quality_level_position: Position = _NOWHERE
    baseline: bool = False


def read_settings(folder: Path) -> Settings:
    """The settings in `folder`, all at their defaults where it has no file.

    Raises `InputError` with every unknown key, wrong value, file outside the root or pattern without
    files, each at its line; and first of all when the file wants a newer version than this one.
    """
    file = folder / FILE
    note_read(file)
    if not file.is_file():
        return Settings()
    data, text = _parsed(file)
    places = _Places(text)
    _meets(data, places)
    problems = list(_faults(data, _KNOWN, "", places))
    if problems:
        raise InputError(problems)
    policies = data.get("policies", {})
    files = [_files(folder, pattern, places) for pattern in policies.get("files", [])]
    problems = [found for found in files if isinstance(found, Problem)]
    if problems:
        raise InputError(problems)
    return Settings(
        tuple(file for found in files if not isinstance(found, Problem) for file in found),
        policies.get("python", False),
        tuple(data["include"]) if "include" in data else None,
        data.get("edition", EDITIONS[-1]),
        data.get("fail-level", "error"),
        data.get("quality-level"),
        places.of("", "quality-level"),
        data.get("baseline", False),
    )


def _parsed(file: Path) -> tuple[dict[str, Any], str]:
    try:
        text = bytes_of(file, _MOST_BYTES).decode("utf-8")
        return _tables(text), text
    except (OSError, ValueError) as error:  # what TOML and UTF-8 raise are value errors
        raise InputError([Problem(f"cannot be read: {error}", _said_place(str(error)))]) from error


@lru_cache(maxsize=8)  # the plans of a repository have the same settings
def _tables(text: str) -> dict[str, Any]:
    return tomllib.loads(text)


def _said_place(message: str) -> Position:
    """The line and column that a TOML error names in its text."""
    found = re.search(r"at line (\d+), column (\d+)", message)
    return Position(FILE, int(found[1]), int(found[2])) if found else Position(FILE)


@dataclass(frozen=True)
class _Places:
    """Where keys stand in the text of a TOML file, which its parser does not tell."""

    text: str

    def of(self, table: str, key: str) -> Position:
        """The place of `key` in `table`, or of the file where it is written in an unusual way."""
        inside, wanted = "", re.compile(rf"\s*(\[\s*)?[\"']?{re.escape(key)}[\"']?\s*(?(1)\]|[=.])")
        for number, line in enumerate(self.text.splitlines(), 1):
            if inside == table and wanted.match(line):
                return Position(FILE, number, len(line) - len(line.lstrip()) + 1)
            header = re.match(r"\s*\[\s*[\"']?([^\]\"']+?)[\"']?\s*\]", line)
            inside = header[1] if header else inside
            if header and not table and header[1] == key:
                return Position(FILE, number, line.index("[") + 1)
        return Position(FILE)

    def problem(self, table: str, key: str, message: str, fix: str = "") -> Problem:
        place = self.of(table, key)
        lines = self.text.splitlines()
        return Problem(message, place, fix=fix, source_line=lines[place.line - 1] if place.line else "")


def _meets(data: dict[str, Any], places: _Places) -> None:
    """Raises `InputError` when the file wants a newer version: what else is in it may be new as well."""
    wanted = data.get("required-version")
    found = _VERSION.match(wanted) if isinstance(wanted, str) else None
    if found is None:
        return
    from importlib.metadata import version

    if _numbers(version("pipelineplan")) >= _numbers(found[1]):
        return
    message = f"this repository wants pipelineplan {found[1]} or newer, this is {version('pipelineplan')}"
    fix = f"pip install 'pipelineplan>={found[1]}'"
    raise InputError([places.problem("", "required-version", message, fix)])


def _numbers(version: str) -> tuple[int, ...]:
    """`0.2.0` as (0, 2): trailing zeros say nothing, and what follows a number neither."""
    numbers = [int(part) for part in re.findall(r"\d+", version.split("+", maxsplit=1)[0])[:4]]
    while numbers and numbers[-1] == 0:
        numbers.pop()
    return tuple(numbers)


def _faults(data: dict[str, Any], known: dict[str, Any], table: str, places: _Places) -> Iterator[Problem]:
    """Every unknown key and wrong value of a table."""
    for key, value in data.items():
        name = f"{table}.{key}" if table else key
        check = known.get(key)
        if check is None:
            close = get_close_matches(key, known, 1)
            fix = f"did you mean {close[0]}?" if close else f"known are {', '.join(known)}"
            yield places.problem(table, key, f"unknown key {name}", fix)
        elif isinstance(check, dict) and isinstance(value, dict):
            yield from _faults(value, check, key, places)
        elif isinstance(check, dict):
            yield places.problem(table, key, f"{name} is no table", f"write [{name}]")
        elif fault := check(value):
            yield places.problem(table, key, f"{name}: found {value!r}, {fault}")


def _files(folder: Path, pattern: str, places: _Places) -> tuple[Path, ...] | Problem:
    """The files that `pattern` names inside the root; a pattern that names none is a mistake."""
    parent, _, last = pattern.rpartition("/")
    try:
        inside = Root(folder, folder).resolve(parent or ".")
        note_read(inside)
        found = tuple(sorted(file for file in inside.glob(last) if file.is_file()))
        for file in found:
            Root(folder, folder).resolve(file.relative_to(folder.resolve()).as_posix())
    except ValueError as error:
        return places.problem("policies", "files", f"policies.files: {pattern!r}: {error}")
    message = f"policies.files: {pattern!r} names no file"
    return found or places.problem("policies", "files", message, "write a file or a glob")
