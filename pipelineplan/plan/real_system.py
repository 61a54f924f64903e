"""The real system behind a plan: facts, the plan's fields that they speak of, and whether both agree.

    plan.yaml:14:16   sources[0].retention.time     7 d
    topics.yaml:11:21 topic/orders/retention.time   3 d       a link; it does not agree

A field that the plan leaves open takes its value from the first fact that speaks of it, and keeps the
place in the fact's file as its origin.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Literal

from pipelineplan.documents import Path
from pipelineplan.errors import Position, Problem
from pipelineplan.quantities import QuantityError, parse

if TYPE_CHECKING:  # a plan without facts loads no reader
    from pipelineplan.facts.fact import Fact, Named, Reading, Thing, Unread

Relation = Literal["is", "at_least", "at_most", "near"]
NEAR = 0.25
_TINY = 1e-9
_UTC = {"utc", "etc/utc", "z", "gmt", "etc/gmt", "zulu"}


@dataclass(frozen=True)
class Link:
    """A fact and the plan's field that it speaks of; `stated` is what the plan says there, if anything.

    `relation` is what the plan's value has to be: the fact's, at least it, at most it, or near it.
    """

    path: Path
    fact: Fact
    relation: Relation = "is"
    stated: object = None
    stated_at: Position | None = None

    @property
    def compares(self) -> bool:
        """Whether both sides say something that cannot both be true unless they agree."""
        return self.stated is not None and not self.fact.default


@dataclass(frozen=True)
class RealSystem:
    """What the files of a plan's `facts` say, where it belongs in the plan, and what was left of it.

    `imported` are the fields that the plan leaves open and that took a fact's value, `replaced` those
    whose value gave way to it, `unresolved` values that stand in the files and could not be read, by field.
    """

    prefer: Literal["plan", "facts"] = "plan"
    files: tuple[str, ...] = ()
    readings: tuple[Reading, ...] = ()
    broken: tuple[tuple[Path, Problem], ...] = ()
    links: tuple[Link, ...] = ()
    unresolved: tuple[tuple[Path, Unread], ...] = ()
    missing: tuple[tuple[Path, Thing, str], ...] = ()
    imported: Mapping[Path, Fact] = field(default_factory=dict)
    replaced: frozenset[Path] = frozenset()

    def named(self, of: str) -> tuple[Named, ...]:
        """Every thing of one kind ("topic", "job", ...) that the files tell of."""
        return tuple(one for reading in self.readings for one in reading.named if one.of == of)


def agrees(stated: object, fact: Fact, relation: Relation = "is") -> bool | None:
    """Whether `stated`, as the plan writes it, says what `fact` says; None when it cannot be read.

    Amounts are compared in their unit; an interval agrees with what lies in it.
    """
    if fact.value is None:
        return relation == "at_most"  # no limit: whatever is stated is another value, but not too much
    if fact.dimension is not None:
        return _amounts_agree(stated, fact, relation)
    return _words_agree(stated, fact)


def _words_agree(stated: object, fact: Fact) -> bool:
    if isinstance(fact.value, tuple):
        listed = [stated] if isinstance(stated, str) else stated  # `fields: minute` is one field
        return isinstance(listed, list | tuple) and {str(each) for each in listed} == set(fact.value)
    match fact.field:
        case "guarantee":  # an engine that gives more than the plan claims contradicts nothing
            return not (stated == "exactly_once" and fact.value == "at_least_once")
        case "schedule.cron":
            return same_schedule(str(stated), str(fact.value))
        case "schedule.zone":
            ends = {str(stated).lower(), str(fact.value).lower()}
            return len(ends) == 1 or ends <= _UTC
    return type(stated) is type(fact.value) and stated == fact.value


def _amounts_agree(stated: object, fact: Fact, relation: Relation) -> bool | None:
    dimension = fact.dimension
    if dimension is None:
        return None
    try:
        plan, real = parse(stated, dimension), parse(fact.value, dimension).value
    except QuantityError:
        return None
    room = _TINY * max(abs(real), 1e-12)
    match relation:
        case "at_least":
            return plan.low >= real - room
        case "at_most":
            return plan.high <= real + room
        case "near":
            return plan.low * (1 - NEAR) <= real <= plan.high * (1 + NEAR)
        case _:
            return plan.low - room <= real <= plan.high + room


def same_schedule(one: str, other: str) -> bool:
    """Whether two cron expressions start at the same times; presets and names are what they stand for."""
    from pipelineplan.facts.airflow import PRESETS
    from pipelineplan.plan.calendar import starts_of

    plain = [" ".join(PRESETS.get(text.strip().lower(), text).split()) for text in (one, other)]
    fields = [starts_of(text) for text in plain]
    return plain[0].upper() == plain[1].upper() or (None not in fields and fields[0] == fields[1])
