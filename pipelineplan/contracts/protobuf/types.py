"""A Protobuf schema as messages, fields and enums that refer to each other.

    message Order { oneof to { string mail = 1; Address post = 2; } }
                                              |
      ProtoMessage Order  fields 1, 2         +-> ProtoMessage Address

Whether a field has presence, an enum is open, a message delimited is resolved from syntax and features.
Source: Protocol Buffers, "Language Guide (editions)" and "Feature Settings for Editions", Google, 2024.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any

# Where a number is reserved: first and last, both included.
Range = tuple[int, int]


@dataclass(eq=False)
class ProtoEnum:
    """An enum: the names of each number, and whether a reader keeps numbers that it does not know."""

    name: str
    path: str
    full_name: str
    names: Mapping[int, tuple[str, ...]]
    closed: bool = False
    first: int = 0
    reserved: tuple[Range, ...] = ()
    reserved_names: frozenset[str] = frozenset()


@dataclass(eq=False)
class ProtoField:
    """A field; its identity on the wire is `number`.

    `kind` is a scalar's name, `enum` or `message` (a group is a `delimited` message, a map a repeated
    message whose type is a `map_entry`). `label` is single, required or repeated; `presence` says of a
    single field whether absent and zero are told apart; `oneof` names a real oneof. `default` is what a
    reader sees where nothing was written.
    """

    name: str
    number: int
    path: str
    kind: str
    label: str = "single"
    presence: bool = False
    packed: bool = False
    delimited: bool = False
    checks_text: bool = True
    oneof: str = ""
    json_name: str = ""
    default: Any = None
    message: ProtoMessage | None = None
    enum: ProtoEnum | None = None

    @property
    def repeated(self) -> bool:
        """Whether the field is a list or a map."""
        return self.label == "repeated"

    @property
    def is_map(self) -> bool:
        """Whether the field was declared as a map."""
        return self.message is not None and self.message.map_entry

    @property
    def shown(self) -> str:
        """The type for a message."""
        named = self.message or self.enum
        text = f"{self.kind} {named.name}" if named else self.kind
        if self.is_map:
            return "map"
        return f"repeated {text}" if self.repeated else text


@dataclass(eq=False)
class ProtoMessage:
    """A message; `name` is relative to the package. Identity is identity of the object."""

    name: str
    path: str
    full_name: str
    fields: dict[int, ProtoField] = field(default_factory=dict)
    reserved: tuple[Range, ...] = ()
    reserved_names: frozenset[str] = frozenset()
    map_entry: bool = False
    message_set: bool = False

    @cached_property
    def names(self) -> frozenset[str]:
        """The names of all fields."""
        return frozenset(one.name for one in self.fields.values())


@dataclass(eq=False)
class ProtoSchema:
    """One version of a schema: the messages of its own files, by name relative to the package.

    `records` are those that may be a record of their own: declared at the top, and no other message has
    a field of them. `source` is the serialized FileDescriptorSet. `lives` says of a message's number
    which of its lives it is in, where older versions are known: a number that was given up and taken
    again begins a new one.
    """

    file: str
    package: str
    messages: Mapping[str, ProtoMessage]
    enums: Mapping[str, ProtoEnum]
    records: tuple[str, ...]
    source: bytes
    lives: dict[tuple[str, int], int] = field(default_factory=dict)


def inside(number: int, ranges: tuple[Range, ...]) -> bool:
    """Whether `number` is in one of `ranges`."""
    return any(first <= number <= last for first, last in ranges)
