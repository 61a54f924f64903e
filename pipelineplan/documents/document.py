"""A document: plain data, and for every value of it the place where it is written."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from functools import lru_cache
from typing import Any

from pipelineplan.errors import Position, Problem

Path = tuple[str | int, ...]
# The path of a list or mapping, then the step from it to one of its entries: YAML's mark, which has
# `line` and `column` from 0. Kept as it is, since making anything of it takes longer than reading it.
Within = dict[Path, dict[str | int, Any]]


@lru_cache(maxsize=4096)  # the plans of a company have the same few hundred places
def dotted(path: Path) -> str:
    """`("stages", 2, "window")` as `$.stages[2].window`; odd keys are quoted."""
    parts = ["$"]
    for step in path:
        if isinstance(step, int):
            parts.append(f"[{step}]")
        elif step.replace("_", "a").replace("-", "a").isalnum():
            parts.append(f".{step}")
        else:
            parts.append(f"[{step!r}]")
    return "".join(parts)


class Places(Mapping[Path, Position]):
    """The position of every path in a file; of what is written twice, that of the last.

    The places stay as reading left them: most documents are fine, and few places are asked for.
    """

    def __init__(self, file: str, within: Within, root: Any = None) -> None:  # noqa: D107  (said above)
        self._file, self._within, self._root = file, within, root

    def __getitem__(self, path: Path) -> Position:
        mark = self._within[path[:-1]][path[-1]] if path else self._root
        if mark is None:
            raise KeyError(path)
        return Position(self._file, mark.line + 1, mark.column + 1)

    def __contains__(self, path: object) -> bool:
        if not isinstance(path, tuple):
            return False
        return path[-1] in self._within.get(path[:-1], ()) if path else self._root is not None

    def __iter__(self) -> Iterator[Path]:
        if self._root is not None:
            yield ()
        for above, entries in self._within.items():
            for step in entries:
                yield (*above, step)

    def __len__(self) -> int:
        return (self._root is not None) + sum(len(entries) for entries in self._within.values())


@dataclass(frozen=True)
class Document:
    """`data` is None, bool, int, float, str, list or dict with string keys, nested; `lines` is the text.

    `positions` has the place of every value (of a mapping's entry, that of its value), `keys` that of
    every key of a mapping.
    """

    file: str
    data: Any
    lines: tuple[str, ...]
    positions: Mapping[Path, Position] = field(repr=False)
    keys: Mapping[Path, Position] = field(repr=False)

    def position(self, path: Path) -> Position:
        """The place of `path`, or of the nearest thing around it that is written."""
        while path not in self.positions and path:
            path = path[:-1]
        return self.positions.get(path, Position(self.file))

    def key_position(self, path: Path) -> Position:
        """The place of the key that `path` ends in, or else of its value."""
        return self.keys.get(path) or self.position(path)

    def line(self, position: Position) -> str:
        """The text of the line that `position` is on, for a caret under it."""
        return self.lines[position.line - 1] if 0 < position.line <= len(self.lines) else ""

    def problem(self, path: Path, message: str, fix: str = "", *, at_key: bool = False) -> Problem:
        """A problem at `path`, with its position and line filled in."""
        position = self.key_position(path) if at_key else self.position(path)
        return Problem(message, position, dotted(path), fix, self.line(position))
