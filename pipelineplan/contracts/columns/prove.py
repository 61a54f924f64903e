"""A verdict on columns put to the test: a Parquet file written with the one schema, scanned with the other.

    {"total": 5}  written     scanned with {amount: int64}  ->  {"amount": None}

Iceberg's columns are written under their field ids instead of their names, as its readers match them.
Needs the extra `data` (pyarrow).
"""

from __future__ import annotations

import datetime as dt
import random
import tempfile
from dataclasses import replace
from decimal import Decimal
from pathlib import Path
from typing import Any

from pipelineplan.contracts.columns.arrow import arrow_of, pyarrow
from pipelineplan.contracts.columns.sample import random_record
from pipelineplan.contracts.columns.types import Column, ColumnSchema, ColumnType
from pipelineplan.contracts.evolution.change import Change, Compatibility, Witness

_SEED = "records that prove a verdict on columns"
Columns = tuple[Column, ...]


def prove_by_name(
    reader: ColumnSchema, writer: ColumnSchema, changes: list[Change], records: int
) -> list[Change]:
    """`changes` with what pyarrow does to each witness; where nothing fails, on `records` records.

    A generated record that is not read as it was written although no change says so becomes a change
    that is UNKNOWN. Raises `MissingExtraError` without pyarrow.
    """
    return _proved(Scan(reader.columns, writer.columns), changes, records)


def prove_by_id(
    reader: ColumnSchema, writer: ColumnSchema, changes: list[Change], records: int
) -> list[Change]:
    """The same for columns that are matched by field id."""
    return _proved(Scan(numbered(reader.columns), numbered(writer.columns), writer.columns), changes, records)


def _proved(scan: Scan, changes: list[Change], records: int) -> list[Change]:
    if changes:
        return [_tried(change, scan) for change in changes]
    source = random.Random(_SEED)  # noqa: S311  (records to read back, no secrets)
    rows = [random_record(scan.named, source) for _ in range(records)]
    wrong = scan.misreading(rows)
    if not wrong:
        return changes
    reason = f"generated records are not read as they were written: {wrong}"
    return [Change("not-proved", "$", reason, Compatibility.UNKNOWN, witness=Witness(rows[0], wrong))]


def _tried(change: Change, scan: Scan) -> Change:
    if change.witness is None:
        return change
    wrong = scan.misreading([change.witness.record])
    outcome = f"pyarrow {wrong}" if wrong else f"pyarrow reads it; {change.reason.split(': ')[-1]}"
    return replace(change, witness=replace(change.witness, outcome=outcome))


class Scan:
    """A Parquet file of the writer's columns, scanned with the reader's; `named` are those of records."""

    def __init__(self, reader: Columns, writer: Columns, named: Columns | None = None) -> None:
        """Make the Arrow schemas of both sides."""
        self.reader, self.writer, self.named = reader, writer, named or writer
        self.read_as, self.written_as = arrow_of(reader), arrow_of(writer)

    def misreading(self, rows: list[Any]) -> str:
        """What goes wrong with records of the writer; empty when all are read as they were written."""
        rows = [_numbered_record(row, self.named, self.writer) for row in rows]
        library = pyarrow()
        with tempfile.TemporaryDirectory() as folder:
            file = Path(folder) / "written.parquet"
            try:
                table = library.Table.from_pylist(rows, schema=self.written_as)
                library.parquet.write_table(table, file, coerce_timestamps=None)
            except Exception as error:  # noqa: BLE001  (whatever a codec raises, it is its answer)
                return f"cannot write it: {_said(error)}"
            try:
                found = self._scanned(file)
            except Exception as error:  # noqa: BLE001  (see above)
                return f"refuses: {_said(error)}"
        pairs = zip(rows, found, strict=True)
        return next((wrong for old, new in pairs if (wrong := self._difference(old, new))), "")

    def _scanned(self, file: Path) -> list[Any]:
        import pyarrow.dataset

        rows: list[Any] = pyarrow.dataset.dataset(file, schema=self.read_as).to_table().to_pylist()
        return rows

    def _difference(self, old: Any, new: Any) -> str:
        return _differs(self.reader, self.writer, old, new)


def _differs(reader: Columns, writer: Columns, old: Any, new: Any) -> str:
    """How a record that was read differs from the one that was written."""
    written = {one.name: one for one in writer}
    by_id = {one.id: one for one in writer if one.id is not None}
    for one in reader:
        source = written.get(one.name) or by_id.get(one.id if one.id is not None else -1)
        before, after = (old.get(source.name) if source else None), new.get(one.name)
        if after is None and not one.nullable and not one.has_default:
            return f"reads NULL in {one.name}, which may not be null"
        if source is not None and not _same(one.type, source.type, before, after):
            return f"reads {one.name} as {_short(after)}, and {source.name} was {_short(before)}"
    return ""


def _same(reader: ColumnType, writer: ColumnType, old: Any, new: Any) -> bool:
    if old is None or new is None:
        return old is None and new is None
    if reader.kind != writer.kind and (reader.nested or writer.nested):
        return False
    match reader.kind:
        case "struct":
            return not _differs(reader.inner, writer.inner, old, new)
        case "list":
            return len(old) == len(new) and all(
                _part(reader, writer, 0, *pair) for pair in zip(old, new, strict=True)
            )
        case "map":
            return len(old) == len(new) and all(
                _part(reader, writer, i, pair[0][i], pair[1][i])
                for pair in zip(old, new, strict=True)
                for i in (0, 1)
            )
    return _equal(old, new)


def _part(reader: ColumnType, writer: ColumnType, at: int, old: Any, new: Any) -> bool:
    if new is None and not reader.inner[at].nullable:
        return False
    return _same(reader.inner[at].type, writer.inner[at].type, old, new)


def _equal(old: Any, new: Any) -> bool:
    """Whether two plain values mean the same: a date and its midnight, a number and its decimal."""
    if isinstance(old, str | bytes) and isinstance(new, str | bytes):
        first, second = (one.encode() if isinstance(one, str) else one for one in (old, new))
        return first == second
    if isinstance(old, dt.date) and not isinstance(old, dt.datetime) and isinstance(new, dt.datetime):
        return new.replace(tzinfo=None) == dt.datetime.combine(old, dt.time())
    if isinstance(old, Decimal) and isinstance(new, float):
        return float(old) == new
    return bool(old == new)


def numbered(columns: Columns) -> Columns:
    """`columns` under names made of their field ids."""
    return tuple(replace(one, name=f"f{one.id}", type=_numbered_type(one.type)) for one in columns)


def _numbered_type(of: ColumnType) -> ColumnType:
    if of.kind == "struct":
        return replace(of, inner=numbered(of.inner))
    return replace(of, inner=tuple(replace(one, type=_numbered_type(one.type)) for one in of.inner))


def _numbered_record(value: Any, named: Columns, writer: Columns) -> Any:
    """A record of `named` columns under the names of `writer`, which are the same columns."""
    return {
        new.name: _numbered_value(value[old.name], old.type, new.type)
        for old, new in zip(named, writer, strict=True)
        if old.name in value
    }


def _numbered_value(value: Any, old: ColumnType, new: ColumnType) -> Any:
    if value is None:
        return None
    match old.kind:
        case "struct":
            return _numbered_record(value, old.inner, new.inner)
        case "list":
            return [_numbered_value(one, old.inner[0].type, new.inner[0].type) for one in value]
        case "map":
            return [
                tuple(
                    _numbered_value(part, *(each.inner[i].type for each in (old, new)))
                    for i, part in enumerate(pair)
                )
                for pair in value
            ]
    return value


def _short(value: Any) -> str:
    text = str(value) if isinstance(value, Decimal | dt.date | dt.time | dt.timedelta) else repr(value)
    return text if len(text) <= 80 else text[:80] + "..."


def _said(error: Exception) -> str:
    return (str(error) or type(error).__name__).splitlines()[0][:200]
