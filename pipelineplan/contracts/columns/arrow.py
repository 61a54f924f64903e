"""Schemas of Arrow and Parquet files, and Arrow types for columns (extra `data`, pyarrow)."""

from __future__ import annotations

import itertools
from pathlib import Path
from typing import Any

from pipelineplan.contracts.columns.types import Column, ColumnSchema, ColumnType
from pipelineplan.errors import InputError, MissingExtraError, Position, Problem

_FIELD_ID = b"PARQUET:field_id"
MOST_DEPTH = 100


def pyarrow() -> Any:
    """The library; raises `MissingExtraError` without it."""
    try:
        import pyarrow as pa
        import pyarrow.ipc
        import pyarrow.parquet
    except ImportError:
        raise MissingExtraError("reading Arrow and Parquet files", "data") from None
    return pa


def read_arrow(file: Path) -> ColumnSchema:
    """The schema of a `.parquet`, `.arrow`, `.feather` or `.ipc` file; its data are not read.

    Raises `InputError` for what is no such file, or has two columns of one name.
    """
    library = pyarrow()
    place = Position(file.as_posix())
    try:
        found = _schema(file, library)
        columns = tuple(_column(one, "$", 0) for one in found)
    except Exception as error:  # noqa: BLE001  (the library raises what its parsers raise)
        said = " ".join((str(error) or type(error).__name__).split())[:200]
        raise InputError([Problem(f"cannot be read: {said}", place)]) from None
    twice = [name for name, group in itertools.groupby(sorted(found.names)) if len(list(group)) > 1]
    if twice:
        raise InputError([Problem(f"the column {twice[0][:60]!r} is here twice", place)])
    return ColumnSchema(file.as_posix(), columns, source=found)


def _schema(file: Path, library: Any) -> Any:
    if file.suffix.lower() == ".parquet":
        return library.parquet.read_schema(file)
    with library.memory_map(file.as_posix()) as source:
        try:
            return library.ipc.open_file(source).schema
        except library.ArrowInvalid:
            source.seek(0)
            return library.ipc.open_stream(source).schema


def _column(field: Any, path: str, depth: int) -> Column:
    written = (field.metadata or {}).get(_FIELD_ID, b"")
    at = f"{path}.{field.name}"
    own = type_of(field.type, at, depth)
    return Column(field.name, own, at, field.nullable, int(written) if written.isdigit() else None)


def type_of(arrow: Any, path: str = "$", depth: int = 0) -> ColumnType:  # noqa: C901, PLR0911, PLR0912  (one arm per type)
    """The column type of an Arrow type; raises `ValueError` where it is nested too deep."""
    from pyarrow import types

    if depth > MOST_DEPTH:
        raise ValueError(f"nested deeper than {MOST_DEPTH} levels")
    if types.is_dictionary(arrow):
        return type_of(arrow.value_type, path, depth + 1)
    if types.is_integer(arrow):
        return ColumnType("int" if types.is_signed_integer(arrow) else "uint", bits=arrow.bit_width)
    if types.is_floating(arrow):
        return ColumnType("float", bits=arrow.bit_width)
    if types.is_decimal(arrow):
        return ColumnType("decimal", precision=arrow.precision, scale=arrow.scale)
    if types.is_timestamp(arrow):
        return ColumnType("timestamp", unit=arrow.unit, zone="UTC" if arrow.tz else "")
    if types.is_time(arrow) or types.is_duration(arrow):
        return ColumnType("duration" if types.is_duration(arrow) else "time", unit=arrow.unit)
    if types.is_fixed_size_binary(arrow):
        return ColumnType("fixed", size=arrow.byte_width)
    if types.is_struct(arrow):
        inner = [arrow.field(i) for i in range(arrow.num_fields)]
        return ColumnType("struct", inner=tuple(_column(one, path, depth + 1) for one in inner))
    if types.is_map(arrow):
        parts = (_part("key", arrow.key_field, path, depth), _part("value", arrow.item_field, path, depth))
        return ColumnType("map", inner=parts)
    if types.is_list(arrow) or types.is_large_list(arrow):
        return ColumnType("list", inner=(_part("element", arrow.value_field, path, depth),))
    for kind, test in _plain(types).items():
        if any(one(arrow) for one in test):
            return ColumnType(kind)
    return ColumnType("other", text=str(arrow)[:60])


def _plain(types: Any) -> dict[str, tuple[Any, ...]]:
    return {
        "null": (types.is_null,),
        "bool": (types.is_boolean,),
        "date": (types.is_date,),
        "string": (types.is_string, types.is_large_string, types.is_string_view),
        "binary": (types.is_binary, types.is_large_binary, types.is_binary_view),
    }


def _part(name: str, field: Any, path: str, depth: int) -> Column:
    return Column(name, type_of(field.type, f"{path}.{name}", depth + 1), f"{path}.{name}", field.nullable)


def arrow_of(columns: tuple[Column, ...]) -> Any:
    """The Arrow schema of `columns`."""
    library = pyarrow()
    return library.schema([_field(one, library) for one in columns])


def _field(one: Column, library: Any) -> Any:
    return library.field(one.name, _arrow(one.type, library), one.nullable)


def _arrow(of: ColumnType, library: Any) -> Any:  # noqa: PLR0911  (one return per kind)
    match of.kind:
        case "int" | "uint" | "float":
            return getattr(library, f"{of.kind}{of.bits}")()
        case "decimal":
            return library.decimal128(of.precision, of.scale)
        case "timestamp":
            return library.timestamp(of.unit, of.zone or None)
        case "time":
            return library.time32(of.unit) if of.unit in {"s", "ms"} else library.time64(of.unit)
        case "duration":
            return library.duration(of.unit)
        case "fixed" | "uuid":
            return library.binary(of.size or 16)
        case "struct":
            return library.struct([_field(one, library) for one in of.inner])
        case "list":
            return library.list_(_field(of.inner[0], library))
        case "map":
            return library.map_(*(_field(one, library) for one in of.inner))
    names = {"bool": "bool_", "date": "date32", "null": "null", "string": "string", "binary": "binary"}
    return getattr(library, names[of.kind])()
