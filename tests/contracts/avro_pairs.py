"""Random pairs of Avro schemas: a writer, and a reader that somebody changed from it."""

from __future__ import annotations

import copy
import random
from typing import Any

PRIMITIVES = ("null", "boolean", "int", "long", "float", "double", "bytes", "string")


def schema(source: random.Random, depth: int, names: list[str]) -> Any:  # noqa: PLR0911
    kind = source.choice(["primitive"] * 4 + ["record", "enum", "fixed", "array", "map", "union"])
    if depth == 0 or kind == "primitive":
        return source.choice(PRIMITIVES)
    match kind:
        case "record":
            return record(source, depth, names)
        case "enum":
            return {"type": "enum", "name": name(names), "symbols": ["A", "B", "C"][: source.randrange(1, 4)]}
        case "fixed":
            return {"type": "fixed", "name": name(names), "size": source.choice([2, 4])}
        case "array":
            return {"type": "array", "items": schema(source, depth - 1, names)}
        case "map":
            return {"type": "map", "values": schema(source, depth - 1, names)}
    return source.sample(PRIMITIVES, source.randrange(1, 4))


def name(names: list[str]) -> str:
    names.append(f"N{len(names)}")
    return names[-1]


def record(source: random.Random, depth: int, names: list[str]) -> dict[str, Any]:
    own = name(names)
    fields = [
        {"name": f"f{i}", "type": schema(source, depth - 1, names)} for i in range(source.randrange(1, 4))
    ]
    return {"type": "record", "name": own, "fields": fields}


DEFAULTS: dict[str, Any] = {"int": 0, "long": 0, "string": "", "boolean": False, "double": 0.0, "float": 0.0}


def changed(schema_: Any, source: random.Random) -> Any:
    """A copy with one to three edits at random places."""
    made = copy.deepcopy(schema_)
    for _ in range(source.randrange(1, 4)):
        made = edited(made, source)
    return made


def edited(made: Any, source: random.Random) -> Any:  # noqa: PLR0911
    match made:
        case str():
            return source.choice([made, source.choice(PRIMITIVES), promoted(made, source)])
        case list():
            rest = [one for one in PRIMITIVES if one not in made]
            return source.choice([made[:-1] or made, [*made, source.choice(rest)], list(reversed(made))])
        case {"type": "record"}:
            return edited_record(made, source)
        case {"type": "enum"}:
            choice = source.randrange(3)
            if choice == 0:
                return {**made, "symbols": sorted({*made["symbols"], "Z"})}
            if choice == 1:
                return {**made, "symbols": made["symbols"][:1]}
            return {**made, "default": made["symbols"][0]}
        case {"type": "fixed"}:
            return {**made, "size": source.choice([2, 4])}
    key = "items" if made["type"] == "array" else "values"
    return {**made, key: edited(made[key], source)}


def edited_record(made: dict[str, Any], source: random.Random) -> dict[str, Any]:
    fields = [dict(one) for one in made["fields"]]
    at = source.randrange(len(fields))
    match source.randrange(6):
        case 0:
            fields[at]["type"] = edited(fields[at]["type"], source)
        case 1:
            fields.pop(at)
        case 2:
            kind = source.choice(list(DEFAULTS))
            fields.append({"name": f"new{len(fields)}", "type": kind, "default": DEFAULTS[kind]})
        case 3:
            fields.append({"name": f"bare{len(fields)}", "type": "int"})
        case 4:
            fields[at] = {**fields[at], "name": fields[at]["name"] + "x", "aliases": [fields[at]["name"]]}
        case _:
            fields[at]["type"] = edited(fields[at]["type"], source)
    distinct = {one["name"]: one for one in fields}
    return {**made, "fields": list(distinct.values())} if distinct else made


def promoted(kind: str, source: random.Random) -> str:
    return source.choice({"int": ["long", "double"], "string": ["bytes"]}.get(kind, [kind]))
