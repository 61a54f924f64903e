"""Records near a schema: values with its words and numbers in them, most of them valid.

{"properties": {"n": {"maximum": 9}}, "required": ["n"]}  ->  {"n": 9}, {"n": 10}, {}, {"n": "", "x": 0}, ...
"""

from __future__ import annotations

import random
from collections.abc import Iterator
from typing import Any

_ANY: tuple[Any, ...] = (None, True, False, 0, 1, -1, 0.5, "", "a", [], {}, [0], {"x": 0})


def records_of(writer: Any, reader: Any, source: random.Random, count: int) -> Iterator[Any]:
    """`count` values drawn from what `writer` and `reader` mention, and a few other ones."""
    atoms, keys = list(_ANY), ["x"]
    for schema in (writer, reader):
        _collect(schema, atoms, keys, 0)
    for _ in range(count):
        yield _like(writer, writer, source, (atoms, sorted(set(keys))), 0)


def _collect(schema: Any, atoms: list[Any], keys: list[str], depth: int) -> None:
    if depth > 30 or len(atoms) > 500:
        return
    if isinstance(schema, list):
        for one in schema:
            _collect(one, atoms, keys, depth + 1)
        return
    if not isinstance(schema, dict):
        return
    for word, value in schema.items():
        if isinstance(value, int | float) and not isinstance(value, bool):
            atoms += [value, value - 1, value + 1, "a" * min(max(int(value), 0), 50)]
        elif word == "enum" and isinstance(value, list):
            atoms += value
        elif word == "const":
            atoms.append(value)
        elif word == "properties" and isinstance(value, dict):
            keys += value
        _collect(value, atoms, keys, depth + 1)


Stock = tuple[list[Any], list[str]]


def _like(  # noqa: PLR0911  (one return per keyword)
    schema: Any, whole: Any, source: random.Random, stock: Stock, depth: int
) -> Any:
    """A value that `schema` suggests, or now and then another one."""
    if not isinstance(schema, dict) or depth > 5 or source.random() < 0.1:
        return source.choice(stock[0])
    for word in ("anyOf", "oneOf", "allOf"):
        if isinstance(schema.get(word), list) and schema[word] and source.random() < 0.7:
            return _like(source.choice(schema[word]), whole, source, stock, depth + 1)
    if isinstance(schema.get("enum"), list) and schema["enum"]:
        return source.choice(schema["enum"])
    if "const" in schema:
        return schema["const"]
    kinds = schema.get("type", [])
    kind = source.choice(kinds) if isinstance(kinds, list) and kinds else kinds
    if kind == "object" or "properties" in schema:
        return _object_like(schema, whole, source, stock, depth)
    if kind == "array" or "items" in schema:
        items = schema.get("items")
        return [_like(items, whole, source, stock, depth + 1) for _ in range(source.randrange(4))]
    return source.choice(_of_kind(kind, stock[0]))


def _object_like(schema: Any, whole: Any, source: random.Random, stock: Stock, depth: int) -> dict[str, Any]:
    declared = schema.get("properties", {})
    wanted = [name for name in schema.get("required", []) if source.random() < 0.95]
    more = [name for name in declared if source.random() < 0.5]
    other = [source.choice(stock[1])] if source.random() < 0.3 else []
    names = dict.fromkeys([*wanted, *more, *other])
    return {name: _like(declared.get(name), whole, source, stock, depth + 1) for name in names}


def _of_kind(kind: Any, atoms: list[Any]) -> list[Any]:
    kinds: dict[Any, Any] = {"string": str, "integer": int, "number": (int, float), "boolean": bool}
    if not isinstance(kind, str):
        return atoms
    if kind == "null":
        return [None]
    fitting = [one for one in atoms if kind in kinds and isinstance(one, kinds[kind])]
    return fitting or atoms
