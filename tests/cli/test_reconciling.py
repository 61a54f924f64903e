"""`test` with a reconciliation: the plan's own pairs, an old output against a new one, and a replay."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import duckdb
import pyarrow.parquet as pq
import pytest

ROOT = Path(__file__).parents[2]
ORDERS = ROOT / "examples/orders-to-warehouse"
GOLDEN = Path(__file__).parent / "golden"
Run = Callable[..., subprocess.CompletedProcess[str]]


@pytest.fixture
def orders(tmp_path: Path) -> Path:
    return Path(shutil.copytree(ORDERS, tmp_path / "orders"))


def run(*arguments: object, cwd: Path) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "pipelineplan", "test", "plan.yaml", *map(str, arguments)],
        cwd=cwd,
        capture_output=True,
        text=True,
        encoding="utf-8",
        timeout=120,
        check=False,
    )


def test_the_golden_text_of_the_old_load_against_the_new_one(orders: Path) -> None:
    found = run("--data", "warehouse=data/minute_sales.csv", "--against", "old/minute_sales.csv", cwd=orders)
    assert (found.returncode, found.stderr) == (1, "")
    golden = GOLDEN / "orders-against-old.txt"
    if os.environ.get("REWRITE_GOLDEN"):
        golden.write_text(found.stdout, encoding="utf-8")
    assert found.stdout == golden.read_text("utf-8")


def test_the_old_load_of_the_example_is_what_the_script_writes() -> None:
    script = ROOT / "tests/examples/old_minute_sales.py"
    done = subprocess.run([sys.executable, script], capture_output=True, text=True, check=True)
    assert done.stdout == (ORDERS / "old/minute_sales.csv").read_text("utf-8")


def test_one_json_document_with_every_key(orders: Path) -> None:
    options = ("--data", "warehouse=data/minute_sales.csv", "--against", "warehouse=old/minute_sales.csv")
    found = run(*options, "--format", "json", cwd=orders)
    (pair,) = json.loads(found.stdout)["report"]["reconciliation"]["pairs"]
    assert pair["verdict"] == "fails"
    assert pair["windows"] == {"closed": 3, "open": 3, "length_seconds": 300.0}
    assert pair["differing_keys"] == {"missing": 0, "extra": 0, "changed": 11, "repeated": 0}
    assert len(pair["keys"]) == 11
    assert pair["escalation"]["level"] == "escalated"
    assert pair["escalation"]["to"] == "team-orders"


@pytest.mark.slow
def test_the_plans_own_reconciliation_runs_where_both_sides_have_data(orders: Path) -> None:
    options = ("--as-of", "2026-11-09T10:30:20Z", "--data", "orders=data/orders.csv")
    alone = run(*options, "--format", "json", cwd=orders)
    assert json.loads(alone.stdout)["report"]["reconciliation"]["pairs"] == []
    both = run(*options, "warehouse=data/minute_sales.csv", cwd=orders)
    assert both.returncode == 0
    assert "662 orders = 662 warehouse + 0 late_dropped + 0 dead_lettered" in both.stdout
    assert "1 repeated or superseded records of orders do not count" in both.stdout


def test_what_was_dropped_late_is_part_of_the_balance(orders: Path) -> None:
    """A change that the mart never saw is missing, until the plan says where it went."""
    lines = (orders / "data/orders.csv").read_text("utf-8").splitlines()
    extra = next(line for line in lines if "10:03:" in line).replace("O0", "Q0").replace("placed", "paid")
    fields = extra.split(",")
    fields[8] = "1"
    (orders / "data/orders.csv").write_text("\n".join([*lines, ",".join(fields), ""]), encoding="utf-8")
    (orders / "late.csv").write_text("\n".join([lines[0], ",".join(fields), ""]), encoding="utf-8")
    options = ("--as-of", "2026-11-09T10:30:20Z", "--data", "orders=data/orders.csv")
    missing = run(*options, "warehouse=data/minute_sales.csv", cwd=orders)
    assert missing.returncode == 1
    assert "663 orders <> 662 warehouse" in missing.stdout
    assert "keys: 1 changed" in missing.stdout
    told = run(*options, "warehouse=data/minute_sales.csv", "orders-too-late=late.csv", cwd=orders)
    assert "663 orders = 662 warehouse + 1 late_dropped + 0 dead_lettered" in told.stdout, (
        told.stdout + told.stderr
    )
    assert "sales-in-equals-sales-out: holds" in told.stdout


def test_a_replay_names_the_first_key_that_differs(orders: Path) -> None:
    lines = (orders / "data/minute_sales.csv").read_text("utf-8").splitlines()
    again = [lines[0], *sorted(lines[1:], reverse=True)]
    (orders / "again.csv").write_text("\n".join([*again, ""]), encoding="utf-8")
    same = run("--data", "warehouse=data/minute_sales.csv", "--against", "again.csv", "--replay", cwd=orders)
    assert (same.returncode, "356 warehouse (first run) = 356 warehouse (again)" in same.stdout) == (0, True)
    broken = [line.replace(",4,81959", ",4,81960") for line in again]
    (orders / "again.csv").write_text("\n".join([*broken, ""]), encoding="utf-8")
    found = run("--data", "warehouse=data/minute_sales.csv", "--against", "again.csv", "--replay", cwd=orders)
    assert found.returncode == 1
    first = "changed store_id=S02, minute=2026-11-09 10:00:00: amount_cents 81960 -> 81959"
    assert first in found.stdout
    aside = ("--replay", "--ignore", "amount_cents")
    assert (
        run(
            "--data", "warehouse=data/minute_sales.csv", "--against", "again.csv", *aside, cwd=orders
        ).returncode
        == 0
    )


@pytest.mark.parametrize(
    ("options", "says"),
    [
        (["--data", "warehouse=data/minute_sales.csv", "--replay"], "found --replay without --against"),
        (["--data", "warehouse=data/minute_sales.csv", "--against", "nowhere.csv"], "no data file there"),
        (
            ["--data", "warehouse=data/minute_sales.csv", "--against", "orders=data/orders.csv"],
            "no data for 'orders'",
        ),
        (
            ["--data", "warehouse=data/minute_sales.csv", "--against", "data/orders.csv"],
            "found no column 'minute'",
        ),
        (["--data-dir", "data", "--against", "old/minute_sales.csv"], "wanted NAME=PATH"),
        (["--data-dir", "data", "--watermark", "noon"], "wanted a date"),
        (["--data-dir", "data", "--watermark", "end", "--stream", "out"], "leave it out here"),
    ],
)
def test_unusable_input_is_said_and_exits_2(orders: Path, options: list[str], says: str) -> None:
    found = run(*options, cwd=orders)
    assert found.returncode == 2
    assert says in found.stderr
    assert "Traceback" not in found.stderr


def test_beam_counts_and_the_same_keys_are_found(orders: Path) -> None:
    import duckdb

    for name in ("data", "old"):
        query = f"SELECT * FROM '{orders}/{name}/minute_sales.csv'"
        duckdb.execute(f"COPY ({query}) TO '{orders}/{name}.parquet' (FORMAT parquet)")
    here = run("--data", "warehouse=data.parquet", "--against", "old.parquet", cwd=orders)
    there = run("--data", "warehouse=data.parquet", "--against", "old.parquet", "--on", "beam", cwd=orders)
    assert (there.returncode, there.stdout) == (1, here.stdout), there.stderr
    guessed = run(
        "--data", "warehouse=data.parquet", "--against", "old/minute_sales.csv", "--on", "beam", cwd=orders
    )
    assert guessed.returncode == 2
    assert "types would be guessed" in guessed.stderr


def test_hostile_names_and_files_give_no_traceback(orders: Path) -> None:
    (orders / "odd.csv").write_bytes(b"store_id,minute,changes,amount_cents\n\x00\xff,\x1b[31m,NaN,1e400\n")
    found = run("--data", "warehouse=data/minute_sales.csv", "--against", "odd.csv", cwd=orders)
    assert found.returncode in {1, 2}
    assert "Traceback" not in found.stderr
    assert "\x1b" not in found.stdout


def test_streams_are_checked_with_core_expectations_only(orders: Path) -> None:
    found = run("--data", "orders=data/orders.csv", "--stream", "out", "--format", "json", cwd=orders)
    (stream,) = json.loads(found.stdout)["report"]["streams"]["streams"]
    lines = (orders / "data/orders.csv").read_text("utf-8").splitlines()
    assert stream["totals"]["records"] == len(lines) - 1
    assert stream["totals"]["duplicate"] == 1
    suites = list((orders / "out/orders").rglob("expectations/*.json"))
    kinds = {each["type"] for file in suites for each in json.loads(file.read_text("utf-8"))["expectations"]}
    assert kinds == {"expect_column_values_to_be_between", "expect_column_sum_to_be_between"}
    assert (orders / "out/orders.metrics.parquet").is_file()
    text = run("--data", "orders=data/orders.csv", "--stream", "out", cwd=orders)
    assert "out of order" in text.stdout
    assert run("--data", "warehouse=data/minute_sales.csv", "--stream", "out", cwd=orders).returncode == 2


def changes(folder: Path) -> None:
    """Changes of eight accounts: number 4 of each is missing, and one deletes a row that never came."""
    query = """SELECT 'a' || i % 8 AS account, i // 8 AS number, TIMESTAMP '2026-01-01' + to_seconds(i) AS at,
        CASE WHEN i = 3 THEN 'd' ELSE 'u' END AS op FROM range(48) t(i) WHERE i // 8 <> 4"""
    duckdb.execute(f"COPY ({query}) TO '{(folder / 'changes.parquet').as_posix()}' (FORMAT parquet)")


PLAN_OF_CHANGES = """\
apiVersion: pipelineplan/v1
kind: DataPlan
metadata: {name: accounts}
sources:
  - id: changes
    cdc: {primary_key: [account], operation: op}
    semantics: {event_time: at, sequence: number, watermark: {lag: 2 s}}
stages:
  - {id: minute, inputs: [changes], window: {fixed: 10 s}}
sinks:
  - {id: table, inputs: [minute]}
"""


def test_gaps_and_deletions_of_what_never_came_are_counted_here_and_on_beam(tmp_path: Path) -> None:
    (tmp_path / "plan.yaml").write_text(PLAN_OF_CHANGES, encoding="utf-8")
    changes(tmp_path)
    options = ("--data", "changes=changes.parquet", "--format", "json")
    here = run(*options, "--stream", "here", cwd=tmp_path)
    assert (here.returncode, here.stderr) == (0, "")
    (stream,) = json.loads(here.stdout)["report"]["streams"]["streams"]
    assert stream["totals"]["gap"] == 8, "one in each account"
    assert stream["totals"]["unknown_delete"] == 1
    workers = "--runner-options=--direct_running_mode=multi_processing --direct_num_workers=2"
    on_beam = run(*options, "--stream", "there", "--on", "beam", workers, cwd=tmp_path)
    assert on_beam.returncode == 0, on_beam.stderr
    assert json.loads(on_beam.stdout) == json.loads(here.stdout)
    both = [pq.read_table(tmp_path / name / "changes.metrics.parquet") for name in ("here", "there")]
    assert both[0].equals(both[1])


@pytest.mark.parametrize(
    ("options", "says"),
    [
        (["--stream", "out", "--on", "flink"], "found --on flink with --stream"),
        (["--stream", "out", "--runner-options=--x=1"], "it goes with --on beam"),
        (["--on", "beam", "--runner-options=--x=1"], "a preview runs in this process"),
    ],
)
def test_a_runner_without_effect_is_refused(orders: Path, options: list[str], says: str) -> None:
    found = run("--data", "orders=data/orders.csv", *options, cwd=orders)
    assert found.returncode == 2
    assert says in found.stderr
