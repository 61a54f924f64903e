"""Columns of files and tables: Arrow and Parquet by name, Iceberg by field id, and the columns of sinks."""

from pipelineplan.contracts.columns.by_id import resolve_by_id
from pipelineplan.contracts.columns.by_name import resolve_by_name
from pipelineplan.contracts.columns.iceberg import iceberg_of, read_iceberg
from pipelineplan.contracts.columns.types import Column, ColumnSchema, ColumnType

__all__ = [
    "Column",
    "ColumnSchema",
    "ColumnType",
    "iceberg_of",
    "read_iceberg",
    "resolve_by_id",
    "resolve_by_name",
]
