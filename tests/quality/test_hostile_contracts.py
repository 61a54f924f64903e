"""Whatever a contract holds, it is a problem with a place or a project that can be written."""

from __future__ import annotations

import copy
import json
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
import yaml
from hypothesis import given, settings
from hypothesis import strategies as st

from pipelineplan.contracts import contract_of, lint
from pipelineplan.documents import read_text
from pipelineplan.errors import InputError
from pipelineplan.quality import compile_suites, gx_files
from pipelineplan.quality.select_only import why_not_select

duckdb = pytest.importorskip("duckdb", reason="duckdb is not installed")

CONNECTION = duckdb.connect(":memory:")
AS_OF = datetime(2026, 3, 1, tzinfo=UTC)
KEYS = (
    "name",
    "metric",
    "type",
    "query",
    "mustBe",
    "mustBeBetween",
    "unit",
    "logicalType",
    "minimum",
    "pattern",
)
ODD = (
    "",
    "'",
    '"',
    "{",
    "}}",
    "{batch}",
    "${table}",
    ":x",
    "\\",
    "a'; DROP TABLE t; --",
    "\u202e",
    "é" * 99,
    "[(",
)

scalars = st.one_of(
    st.none(),
    st.booleans(),
    st.integers(-(10**20), 10**20),
    st.floats(allow_nan=False, allow_infinity=False),
    st.sampled_from(ODD),
    st.sampled_from(
        ("string", "number", "rows", "percent", "library", "sql", "custom", "rowCount", "nullValues")
    ),
)
values = st.recursive(
    scalars,
    lambda inner: st.one_of(
        st.lists(inner, max_size=3), st.dictionaries(st.sampled_from(KEYS), inner, max_size=3)
    ),
    max_leaves=8,
)


def _places(value: Any, path: tuple[Any, ...] = ()) -> list[tuple[Any, ...]]:
    inner = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    return [path, *(found for key, each in inner for found in _places(each, (*path, key)))]


def _base() -> dict[str, Any]:
    quality = [
        {
            "metric": "invalidValues",
            "arguments": {"validValues": ["a", 1]},
            "mustBeLessThan": 3,
            "unit": "percent",
        },
        {"metric": "duplicateValues", "mustBeBetween": [0, 2]},
        {"metric": "missingValues", "arguments": {"missingValues": ["", None]}, "mustBe": 0},
        {"type": "sql", "query": "SELECT MAX(${column}) FROM {table}", "mustBe": "x"},
        {
            "type": "custom",
            "engine": "greatExpectations",
            "implementation": {"type": "expect_a", "kwargs": {}},
        },
    ]
    field = {
        "name": "c",
        "logicalType": "string",
        "physicalType": "DECIMAL(3,2)",
        "primaryKey": True,
        "required": True,
        "logicalTypeOptions": {"pattern": "^a", "minLength": 1, "maxLength": 3, "minimum": "2026-01-01"},
        "relationships": [{"to": "t.c"}],
        "quality": quality,
    }
    return {
        "apiVersion": "v3.1.0",
        "kind": "DataContract",
        "id": "x",
        "version": "1.0.0",
        "status": "active",
        "schema": [{"name": "t", "properties": [field], "quality": [{"metric": "rowCount", "mustBe": 3}]}],
        "slaProperties": [{"property": "latency", "value": 3, "unit": "d", "element": "t.c"}],
    }


@settings(max_examples=400, deadline=None)
@given(st.data())
def test_any_contract_is_refused_with_a_place_or_compiled(data: st.DataObject) -> None:
    contract = _base()
    for _ in range(data.draw(st.integers(1, 2))):
        path = data.draw(st.sampled_from([place for place in _places(contract) if place]))
        target = contract
        for step in path[:-1]:
            target = target[step]
        target[path[-1]] = copy.deepcopy(data.draw(values))
    try:
        read = contract_of(read_text(yaml.safe_dump(contract, allow_unicode=True), "c.yaml"))
        assert all(problem.position.line > 0 for problem in lint(read))
        suites = compile_suites([read], (), AS_OF)
    except InputError as error:
        refused = error.problems
    else:
        refused = ()
    assert all(problem.position.line > 0 for problem in refused)
    if refused:
        return
    for name, content in gx_files(suites).items():
        if Path(name).suffix == ".json":
            json.loads(content)
    foreign = {str(rule.place) for rule in read.rules if rule.kind in {"sql", "custom"}}
    for check in suites.checks:
        if str(check.place) not in foreign:
            assert why_not_select(CONNECTION, check) == ""
