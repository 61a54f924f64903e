"""buf's breaking rules of the categories WIRE and WIRE_JSON, version 2, on two schemas.

Not here: rules about services (RPC_...), and JSON_FORMAT features.
Source: buf 1.75, "Rules and categories", Buf Technologies, 2025; checked against buf itself on
generated pairs by tests/full/buf_beside.py.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from pipelineplan.contracts.protobuf.refusal import Refusal, all_enums, field_pairs, message_pairs
from pipelineplan.contracts.protobuf.types import (
    ProtoEnum,
    ProtoField,
    ProtoMessage,
    ProtoSchema,
    Range,
    inside,
)

_WIRE_GROUPS = (
    frozenset({"int32", "int64", "uint32", "uint64", "bool"}),
    frozenset({"sint32", "sint64"}),
    frozenset({"fixed32", "sfixed32"}),
    frozenset({"fixed64", "sfixed64"}),
)
_JSON_GROUPS = (
    frozenset({"int32", "uint32"}),
    frozenset({"int64", "uint64"}),
    frozenset({"fixed32", "sfixed32"}),
    frozenset({"fixed64", "sfixed64"}),
)


def wire_refusals(reader: ProtoSchema, writer: ProtoSchema) -> list[Refusal]:
    """What the category WIRE refuses of the change from `writer` to `reader`."""
    return list(_refusals(reader, writer, json=False))


def wire_json_refusals(reader: ProtoSchema, writer: ProtoSchema) -> list[Refusal]:
    """What the category WIRE_JSON refuses of the change from `writer` to `reader`."""
    return list(_refusals(reader, writer, json=True))


def _refusals(reader: ProtoSchema, writer: ProtoSchema, *, json: bool) -> Iterator[Refusal]:
    if reader.package != writer.package:
        reason = f"the package {writer.package!r} is {reader.package!r} here"
        yield Refusal("package-changed", "$", reason)
    for new, old in message_pairs(reader, writer):
        yield from _deleted(new, old, json=json)
        yield from _unreserved(new, old)
        yield from _required(new, old)
        for pair in field_pairs(new, old):
            yield from _field(*pair, entries=new.map_entry and old.map_entry, json=json)
    enums = all_enums(writer)
    for name, one in all_enums(reader).items():
        if name in enums:
            yield from _enum(one, enums[name], json=json)


def _deleted(new: ProtoMessage, old: ProtoMessage, *, json: bool) -> Iterator[Refusal]:
    for number, one in old.fields.items():
        if number in new.fields or one.name.startswith("["):
            continue
        if not inside(number, new.reserved):
            reason = f"{one.name} is deleted, and its number {number} not reserved"
            yield Refusal("number-not-reserved", one.path, reason)
        elif json and one.name not in new.reserved_names:
            yield Refusal("name-not-reserved", one.path, f"{one.name} is deleted, and its name not reserved")


def _unreserved(new: ProtoMessage | ProtoEnum, old: ProtoMessage | ProtoEnum) -> Iterator[Refusal]:
    """A number or a name that was reserved must stay so."""
    lost = [one for one in old.reserved if not _covered(one, new.reserved)]
    names = sorted(old.reserved_names - new.reserved_names)
    if lost or names:
        shown = [f"{first} to {last}" for first, last in lost] + names
        yield Refusal("no-longer-reserved", new.path, f"no longer reserved: {', '.join(shown)[:200]}")


def _covered(wanted: Range, ranges: Iterable[Range]) -> bool:
    """Whether every number of `wanted` is in one of `ranges`."""
    at = wanted[0]
    for first, last in sorted(ranges):
        if first <= at <= last:
            at = last + 1
    return at > wanted[1]


def _required(new: ProtoMessage, old: ProtoMessage) -> Iterator[Refusal]:
    was = {number for number, one in old.fields.items() if one.label == "required"}
    now = {number for number, one in new.fields.items() if one.label == "required"}
    for number in sorted(was ^ now):
        what = "required" if number in now else "no longer required"
        yield Refusal("required-changed", new.path, f"the number {number} is {what}")


def _field(new: ProtoField, old: ProtoField, *, entries: bool, json: bool) -> Iterator[Refusal]:
    if not _same_type(new, old, json=json):
        yield Refusal("type-changed", new.path, f"{old.shown} is {new.shown} here")
    if not entries and _cardinality(new, json=json) != _cardinality(old, json=json):
        yield Refusal("cardinality-changed", new.path, f"{_shape(old)} is {_shape(new)} here")
    plain = not any(one.repeated or one.message for one in (new, old))
    if plain and not _same_default(new.default, old.default):
        yield Refusal("default-changed", new.path, f"the default {old.default!r} is {new.default!r} here")
    if new.oneof != old.oneof:
        yield Refusal(
            "oneof-changed", new.path, f"in oneof {old.oneof or '-'} before, {new.oneof or '-'} now"
        )
    if json and (new.name, new.json_name) != (old.name, old.json_name):
        yield Refusal("json-name-changed", new.path, f"{old.name} ({old.json_name}) is {new.name} here")


def _same_type(new: ProtoField, old: ProtoField, *, json: bool) -> bool:
    if new.message is not None and old.message is not None:
        return new.delimited == old.delimited and new.message.full_name == old.message.full_name
    if new.enum is not None and old.enum is not None:
        return new.enum.full_name == old.enum.full_name or _subset(new.enum, old.enum)
    if new.kind == old.kind or (not json and (old.kind, new.kind) == ("string", "bytes")):
        return True
    groups = _JSON_GROUPS if json else _WIRE_GROUPS
    return any(old.kind in group and new.kind in group for group in groups)


def _subset(new: ProtoEnum, old: ProtoEnum) -> bool:
    """Whether an enum of another place has the same short name, and every value of the old one."""
    same_name = new.name.rpartition(".")[2] == old.name.rpartition(".")[2]
    return same_name and all(set(names) <= set(new.names.get(n, ())) for n, names in old.names.items())


def _cardinality(one: ProtoField, *, json: bool) -> str:
    return "map" if json and one.is_map else one.label


def _shape(one: ProtoField) -> str:
    return "map" if one.is_map else one.label


def _same_default(new: object, old: object) -> bool:
    """Two defaults as buf compares them: zeros of any kind are the same, and so are 1, 1.0 and true."""
    if not new and not old:
        return True
    first, second = (one.encode() if isinstance(one, str) else one for one in (new, old))
    return first == second or (first != first and second != second)  # noqa: PLR0124  (not a number)


def _enum(new: ProtoEnum, old: ProtoEnum, *, json: bool) -> Iterator[Refusal]:
    yield from _unreserved(new, old)
    for number, names in old.names.items():
        place = f"{new.path}.{names[0]}"
        if number not in new.names:
            if not inside(number, new.reserved):
                reason = f"{names[0]} is deleted, and its number {number} not reserved"
                yield Refusal("number-not-reserved", place, reason)
            elif json and not set(names) <= new.reserved_names:
                yield Refusal("name-not-reserved", place, f"{names[0]} is deleted, and its name not reserved")
        elif json and not set(names) <= set(new.names[number]):
            yield Refusal("enum-name-changed", place, f"{number} is {new.names[number][0]} here")
