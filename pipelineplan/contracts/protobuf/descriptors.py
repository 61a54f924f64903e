"""A FileDescriptorSet as a ProtoSchema: names resolved, syntax and features turned into plain facts.

    syntax = "proto2"  optional int32 n = 1   presence       enums closed   lists one by one
    syntax = "proto3"  int32 n = 1            no presence    enums open     lists packed
    edition = "2023"   int32 n = 1            presence       enums open     lists packed

Source: Protocol Buffers, descriptor.proto, and "Feature Settings for Editions", Google, 2024.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace
from typing import Any

from pipelineplan.contracts.protobuf.scalars import UNPACKABLE
from pipelineplan.contracts.protobuf.types import ProtoEnum, ProtoField, ProtoMessage, ProtoSchema
from pipelineplan.errors import InputError, MissingExtraError, Position, Problem

MOST_DEPTH = 100
_KINDS = {
    1: "double",
    2: "float",
    3: "int64",
    4: "uint64",
    5: "int32",
    6: "fixed64",
    7: "fixed32",
    8: "bool",
    9: "string",
    10: "message",
    11: "message",
    12: "bytes",
    13: "uint32",
    14: "enum",
    15: "sfixed32",
    16: "sfixed64",
    17: "sint32",
    18: "sint64",
}
_STANDARD = "google/protobuf/"


@dataclass(frozen=True)
class _Features:
    """The features that change bytes or their meaning, resolved down to one element."""

    presence: int = 1  # explicit; 2 implicit, 3 required
    closed: bool = False
    packed: bool = True
    checks_text: bool = True
    delimited: bool = False

    def with_options(self, options: Any) -> _Features:
        """These features with what `options` override."""
        given = options.features
        made = self
        if given.HasField("field_presence"):
            made = replace(made, presence=given.field_presence)
        if given.HasField("enum_type"):
            made = replace(made, closed=given.enum_type == 2)
        if given.HasField("repeated_field_encoding"):
            made = replace(made, packed=given.repeated_field_encoding == 1)
        if given.HasField("utf8_validation"):
            made = replace(made, checks_text=given.utf8_validation == 2)
        if given.HasField("message_encoding"):
            made = replace(made, delimited=given.message_encoding == 2)
        return made


_OF_SYNTAX = {
    "": _Features(closed=True, packed=False, checks_text=False),
    "proto2": _Features(closed=True, packed=False, checks_text=False),
    "proto3": _Features(presence=2),
    "editions": _Features(),
}


def schema_of(content: bytes, file: str) -> ProtoSchema:
    """The schema in the serialized FileDescriptorSet `content`; raises `InputError` for what is none."""
    try:
        from google.protobuf import descriptor_pb2
        from google.protobuf.message import DecodeError
    except ImportError:
        raise MissingExtraError("reading Protobuf schemas", "contracts") from None
    found = descriptor_pb2.FileDescriptorSet()
    try:
        found.ParseFromString(content)
    except DecodeError:
        raise InputError([Problem("found no FileDescriptorSet", Position(file))]) from None
    if not found.file:
        raise InputError([Problem("found no FileDescriptorSet, or an empty one", Position(file))])
    try:
        return _Builder(file).schema(list(found.file), content)
    except (
        TypeError,
        AttributeError,
        ValueError,
    ) as error:  # a name that is no UTF-8, a default that is none
        raise InputError([Problem(f"no whole schema: {str(error)[:200]}", Position(file))]) from None


@dataclass
class _Builder:
    file: str
    messages: dict[str, ProtoMessage] = field(default_factory=dict)
    enums: dict[str, ProtoEnum] = field(default_factory=dict)
    declared: list[tuple[ProtoMessage, Any, _Features]] = field(default_factory=list)
    problems: list[Problem] = field(default_factory=list)

    def schema(self, files: list[Any], content: bytes) -> ProtoSchema:
        for one in files:
            features = _OF_SYNTAX.get(one.syntax, _Features()).with_options(one.options)
            self._declare(one, one.package, one.package, features, 0)
        for message, declaration, features in self.declared:
            self._fill(message, declaration, features)
        for one in files:
            self._extend(one)
        if self.problems:
            raise InputError(self.problems[:20])
        own = _own(files)
        package = own[0].package if own else ""
        names = [name for one in own for name in _names(one.message_type, one.package, 0)]
        listed = {self._key(name, package): self.messages[name] for name in names}
        listed = {name: one for name, one in listed.items() if not one.map_entry}
        enums = {self._key(name, package): one for name, one in self.enums.items() if _in(name, own)}
        top = [
            self._key(_joined(one.package, each.name), package) for one in own for each in one.message_type
        ]
        return ProtoSchema(self.file, package, listed, enums, _records(listed, top), content)

    def _declare(self, holder: Any, prefix: str, package: str, features: _Features, depth: int) -> None:
        """Note every message and enum of a file or message by its full name."""
        if depth > MOST_DEPTH:
            self._complain(f"messages nested deeper than {MOST_DEPTH} levels")
            return
        inner: Any = getattr(holder, "message_type", None) or getattr(holder, "nested_type", ())
        for one in inner:
            name, own = _joined(prefix, one.name), features.with_options(one.options)
            message = ProtoMessage(self._key(name, package), f"$.{self._key(name, package)}", name)
            message.reserved = tuple((r.start, r.end - 1) for r in one.reserved_range)
            message.reserved_names = frozenset(one.reserved_name)
            message.map_entry = one.options.map_entry
            message.message_set = one.options.message_set_wire_format
            self.messages[name] = message
            self.declared.append((message, one, own))
            self._declare(one, name, package, own, depth + 1)
        for one in holder.enum_type:
            name = _joined(prefix, one.name)
            self.enums[name] = self._enum(one, name, self._key(name, package), features)

    def _enum(self, one: Any, full: str, key: str, features: _Features) -> ProtoEnum:
        names: dict[int, tuple[str, ...]] = {}
        for value in one.value:
            names[value.number] = (*names.get(value.number, ()), value.name)
        return ProtoEnum(
            name=key,
            path=f"$.{key}",
            full_name=full,
            names=names,
            closed=features.with_options(one.options).closed,
            first=one.value[0].number if one.value else 0,
            reserved=tuple((r.start, r.end) for r in one.reserved_range),
            reserved_names=frozenset(one.reserved_name),
        )

    def _fill(self, message: ProtoMessage, declaration: Any, features: _Features) -> None:
        oneofs = [one.name for one in declaration.oneof_decl]
        for one in declaration.field:
            made = self._field(one, message, features, oneofs)
            if made.number in message.fields:
                self._complain(f"{message.full_name} has the number {made.number} twice")
            message.fields[made.number] = made

    def _field(self, one: Any, message: ProtoMessage, given: _Features, oneofs: list[str]) -> ProtoField:
        features, kind = given.with_options(one.options), _KINDS.get(one.type, "")
        target = one.type_name.removeprefix(".")
        inner = self.messages.get(target) if kind == "message" else None
        enum = self.enums.get(target) if kind == "enum" else None
        if not kind or (kind == "message" and inner is None) or (kind == "enum" and enum is None):
            self._complain(
                f"{message.full_name}.{one.name} is of type {target or one.type!r}, which is not here"
            )
        real = one.HasField("oneof_index") and not one.proto3_optional and one.oneof_index < len(oneofs)
        label = {2: "required", 3: "repeated"}.get(one.label, "single")
        if label == "single" and features.presence == 3 and not real:
            label = "required"
        explicit = kind == "message" or real or one.proto3_optional or features.presence != 2
        is_map = inner is not None and inner.map_entry
        return ProtoField(
            name=one.name,
            number=one.number,
            path=f"{message.path}.{one.name}",
            kind=kind,
            label=label,
            presence=label != "repeated" and bool(explicit),
            packed=_packed(one, kind, label, features),
            delimited=one.type == 10 or (kind == "message" and features.delimited and not is_map),
            checks_text=features.checks_text,
            oneof=oneofs[one.oneof_index] if real else "",
            json_name=one.json_name or _camel(one.name),
            default=_default(one, kind, enum),
            message=inner,
            enum=enum,
        )

    def _extend(self, file: Any) -> None:
        """Extensions are fields of the message that they extend, by number."""
        features = _OF_SYNTAX.get(file.syntax, _Features()).with_options(file.options)
        holders = [(file.package, file), *_holders(file.message_type, file.package, 0)]
        for prefix, holder in holders:
            for one in holder.extension:
                extended = self.messages.get(one.extendee.removeprefix("."))
                if extended is not None:
                    made = self._field(one, extended, features, [])
                    made.name = f"[{_joined(prefix, one.name)}]"
                    made.path = f"{extended.path}.{made.name}"
                    extended.fields.setdefault(made.number, made)

    def _key(self, name: str, package: str) -> str:
        return name.removeprefix(f"{package}.") if package else name

    def _complain(self, message: str) -> None:
        self.problems.append(Problem(message, Position(self.file)))


def _packed(one: Any, kind: str, label: str, features: _Features) -> bool:
    if label != "repeated" or kind in UNPACKABLE:
        return False
    return bool(one.options.packed) if one.options.HasField("packed") else features.packed


def _default(one: Any, kind: str, enum: ProtoEnum | None) -> Any:  # noqa: PLR0911  (one return per kind)
    """What a reader sees in a single field that was not written."""
    text = one.default_value if one.HasField("default_value") else ""
    match kind:
        case "message":
            return None
        case "string":
            return text
        case "bytes":
            return text.encode("latin-1", "replace").decode("unicode_escape").encode("latin-1", "replace")
        case "bool":
            return text == "true"
        case "float" | "double":
            return float(text or 0)
        case "enum":
            numbers = {
                name: number for number, names in (enum.names if enum else {}).items() for name in names
            }
            return numbers.get(text, enum.first if enum else 0)
    return int(text or 0)


def _own(files: list[Any]) -> list[Any]:
    """The files that the set is about: those that no other one of them imports."""
    imported = {name for one in files for name in one.dependency}
    own = [one for one in files if one.name not in imported]
    return own or [one for one in files if not one.name.startswith(_STANDARD)] or files


def _records(listed: Mapping[str, ProtoMessage], top: list[str]) -> tuple[str, ...]:
    """The messages at the top that no other message has a field of; all of them where that leaves none."""
    used = {
        id(inner)
        for one in listed.values()
        for each in one.fields.values()
        for inner in _targets(each)
        if inner is not one
    }
    free = tuple(name for name in top if name in listed and id(listed[name]) not in used)
    return free or tuple(name for name in top if name in listed)


def _targets(each: ProtoField) -> Iterator[ProtoMessage]:
    """The message of a field; of a map that of its values."""
    if each.message is None:
        return
    if not each.message.map_entry:
        yield each.message
        return
    value = each.message.fields.get(2)
    if value is not None and value.message is not None:
        yield value.message


def _names(declarations: Any, prefix: str, depth: int) -> Iterator[str]:
    for one in declarations:
        name = _joined(prefix, one.name)
        yield name
        if depth < MOST_DEPTH:
            yield from _names(one.nested_type, name, depth + 1)


def _holders(declarations: Any, prefix: str, depth: int) -> Iterator[tuple[str, Any]]:
    for one in declarations:
        name = _joined(prefix, one.name)
        yield name, one
        if depth < MOST_DEPTH:
            yield from _holders(one.nested_type, name, depth + 1)


def _in(name: str, own: list[Any]) -> bool:
    return any(name.startswith(f"{one.package}." if one.package else "") for one in own)


def _joined(prefix: str, name: str) -> str:
    return f"{prefix}.{name}" if prefix else name


def _camel(name: str) -> str:
    """The JSON name that protoc gives a field: `order_id` is `orderId`."""
    first, *rest = name.split("_")
    return first + "".join(part[:1].upper() + part[1:] for part in rest)
