"""Ten faults that a schema check of the contract passes, each found at its place."""

from __future__ import annotations

from pathlib import Path

import pytest

from pipelineplan.contracts import lint, read_contract

SOUND = """\
apiVersion: v3.1.0
kind: DataContract
id: sound
version: 1.2.0
status: active
schema:
  - name: orders
    properties:
      - name: order_id
        logicalType: string
        primaryKey: true
        primaryKeyPosition: 1
        logicalTypeOptions:
          minLength: 3
          maxLength: 50
          pattern: "^[A-Z]{2}[0-9]+$"
      - name: line
        logicalType: integer
        primaryKey: true
        primaryKeyPosition: 2
      - name: amount
        logicalType: number
        physicalType: DECIMAL(12,2)
        quality:
          - metric: rowCount
            mustBeBetween: [2, 10]
slaProperties:
  - {property: retention, value: 30, unit: d, element: orders.amount}
  - {property: latency, value: 5, unit: d}
"""


def linted(tmp_path: Path, text: str) -> list[str]:
    file = tmp_path / "c.yaml"
    file.write_text(text, encoding="utf-8")
    return [str(problem) for problem in lint(read_contract(file, "c.yaml"))]


def test_a_sound_contract_has_no_fault(tmp_path: Path) -> None:
    assert linted(tmp_path, SOUND) == []


@pytest.mark.parametrize(
    ("before", "after", "where", "what"),
    [
        (
            "DECIMAL(12,2)",
            "DECIMALL(200,900)",
            "c.yaml:23:23: $.schema[0].properties[2].physicalType",
            "DECIMAL?",
        ),
        ("DECIMAL(12,2)", "DECIMAL(2,9)", "c.yaml:23:23: $.schema[0].properties[2].physicalType", "9 digits"),
        (
            "minLength: 3\n          maxLength: 50",
            "minLength: 50\n          maxLength: 3",
            "c.yaml:14:22: $.schema[0].properties[0].logicalTypeOptions.minLength",
            "leave no value",
        ),
        (
            "[0-9]+$",
            "[0-9+$",
            "c.yaml:16:20: $.schema[0].properties[0].logicalTypeOptions.pattern",
            "unterminated character set at character 10",
        ),
        ("name: line", "name: order_id", "c.yaml:17:15: $.schema[0].properties[1].name", "first on line 9"),
        (
            "primaryKeyPosition: 2",
            "primaryKeyPosition: 1",
            "c.yaml:20:29: $.schema[0].properties[1].primaryKeyPosition",
            "taken by 'order_id'",
        ),
        ("version: 1.2.0", "version: 1.2", "c.yaml:4:10: $.version", "'1.2' is not a semantic version"),
        (
            "[2, 10]",
            "[10, 2]",
            "c.yaml:26:28: $.schema[0].properties[2].quality[0].mustBeBetween",
            "write [2, 10]",
        ),
        ("unit: d, el", "unit: bananas, el", "c.yaml:28:44: $.slaProperties[0].unit", "'bananas'"),
        (
            "orders.amount",
            "orders.amuont",
            "c.yaml:28:56: $.slaProperties[0].element",
            "did you mean 'orders.amount'?",
        ),
        ("value: 5", "value: -5", "c.yaml:29:32: $.slaProperties[1].value", "cannot be negative"),
    ],
)
def test_each_fault_is_found_alone_and_at_its_place(
    tmp_path: Path, before: str, after: str, where: str, what: str
) -> None:
    assert before in SOUND
    (found,) = linted(tmp_path, SOUND.replace(before, after, 1))
    assert found.startswith(where + ": ")
    assert what in found


def test_all_faults_are_reported_together(tmp_path: Path) -> None:
    text = SOUND.replace("1.2.0", "one").replace("[2, 10]", "[10, 2]").replace("value: 5", "value: -5")
    assert [line.split(":")[1] for line in linted(tmp_path, text)] == ["4", "26", "29"]


@pytest.mark.parametrize(
    "pattern", [r"^\p{L}+$", r"(?<year>\d{4})", r"a\/b", r"[\w-.]+", r"\u00e9", r"(?=a)a"]
)
def test_a_pattern_of_the_contracts_own_dialect_is_no_fault(tmp_path: Path, pattern: str) -> None:
    assert linted(tmp_path, SOUND.replace('"^[A-Z]{2}[0-9]+$"', f"'{pattern}'")) == []


@pytest.mark.parametrize("pattern", ["(a", "a)", "*a", "[a", "a{3,1}", "(" * 3000, "abc\\"])
def test_a_pattern_broken_in_every_dialect_is_a_fault(tmp_path: Path, pattern: str) -> None:
    assert len(linted(tmp_path, SOUND.replace('"^[A-Z]{2}[0-9]+$"', f"'{pattern}'"))) == 1


def test_bounds_of_dates_are_compared_only_within_one_zone(tmp_path: Path) -> None:
    def bounded(low: str, high: str) -> list[str]:
        options = f'minimum: "{low}"\n          maximum: "{high}"'
        return linted(tmp_path, SOUND.replace("minLength: 3\n          maxLength: 50", options))

    assert bounded("2020-01-01", "2021-01-01") == []
    assert len(bounded("2021-01-01", "2020-01-01")) == 1
    assert bounded("2020-01-01 00:30:00+02:00", "2020-01-01 00:00:00+01:00") == []
    assert len(bounded("2020-01-01 00:30:00+01:00", "2020-01-01 00:00:00+01:00")) == 1
