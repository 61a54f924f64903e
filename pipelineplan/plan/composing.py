"""One tree of data out of several files: a base, a folder's files, an environment's overlay.

    base.yaml  <- extends -  plan.yaml  <- overlaid by -  plan.prod.yaml

Mappings merge key by key; lists whose entries have an `id` merge entry by entry, and so do attestations
by their `criterion`, so that a base plan's are inherited; any other value
of the later file replaces the earlier one, and an explicit null removes it. Between the files of
one folder nothing may be said twice. Every value keeps the position at which it was last written.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path as FilePath
from typing import Any

from pipelineplan.documents import Document, Path, Root, dotted, read_document
from pipelineplan.documents.reads import note_read
from pipelineplan.errors import InputError, Position, Problem

_DEEPEST_EXTENDS = 10
_NAMES = ("id", "criterion")  # what names the entries of a list


@dataclass(frozen=True)
class Composed:
    """The merged data, where each value and key of it is written, and the files read."""

    data: Any
    positions: Mapping[Path, Position]
    keys: Mapping[Path, Position]
    lines: Mapping[str, tuple[str, ...]]

    def position(self, path: Path) -> Position:
        """The place of `path`, or of the nearest thing around it that is written."""
        while path not in self.positions and path:
            path = path[:-1]
        return self.positions.get(path, Position(next(iter(self.lines), "plan")))

    def key_position(self, path: Path) -> Position:
        """The place of the key that `path` ends in, or else of its value."""
        return self.keys.get(path) or self.position(path)

    def line(self, position: Position) -> str:
        """The text of the line at `position`."""
        lines = self.lines.get(position.file, ())
        return lines[position.line - 1] if 0 < position.line <= len(lines) else ""

    def line_at(self, path: Path) -> str:
        """The text of the line that `path` is on; empty where nothing around it is written.

        Such a path is placed at the beginning of the file, and what stands there has nothing to do with it.
        """
        position = self.position(path)
        return "" if path and position == self.position(()) else self.line(position)

    def problem(self, path: Path, message: str, fix: str = "", *, at_key: bool = False) -> Problem:
        """A problem at `path`, with its position and line."""
        position = self.key_position(path) if at_key else self.position(path)
        return Problem(message, position, dotted(path), fix, self.line(position))


def compose(plan: FilePath, root: FilePath, env: str | None = None) -> Composed:
    """Read the plan file or folder `plan` with everything it extends and the overlay of `env`.

    Raises `InputError` for unreadable files, references that leave `root`, conflicts, circles.
    """
    if plan.is_dir():
        composed = _folder(plan, root)
        overlay = plan / "overlays" / f"{env}.yaml"
    else:
        composed = _file(plan, root, ())
        overlay = plan.with_name(f"{plan.stem}.{env}{plan.suffix}")
    if env is None:
        return composed
    note_read(overlay)
    if not overlay.is_file():
        wanted = f"no overlay for the environment {env!r}, wanted {shown(overlay, root)}"
        raise InputError([Problem(wanted, Position(shown(plan, root)))])
    over = _whole(read_document(overlay, shown(overlay, root)))
    if "extends" in over.data:
        fix = "let the plan extend it"
        raise InputError([over.problem(("extends",), "an overlay extends nothing", fix, at_key=True)])
    return _merge(composed, over)


def shown(file: FilePath, root: FilePath) -> str:
    """How messages and outputs name `file`: relative to the root, with forward slashes."""
    try:
        return file.resolve().relative_to(root.resolve()).as_posix()
    except ValueError:  # outside of the root
        return file.as_posix()


def _whole(document: Document) -> Composed:
    if not isinstance(document.data, dict):
        raise InputError([document.problem((), "found no mapping, wanted sections such as sources:")])
    return Composed(document.data, document.positions, document.keys, {document.file: document.lines})


def _file(plan: FilePath, root: FilePath, trail: tuple[FilePath, ...]) -> Composed:
    return _on_its_base(_whole(read_document(plan, shown(plan, root))), plan, root, trail)


def _on_its_base(own: Composed, plan: FilePath, root: FilePath, trail: tuple[FilePath, ...]) -> Composed:
    """`own` on top of what it extends; `trail` are the plans on the way to it."""
    reference = own.data.get("extends")
    if reference is None:
        return own
    here = (*trail, plan.resolve())
    base = _extended(own, reference, plan, root)
    if base.resolve() in here or len(here) > _DEEPEST_EXTENDS:
        raise InputError([own.problem(("extends",), "a circle of plans that extend each other")])
    return _merge(_file(base, root, here), own)


def _extended(own: Composed, reference: Any, plan: FilePath, root: FilePath) -> FilePath:
    try:
        base = Root(root, plan if plan.is_dir() else plan.parent).resolve(str(reference))
    except ValueError as error:
        raise InputError([own.problem(("extends",), f"{reference!r} is {error}")]) from None
    if not base.is_file():
        raise InputError([own.problem(("extends",), f"there is no file {reference!r}")])
    return base


def _folder(folder: FilePath, root: FilePath) -> Composed:
    """All plan files of one folder, in order of their names; what is said twice is a conflict."""
    note_read(folder)
    files = sorted(file for file in folder.iterdir() if file.suffix in {".yaml", ".yml"} and file.is_file())
    parts = [_whole(read_document(file, shown(file, root))) for file in files]
    parts = [part for part in parts if part.data.get("kind", "DataPlan") == "DataPlan"]
    if not parts:
        raise InputError(
            [Problem("a folder without a plan file, wanted *.yaml", Position(shown(folder, root)))]
        )
    problems: list[Problem] = []
    whole = parts[0]
    for part in parts[1:]:
        problems += _conflicts(whole, part)
        whole = _merge(whole, part, gather=True)
    if problems:
        raise InputError(problems)
    return _on_its_base(whole, folder, root, ())


def _conflicts(first: Composed, second: Composed) -> list[Problem]:
    """Sections that both say something about, and that are neither lists nor the file's kind."""
    shared = [key for key in second.data if key in first.data and key not in {"apiVersion", "kind"}]
    return [
        second.problem((key,), f"{key!r} is also in {first.key_position((key,))}", "keep one", at_key=True)
        for key in shared
        if not (isinstance(first.data[key], list) and isinstance(second.data[key], list))
    ]


def _merge(under: Composed, over: Composed, *, gather: bool = False) -> Composed:
    """`over` on top of `under`; `gather` appends lists instead of replacing them."""
    merger = _Merger(under, over, gather=gather)
    data = merger.merge((), (), ())
    return Composed(data, merger.positions, merger.keys, {**under.lines, **over.lines})


class _Merger:
    """Merges two trees and carries the positions of what it takes along."""

    def __init__(self, under: Composed, over: Composed, *, gather: bool) -> None:
        self.under, self.over, self.gather = under, over, gather
        self.positions: dict[Path, Position] = {}
        self.keys: dict[Path, Position] = {}

    def merge(self, low: Path, high: Path, to: Path) -> Any:
        """The values at `low` of the lower and `high` of the upper tree, merged, to stand at `to`."""
        lower, upper = _at(self.under.data, low), _at(self.over.data, high)
        if isinstance(lower, dict) and isinstance(upper, dict):
            self._note(self.over, high, to)
            return self._mappings(lower, upper, low, high, to)
        if isinstance(lower, list) and isinstance(upper, list):
            if self.gather:
                self._note(self.under, low, to)
                first = [self._take(self.under, (*low, i), (*to, i)) for i in range(len(lower))]
                more = [self._take(self.over, (*high, i), (*to, len(first) + i)) for i in range(len(upper))]
                return first + more
            name = next((key for key in _NAMES if _has(lower, key) and _has(upper, key)), None)
            if name is not None:
                self._note(self.over, high, to)
                return self._by_name(name, (lower, upper), low, high, to)
        return self._take(self.over, high, to)

    def _mappings(self, lower: dict[str, Any], upper: dict[str, Any], low: Path, high: Path, to: Path) -> Any:
        merged: dict[str, Any] = {}
        for key in [*lower, *(key for key in upper if key not in lower)]:
            if key not in upper:
                merged[key] = self._take(self.under, (*low, key), (*to, key))
            elif upper[key] is None and key in lower:
                continue
            elif key not in lower:
                merged[key] = self._take(self.over, (*high, key), (*to, key))
            else:
                merged[key] = self.merge((*low, key), (*high, key), (*to, key))
                self._note_key(self.over, (*high, key), (*to, key))
        return merged

    def _by_name(
        self, name: str, lists: tuple[list[Any], list[Any]], low: Path, high: Path, to: Path
    ) -> list[Any]:
        lower, upper = lists
        place = {entry[name]: index for index, entry in enumerate(upper)}
        merged: list[Any] = []
        for index, entry in enumerate(lower):
            target = (*to, len(merged))
            if entry[name] in place:
                merged.append(self.merge((*low, index), (*high, place.pop(entry[name])), target))
            else:
                merged.append(self._take(self.under, (*low, index), target))
        for index in place.values():
            merged.append(self._take(self.over, (*high, index), (*to, len(merged))))
        return merged

    def _take(self, tree: Composed, path: Path, to: Path) -> Any:
        """The value at `path` of `tree`, its positions noted below `to`."""
        self._note(tree, path, to)
        self._note_key(tree, path, to)
        value = _at(tree.data, path)
        if isinstance(value, dict):
            return {key: self._take(tree, (*path, key), (*to, key)) for key in value}
        if isinstance(value, list):
            return [self._take(tree, (*path, index), (*to, index)) for index in range(len(value))]
        return value

    def _note(self, tree: Composed, path: Path, to: Path) -> None:
        if path in tree.positions:
            self.positions[to] = tree.positions[path]

    def _note_key(self, tree: Composed, path: Path, to: Path) -> None:
        if path in tree.keys:
            self.keys[to] = tree.keys[path]


def _at(data: Any, path: Path) -> Any:
    for step in path:
        data = data[step]
    return data


def _has(entries: list[Any], name: str) -> bool:
    """Whether every entry has a `name` of its own."""
    ids = [entry.get(name) for entry in entries if isinstance(entry, dict)]
    return len(ids) == len(entries) and all(isinstance(i, str) for i in ids) and len(set(ids)) == len(ids)
