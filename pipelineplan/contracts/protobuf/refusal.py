"""What a rule of somebody else refuses, and the walk over everything of two schemas that such rules share."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from pipelineplan.contracts.protobuf.types import ProtoEnum, ProtoField, ProtoMessage, ProtoSchema


@dataclass(frozen=True)
class Refusal:
    """One breach: the rule in our spelling, the place, the reason."""

    change: str
    path: str
    reason: str


def all_messages(schema: ProtoSchema) -> dict[str, ProtoMessage]:
    """Every message of the schema and everything its fields lead to, by full name."""
    found: dict[str, ProtoMessage] = {}
    waiting = list(schema.messages.values())
    while waiting:
        one = waiting.pop()
        if one.full_name not in found:
            found[one.full_name] = one
            waiting += [each.message for each in one.fields.values() if each.message is not None]
    return found


def all_enums(schema: ProtoSchema) -> dict[str, ProtoEnum]:
    """Every enum of the schema and of its fields, by full name."""
    found = {one.full_name: one for one in schema.enums.values()}
    for message in all_messages(schema).values():
        found |= {each.enum.full_name: each.enum for each in message.fields.values() if each.enum is not None}
    return found


def message_pairs(reader: ProtoSchema, writer: ProtoSchema) -> Iterator[tuple[ProtoMessage, ProtoMessage]]:
    """The messages of both schemas that have the same full name, the reader's first."""
    old = all_messages(writer)
    yield from ((one, old[name]) for name, one in all_messages(reader).items() if name in old)


def field_pairs(reader: ProtoMessage, writer: ProtoMessage) -> Iterator[tuple[ProtoField, ProtoField]]:
    """The fields of both messages that have the same number, the reader's first."""
    yield from (
        (new, writer.fields[number]) for number, new in reader.fields.items() if number in writer.fields
    )
