"""Records of an Avro type: the smallest one, and random ones, as fastavro takes them.

A branch of a union is a pair of its name and the value, so that no encoder has to guess.
"""

from __future__ import annotations

import random
from dataclasses import dataclass
from typing import Any

from pipelineplan.contracts.avro.types import AvroType
from pipelineplan.contracts.evolution.shown import NoRecordError

_SMALLEST: dict[str, Any] = {
    "null": None,
    "boolean": False,
    "int": 0,
    "long": 0,
    "float": 0.0,
    "double": 0.0,
    "bytes": b"",
    "string": "",
}
_MOST_DEPTH = 40


def smallest(of: AvroType) -> Any:
    """A small record of `of`; raises `NoRecordError` where the type never ends or is too large."""
    return _smallest(of, 0, _Budget())


@dataclass
class _Budget:
    left: int = 50_000


def _smallest(of: AvroType, depth: int, budget: _Budget) -> Any:  # noqa: PLR0911  (one return per kind of type)
    budget.left -= 1
    if depth > _MOST_DEPTH or budget.left < 0:
        raise NoRecordError
    match of.kind:
        case "array":
            return []
        case "map":
            return {}
        case "fixed":
            return b"\0" * of.size
        case "enum":
            if not of.symbols:
                raise NoRecordError
            return of.symbols[0]
        case "record":
            return {one.name: _smallest(one.type, depth + 1, budget) for one in of.fields}
        case "union":
            return _smallest_branch(of, depth, budget)
    return _SMALLEST[of.kind]


def _smallest_branch(of: AvroType, depth: int, budget: _Budget) -> Any:
    """The first branch that ends, plain types before those that may lead back here."""
    for branch in sorted(of.inner, key=lambda one: one.kind in {"record", "union"}):
        try:
            return tagged(branch, _smallest(branch, depth + 1, budget))
        except NoRecordError:
            continue
    raise NoRecordError


def tagged(branch: AvroType, value: Any) -> Any:
    """`value` as the branch `branch` of a union; null needs no name."""
    return None if branch.kind == "null" else (branch.name or branch.kind, value)


def random_record(of: AvroType, source: random.Random, depth: int = 0) -> Any:  # noqa: PLR0911  (one return per kind of type)
    """A random record of `of`, its edges often: limits of integers, empty and short lists."""
    if depth > 6:
        return smallest(of)
    match of.kind:
        case "array":
            return [random_record(of.inner[0], source, depth + 1) for _ in range(source.randrange(3))]
        case "map":
            return {
                f"k{i}": random_record(of.inner[0], source, depth + 1) for i in range(source.randrange(3))
            }
        case "record":
            return {one.name: random_record(one.type, source, depth + 1) for one in of.fields}
        case "union":
            branch = source.choice(of.inner)
            return tagged(branch, random_record(branch, source, depth + 1))
        case "enum":
            return source.choice(of.symbols)
        case "fixed":
            return source.randbytes(of.size)
    return _random_primitive(of.kind, source)


def _random_primitive(kind: str, source: random.Random) -> Any:  # noqa: PLR0911  (one return per kind of type)
    match kind:
        case "boolean":
            return source.random() < 0.5
        case "int":
            return source.choice([0, -1, 1, 2**31 - 1, -(2**31), source.randrange(2**31)])
        case "long":
            return source.choice([0, -1, 2**53 + 1, 2**63 - 1, -(2**63), source.randrange(2**63)])
        case "float" | "double":
            return source.choice([0.0, -1.5, 2.0**20, source.randrange(1000) / 8])
        case "string":
            return source.choice(["", "a", "é", "long " * 5])
        case "bytes":
            return source.choice([b"", b"a", b"\xc3\xa9"])
    return None
