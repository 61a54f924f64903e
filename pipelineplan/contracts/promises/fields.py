"""One field of two contracts: its type, its column, whether it may be null or repeat, its values."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from typing import Any

from pipelineplan.contracts.columns.finding import FATES
from pipelineplan.contracts.columns.lattice import passage
from pipelineplan.contracts.columns.sql import sql_type
from pipelineplan.contracts.contract import Contract, Field
from pipelineplan.contracts.evolution.change import Change, Witness
from pipelineplan.contracts.promises.version import allowed_values

_NUMBERS = ("minimum", "maximum", "exclusiveMinimum", "exclusiveMaximum", "multipleOf")
_COUNTS = ("minLength", "maxLength", "minItems", "maxItems", "minProperties", "maxProperties")
_JSON_TYPES = {
    "string": "string",
    "integer": "integer",
    "number": "number",
    "boolean": "boolean",
    "array": "array",
    "object": "object",
}


def field_changes(wanted: Field, given: Field, reader: Contract, writer: Contract) -> Iterator[Change]:
    """In what `given` falls short of `wanted`, each of its own contract."""
    path = str(wanted.place)
    if wanted.column != given.column:
        reason = f"the column is called {given.column} where it is written, {wanted.column} where it is read"
        yield Change("column-renamed", path, reason)
    if wanted.required and not given.required:
        reason = f"{wanted.name} may be null where it is written, and never where it is read"
        yield Change("null-in-required", path, reason, witness=Witness({wanted.name: None}, "refused"))
    if wanted.unique and not (given.unique or given.primary_key):
        reason = f"{wanted.name} is counted on as unique; it takes two records to show that it is not"
        yield Change("uniqueness-lost", path, reason)
    yield from _types(wanted, given, path)
    if _widened(given.logical_type, wanted.logical_type):
        yield from _values(wanted, given, reader, writer)


def _widened(old: str, new: str) -> bool:
    """Whether every value of the logical type `old` is one of `new`, as far as both are said."""
    return not old or not new or old == new or (old, new) == ("integer", "number")


def _types(wanted: Field, given: Field, path: str) -> Iterator[Change]:
    new, old = wanted.logical_type, given.logical_type
    if not _widened(old, new):
        yield Change("type-mismatch", f"{path}.logicalType", f"{old} is promised, and {new} is read")
        return
    if not wanted.physical_type or not given.physical_type or wanted.physical_type == given.physical_type:
        return
    read, written = sql_type(wanted.physical_type), sql_type(given.physical_type)
    fate = passage(read, written)
    if fate.fate == "kept":
        return
    change, verdict, policy, reason = FATES[fate.fate]
    said = f"{given.physical_type} read as {wanted.physical_type}: {reason}"
    shown = Witness({wanted.name: fate.sample}, "refused or misread") if fate.sample is not None else None
    yield Change(change, f"{path}.physicalType", said, verdict, policy, witness=shown)


def _values(wanted: Field, given: Field, reader: Contract, writer: Contract) -> Iterator[Change]:
    """The values that are promised against those that are counted on."""
    pair = value_schemas(wanted, given, reader, writer)
    if pair is None or pair[0] == pair[1]:
        return
    from pipelineplan.contracts.json_schema import contain, read_schema

    documents = [read_schema(one) for one in pair]
    for change in contain(documents[0], documents[1]):
        witness = change.witness
        if witness is not None:
            witness = replace(witness, record={wanted.name: witness.record})
        yield replace(change, path=str(wanted.place), witness=witness)


def value_schemas(
    wanted: Field, given: Field, reader: Contract, writer: Contract
) -> tuple[dict[str, Any], dict[str, Any]] | None:
    """What both fields say of one value, as JSON Schemas; None where JSON has no such values."""
    kind = _JSON_TYPES.get(wanted.logical_type) if wanted.logical_type else None
    if kind is None:
        return None
    return _schema(wanted, reader), _schema(given, writer)


def _schema(field: Field, contract: Contract) -> dict[str, Any]:
    options = field.options
    made: dict[str, Any] = {"type": _JSON_TYPES.get(field.logical_type, "string")}
    made |= {key: options[key] for key in _NUMBERS if _is_number(options.get(key))}
    made |= {key: options[key] for key in _COUNTS if _is_count(options.get(key))}
    made |= {key: options[key] for key in ("pattern", "format") if isinstance(options.get(key), str)}
    if options.get("uniqueItems") is True:
        made["uniqueItems"] = True
    if (made.get("multipleOf") or 1) <= 0:
        del made["multipleOf"]
    allowed = allowed_values(contract, field)
    return made if allowed is None else made | {"enum": allowed}


def _is_number(value: Any) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool)


def _is_count(value: Any) -> bool:
    return isinstance(value, int) and not isinstance(value, bool) and value >= 0
