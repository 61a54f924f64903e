"""What Confluent's Schema Registry refuses of a Protobuf schema.

It lets pass: messages, enums and their values added or moved, enum values changed and removed, fields
added, removed and renamed, numbers of one wire group, text for bytes and back, a oneof added or removed.
Source: Confluent Schema Registry 8.1, its table of Protobuf differences, Confluent, 2026.
"""

from __future__ import annotations

from collections.abc import Iterator

from pipelineplan.contracts.protobuf.refusal import Refusal, field_pairs, message_pairs
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
    own = {one.full_name for one in writer.messages.values()}
    for new, old in message_pairs(reader, writer):
        if old.full_name not in own and not old.map_entry:
            yield from _message(new, old)


def _message(new: ProtoMessage, old: ProtoMessage) -> Iterator[Refusal]:
    for number in sorted(old.fields.keys() ^ new.fields.keys()):
        yield from _alone(number, new, old)
    for one, other in field_pairs(new, old):
        if not _same_type(one, other):
            yield Refusal("type-changed", one.path, f"{other.shown} is {one.shown} here")
        elif one.repeated != other.repeated and one.kind not in {"string", "bytes", "message"}:
            yield Refusal("label-changed", one.path, f"{other.shown} is {one.shown} here")
    yield from _oneofs(new, old)


def _alone(number: int, new: ProtoMessage, old: ProtoMessage) -> Iterator[Refusal]:
    """A field that only one side has."""
    one = old.fields.get(number) or new.fields[number]
    removed = number in old.fields
    if one.label == "required":
        what = "removed" if removed else "added"
        yield Refusal(f"required-field-{what}", one.path, f"the required field {one.name} is {what}")
    elif removed and one.oneof and any(each.oneof == one.oneof for each in new.fields.values()):
        yield Refusal("oneof-field-removed", one.path, f"{one.name} is removed from oneof {one.oneof}")


def _oneofs(new: ProtoMessage, old: ProtoMessage) -> Iterator[Refusal]:
    for name in dict.fromkeys(one.oneof for one in new.fields.values() if one.oneof):
        before = [old.fields[n] for n, one in new.fields.items() if one.oneof == name and n in old.fields]
        moved = [one for one in before if not one.oneof]
        if len(moved) > 1:
            reason = f"{len(moved)} fields are moved into oneof {name}"
            yield Refusal("moved-into-oneof", f"{new.path}.{name}", reason)
        elif moved and len(before) > 1:
            reason = f"{moved[0].name} is moved into oneof {name}, which has others"
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
