"""Random pairs of JSON Schemas: a writer's, and a reader's that somebody changed from it."""

from __future__ import annotations

import copy
import random
from typing import Any

KINDS = ("string", "integer", "number", "boolean", "null", "object", "array")
KEYS = ("a", "b", "c")


def schema(source: random.Random, depth: int) -> Any:
    roll = source.random()
    if depth == 0 or roll < 0.35:
        return leaf(source)
    if roll < 0.65:
        return object_schema(source, depth)
    if roll < 0.8:
        made: dict[str, Any] = {"type": "array", "items": schema(source, depth - 1)}
        return made | source.choice([{}, {"minItems": 1}, {"maxItems": 2}, {"uniqueItems": True}])
    word = source.choice(["anyOf", "oneOf", "allOf", "not"])
    if word == "not":
        return {"not": schema(source, depth - 1)}
    return {word: [schema(source, depth - 1) for _ in range(source.randrange(1, 3))]}


def leaf(source: random.Random) -> Any:
    n = source.randrange(4)
    return source.choice(
        [
            {"type": source.choice(KINDS)},
            {"type": source.sample(KINDS, 2)},
            {"type": "integer", "minimum": n},
            {"type": "number", "exclusiveMaximum": n},
            {"type": "number", "multipleOf": source.choice([1, 2, 0.5])},
            {"type": "string", "minLength": n},
            {"type": "string", "maxLength": n},
            {"type": "string", "pattern": source.choice(["^a", "^[a-c]+$", "b"])},
            {"enum": source.sample([0, 1, "a", "b", None, True], 3)},
            {"const": source.choice(["a", 1, None])},
            {},
            True,
        ]
    )


def object_schema(source: random.Random, depth: int) -> Any:
    names = source.sample(KEYS, source.randrange(1, 4))
    made: dict[str, Any] = {"type": "object", "properties": {n: schema(source, depth - 1) for n in names}}
    if source.random() < 0.5:
        made["required"] = source.sample(names, 1)
    if source.random() < 0.5:
        made["additionalProperties"] = source.choice([False, schema(source, 0)])
    if source.random() < 0.2:
        made[source.choice(["minProperties", "maxProperties"])] = source.randrange(3)
    if source.random() < 0.1:
        made["patternProperties"] = {"^x": schema(source, 0)}
    return made


def changed(made: Any, source: random.Random) -> Any:
    """A copy with an edit at a random place."""
    if not isinstance(made, dict) or not made or source.random() < 0.15:
        return schema(source, 1)
    made = copy.deepcopy(made)
    word = source.choice(sorted(made))
    match made[word]:
        case bool():
            made[word] = not made[word]
        case int() | float():
            made[word] += source.choice([1, 2])
        case dict() as inner if word in {"properties", "patternProperties"} and inner:
            name = source.choice(sorted(inner))
            inner[name] = changed(inner[name], source)
        case list() as inner if word in {"anyOf", "oneOf", "allOf"}:
            at = source.randrange(len(inner))
            inner[at] = changed(inner[at], source)
        case dict() as inner if word != "properties":
            made[word] = changed(inner, source)
        case _:
            del made[word]
    return made
