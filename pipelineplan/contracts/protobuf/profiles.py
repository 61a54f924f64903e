"""The rules of others over our judgement: buf's WIRE and WIRE_JSON, and Confluent's registry.

    ours            theirs        the verdict under their profile
    misread         refuses       as ours
    misread         lets pass     policy profile-allows, with our reason
    read            refuses       policy profile-refuses, with their rule

So the profile decides, and what is really lost is still said.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace

from pipelineplan.contracts.evolution.change import POLICIES, Change, Compatibility
from pipelineplan.contracts.protobuf.buf_rules import wire_json_refusals, wire_refusals
from pipelineplan.contracts.protobuf.confluent_rules import confluent_refusals
from pipelineplan.contracts.protobuf.refusal import Refusal
from pipelineplan.contracts.protobuf.resolve import resolve
from pipelineplan.contracts.protobuf.types import ProtoSchema


def plain(reader: ProtoSchema, writer: ProtoSchema) -> list[Change]:
    """The changes as the bytes have it, nobody's rules laid over them."""
    return resolve(reader, writer)


def wire(reader: ProtoSchema, writer: ProtoSchema) -> list[Change]:
    """The changes as buf's category WIRE judges them."""
    return _overlaid(resolve(reader, writer), wire_refusals(reader, writer))


def wire_json(reader: ProtoSchema, writer: ProtoSchema) -> list[Change]:
    """The changes as buf's category WIRE_JSON judges them: binary records, and records as JSON."""
    return _overlaid(resolve(reader, writer), wire_json_refusals(reader, writer))


def confluent(reader: ProtoSchema, writer: ProtoSchema) -> list[Change]:
    """The changes as Confluent's Schema Registry judges them."""
    return _overlaid(resolve(reader, writer), confluent_refusals(reader, writer))


def _overlaid(ours: list[Change], theirs: Iterable[Refusal]) -> list[Change]:
    refusals = {one.path: one for one in theirs}
    made = []
    for change in ours:
        if _fails(change) and change.path in refusals:
            del refusals[change.path]
            made.append(change)
        elif _fails(change):
            made.append(_let_pass(change))
        else:
            made.append(change)
    return [*made, *(_refused(one) for one in refusals.values())]


def _fails(change: Change) -> bool:
    if change.verdict is Compatibility.POLICY:
        return not POLICIES[change.policy].allowed
    return True


def _let_pass(change: Change) -> Change:
    if change.verdict is Compatibility.UNKNOWN:
        return change
    return replace(change, verdict=Compatibility.POLICY, policy="profile-allows")


def _refused(one: Refusal) -> Change:
    return Change(one.change, one.path, one.reason, Compatibility.POLICY, "profile-refuses")
