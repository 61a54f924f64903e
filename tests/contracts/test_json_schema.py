"""Containment of JSON Schemas: against Apicurio's cases, another validator, and hostile schemas."""

from __future__ import annotations

import importlib.util
import json
import random
import sys
from pathlib import Path
from types import ModuleType
from typing import Any

import jsonschema
import pytest

from pipelineplan.contracts.evolution import FORMATS, Choices, Compatibility, judgement_of
from pipelineplan.contracts.json_schema import contain, read_schema
from pipelineplan.contracts.json_schema.generate import records_of
from pipelineplan.errors import InputError

VECTORS = Path(__file__).parents[2] / "../shared/data/schema-compat/json-compatibility-test-data.json"
# Equal or contained as sets of values, although the suite judges the shape of the change; each is
# explained in docs/reference/compatibility.md.
DISAGREEMENTS = ["Const", "Complex: anyOf 1", "Complex: oneOf 1", "Complex: oneOf 3", "Conditional: if"]


def beside(name: str) -> ModuleType:
    spec = importlib.util.spec_from_file_location(name, Path(__file__).with_name(f"{name}.py"))
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    sys.modules[name] = module
    spec.loader.exec_module(module)
    return module


def changes(reader: Any, writer: Any) -> list[Any]:
    return contain(read_schema(reader), read_schema(writer))


def verdict(reader: Any, writer: Any) -> str:
    return judgement_of(changes(reader, writer), Choices()).verdict.value


def passes(reader: Any, writer: Any) -> bool:
    return judgement_of(changes(reader, writer), Choices()).passes


def test_the_cases_of_apicurio_in_both_directions() -> None:
    if not VECTORS.is_file():
        pytest.skip("the vectors are not beside the repository")
    cases = json.loads(VECTORS.read_text(encoding="utf-8"))["tests"]
    word = {(True, True): "both", (True, False): "backward", (False, True): "forward", (False, False): "none"}
    wrong = [
        case["id"]
        for case in cases
        if word[passes(case["updated"], case["original"]), passes(case["original"], case["updated"])]
        != case["compatibility"]
    ]
    assert (len(cases), wrong) == (145, DISAGREEMENTS)


def agrees(seed: int) -> str:
    pairs = beside("json_pairs")
    source = random.Random(seed)
    writer = pairs.schema(source, 3)
    reader = pairs.changed(writer, source)
    written, read = (jsonschema.Draft202012Validator(one) for one in (writer, reader))
    found = changes(reader, writer)
    for change in found:
        if change.verdict is Compatibility.INCOMPATIBLE:
            assert change.witness is not None
            assert written.is_valid(change.witness.record), (writer, reader, change)
            assert not read.is_valid(change.witness.record), (writer, reader, change)
    if not found:
        for record in records_of(writer, reader, source, 60):
            assert not written.is_valid(record) or read.is_valid(record), (writer, reader, record)
    return judgement_of(found, Choices()).verdict.value


def test_another_validator_agrees_on_random_pairs_and_little_is_undecided() -> None:
    verdicts = [agrees(seed) for seed in range(700)]
    assert verdicts.count("unknown") < 0.02 * len(verdicts)
    assert verdicts.count("compatible") > 100
    assert verdicts.count("incompatible") > 100


DRAFT_7 = "http://json-schema.org/draft-07/schema#"


@pytest.mark.parametrize(
    ("reader", "writer", "expected"),
    [
        ({"type": "number"}, {"type": "integer"}, "compatible"),
        ({"type": "integer"}, {"type": "number"}, "incompatible"),
        ({"type": "number", "multipleOf": 1}, {"type": "integer"}, "compatible"),
        ({"type": "integer"}, {"type": "number", "multipleOf": 1}, "compatible"),
        ({"multipleOf": 0.1}, {"multipleOf": 0.3}, "compatible"),
        ({"multipleOf": 0.3}, {"multipleOf": 0.1}, "incompatible"),
        ({"exclusiveMinimum": 0}, {"type": "integer", "minimum": 1}, "compatible"),
        ({"minimum": 1}, {"type": "integer", "exclusiveMinimum": 0}, "compatible"),
        ({"enum": [1, 2]}, {"type": "integer", "minimum": 1, "maximum": 2}, "compatible"),
        ({"pattern": "^[a-z]+$"}, {"type": "string", "pattern": "^[a-c]{2}$"}, "compatible"),
        ({"pattern": "^[a-c]{2}$"}, {"type": "string", "pattern": "^[a-z]+$"}, "incompatible"),
        ({"minLength": 2}, {"type": "string", "pattern": "^.{2,}$"}, "compatible"),
        ({"enum": ["a", "b"]}, {"enum": ["a"]}, "compatible"),
        ({"anyOf": [{"type": "string"}, {"type": "null"}]}, {"type": ["string", "null"]}, "compatible"),
        ({"uniqueItems": True}, {"type": "array", "maxItems": 1}, "compatible"),
        ({"uniqueItems": True}, {"type": "array", "maxItems": 2}, "incompatible"),
        ({"contains": {"type": "integer"}}, {"items": {"type": "integer"}, "minItems": 1}, "compatible"),
        ({"contains": {"type": "integer"}}, {"items": {"type": "integer"}}, "incompatible"),
        ({"type": "object", "required": ["a"]}, {"type": "object", "minProperties": 1}, "incompatible"),
        (
            {"propertyNames": {"maxLength": 3}},
            {"type": "object", "propertyNames": {"maxLength": 2}},
            "compatible",
        ),
        ({"format": "date"}, {"type": "string", "format": "date"}, "compatible"),
        ({"format": "date"}, {"type": "string"}, "policy"),
        ({"properties": {"a": {"type": "string"}}}, {"properties": {"b": True}}, "policy"),
        ({"$dynamicRef": "#x"}, {"type": "string"}, "unknown"),
        ({"$ref": "https://elsewhere.example/s.json"}, {"type": "string"}, "unknown"),
        ({"pattern": "^(?=a)"}, {"type": "string"}, "unknown"),
    ],
    ids=str,
)
def test_verdicts(reader: Any, writer: Any, expected: str) -> None:
    assert verdict(reader, writer) == expected


def tree(kind: str) -> dict[str, Any]:
    node = {"properties": {"value": {"type": kind}, "next": {"$ref": "#/$defs/node"}}, "required": ["value"]}
    return {"$ref": "#/$defs/node", "$defs": {"node": {"type": "object", **node}}}


def test_references_may_go_round() -> None:
    assert verdict(tree("number"), tree("integer")) == "compatible"
    assert verdict(tree("integer"), tree("number")) == "incompatible"


def bomb(width: int) -> dict[str, Any]:
    return {"oneOf": [{"properties": {f"p{i}": {"const": i}}, "required": [f"p{i}"]} for i in range(width)]}


def deep(levels: int, kind: str) -> dict[str, Any]:
    made: dict[str, Any] = {"type": kind}
    for _ in range(levels):
        made = {"properties": {"a": made}, "required": ["a"]}
    return made


HOSTILE = {
    "a reference to itself": ({"$ref": "#"}, {"type": "string"}),
    "two that refer to each other": (
        {"$ref": "#/$defs/a", "$defs": {"a": {"$ref": "#/$defs/b"}, "b": {"$ref": "#/$defs/a"}}},
        {"not": {"$ref": "#"}},
    ),
    "oneOf bomb": (bomb(41), bomb(40)),
    "anyOf of anyOf": (
        {"allOf": [{"anyOf": [{"const": i}, {"const": [i]}, {"minItems": i}]} for i in range(2, 30)]},
        {"allOf": [{"anyOf": [{"const": {"a": i}}, {"minLength": i}, {"maxItems": i}]} for i in range(30)]},
    ),
    "deep": (deep(60, "integer"), deep(60, "number")),
    "hostile regex": ({"pattern": "^(([a-z])+.)+[A-Z]([a-z])+$"}, {"type": "string", "pattern": "^(a+)+$"}),
    "large repeats": (
        {"pattern": "^(a{0,900}b){0,900}$"},
        {"type": "string", "pattern": "^(b{0,900}a){0,900}$"},
    ),
    "many items": ({"items": {"type": "integer"}}, {"type": "array", "minItems": 10**9}),
}


@pytest.mark.parametrize("name", HOSTILE)
def test_hostile_schemas_end_and_are_never_called_compatible(name: str) -> None:
    reader, writer = HOSTILE[name]
    assert verdict(reader, writer) in {"unknown", "incompatible", "policy"}


def test_ten_thousand_properties() -> None:
    def wide(kind: str, required: int) -> dict[str, Any]:
        names = [f"f{i}" for i in range(10_000)]
        return {"properties": {name: {"type": kind} for name in names}, "required": names[:required]}

    assert verdict(wide("number", 9_990), wide("integer", 10_000)) == "compatible"
    assert verdict(wide("integer", 10_000), wide("number", 10_000)) == "incompatible"


@pytest.mark.parametrize(
    "data",
    [7, [], {"type": "text"}, {"minLength": "x"}, {"multipleOf": 0}, {"allOf": [7]}, {"enum": 3}],
    ids=str,
)
def test_what_is_no_schema_is_said(data: Any) -> None:
    with pytest.raises(InputError):
        changes(data, {"type": "string"})


def test_the_path_is_the_readers() -> None:
    old = {"properties": {"a": {"items": {"properties": {"b": {"type": "number"}}}}}}
    new = {"properties": {"a": {"items": {"properties": {"b": {"type": "integer"}}}}}}
    assert [change.path for change in changes(new, old)] == ["$.a[*].b"]


@pytest.mark.parametrize(
    ("old", "new", "paths"),
    [
        ({"type": "integer"}, {"type": "number"}, ["$"]),
        (
            {"properties": {"n": {"type": "integer"}}},
            {"properties": {"n": {"type": ["number", "null"]}}},
            ["$.n"],
        ),
        ({"items": {"type": "integer"}}, {"items": {"type": "number"}}, ["$[*]"]),
        ({"type": "integer", "minimum": 0, "maximum": 9}, {"type": "number"}, []),
        ({"type": ["integer", "number"]}, {"type": "number"}, []),
        ({"type": "integer"}, {"type": "integer"}, []),
    ],
)
def test_an_integer_read_as_a_number_is_a_policy(old: object, new: object, paths: list[str]) -> None:
    changes = FORMATS["json"].reads(read_schema(new), read_schema(old))
    assert [(change.path, change.policy) for change in changes] == [
        (path, "lossy-promotion") for path in paths
    ]
    assert judgement_of(changes, Choices()).passes
    assert FORMATS["json"].prove(read_schema(new), read_schema(old), changes, 50) == changes
