"""Great Expectations on real files: good data passes, each fault fails exactly its check."""

from __future__ import annotations

import os
import subprocess
import sys
from dataclasses import replace
from datetime import date, timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

from pipelineplan.contracts import Place
from pipelineplan.errors import InputError, Position
from pipelineplan.quality import CheckVerdict, QualityReport, QualityRule, compile_suites, run_suites
from pipelineplan.verdicts import Severity, Verdict

Shop = Any

pytest.importorskip("great_expectations", reason="great_expectations is not installed")


def failed(report: QualityReport) -> list[str]:
    return [check.title for check in report.checks if check.verdict is CheckVerdict.FAIL]


def unclear(report: QualityReport) -> list[str]:
    return [check.title for check in report.checks if check.verdict is CheckVerdict.NOT_EVALUATED]


def test_good_data_passes_every_check(shop: Shop) -> None:
    report = shop.check()
    assert (failed(report), unclear(report)) == ([], [])
    assert report.verdict is Verdict.HOLDS
    assert report.datasets == {"orders": 10, "customers": 3}
    assert [entry.reason for entry in report.not_executable] == ["text is for people"]


@pytest.mark.parametrize(
    ("changes", "title", "count", "samples"),
    [
        ({"order_id": None}, "order_id is not null", 1, ()),
        ({"order_id": "o-4"}, "order_id is unique", 2, ("order_id=o-4",)),
        ({"order_id": "x-3"}, "order_id matches ^o-[0-9]+$", 1, ("x-3",)),
        ({"order_id": "o-1234567"}, "order_id has at most 8 characters", 1, ("o-1234567",)),
        ({"amount": Decimal("-0.01")}, "amount is at least 0", 1, ("-0.01",)),
        ({"amount": Decimal("1000.00")}, "amount is less than 1000", 1, ("1000.00",)),
        ({"currency": "GBP"}, "currency is one of 2 values", 1, ("GBP",)),
        ({"day": date(2025, 2, 4)}, "day is at least 2026-01-01", 1, ("2025-02-04",)),
    ],
)
def test_each_fault_fails_exactly_its_check(
    shop: Shop, changes: dict[str, Any], title: str, count: int, samples: tuple[str, ...]
) -> None:
    report = shop.check(shop.changed(3, **changes))
    assert (failed(report), unclear(report)) == ([title], [])
    (found,) = [check for check in report.checks if check.title == title]
    assert found.unexpected_count == count
    assert report.verdict is Verdict.FAILS
    if samples:
        assert found.samples == samples


def test_a_total_that_is_wrong_fails_the_query_and_shows_it(shop: Shop) -> None:
    report = shop.check([row | {"amount": Decimal("0.01")} for row in shop.orders()])
    (found,) = [check for check in report.checks if check.verdict is CheckVerdict.FAIL]
    assert (found.title, found.observed, found.unexpected_count) == ("total is positive", "0.10", None)


def test_an_orphan_key_fails_the_link_and_names_the_row(shop: Shop) -> None:
    report = shop.check(shop.changed(3, customer_id=99))
    assert failed(report) == ["customer_id is in customers(id)"]
    (found,) = [check for check in report.checks if check.verdict is CheckVerdict.FAIL]
    assert (found.unexpected_count, found.row_count, found.unexpected_share) == (1, 10, 0.1)
    assert "order_id=o-3, customer_id=99" in found.samples[0]


def test_stale_data_fails_freshness_and_shows_the_newest(shop: Shop) -> None:
    rows = [row | {"updated_at": row["updated_at"] - timedelta(hours=1)} for row in shop.orders()]
    report = shop.check(rows)
    assert failed(report) == ["updated_at is as new as 2026-03-01T11:00:00+00:00"]
    (found,) = [check for check in report.checks if check.verdict is CheckVerdict.FAIL]
    assert found.observed == "2026-03-01 10:30:00+00"


def test_too_few_rows_fail_the_volume(shop: Shop) -> None:
    report = shop.check(shop.orders()[:4])
    # The one missing currency is a quarter of four rows, and more than its 20 percent.
    assert failed(report) == ["has at least 5 and at most 1000 rows", "currency is null in at most 0.2"]
    assert [check.observed for check in report.checks if "rows" in check.title] == ["4"]


def test_a_warning_does_not_fail_the_report(shop: Shop) -> None:
    rows = [row | {"currency": None} for row in shop.orders()[:5]] + shop.orders()[5:]
    report = shop.check(rows)
    assert failed(report) == ["currency is null in at most 0.2"]
    assert report.verdict is Verdict.HOLDS
    assert report.count(CheckVerdict.FAIL, Severity.WARNING) == 1


def test_a_wrong_type_and_a_missing_column_fail_the_schema(shop: Shop) -> None:
    rows = [{**row, "day": row["day"].isoformat()} for row in shop.orders()]
    for row in rows:
        del row["customer_id"]
    suites = compile_suites([shop.contract()], (), shop.as_of)
    data = {"orders": shop.parquet("o", rows), "customers": shop.parquet("c", shop.customers())}
    report = run_suites(suites, data)
    observed = {check.title: check.observed for check in report.checks if check.verdict is CheckVerdict.FAIL}
    assert observed["day is a date"] == "VARCHAR"
    assert observed["customer_id is an integer"] == "no such column"
    # What rests on the two columns cannot be said; it has not failed, and the rest has passed.
    assert unclear(report) == ["day is at least 2026-01-01", "customer_id is in customers(id)"]
    assert len(observed) == 2
    schema = [check for check in report.checks if check.expectation_type == "schema"]
    assert {check.run_by for check in schema} == {"pipelineplan"}


def rule(check: str, *fields: str, **more: Any) -> QualityRule:
    place = Place(("quality", 0), Position("plan.yaml", 9, 5))
    return QualityRule(more.pop("dataset", "orders"), check, fields, place=place, **more)  # type: ignore[arg-type]


def numbered(each: QualityRule, line: int) -> QualityRule:
    return replace(each, place=Place(("quality", line - 1), Position("plan.yaml", line, 5)))


GOOD_RULES = [
    rule("null", "amount", "day"),
    rule("null", "currency", at_most_share=0.1),
    rule("null", "currency", at_most_share=0.125),
    rule("unique", "order_id"),
    rule("unique", "order_id", "day"),
    rule("unique", "customer_id", at_most_share=0.6),
    rule("unique", "customer_id", "currency", at_most_share=0.2),
    rule("domain", "currency", values=("EUR", "USD")),
    rule("domain", "currency", values=("EUR",), at_most_share=0.5),
    rule("range", "amount", low=Decimal("10.5"), high=19.5),
    rule("range", "amount", low=11, at_most_share=0.1),
    rule("range", "day", low=date(2026, 2, 1)),
    rule("regex", "order_id", pattern="-"),
    rule("regex", "order_id", pattern="[0-8]", at_most_share=0.1),
    rule("referential", "customer_id", references="customers.id"),
    rule("freshness", "updated_at", within_seconds=1800),
    rule("volume", low=10, high=10),
    rule("duplicate", "order_id", "updated_at", within_seconds=3600.5),
    rule("duplicate", "order_id"),
    rule("out_of_order", "day", "order_id"),
    rule("out_of_order", "updated_at", "day", "order_id"),
    rule("drift", "currency", shares=(("EUR", 4 / 9), ("USD", 5 / 9))),
    rule("drift", "currency", shares=(("EUR", 0.5), ("USD", 0.5)), at_most_share=0.056),
    rule("sql", query="SELECT * FROM {table} WHERE amount < 0"),
    rule("sql", query="SELECT * FROM orders WHERE currency = ':x' OR order_id = '{0}' OR order_id = '%s?';"),
]


def test_plan_rules_that_hold_pass(shop: Shop) -> None:
    report = shop.check(rules=tuple(numbered(each, line) for line, each in enumerate(GOOD_RULES, 1)))
    assert (failed(report), unclear(report)) == ([], [])
    lines = {check.position.line for check in report.checks if check.position.file == "plan.yaml"}
    assert lines == set(range(1, len(GOOD_RULES) + 1))


# The rows that break each rule, counted by hand; None where the rule is on a share or a total.
BAD_RULES = [
    (rule("null", "currency"), 1),
    (rule("null", "currency", at_most_share=0.09), 1),
    (rule("null", "currency", at_most_share=0.0999), None),
    (rule("unique", "customer_id"), 9),
    (rule("unique", "customer_id", at_most_share=0.59), None),
    (rule("unique", "currency", "customer_id"), 4),
    (rule("unique", "customer_id", "currency", at_most_share=0.19), None),
    (rule("domain", "currency", values=("EUR",)), 5),
    (rule("domain", "currency", values=("EUR",), at_most_share=0.49), None),
    (rule("range", "amount", low=11), 1),
    (rule("range", "amount", high=19), 1),
    (rule("regex", "order_id", pattern="[0-8]"), 1),
    (rule("regex", "order_id", pattern="[0-8]", at_most_share=0.09), None),
    (rule("referential", "customer_id", references="orders.amount"), 9),
    (rule("freshness", "updated_at", within_seconds=1799), None),
    (rule("volume", high=9), None),
    (rule("volume", low=11), None),
    (rule("duplicate", "currency", "updated_at", within_seconds=121), 7),
    (rule("out_of_order", "updated_at", "day"), 9),
    (rule("out_of_order", "updated_at", "day", "currency"), 7),
    (rule("drift", "currency", shares=(("EUR", 0.5), ("USD", 0.5)), at_most_share=0.055), None),
    (rule("drift", "currency", shares=(("EUR", 1),), at_most_share=0.5), None),
    (rule("sql", query="SELECT * FROM {table} WHERE amount > 18"), 2),
    (rule("sql", query="SELECT * FROM {table} WHERE amount > 18", at_most_share=0.19), None),
]


def test_plan_rules_that_do_not_hold_fail_with_their_count(shop: Shop) -> None:
    rules = tuple(numbered(each, line) for line, (each, _) in enumerate(BAD_RULES, 1))
    report = shop.check(rules=rules)
    assert unclear(report) == []
    bad = [check for check in report.checks if check.verdict is CheckVerdict.FAIL]
    counts = {check.position.line: check.unexpected_count for check in bad}
    assert counts == {line: count for line, (_, count) in enumerate(BAD_RULES, 1)}
    assert {check.position.file for check in bad} == {"plan.yaml"}


BROKEN_QUERIES = [
    ("SELECT amonut FROM {table}", 'column "amonut"'),
    ("SELECT 1 FROM nowhere", "nowhere"),
    ("SELEKT 1 FROM", "cannot be parsed"),
    ("SELECT 1) AS s; DROP VIEW orders; SELECT (1", "3 statements"),
    ("COPY orders TO 'out.csv'", "cannot be parsed"),
    ("SELECT * FROM read_csv('/etc/passwd')", "Cannot access file"),
    ("SELECT * FROM read_text('{secret}')", "Cannot access file"),
    ("SELECT CAST('x' AS INTEGER) FROM {table}", "Could not convert"),
    ("SELECT * FROM os", "os"),
]


def test_a_broken_or_hostile_query_could_not_be_evaluated(shop: Shop, tmp_path: Path) -> None:
    secret = tmp_path / "secret.txt"
    secret.write_text("secret", encoding="utf-8")
    rules = [
        numbered(rule("sql", query=query.replace("{secret}", str(secret))), line)
        for line, (query, _) in enumerate(BROKEN_QUERIES)
    ]
    report = shop.check(rules=rules)
    assert failed(report) == []
    reasons = {c.position.line: c.reason for c in report.checks if c.verdict is CheckVerdict.NOT_EVALUATED}
    assert len(reasons) == len(BROKEN_QUERIES)
    for line, (_, reason) in enumerate(BROKEN_QUERIES):
        assert reason in reasons[line]
    assert report.verdict is Verdict.UNKNOWN
    assert not (tmp_path / "out.csv").exists()


def test_errors_of_several_columns_take_no_other_answer_with_them(shop: Shop) -> None:
    rules = (
        rule("range", "order_id", low=1),
        rule("range", "currency", high=2),
        rule("range", "nope", low=0),
    )
    report = shop.check(shop.changed(3, amount=Decimal(-1)), rules)
    assert unclear(report) == ["order_id is at least 1", "currency is at most 2", "nope is at least 0"]
    assert failed(report) == ["amount is at least 0"]


def test_a_pattern_that_would_hang_a_backtracking_matcher_does_not(shop: Shop) -> None:
    rows = shop.changed(3, currency="a" * 5000 + "!")
    text_rule = rule("regex", "currency", pattern="^(a+)+$|^[A-Z]+$")
    assert "currency matches ^(a+)+$|^[A-Z]+$" in failed(shop.check(rows, (text_rule,)))


def test_a_pattern_that_re2_does_not_know_could_not_be_evaluated(shop: Shop) -> None:
    report = shop.check(rules=(rule("regex", "currency", pattern="(?=E)E"),))
    assert unclear(report) == ["currency matches (?=E)E"]


ODD = 'o"dd; näme {x} $y'
ODD_CONTRACT = f"""\
apiVersion: v3.1.0
kind: DataContract
id: odd
version: 1.0.0
status: active
schema:
  - name: '{ODD}'
    properties:
      - {{name: 'größe "m" {{a}} :b', logicalType: number, required: true, unique: true,
         logicalTypeOptions: {{minimum: 0, multipleOf: 2}}}}
    quality:
      - {{type: sql, query: "SELECT COUNT(*) FROM ${{table}}", mustBe: 2}}
"""


def test_names_with_quotes_braces_and_accents_are_only_names(shop: Shop) -> None:
    suites = compile_suites([shop.contract(ODD_CONTRACT)])
    column = 'größe "m" {a} :b'
    good = run_suites(suites, {ODD: shop.parquet("good", [{column: 2}, {column: 4}])})
    assert (failed(good), unclear(good)) == ([], [])
    bad = run_suites(suites, {ODD: shop.parquet("bad", [{column: -3}, {column: -3}, {column: None}])})
    assert unclear(bad) == []
    assert len(failed(bad)) == 5


@pytest.mark.parametrize("ending", ["csv", "jsonl"])
def test_csv_and_json_lines_keep_declared_text_as_text(shop: Shop, tmp_path: Path, ending: str) -> None:
    contract = shop.contract(
        ODD_CONTRACT[: ODD_CONTRACT.index("schema:")]
        + "schema:\n  - name: events\n    properties:\n"
        + "      - {name: code, logicalType: string, logicalTypeOptions: {pattern: '^0'}}\n"
        + "      - {name: at, logicalType: timestamp}\n      - {name: n, logicalType: integer}\n",
    )
    for number, code in enumerate(("007", "0815")):
        lines = {
            "csv": f"code,at,n\n{code},2026-01-01T00:00:0{number}Z,{number}\n",
            "jsonl": f'{{"code": "{code}", "at": "2026-01-01T00:00:0{number}Z", "n": {number}}}\n',
        }
        (tmp_path / f"part-{number}.{ending}").write_text(lines[ending], encoding="utf-8")
    report = run_suites(compile_suites([contract]), {"events": tmp_path / f"part-*.{ending}"})
    assert (failed(report), unclear(report), report.datasets) == ([], [], {"events": 2})


@pytest.mark.parametrize("zone", [None, "UTC", "Asia/Tokyo"])
def test_freshness_reads_times_with_and_without_a_zone(shop: Shop, zone: str | None) -> None:
    import pyarrow as pa

    at = [shop.newest, shop.newest - timedelta(days=1)]
    rows = [{"at": value if zone else value.replace(tzinfo=None)} for value in at]
    file = shop.parquet("events", rows, {"at": pa.timestamp("us", tz=zone)})
    for age, verdict in ((1800, CheckVerdict.PASS), (1799, CheckVerdict.FAIL)):
        suites = compile_suites(
            [], [rule("freshness", "at", dataset="events", within_seconds=age)], shop.as_of
        )
        (found,) = run_suites(suites, {"events": file}).checks
        assert found.verdict is verdict, found


def test_no_rows_are_not_fresh_but_have_no_broken_share(shop: Shop, tmp_path: Path) -> None:
    import pyarrow as pa
    import pyarrow.parquet as pq

    file = tmp_path / "none.parquet"
    pq.write_table(pa.table({"at": pa.array([], pa.timestamp("us")), "k": pa.array([], pa.string())}), file)
    rules = [
        rule("freshness", "at", dataset="none", within_seconds=1),
        rule("domain", "k", dataset="none", values=("a",), at_most_share=0.5),
        rule("null", "k", dataset="none"),
    ]
    report = run_suites(compile_suites([], rules, shop.as_of), {"none": file})
    assert [check.verdict for check in report.checks] == ["fail", "pass", "pass"]


def test_a_dataset_without_data_is_not_evaluated(shop: Shop) -> None:
    suites = compile_suites([shop.contract()], (), shop.as_of)
    report = run_suites(suites, {"customers": shop.parquet("c", shop.customers())})
    assert {check.reason for check in report.checks if check.dataset == "orders"} == {
        "no data was given for this dataset"
    }
    assert report.verdict is Verdict.UNKNOWN


def test_data_that_cannot_be_used_is_a_problem_and_all_are_told(shop: Shop, tmp_path: Path) -> None:
    broken = tmp_path / "broken.parquet"
    broken.write_bytes(b"PAR1 this is not one")
    suites = compile_suites([shop.contract()], (), shop.as_of)
    with pytest.raises(InputError) as caught:
        run_suites(suites, {"orders": broken, "customers": tmp_path / "none", "oders": broken})
    text = str(caught.value)
    assert "no data file there" in text
    assert "known are: customers, orders" in text
    assert len(caught.value.problems) == 3


def test_the_same_data_gives_the_same_report(shop: Shop) -> None:
    rows = shop.changed(3, customer_id=99, order_id="o-4", amount=Decimal(-1))
    first, again = shop.check(rows).to_json_dict(), shop.check(rows).to_json_dict()
    assert first == again
    assert len(first["checks"]) == len(shop.check(rows).to_rows())


def test_a_run_prints_nothing_and_tells_progress(shop: Shop, tmp_path: Path) -> None:
    shop.contract()
    shop.parquet("orders", shop.orders())
    code = (
        "from pathlib import Path; from datetime import *; import sys\n"
        "from pipelineplan.contracts import *; from pipelineplan.quality import *\n"
        "c = read_contract(Path('shop.odcs.yaml'))\n"
        "r = QualityRule('orders', 'sql', query='SELECT * FROM orders WHERE amount < 0')\n"
        "told = []\n"
        "run_suites(compile_suites([c], [r]), {'orders': Path('orders.parquet')}, told.append)\n"
        "assert told == ['orders'], told\n"
    )
    env = os.environ | {"PYTHONPATH": str(Path(__file__).parents[2])}
    done = subprocess.run(
        [sys.executable, "-c", code], cwd=tmp_path, capture_output=True, check=False, env=env
    )
    assert (done.returncode, done.stdout, done.stderr) == (0, b"", b"")


def test_a_query_that_never_ends_is_stopped(shop: Shop, monkeypatch: pytest.MonkeyPatch) -> None:
    from pipelineplan.quality import duckdb_dialect

    monkeypatch.setattr(duckdb_dialect, "LONGEST_STATEMENT_SECONDS", 0.2)
    endless = "WITH RECURSIVE t(n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM t) SELECT * FROM t WHERE n < 0"
    suites = compile_suites([], [rule("sql", query=endless)])
    (found,) = run_suites(suites, {"orders": shop.parquet("orders", shop.orders())}).checks
    assert found.verdict is CheckVerdict.NOT_EVALUATED
    assert found.reason == "stopped: the statement ran for too long"


@pytest.mark.parametrize("where", ["parts", "parts/*.parquet", "**/o-*.parquet", "parts/o-[0-9].parquet"])
def test_data_is_a_file_a_folder_or_a_glob(shop: Shop, tmp_path: Path, where: str) -> None:
    (tmp_path / "parts").mkdir()
    for number in range(2):
        shop.parquet(f"parts/o-{number}", shop.orders())
    report = run_suites(compile_suites([], [rule("volume", low=20, high=20)]), {"orders": tmp_path / where})
    assert (failed(report), unclear(report), report.datasets) == ([], [], {"orders": 20})


def test_a_custom_expectation_runs_and_a_wrong_one_harms_no_other(shop: Shop) -> None:
    head = shop.contract_text[: shop.contract_text.index("schema:")]
    contract = head + (
        "schema:\n  - name: orders\n    properties:\n"
        "      - {name: amount, required: true, quality: [{type: custom, engine: greatExpectations,\n"
        "          implementation: {type: expect_column_mean_to_be_between, kwargs: {min_value: 16}}}]}\n"
        "    quality:\n"
        "      - {type: custom, engine: greatExpectations, implementation: {type: expect_nonsense}}\n"
        "      - {type: custom, engine: greatExpectations,\n"
        "         implementation: {type: unexpected_rows_expectation}}\n"
        "      - {type: custom, engine: greatExpectations, implementation:\n"
        "          {type: expect_table_row_count_to_equal, kwargs: {value: many}}}\n"
    )
    suites = compile_suites([shop.contract(contract)])
    report = run_suites(suites, {"orders": shop.parquet("orders", shop.orders())})
    assert [check.title for check in report.checks if check.verdict is CheckVerdict.PASS] == [
        "amount is there",
        "amount is not null",
    ]
    (mean,) = [check for check in report.checks if check.verdict is CheckVerdict.FAIL]
    assert (mean.expectation_type, mean.observed) == ("expect_column_mean_to_be_between", "15.0")
    assert len(unclear(report)) == 3
    assert all("refuses it" in check.reason for check in report.checks if check.title in unclear(report))
