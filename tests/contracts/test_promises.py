"""Contract against contract: each change has its direction, its unit and its place."""

from __future__ import annotations

import random
from pathlib import Path
from typing import Any

import pytest
import yaml

from pipelineplan.contracts import lint, read_contract
from pipelineplan.contracts.columns.sql import sql_type
from pipelineplan.contracts.evolution import CompatResult
from pipelineplan.contracts.evolution.judging import compat
from pipelineplan.errors import InputError

EXAMPLES = Path(__file__).parents[2] / "../shared/data/odcs/examples"
OLD = """\
apiVersion: v3.1.0
kind: DataContract
id: orders
version: 1.0.0
status: active
schema:
  - name: orders
    properties:
      - {name: id, logicalType: string, primaryKey: true, primaryKeyPosition: 1, required: true}
      - name: amount
        logicalType: number
        physicalType: DECIMAL(12,2)
        required: true
        logicalTypeOptions: {minimum: 0}
      - {name: qty, logicalType: integer, physicalType: INT, unique: true}
      - {name: note, logicalType: string, logicalTypeOptions: {maxLength: 50}}
      - {name: day, logicalType: date, partitioned: true, partitionKeyPosition: 1}
      - {name: state, logicalType: string, enum: [new, paid]}
    quality:
      - {metric: rowCount, mustBeBetween: [100, 200]}
      - {metric: nullValues, arguments: {properties: [qty]}, mustBeLessThan: 1, unit: percent}
slaProperties:
  - {property: retention, value: 30, unit: d}
  - {property: latency, value: 4, unit: h}
  - {property: availability, value: 99.9, unit: percent}
"""


def judged(tmp_path: Path, before: str, after: str, mode: str | None = None) -> CompatResult:
    assert before in OLD
    files = []
    for name, text in (("v1", OLD), ("v2", OLD.replace(before, after))):
        files.append(tmp_path / f"{name}.odcs.yaml")
        files[-1].write_text(text, encoding="utf-8")
    return compat(files, mode=mode, prove=100)


@pytest.mark.parametrize(
    ("before", "after", "change"),
    [
        ("retention, value: 30, unit: d", "retention, value: 7, unit: d", "retention-tightened"),
        ("retention, value: 30, unit: d", "retention, value: 700, unit: h", "retention-tightened"),
        ("latency, value: 4, unit: h", "latency, value: 8, unit: h", "latency-loosened"),
        ("latency, value: 4, unit: h", "latency, value: 241, unit: min", "latency-loosened"),
        ("availability, value: 99.9", "availability, value: 99.5", "availability-lowered"),
        ("latency, value: 4, unit: h", "latency, value: 4, unit: bananas", "latency-changed"),
        ("  - {property: latency, value: 4, unit: h}\n", "", "latency-dropped"),
        ("DECIMAL(12,2)", "DECIMAL(14,2)", "type-narrowed"),
        ("DECIMAL(12,2)", "DECIMAL(12,3)", "type-narrowed"),
        ("physicalType: INT,", "physicalType: BIGINT,", "type-narrowed"),
        ("physicalType: INT,", "physicalType: VARCHAR(10),", "type-mismatch"),
        ("        required: true\n", "", "null-in-required"),
        ("minimum: 0", "minimum: -1", "narrowed"),
        ("maxLength: 50", "maxLength: 60", "narrowed"),
        ("[new, paid]", "[new, paid, sent]", "narrowed"),
        (", unique: true}", "}", "uniqueness-lost"),
        ("primaryKey: true, primaryKeyPosition: 1, ", "", "key-changed"),
        ("partitioned: true, partitionKeyPosition: 1", "partitioned: false", "partitioning"),
        ("name: note, logicalType: string", "name: remark, logicalType: string", "field-removed"),
        ("name: id, logicalType: string", "name: id, logicalType: integer", "type-mismatch"),
        ("name: note,", "name: note, physicalName: c_note,", "column-renamed"),
        ("[100, 200]", "[100, 250]", "quality-weakened"),
        ("mustBeLessThan: 1,", "mustBeLessThan: 5,", "quality-weakened"),
        ("mustBeLessThan: 1,", "mustBeLessOrEqualTo: 1,", "quality-weakened"),
        ("unit: percent}\nsla", "unit: rows}\nsla", "quality-unit"),
        ("      - {metric: rowCount, mustBeBetween: [100, 200]}\n", "", "quality-dropped"),
        ("- name: orders", "- name: purchases", "dataset-missing"),
    ],
)
def test_a_weaker_promise_is_named(tmp_path: Path, before: str, after: str, change: str) -> None:
    result = judged(tmp_path, before, after)
    assert [row["change"] for row in result.to_rows()] == [change]
    assert not result.passes
    (found,) = result.pairs[0].judgement.changes
    assert found.path.startswith(("$.schema[0]", "$.slaProperties["))


@pytest.mark.parametrize(
    ("before", "after"),
    [
        ("retention, value: 30, unit: d", "retention, value: 60, unit: d"),
        ("retention, value: 30, unit: d", "retention, value: 720, unit: h"),
        ("latency, value: 4, unit: h", "latency, value: 2, unit: h"),
        ("DECIMAL(12,2)", "DECIMAL(10,2)"),
        ("physicalType: INT,", "physicalType: SMALLINT,"),
        ("minimum: 0", "minimum: 5"),
        ("maxLength: 50", "maxLength: 40"),
        ("[new, paid]", "[new]"),
        ("logicalType: number", "logicalType: integer"),
        ("[100, 200]", "[120, 180]"),
        ("mustBeLessThan: 1,", "mustBe: 0,"),
        ("mustBeLessThan: 1,", "mustBeBetween: [0, 0.5],"),
        ("      - {name: qty,", "      - {name: extra, logicalType: string}\n      - {name: qty,"),
    ],
)
def test_a_stronger_promise_breaks_nobody(tmp_path: Path, before: str, after: str) -> None:
    assert judged(tmp_path, before, after).to_rows() == []


def test_records_have_two_directions_and_service_levels_one(tmp_path: Path) -> None:
    stricter = judged(tmp_path, "maxLength: 50", "maxLength: 40", "BACKWARD")
    assert [row["change"] for row in stricter.to_rows()] == ["narrowed"]  # old records are too long
    assert judged(tmp_path, "value: 30, unit: d", "value: 60, unit: d", "BACKWARD").passes
    assert not judged(tmp_path, "value: 30, unit: d", "value: 7, unit: d", "BACKWARD").passes


def test_a_witness_keeps_the_one_promise_and_not_the_other(tmp_path: Path) -> None:
    (change,) = judged(tmp_path, "minimum: 0", "minimum: -100").pairs[0].judgement.changes
    assert change.witness is not None
    (value,) = change.witness.record.values()
    assert -100 <= value < 0


@pytest.mark.parametrize(
    ("written", "shown"),
    [
        ("DECIMAL(12,2)", "decimal(12,2)"),
        ("numeric ( 5 )", "decimal(5,0)"),
        ("Varchar(50)", "string(50)"),
        ("timestamp(3) with time zone", "timestamp[ms, UTC]"),
        ("double precision", "float64"),
        ("INT64", "int64"),
        ("STRUCT<a INT>", "struct<a int>"),
        ("NUMBER", "number"),
        ("x" * 300, "x" * 60),
    ],
)
def test_types_as_sql_writes_them(written: str, shown: str) -> None:
    assert sql_type(written).shown == shown


@pytest.mark.skipif(not EXAMPLES.is_dir(), reason=f"the standard's examples are not at {EXAMPLES}")
def test_every_example_of_the_standard_is_linted_and_equals_itself() -> None:
    files = sorted(EXAMPLES.rglob("*.yaml"))
    faults = {file.name: [str(one) for one in lint(read_contract(file))] for file in files}
    assert len(faults) == 18
    assert {name: len(found) for name, found in faults.items() if found} == {
        "full-example.odcs.yaml": 5,  # five service levels on a dataset called tbl that say tab1
    }
    for file in files:
        assert compat([file, file], mode="FULL").to_rows() == []


def test_any_bytes_and_any_yaml_end_in_a_verdict_or_a_place(tmp_path: Path) -> None:
    source = random.Random(5)
    tokens: list[Any] = [None, True, -1, 1e308, "x", "", [], {}, ["a", 1], {"name": "a"}, "9" * 40]
    for _ in range(150):
        data = yaml.safe_load(OLD)
        for _ in range(source.randrange(1, 4)):
            spoil(data, source, tokens)
        files = [tmp_path / name for name in ("a.yaml", "b.yaml")]
        files[0].write_text(OLD, encoding="utf-8")
        files[1].write_text(yaml.safe_dump(data), encoding="utf-8")
        try:
            compat(files, mode="FULL")
        except InputError as error:
            assert all(problem.position.line for problem in error.problems)  # noqa: PT017


def spoil(data: Any, source: random.Random, tokens: list[Any]) -> None:
    """Put something else in a random place."""
    while isinstance(data, dict | list) and data:
        key = source.choice(list(data) if isinstance(data, dict) else range(len(data)))
        if not isinstance(data[key], dict | list) or not data[key] or source.random() < 0.15:
            data[key] = source.choice(tokens)
            return
        data = data[key]
