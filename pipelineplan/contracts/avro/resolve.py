"""Whether an Avro reader reads what an Avro writer writes, by the specification's schema resolution.

    writer {id: long, note: string}     reader {id: double, region: string = "eu"}
      id      promoted; above 2^53 not every long is a double       lossy-promotion
      note    ignored
      region  not written; the reader's default stands

Source: Apache Avro 1.12 Specification, Apache Software Foundation, 2024: "Schema Resolution", "Aliases",
"Logical Types" (two decimals match when scale and precision match).
"""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from functools import partial
from typing import Any

from pipelineplan.contracts.avro.defaults import fits
from pipelineplan.contracts.avro.logical import logical_changes
from pipelineplan.contracts.avro.sample import smallest, tagged
from pipelineplan.contracts.avro.types import AvroField, AvroType
from pipelineplan.contracts.evolution.change import Change, Compatibility
from pipelineplan.contracts.evolution.shown import Finding

PROMOTIONS = {
    "int": ("long", "float", "double"),
    "long": ("float", "double"),
    "float": ("double",),
    "string": ("bytes",),
    "bytes": ("string",),
}
# The first value of the writer that the reader's type cannot tell from another one.
_LOSES: dict[tuple[str, str], Any] = {
    ("int", "float"): 2**24 + 1,
    ("long", "float"): 2**24 + 1,
    ("long", "double"): 2**53 + 1,
    ("bytes", "string"): b"\xff",
}
_MOST_PAIRS = 200_000
_MOST_WITNESSES = 20


def resolve(reader: AvroType, writer: AvroType) -> list[Change]:
    """Every change that keeps `reader` from reading all records of `writer`; empty when none does.

    Paths are those of the reader's schema, or of the writer's where the reader has nothing. Ends in
    time bounded by the product of the two schemas' sizes.
    """
    found = _Resolver().changes(reader, writer)
    return [one.shown(with_record=i < _MOST_WITNESSES) for i, one in enumerate(found)]


@dataclass
class _Resolver:
    """`seen` holds the pairs under way or done: a pair met again is settled by its first visit."""

    seen: dict[tuple[int, int], list[Finding]] = field(default_factory=dict)

    def changes(self, reader: AvroType, writer: AvroType) -> list[Finding]:
        pair = (id(reader), id(writer))
        if pair in self.seen:
            return self.seen[pair]
        if len(self.seen) > _MOST_PAIRS:
            reason = f"more than {_MOST_PAIRS:,} pairs of types to compare"
            return [Finding(Change("not-decided", reader.path, reason, Compatibility.UNKNOWN))]
        self.seen[pair] = []
        distinct = {(one.change.change, one.change.path): one for one in self._changes(reader, writer)}
        self.seen[pair] = list(distinct.values())
        return self.seen[pair]

    def _changes(  # noqa: PLR0911  (one return per kind of type)
        self, reader: AvroType, writer: AvroType
    ) -> list[Finding]:
        if writer.kind == "union":
            return self._writer_union(reader, writer)
        if reader.kind == "union":
            return self._reader_union(reader, writer)
        if not _same_kind(reader, writer):
            return [_mismatch(reader, writer)]
        match reader.kind:
            case "record":
                return self._records(reader, writer)
            case "array":
                inner = self.changes(reader.inner[0], writer.inner[0])
                return [one.within(lambda value: [value]) for one in inner]
            case "map":
                inner = self.changes(reader.inner[0], writer.inner[0])
                return [one.within(lambda value: {"k": value}) for one in inner]
            case "enum":
                return _enums(reader, writer)
            case "fixed" if reader.size != writer.size:
                reason = f"the reader takes {reader.size} bytes, the writer writes {writer.size}"
                return [_failing("fixed-size", reader, writer, reason)]
        return [*_lossy(reader, writer), *_logical(reader, writer)]

    def _writer_union(self, reader: AvroType, writer: AvroType) -> list[Finding]:
        """Whichever branch was written has to be read; an empty union writes nothing."""
        return [
            one.within(partial(tagged, branch))
            for branch in writer.inner
            for one in self.changes(reader, branch)
        ]

    def _reader_union(self, reader: AvroType, writer: AvroType) -> list[Finding]:
        """The first branch that matches reads the record, a branch of the same full name before others."""
        matching = [branch for branch in reader.inner if self._matches(branch, writer)]
        if not matching:
            reason = f"none of the reader's branches reads {writer.shown}"
            return [_failing("union-branch-missing", reader, writer, reason)]
        exact = [one for one in matching if one.kind == writer.kind and one.name == writer.name]
        return self.changes((exact or matching)[0], writer)

    def _matches(self, reader: AvroType, writer: AvroType) -> bool:
        if writer.kind == "union" or reader.kind == "union":
            return True
        if reader.kind in {"array", "map"} and reader.kind == writer.kind:
            return self._matches(reader.inner[0], writer.inner[0])
        return _same_kind(reader, writer) and (reader.kind != "fixed" or reader.size == writer.size)

    def _records(self, reader: AvroType, writer: AvroType) -> list[Finding]:
        found: list[Finding] = []
        written = {one.name: one for one in writer.fields}
        for one in reader.fields:
            source = _source_of(one, written)
            if source is not None:
                around = partial(_in_record, writer, source)
                found += [inner.within(around) for inner in self.changes(one.type, source.type)]
            elif not one.has_default:
                reason = f"the reader wants {one.name!r}, which is not written and has no default"
                found.append(_at(one.path, _failing("reader-field-without-default", reader, writer, reason)))
            elif not fits(one.type, one.default):
                reason = f"the default of {one.name!r} is no {one.type.shown}, and nothing else is written"
                found.append(_at(one.path, _failing("default-does-not-fit", reader, writer, reason)))
        return found


def _source_of(one: AvroField, written: dict[str, AvroField]) -> AvroField | None:
    """The writer's field that the reader's field takes its values from: its own name, then aliases."""
    names = (one.name, *one.aliases)
    return next((written[name] for name in names if name in written), None)


def _same_kind(reader: AvroType, writer: AvroType) -> bool:
    if reader.kind != writer.kind:
        return reader.kind in PROMOTIONS.get(writer.kind, ())
    if not reader.name:
        return True
    aliases = {alias.rpartition(".")[2] for alias in reader.aliases}
    return reader.short_name == writer.short_name or writer.short_name in aliases


def _mismatch(reader: AvroType, writer: AvroType) -> Finding:
    if reader.kind == writer.kind:
        reason = f"the reader's {reader.shown} has another name than the writer's {writer.shown}"
        return _failing("name-mismatch", reader, writer, f"{reason}, and no alias for it")
    return _failing("type-mismatch", reader, writer, f"{writer.shown} cannot be read as {reader.shown}")


def _failing(change: str, reader: AvroType, writer: AvroType, reason: str) -> Finding:
    return Finding(Change(change, reader.path, reason), partial(smallest, writer))


def _at(path: str, found: Finding) -> Finding:
    return replace(found, change=replace(found.change, path=path))


def _enums(reader: AvroType, writer: AvroType) -> list[Finding]:
    missing = [symbol for symbol in writer.symbols if symbol not in reader.symbols]
    if not missing or reader.default is not None:
        return []
    named = ", ".join(missing[:5]) + (", ..." if len(missing) > 5 else "")
    reason = f"the reader knows no {named} and has no default symbol"
    return [Finding(Change("enum-symbol-missing", reader.path, reason), lambda: missing[0])]


def _lossy(reader: AvroType, writer: AvroType) -> list[Finding]:
    value = _LOSES.get((writer.kind, reader.kind))
    if value is None:
        return []
    reason = f"{writer.kind} read as {reader.kind}: {value!r} is not kept"
    change = Change("lossy-promotion", reader.path, reason, Compatibility.POLICY, "lossy-promotion")
    return [Finding(change, lambda: value, "misread, or refused where bytes are no UTF-8")]


def _logical(reader: AvroType, writer: AvroType) -> list[Finding]:
    sample = smallest(writer)
    return [
        Finding(change, lambda: sample, "readers disagree about it")
        for change in logical_changes(reader, writer)
    ]


def _in_record(writer: AvroType, source: AvroField, value: Any) -> Any:
    """`value` of one field inside a whole record of the writer."""
    return {one.name: value if one is source else smallest(one.type) for one in writer.fields}
