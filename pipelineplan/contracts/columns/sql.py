"""A column type as SQL writes it: `DECIMAL(10,2)`, `varchar(50)`, `timestamp with time zone`.

Names are those of PostgreSQL, BigQuery, Snowflake, Spark and the standard; what only one of them has is
of kind `other`. Source: their reference pages on data types, 2025.
"""

from __future__ import annotations

import re

from pipelineplan.contracts.columns.types import ColumnType

_SHAPE = re.compile(
    r"\s*([A-Za-z][A-Za-z0-9_ ]{0,60})(?:\(\s*(\d{1,9})\s*(?:,\s*(\d{1,9})\s*)?\)\s*([A-Za-z ]{0,40}))?\Z"
)
_INTEGERS = {
    "tinyint": 8,
    "byteint": 8,
    "smallint": 16,
    "int2": 16,
    "short": 16,
    "int": 32,
    "integer": 32,
    "int4": 32,
    "int32": 32,
    "serial": 32,
    "bigint": 64,
    "int8": 64,
    "int64": 64,
    "long": 64,
    "bigserial": 64,
}
_FLOATS = {
    "real": 32,
    "float4": 32,
    "float32": 32,
    "double": 64,
    "double precision": 64,
    "float8": 64,
    "float64": 64,
    "float": 64,
}
_TEXTS = ("varchar", "character varying", "char", "character", "nvarchar", "string", "text", "citext")
_BYTES = ("bytea", "bytes", "blob", "binary", "varbinary")
_MOMENTS = {
    "timestamp": "",
    "timestamp without time zone": "",
    "datetime": "",
    "timestamp_ntz": "",
    "timestamptz": "UTC",
    "timestamp with time zone": "UTC",
    "timestamp_tz": "UTC",
    "timestamp_ltz": "UTC",
}


def sql_type(written: str) -> ColumnType:
    """The type that `written` names; of kind `other` when it is none of the usual ones."""
    other = ColumnType("other", text=" ".join(written.lower().split())[:60])
    found = _SHAPE.match(written) if len(written) < 200 else None
    if found is None:
        return other
    name = " ".join(f"{found[1]} {found[4] or ''}".lower().split())
    sizes = [int(one) for one in (found[2], found[3]) if one]
    return _named(name, sizes) or other


def _named(name: str, sizes: list[int]) -> ColumnType | None:  # noqa: PLR0911  (one return per kind)
    if name in _INTEGERS:
        return ColumnType("int", bits=_INTEGERS[name])
    if name in _FLOATS:
        return ColumnType("float", bits=_FLOATS[name])
    if name in {"decimal", "numeric", "number", "dec", "bignumeric", "bigdecimal"}:
        if not sizes:
            return None  # a database's own limits
        return ColumnType("decimal", precision=sizes[0], scale=sizes[1] if len(sizes) > 1 else 0)
    if name in _TEXTS:
        return ColumnType("string", size=sizes[0] if sizes else 0)
    if name in _BYTES:
        return ColumnType("binary")
    if name in _MOMENTS:
        digits = sizes[0] if sizes else 6
        unit = ("s", "ms", "us", "ns")[min((digits + 2) // 3, 3)]
        return ColumnType("timestamp", unit=unit, zone=_MOMENTS[name])
    plain = {"bool": "bool", "boolean": "bool", "date": "date", "uuid": "uuid"}
    if name in plain:
        return ColumnType(plain[name])
    return ColumnType("time", unit="us") if name in {"time", "time without time zone"} else None
