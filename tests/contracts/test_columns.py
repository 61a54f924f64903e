"""Columns of Arrow, Parquet and Iceberg: the rules against what pyarrow really reads."""

from __future__ import annotations

import importlib.util
import json
import random
import subprocess
import sys
from pathlib import Path
from types import ModuleType
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from pipelineplan.contracts.columns.arrow import read_arrow
from pipelineplan.contracts.columns.by_id import resolve_by_id
from pipelineplan.contracts.columns.by_name import resolve_by_name
from pipelineplan.contracts.columns.iceberg import iceberg_of
from pipelineplan.contracts.columns.prove import Scan, numbered
from pipelineplan.contracts.columns.sample import random_record
from pipelineplan.contracts.evolution import Change, Choices, Compatibility, judgement_of
from pipelineplan.contracts.evolution.judging import compat
from pipelineplan.errors import InputError

MISREAD = {"lossy-promotion", "engine-cast", "logical-type"}


def beside(name: str) -> ModuleType:
    spec = importlib.util.spec_from_file_location(name, Path(__file__).with_name(f"{name}.py"))
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


@pytest.mark.parametrize("iceberg", [False, True], ids=["by name", "by id"])
@pytest.mark.parametrize("seed", range(100))
def test_pyarrow_agrees_on_random_pairs(seed: int, iceberg: bool) -> None:  # noqa: FBT001
    source = random.Random(seed)
    reader, writer = beside("column_pairs").pair(source, iceberg=iceberg)
    changes = (resolve_by_id if iceberg else resolve_by_name)(reader, writer)
    scan = (
        Scan(numbered(reader.columns), numbered(writer.columns), writer.columns)
        if iceberg
        else Scan(reader.columns, writer.columns)
    )
    for change in changes:
        if change.verdict is Compatibility.INCOMPATIBLE:
            assert change.witness is not None
            assert scan.misreading([change.witness.record]).startswith(("reads", "refuses")), change
    if not any(
        change.verdict is Compatibility.INCOMPATIBLE or change.policy in MISREAD for change in changes
    ):
        assert scan.misreading([random_record(writer.columns, source) for _ in range(100)]) == ""


def files(folder: Path, old: list[Any], new: list[Any]) -> list[Path]:
    made = []
    for name, fields in (("old", old), ("new", new)):
        file = folder / f"{name}.parquet"
        pq.write_table(pa.schema(fields).empty_table(), file)
        made.append(file)
    return made


def found(changes: list[Change]) -> dict[str, str]:
    return {change.change: change.path for change in changes}


FIELD = {b"PARQUET:field_id": b"7"}


@pytest.mark.parametrize(
    ("old", "new", "changes", "passes"),
    [
        ([("a", pa.int32())], [("a", pa.int64())], set(), True),
        ([("a", pa.decimal128(10, 2))], [("a", pa.decimal128(12, 2))], set(), True),
        ([("a", pa.dictionary(pa.int32(), pa.string()))], [("a", pa.large_string())], set(), True),
        ([("a", pa.int32()), ("b", pa.int32())], [("a", pa.int32())], set(), True),
        ([("a", pa.int32())], [("a", pa.int32()), ("b", pa.int32())], set(), True),
        ([("a", pa.int64())], [("a", pa.float64())], {"lossy-promotion"}, True),
        ([("a", pa.int64())], [("a", pa.int32())], {"type-narrowed"}, False),
        ([("a", pa.float64())], [("a", pa.float32())], {"type-narrowed"}, False),
        ([("a", pa.decimal128(10, 3))], [("a", pa.decimal128(10, 2))], {"type-narrowed"}, False),
        ([("a", pa.timestamp("us"))], [("a", pa.timestamp("ms"))], {"type-narrowed"}, False),
        ([("a", pa.timestamp("us", "UTC"))], [("a", pa.timestamp("us"))], {"zone-changed"}, False),
        ([("a", pa.int32())], [("a", pa.string())], {"engine-cast"}, False),
        ([("a", pa.int32())], [("b", pa.int32())], {"silent-null"}, False),
        ([("a", pa.int32())], [("b", pa.string())], set(), True),
        (
            [("a", pa.int32())],
            [pa.field("b", pa.int32(), nullable=False)],
            {"required-column-not-written"},
            False,
        ),
        ([("a", pa.int32())], [pa.field("a", pa.int32(), nullable=False)], {"null-in-required"}, False),
        (
            [pa.field("a", pa.int32(), metadata=FIELD)],
            [pa.field("b", pa.int32(), metadata=FIELD)],
            {"renamed-reads-null"},
            False,
        ),
        ([("a", pa.list_(pa.int64()))], [("a", pa.list_(pa.int32()))], {"type-narrowed"}, False),
    ],
)
def test_parquet_files(old: Any, new: Any, changes: set[str], passes: bool, tmp_path: Path) -> None:  # noqa: FBT001
    result = compat(files(tmp_path, old, new), prove=200)
    assert {row["change"] for row in result.to_rows()} == changes
    assert result.passes is passes


def test_a_rename_is_seen_as_the_nulls_it_reads(tmp_path: Path) -> None:
    result = compat(files(tmp_path, [("total", pa.int64())], [("amount", pa.int64())]), prove=1)
    (change,) = result.pairs[0].judgement.changes
    assert change.path == "$.amount"
    assert change.witness is not None
    assert change.witness.record == {"total": 2}


def test_arrow_files_and_streams_are_read(tmp_path: Path) -> None:
    schema = pa.schema([("a", pa.int32())])
    for name, opened in (("a.arrow", pa.ipc.new_file), ("a.arrows", pa.ipc.new_stream)):
        with pa.OSFile(str(tmp_path / name), "wb") as sink, opened(sink, schema):
            pass
        assert [one.name for one in read_arrow(tmp_path / name).columns] == ["a"]


@pytest.mark.parametrize("name", ["x.parquet", "x.arrow"])
def test_what_is_no_file_of_columns_is_said(name: str, tmp_path: Path) -> None:
    source = random.Random(3)
    pq.write_table(pa.table({"a": [1]}), tmp_path / "good.parquet")
    good = (tmp_path / "good.parquet").read_bytes()
    for _ in range(60):
        noise = bytearray(good if source.random() < 0.6 else source.randbytes(100))
        for _ in range(source.randrange(1, 4)):
            noise[source.randrange(len(noise))] = source.randrange(256)
        (tmp_path / name).write_bytes(noise)
        try:
            read_arrow(tmp_path / name)
        except InputError as error:
            assert name in str(error)  # noqa: PT017  (either it is read, or this)


def iceberg(*fields: tuple[int, str, Any], required: bool = False, **more: Any) -> Any:
    listed = [{"id": i, "name": name, "type": kind, "required": required} for i, name, kind in fields]
    listed[-1] |= more
    schema = {"type": "struct", "schema-id": 1, "fields": listed}
    return {"format-version": 3, "current-schema-id": 1, "schemas": [{"schema-id": 0, "fields": []}, schema]}


@pytest.mark.parametrize(
    ("old", "new", "changes", "passes"),
    [
        (iceberg((1, "a", "int")), iceberg((1, "a", "long")), set(), True),
        (iceberg((1, "a", "int")), iceberg((1, "renamed", "long")), set(), True),
        (iceberg((1, "a", "decimal(10,2)")), iceberg((1, "a", "decimal(12,2)")), set(), True),
        (iceberg((1, "a", "date")), iceberg((1, "a", "timestamp")), set(), True),
        (iceberg((1, "a", "date")), iceberg((1, "a", "timestamptz")), {"zone-changed"}, False),
        (iceberg((1, "a", "decimal(10,2)")), iceberg((1, "a", "decimal(10,3)")), {"type-narrowed"}, False),
        (iceberg((1, "a", "decimal(10,2)")), iceberg((1, "a", "decimal(13,3)")), {"engine-cast"}, False),
        (iceberg((1, "a", "long")), iceberg((1, "a", "int")), {"type-narrowed"}, False),
        (iceberg((1, "a", "string")), iceberg((1, "a", "binary")), {"engine-cast"}, False),
        (iceberg((1, "a", "int")), iceberg((2, "a", "int")), {"silent-null"}, False),
        (iceberg((1, "a", "int")), iceberg((1, "a", "int"), required=True), {"null-in-required"}, False),
        (
            iceberg((1, "a", "int"), required=True),
            iceberg((1, "a", "int"), (2, "b", "int"), required=True),
            {"required-column-not-written"},
            False,
        ),
        (
            iceberg((1, "a", "int"), required=True),
            iceberg((1, "a", "int"), (2, "b", "int"), required=True, **{"initial-default": 5}),
            set(),
            True,
        ),
    ],
)
def test_iceberg_metadata(old: Any, new: Any, changes: set[str], passes: bool) -> None:  # noqa: FBT001
    judged = judgement_of(resolve_by_id(iceberg_of(new), iceberg_of(old)), Choices())
    assert {one.change for one in judged.changes} == changes
    assert judged.passes is passes


def test_iceberg_files_want_no_pyarrow(tmp_path: Path) -> None:
    for name, kind in (("v1", "int"), ("v2", "long")):
        (tmp_path / f"{name}.metadata.json").write_text(json.dumps(iceberg((1, "a", kind))))
    names = [str(tmp_path / f"{name}.metadata.json") for name in ("v1", "v2")]
    code = "import sys; from pipelineplan import compat; r = compat(sys.argv[1:]); "
    code += "assert r.passes; assert 'pyarrow' not in sys.modules and 'numpy' not in sys.modules"
    subprocess.run([sys.executable, "-c", code, *names], check=True)


@pytest.mark.parametrize(
    ("data", "said"),
    [
        ([], "found no table metadata"),
        ({"schemas": [], "current-schema-id": 3}, "no schema has the current-schema-id 3"),
        ({"fields": [{"id": 1, "name": "a", "type": "blob"}]}, "found the type 'blob'"),
        ({"fields": [{"id": 1, "name": "a", "type": "decimal(50,2)"}]}, "a precision of 1 to 38"),
        ({"fields": [{"name": "a", "type": "int"}]}, "wants an 'id'"),
        ({"fields": [{"id": 1, "name": n, "type": "int"} for n in "ab"]}, "the id 1 is here twice"),
        ({"fields": [{"id": i, "name": "a", "type": "int"} for i in (1, 2)]}, "'a' is here twice"),
        ({"fields": [7]}, "found no field"),
    ],
)
def test_what_is_no_iceberg_schema_is_said(data: Any, said: str) -> None:
    with pytest.raises(InputError, match=said):
        iceberg_of(data)


def test_deep_and_wide_schemas_end() -> None:
    deep: Any = "int"
    for i in range(150):
        deep = {"type": "list", "element-id": i + 2, "element": deep}
    with pytest.raises(InputError, match="nested deeper"):
        iceberg_of(iceberg((1, "a", deep)))
    old, new = (iceberg(*((i, f"c{i}", kind) for i in range(10_000))) for kind in ("long", "int"))
    assert len(resolve_by_id(iceberg_of(new), iceberg_of(old))) == 10_000
