"""Asks a plan for what it states, each value with its place, and collects what an export cannot carry."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

from pipelineplan.documents import dotted
from pipelineplan.exchange.exported import Dropped
from pipelineplan.exchange.traced import Place, Traced
from pipelineplan.plan import Plan
from pipelineplan.plan.section import Section


@dataclass
class Tracer:
    """Asks a plan for what it states, and collects what an export cannot carry."""

    plan: Plan
    dropped: list[Dropped] = field(default_factory=list)

    def stated(self, section: Section | None, name: str) -> Traced | None:
        """The value of a field that the plan states, or that its facts do; None for defaults."""
        value = getattr(section, name, None) if section is not None else None
        if section is None or value is None or name not in section.model_fields_set:
            return None
        return Traced(value, (self.place(section, name),))

    def place(self, section: Section, *fields: str) -> Place:
        """Where a section, or a field of it, stands."""
        path = self.plan.path(section, *fields)
        return Place(dotted(path), self.plan.position(path))

    def whole(self, section: Section | None, name: str, per_unit: int, unit: str) -> Traced | None:
        """A stated quantity as a whole number of `unit`, of which there are `per_unit` in the base unit."""
        traced = self.stated(section, name)
        if traced is None or section is None:
            return None
        quantity: Any = traced.value
        number = round(quantity.value * per_unit)
        if quantity.uncertain:
            self.drop(section, name, f"{quantity.text} is an interval, and a setting is one number")
        elif abs(number / per_unit - quantity.value) > 1e-9 * max(quantity.value, 1e-9):
            self.drop(section, name, f"{quantity.text} is no whole number of {unit}")
        else:
            return traced.as_value(number)
        return None

    def drop(self, section: Section, name: str, why: str) -> None:
        """Note that a field is left out."""
        place = self.place(section, *([name] if name else []))
        self.dropped.append(Dropped(place.path, why, place.position))

    def left(self, section: Section, carried: frozenset[str] | set[str], why: str) -> None:
        """Note, in one line, the stated fields of a section that a format has no place for."""
        aliases = {name: info.alias or name for name, info in type(section).model_fields.items()}
        names = [aliases[n] for n in aliases if n in section.model_fields_set and n not in carried]
        if names:
            place = self.place(section)
            what = f"{place.path}.{{{', '.join(names)}}}" if len(names) > 1 else f"{place.path}.{names[0]}"
            self.dropped.append(Dropped(what, why, place.position))
