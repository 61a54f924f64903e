"""The example plans read, hold where they say so, and their data are what their contracts say."""

from __future__ import annotations

import csv
import importlib.util
import json
import re
from collections import Counter
from pathlib import Path

import pytest

from pipelineplan.contracts import lint, read_contract
from pipelineplan.plan import Plan, read_plan
from pipelineplan.rules import RULES, apply
from pipelineplan.rules.criteria import judge
from pipelineplan.sources import to_yaml
from pipelineplan.verdicts import Finding, Severity, Verdict

REPOSITORY = Path(__file__).parents[2]
EXAMPLES = REPOSITORY / "examples"
WHOLE = ("orders-to-warehouse", "mobile-telemetry", "ledger-batch")
HOLDING = (*WHOLE, "demo-holds", "schema-change")
ODCS_SCHEMA = REPOSITORY / "../shared/data/odcs/odcs-json-schema-v3.1.0.json"
DATA = {
    "orders-to-warehouse": {"orders": "orders.csv", "warehouse": "minute_sales.csv"},
    "mobile-telemetry": {"telemetry": "events.csv", "device-health": "device_health.csv"},
    "ledger-batch": {"entries": "entries.csv", "daily-balances": "daily_balances.csv"},
}
PAIRS = [(example, node, file) for example, files in DATA.items() for node, file in files.items()]


def example(name: str) -> Plan:
    return read_plan(EXAMPLES / name / "plan.yaml")


def inequalities(plan: Plan) -> list[Finding]:
    return [finding for rule in RULES.values() for finding in apply(rule, plan)]


def grave(findings: list[Finding]) -> list[str]:
    return [
        f"{one.code} {one.path} {one.message}"
        for one in findings
        if one.verdict is not Verdict.HOLDS and one.counts_as() is not Severity.INFO
    ]


@pytest.mark.parametrize("name", HOLDING)
def test_what_should_hold_has_no_finding_at_warning_or_above(name: str) -> None:
    plan = example(name)
    assert grave([*judge(plan), *inequalities(plan)]) == []


@pytest.mark.parametrize("name", ["orders-to-warehouse", "ledger-batch"])
def test_the_production_plans_meet_every_criterion(name: str) -> None:
    plan = example(name)
    assert plan.model.metadata.quality_level == "production"
    assert {one.verdict for one in judge(plan)} == {Verdict.HOLDS}


def test_the_failing_demo_fails_by_its_numbers_and_not_by_its_gaps() -> None:
    plan = example("demo-fails")
    assert grave(judge(plan)) == []
    failing = {one.code for one in inequalities(plan) if one.verdict is Verdict.FAILS}
    unknown = {one.code for one in inequalities(plan) if one.verdict is Verdict.UNKNOWN}
    assert "CAP201" in failing
    assert "EVT101" in unknown


@pytest.mark.parametrize(("name", "lines"), [("demo-holds", 40), ("demo-fails", 45)])
def test_the_demos_are_small(name: str, lines: int) -> None:
    assert len((EXAMPLES / name / "plan.yaml").read_text(encoding="utf-8").splitlines()) < lines


def test_one_line_makes_the_orders_plan_stale(tmp_path: Path) -> None:
    """The checkpoint interval from 60 s to 10 min: freshness fails, and drain and transactions grow."""
    before = {(one.code, one.subject): one for one in inequalities(example("orders-to-warehouse"))}
    copy = tmp_path / "plan"
    for file in (EXAMPLES / "orders-to-warehouse").rglob("*.yaml"):
        target = copy / file.relative_to(EXAMPLES / "orders-to-warehouse")
        target.parent.mkdir(parents=True, exist_ok=True)
        text, count = re.subn(
            r"^( +interval:) 60 s$", r"\1 10 min", file.read_text(encoding="utf-8"), flags=re.MULTILINE
        )
        assert count == (file.name == "plan.yaml")
        target.write_text(text, encoding="utf-8")
    after = {(one.code, one.subject): one for one in inequalities(read_plan(copy / "plan.yaml"))}
    turned = {key for key, one in after.items() if one.verdict is not before[key].verdict}
    assert {("EVT201", "warehouse orders p95"), ("EVT201", "warehouse orders p99")} <= turned
    moved = {key for key, one in after.items() if one.message != before[key].message}
    assert {("CAP201", "zone enrich"), ("CHK201", "warehouse")} <= moved


@pytest.mark.parametrize("file", sorted(EXAMPLES.rglob("*.odcs.yaml")), ids=lambda file: file.name)
def test_contracts_have_nothing_to_complain_of(file: Path) -> None:
    assert list(lint(read_contract(file))) == []


@pytest.mark.parametrize("file", sorted(EXAMPLES.rglob("*.odcs.yaml")), ids=lambda file: file.name)
def test_contracts_are_valid_by_the_standard_s_own_schema(file: Path) -> None:
    import jsonschema  # type: ignore[import-untyped]
    import yaml

    if not ODCS_SCHEMA.is_file():
        pytest.skip(f"the JSON Schema of ODCS is not at {ODCS_SCHEMA}")
    schema = json.loads(ODCS_SCHEMA.read_text(encoding="utf-8"))
    contract = yaml.safe_load(file.read_text(encoding="utf-8"))
    assert list(jsonschema.Draft201909Validator(schema).iter_errors(contract)) == []


@pytest.mark.parametrize(("name", "node", "file"), PAIRS)
def test_data_have_the_contract_s_columns_and_types(name: str, node: str, file: str) -> None:
    plan = example(name)
    reference = (plan.sink(node) if plan.graph.kinds[node] == "sink" else plan.source(node)).contract
    assert reference is not None
    fields = {field.name: field for field in plan.contracts[reference].datasets[0].fields}
    rows = rows_of(name, file)
    assert set(rows[0]) <= set(fields)
    assert {field for field, known in fields.items() if known.required} <= set(rows[0])
    for column in rows[0]:
        kind = fields[column].logical_type
        assert all(_PATTERNS[kind].fullmatch(row[column]) for row in rows), column


_PATTERNS = {
    "string": re.compile(r".+"),
    "integer": re.compile(r"-?\d+"),
    "date": re.compile(r"\d{4}-\d\d-\d\d"),
    "timestamp": re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z"),
}


def rows_of(name: str, file: str) -> list[dict[str, str]]:
    with (EXAMPLES / name / "data" / file).open(encoding="utf-8", newline="") as stream:
        return list(csv.DictReader(stream))


def test_the_generator_writes_the_data_that_are_there(tmp_path: Path) -> None:
    spec = importlib.util.spec_from_file_location(
        "generate_data", Path(__file__).with_name("generate_data.py")
    )
    assert spec is not None
    assert spec.loader is not None
    generate_data = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(generate_data)
    generate_data.main(tmp_path)
    written = sorted(file.relative_to(tmp_path) for file in tmp_path.rglob("*.csv"))
    assert written == sorted(file.relative_to(EXAMPLES) for file in EXAMPLES.glob("*/data/*.csv"))
    for file in written:
        assert (tmp_path / file).read_bytes() == (EXAMPLES / file).read_bytes(), file


def test_no_data_file_is_large() -> None:
    assert all(file.stat().st_size < 800_000 for file in EXAMPLES.rglob("data/*"))


def test_the_profile_is_that_of_the_events() -> None:
    profiling = pytest.importorskip("pipelineplan.profiling", reason="streams cannot be measured yet")
    folder = EXAMPLES / "mobile-telemetry"
    measured = profiling.measure(
        [folder / "data/events.csv"],
        event_time="measured_at",
        arrival_time="arrived_at",
        key="device_id",
        partition="partition",
        duplicates_by=("device_id", "seq"),
    )
    assert to_yaml(measured) == (folder / "profiles/telemetry.yaml").read_text(encoding="utf-8")


def test_sales_in_equal_sales_out() -> None:
    changes = {(row["order_id"], row["lsn"]): row for row in rows_of("orders-to-warehouse", "orders.csv")}
    wanted: Counter[tuple[str, str]] = Counter()
    for row in changes.values():
        wanted[row["store_id"], row["updated_at"][:16]] += int(row["amount_cents"])
    mart = rows_of("orders-to-warehouse", "minute_sales.csv")
    assert {(row["store_id"], row["minute"][:16]): int(row["amount_cents"]) for row in mart} == dict(wanted)
    assert len(changes) < len(rows_of("orders-to-warehouse", "orders.csv")), "some changes come twice"


def test_the_ledger_agrees_to_the_cent_and_has_corrections() -> None:
    entries = rows_of("ledger-batch", "entries.csv")
    latest = {row["entry_id"]: row for row in sorted(entries, key=lambda row: int(row["revision"]))}
    wanted: Counter[tuple[str, str]] = Counter()
    for row in latest.values():
        wanted[row["account_id"], row["booking_day"]] += int(row["amount_cents"])
    balances = rows_of("ledger-batch", "daily_balances.csv")
    assert {(row["account_id"], row["booking_day"]): int(row["amount_cents"]) for row in balances} == dict(
        wanted
    )
    assert any(row["revision"] != "1" for row in entries)
    newest_day = {row["file_day"]: row["booking_day"] for row in entries if row["revision"] == "1"}
    corrections = [row for row in entries if row["revision"] != "1"]
    assert all(row["booking_day"] < newest_day[row["file_day"]] for row in corrections)


def test_devices_fall_silent_and_send_late_in_batches() -> None:
    events = rows_of("mobile-telemetry", "events.csv")
    assert [row["arrived_at"] for row in events] == sorted(row["arrived_at"] for row in events)
    newest, behind = "", 0
    for row in events:
        behind += row["measured_at"] < newest
        newest = max(newest, row["measured_at"])
    assert 0.2 < behind / len(events) < 0.5
    last = {
        row["device_id"]: row["measured_at"] for row in sorted(events, key=lambda row: row["measured_at"])
    }
    assert last["d23"] < "2026-11-10T06:45" < max(last.values())
