"""Iceberg: columns are matched by field id, so names may change, and types only as the format lets them.

    int -> long     float -> double     decimal(P,S) -> decimal(P',S), P' > P
    version 3: date -> timestamp, timestamp_ns; unknown -> anything

Source: Apache Iceberg, "Table Spec: Schema Evolution", Apache Software Foundation, 2025.
"""

from __future__ import annotations

from functools import partial

from pipelineplan.contracts.columns.finding import Finding, broken, minded, whole
from pipelineplan.contracts.columns.lattice import KEPT, Passage, passage, telling
from pipelineplan.contracts.columns.types import Column, ColumnSchema, ColumnType
from pipelineplan.contracts.columns.walk import Columns, Rules, changes_of
from pipelineplan.contracts.evolution.change import Change


def resolve_by_id(reader: ColumnSchema, writer: ColumnSchema) -> list[Change]:
    """Every change that keeps a table with the schema `reader` from reading files of `writer`."""
    convert = partial(_promoted, version=max(reader.version, writer.version))
    return changes_of(reader, writer, Rules(_by_id, convert, _missing))


def _by_id(reader: Columns, writer: Columns) -> list[tuple[Column, Column | None]]:
    written = {one.id: one for one in writer}
    return [(one, written.get(one.id)) for one in reader]


def _missing(new: Column, unread: Columns, writer: Columns) -> list[Finding]:
    """A column that files do not have takes its initial default, or NULL."""
    del writer
    if new.has_default:
        return []
    if not new.nullable:
        reason = f"{new.name} is required, not written, and has no initial default"
        return [broken("required-column-not-written", new.path, reason, None)]
    again = next((one for one in unread if one.name == new.name), None)
    if again is None:
        return []
    reason = f"{new.name} was field {again.id} and is field {new.id}: what was written reads as NULL"
    return [minded("silent-null", new.path, reason, {again.name: whole(again.type)})]


def _promoted(new: ColumnType, old: ColumnType, *, version: int) -> Passage:
    """What becomes of values; what only other engines would read is `recast`."""
    found = passage(new, old)
    if found.fate != "kept" or new == old or (new.kind == old.kind and new.nested):
        return found
    return KEPT if allowed_promotion(new, old, version) else Passage("recast", telling(old))


def allowed_promotion(new: ColumnType, old: ColumnType, version: int) -> bool:
    """Whether Iceberg, in this version of its format, lets a column go from `old` to `new`."""
    if new == old:
        return True
    match old.kind, new.kind:
        case ("int", "int") | ("float", "float"):
            return True
        case "decimal", "decimal":
            return new.scale == old.scale
        case ("date", "timestamp") | ("null", _):
            return version >= 3
    return False
