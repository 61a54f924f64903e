"""A document: plain data, and for every value of it the place where it is written."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

from pipelineplan.errors import Position, Problem

Path = tuple[str | int, ...]


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


@dataclass(frozen=True)
class Document:
    """`data` is None, bool, int, float, str, list or dict with string keys, nested.

    `positions` gives the place of every value (of a mapping's entry: of its value), `keys`
    the place of every mapping key, `lines` the text by line.
    """

    file: str
    data: Any
    positions: Mapping[Path, Position]
    keys: Mapping[Path, Position]
    lines: tuple[str, ...]

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
