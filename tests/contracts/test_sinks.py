"""Sinks: whether a table made for one schema takes the records of the next."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from pipelineplan import compat, compat_sink
from pipelineplan.contracts.columns.lattice import passage
from pipelineplan.contracts.columns.types import ColumnType
from pipelineplan.contracts.evolution import Compatibility, CompatResult
from pipelineplan.contracts.sinks.lattice import _TABLES
from pipelineplan.errors import InputError

INT, LONG = "int", "long"
MILLIS, MICROS = ({"type": "long", "logicalType": f"timestamp-{unit}"} for unit in ("millis", "micros"))


def decimal(precision: int, scale: int) -> dict[str, Any]:
    return {"type": "bytes", "logicalType": "decimal", "precision": precision, "scale": scale}


def avro(folder: Path, *kinds: Any) -> list[Path]:
    files = []
    for i, kind in enumerate(kinds):
        fields = (
            kind
            if isinstance(kind, list) and kind and isinstance(kind[0], dict)
            else [{"name": "a", "type": kind}]
        )
        files.append(folder / f"v{i}.avsc")
        files[-1].write_text(json.dumps({"type": "record", "name": "R", "fields": fields}))
    return files


def changes(result: CompatResult) -> list[str]:
    return [str(row["change"]) for row in result.to_rows()]


@pytest.mark.parametrize(
    ("old", "new", "said"),
    [
        (INT, LONG, {"postgresql": "sink-alter", "iceberg": "sink-alter", "bigquery": "", "parquet": ""}),
        (LONG, INT, {"postgresql": "", "iceberg": "", "bigquery": "", "parquet": "type-narrowed"}),
        (
            "float",
            "double",
            {"postgresql": "sink-alter", "iceberg": "sink-alter", "bigquery": "", "parquet": ""},
        ),
        (
            decimal(10, 2),
            decimal(12, 2),
            {"postgresql": "sink-alter", "iceberg": "sink-alter", "bigquery": "sink-alter", "parquet": ""},
        ),
        (
            decimal(10, 2),
            decimal(13, 3),
            {"postgresql": "sink-alter", "iceberg": "sink-column", "bigquery": "sink-alter", "parquet": ""},
        ),
        (
            LONG,
            "double",
            {
                "postgresql": "sink-column",
                "iceberg": "sink-column",
                "bigquery": "sink-alter",
                "parquet": "lossy-promotion",
            },
        ),
        (MILLIS, MICROS, {"postgresql": "", "iceberg": "", "bigquery": "", "parquet": ""}),
        (
            LONG,
            "string",
            {
                "postgresql": "sink-alter",
                "iceberg": "sink-column",
                "bigquery": "sink-column",
                "parquet": "engine-cast",
            },
        ),
        (
            "string",
            LONG,
            {
                "postgresql": "sink-column",
                "iceberg": "sink-column",
                "bigquery": "sink-column",
                "parquet": "type-mismatch",
            },
        ),
    ],
)
def test_a_change_of_type_in_every_sink(old: Any, new: Any, said: dict[str, str], tmp_path: Path) -> None:
    files = avro(tmp_path, old, new)
    assert {sink: "".join(changes(compat_sink(files, sink))) for sink in said} == said


def test_columns_come_and_go_and_become_null(tmp_path: Path) -> None:
    old = [{"name": "a", "type": "int"}, {"name": "gone", "type": "int"}, {"name": "b", "type": "int"}]
    new = [
        {"name": "a", "type": ["null", "int"]},
        {"name": "b", "type": "int"},
        {"name": "more", "type": "int"},
    ]
    result = compat_sink(avro(tmp_path, old, new), "postgresql")
    assert [(row["change"], row["allowed"]) for row in result.to_rows()] == [
        ("sink-alter", False),
        ("sink-add", True),
        ("sink-alter", False),
    ]
    assert compat_sink(avro(tmp_path, old, new), "postgresql", allow=["sink-alter"]).passes


def write_protobuf(folder: Path, name: str, wide: bool) -> Path:  # noqa: FBT001
    file = folder / f"{name}.proto"
    kind = "int64" if wide else "int32"
    file.write_text(f'syntax = "proto3"; message M {{ optional {kind} n = 1; repeated string s = 2; }}\n')
    return file


def write_json(folder: Path, name: str, wide: bool) -> Path:  # noqa: FBT001
    file = folder / f"{name}.json"
    most = {} if wide else {"maxLength": 20}
    file.write_text(json.dumps({"type": "object", "properties": {"n": {"type": "string", **most}}}))
    return file


def write_contract(folder: Path, name: str, wide: bool) -> Path:  # noqa: FBT001
    file = folder / f"{name}.odcs.yaml"
    field = f"{{name: n, logicalType: integer, physicalType: {'BIGINT' if wide else 'INT'}}}"
    head = "apiVersion: v3.1.0\nkind: DataContract\nid: a\nversion: 1.0.0\nstatus: active\n"
    file.write_text(f"{head}schema:\n  - name: t\n    properties:\n      - {field}\n")
    return file


def write_parquet(folder: Path, name: str, wide: bool) -> Path:  # noqa: FBT001
    file = folder / f"{name}.parquet"
    pq.write_table(pa.schema([("n", pa.int64() if wide else pa.int32())]).empty_table(), file)
    return file


@pytest.mark.parametrize("writes", [write_protobuf, write_json, write_contract, write_parquet])
def test_every_format_has_columns(writes: Any, tmp_path: Path) -> None:
    old, new = writes(tmp_path, "old", wide=False), writes(tmp_path, "new", wide=True)
    assert changes(compat_sink([old, new], "postgresql")) == ["sink-alter"]
    assert changes(compat_sink([new, old], "postgresql")) == []


def test_what_has_no_column_is_not_decided(tmp_path: Path) -> None:
    files = avro(tmp_path, ["int", "string"], ["int", "string", "boolean"])
    (row,) = compat_sink(files, "postgresql").to_rows()
    assert row["verdict"] == "unknown"


def test_an_altered_column_keeps_what_it_held() -> None:
    kinds = [ColumnType("int", bits=32), ColumnType("int", bits=64), ColumnType("float", bits=64)]
    kinds += [ColumnType("decimal", precision=p, scale=s) for p, s in ((10, 2), (12, 2), (20, 0))]
    for sink in _TABLES.values():
        for old in kinds:
            for new in kinds:
                if sink.becomes(old, new):
                    kept = passage(new, old).fate
                    assert kept == "kept" or (sink.name == "bigquery" and kept == "lossy"), (
                        old,
                        new,
                    )


def test_an_unknown_sink_names_the_known_ones(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="wanted one of parquet, postgresql"):
        compat_sink(avro(tmp_path, INT, LONG), "oracle")


def test_schemas_that_hold_themselves_twice_end(tmp_path: Path) -> None:
    tree = [{"name": "v", "type": "int"}, *({"name": side, "type": ["null", "R"]} for side in ("l", "r"))]
    files = avro(tmp_path, tree, tree)
    assert compat_sink(files, "iceberg").verdict is Compatibility.UNKNOWN
    bomb = "".join(
        f"message M{i} {{ required M{i - 1} a = 1; required M{i - 1} b = 2; }}\n" for i in range(1, 60)
    )
    for name, last in (("old", "int32"), ("new", "string")):
        text = f'syntax = "proto2";\nmessage M0 {{ optional {last} v = 3; }}\n{bomb}'
        (tmp_path / f"{name}.proto").write_text(text)
    names = [tmp_path / "old.proto", tmp_path / "new.proto"]
    (change,) = compat(names).pairs[0].judgement.changes
    assert (change.path, change.change) == ("$.M0.v", "wire-type-changed")
    assert not compat_sink(names, "bigquery").passes
