"""Arrow and Parquet: columns are matched by name, and what is not found is NULL without a word.

Source: Apache Arrow 25, "Tabular Datasets", and "Parquet format: Logical Types", Apache Software
Foundation, 2024; what a scan with a reader's schema does is measured with pyarrow in the tests.
"""

from __future__ import annotations

from pipelineplan.contracts.columns.finding import Finding, broken, minded, whole
from pipelineplan.contracts.columns.lattice import passage
from pipelineplan.contracts.columns.types import Column, ColumnSchema, ColumnType
from pipelineplan.contracts.columns.walk import Columns, Rules, changes_of
from pipelineplan.contracts.evolution.change import Change


def resolve_by_name(reader: ColumnSchema, writer: ColumnSchema) -> list[Change]:
    """Every change that keeps a scan with the schema `reader` from reading files of `writer`."""
    return changes_of(reader, writer, Rules(_by_name, passage, _missing))


def _by_name(reader: Columns, writer: Columns) -> list[tuple[Column, Column | None]]:
    written = {one.name: one for one in writer}
    return [(one, written.get(one.name)) for one in reader]


def _missing(new: Column, unread: Columns, writer: Columns) -> list[Finding]:
    """A column that is not written is NULL: broken where it may not be, and where it was renamed."""
    del writer
    if not new.nullable:
        reason = f"{new.name} is not written, and reads as NULL although it may not be null"
        return [broken("required-column-not-written", new.path, reason, None)]
    same = next((one for one in unread if one.id is not None and one.id == new.id), None)
    if same is not None:
        reason = f"{same.name} has the field id of {new.name}, and a reader by name sees NULL"
        return [broken("renamed-reads-null", new.path, reason, {same.name: _some(same.type)})]
    alike = next((one for one in unread if _alike(new.type, one.type)), None)
    if alike is None:
        return []
    reason = f"{new.name} is not written and reads as NULL, while {alike.name} is read by nobody: a rename?"
    return [minded("silent-null", new.path, reason, {alike.name: _some(alike.type)})]


def _alike(new: ColumnType, old: ColumnType) -> bool:
    """Whether the one column could be the other one under a new name."""
    return old.kind != "null" and new.kind == old.kind and passage(new, old).fate in {"kept", "lossy"}


def _some(of: ColumnType) -> object:
    return whole(of)
