"""Avro schema resolution against Apache Avro's own pairs, and against what fastavro really does."""

from __future__ import annotations

import importlib.util
import json
import random
import sys
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest

from pipelineplan.contracts.avro import avro_of, resolve
from pipelineplan.contracts.avro.prove import _Wire
from pipelineplan.contracts.avro.sample import random_record
from pipelineplan.contracts.evolution import Choices, Compatibility, judgement_of
from pipelineplan.contracts.evolution.shown import NoRecordError
from pipelineplan.errors import InputError

VECTORS = Path(__file__).parents[2] / "../shared/data/schema-compat"


def beside(name: str) -> ModuleType:
    spec = importlib.util.spec_from_file_location(name, Path(__file__).with_name(f"{name}.py"))
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    sys.modules[name] = module
    spec.loader.exec_module(module)
    return module


def vectors(name: str) -> Any:
    file = VECTORS / name
    if not file.is_file():
        pytest.skip(f"{name} is not beside the repository")
    return json.loads(file.read_text(encoding="utf-8"))


def passes(reader: Any, writer: Any) -> bool:
    return judgement_of(resolve(avro_of(reader), avro_of(writer)), Choices()).passes


def test_apache_avros_own_pairs() -> None:
    pairs = vectors("avro-reader-writer-pairs.json")
    wrong = [pair for pair in pairs if passes(pair["reader"], pair["writer"]) != pair["compatible"]]
    assert (len(pairs), wrong) == (131, [])


def test_the_cases_of_apicurio() -> None:
    cases = vectors("avro-compatibility-test-data.json")["tests"]
    word = {(True, True): "both", (True, False): "backward", (False, True): "forward", (False, False): "none"}
    found = [word[passes(c["updated"], c["original"]), passes(c["original"], c["updated"])] for c in cases]
    assert found == [case["compatibility"] for case in cases]


@pytest.mark.parametrize("seed", range(600))
def test_fastavro_agrees_on_random_pairs(seed: int) -> None:
    pairs = beside("avro_pairs")
    source = random.Random(seed)
    names: list[str] = []
    writer = pairs.record(source, 3, names)
    reader = pairs.changed(writer, source)
    read, written = avro_of(reader), avro_of(writer)
    changes = resolve(read, written)
    wire = _Wire(reader, writer)
    for change in changes:
        if change.verdict is Compatibility.INCOMPATIBLE:
            assert change.witness is not None
            refusal = wire.refusal(change.witness.record)
            if all(one.change != "default-does-not-fit" for one in changes):  # fastavro takes no such schema
                assert refusal.startswith("refuses"), change
    if not changes:
        for _ in range(20):
            assert wire.refusal(random_record(written, source)) == ""


def one_field(kind: Any, **more: Any) -> dict[str, Any]:
    return {"type": "record", "name": "R", "fields": [{"name": "a", "type": kind, **more}]}


def decimal(precision: int, scale: int) -> dict[str, Any]:
    return {"type": "bytes", "logicalType": "decimal", "precision": precision, "scale": scale}


def long_of(logical: str) -> dict[str, Any]:
    return {"type": "long", "logicalType": logical}


@pytest.mark.parametrize(
    ("reader", "writer", "policy", "allowed"),
    [
        (decimal(10, 3), decimal(10, 2), "logical-type", False),
        (decimal(8, 2), decimal(10, 2), "logical-type", False),
        (decimal(12, 2), decimal(10, 2), "logical-annotation", True),
        (long_of("timestamp-micros"), long_of("timestamp-millis"), "logical-type", False),
        (long_of("local-timestamp-millis"), long_of("timestamp-millis"), "logical-type", False),
        ("long", long_of("timestamp-millis"), "logical-annotation", True),
        ("double", "long", "lossy-promotion", True),
        ("float", "int", "lossy-promotion", True),
        ("string", "bytes", "lossy-promotion", True),
    ],
    ids=str,
)
def test_what_checkers_miss_is_a_policy_with_a_name(
    reader: Any,
    writer: Any,
    policy: str,
    allowed: bool,  # noqa: FBT001
) -> None:
    changes = resolve(avro_of(one_field(reader)), avro_of(one_field(writer)))
    assert [change.policy for change in changes] == [policy]
    assert judgement_of(changes, Choices()).passes is allowed
    assert judgement_of(changes, Choices(allow=[policy])).passes
    assert not judgement_of(changes, Choices(refuse=[policy])).passes


@pytest.mark.parametrize(
    ("reader", "writer"),
    [(decimal(10, 2), decimal(10, 2)), ("double", "int"), ({"type": "int", "logicalType": "uuid"}, "int")],
    ids=["same decimal", "every int is a double", "a logical type that does not belong there is ignored"],
)
def test_what_is_no_matter(reader: Any, writer: Any) -> None:
    assert resolve(avro_of(one_field(reader)), avro_of(one_field(writer))) == []


def test_names_are_compared_without_namespace_and_a_rename_wants_an_alias() -> None:
    old = {"type": "record", "name": "a.R", "fields": []}
    assert passes({"type": "record", "name": "b.R", "fields": []}, old)
    assert not passes({"type": "record", "name": "S", "fields": []}, old)
    assert passes({"type": "record", "name": "S", "aliases": ["a.R"], "fields": []}, old)


def test_recursive_schemas_end() -> None:
    def tree(kind: str) -> dict[str, Any]:
        fields = [{"name": "v", "type": kind}, {"name": "next", "type": ["null", "T"]}]
        return {"type": "record", "name": "T", "fields": fields}

    assert passes(tree("long"), tree("int"))
    assert not passes(tree("int"), tree("string"))


def test_a_bomb_of_shared_records_ends_and_says_where() -> None:
    def bomb(last: str) -> list[Any]:
        made: list[Any] = [{"type": "record", "name": "B0", "fields": [{"name": "a", "type": last}]}]
        for i in range(1, 60):
            fields = [{"name": side, "type": f"B{i - 1}"} for side in ("l", "r")]
            made.append({"type": "record", "name": f"B{i}", "fields": fields})
        return made

    changes = resolve(avro_of(bomb("int")), avro_of(bomb("string")))
    assert {change.path for change in changes} == {"$[0].fields[0].type"}


def test_ten_thousand_fields() -> None:
    def wide(kind: str) -> dict[str, Any]:
        fields = [{"name": f"f{i}", "type": kind} for i in range(10_000)]
        return {"type": "record", "name": "W", "fields": fields}

    assert len(resolve(avro_of(wide("int")), avro_of(wide("string")))) == 10_000


def test_a_type_without_an_end_has_no_record() -> None:
    endless = {"type": "record", "name": "E", "fields": [{"name": "e", "type": "E"}]}
    with pytest.raises(NoRecordError):
        random_record(avro_of(endless), random.Random(1))
    changes = resolve(avro_of("int"), avro_of(endless))
    assert changes[0].witness is None
    assert "no finite record" in changes[0].reason


@pytest.mark.parametrize(
    ("data", "said"),
    [
        ({"type": "record", "name": "1", "fields": []}, "wanted a name"),
        ({"type": "record", "name": "R"}, "without a list of 'fields'"),
        ({"type": "enum", "name": "E", "symbols": ["A", "A"]}, "each of them once"),
        ({"type": "enum", "name": "E", "symbols": ["A"], "default": "B"}, "none of the symbols"),
        ({"type": "enum", "name": "E", "symbols": ["A", ["B"]]}, "each of them once"),
        ({"type": "fixed", "name": "F", "size": -1}, "a 'size'"),
        (["int", "int"], "the same type twice"),
        (["int", ["null"]], "a union immediately"),
        ("Nope", "wanted a primitive type"),
        (7, "found no type"),
    ],
)
def test_what_is_no_schema_is_said(data: Any, said: str) -> None:
    with pytest.raises(InputError, match=said):
        avro_of(data)


def test_deep_nesting_is_refused() -> None:
    deep: Any = "int"
    for _ in range(150):
        deep = {"type": "array", "items": deep}
    with pytest.raises(InputError, match="nested deeper"):
        avro_of(deep)
