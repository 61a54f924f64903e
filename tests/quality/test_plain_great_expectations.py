"""The written folder is an ordinary project: Great Expectations alone runs it, on another engine."""

from __future__ import annotations

import json
import os
import shutil
import sqlite3
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from pipelineplan.contracts import Contract
from pipelineplan.quality import CheckVerdict, QualityRule, compile_suites, run_suites, write_gx_project

pytest.importorskip("great_expectations", reason="great_expectations is not installed")

Shop = Any

CONTRACT = """\
apiVersion: v3.1.0
kind: DataContract
id: shop
version: 1.0.0
status: active
schema:
  - name: orders
    physicalName: orders_v1
    properties:
      - {name: order_id, logicalType: string, required: true, unique: true,
         logicalTypeOptions: {maxLength: 3}}
      - {name: customer_id, logicalType: integer, relationships: [{to: customers.id}]}
      - {name: amount, logicalType: number, logicalTypeOptions: {minimum: 0}}
      - name: currency
        logicalType: string
        quality:
          - {metric: invalidValues, arguments: {validValues: [EUR, USD]}, mustBe: 0}
          - {metric: nullValues, mustBeLessThan: 20, unit: percent}
          - {metric: missingValues, arguments: {missingValues: [null, '']}, mustBeLessThan: 2}
    quality:
      - {metric: rowCount, mustBeBetween: [2, 4]}
      - {metric: duplicateValues, arguments: {properties: [order_id, currency]}, mustBe: 0}
      - {type: sql, query: "SELECT SUM(amount) FROM ${table}", mustBeGreaterThan: 1}
      - {type: sql, query: "SELECT no_such_column FROM ${table}", mustBe: 1}
  - {name: customers, properties: [{name: id, logicalType: integer, required: true}]}
"""
RULES = (
    QualityRule("orders", "out_of_order", ("amount", "order_id")),
    QualityRule("orders", "sql", query="SELECT * FROM {table} WHERE amount > 5"),
    QualityRule("orders", "null", ("currency",), at_most_share=0.3),
)
GOOD = [("a", 1, 1.0, "EUR"), ("b", 2, 2.0, "USD"), ("c", 1, 3.0, "EUR")]
BAD = [
    ("aaaa", 1, -1.0, "EUR"),
    ("b", 9, 9.0, "GBP"),
    ("b", 1, 3.0, None),
    ("b", 1, 3.0, None),
    ("", 1, 0.0, ""),
]
COLUMNS = ("order_id", "customer_id", "amount", "currency")

# What any user of Great Expectations would write; the interpreter knows nothing of pipelineplan.
PLAIN = """\
import json, sys
import great_expectations as gx
result = gx.get_context(mode="file", project_root_dir=sys.argv[1]).checkpoints.get("all").run()
found = {}
for run in result.run_results.values():
    for each in run.results:
        info = each.exception_info
        infos = [info] if "raised_exception" in info else info.values()
        raised = any(one["raised_exception"] for one in infos)
        verdict = "could not evaluate" if raised else "pass" if each.success else "fail"
        found[each.expectation_config.id] = verdict
assert not [name for name in sys.modules if name.startswith("pipelineplan")]
json.dump(found, open(sys.argv[2], "w"))
"""


def _verdicts_here(contract: Contract, shop: Shop, rows: list[tuple[Any, ...]]) -> dict[str, str]:
    suites = compile_suites([contract], RULES)
    orders = shop.parquet("orders", [dict(zip(COLUMNS, row, strict=True)) for row in rows])
    customers = shop.parquet("customers", [{"id": 1}, {"id": 2}])
    report = run_suites(suites, {"orders": orders, "customers": customers})
    pairs = zip(suites.checks, report.checks, strict=True)
    return {check.id: str(result.verdict) for check, result in pairs if check.how != "schema"}


def _in_sqlite(folder: Path, rows: list[tuple[Any, ...]]) -> str:
    database = sqlite3.connect(folder / "shop.sqlite")
    database.execute(f"CREATE TABLE orders_v1 ({', '.join(COLUMNS)})")
    database.executemany("INSERT INTO orders_v1 VALUES (?, ?, ?, ?)", rows)
    database.execute("CREATE TABLE customers (id)")
    database.executemany("INSERT INTO customers VALUES (?)", [(1,), (2,)])
    database.commit()
    database.close()
    return f"sqlite:///{folder / 'shop.sqlite'}"


def _in_postgresql(url: str, rows: list[tuple[Any, ...]]) -> str:
    import psycopg

    with psycopg.connect(url, autocommit=True) as database:
        database.execute("DROP TABLE IF EXISTS orders_v1, customers")
        types = "order_id text, customer_id bigint, amount double precision, currency text"
        database.execute(f"CREATE TABLE orders_v1 ({types})")
        database.cursor().executemany("INSERT INTO orders_v1 VALUES (%s, %s, %s, %s)", rows)
        database.execute("CREATE TABLE customers AS SELECT * FROM generate_series(1, 2) AS made(id)")
    return url.replace("postgresql://", "postgresql+psycopg://")


def _verdicts_there(
    contract: Contract, folder: Path, url: str, python: str = sys.executable
) -> dict[str, str]:
    write_gx_project(compile_suites([contract], RULES), folder)
    env = os.environ | {"PIPELINEPLAN_DATABASE": url}
    command = [python, "-c", PLAIN, str(folder), str(folder / "out.json")]
    done = subprocess.run(command, env=env, capture_output=True, text=True, check=False, cwd=folder)
    assert done.returncode == 0, done.stderr
    assert "it/s" not in done.stderr
    found: dict[str, str] = json.loads((folder / "out.json").read_text(encoding="utf-8"))
    return found


@pytest.mark.slow
@pytest.mark.parametrize("rows", [GOOD, BAD], ids=["good", "bad"])
def test_great_expectations_alone_gives_the_same_verdicts(
    shop: Shop, tmp_path: Path, rows: list[tuple[Any, ...]]
) -> None:
    contract = shop.contract(CONTRACT)
    here = _verdicts_here(contract, shop, rows)
    assert here == _verdicts_there(contract, tmp_path, _in_sqlite(tmp_path, rows))
    assert len(here) > 12
    failed = sum(verdict == CheckVerdict.FAIL for verdict in here.values())
    assert failed == (0 if rows is GOOD else 11)
    assert sum(verdict == CheckVerdict.NOT_EVALUATED for verdict in here.values()) == 1


@pytest.fixture(scope="module")
def fresh_python(tmp_path_factory: pytest.TempPathFactory) -> str:
    """An interpreter with Great Expectations from the package index, and nothing of this project."""
    uv = shutil.which("uv")
    if uv is None:
        pytest.skip("uv is not installed: no fresh environment can be made")
    folder = tmp_path_factory.mktemp("fresh") / "venv"
    python = folder / "bin/python"
    wanted = ["great-expectations>=1.20,<2", "sqlalchemy>=2", "psycopg[binary]>=3.2"]
    for command in (
        [uv, "venv", "--quiet", "--python", sys.executable, folder],
        [uv, "pip", "install", "--quiet", "--python", python, *wanted],
    ):
        done = subprocess.run(command, capture_output=True, text=True, check=False)
        if done.returncode:
            pytest.skip(f"no fresh environment could be made: {done.stderr.strip()[-200:]}")
    missing = subprocess.run(
        [python, "-c", "import pipelineplan"], capture_output=True, text=True, check=False, cwd="/"
    )
    assert "No module named 'pipelineplan'" in missing.stderr
    return str(python)


@pytest.mark.slow
@pytest.mark.parametrize("rows", [GOOD, BAD], ids=["good", "bad"])
@pytest.mark.parametrize("engine", ["sqlite", "postgresql"])
def test_in_a_fresh_environment_great_expectations_gives_the_same_verdicts(
    shop: Shop,
    tmp_path: Path,
    fresh_python: str,
    request: pytest.FixtureRequest,
    engine: str,
    rows: list[tuple[Any, ...]],
) -> None:
    if engine == "sqlite":
        url = _in_sqlite(tmp_path, rows)
    else:
        url = _in_postgresql(request.getfixturevalue("database"), rows)
    contract = shop.contract(CONTRACT)
    assert _verdicts_there(contract, tmp_path, url, fresh_python) == _verdicts_here(contract, shop, rows)
