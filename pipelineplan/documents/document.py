"""A document: plain data, and for every value of it the place where it is written."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property, lru_cache
from typing import Any

from pipelineplan.errors import Position, Problem

Path = tuple[str | int, ...]
# The path of a list or mapping, the step from it to one of its values (None: itself), line and column from 0.
Place = tuple[Path, str | int | None, int, int]


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


def located(file: str, places: Iterable[Place]) -> dict[Path, Position]:
    """The position in `file` of every path; of what is written twice, that of the last."""
    return {
        above if step is None else (*above, step): Position(file, line + 1, column + 1)
        for above, step, line, column in places
    }


@dataclass(frozen=True)
class Document:
    """`data` is None, bool, int, float, str, list or dict with string keys, nested; `lines` is the text.

    The places are kept as they were met in reading: most documents are fine, and nobody asks where
    something stands in them.
    """

    file: str
    data: Any
    lines: tuple[str, ...]
    value_places: Sequence[Place] = field(repr=False)
    key_places: Sequence[Place] = field(repr=False)

    @cached_property
    def positions(self) -> Mapping[Path, Position]:
        """The place of every value; of a mapping's entry, that of its value."""
        return located(self.file, self.value_places)

    @cached_property
    def keys(self) -> Mapping[Path, Position]:
        """The place of every key of a mapping."""
        return located(self.file, self.key_places)

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
