"""Schemas made to keep a checker busy, or to fool it: bounded time, and never a wrong "compatible".

Every pair runs as the command in a process of its own, which is killed after a minute. Most pairs differ in
one place that breaks: there the answer is "incompatible", or that it could not be decided, or that the file
cannot be used; a pair that is the same twice may not be called incompatible.
"""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

GUARD_SECONDS = 60


def answer(folder: Path, ending: str, old: str, new: str) -> tuple[int, str]:
    files = []
    for name, text in (("old", old), ("new", new)):
        (folder / f"{name}{ending}").write_text(text, encoding="utf-8")
        files.append(str(folder / f"{name}{ending}"))
    command = [sys.executable, "-m", "pipelineplan", "compat", *files, "--format", "json"]
    done = subprocess.run(command, capture_output=True, text=True, timeout=GUARD_SECONDS, check=False)
    assert "Traceback" not in done.stderr
    assert done.returncode in {0, 1, 2}, done.stderr
    return done.returncode, json.loads(done.stdout).get("verdict", "unusable")


def text_of(schema: Any) -> str:
    return schema if isinstance(schema, str) else json.dumps(schema)


def nested(depth: int, leaf: Any) -> Any:
    found: Any = leaf
    for _ in range(depth):
        found = {"type": "object", "properties": {"a": found}, "required": ["a"]}
    return found


def deep(depth: int, leaf: str) -> str:
    """The same as text, as deep as no encoder of JSON goes."""
    return '{"properties": {"a": ' * depth + f'{{"type": "{leaf}"}}' + '}, "required": ["a"]}' * depth


def wide(count: int, *, last: str) -> Any:
    properties = {f"field_{n}": {"type": "integer", "minimum": n} for n in range(count)}
    properties[f"field_{count - 1}"] = {"type": last}
    return {"type": "object", "properties": properties}


def chain(count: int, *, last: str) -> Any:
    """A long way of references that ends in a type, and begins again."""
    definitions: dict[str, Any] = {
        f"d{n}": {"anyOf": [{"$ref": f"#/definitions/d{n + 1}"}, {"$ref": "#/definitions/d0"}]}
        for n in range(count)
    }
    definitions[f"d{count}"] = {"type": last}
    return {"$ref": "#/definitions/d0", "definitions": definitions}


def looping(leaf: str) -> Any:
    node = {
        "oneOf": [
            {"type": leaf},
            {"type": "object", "properties": {"next": {"$ref": "#/definitions/n"}}, "required": ["next"]},
            {"type": "array", "items": {"$ref": "#/definitions/n"}},
        ]
    }
    return {"$ref": "#/definitions/n", "definitions": {"n": node}}


def branches(count: int, *, least: int) -> Any:
    """Every branch of one meets every branch of the other."""
    return {"oneOf": [{"type": "integer", "multipleOf": n + 2, "minimum": n * least} for n in range(count)]}


def twisted(leaf: str) -> Any:
    """Two definitions that are each other's opposite."""
    return {
        "definitions": {
            "a": {"oneOf": [{"$ref": "#/definitions/b"}, {"type": leaf}]},
            "b": {"not": {"$ref": "#/definitions/a"}},
        },
        "$ref": "#/definitions/a",
    }


def text(pattern: str, longest: int = 10_000) -> Any:
    return {
        "type": "object",
        "properties": {"x": {"type": "string", "pattern": pattern, "maxLength": longest}},
    }


BREAKING = {
    "ten thousand fields, the last one differs": (wide(10_000, last="integer"), wide(10_000, last="string")),
    "two hundred deep": (nested(200, {"type": "integer"}), nested(200, {"type": "string"})),
    "two thousand deep": (deep(2_000, "integer"), deep(2_000, "string")),
    "a hundred thousand deep": (deep(100_000, "integer"), deep(100_000, "string")),
    "references in a circle": (chain(200, last="integer"), chain(200, last="string")),
    "lists of lists": (looping("integer"), looping("string")),
    "each other's opposite": (twisted("integer"), twisted("string")),
    "forty branches against forty": (branches(40, least=1), branches(40, least=7)),
    "a pattern that backtracks": (text("^(a+)+$"), text("^(a|a)*b$")),
    "a pattern that counts": (text("^(a{1,500}){1,500}$"), text("^(a{2,500}){3,500}b$")),
    "a pattern of many ends": (text("^(x+x+)+y$"), text("^(.*a){25}$")),
    "alternatives of alternatives": (text("^((a|b|c|d)*(e|f|g|h)*)*$"), text("^(((a|b)*c)*d)*e$")),
}


@pytest.mark.parametrize("name", BREAKING)
def test_a_json_schema_that_breaks_is_never_called_compatible(tmp_path: Path, name: str) -> None:
    status, verdict = answer(tmp_path, ".json", *map(text_of, BREAKING[name]))
    assert status in {1, 2}, verdict
    assert verdict in {"incompatible", "unknown", "policy", "unusable"}


@pytest.mark.parametrize("name", BREAKING)
def test_a_json_schema_is_never_called_incompatible_with_itself(tmp_path: Path, name: str) -> None:
    old = text_of(BREAKING[name][0])
    assert answer(tmp_path, ".json", old, old)[1] in {"compatible", "unknown", "unusable"}


def test_references_that_lead_nowhere_but_to_themselves(tmp_path: Path) -> None:
    circle = {"$ref": "#/definitions/a", "definitions": {"a": {"$ref": "#/definitions/a"}}}
    status, verdict = answer(tmp_path, ".json", json.dumps(circle), json.dumps({"type": "string"}))
    assert (status, verdict) != (0, "compatible")


def avro(fields: list[Any], name: str = "Order") -> str:
    return json.dumps({"type": "record", "name": name, "fields": fields})


def avro_deep(depth: int, leaf: str) -> str:
    found: Any = leaf
    for n in range(depth):
        found = {"type": "record", "name": f"R{n}", "fields": [{"name": "a", "type": found}]}
    return json.dumps(found)


def avro_arrays(depth: int, leaf: str) -> str:
    return '{"type": "array", "items": ' * depth + f'"{leaf}"' + "}" * depth


def avro_linked(count: int, leaf: str) -> str:
    """Records that all refer to each other through unions."""
    first = [{"name": "value", "type": leaf}]
    for n in range(count):
        inner = {
            "type": "record",
            "name": f"R{n}",
            "fields": [*first, {"name": "back", "type": ["null", "Order"]}],
        }
        first = [{"name": f"to{n}", "type": ["null", inner]}]
    return avro(first)


def avro_wide(count: int, last: str) -> str:
    fields = [{"name": f"field_{n}", "type": "long"} for n in range(count - 1)]
    return avro([*fields, {"name": f"field_{count - 1}", "type": last}])


def avro_aliased(count: int, last: str) -> str:
    fields = [
        {"name": f"new_{n}", "type": "long", "aliases": [f"old_{n}", f"new_{n + 1}"]} for n in range(count)
    ]
    return avro([*fields, {"name": "last", "type": last}])


def avro_union(count: int, last: str) -> str:
    names = [{"type": "fixed", "name": f"F{n}", "size": n + 1} for n in range(count)]
    return avro([{"name": "u", "type": [*names, last]}])


AVRO = {
    "ten thousand fields": (avro_wide(10_000, "long"), avro_wide(10_000, "string")),
    "records in records": (avro_deep(300, "long"), avro_deep(300, "string")),
    "arrays in arrays": (avro_arrays(5_000, "long"), avro_arrays(5_000, "string")),
    "everybody refers to everybody": (avro_linked(60, "long"), avro_linked(60, "string")),
    "aliases of aliases": (avro_aliased(2_000, "long"), avro_aliased(2_000, "string")),
    "a union of many": (avro_union(1_500, "long"), avro_union(1_500, "boolean")),
}


@pytest.mark.parametrize("name", AVRO)
def test_an_avro_schema_that_breaks_is_never_called_compatible(tmp_path: Path, name: str) -> None:
    status, verdict = answer(tmp_path, ".avsc", *AVRO[name])
    assert status in {1, 2}, verdict
    assert verdict in {"incompatible", "unknown", "unusable"}


@pytest.mark.parametrize("name", AVRO)
def test_an_avro_schema_reads_itself_or_cannot_be_used(tmp_path: Path, name: str) -> None:
    old = AVRO[name][0]
    assert answer(tmp_path, ".avsc", old, old)[1] in {"compatible", "unusable"}


def contract(fields: list[str]) -> str:
    head = "apiVersion: v3.1.0\nkind: DataContract\nid: orders\nversion: 1.0.0\nstatus: active\n"
    listed = "\n".join(f"      - {field}" for field in fields)
    return f"{head}schema:\n  - name: orders\n    properties:\n{listed}\n"


def many(count: int, last: str) -> str:
    fields = [f"{{name: field_{n}, logicalType: integer, required: true}}" for n in range(count - 1)]
    return contract([*fields, f"{{name: last, logicalType: {last}, required: true}}"])


def inside(depth: int, last: str) -> str:
    opened = "{name: a, logicalType: object, properties: [" * depth
    return contract([f"{opened}{{name: last, logicalType: {last}}}{']}' * depth}"])


def matching(pattern: str) -> str:
    return contract([f"{{name: x, logicalType: string, logicalTypeOptions: {{pattern: '{pattern}'}}}}"])


def anchored() -> str:
    """Aliases of aliases: a few lines that would be billions of fields."""
    lines = ["x-0: &a0 {name: a, logicalType: integer}"]
    lines += [f"x-{n}: &a{n} [{', '.join([f'*a{n - 1}'] * 10)}]" for n in range(1, 12)]
    return "\n".join([*lines, contract(["*a11"])])


ODCS = {
    "ten thousand fields": (many(10_000, "integer"), many(10_000, "string")),
    "fields in fields": (inside(20, "integer"), inside(20, "string")),
    "fields in fields, too deep": (inside(500, "integer"), inside(500, "string")),
    "a pattern that backtracks": (matching("^(a+)+$"), matching("^(a|a)*b$")),
    "a pattern that counts": (matching("^(a{1,500}){1,500}$"), matching("^(a{2,500}){3,500}b$")),
    "aliases of aliases": (anchored(), anchored()),
}


@pytest.mark.parametrize("name", ODCS)
def test_a_contract_that_breaks_is_never_called_compatible(tmp_path: Path, name: str) -> None:
    status, verdict = answer(tmp_path, ".odcs.yaml", *ODCS[name])
    assert status in {1, 2}, verdict
    assert verdict in {"incompatible", "unknown", "policy", "unusable"}


@pytest.mark.parametrize("name", ODCS)
def test_a_contract_is_never_called_incompatible_with_itself(tmp_path: Path, name: str) -> None:
    old = ODCS[name][0]
    assert answer(tmp_path, ".odcs.yaml", old, old)[1] in {"compatible", "unknown", "unusable"}
