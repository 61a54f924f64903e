"""Traps of Great Expectations, pandas and DuckDB that were met once: none reaches who runs a check.

Each test says which trap it is. Bounds of time, decimals, zones and columns named like words of SQL are in
test_backends.py, ids and schemas in test_compiling.py.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
from datetime import UTC, datetime
from decimal import Decimal
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from pipelineplan.quality import (
    Backend,
    CheckVerdict,
    QualityReport,
    QualityRule,
    compile_suites,
    dialect_of,
    gx_files,
    run_suites,
)
from pipelineplan.quality.outcome import read_answer
from pipelineplan.verdicts import Severity, Verdict

Shop = Any

pytest.importorskip("great_expectations", reason="great_expectations is not installed")

AS_OF = datetime(2026, 3, 1, 12, tzinfo=UTC)
HEAD = "apiVersion: v3.1.0\nkind: DataContract\nid: t\nversion: 1.0.0\nstatus: active\nschema:\n  - name: t\n"
LOCAL = ("duckdb", "pandas", "sqlite")


def custom(
    shop: Shop, rows: Any, *written: str, backend: Backend = "duckdb", fields: str = ""
) -> QualityReport:
    """What custom expectations, written as in a contract, say of `rows`."""
    rules = "".join(
        f"      - {{type: custom, engine: greatExpectations, implementation: {each}}}\n" for each in written
    )
    text = f"{HEAD}    properties:{fields or ' []'}\n    quality:\n{rules}"
    suites = compile_suites([shop.contract(text)], (), AS_OF, dialect_of(backend))
    return run_suites(suites, {"t": shop.parquet("t", rows)}, backend=backend)


def ruled(shop: Shop, rows: Any, *rules: QualityRule, backend: Backend = "duckdb") -> QualityReport:
    suites = compile_suites([], rules, AS_OF, dialect_of(backend))
    return run_suites(suites, {"t": shop.parquet("t", rows)}, backend=backend)


RAISED = {"raised_exception": True, "exception_message": "Boom", "exception_traceback": "..."}
FINE = {"raised_exception": False, "exception_message": None, "exception_traceback": None}


@pytest.mark.parametrize(
    ("info", "verdict"),
    [
        (RAISED, "could not evaluate"),
        ({"('metric', 'id')": RAISED}, "could not evaluate"),
        ({"('one', '')": FINE, "('other', '')": RAISED}, "could not evaluate"),
        (FINE, "fail"),
        ({"('one', '')": FINE}, "fail"),
        ({}, "fail"),
        (None, "fail"),
    ],
)
def test_an_exception_in_either_shape_is_no_failure(info: Any, verdict: str) -> None:
    """Trap: an expectation that raised says success: false, in a flat record or in one per metric."""
    answer = read_answer(SimpleNamespace(success=False, exception_info=info, result={}))
    assert answer.verdict == verdict
    assert (answer.reason == "Boom") == (verdict == "could not evaluate")


@pytest.mark.parametrize("backend", LOCAL)
def test_what_an_engine_cannot_do_could_not_be_evaluated(shop: Shop, backend: Backend) -> None:
    """Trap: some expectations have no provider on SQL, which is told as a failed expectation."""
    report = custom(
        shop,
        [{"a": 1}, {"a": 2}],
        "{type: expect_column_values_to_be_increasing, kwargs: {column: a}}",
        backend=backend,
    )
    (found,) = report.checks
    assert found.verdict == ("pass" if backend == "pandas" else "could not evaluate")
    assert report.verdict is (Verdict.HOLDS if backend == "pandas" else Verdict.UNKNOWN)


def test_severity_decides_and_success_does_not(shop: Shop) -> None:
    """Trap: `success` of a run ignores severity: a failed warning fails it."""
    rules = [QualityRule("t", "null", ("a",), severity=each) for each in (Severity.INFO, Severity.WARNING)]
    report = ruled(shop, [{"a": None, "b": 1}], *rules)
    assert [check.verdict for check in report.checks] == ["fail", "fail"]
    assert report.verdict is Verdict.HOLDS
    worse = ruled(shop, [{"a": None, "b": 1}], *rules, QualityRule("t", "null", ("a",)))
    assert worse.verdict is Verdict.FAILS


@pytest.mark.parametrize("backend", LOCAL)
def test_text_is_text_on_every_engine(shop: Shop, backend: Backend) -> None:
    """Trap: pandas 3 has a type `str` of its own, of which Great Expectations says it is no string."""
    fields = "\n      - {name: a, logicalType: string, required: true, logicalTypeOptions: {maxLength: 3}}"
    rows = [{"a": "x"}, {"a": "日本語"}]
    report = custom(
        shop, rows, "{type: expect_column_to_exist, kwargs: {column: a}}", backend=backend, fields=fields
    )
    assert [check.verdict for check in report.checks] == ["pass"] * 4


@pytest.mark.parametrize("backend", LOCAL)
def test_aggregates_take_decimals_with_nulls(shop: Shop, backend: Backend) -> None:
    """Trap: pandas raises on the mean, sum and deviation of decimals of which one is missing."""
    rows = [{"a": Decimal("0.10")}, {"a": None}, {"a": Decimal("0.30")}]
    report = custom(
        shop,
        rows,
        "{type: expect_column_mean_to_be_between, kwargs: {column: a, min_value: 0.15, max_value: 0.25}}",
        "{type: expect_column_sum_to_be_between, kwargs: {column: a, max_value: 0.3}}",
        "{type: expect_column_max_to_be_between, kwargs: {column: a, max_value: 0.3}}",
        backend=backend,
    )
    assert [check.verdict for check in report.checks] == ["pass", "fail", "pass"]


@pytest.mark.parametrize("backend", LOCAL)
def test_large_integers_with_nulls_stay_apart(shop: Shop, backend: Backend) -> None:
    """Trap: pandas turns integers with a NULL among them into floats, and 2^53 + 1 into 2^53."""
    rows = [{"a": 2**53}, {"a": 2**53 + 1}, {"a": None}]
    report = ruled(shop, rows, QualityRule("t", "unique", ("a",)), backend=backend)
    assert [check.verdict for check in report.checks] == ["pass"]


@pytest.mark.parametrize("backend", LOCAL)
def test_a_pattern_is_searched_for(shop: Shop, backend: Backend) -> None:
    """Trap: `~` is a search in PostgreSQL and was a match of the whole text in DuckDB before 2.0."""
    rules = [QualityRule("t", "regex", ("a",), pattern="z", at_most_share=share) for share in (0.0, 0.1)]
    report = ruled(shop, [{"a": "azb"}, {"a": "zz"}], *rules, backend=backend)
    assert [check.verdict for check in report.checks] == ["pass", "pass"]


@pytest.mark.parametrize("backend", LOCAL)
def test_a_line_end_does_not_end_the_text(shop: Shop, backend: Backend) -> None:
    """Trap: `$` in Python matches before a final line break, in RE2 and PostgreSQL it does not."""
    rules = [QualityRule("t", "regex", ("a",), pattern="^a$", at_most_share=share) for share in (0.0, 0.1)]
    report = ruled(shop, [{"a": "a\n"}], *rules, backend=backend)
    assert [check.verdict for check in report.checks] == ["fail", "fail"]


@pytest.mark.parametrize("backend", LOCAL)
def test_a_pattern_that_never_ends_elsewhere_ends(shop: Shop, backend: Backend) -> None:
    """Trap: Python's matcher, which pandas and SQLite are given, takes years for this one."""
    rules = [QualityRule("t", "regex", ("a",), pattern="^(a+)+$", at_most_share=each) for each in (0.0, 0.1)]
    report = ruled(shop, [{"a": "a" * 5000 + "!"}], *rules, backend=backend)
    assert [check.verdict for check in report.checks] == ["fail", "fail"]


@pytest.mark.parametrize(
    "written",
    [
        "{type: expect_column_values_to_not_be_null, kwargs: {column: a, row_condition: 'a > 1'}}",
        "{type: expect_column_values_to_not_be_null, kwargs: {column: a, mostly: 1.5}}",
        "{type: expect_column_values_to_not_be_null, kwargs: {column: a, colour: red}}",
        "{type: expect_column_values_to_be_between, kwargs: {column: a, min_value: [1]}}",
        "{type: unexpected_rows_expectation, kwargs: {unexpected_rows_query: 'SELECT {}'}}",
    ],
)
def test_arguments_that_are_refused_harm_no_other_check(shop: Shop, written: str) -> None:
    """Trap: one expectation with arguments that are not taken keeps its whole suite from loading."""
    good = "{type: expect_column_values_to_not_be_null, kwargs: {column: a}}"
    report = custom(shop, [{"a": 1}], written, good)
    assert [check.verdict for check in report.checks] == ["could not evaluate", "pass"]
    assert report.checks[0].reason


@pytest.mark.parametrize("backend", LOCAL)
def test_a_report_stays_small_however_much_is_wrong(shop: Shop, backend: Backend) -> None:
    """Trap: results on pandas list every bad row: 16 MB for a million of them."""
    rows = [{"a": -number} for number in range(1, 20_001)]
    rules = [
        QualityRule("t", "range", ("a",), low=0),
        QualityRule("t", "sql", query="SELECT * FROM {table} WHERE a < 0"),
        QualityRule("t", "null", ("a",)),
    ]
    report = ruled(shop, rows, *rules, backend=backend)
    assert [check.unexpected_count for check in report.checks][:2] == [20_000, 20_000]
    assert len(json.dumps(report.to_json_dict())) < 4000


def test_no_documentation_site_and_no_statistics_are_configured(shop: Shop) -> None:
    """Trap: data docs load their styles from the network, and older versions sent statistics."""
    settings = gx_files(compile_suites([shop.contract()]))["great_expectations.yml"].decode()
    assert "data_docs_sites: {}" in settings
    assert "analytics_enabled: false" in settings
    assert "globally: false" in settings


def test_a_run_reaches_no_network_and_writes_nothing_to_the_terminal(shop: Shop, tmp_path: Path) -> None:
    """Traps: statistics of older versions, progress bars, and messages of libraries at their end."""
    shop.contract()
    shop.parquet("orders", shop.orders())
    code = (
        "import socket\n"
        "def refuse(*a, **k): raise SystemExit('a connection was tried')\n"
        "socket.socket.connect = socket.create_connection = socket.getaddrinfo = refuse\n"
        "from pathlib import Path\n"
        "from pipelineplan.contracts import *; from pipelineplan.quality import *\n"
        "c = read_contract(Path('shop.odcs.yaml'))\n"
        "for backend in ('duckdb', 'pandas', 'sqlite'):\n"
        "    suites = compile_suites([c], [], None, dialect_of(backend))\n"
        "    report = run_suites(suites, {'orders': Path('orders.parquet')}, backend=backend)\n"
        "    assert report.count(CheckVerdict.PASS) > 10\n"
    )
    env = os.environ | {"PYTHONPATH": str(Path(__file__).parents[2])}
    done = subprocess.run(
        [sys.executable, "-c", code], cwd=tmp_path, capture_output=True, check=False, env=env
    )
    assert (done.returncode, done.stdout, done.stderr) == (0, b"", b"")


def test_freshness_is_the_same_tomorrow(shop: Shop) -> None:
    """Trap: a bound that is `now` makes yesterday's green run red today; the bound is rendered."""
    rule = QualityRule("t", "freshness", ("at",), within_seconds=3600)
    (check,) = compile_suites([], [rule], AS_OF).checks
    assert "2026-03-01 11:00:00+00:00" in check.kwargs["unexpected_rows_query"]
    assert "now" not in check.kwargs["unexpected_rows_query"].lower().replace("known", "")


def test_samples_and_verdicts_do_not_depend_on_when_or_how_often(shop: Shop) -> None:
    """Trap: results carry run times and random ids."""
    rows = [{"a": number % 7} for number in range(50)]
    first = ruled(shop, rows, QualityRule("t", "unique", ("a",))).to_json_dict()
    assert first == ruled(shop, rows, QualityRule("t", "unique", ("a",))).to_json_dict()
    assert first["checks"][0]["verdict"] == CheckVerdict.FAIL


@pytest.mark.parametrize("backend", LOCAL)
def test_a_column_called_like_what_a_check_counts_changes_no_verdict(shop: Shop, backend: Backend) -> None:
    """Trap: a subquery with two columns of one name answers with the first of them."""
    early, later = datetime(2026, 3, 1, tzinfo=UTC), datetime(2026, 3, 1, 0, 1, tzinfo=UTC)
    rows = [
        {'k "q"': 1, "times": 5, "at": early, "last_time": later, "newest_before": later},
        {'k "q"': 2, "times": 5, "at": later, "last_time": later, "newest_before": later},
    ]
    rules = (
        QualityRule("t", "unique", ("times", 'k "q"')),
        QualityRule("t", "unique", ('k "q"',)),
        QualityRule("t", "duplicate", ("times", "at"), within_seconds=30),
        QualityRule("t", "out_of_order", ("at", "last_time")),
    )
    report = ruled(shop, rows, *rules, backend=backend)
    assert [result.verdict for result in report.checks] == [CheckVerdict.PASS] * 4, report.to_rows()
