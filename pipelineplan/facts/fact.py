"""A fact: one value of the real system's configuration, as a plan would say it, and where it is written.

    deploy/orders.yaml:12:21   retention.ms: 604800000
    Fact(of=TOPIC, subject="orders", field="retention.time", value="7 d", position=...)

What a reader meets and cannot turn into a fact is kept as `Unread` with the reason: nothing is lost.
"""

from __future__ import annotations

import bisect
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from functools import cached_property
from typing import Any

from pipelineplan.documents import Document, read_foreign
from pipelineplan.errors import InputError, Position, Problem
from pipelineplan.quantities import Dimension

NO_PLACE = "a plan has no place for it"
_LONGEST_SHOWN = 80


class Thing(StrEnum):
    """What in the real system a fact is about; the value is the first part of a fact's id."""

    TOPIC = "topic"
    JOB = "job"
    CONNECTOR = "connector"
    TABLE = "table"
    MODEL = "model"
    DAG = "dag"
    POOL = "pool"
    CONTRACT = "contract"
    APPLICATION = "application"


Value = str | int | bool | tuple[str, ...] | None


@dataclass(frozen=True)
class Fact:
    """One value: `field` is where a plan says it, below the object that stands for `subject`.

    `value` is in the plan's language ("7 d", 12, "compact"); None says that there is no limit.
    `dimension` is that of a quantity. `written` is key and value as they stand at `position`. A
    `default` holds only where nothing nearer says otherwise; a `measured` fact comes from a recording.
    """

    of: Thing
    subject: str
    field: str
    value: Value
    written: str
    position: Position
    tool: str = ""
    dimension: Dimension | None = None
    default: bool = False
    measured: bool = False

    @property
    def id(self) -> str:
        """Which thing, and which of its values: `topic/orders/retention.time`."""
        return f"{self.of.value}/{self.subject or '*'}/{self.field}"

    @property
    def shown(self) -> str:
        """The value as a person reads it."""
        if self.value is None:
            return "no limit"
        if isinstance(self.value, bool):
            return str(self.value).lower()
        return ", ".join(self.value) if isinstance(self.value, tuple) else str(self.value)


@dataclass(frozen=True)
class Unread:
    """Something that stands in a file and became no fact, and why; `subject` and `field` where known."""

    written: str
    why: str
    position: Position
    of: Thing | None = None
    subject: str = ""
    field: str = ""

    @property
    def placeless(self) -> bool:
        """Whether it was understood, and a plan has nowhere to say it."""
        return self.why == NO_PLACE


@dataclass(frozen=True)
class Named:
    """A thing that a file tells of, and where: also when no value of it could be read."""

    of: Thing
    subject: str
    position: Position
    links: Mapping[str, tuple[str, ...]] = field(default_factory=dict)


@dataclass(frozen=True)
class Reading:
    """What one reader found in one file."""

    tool: str
    file: str
    named: tuple[Named, ...]
    facts: tuple[Fact, ...]
    unread: tuple[Unread, ...]


@dataclass
class Notes:
    """What a reader collects while it goes through a file."""

    tool: str
    file: str
    named: list[Named] = field(default_factory=list)
    facts: list[Fact] = field(default_factory=list)
    unread: list[Unread] = field(default_factory=list)

    def done(self) -> Reading:
        """Everything collected; of two facts with the same id and place the first is kept."""
        facts = {(fact.id, fact.position): fact for fact in reversed(self.facts)}
        return Reading(
            self.tool,
            self.file,
            tuple(self.named),
            tuple(reversed(facts.values())),
            tuple(self.unread),
        )

    def about(self, of: Thing, subject: str, position: Position, **links: Iterable[str]) -> About:
        """A thing that the file tells of; its facts are added to what comes back."""
        kept = {name: tuple(others) for name, others in links.items() if others}
        self.named.append(Named(of, subject, position, kept))
        return About(self, of, subject)

    def again(self, of: Thing, subject: str) -> About:
        """A thing that is named already, or by another part of the file."""
        return About(self, of, subject)

    def skip(self, written: str, why: str, position: Position) -> None:
        """Something that belongs to no thing and is no fact."""
        self.unread.append(Unread(_short(written), why, position))


@dataclass(frozen=True)
class About:
    """Collects what a file says of one thing."""

    notes: Notes
    of: Thing
    subject: str

    def fact(
        self,
        name: str,
        value: Value,
        written: str,
        position: Position,
        dimension: Dimension | None = None,
        *,
        default: bool = False,
        measured: bool = False,
    ) -> None:
        """Note that the plan's field `name` has `value` in the real system."""
        found = Fact(
            self.of,
            self.subject,
            name,
            value,
            _short(written),
            position,
            self.notes.tool,
            dimension,
            default,
            measured,
        )
        self.notes.facts.append(found)

    def skip(self, written: str, why: str, position: Position, name: str = "") -> None:
        """Note what did not become a fact, and the plan's field that it would have been, where known."""
        self.notes.unread.append(Unread(_short(written), why, position, self.of, self.subject, name))


@dataclass(frozen=True)
class FileText:
    """A file of the real system: the name that messages use, and its text."""

    name: str
    text: str

    @property
    def base(self) -> str:
        """The last part of the name."""
        return self.name.rsplit("/", 1)[-1]

    @cached_property
    def documents(self) -> tuple[Document, ...]:
        """The file as YAML or JSON; raises `InputError` where it is neither."""
        try:
            return read_foreign(self.text, self.name)
        except InputError as error:
            raise InputError(self._template() or error.problems) from None

    def _template(self) -> list[Problem]:
        """What a template looks like to a reader of YAML deserves a word of its own."""
        place = self.text.find("{{")
        if place < 0:
            return []
        fix = "point to what it renders to, such as the output of `helm template`"
        return [Problem("this is a template and not yet a configuration", self.at(place), fix=fix)]

    @cached_property
    def _starts(self) -> list[int]:
        """Where each line begins; made once, since a recording may have a million of them."""
        starts, place = [0], self.text.find("\n")
        while place >= 0:
            starts.append(place + 1)
            place = self.text.find("\n", place + 1)
        return starts

    def at(self, offset: int) -> Position:
        """The line and column of the character at `offset`."""
        line = bisect.bisect_right(self._starts, offset)
        return Position(self.name, line, offset - self._starts[line - 1] + 1)


def mapping(value: Any) -> dict[str, Any]:
    """`value`, if it is a mapping, else an empty one: what a stranger's file may hold in its place."""
    return value if isinstance(value, dict) else {}


def listing(value: Any) -> list[Any]:
    """`value`, if it is a list, else an empty one."""
    return value if isinstance(value, list) else []


def _short(text: str) -> str:
    flat = " ".join(text.split())
    return flat if len(flat) <= _LONGEST_SHOWN else f"{flat[: _LONGEST_SHOWN - 3]}..."
