"""The columns that the records of a schema make in a table, whichever language the schema is in.

    Avro       {"name": "at", "type": ["null", {"type": "long", "logicalType": "timestamp-millis"}]}
    Protobuf   optional google.protobuf.Timestamp at = 3;
    contract   {name: at, logicalType: timestamp}           each: at  timestamp, may be null

What makes no plain column (a union of several types, a schema that holds itself) is of kind `other`.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from pipelineplan.contracts.columns.sql import sql_type
from pipelineplan.contracts.columns.types import Column, ColumnSchema, ColumnType

MOST_DEPTH = 20
_INT64, _TEXT = ColumnType("int", bits=64), ColumnType("string")
_DOUBLE, _BOOL = ColumnType("float", bits=64), ColumnType("bool")


def columns_of(form: str, schema: Any) -> ColumnSchema | None:
    """The columns of `schema`, read by the format named `form`; None where its records are no rows."""
    if isinstance(schema, ColumnSchema):
        return schema
    made = _OF_FORMAT[form.partition("-")[0]](schema)
    return None if made is None else ColumnSchema("schema", made)


def _avro_columns(schema: Any) -> tuple[Column, ...] | None:
    return _avro_fields(schema, 0) if schema.kind == "record" else None


def _avro_fields(record: Any, depth: int) -> tuple[Column, ...]:
    return tuple(Column(one.name, *_avro(one.type, depth, one.path)) for one in record.fields)


def _avro(of: Any, depth: int, path: str) -> tuple[ColumnType, str, bool]:
    """Type, path, and whether it may be null."""
    if of.kind == "union":
        branches = [one for one in of.inner if one.kind != "null"]
        own = _avro_type(branches[0], depth) if len(branches) == 1 else _other("union")
        return own, path, len(branches) < len(of.inner)
    return _avro_type(of, depth), path, of.kind == "null"


_AVRO_LOGICAL = {
    "date": ColumnType("date"),
    "time-millis": ColumnType("time", unit="ms"),
    "time-micros": ColumnType("time", unit="us"),
    "uuid": ColumnType("uuid"),
    **{
        f"{local}timestamp-{name}": ColumnType("timestamp", unit=unit, zone="" if local else "UTC")
        for local in ("", "local-")
        for name, unit in (("millis", "ms"), ("micros", "us"), ("nanos", "ns"))
    },
}
_AVRO_PLAIN = {
    "null": ColumnType("null"),
    "boolean": _BOOL,
    "int": ColumnType("int", bits=32),
    "long": _INT64,
    "float": ColumnType("float", bits=32),
    "double": _DOUBLE,
    "bytes": ColumnType("binary"),
    "string": _TEXT,
    "enum": _TEXT,
}


def _avro_type(of: Any, depth: int) -> ColumnType:  # noqa: PLR0911  (one return per kind)
    if depth > MOST_DEPTH:
        return _other("nested without end")
    if of.logical == "decimal":
        precision, scale = (of.options.get(key, 0) for key in ("precision", "scale"))
        if isinstance(precision, int) and isinstance(scale, int):
            return ColumnType("decimal", precision=precision, scale=scale)
    if of.logical in _AVRO_LOGICAL:
        return _AVRO_LOGICAL[of.logical]
    match of.kind:
        case "record":
            return ColumnType("struct", inner=_avro_fields(of, depth + 1))
        case "array":
            return ColumnType("list", inner=(Column("element", *_avro(of.inner[0], depth + 1, of.path)),))
        case "map":
            key = Column("key", _TEXT, of.path, nullable=False)
            return ColumnType("map", inner=(key, Column("value", *_avro(of.inner[0], depth + 1, of.path))))
        case "fixed":
            return ColumnType("fixed", size=of.size)
    return _AVRO_PLAIN.get(of.kind) or _other(of.kind)


_PROTO = {
    **dict.fromkeys(("int32", "sint32", "sfixed32"), ColumnType("int", bits=32)),
    **dict.fromkeys(("int64", "sint64", "sfixed64"), _INT64),
    **dict.fromkeys(("uint32", "fixed32"), ColumnType("uint", bits=32)),
    **dict.fromkeys(("uint64", "fixed64"), ColumnType("uint", bits=64)),
    "float": ColumnType("float", bits=32),
    "double": _DOUBLE,
    "bool": _BOOL,
    "string": _TEXT,
    "enum": _TEXT,
    "bytes": ColumnType("binary"),
}
_PROTO_KNOWN = {
    "google.protobuf.Timestamp": ColumnType("timestamp", unit="us", zone="UTC"),
    "google.protobuf.StringValue": _TEXT,
    "google.protobuf.Int64Value": _INT64,
    "google.protobuf.Int32Value": ColumnType("int", bits=32),
    "google.protobuf.DoubleValue": _DOUBLE,
    "google.protobuf.BoolValue": _BOOL,
}


def _proto_columns(schema: Any) -> tuple[Column, ...] | None:
    return _proto_fields(schema.messages[schema.records[0]], 0) if len(schema.records) == 1 else None


def _proto_fields(message: Any, depth: int) -> tuple[Column, ...]:
    return tuple(_proto_field(one, depth) for one in message.fields.values())


def _proto_field(one: Any, depth: int) -> Column:
    own = _proto_type(one, depth)
    if one.repeated and not one.is_map:
        own = ColumnType("list", inner=(Column("element", own, one.path, nullable=False),))
    return Column(one.name, own, one.path, one.presence and one.label != "required")


def _proto_type(one: Any, depth: int) -> ColumnType:
    if one.message is None:
        return _PROTO[one.kind]
    if one.message.full_name in _PROTO_KNOWN:
        return _PROTO_KNOWN[one.message.full_name]
    if depth > MOST_DEPTH:
        return _other("nested without end")
    inner = _proto_fields(one.message, depth + 1)
    return ColumnType("map" if one.is_map else "struct", inner=inner)


def _json_columns(schema: Any) -> tuple[Column, ...] | None:
    data = schema.data
    return (
        _json_fields(data, "$", 0)
        if isinstance(data, dict) and isinstance(data.get("properties"), dict)
        else None
    )


def _json_fields(data: Any, path: str, depth: int) -> tuple[Column, ...]:
    wanted = data.get("required") if isinstance(data.get("required"), list) else []
    return tuple(
        Column(name, own, f"{path}.{name}", nullable or name not in wanted)
        for name, one in data["properties"].items()
        for own, nullable in [_json_type(one, f"{path}.{name}", depth + 1)]
    )


def _json_type(data: Any, path: str, depth: int) -> tuple[ColumnType, bool]:  # noqa: PLR0911  (one return per type)
    kinds = data.get("type") if isinstance(data, dict) else None
    named = [one for one in (kinds if isinstance(kinds, list) else [kinds]) if one != "null"]
    nullable = isinstance(kinds, list) and "null" in kinds
    if len(named) != 1 or depth > MOST_DEPTH:
        return _other("any"), nullable
    match named[0]:
        case "integer":
            return _INT64, nullable
        case "number":
            return _DOUBLE, nullable
        case "boolean":
            return _BOOL, nullable
        case "string":
            moments = {
                "date": ColumnType("date"),
                "date-time": ColumnType("timestamp", unit="us", zone="UTC"),
            }
            most = data.get("maxLength")
            text = ColumnType("string", size=most if isinstance(most, int) else 0)
            return moments.get(str(data.get("format")), text), nullable
        case "object" if isinstance(data.get("properties"), dict):
            return ColumnType("struct", inner=_json_fields(data, path, depth)), nullable
        case "array" if isinstance(data.get("items"), dict):
            own, inside = _json_type(data["items"], f"{path}[*]", depth + 1)
            return ColumnType("list", inner=(Column("element", own, f"{path}[*]", inside),)), nullable
    return _other(str(named[0])), nullable


_LOGICAL = {
    "string": _TEXT,
    "date": ColumnType("date"),
    "timestamp": ColumnType("timestamp", unit="us"),
    "time": ColumnType("time", unit="us"),
    "number": _DOUBLE,
    "integer": _INT64,
    "boolean": _BOOL,
}


def _contract_columns(schema: Any) -> tuple[Column, ...] | None:
    """The columns of all datasets; of several datasets each under the name of its own."""
    contract = schema.contract
    several = len(contract.datasets) > 1
    return tuple(
        Column(
            f"{dataset.name}.{one.column}" if several else one.column,
            _field(one),
            str(one.place),
            not one.required,
        )
        for dataset in contract.datasets
        for one in dataset.fields
    )


def _field(one: Any) -> ColumnType:
    if one.fields and one.logical_type in {"object", "array"}:
        inner = tuple(
            Column(each.column, _field(each), str(each.place), not each.required) for each in one.fields
        )
        return ColumnType("struct" if one.logical_type == "object" else "list", inner=inner)
    written = sql_type(one.physical_type) if one.physical_type else None
    if written is not None and written.kind != "other":
        return written
    return _LOGICAL.get(one.logical_type) or _other(one.physical_type or one.logical_type or "any")


def _other(text: str) -> ColumnType:
    return ColumnType("other", text=text[:60])


_OF_FORMAT: Mapping[str, Callable[[Any], tuple[Column, ...] | None]] = {
    "avro": _avro_columns,
    "protobuf": _proto_columns,
    "json": _json_columns,
    "odcs": _contract_columns,
}
