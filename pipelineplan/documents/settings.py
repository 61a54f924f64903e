"""What a repository sets for all its plans: `pipelineplan.toml` in the root.

[policies]
files = ["policies/*.yaml"]     # an organisation's own rules
python = true                   # and those of installed packages (entry points "pipelineplan.rules")
"""

from __future__ import annotations

import tomllib
from dataclasses import dataclass
from difflib import get_close_matches
from pathlib import Path
from typing import Any

from pipelineplan.documents.root import Root
from pipelineplan.errors import InputError, Position, Problem

FILE = "pipelineplan.toml"
_MOST_BYTES = 1_000_000
_KNOWN: dict[str, dict[str, type]] = {"policies": {"files": list, "python": bool}}


@dataclass(frozen=True)
class Settings:
    """The settings of a root: files that hold policies, and whether installed packages bring rules."""

    policy_files: tuple[Path, ...] = ()
    python_rules: bool = False


def read_settings(folder: Path) -> Settings:
    """The settings in `folder`, all at their defaults where it has no file.

    Raises `InputError` with every unknown key, wrong type, file outside the root or pattern without files.
    """
    file = folder / FILE
    if not file.is_file():
        return Settings()
    data = _parsed(file)
    problems = [*_unknown(data), *_wrong_types(data)]
    if problems:
        raise InputError(problems)
    policies = data.get("policies", {})
    files = [_files(folder, pattern) for pattern in policies.get("files", [])]
    problems = [found for found in files if isinstance(found, Problem)]
    if problems:
        raise InputError(problems)
    named = tuple(file for found in files if not isinstance(found, Problem) for file in found)
    return Settings(named, policies.get("python", False))


def _parsed(file: Path) -> dict[str, Any]:
    try:
        return tomllib.loads(file.read_bytes()[:_MOST_BYTES].decode("utf-8"))
    except (OSError, ValueError) as error:  # what TOML and UTF-8 raise are value errors
        raise InputError([Problem(f"cannot be read: {error}", Position(FILE))]) from error


def _unknown(data: dict[str, Any]) -> list[Problem]:
    found = [("", name, tuple(_KNOWN)) for name in data if name not in _KNOWN]
    for table, keys in _KNOWN.items():
        inside = data.get(table, {})
        found += [(f"{table}.", key, tuple(keys)) for key in inside if key not in keys] if isinstance(
            inside, dict) else []  # fmt: skip
    return [_problem(f"unknown key {above}{name}", name, known) for above, name, known in found]


def _problem(message: str, name: str, known: tuple[str, ...]) -> Problem:
    close = get_close_matches(name, known, 1)
    fix = f"did you mean {close[0]}?" if close else f"known are {', '.join(known)}"
    return Problem(message, Position(FILE), fix=fix)


def _wrong_types(data: dict[str, Any]) -> list[Problem]:
    problems = []
    for table, keys in _KNOWN.items():
        inside = data.get(table, {})
        if not isinstance(inside, dict):
            problems.append(Problem(f"{table} is no table", Position(FILE), fix=f"write [{table}]"))
            continue
        for key, wanted in keys.items():
            value = inside.get(key, wanted())
            texts = not isinstance(value, list) or all(isinstance(entry, str) for entry in value)
            if not isinstance(value, wanted) or not texts:
                words = "a list of texts" if wanted is list else "true or false"
                problems.append(Problem(f"{table}.{key}: found {value!r}, wanted {words}", Position(FILE)))
    return problems


def _files(folder: Path, pattern: str) -> tuple[Path, ...] | Problem:
    """The files that `pattern` names inside the root; a pattern that names none is a mistake."""
    parent, _, last = pattern.rpartition("/")
    try:
        inside = Root(folder, folder).resolve(parent or ".")
        found = tuple(sorted(file for file in inside.glob(last) if file.is_file()))
        for file in found:
            Root(folder, folder).resolve(file.relative_to(folder.resolve()).as_posix())
    except ValueError as error:
        return Problem(f"policies.files: {pattern!r}: {error}", Position(FILE))
    return found or Problem(
        f"policies.files: {pattern!r} names no file", Position(FILE), fix="write a file or a glob"
    )
