"""One section of a report: facts with their places, and the verdicts that belong to it.

watermark of orders   lag 30 s, scope per_partition   $.sources[0].semantics.watermark
lateness of clicks    not stated: $.sources[1].semantics.lateness
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from pipelineplan.bundle.checklist import Said
from pipelineplan.bundle.saying import not_stated, place, say_value
from pipelineplan.plan import Plan
from pipelineplan.plan.section import Section
from pipelineplan.verdicts import Finding, Verdict


@dataclass(frozen=True)
class Fact:
    """One thing that a section holds; `said.is_open` when the plan does not state it."""

    label: str
    said: Said


@dataclass(frozen=True)
class ReportSection:
    """A numbered section: its facts, and the findings that belong to it.

    `required` is whether the plan's quality level asks for it.
    """

    number: int
    title: str
    gate: str
    facts: tuple[Fact, ...]
    findings: tuple[Finding, ...]
    required: bool = True

    @property
    def silent(self) -> tuple[Fact, ...]:
        """The facts that the plan does not state."""
        return tuple(fact for fact in self.facts if fact.said.is_open)

    @property
    def wanting(self) -> tuple[Finding, ...]:
        """The findings that do not hold."""
        return tuple(finding for finding in self.findings if finding.verdict is not Verdict.HOLDS)

    @property
    def holding(self) -> str:
        """How many verdicts of which rules hold, in one line; empty for none."""
        counts: dict[str, int] = {}
        for finding in self.findings:
            if finding.verdict is Verdict.HOLDS:
                counts[finding.code] = counts.get(finding.code, 0) + 1
        return ", ".join(f"{code} × {count}" if count > 1 else code for code, count in counts.items())


def facts_of(plan: Plan, section: Section | None, base: str, about: str, names: str) -> Iterator[Fact]:
    """A fact for each of the comma-separated fields of `section`, which would stand at `base`."""
    for name in names.split(","):
        label = f"{name.replace('_', ' ')}{f' of {about}' if about else ''}"
        value = getattr(section, name, None) if section is not None else None
        if section is None or value is None or value in ((), {}):
            yield Fact(label, not_stated(f"{base}.{name}"))
        else:
            alias = type(section).model_fields[name].alias or name
            yield Fact(label, Said(say_value(value), place(plan, plan.path(section, alias))))


def listed(plan: Plan, entries: Iterable[Section], base: str, words: str) -> Iterator[Fact]:
    """One fact per entry of a list, by its id where it has one."""
    empty = True
    for index, entry in enumerate(entries):
        empty = False
        name = getattr(entry, "id", None) or f"{words} {index + 1}"
        yield Fact(
            str(name),
            Said(
                say_value(entry).removeprefix(f"{name}, "),
                place(plan, plan.path(entry)),
            ),
        )
    if empty:
        yield Fact(words, not_stated(f"{base}[]"))
