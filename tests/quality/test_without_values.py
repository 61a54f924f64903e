"""Columns without a value, and data without a row, break no type, bound or pattern, on any engine."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from pipelineplan.contracts import Contract, read_contract
from pipelineplan.quality import Backend, compile_suites, dialect_of, run_suites
from pipelineplan.verdicts import Verdict

TYPES = ("string", "integer", "number", "boolean", "date", "timestamp", "time", "object", "array")
BOUNDS = {
    "string": "logicalTypeOptions: {pattern: '^a', minLength: 2}",
    "integer": "logicalTypeOptions: {minimum: 1}",
    "number": "logicalTypeOptions: {maximum: 1.5, multipleOf: 0.5}",
    "date": "logicalTypeOptions: {minimum: '2026-01-01'}",
    "timestamp": "logicalTypeOptions: {maximum: '2026-01-01T00:00:00Z'}",
    "time": "logicalTypeOptions: {minimum: '08:00:00'}",
    "boolean": "quality: [{metric: invalidValues, mustBe: 0, arguments: {validValues: [true]}}]",
}


FILES = [(kind, rows) for kind in ("csv", "jsonl", "parquet") for rows in (0, 3)]


def contract(folder: Path, required: str = "") -> Contract:
    """A dataset for each file, all with the same columns and rules."""
    properties = "\n".join(
        f"      - {{name: {kind}s, logicalType: {kind}, {BOUNDS.get(kind, 'unique: false')}{required}}}"
        for kind in TYPES
    )
    share = "{metric: duplicateValues, mustBeLessOrEqualTo: 5, unit: percent"
    datasets = "".join(
        f"  - name: {kind}{rows}\n    properties:\n{properties}\n"
        f"    quality: [{share}, arguments: {{properties: [integers]}}}}]\n"
        for kind, rows in FILES
    )
    path = folder / "t.odcs.yaml"
    head = "apiVersion: v3.1.0\nkind: DataContract\nid: t\nversion: 1.0.0\nstatus: active\n"
    path.write_text(f"{head}schema:\n{datasets}", encoding="utf-8")
    return read_contract(path)


def files(folder: Path) -> dict[str, Path]:
    return {f"{kind}{rows}": written(folder, kind, rows) for kind, rows in FILES}


def written(folder: Path, kind: str, rows: int) -> Path:
    """A file of `rows` rows, all of whose values are missing."""
    path = folder / f"data{rows}.{kind}"
    names = [f"{each}s" for each in TYPES]
    if kind == "csv":
        path.write_text("\n".join([",".join(names), *[",".join("" for _ in names)] * rows, ""]), "utf-8")
    elif kind == "jsonl":
        path.write_text((json.dumps(dict.fromkeys(names)) + "\n") * rows, "utf-8")
    else:
        import pyarrow as pa
        import pyarrow.parquet as pq

        pq.write_table(pa.table({name: pa.nulls(rows) for name in names}), path)
    return path


@pytest.mark.parametrize("backend", ["duckdb", "pandas", "sqlite"])
def test_no_value_breaks_nothing(tmp_path: Path, backend: Backend) -> None:
    suites = compile_suites([contract(tmp_path)], dialect=dialect_of(backend))
    report = run_suites(suites, files(tmp_path), backend=backend)
    wrong = [(check.dataset, check.title, check.reason) for check in report.checks if check.verdict != "pass"]
    assert wrong == []
    assert report.verdict is Verdict.HOLDS
    assert report.datasets == {f"{kind}{rows}": rows for kind, rows in FILES}


def test_what_is_required_is_missing_and_another_type_is_wrong(tmp_path: Path) -> None:
    data = files(tmp_path)
    names = [f"{each}s" for each in TYPES]
    data["csv0"].write_text(",".join(names) + "\n" + ",".join("x" for _ in names) + "\n", "utf-8")
    report = run_suites(compile_suites([contract(tmp_path, ", required: true")]), data)
    for kind, rows in FILES:
        own = f"{kind}{rows}"
        failed = [check.title for check in report.checks if check.dataset == own and check.verdict == "fail"]
        if rows:
            assert failed == [f"{each}s is not null" for each in TYPES]
        elif kind != "csv":
            assert failed == []
    wrong = [check.title for check in report.checks if check.dataset == "csv0" and check.verdict == "fail"]
    typed = [f"{each}s is {'an' if each[0] in 'aio' else 'a'} {each}" for each in TYPES if each != "string"]
    assert set(typed) <= set(wrong)
