"""Sample data meets its own suite, and its disorder is measured back by `profile`, to the row."""

from __future__ import annotations

import random
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

import pipelineplan as pp
from pipelineplan import catalogue
from pipelineplan.cli import run as run_here
from pipelineplan.contracts import read_contract
from pipelineplan.errors import InputError
from pipelineplan.quality import (
    CheckVerdict,
    QualityRule,
    Stream,
    compile_suites,
    generate,
    run_suites,
    write_tables,
)

Shop = Any

pytest.importorskip("great_expectations", reason="great_expectations is not installed")

NOW = datetime(2026, 3, 1, 12, tzinfo=UTC)
HEAD = "apiVersion: v3.1.0\nkind: DataContract\nid: t\nversion: 1.0.0\nstatus: active\nschema:\n"


def failing(contracts: Any, rules: Any, made: Any, folder: Path) -> list[str]:
    """The titles of the checks that do not pass on what was generated."""
    report = run_suites(compile_suites(contracts, rules, NOW), write_tables(made, folder))
    assert report.checks
    return [f"{c.title}: {c.reason}" for c in report.checks if c.verdict is not CheckVerdict.PASS]


def test_the_shops_data_meets_the_shops_contract(shop: Shop, tmp_path: Path) -> None:
    contract = shop.contract()
    made = generate([contract], rows=500, as_of=NOW, seed=1)
    assert failing([contract], (), made, tmp_path) == []
    assert {name: table.num_rows for name, table in made.tables.items()} == {"orders": 500, "customers": 500}
    assert made.not_followed == {"orders": ("$.schema[0].quality[1]: total is positive",)}


RANDOM_OPTIONS = {
    "string": [
        "pattern: '^[A-Z]{2}[0-9]{3,5}$'",
        "pattern: '^(ab|cd)+x?$'",
        "minLength: 3, maxLength: 9",
        "minLength: 40",
        "format: uuid",
        "format: ipv4",
        "format: email",
        "pattern: 'o', maxLength: 30",
    ],
    "integer": [
        "minimum: -5, maximum: 5",
        "exclusiveMinimum: 10",
        "multipleOf: 7, minimum: 1, maximum: 700",
        "format: u8",
        "maximum: -100",
    ],
    "number": [
        "minimum: 0.1, maximum: 0.2",
        "exclusiveMinimum: 0, exclusiveMaximum: 1",
        "multipleOf: 0.25, minimum: -1.1, maximum: 9",
        "maximum: -3.5",
    ],
    "date": ["minimum: '2026-01-01', maximum: '2026-01-03'", "exclusiveMinimum: '2026-02-27'"],
    "timestamp": ["minimum: '2026-02-28T23:59:59+02:00'", "exclusiveMaximum: '2020-01-01T00:00:00Z'"],
    "time": ["minimum: '08:00:00', exclusiveMaximum: '08:00:10'"],
    "boolean": [],
}
METRICS = [
    "{metric: nullValues, mustBe: 0}",
    "{metric: nullValues, mustBeLessOrEqualTo: 30, unit: percent}",
    "{metric: missingValues, mustBe: 0, arguments: {missingValues: [null, n/a]}}",
]


def random_contract(draw: random.Random) -> str:
    """A contract with a parent and a child dataset and all kinds of rules on random fields."""
    lines = [HEAD.rstrip()]
    for dataset in ("parent", "child"):
        lines += [f"  - name: {dataset}", "    properties:"]
        lines += ["      - {name: id, logicalType: integer, required: true, primaryKey: true}"]
        for number in range(draw.randint(2, 7)):
            kind = draw.choice(sorted(RANDOM_OPTIONS))
            parts = [f"name: c{number}", f"logicalType: {kind}"]
            if options := RANDOM_OPTIONS[kind]:
                parts.append(f"logicalTypeOptions: {{{draw.choice(options)}}}")
            if draw.random() < 0.3:
                parts.append("required: true")
            if draw.random() < 0.3 and kind == "string":
                parts.append(f"quality: [{draw.choice(METRICS)}]")
            lines.append(f"      - {{{', '.join(parts)}}}")
        if dataset == "child":
            lines += ["      - {name: parent, logicalType: integer, relationships: [{to: parent.id}]}"]
        lines += ["    quality: [{metric: rowCount, mustBeBetween: [20, 200]}]"]
    return "\n".join(lines) + "\n"


@pytest.mark.parametrize(
    "seed", [pytest.param(seed, marks=[pytest.mark.slow] if seed > 3 else []) for seed in range(16)]
)
def test_generated_data_passes_its_own_suite_whatever_the_contract(tmp_path: Path, seed: int) -> None:
    file = tmp_path / "t.odcs.yaml"
    file.write_text(random_contract(random.Random(seed)), encoding="utf-8")
    contract = read_contract(file)
    made = generate([contract], rows=draw_rows(seed), as_of=NOW, seed=seed)
    assert failing([contract], (), made, tmp_path / "data") == [], file.read_text()


def draw_rows(seed: int) -> int:
    return random.Random(-seed).choice((1, 20, 150, 1000))


RULES = (
    QualityRule("events", "out_of_order", ("at", "arrived"), at_most_share=0.0),
    QualityRule("events", "null", ("id", "device")),
    QualityRule("events", "unique", ("id",)),
    QualityRule("events", "domain", ("device",), values=("a", "b")),
    QualityRule("events", "range", ("reading",), low=0, high=3),
    QualityRule("events", "freshness", ("at",), within_seconds=600),
    QualityRule(
        "events", "drift", ("mix",), at_most_share=0.01, shares=(("x", 0.7), ("y", 0.25), ("z", 0.05))
    ),
)


@pytest.mark.parametrize(
    ("late", "seconds", "twice"),
    [(0.0, 60, 0.0), (0.05, 30, 0.0), (0.001, 3600, 0.1), (0.4, 7.5, 0.05), (0.25, 0.2, 0.4)],
)
def test_profile_measures_the_chosen_disorder_and_duplicates_back(
    tmp_path: Path, late: float, seconds: float, twice: float
) -> None:
    stream = Stream(late, seconds, twice)
    made = generate((), RULES, rows=4000, as_of=NOW, seed=5, stream=stream)
    file = write_tables(made, tmp_path)["events"]
    measured = pp.profile([file], event_time="at", arrival_time="arrived", duplicates_by=["id"])
    rows = 4000 + round(4000 * twice)
    assert measured.events == rows
    assert measured.out_of_order.count == round(4000 * late)
    assert (measured.duplicates.count if measured.duplicates else 0) == round(4000 * twice)
    if late:
        table = made.tables["events"]
        behind = [a - e for a, e in zip(table["arrived"].to_pylist(), table["at"].to_pylist(), strict=True)]
        assert set(behind) == {timedelta(0), timedelta(seconds=seconds)}
    file_order = pp.profile([file], event_time="at")
    assert file_order.out_of_order.count == round(4000 * late)


@pytest.mark.slow
def test_a_stream_without_disorder_meets_its_rules_and_one_with_it_breaks_order_and_uniqueness(
    tmp_path: Path,
) -> None:
    made = generate((), RULES, rows=300, as_of=NOW)
    assert failing((), RULES, made, tmp_path / "good") == []
    made = generate((), RULES, rows=300, as_of=NOW, stream=Stream(0.1, 20, 0.1))
    titles = [each.partition(":")[0] for each in failing((), RULES, made, tmp_path / "bad")]
    # One record in ten comes twice, which may also move the mix by more than its one per cent.
    assert [title for title in titles if not title.startswith("mix is distributed")] == [
        "at is in order",
        "id is unique",
    ]


def test_a_seed_gives_the_same_data_and_another_seed_other_data(tmp_path: Path, shop: Shop) -> None:
    contract = shop.contract()
    one, same, other = (generate([contract], rows=50, as_of=NOW, seed=seed).tables for seed in (1, 1, 2))
    assert one["orders"].equals(same["orders"])
    assert not one["orders"].equals(other["orders"])


@pytest.mark.parametrize(
    ("field", "told"),
    [
        (
            "{name: c, logicalType: integer, logicalTypeOptions: {minimum: 5, maximum: 4}}",
            "no multiple of 1 lies",
        ),
        (
            "{name: c, logicalType: string, unique: true, logicalTypeOptions: {pattern: '^[ab]$'}}",
            "too few different",
        ),
        (
            "{name: c, logicalType: string, logicalTypeOptions: {pattern: '^aaa$', maxLength: 2}}",
            "no text was found",
        ),
        ("{name: c, logicalType: date, logicalTypeOptions: {minimum: x}}", "is not a date"),
    ],
)
def test_rules_that_contradict_each_other_are_told(shop: Shop, field: str, told: str) -> None:
    contract = shop.contract(f"{HEAD}  - name: t\n    properties:\n      - {field}\n")
    with pytest.raises(InputError, match=told):
        generate([contract], rows=10, as_of=NOW)


@pytest.mark.parametrize(
    ("pattern", "told"),
    [
        ("((((((a*)*)*)*)*)*)*", "too long"),
        ("^((((a{99}){99}){99}){99})$", "too long|repeats"),
        ("a{1000000000}", "a thousand times"),
        ("(?=b)b", "pattern"),
        ("(a", "pattern"),
    ],
)
def test_a_pattern_from_a_stranger_costs_little(pattern: str, told: str) -> None:
    with pytest.raises(InputError, match=told):
        generate((), [QualityRule("t", "regex", ("c",), pattern=pattern)], rows=3, as_of=NOW)


def test_a_pattern_that_hangs_a_backtracking_matcher_does_not_hang_this_one() -> None:
    rules = [QualityRule("t", "regex", ("c",), pattern=each) for each in ("^(a+)+$", "^a{28,30}b?$")]
    assert generate((), rules, rows=3, as_of=NOW).tables["t"].num_rows == 3


def test_names_that_are_no_names_of_files_stay_apart(tmp_path: Path) -> None:
    rules = [QualityRule(name, "null", ("a",)) for name in ("a/b", "a.b", "A_b", "../x", "o'\"{}")]
    files = write_tables(generate((), rules, rows=2, as_of=NOW), tmp_path)
    assert len({file.name.lower() for file in files.values()}) == 5
    assert {file.parent for file in files.values()} == {tmp_path}


@pytest.mark.parametrize("rows", [0, -1, 10**9])
def test_unusable_wishes_are_unusable_input(shop: Shop, rows: int) -> None:
    with pytest.raises(InputError):
        generate([shop.contract()], rows=rows, as_of=NOW)
    with pytest.raises(InputError, match="late_share"):
        generate([shop.contract()], rows=5, as_of=NOW, stream=Stream(0.9))


def test_the_command_writes_data_that_profile_and_test_agree_with(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    plan = str(catalogue.folder("examples") / "orders-to-warehouse")
    common = [plan, "--as-of", "2026-11-09T10:30:20"]
    made = ["--generate", "1500", "--late", "5 %", "--late-by", "20 s", "--seed", "3"]
    assert run_here(["test", *common, *made, "-o", str(tmp_path)]) == 0
    said = capsys.readouterr()
    assert "orders: 1,500 rows" in said.out
    assert "not followed, as it is a query of its own: $.quality[16]: arrives-after-change" in said.err
    measured = pp.profile([tmp_path / "orders.parquet"], event_time="updated_at", arrival_time="arrived_at")
    assert measured.out_of_order.count == 75


@pytest.mark.parametrize(
    ("options", "told"),
    [
        (["--late", "5 %"], "--late: means something only with --generate"),
        (["--generate", "5"], "no folder to write to"),
        (["--generate", "5", "-o", "x", "--mutate"], "--mutate: means nothing with --generate"),
    ],
)
def test_options_of_generation_go_together(
    options: list[str], told: str, capsys: pytest.CaptureFixture[str]
) -> None:
    plan = str(catalogue.folder("examples") / "demo-holds")
    assert run_here(["test", plan, *options]) == 2
    assert told in capsys.readouterr().err
