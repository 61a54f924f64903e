"""Compilation: every rule is accounted for, the project is Great Expectations', bytes are stable."""

from __future__ import annotations

import importlib.util
import json
import re
import subprocess
import sys
from collections import Counter
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
import yaml

from pipelineplan.contracts import Contract, read_contract
from pipelineplan.errors import InputError
from pipelineplan.quality import QualityRule, compile_suites, gx_files, write_gx_project
from pipelineplan.quality.formats import PATTERNS

EXAMPLES = Path(__file__).parents[2] / "../shared/data/odcs/examples"

Shop = Any

HEAD = "apiVersion: v3.1.0\nkind: DataContract\nid: t\nversion: 1.0.0\nstatus: active\nschema:\n  - name: t\n"


def compiled(shop: Shop, rule: str, field: str = "{name: c, logicalType: string}") -> list[dict[str, Any]]:
    """The type and arguments of the expectations that one rule of the dataset t comes to."""
    text = f"{HEAD}    properties:\n      - {field}\n    quality:\n      - {rule}\n"
    suites = compile_suites([shop.contract(text)], (), shop.as_of)
    found = [check for check in suites.checks if check.source_rule == "quality"]
    left = [entry for entry in suites.not_executable if entry.rule == "quality"]
    assert (len(found) > 0) != (len(left) > 0)
    shown = [{"type": check.expectation_type, **check.kwargs} for check in found]
    return shown or [{"reason": entry.reason} for entry in left]


def column_rule(shop: Shop, rule: str) -> dict[str, Any]:
    """What a rule of the column c comes to."""
    text = f"{HEAD}    properties:\n      - {{name: c, quality: [{rule}]}}\n"
    suites = compile_suites([shop.contract(text)], (), shop.as_of)
    checks = [check for check in suites.checks if check.source_rule == "quality"]
    if not checks:
        return {"reason": suites.not_executable[0].reason}
    return {"type": checks[0].expectation_type, **checks[0].kwargs}


@pytest.mark.parametrize(
    ("rule", "bounds"),
    [
        ("mustBe: 5", (5, 5)),
        ("mustBeBetween: [2, 9]", (2, 9)),
        ("mustBeGreaterThan: 5", (6, None)),
        ("mustBeGreaterOrEqualTo: 5", (5, None)),
        ("mustBeLessThan: 5", (None, 4)),
        ("mustBeLessThanOrEqualTo: 5", (None, 5)),
    ],
)
def test_row_counts_become_inclusive_bounds(shop: Shop, rule: str, bounds: tuple[Any, Any]) -> None:
    (found,) = compiled(shop, f"{{metric: rowCount, {rule}}}")
    assert found["type"] == "expect_table_row_count_to_be_between"
    assert (found.get("min_value"), found.get("max_value")) == bounds


@pytest.mark.parametrize(
    ("rule", "wanted"),
    [
        ("{metric: nullValues, mustBe: 0}", {"type": "expect_column_values_to_not_be_null", "column": "c"}),
        (
            "{metric: nullValues, mustBeLessOrEqualTo: 5, unit: percent}",
            {"type": "expect_column_values_to_not_be_null", "column": "c", "mostly": 0.95},
        ),
        (
            "{metric: invalidValues, mustBe: 0, arguments: {validValues: [a, null, b]}}",
            {"type": "expect_column_values_to_be_in_set", "column": "c", "value_set": ["a", "b"]},
        ),
        (
            '{metric: invalidValues, mustBeLessOrEqualTo: 0, unit: percent, arguments: {pattern: "^a"}}',
            {"type": "expect_column_values_to_match_regex", "column": "c", "regex": "^a"},
        ),
        (
            "{metric: duplicateValues, mustBe: 0}",
            {"type": "expect_column_values_to_be_unique", "column": "c"},
        ),
    ],
)
def test_what_an_expectation_says_is_an_expectation(shop: Shop, rule: str, wanted: dict[str, Any]) -> None:
    assert column_rule(shop, rule) == wanted


@pytest.mark.parametrize(
    ("rule", "sql"),
    [
        ("{metric: nullValues, mustBeLessThan: 5}", 'COUNT(*) - COUNT("c")'),
        ("{metric: nullValues, mustBeLessOrEqualTo: 2.5, unit: percent}", "observed <= 2.5"),
        ("{metric: nullValues, mustBeBetween: [1, 5]}", "observed BETWEEN 1 AND 5"),
        (
            "{metric: nullValues, mustBeGreaterThan: 1, mustBeLessThan: 5}",
            "(observed > 1) AND (observed < 5)",
        ),
        ("{metric: missingValues, mustBe: 0}", '"c" IS NULL'),
        (
            "{metric: missingValues, mustBe: 0, arguments: {missingValues: ['', null]}}",
            '"c" IS NULL OR CAST("c" AS VARCHAR) IN (\'\')',
        ),
        (
            "{metric: missingValues, mustBe: 0, arguments: {missingValues: ['it''s']}}",
            "CASE WHEN CAST(\"c\" AS VARCHAR) IN ('it''s')",
        ),
        (
            "{metric: missingValues, mustBe: 0, arguments: {missingValues: [n/a, -1]}}",
            '"c" IN (-1) OR CAST("c" AS VARCHAR) IN (\'n/a\')',
        ),
        ("{metric: invalidValues, mustBeLessThan: 3, arguments: {validValues: [1]}}", '"c" NOT IN (1)'),
        (
            "{metric: invalidValues, mustBe: 0, arguments: {validValues: ['', n/a]}}",
            "\"c\" NOT IN ('', 'n/a')",
        ),
        ("{metric: invalidValues, mustBe: 0, arguments: {validValues: [a, 1]}}", "\"c\" NOT IN ('a', 1)"),
        ("{metric: duplicateValues, mustBeLessThan: 3}", 'COUNT("c") - COUNT(DISTINCT "c")'),
        (
            '{type: sql, query: "SELECT MAX(${column}) FROM {table};", mustBe: 3}',
            'SELECT MAX("c") FROM checked\n',
        ),
    ],
)
def test_what_no_expectation_says_is_sql(shop: Shop, rule: str, sql: str) -> None:
    found = column_rule(shop, rule)
    assert found["type"] == "unexpected_rows_expectation"
    assert sql in found["unexpected_rows_query"]
    assert found["unexpected_rows_query"].count("{batch}") == 1


@pytest.mark.parametrize(
    ("rule", "reason"),
    [
        ("{type: text, description: x}", "text is for people"),
        ("{type: custom, engine: soda, implementation: x}", "the engine 'soda'"),
        ("{type: custom, engine: greatExpectations, implementation: '3'}", "names no expectation"),
        ("{type: custom, engine: greatExpectations, implementation: '{a: '}", "cannot be read"),
        ("{metric: freshness, mustBe: 0}", "'freshness' is not one of the standard's"),
        ("{metric: nullValues, mustBe: 0, unit: furlongs}", "'furlongs' is neither rows nor percent"),
        ("{metric: nullValues, mustBe: none}", "compares only with numbers"),
        ("{metric: invalidValues, mustBe: 0}", "nothing says what is valid"),
        ("{metric: invalidValues, mustBe: 0, arguments: {validValues: 3}}", "is not a list"),
    ],
)
def test_what_cannot_run_says_why(shop: Shop, rule: str, reason: str) -> None:
    assert reason in column_rule(shop, rule)["reason"]


@pytest.mark.parametrize(
    "written",
    [
        "{type: expect_column_mean_to_be_between, kwargs: {min_value: 1}}",
        '\'{"expectation_type": "expect_column_mean_to_be_between", "kwargs": {"min_value": 1}}\'',
        '"type: expect_column_mean_to_be_between\\nkwargs:\\n  min_value: 1\\n"',
    ],
)
def test_custom_expectations_are_taken_as_mapping_yaml_or_json(shop: Shop, written: str) -> None:
    found = column_rule(shop, f"{{type: custom, engine: great-expectations, implementation: {written}}}")
    assert found == {"type": "expect_column_mean_to_be_between", "column": "c", "min_value": 1}


def test_duplicates_across_columns_take_the_properties_of_the_arguments(shop: Shop) -> None:
    rule = "{metric: duplicateValues, mustBe: 0, arguments: {properties: [c, d]}}"
    assert compiled(shop, rule) == [{"reason": "the dataset has no field d"}]
    same = compiled(shop, rule.replace("d]", "c]"))
    assert same == [{"type": "expect_column_values_to_be_unique", "column": "c"}], (
        "a field named twice is one"
    )


def test_a_key_of_several_columns_is_sql_that_no_column_can_upset() -> None:
    """A column may have any name, also one that a query gives to a count."""
    (check,) = compile_suites([], [QualityRule("t", "unique", ("times", "b"))]).checks
    text = check.kwargs["unexpected_rows_query"]
    assert text.count("{batch}") == 1
    assert 'PARTITION BY "times", "b"' in text


def test_freshness_needs_an_instant_that_counts_as_now() -> None:
    rule = QualityRule("t", "freshness", ("at",), within_seconds=60)
    assert "counts as now" in compile_suites([], [rule]).not_executable[0].reason
    (check,) = compile_suites([], [rule], datetime(2026, 3, 1, 12, tzinfo=UTC)).checks
    assert "TIMESTAMP WITH TIME ZONE '2026-03-01 11:59:00+00:00'" in check.kwargs["unexpected_rows_query"]


def test_a_dataset_described_twice_is_a_problem(shop: Shop) -> None:
    contract = shop.contract()
    with pytest.raises(InputError, match=r"shop.odcs.yaml:8:5: .*'orders' is described twice"):
        compile_suites([contract, shop.contract()])
    assert contract.datasets


def written_rules(contract: dict[str, Any]) -> Iterator[str]:
    """What a contract demands of its data, counted from its YAML without the package's reader."""
    for dataset in contract.get("schema") or ():
        fields = list(_fields(dataset))
        yield from ["key"] * any(field.get("primaryKey") for field in fields)
        for part in (dataset, *fields):
            yield from ["quality"] * len(part.get("quality") or ())
            yield from ["relationship"] * len(part.get("relationships") or ())
        for field in fields:
            yield "type"
            yield from ["flag"] * (bool(field.get("required")) + bool(field.get("unique")))
            yield from field.get("logicalTypeOptions") or ()
    for sla in contract.get("slaProperties") or ():
        yield from ["sla"] * (sla["property"] in {"latency", "frequency"})


def _fields(outer: dict[str, Any]) -> Iterator[dict[str, Any]]:
    inner = [*(outer.get("properties") or ()), *([outer["items"]] if "items" in outer else [])]
    for field in inner:
        yield field
        yield from _fields(field)


@pytest.mark.parametrize("metric", ["nullValues", "missingValues", "invalidValues"])
def test_a_rule_over_several_columns_loses_none_of_them(shop: Shop, metric: str) -> None:
    arguments = {
        "nullValues": "properties: [a, b]",
        "missingValues": "properties: [a, b], missingValues: [n/a]",
        "invalidValues": "properties: [a, b], validValues: [x]",
    }[metric]
    fields = "{name: a}\n      - {name: b}"
    found = compiled(shop, f"{{metric: {metric}, mustBe: 0, arguments: {{{arguments}}}}}", fields)
    assert ["a" in str(each) for each in found] == [True, True]
    assert '"b"' in json.dumps(found[1]) or '\\"b\\"' in json.dumps(found[1])
    at_most = f"{{metric: {metric}, mustBeLessThan: 3, arguments: {{{arguments}}}}}"
    assert compiled(shop, at_most, fields) == [
        {"reason": f"{metric} of several columns: how they count together is not said"}
    ]


@pytest.mark.parametrize(
    ("rule", "argument"),
    [
        ("{metric: nullValues, mustBe: 0, arguments: {properties: [c], filter: x > 1}}", "filter"),
        ("{metric: invalidValues, mustBe: 0, arguments: {properties: [c], validvalues: [a]}}", "validvalues"),
        ("{metric: rowCount, mustBe: 0, arguments: {properties: [c]}}", "properties"),
        ("{metric: missingValues, mustBe: 0, arguments: {properties: [c], pattern: a}}", "pattern"),
    ],
)
def test_an_argument_that_nobody_knows_is_not_passed_over(shop: Shop, rule: str, argument: str) -> None:
    (found,) = compiled(shop, rule)
    assert found["reason"].endswith(f"has no argument {argument!r}")


def test_a_columns_rule_that_names_other_columns_is_not_passed_over(shop: Shop) -> None:
    found = column_rule(shop, "{metric: duplicateValues, mustBe: 0, arguments: {properties: [c, d]}}")
    assert found == {"reason": "duplicateValues of c has no argument 'properties'"}


@pytest.mark.parametrize(
    "field",
    [
        "{name: c, enum: [a, b]}",
        "{name: c, enum: [{value: a}, {value: b}, null]}",
        "{name: c, logicalTypeOptions: {enum: [a, b]}}",
    ],
)
def test_the_enum_of_a_field_is_checked_once(shop: Shop, field: str) -> None:
    suites = compile_suites([shop.contract(f"{HEAD}    properties:\n      - {field}\n")])
    assert [(entry.rule, entry.outcome) for entry in suites.account] == [
        ("logicalType", "schema"),
        ("enum", "expectation"),
    ]
    assert suites.checks[1].kwargs == {"column": "c", "value_set": ["a", "b"]}


def test_what_is_inside_an_arrays_items_is_accounted_for(shop: Shop) -> None:
    rule = "{metric: nullValues, mustBe: 0}"
    inner = f"{{name: i, enum: [a], unique: true, relationships: [{{to: u.id}}], quality: [{rule}]}}"
    field = f"{{name: c, logicalType: array, items: {{logicalType: object, properties: [{inner}]}}}}"
    suites = compile_suites([shop.contract(f"{HEAD}    properties:\n      - {field}\n")])
    left = [entry.rule for entry in suites.not_executable]
    assert left == ["logicalType", "logicalType", "unique", "enum", "relationship", "quality"]


@pytest.mark.parametrize(("name", "told"), [("freshness", True), ("ly", True), ("retention", False)])
def test_a_service_level_that_the_standard_does_not_have_is_told(shop: Shop, name: str, told: bool) -> None:  # noqa: FBT001
    text = f"{HEAD}    properties: [{{name: c}}]\nslaProperties: [{{property: {name}, value: 4, unit: h}}]\n"
    left = compile_suites([shop.contract(text)]).not_executable
    assert [entry.rule for entry in left] == [name] * told


@pytest.mark.skipif(not EXAMPLES.is_dir(), reason=f"the standard's examples are not at {EXAMPLES}")
def test_no_rule_of_the_standards_examples_vanishes(shop: Shop) -> None:
    total: Counter[str] = Counter()
    for file in sorted(EXAMPLES.rglob("*.yaml")):
        suites = compile_suites([read_contract(file)], (), shop.as_of)
        wanted = list(written_rules(yaml.safe_load(file.read_text(encoding="utf-8"))))
        assert len(suites.account) == len(wanted), file
        made = {check.id for check in suites.checks}
        assert len(made) == len(suites.checks)
        for entry in suites.account:
            assert (entry.outcome == "not executable") == bool(entry.reason)
            assert set(entry.checks) <= made
        assert made == {check_id for entry in suites.account for check_id in entry.checks}
        total.update(entry.outcome for entry in suites.account)
    # The numbers of a run that was looked through by hand, rule by rule.
    assert total == {"schema": 491, "expectation": 72, "sql": 31, "not executable": 25}


def test_why_the_standards_examples_have_rules_that_nothing_runs(shop: Shop) -> None:
    if not EXAMPLES.is_dir():
        pytest.skip(f"the standard's examples are not at {EXAMPLES}")
    reasons: Counter[str] = Counter()
    for file in sorted(EXAMPLES.rglob("*.yaml")):
        left = compile_suites([read_contract(file)], (), shop.as_of).not_executable
        reasons.update(entry.rule if entry.rule != "quality" else entry.reason for entry in left)
    assert reasons == {
        # How dates are written, and f32 and i64, which bound nothing that a check could see.
        "format": 6,
        "timezone": 2,
        "defaultTimezone": 1,
        # Options of arrays and objects, and what is inside of them.
        "minItems": 1,
        "maxItems": 1,
        "uniqueItems": 1,
        "required": 1,
        "maxProperties": 1,
        "logicalType": 4,
        "relationship": 1,
        "latency": 2,
        "frequency": 2,
        "written for the engine 'soda', which this package does not run": 2,
    }


@pytest.mark.parametrize(
    ("field", "wanted"),
    [
        ("{name: c, logicalType: string, logicalTypeOptions: {format: email}}", "^[^@ ]+@[^@ ]+$"),
        ("{name: c, logicalType: integer, logicalTypeOptions: {format: u16}}", 65_535),
        ("{name: c, logicalType: integer, logicalTypeOptions: {format: i8}}", 127),
    ],
)
def test_formats_that_bound_values_are_checked(shop: Shop, field: str, wanted: Any) -> None:
    suites = compile_suites([shop.contract(f"{HEAD}    properties:\n      - {field}\n")])
    (check,) = suites.suites[0].expectations
    assert wanted in check.kwargs.values()
    assert suites.not_executable == ()


WRITTEN = {
    "uuid": (["6f1c0a52-0F0E-4a5b-9c3d-000000000000"], ["6f1c0a52", "6f1c0a52-0f0e-4a5b-9c3d-00000000000g"]),
    "email": (["a@b.c", "é+x@localhost"], ["a.b", "a@", "a b@c.d", "a@b@c"]),
    "hostname": (["a", "a-1.example.com"], ["-a.b", "a..b", "a_b", "x" * 64]),
    "ipv4": (["0.0.0.0", "255.249.199.9"], ["256.1.1.1", "1.2.3", "1.2.3.4.5", "01.2.3.4"]),
    "uri": (["https://a.b/c?d#e", "urn:x"], ["//a.b", "1a:b", "a b:c"]),
}


@pytest.mark.parametrize("name", sorted(PATTERNS))
def test_a_formats_pattern_takes_the_good_and_leaves_the_bad(name: str) -> None:
    good, bad = WRITTEN[name]
    assert [text for text in (*good, *bad) if re.search(PATTERNS[name], text)] == good


@pytest.mark.parametrize(
    "field",
    [
        "{name: c, logicalType: integer, logicalTypeOptions: {format: i64}}",
        "{name: c, logicalType: string, logicalTypeOptions: {format: password}}",
        "{name: c, logicalType: date, logicalTypeOptions: {format: yyyy-MM-dd}}",
    ],
)
def test_formats_that_bound_nothing_are_accounted_for(shop: Shop, field: str) -> None:
    suites = compile_suites([shop.contract(f"{HEAD}    properties:\n      - {field}\n")])
    assert [entry.rule for entry in suites.not_executable] == ["format"]
    assert "sets no bound" in suites.not_executable[0].reason


def _many_rules() -> list[QualityRule]:
    kinds = ("null", "unique", "range", "regex")
    return [
        QualityRule(f"t{number % 10}", kinds[number % 4], (f"c{number}",), low=1, pattern="^a")  # type: ignore[arg-type]
        for number in range(200)
    ]


def test_compiling_two_hundred_rules_imports_no_great_expectations(tmp_path: Path) -> None:
    code = (
        "import sys, time; from pathlib import Path; from pipelineplan.quality import *\n"
        "rules = [QualityRule('t', 'null', (f'c{n}',)) for n in range(200)]\n"
        "start = time.perf_counter(); s = compile_suites([], rules); write_gx_project(s, Path(sys.argv[1]))\n"
        "print(f'{time.perf_counter() - start:.4f} s for', len(s.checks))\n"
        "heavy = {'great_expectations', 'pandas', 'duckdb', 'sqlalchemy', 'numpy', 'pyarrow'}\n"
        "sys.exit(str(heavy & set(sys.modules)) if heavy & set(sys.modules) else 0)\n"
    )
    done = subprocess.run(
        [sys.executable, "-c", code, str(tmp_path)], capture_output=True, text=True, check=False
    )
    print(done.stdout)
    assert (done.returncode, done.stderr) == (0, "")
    assert done.stdout.endswith("for 200\n")


def test_the_same_input_gives_the_same_bytes_under_any_hash_seed(shop: Shop, tmp_path: Path) -> None:
    (tmp_path / "shop.yaml").write_text(shop.contract_text, encoding="utf-8")
    code = (
        "import sys, hashlib; from pathlib import Path; from datetime import *\n"
        "from pipelineplan.contracts import *; from pipelineplan.quality import *\n"
        "c = read_contract(Path(sys.argv[1]), 'shop.yaml')\n"
        "files = gx_files(compile_suites([c], [], datetime(2026, 1, 1, tzinfo=UTC)))\n"
        "print(hashlib.sha256(repr(list(files.items())).encode()).hexdigest())\n"
    )
    digests = {
        subprocess.run(
            [sys.executable, "-c", code, str(tmp_path / "shop.yaml")],
            capture_output=True,
            check=True,
            env={"PYTHONHASHSEED": seed, "PYTHONPATH": str(Path(__file__).parents[2])},
        ).stdout
        for seed in ("0", "1", "77")
    }
    assert len(digests) == 1


def _schemas() -> dict[str, dict[str, Any]]:
    spec = importlib.util.find_spec("great_expectations")
    assert spec is not None
    assert spec.submodule_search_locations
    folder = Path(spec.submodule_search_locations[0]) / "expectations/core/schemas"
    index = json.loads((folder / "index.json").read_text(encoding="utf-8"))["expectations"]
    return {
        name: json.loads((folder / entry["schema_file"]).read_text(encoding="utf-8"))
        for name, entry in index.items()
    }


def _all_kinds(shop: Shop) -> tuple[list[Contract], list[QualityRule]]:
    contracts = [shop.contract()]
    if EXAMPLES.is_dir():
        contracts.append(read_contract(EXAMPLES / "data-types/all-data-types.odcs.yaml"))
        contracts.append(read_contract(EXAMPLES / "all/full-example.odcs.yaml"))
    shares = [QualityRule("t", "null", ("c",), at_most_share=number / 100) for number in range(100)]
    more = [QualityRule("t", "domain", ("c",), values=("a", 1)), QualityRule("t", "volume", low=1)]
    return contracts, [*_many_rules(), *shares, *more]


@pytest.mark.skipif(
    importlib.util.find_spec("great_expectations") is None, reason="great_expectations is absent"
)
def test_every_expectation_is_valid_by_great_expectations_own_schema(shop: Shop) -> None:
    import jsonschema

    contracts, rules = _all_kinds(shop)
    suites = compile_suites(contracts, rules, shop.as_of)
    schemas = _schemas()
    assert len(schemas) >= 50
    checked = 0
    for name, content in gx_files(suites).items():
        if not name.startswith("expectations/"):
            continue
        for expectation in json.loads(content)["expectations"]:
            kept = {key: value for key, value in expectation.items() if key not in {"type", "kwargs"}}
            jsonschema.validate({**kept, **expectation["kwargs"]}, schemas[expectation["type"]])
            checked += 1
    assert checked > 300


def test_the_project_is_written_whole_and_again_the_same(shop: Shop, tmp_path: Path) -> None:
    suites = compile_suites([shop.contract()], (), shop.as_of)
    root = write_gx_project(suites, tmp_path)
    first = {file: file.read_bytes() for file in sorted(root.rglob("*")) if file.is_file()}
    assert write_gx_project(suites, tmp_path) == root
    assert {file: file.read_bytes() for file in sorted(root.rglob("*")) if file.is_file()} == first
    settings = yaml.safe_load((root / "great_expectations.yml").read_text(encoding="utf-8"))
    assert settings["analytics_enabled"] is False
    assert settings["progress_bars"] == {"globally": False, "metric_calculations": False}
