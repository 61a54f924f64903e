"""What the fate of a column's values amounts to: a change, its policy, and the value that shows it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any

from pipelineplan.contracts.columns.lattice import Passage, telling
from pipelineplan.contracts.columns.types import Column, ColumnType
from pipelineplan.contracts.evolution.change import Change, Compatibility, Witness

# What a fate is called, what it amounts to, under which policy, and why.
FATES: Mapping[str, tuple[str, Compatibility, str, str]] = {
    "lossy": ("lossy-promotion", Compatibility.POLICY, "lossy-promotion", "not every value survives"),
    "narrowed": ("type-narrowed", Compatibility.INCOMPATIBLE, "", "a value is cut or refused"),
    "zone": (
        "zone-changed",
        Compatibility.POLICY,
        "logical-type",
        "a zone comes or goes, so the same digits are another instant",
    ),
    "recast": (
        "engine-cast",
        Compatibility.POLICY,
        "engine-cast",
        "one engine converts it and another refuses",
    ),
    "mismatch": (
        "type-mismatch",
        Compatibility.INCOMPATIBLE,
        "",
        "it is refused, or read as something else",
    ),
    "not decided": ("not-decided", Compatibility.UNKNOWN, "", "a type that is not known here"),
}


@dataclass(frozen=True)
class Finding:
    """A change, and the value of the writer's column that shows it, where `shows`."""

    change: Change
    value: Any = None
    shows: bool = False

    def around(self, value: Any) -> Finding:
        """The same, with the value as a part of a larger one."""
        return replace(self, value=value)

    def shown(self, record: Any) -> Change:
        """The change with `record` as its witness."""
        return (
            replace(self.change, witness=Witness(record, "refused or misread")) if self.shows else self.change
        )


def of_fate(found: Passage, reader: Column, writer: Column) -> list[Finding]:
    """What there is to say of one column whose values meet `found`; nothing when they are kept."""
    if found.fate == "kept":
        return []
    name, verdict, policy, why = FATES[found.fate]
    reason = f"{writer.type.shown} read as {reader.type.shown}: {why}"
    change = Change(name, reader.path, reason, verdict, policy)
    sample = whole(writer.type) if writer.type.nested else found.sample
    return [Finding(change, sample, shows=sample is not None)]


def broken(change: str, path: str, reason: str, value: Any) -> Finding:
    """A change that keeps some record from being read as it was meant."""
    return Finding(Change(change, path, reason), value, shows=True)


def minded(policy: str, path: str, reason: str, value: Any) -> Finding:
    """A change that a policy lets pass or refuses."""
    return Finding(Change(policy, path, reason, Compatibility.POLICY, policy), value, shows=True)


def whole(of: ColumnType, depth: int = 0) -> Any:
    """A value of a type with everything in it that may not be null."""
    if of.kind == "struct" and depth < 40:
        return {one.name: whole(one.type, depth + 1) for one in of.inner if not one.nullable}
    return telling(of)


def record_of(columns: tuple[Column, ...], of: Column | None, value: Any) -> dict[str, Any]:
    """A record of `columns`: those that may not be null, and `value` in `of`."""
    made = {one.name: whole(one.type) for one in columns if not one.nullable}
    return made if of is None else made | {of.name: value}
