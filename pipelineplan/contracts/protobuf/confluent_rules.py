"""What Confluent's Schema Registry refuses of a Protobuf schema.

It lets pass: messages, enums and their values added or moved, enum values changed and removed, fields
added, removed and renamed, numbers of one wire group, text for bytes and back, a oneof added or removed.
Source: Confluent Schema Registry 8.1, its table of Protobuf differences, Confluent, 2026.
"""

from __future__ import annotations

from collections.abc import Iterator

from pipelineplan.contracts.protobuf.refusal import Refusal, field_pairs
from pipelineplan.contracts.protobuf.types import ProtoField, ProtoMessage, ProtoSchema

_GROUPS = (
    frozenset({"int32", "int64", "uint32", "uint64", "bool", "enum"}),
    frozenset({"sint32", "sint64"}),
    frozenset({"string", "bytes"}),
    frozenset({"fixed32", "sfixed32"}),
    frozenset({"fixed64", "sfixed64"}),
)


def confluent_refusals(reader: ProtoSchema, writer: ProtoSchema) -> list[Refusal]:
    """What the registry refuses when `reader` is registered after `writer`."""
    return list(_refusals(reader, writer))


def _refusals(reader: ProtoSchema, writer: ProtoSchema) -> Iterator[Refusal]:
    if reader.package != writer.package:
        yield Refusal("package-changed", "$", f"the package {writer.package!r} is {reader.package!r} here")
    for name, old in writer.messages.items():
        new = reader.messages.get(name)
        if new is None:
            yield Refusal("message-removed", old.path, f"the message {name} is not here any more")
        else:
            yield from _message(new, old)
    for new, old in _imported(reader, writer):
        yield from _message(new, old)


def _imported(reader: ProtoSchema, writer: ProtoSchema) -> Iterator[tuple[ProtoMessage, ProtoMessage]]:
    """Messages of other files that a field led to and leads to, under the same name in any package."""
    own = {one.full_name for one in writer.messages.values()}
    waiting = [
        (one, writer.messages[name]) for name, one in reader.messages.items() if name in writer.messages
    ]
    seen: set[tuple[str, str]] = set()
    while waiting:
        new, old = waiting.pop()
        if (new.full_name, old.full_name) in seen:
            continue
        seen.add((new.full_name, old.full_name))
        if old.full_name not in own and not old.map_entry:
            yield new, old
        for one, other in field_pairs(new, old):
            if one.message and other.message and (one.is_map or one.message.name == other.message.name):
                waiting.append((one.message, other.message))


def _message(new: ProtoMessage, old: ProtoMessage) -> Iterator[Refusal]:
    for number in sorted(old.fields.keys() ^ new.fields.keys()):
        yield from _alone(number, new, old)
    for one, other in field_pairs(new, old):
        if not _same_type(one, other):
            yield Refusal("type-changed", one.path, f"{other.shown} is {one.shown} here")
        elif one.kind not in {"string", "bytes", "message"} and _relabelled(one, other):
            yield Refusal("label-changed", one.path, f"{other.shown} is {one.shown} here")
    yield from _oneofs(new, old)


def _relabelled(one: ProtoField, other: ProtoField) -> bool:
    """Whether both fields have a label, and not the same: a plain field of proto3 has none."""
    labels = {_label(one), _label(other)}
    return len(labels) == 2 and "" not in labels


def _label(one: ProtoField) -> str:
    return "" if one.label == "single" and (one.oneof or not one.presence) else one.label


def _alone(number: int, new: ProtoMessage, old: ProtoMessage) -> Iterator[Refusal]:
    """A field that only one side has."""
    one = old.fields.get(number) or new.fields[number]
    removed = number in old.fields
    if one.label == "required":
        what = "removed" if removed else "added"
        yield Refusal(f"required-field-{what}", one.path, f"the required field {one.name} is {what}")
    elif removed and one.oneof and not _wholly_gone(one.oneof, new, old):
        yield Refusal("oneof-field-removed", one.path, f"{one.name} is removed from oneof {one.oneof}")


def _wholly_gone(oneof: str, new: ProtoMessage, old: ProtoMessage) -> bool:
    """Whether a oneof was removed with all of its members."""
    here = any(one.oneof == oneof for one in new.fields.values())
    survives = any(one.oneof == oneof and number in new.fields for number, one in old.fields.items())
    return not here and not survives


def _oneofs(new: ProtoMessage, old: ProtoMessage) -> Iterator[Refusal]:
    """Fields that could be set side by side, and of which now only one can be."""
    for name in dict.fromkeys(one.oneof for one in new.fields.values() if one.oneof):
        before = [old.fields[n] for n, one in new.fields.items() if one.oneof == name and n in old.fields]
        groups = {one.oneof or one.number for one in before}
        if len(groups) > 1:
            named = ", ".join(one.name for one in before)
            reason = f"{named} could be set side by side, and are in oneof {name} now"
            yield Refusal("moved-into-oneof", f"{new.path}.{name}", reason)


def _same_type(new: ProtoField, old: ProtoField) -> bool:
    if new.is_map and old.is_map:
        return all(_same_type(*pair) for pair in _entries(new, old))
    if new.message is not None and old.message is not None:
        return new.is_map == old.is_map and new.message.name == old.message.name
    if new.kind == old.kind:
        return True
    return any(old.kind in group and new.kind in group for group in _GROUPS)


def _entries(new: ProtoField, old: ProtoField) -> list[tuple[ProtoField, ProtoField]]:
    if new.message is None or old.message is None:
        return []
    return list(field_pairs(new.message, old.message))
