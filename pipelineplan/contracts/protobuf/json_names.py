"""What a parser of Protobuf's JSON refuses, or takes for another field: records that go as JSON, by name.

    writer  2: note  ->  {"note": "x"}      reader without note: an unknown name, refused by default

A parser takes a field's JSON name and its own name.
Source: Protocol Buffers, "ProtoJSON Format", Google, 2024.
"""

from __future__ import annotations

from collections.abc import Iterator

from pipelineplan.contracts.evolution.change import Change, Witness
from pipelineplan.contracts.evolution.shown import NoRecordError
from pipelineplan.contracts.protobuf.refusal import message_pairs
from pipelineplan.contracts.protobuf.sample import smallest, telling
from pipelineplan.contracts.protobuf.types import ProtoField, ProtoMessage, ProtoSchema


def json_name_changes(reader: ProtoSchema, writer: ProtoSchema) -> list[Change]:
    """Every name that the writer writes in JSON and the reader does not know, or knows at another number."""
    found = [one for new, old in message_pairs(reader, writer) for one in _names(new, old)]
    return list({(one.change, one.path): one for one in found}.values())


def _names(new: ProtoMessage, old: ProtoMessage) -> Iterator[Change]:
    known = {name: one.number for one in new.fields.values() for name in (one.name, one.json_name)}
    for number, one in old.fields.items():
        place = new.fields.get(number, one).path
        if one.json_name not in known:
            reason = (
                f"in JSON {one.json_name!r} is a name that the reader does not know, and refuses by default"
            )
            yield Change("json-name-unknown", place, reason, witness=_witness(old, one))
        elif known[one.json_name] != number:
            reason = (
                f"in JSON {one.json_name!r} is the number {number} to the writer, {known[one.json_name]} here"
            )
            yield Change("json-name-moved", place, reason, witness=_witness(old, one))


def _witness(of: ProtoMessage, one: ProtoField) -> Witness | None:
    try:
        value = [telling(one)] if one.repeated else telling(one)
        return Witness({of.name: smallest(of) | {one.name: value}}, "refused or misread as JSON")
    except NoRecordError:
        return None
