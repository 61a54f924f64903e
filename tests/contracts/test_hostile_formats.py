"""Any bytes under any ending end in a verdict, or in exit 2 with a file and where there is one a place."""

from __future__ import annotations

import json
import random
import re
import time
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from pipelineplan.cli import run
from pipelineplan.contracts.columns.by_id import resolve_by_id
from pipelineplan.contracts.columns.iceberg import iceberg_of
from pipelineplan.contracts.evolution.judging import compat

TOKENS = [
    'syntax = "proto3";',
    'syntax = "proto2";',
    'edition = "2023";',
    *("message A {", "}", "int32", "string s = 1;", "= 1;", "-1", "99999999999", "repeated", "optional"),
    *(
        "map<string, int32> m = 2;",
        "oneof o {",
        "enum E {",
        "reserved 1 to max;",
        'import "y.proto";',
        "group G = 1 {",
    ),
    *(
        "[default = 5]",
        "extend A {",
        "extensions 5 to max;",
        "//",
        "/*",
        "\n",
        "\0",
        "é",
        '"',
        "inf",
        "option",
        "(a.b)",
    ),
]


def protobuf(source: random.Random) -> bytes:
    return " ".join(source.choice(TOKENS) for _ in range(source.randrange(1, 40))).encode()


def table_metadata(source: random.Random) -> bytes:
    values: list[Any] = [
        None,
        True,
        -1,
        10**400,
        "int",
        "decimal(99,1)",
        [],
        {},
        {"type": "list"},
        {"type": "map"},
    ]
    fields = [
        {
            key: source.choice([*values, i, "a"])
            for key in ("id", "name", "type", "required")
            if source.random() < 0.9
        }
        for i in range(3)
    ]
    made = {
        "current-schema-id": 0,
        "schemas": [{"schema-id": 0, "fields": fields}],
        "format-version": source.choice(values),
    }
    return json.dumps(source.choice([made, {"fields": fields}, values])).encode()


def noise(source: random.Random) -> bytes:
    return source.randbytes(source.randrange(200))


@pytest.mark.parametrize(
    ("ending", "makes"),
    [
        *((".proto", one) for one in (protobuf, noise)),
        *((".metadata.json", one) for one in (table_metadata, noise)),
        *((ending, noise) for ending in (".binpb", ".parquet", ".arrow", ".odcs.yaml", ".avsc", ".json")),
    ],
)
def test_any_bytes(ending: str, makes: Any, tmp_path: Path, capfd: pytest.CaptureFixture[str]) -> None:
    source = random.Random(ending)
    for _ in range(60):
        files = [tmp_path / f"{name}{ending}" for name in ("a", "b")]
        for file in files:
            file.write_bytes(makes(source))
        status = run(["compat", *map(str, files)])
        shown = capfd.readouterr()
        assert status in {0, 1, 2}
        assert "Traceback" not in shown.err
        assert "W0000" not in shown.err  # protoc's own log
        if status == 2:
            assert re.search(r"[ab]\.", shown.err)


def test_nesting_and_repetition_end_in_time(tmp_path: Path) -> None:
    began = time.monotonic()
    deep = 'syntax = "proto3";' + "".join(f"message A{i} {{" for i in range(2000)) + "}" * 2000
    (tmp_path / "deep.proto").write_text(deep)
    assert run(["compat", str(tmp_path / "deep.proto"), str(tmp_path / "deep.proto")]) == 2
    fields = "".join(f"M{i - 1} a = 1; M{i - 1} b = 2;}} message M{i} {{" for i in range(1, 60))
    for name, last in (("old", "int32"), ("new", "string")):
        text = f'syntax = "proto3"; message M0 {{ {last} v = 3; }} message M {{ {fields} }}'
        (tmp_path / f"{name}.proto").write_text(text.replace("message M { M0", "message M_ { M0"))
    result = compat([tmp_path / "old.proto", tmp_path / "new.proto"])
    assert {row["path"] for row in result.to_rows()} == {"$.M0.v"}
    assert time.monotonic() - began < 20


def test_columns_nested_as_deep_as_is_read_end() -> None:
    def nested(leaf: str) -> Any:
        made: Any = leaf
        for i in range(40):
            made = {"type": "struct", "fields": [{"id": i + 2, "name": "a", "type": made, "required": False}]}
        return iceberg_of({"fields": [{"id": 1, "name": "a", "type": made}]})

    (change,) = resolve_by_id(nested("int"), nested("long"))
    assert change.change == "type-narrowed"
    assert change.witness is not None


@pytest.mark.slow
def test_wide_files_of_columns_end(tmp_path: Path) -> None:
    for name, kind in (("old", pa.int64()), ("new", pa.int32())):
        pq.write_table(
            pa.schema([(f"c{i}", kind) for i in range(10_000)]).empty_table(), tmp_path / f"{name}.parquet"
        )
    assert len(compat([tmp_path / "old.parquet", tmp_path / "new.parquet"]).to_rows()) == 10_000
