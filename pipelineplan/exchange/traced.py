"""What an export is made of: values that know where the plan says them, and what the plan leaves open.

    Traced(24, "$.sources[0].partitions", plan.yaml:47:17)       written, with its place behind it
    Needs("<CLUSTER>", "the plan does not name the cluster")     written as a comment

A tree of mappings, lists and these leaves is what a format's module makes.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from pipelineplan.documents import Path
from pipelineplan.errors import Position
from pipelineplan.exchange.text import one_line

Scalar = str | int | float | bool


@dataclass(frozen=True)
class Place:
    """One value of the plan: its path (`$.sources[0].partitions`) and where it is written."""

    path: str
    position: Position

    def __str__(self) -> str:
        return str(self.position)


@dataclass(frozen=True)
class Traced:
    """A value of an export: what of the plan says it, and how, where it is not simply what stands there."""

    value: Any  # a scalar where it is written; what the plan's model has, before
    places: tuple[Place, ...]
    how: str = ""

    @property
    def origin(self) -> str:
        """Where it is from, in one line: `plan.yaml:47:17`, `600 s: plan.yaml:246:31`."""
        named = ", ".join(dict.fromkeys(str(place) for place in self.places))
        return one_line(f"{self.how}: {named}" if self.how and named else self.how or named)

    def as_value(self, value: Scalar, how: str = "") -> Traced:
        """The same origin for what a format makes of the value."""
        return Traced(value, self.places, how or self.how)


@dataclass(frozen=True)
class Needs:
    """What the plan does not state: written as a comment, `shown` in its place, and why it is open."""

    shown: Any
    why: str


def agreed(values: Iterable[Traced]) -> Traced | None:
    """One value where all say the same, with every place that says it; None where they differ."""
    listed = list(values)
    if not listed or any(one.value != listed[0].value for one in listed):
        return None
    places = tuple(dict.fromkeys(place for one in listed for place in one.places))
    return Traced(listed[0].value, places, listed[0].how)


def plain(tree: Any) -> Any:
    """The tree as plain data, without what the plan does not state."""
    match tree:
        case Traced():
            return tree.value
        case Mapping():
            return {key: plain(inner) for key, inner in tree.items() if not isinstance(inner, Needs)}
        case list():
            return [plain(inner) for inner in tree if not isinstance(inner, Needs)]
        case _:
            return tree


def traced_in(tree: Any, at: Path = ()) -> Iterator[tuple[Path, Traced]]:
    """Every traced value that is written, with where it stands in the file."""
    match tree:
        case Traced():
            yield at, tree
        case Mapping():
            for key, inner in tree.items():
                yield from traced_in(inner, (*at, key))
        case list():
            written = [inner for inner in tree if not isinstance(inner, Needs)]
            for index, inner in enumerate(written):
                yield from traced_in(inner, (*at, index))
        case _:
            return
