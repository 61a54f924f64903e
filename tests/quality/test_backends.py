"""One verdict on four engines: nulls, decimals, zones, unicode, duplicates, bounds at their edges."""

from __future__ import annotations

from datetime import UTC, date, datetime, time, timedelta, timezone
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

from pipelineplan.contracts import Contract, read_contract
from pipelineplan.errors import InputError
from pipelineplan.quality import (
    BACKENDS,
    Backend,
    CheckVerdict,
    QualityReport,
    QualityRule,
    compile_suites,
    dialect_of,
    run_suites,
)

Shop = Any
Rows = list[dict[str, Any]]

pytest.importorskip("great_expectations", reason="great_expectations is not installed")

AS_OF = datetime(2026, 3, 1, 12, tzinfo=UTC)

CONTRACT = """\
apiVersion: v3.1.0
kind: DataContract
id: ledger
version: 1.0.0
status: active
schema:
  - name: entries
    physicalName: entries_v2
    properties:
      - {name: id, logicalType: string, required: true, unique: true, primaryKey: true,
         logicalTypeOptions: {pattern: "^[a-zé]+-[0-9]+$", minLength: 3, maxLength: 12}}
      - {name: seq, logicalType: integer, unique: true, logicalTypeOptions: {minimum: 1, multipleOf: 3}}
      - {name: amount, logicalType: number, required: true,
         logicalTypeOptions: {minimum: 0.1, maximum: 999.99, multipleOf: 0.01}}
      - {name: rate, logicalType: number, logicalTypeOptions: {exclusiveMinimum: 0, exclusiveMaximum: 1}}
      - {name: name, logicalType: string, logicalTypeOptions: {maxLength: 7}}
      - name: currency
        logicalType: string
        quality:
          - {metric: invalidValues, mustBe: 0, arguments: {validValues: [EUR, USD, "₿"]}}
          - {metric: invalidValues, mustBeLessThan: 2, arguments: {pattern: "^[A-Z]{3}$"}}
          - {metric: nullValues, mustBeLessOrEqualTo: 25, unit: percent}
          - {metric: missingValues, mustBeLessThan: 2, arguments: {missingValues: ["", null]}}
      - {name: day, logicalType: date, logicalTypeOptions: {minimum: "2026-02-01", maximum: "2026-02-28"}}
      - {name: at, logicalType: timestamp,
         logicalTypeOptions: {minimum: "2026-02-01T00:00:00Z", exclusiveMaximum: "2026-03-01T13:00:00+01:00"}}
      - {name: local, logicalType: timestamp, logicalTypeOptions: {minimum: "2026-02-01T00:00:00"}}
      - {name: opens, logicalType: time, logicalTypeOptions: {minimum: "08:00:00"}}
      - {name: active, logicalType: boolean, required: true}
      - {name: account, logicalType: integer, relationships: [{to: accounts.id}]}
    quality:
      - {metric: rowCount, mustBeBetween: [4, 8]}
      - {metric: duplicateValues, mustBe: 0, arguments: {properties: [name, day]}}
      - {metric: duplicateValues, mustBeLessOrEqualTo: 1, arguments: {properties: [currency, day]}}
      - {type: sql, query: "SELECT COUNT(*) FROM ${table} WHERE active", mustBeGreaterThan: 1}
      - {type: sql, query: "SELECT MAX(amount) FROM ${table}", mustBe: 999.99}
  - {name: accounts, properties: [{name: id, logicalType: integer, required: true}]}
slaProperties:
  - {property: latency, value: 30, unit: min, element: entries.at}
"""
RULES = (
    QualityRule("entries", "out_of_order", ("at", "seq", "currency")),
    QualityRule("entries", "duplicate", ("name", "at"), within_seconds=60.5),
    QualityRule("entries", "null", ("rate",), at_most_share=0.3),
    QualityRule("entries", "range", ("day",), low=date(2026, 2, 1), at_most_share=0.2),
    QualityRule("entries", "range", ("at",), high=AS_OF, at_most_share=0.1),
    QualityRule("entries", "regex", ("id",), pattern="^[a-z]", at_most_share=0.25),
    QualityRule("entries", "unique", ("name", "day"), at_most_share=0.1),
    QualityRule("entries", "domain", ("active",), values=(True, False)),
    QualityRule("entries", "drift", ("currency",), shares=(("EUR", 0.6), ("₿", 0.4)), at_most_share=0.4),
    QualityRule("entries", "referential", ("account",), references="accounts.id", at_most_share=0.2),
)
NEWEST = AS_OF - timedelta(minutes=30)
TOKYO = timezone(timedelta(hours=9))


def entry(number: int, **changes: Any) -> dict[str, Any]:
    good = {
        "id": f"é-{number}" if number == 2 else f"a-{number}",
        "seq": 9007199254740993 + 3 * number if number else None,
        "amount": [Decimal("0.10"), Decimal("999.99"), Decimal("10.50"), Decimal("0.30")][number % 4],
        "rate": None if number == 1 else 0.5 + number / 100,
        "name": ["Müller", "李小龍", "e\u0301 👩‍👧", "O'Neil%"][number % 4],
        "currency": None if number == 3 else ("EUR", "₿", "USD")[number % 3],
        "day": date(2026, 2, 1) if number == 0 else date(2026, 2, 28) - timedelta(days=number),
        "at": (NEWEST if number == 3 else datetime(2026, 2, 1, 0, 0, number, tzinfo=UTC)).astimezone(TOKYO),
        "local": datetime(2026, 2, 1, 0, 0, 0, number),  # noqa: DTZ001
        "opens": time(8, 0, 0, number),
        "active": number % 2 == 0 or number == 3,
        "account": None if number == 2 else number % 2,
    }
    return good | changes


GOOD = [entry(number) for number in range(4)]
EDGES = entry(
    5,
    id="A-5\n",
    seq=2,
    amount=Decimal("0.09"),
    rate=1.0,
    name="e\u0301👩‍👧abcd",
    currency="eur",
    day=date(2026, 3, 1),
    at=AS_OF.astimezone(TOKYO),
    local=datetime(2026, 1, 31, 23, 59, 59, 999999),  # noqa: DTZ001
    opens=time(7, 59, 59, 999999),
    account=9,
)
# The fault, and what of the checks must fail for it on every engine.
BAD: list[tuple[str, Rows, set[str]]] = [
    ("good", GOOD, set()),
    (
        "duplicates",
        [*GOOD, entry(1, id="a-1", amount=Decimal("999.99"))],
        {
            "id is unique",
            "seq is unique",
            "name, day is unique",
            "name does not come again within 60.5 s",
            "name, day repeats in at most 0.1 of rows",
            "invalidValues of currency must be < 2",
            "rate is null in at most 0.3",
        },
    ),
    (
        "nulls",
        [
            *GOOD[:3],
            entry(3, id=None, amount=None, rate=None, active=None, currency=None),
            entry(4, currency=None),
        ],
        {
            "id is not null",
            "amount is not null",
            "active is not null",
            "currency is null in at most 0.25",
            "missingValues of currency must be < 2",
            "rate is null in at most 0.3",
            "name does not come again within 60.5 s",
            "at is in order per currency",
        },
    ),
    (
        # Each value is the least step outside of its bound.
        "edges",
        [*GOOD, EDGES],
        {
            "id matches ^[a-zé]+-[0-9]+$",
            "seq is a multiple of 3",
            "amount is at least 0.1",
            "rate is less than 1",
            "name has at most 7 characters",
            "currency is one of 3 values",
            "invalidValues of currency must be < 2",
            "day is at most 2026-02-28",
            "at is less than 2026-03-01T13:00:00+01:00",
            "local is at least 2026-02-01T00:00:00",
            "opens is at least 08:00:00",
            "account is in accounts(id)",
            "id matches ^[a-z] but for 0.25",
            "currency is distributed as usual but for 0.4",
        },
    ),
]


@pytest.fixture(params=BACKENDS)
def backend(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> Backend:
    if request.param == "postgresql":
        monkeypatch.setenv("PIPELINEPLAN_DATABASE", request.getfixturevalue("database"))
    return request.param  # type: ignore[no-any-return]


def contract(folder: Path, text: str = CONTRACT) -> Contract:
    file = folder / "ledger.odcs.yaml"
    file.write_text(text, encoding="utf-8")
    return read_contract(file, "ledger.odcs.yaml")


def report(
    shop: Shop, backend: Backend, rows: Rows, text: str = CONTRACT, rules: Any = RULES
) -> QualityReport:
    import pyarrow as pa

    suites = compile_suites([contract(shop.folder)], rules, AS_OF, dialect_of(backend))
    types = {"at": pa.timestamp("us", tz="Asia/Tokyo"), "amount": pa.decimal128(20, 2), "seq": pa.int64()}
    data = {
        "entries": shop.parquet("entries", rows, types),
        "accounts": shop.parquet("accounts", [{"id": 0}, {"id": 1}]),
    }
    return run_suites(suites, data, backend=backend)


def titles(found: QualityReport, verdict: CheckVerdict) -> set[str]:
    return {check.title for check in found.checks if check.verdict is verdict}


CASES = [
    pytest.param(rows, failing, id=name, marks=[] if name == "edges" else [pytest.mark.slow])
    for name, rows, failing in BAD
]


@pytest.mark.parametrize(("rows", "failing"), CASES)
def test_every_engine_gives_the_verdicts_that_were_counted_by_hand(
    shop: Shop, backend: Backend, rows: Rows, failing: set[str]
) -> None:
    found = report(shop, backend, rows)
    unclear = {
        check.title: check.reason for check in found.checks if check.verdict is CheckVerdict.NOT_EVALUATED
    }
    assert unclear == {}
    assert titles(found, CheckVerdict.FAIL) == failing
    assert len(found.checks) > 40


def test_nan_is_null_and_infinity_is_a_number(shop: Shop, backend: Backend) -> None:
    rules = (
        QualityRule("entries", "null", ("rate",)),
        QualityRule("entries", "range", ("rate",), high=2),
        QualityRule("entries", "null", ("name",)),
    )
    rows = [{"rate": value, "name": "n"} for value in (0.5, float("nan"), float("inf"))]
    suites = compile_suites([], rules, AS_OF, dialect_of(backend))
    found = run_suites(suites, {"entries": shop.parquet("entries", rows)}, backend=backend)
    assert [check.verdict for check in found.checks] == ["fail", "fail", "pass"]
    assert found.checks[0].unexpected_count == 1


def test_decimals_of_many_digits_are_told_apart_or_it_is_said_that_they_are_not(
    shop: Shop, backend: Backend
) -> None:
    amounts = [Decimal("123456789012345678.01"), Decimal("123456789012345678.02")]
    rules = (QualityRule("t", "unique", ("amount",)), QualityRule("t", "null", ("amount",)))
    suites = compile_suites([], rules, AS_OF, dialect_of(backend))
    found = run_suites(
        suites, {"t": shop.parquet("t", [{"amount": each} for each in amounts])}, backend=backend
    )
    told = "could not evaluate" if backend == "sqlite" else "pass"
    assert [check.verdict for check in found.checks] == [told, "pass"]
    if backend == "sqlite":
        assert found.checks[0].reason == "amount: SQLite keeps 15 digits of a decimal, and it has more"


def test_a_value_of_another_type_could_not_be_evaluated_anywhere(shop: Shop, backend: Backend) -> None:
    rows = [
        row | {"amount": str(row["amount"]), "day": row["day"].isoformat(), "id": n}
        for n, row in enumerate(GOOD)
    ]
    suites = compile_suites([contract(shop.folder)], (), AS_OF, dialect_of(backend))
    found = run_suites(suites, {"entries": shop.parquet("entries", rows)}, backend=backend)
    reasons = {check.title: check.reason for check in found.checks if check.dataset == "entries"}
    assert reasons["amount is at least 0.1"] == "amount is VARCHAR, wanted number"
    assert reasons["day is at most 2026-02-28"] == "day is VARCHAR, wanted date or timestamp"
    assert reasons["id has at least 3 characters"] == "id is BIGINT, wanted string"
    assert {"amount is a number", "day is a date", "id is a string"} <= titles(found, CheckVerdict.FAIL)


def test_a_bound_in_the_other_kind_of_time_is_brought_into_the_columns(shop: Shop, backend: Backend) -> None:
    rules = [
        QualityRule("entries", "range", ("day",), low=datetime(2026, 2, 1), high=datetime(2026, 2, 28, 12)),  # noqa: DTZ001
        QualityRule("entries", "range", ("day",), low=datetime(2026, 2, 1, 1)),  # noqa: DTZ001
        QualityRule("entries", "range", ("at",), low=date(2026, 2, 1), high=datetime(2026, 3, 1, 11, 30)),  # noqa: DTZ001
        QualityRule("entries", "range", ("local",), low=datetime(2026, 2, 1, 9, tzinfo=TOKYO)),
        QualityRule("entries", "range", ("local",), low=datetime(2026, 2, 1, 1, tzinfo=UTC)),
    ]
    found = report(shop, backend, GOOD, rules=rules)
    verdicts = [check.verdict for check in found.checks if check.rule == "range"]
    assert verdicts == ["pass", "fail", "pass", "pass", "fail"]


def test_suites_in_another_dialect_are_refused(shop: Shop) -> None:
    with pytest.raises(ValueError, match="compiled in the standard dialect do not run on sqlite"):
        run_suites(compile_suites([contract(shop.folder)]), {}, backend="sqlite")


@pytest.mark.parametrize(
    ("url", "told"),
    [
        ("", "is not set"),
        ("mysql://x", "names no PostgreSQL database"),
        ("postgresql://u:secret@127.0.0.1:9/d", "the database does not answer"),
    ],
)
def test_without_a_database_the_error_says_so_and_no_password(
    shop: Shop, monkeypatch: pytest.MonkeyPatch, url: str, told: str
) -> None:
    monkeypatch.setenv("PIPELINEPLAN_DATABASE", url)
    suites = compile_suites([], [QualityRule("t", "null", ("a",))])
    with pytest.raises(InputError, match=told) as caught:
        run_suites(suites, {"t": shop.parquet("t", [{"a": 1}])}, backend="postgresql")
    assert "secret" not in str(caught.value)


def test_nothing_stays_in_the_database_and_rules_cannot_write(
    shop: Shop, database: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    import psycopg

    monkeypatch.setenv("PIPELINEPLAN_DATABASE", database)
    rule = QualityRule("t", "sql", query="SELECT setval('public.counter', 7) FROM {table}")
    with psycopg.connect(database, autocommit=True) as connection:
        connection.execute("CREATE SEQUENCE counter")
        (found,) = run_suites(
            compile_suites([], [rule]), {"t": shop.parquet("t", [{"a": 1}])}, backend="postgresql"
        ).checks
        assert found.verdict is CheckVerdict.NOT_EVALUATED
        assert "read-only" in found.reason
        left = connection.execute("SELECT count(*) FROM pg_namespace WHERE nspname LIKE 'pipelineplan%'")
        assert left.fetchone() == (0,)
