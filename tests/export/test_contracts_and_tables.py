"""Contracts and dbt sources: valid by those tools' own schemas, and read back as what the plan says."""

from __future__ import annotations

import json
import shutil
from pathlib import Path
from typing import Any

import jsonschema
import pytest
import yaml
from exporting import EXAMPLES, ORDERS, held_against, small, text_of

from pipelineplan import InputError, export, read_plan
from pipelineplan.contracts.odcs import read_odcs
from pipelineplan.plan.real_system import agrees

SCHEMA = Path(__file__).parents[2] / "../shared/data/odcs/odcs-json-schema-v3.1.0.json"
CHECKS: list[dict[str, Any]] = [
    {
        "id": "id-there",
        "dataset": "clicks",
        "check": "null",
        "fields": "id",
        "threshold": "0 %",
        "severity": "error",
    },
    {"dataset": "clicks", "check": "domain", "fields": "kind", "values": ["a", "b"], "threshold": "0.1 %"},
    {"dataset": "clicks", "check": "regex", "fields": "id", "pattern": "^c[0-9]+$"},
    {"dataset": "clicks", "check": "unique", "fields": ["id", "at"]},
    {"dataset": "clicks", "check": "volume", "between": {"min": 10, "max": 500}},
    {"dataset": "clicks", "check": "range", "fields": "amount", "between": {"min": 0}},
]


def drafted(folder: Path) -> dict[str, Any]:
    source = {
        "owner": "web",
        "retention": "36 h",
        "semantics": {"event_time": "at"},
        "cdc": {"primary_key": ["id"]},
    }
    slos = [{"for": "board", "freshness": {"p95": "90 s", "p99": "10 min"}}]
    plan = small(folder / "plan", source=source, quality=CHECKS, slos=slos)
    made = export(plan, "odcs", settings={"version": "0.1.0"})
    assert [one.what for one in made.dropped] == ["$.quality[5]"]  # the library has no metric for a range
    return {file.name: yaml.safe_load(file.text) for file in made.files}


def test_a_contract_is_drafted_from_what_the_plan_says_of_its_data(tmp_path: Path) -> None:
    clicks = drafted(tmp_path)["clicks.odcs.yaml"]
    (table,) = clicks["schema"]
    fields = {one["name"]: one for one in table["properties"]}
    assert (clicks["id"], clicks["status"], clicks["team"]) == ("clicks", "draft", {"name": "web"})
    assert clicks["slaProperties"] == [{"property": "retention", "value": 36, "unit": "h"}]
    assert (fields["id"]["primaryKey"], fields["id"]["primaryKeyPosition"]) == (True, 1)
    assert fields["kind"]["quality"] == [
        {
            "metric": "invalidValues",
            "arguments": {"validValues": ["a", "b"]},
            "mustBeLessOrEqualTo": 0.1,
            "unit": "percent",
        }
    ]
    assert [rule["metric"] for rule in fields["id"]["quality"]] == ["nullValues", "invalidValues"]
    assert [rule["metric"] for rule in table["quality"]] == ["duplicateValues", "rowCount"]
    assert table["quality"][1]["mustBeBetween"] == [10, 500]


def test_the_slowest_promise_of_a_sink_is_its_latency(tmp_path: Path) -> None:
    board = drafted(tmp_path)["board.odcs.yaml"]
    assert board["slaProperties"] == [{"property": "latency", "value": 10, "unit": "m"}]


@pytest.mark.skipif(not SCHEMA.is_file(), reason=f"the standard's JSON Schema is not at {SCHEMA}")
def test_contracts_are_valid_by_the_standard_s_own_schema(tmp_path: Path) -> None:
    schema = json.loads(SCHEMA.read_text(encoding="utf-8"))
    made = [yaml.safe_load(file.text) for file in export(ORDERS, "odcs").files]
    for contract in [*made, *drafted(tmp_path).values()]:
        jsonschema.Draft201909Validator(schema).validate(contract)


@pytest.mark.parametrize("name", ["orders-to-warehouse", "mobile-telemetry", "ledger-batch"])
def test_a_contract_that_is_there_loses_nothing(tmp_path: Path, name: str) -> None:
    plan = read_plan(EXAMPLES / name)
    made = {file.name: file.text for file in export(plan, "odcs").files}
    seen = 0
    for end in (*plan.model.sources, *plan.model.sinks):
        if end.contract is None:
            continue
        before = plan.contracts[end.contract]
        (tmp_path / "after.yaml").write_text(made[f"{end.id}.odcs.yaml"], encoding="utf-8")
        after = read_odcs(tmp_path / "after.yaml")
        assert (after.id, after.version, after.team) == (before.id, before.version, before.team)
        assert [d.name for d in after.datasets] == [d.name for d in before.datasets]
        levels = [(sla.name, sla.value, sla.unit) for sla in before.sla]
        assert [(sla.name, sla.value, sla.unit) for sla in after.sla][: len(levels)] == levels
        assert before.document is not None
        kept = {k: v for k, v in before.document.data.items() if k != "slaProperties"}
        now = yaml.safe_load(made[f"{end.id}.odcs.yaml"])
        assert json.dumps({k: v for k, v in now.items() if k != "slaProperties"}) == json.dumps(kept)
        seen += 1
    assert seen >= 2


def test_a_drafted_contract_reads_back_as_what_the_plan_promises(tmp_path: Path) -> None:
    source = {"retention": "36 h"}
    slos = [{"for": "board", "freshness": {"p95": "90 s"}}]
    plan = small(tmp_path / "plan", source=source, slos=slos)
    back = held_against(tmp_path, export(plan, "odcs", settings={"version": "1.0.0"}), tmp_path / "plan")
    compared = [(link.fact.field, agrees(link.stated, link.fact, link.relation)) for link in back.real.links]
    assert sorted(compared) == [("promise.latency", True), ("promise.retention", True)]


def with_a_table(folder: Path, more: str = "") -> Path:
    """The main example, whose sink says what dbt calls its table."""
    copy = folder / "orders"
    shutil.copytree(ORDERS, copy, ignore=shutil.ignore_patterns("golden", "data", "old"))
    (copy / "pipelineplan.toml").write_text("", encoding="utf-8")
    plan = copy / "plan.yaml"
    text = plan.read_text(encoding="utf-8").replace(
        "  - id: warehouse\n", "  - id: warehouse\n    table: raw.minute_sales\n"
    )
    plan.write_text(text.replace("quality:\n", f"quality:\n{more}", 1), encoding="utf-8")
    return copy


def test_freshness_reads_back_as_what_the_plan_says(tmp_path: Path) -> None:
    warns = "  - {dataset: warehouse, check: freshness, fields: minute, within: 300 s, severity: warning}\n"
    folder = with_a_table(tmp_path, warns)
    made = export(folder, "dbt")
    assert yaml.safe_load(made.files[0].text) == {
        "version": 2,
        "sources": [
            {
                "name": "raw",
                "tables": [
                    {
                        "name": "minute_sales",
                        "config": {
                            "freshness": {
                                "warn_after": {"count": 5, "period": "minute"},
                                "error_after": {"count": 8, "period": "minute"},
                            },
                            "loaded_at_field": "minute",
                        },
                    }
                ],
            }
        ],
    }
    back = held_against(tmp_path, made, folder)
    compared = [(link.fact.field, agrees(link.stated, link.fact, link.relation)) for link in back.real.links]
    assert len(compared) >= 4
    assert {agreed for _, agreed in compared} == {True}


@pytest.mark.parametrize(
    ("check", "why"),
    [
        ({"within": "30 s"}, "the finest that dbt knows"),
        ({"within": "1 h", "severity": "info"}, "neither warns nor fails"),
        ({"within": "1 h", "dataset": "clicks"}, "no table that the pipeline writes"),
    ],
)
def test_what_dbt_cannot_be_told_is_left_out_and_said(
    tmp_path: Path, check: dict[str, str], why: str
) -> None:
    usual = {"dataset": "board", "check": "freshness", "fields": "at", "within": "2 h"}
    other = {**usual, **check}
    plan = small(tmp_path, quality=[usual, other])
    made = export(plan, "dbt", settings={"source": "raw"})
    assert [one.why for one in made.dropped if why in one.why] != []
    with pytest.raises(InputError, match="states nothing"):
        export(small(tmp_path, quality=[other]), "dbt")


def test_a_table_without_a_source_is_a_comment(tmp_path: Path) -> None:
    plan = small(
        tmp_path, quality=[{"dataset": "board", "check": "freshness", "fields": "at", "within": "2 h"}]
    )
    text = text_of(plan, "dbt")
    assert yaml.safe_load(text) == {"version": 2}
    assert "# - name: <SOURCE>  # --set source=NAME" in text
