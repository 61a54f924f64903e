"""Records of a Protobuf message as plain values: the smallest one, and random ones.

A message is a mapping of field names, a list is a list, a map a list of {key, value}, an enum a number.
"""

from __future__ import annotations

import random
from dataclasses import dataclass
from typing import Any

from pipelineplan.contracts.evolution.shown import NoRecordError
from pipelineplan.contracts.protobuf.scalars import TELLING, range_of
from pipelineplan.contracts.protobuf.types import ProtoField, ProtoMessage

_MOST_DEPTH = 40


@dataclass
class _Budget:
    left: int = 20_000


def smallest(of: ProtoMessage) -> dict[str, Any]:
    """The record with the required fields alone.

    Raises `NoRecordError` where those never end, or are too many.
    """
    return _smallest(of, 0, _Budget())


def _smallest(of: ProtoMessage, depth: int, budget: _Budget) -> dict[str, Any]:
    budget.left -= 1
    if depth > _MOST_DEPTH or budget.left < 0:
        raise NoRecordError
    wanted = [one for one in of.fields.values() if one.label == "required" or (of.map_entry and one.message)]
    return {one.name: _telling(one, depth + 1, budget) for one in wanted}


def telling(of: ProtoField) -> Any:
    """One element of a field that leaves a trace on the wire, not its zero where there is another."""
    return _telling(of, 0, _Budget())


def _telling(of: ProtoField, depth: int, budget: _Budget) -> Any:
    if of.message is not None:
        return _smallest(of.message, depth, budget)
    if of.enum is not None:
        return max(of.enum.names, key=lambda number: (number != 0, -abs(number)), default=0)
    return TELLING[of.kind]


def random_record(of: ProtoMessage, source: random.Random, depth: int = 0) -> dict[str, Any]:
    """A random record of `of`: fields come and go, of a oneof at most one is set."""
    if depth > 5:
        return smallest(of)
    made: dict[str, Any] = {}
    taken: set[str] = set()
    for one in of.fields.values():
        wanted = one.label == "required" or (of.map_entry and one.message is not None)
        if not wanted and (one.oneof in taken or source.random() < 0.4):
            continue
        if one.oneof:
            taken.add(one.oneof)
        made[one.name] = _random_field(one, source, depth)
    return made


def _random_field(one: ProtoField, source: random.Random, depth: int) -> Any:
    if not one.repeated:
        return _random_value(one, source, depth)
    values = [_random_value(one, source, depth) for _ in range(source.randrange(3))]
    if one.is_map:  # an encoder writes each key once
        return list({repr(value.get("key")): value for value in values}.values())
    return values


def _random_value(one: ProtoField, source: random.Random, depth: int) -> Any:  # noqa: PLR0911  (one return per kind)
    if one.message is not None:
        return random_record(one.message, source, depth + 1)
    if one.enum is not None:
        return source.choice(sorted(one.enum.names))
    match one.kind:
        case "bool":
            return source.random() < 0.5
        case "float" | "double":
            return source.choice([0.0, -1.5, 2.0**20, source.randrange(1000) / 8])
        case "string":
            return source.choice(["", "a", "é", "long " * 5])
        case "bytes":
            return source.choice([b"", b"a", b"\xc3\xa9"])
    low, high = range_of(one.kind)
    return source.choice([0, 1, low, high, source.randrange(low, high + 1), source.randrange(100)])
