"""The schema of an Iceberg table, from its metadata JSON or a schema of its own.

    {"format-version": 2, "current-schema-id": 1, "schemas": [{"schema-id": 1, "fields": [...]}]}

Source: Apache Iceberg, "Table Spec: Appendix C, JSON serialization", Apache Software Foundation, 2025.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from pathlib import Path as File
from typing import Any

from pipelineplan.contracts.columns.types import Column, ColumnSchema, ColumnType
from pipelineplan.contracts.evolution.schemas import json_of
from pipelineplan.documents import Path, dotted
from pipelineplan.errors import InputError, Position, Problem

MOST_DEPTH = 100
_PLAIN = {
    "unknown": ColumnType("null"),
    "boolean": ColumnType("bool"),
    "int": ColumnType("int", bits=32),
    "long": ColumnType("int", bits=64),
    "float": ColumnType("float", bits=32),
    "double": ColumnType("float", bits=64),
    "date": ColumnType("date"),
    "time": ColumnType("time", unit="us"),
    "timestamp": ColumnType("timestamp", unit="us"),
    "timestamptz": ColumnType("timestamp", unit="us", zone="UTC"),
    "timestamp_ns": ColumnType("timestamp", unit="ns"),
    "timestamptz_ns": ColumnType("timestamp", unit="ns", zone="UTC"),
    "string": ColumnType("string"),
    "uuid": ColumnType("uuid"),
    "binary": ColumnType("binary"),
}
_DECIMAL = re.compile(r"decimal\(\s*(\d{1,2})\s*,\s*(\d{1,2})\s*\)\Z")
_FIXED = re.compile(r"fixed\[(\d{1,9})\]\Z")
_OTHER = re.compile(r"(variant|geometry|geography)\b")


def read_iceberg(file: File) -> ColumnSchema:
    """The current schema in the metadata JSON `file`; raises `InputError` with what is wrong."""
    return iceberg_of(json_of(file), file.as_posix())


def iceberg_of(data: Any, file: str = "schema") -> ColumnSchema:
    """The current schema that the parsed JSON `data` holds."""
    reader = _Reader(file)
    version = data.get("format-version", 0) if isinstance(data, dict) else 0
    found, path = _current(data, reader)
    columns = reader.columns(found, path, 0) if found is not None else ()
    if reader.problems:
        raise InputError(reader.problems[:20])
    return ColumnSchema(file, columns, version if isinstance(version, int) else 0)


def _current(data: Any, reader: _Reader) -> tuple[Any, Path]:
    match data:
        case {"fields": list(fields)}:
            return fields, ("fields",)
        case {"schemas": list(schemas)}:
            wanted = data.get("current-schema-id")
            for i, one in enumerate(schemas):
                if isinstance(one, dict) and one.get("schema-id") == wanted:
                    return one.get("fields"), ("schemas", i, "fields")
            reader.complain(("schemas",), f"no schema has the current-schema-id {str(wanted)[:40]}")
        case {"schema": {"fields": list(fields)}}:
            return fields, ("schema", "fields")
        case _:
            reader.complain(
                (), "found no table metadata, wanted 'schemas' with 'current-schema-id', or 'fields'"
            )
    return None, ()


@dataclass
class _Reader:
    file: str
    ids: set[int] = field(default_factory=set)
    problems: list[Problem] = field(default_factory=list)

    def complain(self, path: Path, message: str) -> ColumnType:
        self.problems.append(Problem(message, Position(self.file), dotted(path)))
        return ColumnType("null")

    def columns(self, data: Any, path: Path, depth: int) -> tuple[Column, ...]:
        if not isinstance(data, list):
            self.complain(path, "found no list of fields")
            return ()
        made = [self._column(one, (*path, i), depth) for i, one in enumerate(data)]
        names = [one.name for one in made]
        if len(set(names)) < len(names) and not self.problems:
            twice = next(name for i, name in enumerate(names) if name in names[:i])
            self.complain(path, f"the field {twice!r} is here twice")
        return tuple(made)

    def _column(self, data: Any, path: Path, depth: int) -> Column:
        if not isinstance(data, dict) or not isinstance(data.get("name"), str):
            return Column("?", self.complain(path, "found no field, wanted a mapping with 'name'"), "")
        own = self.type_of(data.get("type"), (*path, "type"), depth + 1)
        has = data.get("initial-default") is not None
        return Column(
            name=data["name"],
            type=own,
            path=dotted(path),
            nullable=data.get("required") is not True,
            id=self._id(data.get("id"), path),
            has_default=has,
            default=data.get("initial-default"),
        )

    def _id(self, value: Any, path: Path) -> int | None:
        if not isinstance(value, int) or isinstance(value, bool):
            self.complain(path, "a field wants an 'id', a whole number")
            return None
        if value in self.ids:
            self.complain(path, f"the id {value} is here twice")
        self.ids.add(value)
        return value

    def type_of(self, data: Any, path: Path, depth: int) -> ColumnType:
        if depth > MOST_DEPTH:
            return self.complain(path, f"nested deeper than {MOST_DEPTH} levels")
        match data:
            case str():
                return self._plain(data, path)
            case {"type": "struct"}:
                return ColumnType(
                    "struct", inner=self.columns(data.get("fields"), (*path, "fields"), depth + 1)
                )
            case {"type": "list"}:
                return ColumnType("list", inner=(self._part(data, "element", path, depth),))
            case {"type": "map"}:
                parts = (self._part(data, "key", path, depth), self._part(data, "value", path, depth))
                return ColumnType("map", inner=parts)
        return self.complain(path, "found no type, wanted a name, or a struct, list or map")

    def _part(self, data: dict[str, Any], part: str, path: Path, depth: int) -> Column:
        """The element of a list, the key or value of a map."""
        own = self.type_of(data.get(part), (*path, part), depth + 1)
        required = part == "key" or data.get(f"{part}-required") is True
        return Column(part, own, dotted((*path, part)), not required, self._id(data.get(f"{part}-id"), path))

    def _plain(self, name: str, path: Path) -> ColumnType:
        if name in _PLAIN:
            return _PLAIN[name]
        if found := _DECIMAL.match(name):
            precision, scale = int(found[1]), int(found[2])
            if not 1 <= precision <= 38 or scale > precision:
                return self.complain(
                    path, f"found {name!r}, wanted a precision of 1 to 38 and a scale within it"
                )
            return ColumnType("decimal", precision=precision, scale=scale)
        if found := _FIXED.match(name):
            return ColumnType("fixed", size=int(found[1]))
        if _OTHER.match(name):
            return ColumnType("other", text=name[:60])
        return self.complain(path, f"found the type {name[:60]!r}, wanted one of Iceberg's")
