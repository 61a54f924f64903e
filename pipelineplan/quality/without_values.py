"""Columns that hold no value have no type of their own: they get the one that is declared.

    amount,coupon          coupon is a number by its contract, and to a reader of CSV it is text
    12.50,
    3.00,

In Parquet and JSON lines the type of such a column is NULL. A type that no value breaks is not broken.
"""

# ruff: noqa: S608 - names are quoted by `sql.identifier`

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING

from pipelineplan.quality.check import Suite
from pipelineplan.quality.sql import identifier

if TYPE_CHECKING:
    from duckdb import DuckDBPyConnection

_NULL = '"NULL"'
_TYPES: Mapping[str, str] = {
    "string": "VARCHAR",
    "integer": "BIGINT",
    "number": "DOUBLE",
    "boolean": "BOOLEAN",
    "date": "DATE",
    "timestamp": "TIMESTAMP",
    "time": "TIME",
    "object": "MAP(VARCHAR, VARCHAR)",
    "array": "VARCHAR[]",
}


def declared_types(suite: Suite) -> dict[str, str]:
    """DuckDB's type for each column of `suite` that has a logical type."""
    asked = (check.kwargs for check in suite.checks if check.how == "schema")
    return {str(each["column"]): _TYPES[str(each["logical_type"])] for each in asked if each["logical_type"]}


def types_without_values(
    connection: DuckDBPyConnection, source: str, columns: Mapping[str, str], suite: Suite, *, text: bool
) -> dict[str, str]:
    """The declared types of those of `columns` that hold no value; `text` says that the file has no types."""
    declared = {name.lower(): kind for name, kind in declared_types(suite).items()}
    doubtful = [
        name
        for name, kind in columns.items()
        if kind == _NULL or (text and kind == "VARCHAR" and declared.get(name.lower(), kind) != kind)
    ]
    if not doubtful:
        return {}
    counted = ", ".join(f"count({identifier(name)})" for name in doubtful)
    counts = connection.execute(f"SELECT {counted} FROM {source}").fetchone() or ()
    return {
        name: declared.get(name.lower(), "VARCHAR")
        for name, count in zip(doubtful, counts, strict=True)
        if not count
    }
