"""Whether a column of DuckDB has the logical type that a contract gives it.

    number      INTEGER, DECIMAL(12,2), DOUBLE ...      any of them
    timestamp   TIMESTAMP, TIMESTAMP WITH TIME ZONE ...

Read from the data's own schema: Great Expectations' expectations on types compare names of
types that depend on its engine, and none works on DuckDB.
"""

from __future__ import annotations

from collections.abc import Mapping

_INTEGERS = (
    "TINYINT",
    "SMALLINT",
    "INTEGER",
    "BIGINT",
    "HUGEINT",
    "UTINYINT",
    "USMALLINT",
    "UINTEGER",
    "UBIGINT",
    "UHUGEINT",
)
_STARTS: Mapping[str, tuple[str, ...]] = {
    "string": ("VARCHAR", "UUID", "ENUM"),
    "integer": _INTEGERS,
    "number": (*_INTEGERS, "DECIMAL", "FLOAT", "DOUBLE", "BIGNUM", "VARINT"),
    "boolean": ("BOOLEAN",),
    "date": ("DATE",),
    "timestamp": ("TIMESTAMP",),
    "time": ("TIME",),
    "object": ("STRUCT", "MAP", "JSON"),
    "array": (),
}


def has_type(duckdb_type: str, logical_type: str) -> bool:
    """Whether `duckdb_type`, as DESCRIBE writes it, is a `logical_type`; an empty one takes any."""
    if not logical_type:
        return True
    if duckdb_type.endswith("]"):
        return logical_type == "array"
    name = duckdb_type.partition("(")[0].strip()
    if logical_type == "time":
        return name in {"TIME", "TIME WITH TIME ZONE", "TIME_NS"}
    if logical_type == "timestamp":
        return name.startswith("TIMESTAMP")
    return name in _STARTS.get(logical_type, ())
