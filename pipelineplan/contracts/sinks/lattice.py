"""Whether a table made for an older schema takes the records of a newer one.

    int32 -> int64 in PostgreSQL     integer cannot hold it, and may become bigint    sink-alter
    int32 -> int64 in BigQuery       INT64 holds both                                 nothing to do
    decimal(10,2) -> (12,3)          in Iceberg nothing may change a scale            sink-column

For Parquet there is no table: old files stay as they are, and are read with the newer schema.
Source: PostgreSQL 17 "ALTER TABLE", BigQuery "ALTER COLUMN SET DATA TYPE", Apache Iceberg "Schema
Evolution"; reference pages of 2025.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace

from pipelineplan.contracts.columns.by_id import allowed_promotion
from pipelineplan.contracts.columns.by_name import resolve_by_name
from pipelineplan.contracts.columns.lattice import passage
from pipelineplan.contracts.columns.types import Column, ColumnSchema, ColumnType
from pipelineplan.contracts.evolution.change import Change, Compatibility, Witness


@dataclass(frozen=True)
class Sink:
    """A kind of table. `names` are what it calls kinds of types, `{}` standing for size or digits."""

    name: str
    integers: tuple[int, ...]
    names: Mapping[str, str]
    most_digits: int
    most_scale: int

    def stored(self, of: ColumnType) -> ColumnType | None:  # noqa: PLR0911  (one return per kind)
        """The type of the column that holds `of`, None where no column does; nested types stay."""
        match of.kind:
            case "int" | "uint":
                wanted = of.bits + (of.kind == "uint")
                bits = next((one for one in self.integers if one >= wanted), None)
                return ColumnType("int", bits=bits) if bits else ColumnType("decimal", precision=20)
            case "float":
                return ColumnType("float", bits=64 if self.name == "bigquery" or of.bits > 32 else 32)
            case "decimal":
                fits = of.scale <= self.most_scale and of.precision <= self.most_digits
                return of if fits else None
            case "timestamp" | "time" if of.unit == "ns":
                return of if self.name == "iceberg" and of.kind == "timestamp" else replace(of, unit="us")
            case "timestamp" | "time":
                return replace(of, unit="us")
            case "fixed" if self.name != "iceberg":
                return ColumnType("binary")
            case "null" | "other" | "duration":
                return None
        return of

    def shown(self, of: ColumnType) -> str:
        """The column's type as the sink writes it."""
        key = f"{of.kind}{of.bits or ''}" if of.kind in {"int", "float"} else of.kind
        key = f"{key} zoned" if of.kind == "timestamp" and of.zone else key
        key = f"{key} sized" if of.kind == "string" and of.size else key
        if (
            of.kind == "decimal"
            and self.name == "bigquery"
            and of.scale <= 9
            and of.precision - of.scale <= 29
        ):
            key = "small decimal"
        size = f"{of.precision},{of.scale}" if of.kind == "decimal" else str(of.size)
        return self.names.get(key, of.kind).replace("{}", size)

    def becomes(self, old: ColumnType, new: ColumnType) -> bool:
        """Whether a column may be altered in place from `old` to `new` and keep its values."""
        if self.name == "iceberg":
            return allowed_promotion(new, old, 2) and passage(new, old).fate == "kept"
        if self.name == "bigquery":
            if _bytes_for_text(old, new):
                return False
            coerced = (old.kind, new.kind) in {("int", "decimal"), ("int", "float"), ("decimal", "float")}
            fate = passage(new, old).fate
            return (coerced and fate in {"kept", "lossy"}) or (old.kind == new.kind and fate == "kept")
        as_text = passage(new, old).fate == "recast" and new == ColumnType("string")
        return as_text or (passage(new, old).fate == "kept" and not _bytes_for_text(new, old))


_POSTGRESQL = {
    "int16": "smallint",
    "int32": "integer",
    "int64": "bigint",
    "float32": "real",
    "float64": "double precision",
    "decimal": "numeric({})",
    "string": "text",
    "string sized": "varchar({})",
    "binary": "bytea",
    "bool": "boolean",
    "timestamp": "timestamp",
    "timestamp zoned": "timestamptz",
    "list": "jsonb",
    "struct": "jsonb",
    "map": "jsonb",
}
_BIGQUERY = {
    "int64": "INT64",
    "float64": "FLOAT64",
    "decimal": "BIGNUMERIC({})",
    "small decimal": "NUMERIC({})",
    "string": "STRING",
    "string sized": "STRING({})",
    "binary": "BYTES",
    "bool": "BOOL",
    "date": "DATE",
    "time": "TIME",
    "timestamp": "DATETIME",
    "timestamp zoned": "TIMESTAMP",
    "list": "ARRAY",
    "struct": "STRUCT",
}
_ICEBERG = {
    "int32": "int",
    "int64": "long",
    "float32": "float",
    "float64": "double",
    "decimal": "decimal({})",
    "string sized": "string",
    "bool": "boolean",
    "timestamp zoned": "timestamptz",
    "fixed": "fixed[{}]",
}
_TABLES = {
    "postgresql": Sink("postgresql", (16, 32, 64), _POSTGRESQL, 1000, 1000),
    "bigquery": Sink("bigquery", (64,), _BIGQUERY, 76, 38),
    "iceberg": Sink("iceberg", (32, 64), _ICEBERG, 38, 38),
}
SINKS = ("parquet", *_TABLES)


def sink_changes(new: ColumnSchema, old: ColumnSchema, sink: str) -> list[Change]:
    """What keeps a table of the kind `sink`, made for `old`, from taking records of `new`."""
    if sink == "parquet":
        return [_in_files(change) for change in resolve_by_name(new, old)]
    return list(_changes(new.columns, old.columns, _TABLES[sink]))


def _in_files(change: Change) -> Change:
    return replace(change, reason=f"files written before: {change.reason}")


def _changes(new: tuple[Column, ...], old: tuple[Column, ...], sink: Sink) -> Iterator[Change]:
    there, coming = ({one.name: one for one in columns} for columns in (old, new))
    for name, one in coming.items():
        if name not in there:
            reason = (
                f"the table has no column {name}: add it, as one that may be NULL, or the values go nowhere"
            )
            yield _minded("sink-add", one.path, reason)
        else:
            yield from _column(one, there[name], sink)
    for name, one in there.items():
        if name not in coming and not one.nullable:
            reason = f"{name} is NOT NULL in the table, and no value comes any more: drop that first"
            yield _minded("sink-alter", one.path, reason)


def _column(new: Column, old: Column, sink: Sink) -> Iterator[Change]:
    if new.nullable and not old.nullable:
        reason = f"{new.name} is NOT NULL in the table, and may be null from now on: drop that first"
        yield _minded("sink-alter", new.path, reason)
    had, wanted = sink.stored(old.type), sink.stored(new.type)
    if wanted is None or had is None:
        if new.type != old.type or wanted is None:
            yield _homeless(new, sink)
        return
    if new.type.nested and old.type.kind == new.type.kind:
        if sink.name != "postgresql":  # one document holds any shape
            yield from _nested(new, old, sink)
        return
    found = passage(had, wanted)
    if found.fate == "kept" and not _bytes_for_text(had, wanted):
        return
    before, after = sink.shown(had), sink.shown(wanted)
    if sink.becomes(had, wanted):
        reason = f"{before} does not hold every {new.type.shown}: make the column {after} first"
        yield _minded("sink-alter", new.path, reason)
        return
    reason = (
        f"{before} does not hold every {new.type.shown}, and cannot become {after} in place: add a column"
    )
    witness = Witness({new.name: found.sample}, f"does not go into {before}")
    yield Change("sink-column", new.path, reason, witness=witness if found.sample is not None else None)


def _bytes_for_text(one: ColumnType, other: ColumnType) -> bool:
    """Whether one is text and the other bytes: readers may not mind, tables do."""
    return one.kind != other.kind and "string" in {one.kind, other.kind}


def _nested(new: Column, old: Column, sink: Sink) -> Iterator[Change]:
    if new.type.kind == "struct":
        yield from _changes(new.type.inner, old.type.inner, sink)
    else:
        for one, other in zip(new.type.inner, old.type.inner, strict=False):
            yield from _column(one, other, sink)


def _homeless(new: Column, sink: Sink) -> Change:
    reason = f"{new.type.shown} has no column of its own in {sink.name}: how it is stored is not known here"
    return Change("not-decided", new.path, reason, Compatibility.UNKNOWN)


def _minded(policy: str, path: str, reason: str) -> Change:
    return Change(policy, path, reason, Compatibility.POLICY, policy)
