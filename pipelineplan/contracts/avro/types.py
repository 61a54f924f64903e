"""An Avro schema as types that refer to each other, names resolved.

    {"type": "record", "name": "shop.Order", "fields": [{"name": "next", "type": ["null", "Order"]}]}
                                                                                            |
      record shop.Order  <------------------------------------------------------------------+

Source: Apache Avro 1.12 Specification, Apache Software Foundation, 2024: "Schema Declaration", "Names".
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from pipelineplan.documents import Path, dotted
from pipelineplan.errors import InputError, Position, Problem

PRIMITIVES = ("null", "boolean", "int", "long", "float", "double", "bytes", "string")
MOST_DEPTH = 100
_NAME = re.compile(r"[A-Za-z_][A-Za-z0-9_]*(\.[A-Za-z_][A-Za-z0-9_]*)*\Z")


@dataclass(eq=False)
class AvroField:
    """A field of a record; `default` counts only where `has_default`."""

    name: str
    type: AvroType
    path: str
    aliases: tuple[str, ...] = ()
    has_default: bool = False
    default: Any = None


@dataclass(eq=False)
class AvroType:
    """One type; identity is identity of the object, so recursive schemas are cycles of these.

    `name` is the full name of a record, enum or fixed; `inner` the items of an array, the values of a
    map, the branches of a union. `logical` is the logical type's name, `options` what else it says,
    `source` on the outermost type the JSON that it was read from.
    """

    kind: str
    path: str
    name: str = ""
    aliases: tuple[str, ...] = ()
    fields: tuple[AvroField, ...] = ()
    symbols: tuple[str, ...] = ()
    default: Any = None
    size: int = 0
    inner: tuple[AvroType, ...] = ()
    logical: str = ""
    options: Mapping[str, Any] = field(default_factory=dict)
    source: Any = None

    @property
    def short_name(self) -> str:
        """The name without its namespace: what schema resolution compares."""
        return self.name.rpartition(".")[2]

    @property
    def shown(self) -> str:
        """The type for a message."""
        if self.logical:
            return f"{self.logical} ({self.kind})"
        return f"{self.kind} {self.name}" if self.name else self.kind


def avro_of(data: Any, file: str = "schema") -> AvroType:
    """The Avro type that the parsed JSON `data` declares; raises `InputError` with what is wrong."""
    reader = _Reader(file)
    found = reader.type_of(data, (), "", 0)
    if reader.problems:
        raise InputError(reader.problems)
    found.source = data
    return found


@dataclass
class _Reader:
    file: str
    named: dict[str, AvroType] = field(default_factory=dict)
    problems: list[Problem] = field(default_factory=list)

    def complain(self, path: Path, message: str) -> AvroType:
        self.problems.append(Problem(message, Position(self.file), dotted(path)))
        return AvroType("null", dotted(path))

    def type_of(self, data: Any, path: Path, space: str, depth: int) -> AvroType:
        if depth > MOST_DEPTH:
            return self.complain(path, f"nested deeper than {MOST_DEPTH} levels")
        match data:
            case str():
                return self._reference(data, path, space)
            case list():
                return self._union(data, path, space, depth)
            case {"type": dict() | list() as inner}:
                return self.type_of(inner, (*path, "type"), space, depth + 1)
            case {"type": str()}:
                return self._declared(data, path, space, depth)
        return self.complain(path, "found no type, wanted a name, a list, or a mapping with 'type'")

    def _reference(self, name: str, path: Path, space: str) -> AvroType:
        if name in PRIMITIVES:
            return AvroType(name, dotted(path))
        for full in (_full(name, space), name):
            if full in self.named:
                return self.named[full]
        return self.complain(path, f"found {name!r}, wanted a primitive type or one declared before")

    def _union(self, data: list[Any], path: Path, space: str, depth: int) -> AvroType:
        inner = tuple(self.type_of(one, (*path, i), space, depth + 1) for i, one in enumerate(data))
        labels = [one.name or one.kind for one in inner]
        if len(set(labels)) < len(labels) and not self.problems:
            self.complain(path, "a union has the same type twice")
        if any(one.kind == "union" for one in inner):
            self.complain(path, "a union may not hold a union immediately")
        return AvroType("union", dotted(path), inner=inner)

    def _declared(self, data: dict[str, Any], path: Path, space: str, depth: int) -> AvroType:
        kind = "record" if data["type"] == "error" else data["type"]
        logical = data.get("logicalType")
        made = AvroType(kind, dotted(path), logical=logical if isinstance(logical, str) else "", options=data)
        match kind:
            case "record" | "enum" | "fixed":
                self._named(made, data, path, space, depth)
            case "array" | "map":
                key = "items" if kind == "array" else "values"
                made.inner = (self.type_of(data.get(key), (*path, key), space, depth + 1),)
            case _ if kind not in PRIMITIVES:
                return self._reference(kind, path, space)
        return made

    def _named(self, made: AvroType, data: dict[str, Any], path: Path, space: str, depth: int) -> None:
        name = data.get("name")
        if not isinstance(name, str) or not _NAME.match(name):
            self.complain(path, f"found {str(name)[:60]!r}, wanted a name such as shop.Order")
            return
        given = data.get("namespace")
        made.name = _full(name, given if isinstance(given, str) else space)
        space = made.name.rpartition(".")[0]
        made.aliases = tuple(_full(alias, space) for alias in _texts(data.get("aliases")))
        if made.name in self.named:
            self.complain(path, f"{made.name!r} is declared twice")
        self.named[made.name] = made
        if made.kind == "record":
            made.fields = self._fields(data, path, space, depth)
        elif made.kind == "enum":
            self._enum(made, data, path)
        else:
            self._fixed(made, data, path)

    def _fields(self, data: dict[str, Any], path: Path, space: str, depth: int) -> tuple[AvroField, ...]:
        listed = data.get("fields")
        if not isinstance(listed, list):
            self.complain(path, "a record without a list of 'fields'")
            return ()
        made = [self._field(one, (*path, "fields", i), space, depth) for i, one in enumerate(listed)]
        names = [one.name for one in made]
        if len(set(names)) < len(names):
            twice = next(name for i, name in enumerate(names) if name in names[:i])
            self.complain((*path, "fields"), f"the field {twice!r} is here twice")
        return tuple(made)

    def _field(self, data: Any, path: Path, space: str, depth: int) -> AvroField:
        if not isinstance(data, dict) or not isinstance(data.get("name"), str):
            return AvroField("?", self.complain(path, "found no field, wanted a mapping with 'name'"), "")
        inner = self.type_of(data.get("type"), (*path, "type"), space, depth + 1)
        aliases = _texts(data.get("aliases"))
        return AvroField(data["name"], inner, dotted(path), aliases, "default" in data, data.get("default"))

    def _enum(self, made: AvroType, data: dict[str, Any], path: Path) -> None:
        made.symbols, made.default = _texts(data.get("symbols")), data.get("default")
        listed = data.get("symbols")
        if not isinstance(listed, list) or len(set(made.symbols)) != len(listed):
            self.complain(path, "an enum wants 'symbols', each of them once")
        if made.default is not None and made.default not in made.symbols:
            self.complain(path, f"the default {str(made.default)[:60]!r} is none of the symbols")

    def _fixed(self, made: AvroType, data: dict[str, Any], path: Path) -> None:
        size = data.get("size")
        if isinstance(size, bool) or not isinstance(size, int) or size < 0:
            self.complain(path, "a fixed type wants a 'size', a whole number of bytes")
        else:
            made.size = size


def _full(name: str, space: str) -> str:
    return name if "." in name or not space else f"{space}.{name}"


def _texts(value: Any) -> tuple[str, ...]:
    return tuple(one for one in value if isinstance(one, str)) if isinstance(value, list) else ()
