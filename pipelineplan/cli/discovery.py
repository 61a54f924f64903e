"""Which plans a path on the command line means: a file, a folder that is one plan, or many.

A folder whose own files have one `metadata:` section between them is one plan in parts; if several
have one, each of them is a plan; a folder without plan files stands for all plans below it. Of a folder
only what `include` of pipelineplan.toml names is checked.
"""

from __future__ import annotations

import os
import re
from collections.abc import Iterator
from pathlib import Path

from pipelineplan.documents.reading import MOST_BYTES
from pipelineplan.documents.reads import bytes_of
from pipelineplan.documents.root import find_root
from pipelineplan.documents.settings import read_settings
from pipelineplan.errors import InputError, Position, Problem

# A plan that extends another need not say its kind again, and a fault at one of these lines hides no plan.
_KIND = re.compile(
    rb"^\s*[\"']?kind[\"']?\s*:\s*[\"']?DataPlan\b"
    rb"|^extends\s*:\s*\S"
    rb"|^apiVersion\s*:\s*[\"']?pipelineplan/",
    re.MULTILINE,
)
_WORDS = (b"DataPlan", b"extends", b"pipelineplan/")
# What `profile` measures carries the same apiVersion, and often lies beside its plan.
_PROFILE = re.compile(rb"^kind\s*:\s*[\"']?StreamProfile\b", re.MULTILINE)
_METADATA = re.compile(rb"^metadata\s*:", re.MULTILINE)
_SKIPPED = {"golden", "node_modules", "__pycache__", "overlays"}


def plans_below(path: Path) -> Iterator[Path]:
    """The plan files and folders that `path` stands for; raises `InputError` when there is none.

    A baseline stands for its plan: a hook that is given the changed files names it.
    """
    if not path.is_dir():
        yield _plan_of(path) if _is_baseline(path.name) else path
        return
    found = _included(list(_plans_in(path)), path)
    if not found:
        raise InputError([Problem("no plan in this folder or below it", Position(path.as_posix()))])
    yield from found


def _included(plans: list[Path], below: Path) -> list[Path]:
    """The plans that the settings of their repository include; a glob names a plan's file or its folder."""
    root = find_root(below)
    globs = read_settings(root).include
    if globs is None:
        return plans
    named = {file.resolve() for glob in globs for file in root.glob(glob)}
    return [plan for plan in plans if plan.resolve() in named or plan.resolve().parent in named]


def _plans_in(folder: Path) -> Iterator[Path]:
    entries = _entries(folder)
    files = [Path(entry.path) for entry in entries if _may_be_plan(entry.name) and _is_file(entry)]
    texts = {file: _text(file) for file in files}
    plans = [file for file, text in texts.items() if _is_plan(text)]
    named = [file for file in plans if _METADATA.search(texts[file])]
    if len(named) > 1:
        yield from named
    elif plans and len(files) > 1:
        yield folder
    elif plans:
        yield plans[0]
    for entry in entries:
        if not entry.name.startswith(".") and entry.name not in _SKIPPED and _is_folder(entry):
            yield from _plans_in(Path(entry.path))


def _may_be_plan(name: str) -> bool:
    """By its ending; a baseline is none, nor is a hidden file that is called `.yaml`."""
    return name.endswith((".yaml", ".yml")) and name not in {".yaml", ".yml"} and not _is_baseline(name)


def _is_plan(text: bytes) -> bool:
    words = any(word in text for word in _WORDS)  # most files of a repository have none of them
    return words and _KIND.search(text) is not None and _PROFILE.search(text) is None


def _is_file(entry: os.DirEntry[str]) -> bool:
    try:
        return entry.is_file()
    except OSError:  # a circle of links
        return False


def _is_folder(entry: os.DirEntry[str]) -> bool:
    try:
        return entry.is_dir()
    except OSError:
        return False


def _plan_of(baseline: Path) -> Path:
    if baseline.name == "baseline.yaml":
        return baseline.parent
    return baseline.with_name(baseline.name.replace(".baseline.yaml", ".yaml"))


def _is_baseline(name: str) -> bool:
    return name == "baseline.yaml" or name.endswith(".baseline.yaml")


def _entries(folder: Path) -> list[os.DirEntry[str]]:
    try:
        with os.scandir(folder) as entries:
            return sorted(entries, key=lambda entry: entry.name)
    except OSError as error:
        reason = f"cannot be read: {(error.strerror or str(error)).lower()}"
        raise InputError([Problem(reason, Position(folder.as_posix()))]) from error


def _text(file: Path) -> bytes:
    """What the file says, or that it may be a plan: then reading it tells what is wrong with it."""
    try:
        return bytes_of(file, MOST_BYTES)
    except OSError:
        return b"kind: DataPlan"
