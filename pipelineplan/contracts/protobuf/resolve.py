"""Whether a Protobuf reader reads what a Protobuf writer writes, by the bytes between them.

    writer  1: int64 id   2: string note   3: string mail   4: string post
    reader  1: int32 id                    oneof { 3: mail  4: post }
      1   cut to 32 bits                      wire-narrowing
      2   unknown to the reader, let be
      3,4 both may be written, one survives   moved-into-oneof

Fields are matched by number; names only tell a rename from a number that was given to something else.
Source: Protocol Buffers, "Encoding", "Updating A Message Type" and "Field Presence", Google, 2024.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from functools import partial
from typing import Any

from pipelineplan.contracts.evolution.change import Change, Compatibility
from pipelineplan.contracts.evolution.shown import Finding
from pipelineplan.contracts.protobuf.enums import enum_findings
from pipelineplan.contracts.protobuf.finding import broken, minded
from pipelineplan.contracts.protobuf.sample import smallest, telling
from pipelineplan.contracts.protobuf.scalars import TELLING, UNPACKABLE, Passage, passage, wire_of
from pipelineplan.contracts.protobuf.types import ProtoField, ProtoMessage, ProtoSchema

_MOST_PAIRS = 200_000
_MOST_WITNESSES = 20


def resolve(reader: ProtoSchema, writer: ProtoSchema) -> list[Change]:
    """Every change that keeps `reader` from reading all records of `writer` as they were meant.

    A witness is a record of the writer under the name of its message. Ends in time bounded by the
    product of the two schemas' sizes.
    """
    walk = _Walk(reader, writer)
    found = [one for name in writer.messages for one in _of_message(name, walk)]
    distinct = {(one.change.change, one.change.path): one for one in found}
    return [one.shown(with_record=i < _MOST_WITNESSES) for i, one in enumerate(distinct.values())]


def _of_message(name: str, walk: _Walk) -> list[Finding]:
    old, new = walk.writer.messages[name], walk.reader.messages.get(name)
    around: Callable[[Any], Any] = lambda value: {name: value}  # noqa: E731  (given to each finding)
    if new is not None:
        return [one.within(around) for one in walk.messages(new, old)]
    if name not in walk.writer.records:
        return []
    reason = f"no message of the reader is called {name}, so nobody reads its records"
    return [broken("message-removed", old.path, reason, lambda: {name: smallest(old)}, "not read")]


@dataclass
class _Walk:
    """`seen` holds the pairs under way or done: a pair met again is settled by its first visit."""

    reader: ProtoSchema
    writer: ProtoSchema
    seen: dict[tuple[int, int], list[Finding]] = field(default_factory=dict)

    def messages(self, reader: ProtoMessage, writer: ProtoMessage) -> list[Finding]:
        pair = (id(reader), id(writer))
        if pair in self.seen:
            return self.seen[pair]
        if len(self.seen) > _MOST_PAIRS:
            reason = f"more than {_MOST_PAIRS:,} pairs of messages to compare"
            return [Finding(Change("not-decided", reader.path, reason, Compatibility.UNKNOWN))]
        self.seen[pair] = []
        found = [*self._fields(reader, writer), *_required(reader, writer), *_oneofs(reader, writer)]
        if reader.message_set != writer.message_set:
            reason = "one side is a MessageSet, whose bytes are laid out in another way"
            found.append(broken("message-set", reader.path, reason, partial(smallest, writer)))
        distinct = {(one.change.change, one.change.path): one for one in found}
        self.seen[pair] = list(distinct.values())
        return self.seen[pair]

    def _fields(self, reader: ProtoMessage, writer: ProtoMessage) -> Iterable[Finding]:
        for number, old in writer.fields.items():
            new = reader.fields.get(number)
            if new is None:  # skipped as unknown: nothing is misread
                continue
            around = partial(_in_record, writer, old)
            yield from (one.within(around) for one in self._field(new, old))
            yield from self._names(new, old, reader, writer)

    def _names(
        self, new: ProtoField, old: ProtoField, reader: ProtoMessage, writer: ProtoMessage
    ) -> Iterable[Finding]:
        """Another name at the number: a swap, another life of the number, or else taken for a rename."""
        if new.name == old.name:
            return
        record = partial(_telling_record, writer, old)
        lives = self.reader.lives.get((reader.name, new.number), 0)
        if old.name in reader.names or new.name in writer.names:
            reason = f"the number {old.number} is {old.name} to the writer and {new.name} to the reader"
            yield broken("numbers-swapped", new.path, reason, record, f"read as {new.name}")
        elif lives != self.writer.lives.get((writer.name, old.number), lives):
            reason = f"the number {old.number} was given up and taken again: {old.name} is read as {new.name}"
            yield broken("number-reused", new.path, reason, record, f"read as {new.name}")
        else:
            reason = f"{old.name} is called {new.name} here: a rename, unless its number was given away"
            yield minded("renamed", "renamed", new.path, reason)

    def _field(self, reader: ProtoField, writer: ProtoField) -> Iterable[Finding]:
        """What becomes of the value of one field; the records are values of the whole field."""
        whole = _listed if writer.repeated else _alone
        fate = _packed_fate(reader, writer) or passage(reader, writer)
        sample = partial(_sample, writer, fate.sample)
        shown = f"{writer.shown} is written and {reader.shown} is read"
        match fate.fate:
            case "narrowed":
                reason = f"{shown}: {fate.sample} is another number there"
                found = [minded("wire-narrowing", "wire-narrowing", reader.path, reason, sample)]
            case "unnamed":
                reason = f"{shown}: {fate.sample} is kept as a number without a name"
                found = [minded("unknown-enum-value", "unknown-enum-value", reader.path, reason, sample)]
            case "as text":
                reason = f"{shown}: bytes that are no UTF-8 are refused"
                shows = sample if writer.kind == "bytes" else None  # an honest writer of text writes UTF-8
                found = [minded("lossy-promotion", "lossy-promotion", reader.path, reason, shows)]
            case "reshaped":
                reason = f"{shown}: the message arrives as its bytes"
                found = [minded("message-as-bytes", "wire-reshaped", reader.path, reason, sample)]
            case "misread":
                reason = f"{shown}: the same wire type with another meaning"
                found = [broken("type-changed", reader.path, reason, sample)]
            case "not seen":
                reason = f"{shown}: another wire type, so the value is skipped as unknown"
                found = [broken("wire-type-changed", reader.path, reason, sample)]
            case _:
                found = list(self._inside(reader, writer))
        yield from (one.within(whole) for one in found)
        if fate.fate in {"kept", "narrowed", "unnamed", "as text"}:
            yield from _labels(reader, writer)
            yield from _presence(reader, writer)

    def _inside(self, reader: ProtoField, writer: ProtoField) -> Iterable[Finding]:
        """Two messages or two enums behind one number."""
        if reader.message is not None and writer.message is not None:
            return self.messages(reader.message, writer.message)
        if reader.enum is not None and writer.enum is not None:
            return enum_findings(reader.enum, writer.enum)
        return ()


def _packed_fate(reader: ProtoField, writer: ProtoField) -> Passage | None:
    """A packed list is one block of bytes: read as a text it is misread, and a text as a packed list too."""
    if writer.packed and reader.kind in UNPACKABLE:
        return Passage("misread" if wire_of(reader) == "length" else "not seen", telling(writer))
    if reader.repeated and reader.kind not in UNPACKABLE and writer.kind in UNPACKABLE:
        sample = TELLING.get(writer.kind, {})
        return Passage("misread" if wire_of(writer) == "length" else "not seen", sample)
    if writer.packed and not reader.repeated:
        return Passage("not seen", telling(writer))
    return None


def _sample(writer: ProtoField, sample: Any) -> Any:
    """`sample`, or where it is a message one with everything it needs, or a value that an enum has."""
    if writer.message is not None:
        return smallest(writer.message)
    return telling(writer) if writer.enum is not None and sample not in writer.enum.names else sample


def _listed(value: Any) -> Any:
    return [value]


def _alone(value: Any) -> Any:
    return value


def _labels(reader: ProtoField, writer: ProtoField) -> Iterable[Finding]:
    """One value read as a list, a list as one value, a list of pairs as a map."""
    if reader.repeated and not writer.repeated:
        reason = "one value is written and a list is read; a zero that is not written is an empty list"
        record = partial(telling, writer)
        yield minded("single-as-list", "wire-reshaped", reader.path, reason, record, "read as a list of it")
    elif writer.repeated and not reader.repeated:
        reason = "a list is written and one value is read: the last one, or messages merged"
        yield broken("list-as-single", reader.path, reason, lambda: [telling(writer), telling(writer)])
    elif reader.is_map and not writer.is_map:
        reason = "a list of pairs is written and a map is read: of equal keys the last one stays"
        yield broken("list-as-map", reader.path, reason, lambda: [telling(writer), telling(writer)])
    elif writer.is_map and not reader.is_map:
        reason = "a map is written and a list of pairs is read, in any order"
        record = partial(_full, writer)
        yield minded("map-as-list", "wire-reshaped", reader.path, reason, record, "read as a list of pairs")


def _presence(reader: ProtoField, writer: ProtoField) -> Iterable[Finding]:
    """What a reader makes of a value that was not written, or of a zero."""
    if reader.repeated or writer.repeated or reader.kind == "message" or writer.kind == "message":
        return
    if _zero(reader.default) != _zero(writer.default) and reader.label != "required":
        reason = (
            f"where nothing is written the writer means {writer.default!r}, the reader {reader.default!r}"
        )
        yield minded("default-changed", "default-changed", reader.path, reason, lambda: UNSET)
    elif reader.presence != writer.presence:
        what = "a zero is not written, and is read as absent" if reader.presence else "absent is read as zero"
        record = (lambda: _zero_of(writer)) if reader.presence else (lambda: UNSET)
        yield minded("presence", "presence", reader.path, what, record, "absent and zero are not told apart")


# Stands in a record for a field that is left out.
UNSET = object()


def _zero(value: Any) -> Any:
    """A default to compare: text and its bytes are the same, and so are 0, 0.0 and false."""
    return value.encode() if isinstance(value, str) else value or (b"" if isinstance(value, bytes) else 0)


def _zero_of(writer: ProtoField) -> Any:
    return writer.default


def _required(reader: ProtoMessage, writer: ProtoMessage) -> Iterable[Finding]:
    """A reader refuses a record without a field that it requires."""
    for number, new in reader.fields.items():
        old = writer.fields.get(number)
        if new.label != "required" or (old is not None and old.label == "required"):
            continue
        reason = f"the reader requires {new.name}, and the writer may leave it out"
        yield broken("required-field-not-written", new.path, reason, partial(smallest, writer))


def _oneofs(reader: ProtoMessage, writer: ProtoMessage) -> Iterable[Finding]:
    """Of two fields that a writer sets side by side only the last survives in one oneof of the reader."""
    members: dict[str, list[ProtoField]] = {}
    for number, new in reader.fields.items():
        if new.oneof and number in writer.fields:
            members.setdefault(new.oneof, []).append(writer.fields[number])
    for name, fields in members.items():
        rival = next((one for one in fields[1:] if not one.oneof or one.oneof != fields[0].oneof), None)
        if rival is None:
            continue
        reason = (
            f"{fields[0].name} and {rival.name} may both be written, and one of them is read: oneof {name}"
        )
        record = partial(_both, writer, fields[0], rival)
        yield broken("moved-into-oneof", f"{reader.path}.{name}", reason, record)


def _both(writer: ProtoMessage, one: ProtoField, other: ProtoField) -> Any:
    return _in_record(writer, other, _full(other)) | {one.name: _full(one)}


def _full(one: ProtoField) -> Any:
    return [telling(one)] if one.repeated else telling(one)


def _telling_record(writer: ProtoMessage, of: ProtoField) -> Any:
    return _in_record(writer, of, _full(of))


def _in_record(writer: ProtoMessage, of: ProtoField, value: Any) -> Any:
    """`value` of one field inside a whole record of the writer."""
    made = smallest(writer)
    if value is UNSET:
        made.pop(of.name, None)
        return made
    return made | {of.name: value}
