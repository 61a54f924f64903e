"""The suites of expectations/: valid, explained, and each expectation fails on what it is for."""

from __future__ import annotations

import importlib.util
import json
from datetime import datetime, timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

from pipelineplan.catalogue import folder
from pipelineplan.contracts import Place
from pipelineplan.errors import Position
from pipelineplan.quality import Check, CheckVerdict, Suite, Suites, run_suites
from pipelineplan.verdicts import Severity

pytest.importorskip("great_expectations", reason="great_expectations is not installed")

FILES = sorted(folder("expectations").glob("*.json"))
START = datetime(2026, 3, 1, 12)  # noqa: DTZ001 - a time as tables have it
MINUTE = timedelta(minutes=1)

Rows = list[dict[str, Any]]


def _events() -> Rows:
    return [
        {
            "topic": "orders",
            "partition": number % 2,
            "record_offset": number,
            "event_id": f"e{number}",
            "event_type": "orders.created",
            "event_time": START + number * MINUTE,
            "appended_at": START + (number + 1) * MINUTE,
        }
        for number in range(4)
    ]


def _money() -> Rows:
    return [
        {
            "entry_id": number,
            "kind": ("charge", "refund")[number % 2],
            "amount": Decimal("9.90") * (-1) ** number,
            "currency": "EUR",
        }
        for number in range(4)
    ]


def _changes() -> Rows:
    return [
        {
            "change_key": key,
            "op": op,
            "log_position": position,
            "source_time": START + position * MINUTE,
            "captured_at": START + position * MINUTE,
        }
        for position, (key, op) in enumerate(
            [("a", "r"), ("b", "c"), ("a", "u"), ("b", "d"), ("b", "c"), ("b", "u")]
        )
    ]


def _windows() -> Rows:
    counts = {
        "late_dropped": 1,
        "dead_lettered": 2,
        "filtered": 0,
        "duplicates": 3,
        "late": 4,
        "out_of_order": 5,
    }
    return [
        {
            "stage": "count",
            "window_start": START + number * MINUTE,
            "window_end": START + (number + 1) * MINUTE,
            "source_records": 203,
            "destination_records": 200,
            **counts,
            "freshness_seconds": 90.0,
        }
        for number in range(30)
    ]


GOOD = {
    "kafka-event-envelope": _events(),
    "money-amounts": _money(),
    "cdc-change-rows": _changes(),
    "window-metrics": _windows(),
}

# For each suite: changes to rows (index, column, value) and the expectations, by place, that fail.
CATEGORIES = ("retail", "retail", "trade", "retail", "trade", "retail", "staff", "retail", "trade", "retail")
GOOD["loaded-table"] = [
    {
        "row_key": number,
        "loaded_at": START - number * MINUTE,
        "category": CATEGORIES[number % 10],
        "parent_id": number % 3 if number else None,
    }
    for number in range(20)
]

BAD: dict[str, list[tuple[list[tuple[int, str, Any]], list[int]]]] = {
    "kafka-event-envelope": [
        ([(1, "topic", None)], [0]),
        ([(1, "partition", -1)], [1]),
        ([(1, "record_offset", -1)], [2]),
        ([(2, "record_offset", 0)], [3]),
        ([(1, "event_id", None)], [4]),
        ([(1, "event_id", "e0")], [5]),
        ([(1, "event_type", "Orders Created")], [6]),
        ([(1, "event_time", None)], [7]),
        ([(1, "event_time", START + timedelta(days=1))], [8]),
        ([(1, "event_time", datetime(1970, 1, 1))], [9]),  # noqa: DTZ001
    ],
    "loaded-table": [
        ([(4, "", None)], [0, 7]),
        ([(number, "loaded_at", START - timedelta(hours=2)) for number in range(20)], [1]),
        ([(1, "row_key", None)], [2]),
        ([(1, "row_key", 0)], [3]),
        ([(number, "category", None) for number in range(3)], [4]),
        ([(0, "category", "vip")], [5]),
        ([(1, "parent_id", 99)], [6]),
        ([(number, "category", "staff") for number in (0, 1, 3)], [7]),
    ],
    "money-amounts": [
        ([(1, "entry_id", None)], [0]),
        ([(1, "entry_id", 0)], [1]),
        ([(0, "amount", None)], [2]),
        ([(0, "amount", Decimal(2_000_000))], [3]),
        ([(0, "amount", Decimal("1.005"))], [4]),
        ([(0, "currency", None)], [5]),
        ([(0, "currency", "Eur")], [6]),
        ([(0, "kind", "gift")], [7]),
        ([(1, "amount", Decimal(5))], [8]),
    ],
    "cdc-change-rows": [
        ([(2, "change_key", None)], [0, 6]),
        ([(2, "op", "t")], [1]),
        ([(2, "op", None)], [2]),
        ([(2, "log_position", None)], [3]),
        ([(0, "log_position", -1)], [4]),
        ([(5, "log_position", 4)], [5]),
        ([(0, "op", "u")], [6]),
        ([(4, "op", "u")], [7]),
        ([(4, "source_time", START + timedelta(days=1))], [8]),
    ],
    "window-metrics": [
        ([(29, "window_start", START + 28 * MINUTE), (29, "window_end", START + 29 * MINUTE)], [0, 13]),
        ([(29, "window_end", START)], [1]),
        ([(1, "source_records", -203)], [2, 10]),
        ([(1, "destination_records", -200)], [3, 10]),
        ([(1, "late_dropped", -1)], [4, 10]),
        ([(1, "dead_lettered", -2)], [5, 10]),
        ([(1, "filtered", -1)], [6, 10]),
        ([(1, "duplicates", -1)], [7]),
        ([(1, "late", -1)], [8]),
        ([(1, "out_of_order", -1)], [9]),
        ([(1, "destination_records", 199)], [10]),
        ([(1, "late_dropped", 3), (1, "destination_records", 198)], [11]),
        ([(1, "duplicates", 20_000)], [12]),
        ([(1, "window_start", START + timedelta(seconds=61))], [13]),
        ([(1, "freshness_seconds", 901.0), (2, "freshness_seconds", 901.0)], [14]),
    ],
}


def _suites(name: str) -> Suites:
    content = json.loads((folder("expectations") / f"{name}.json").read_text(encoding="utf-8"))
    checks = tuple(
        Check(
            id=each["id"],
            dataset=name,
            title=str(place),
            dimension="",
            severity=Severity.ERROR,
            expectation_type=each["type"],
            kwargs=each["kwargs"],
            place=Place(("expectations", place), Position(f"{name}.json")),
            source_rule="quality",
            how="sql" if each["type"] == "unexpected_rows_expectation" else "expectation",
            columns=tuple(each["kwargs"].get("column_list") or filter(None, [each["kwargs"].get("column")])),
        )
        for place, each in enumerate(content["expectations"])
    )
    return Suites((Suite(name, name, checks),), ())


def _failing(shop: Any, name: str, rows: Rows) -> list[int]:
    suites = _suites(name)
    data = {name: shop.parquet(name, rows)}
    if name == "loaded-table":
        suites = Suites((*suites.suites, Suite("parents", "parents", ())), ())
        data["parents"] = shop.parquet("parents", [{"id": number} for number in range(3)])
    report = run_suites(suites, data)
    assert report.count(CheckVerdict.NOT_EVALUATED) == 0, [check.reason for check in report.checks]
    return [int(check.title) for check in report.checks if check.verdict is CheckVerdict.FAIL]


@pytest.mark.parametrize("file", FILES, ids=lambda file: file.stem)
def test_a_suite_is_valid_and_says_why(file: Path) -> None:
    import jsonschema

    spec = importlib.util.find_spec("great_expectations")
    assert spec is not None
    schemas = Path((spec.submodule_search_locations or [""])[0]) / "expectations/core/schemas"
    index = json.loads((schemas / "index.json").read_text(encoding="utf-8"))["expectations"]
    suite = json.loads(file.read_text(encoding="utf-8"))
    assert suite["name"] == file.stem
    for each in suite["expectations"]:
        schema = json.loads((schemas / index[each["type"]]["schema_file"]).read_text(encoding="utf-8"))
        kept = {key: value for key, value in each.items() if key not in {"type", "kwargs"}}
        jsonschema.validate({**kept, **each["kwargs"]}, schema)
        assert each["meta"]["why"]
    assert suite["meta"]["notes"]


def test_the_readme_sets_the_bounds_of_a_loaded_table(monkeypatch: pytest.MonkeyPatch) -> None:
    """What it says is run, and sets volume and freshness and nothing else."""
    monkeypatch.chdir(folder("expectations").parent)
    readme = (folder("expectations") / "README.md").read_text(encoding="utf-8")
    names: dict[str, Any] = {}
    exec(readme.partition("```python\n")[2].partition("```")[0], names)
    suite = names["suite"]["expectations"]
    shipped = json.loads((folder("expectations") / "loaded-table.json").read_text("utf-8"))["expectations"]
    assert suite[0]["kwargs"] == {"min_value": 9_100, "max_value": 40_800}
    # The page promises an hour before noon, which is what the file was written with.
    assert suite[1:] == shipped[1:]


@pytest.mark.parametrize("file", FILES, ids=lambda file: file.stem)
def test_great_expectations_reads_the_suite_unchanged(file: Path) -> None:
    from great_expectations import ExpectationSuite

    content = json.loads(file.read_text(encoding="utf-8"))
    suite = ExpectationSuite(**content)
    assert [each.id for each in suite.expectations] == [each["id"] for each in content["expectations"]]


def test_every_suite_has_good_data_and_every_expectation_bad_data() -> None:
    assert {file.stem for file in FILES} == set(GOOD) == set(BAD)
    for file in FILES:
        places = range(len(json.loads(file.read_text(encoding="utf-8"))["expectations"]))
        assert {place for _, failing in BAD[file.stem] for place in failing} == set(places)


@pytest.mark.parametrize("name", sorted(GOOD))
def test_good_data_passes(shop: Any, name: str) -> None:
    assert _failing(shop, name, GOOD[name]) == []


def _faults(name: str) -> list[Any]:
    """The first fault of each suite always, the others where there is time."""
    return [
        pytest.param(name, *fault, marks=[pytest.mark.slow] if place else [])
        for place, fault in enumerate(BAD[name])
    ]


@pytest.mark.parametrize(
    ("name", "changes", "failing"), [each for name in sorted(BAD) for each in _faults(name)]
)
def test_each_fault_fails_its_expectation(
    shop: Any, name: str, changes: list[tuple[int, str, Any]], failing: list[int]
) -> None:
    rows = [dict(row) for row in GOOD[name]]
    for index, column, value in changes:
        if column:
            rows[index][column] = value
        else:
            del rows[index:]  # a load that stopped
    assert _failing(shop, name, rows) == failing
