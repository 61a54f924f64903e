"""The published schema against the examples, and against what the reader itself refuses."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import jsonschema
import pytest

from pipelineplan import compat
from pipelineplan.documents import read_document, read_text
from pipelineplan.errors import InputError
from pipelineplan.plan import read_plan

ROOT = Path(__file__).parents[2]
SCHEMA = json.loads((ROOT / "contracts/plan.schema.json").read_text(encoding="utf-8"))
EXAMPLES = sorted(ROOT.glob("examples/*/plan.yaml"))
DEMO = (ROOT / "examples/demo-fails/plan.yaml").read_text(encoding="utf-8")


def accepts(text: str) -> bool:
    return jsonschema.Draft202012Validator(SCHEMA).is_valid(read_text(text, "plan.yaml").data)


def reads(text: str, folder: Path) -> bool:
    (folder / "plan.yaml").write_text(text, encoding="utf-8")
    try:
        read_plan(folder / "plan.yaml")
    except InputError:
        return False
    return True


def test_it_is_a_schema() -> None:
    jsonschema.Draft202012Validator.check_schema(SCHEMA)


@pytest.mark.parametrize("plan", EXAMPLES, ids=lambda plan: plan.parent.name)
def test_it_accepts_every_example(plan: Path) -> None:
    jsonschema.validate(read_document(plan).data, SCHEMA)


SAME = [
    ("a typo at the top", "sources:", "sorces:", False),
    ("a typo below", "partitions: 12", "partition: 12", False),
    ("a word that is none", "mode: upsert", "mode: upsrt", False),
    ("another version", "pipelineplan/v1", "pipelineplan/v9", False),
    ("text for a number", "partitions: 12", "partitions: twelve", False),
    ("no partitions at all", "partitions: 12", "partitions: 0", False),
    ("no sinks", "sinks:\n  - {id: dashboard, inputs: [count], mode: upsert}", "sinks: []", False),
    ("keys of one's own", "system: kafka", "system: kafka\n    x-cost: [1, 2]", True),
    ("a short input", "[{from: clicks, exchange: forward}]", "[clicks]", True),
    ("a long retention", "retention: 3 d", "retention: {time: 3 d, segment: 1 d}", True),
    ("a number for a share", "share: 99.5 %", "share: 0.995", True),
    ("another quantile", "p99: 40 s", "p98.5: 40 s", True),
    ("a quantile that is none", "p99: 40 s", "q99: 40 s", False),
    ("an uncertain rate", "11_000/s", "11_000/s ± 5 %", True),
    (
        "one field of a check",
        "stages:",
        "quality: [{dataset: clicks, check: 'null', fields: id}]\nstages:",
        True,
    ),
    (
        "a day",
        "stages:",
        "contracts: {clicks: {deprecations: [{field: a, removed: 2026-01-31}]}}\nstages:",
        True,
    ),
    ("no day", "stages:", "contracts: {clicks: {deprecations: [{field: a, removed: soon}]}}\nstages:", False),
    ("labels", "owner: web-data", "owner: web-data, labels: {a: {b: 1}}", True),
    ("a policy of a dataset", "stages:", "contracts: {clicks: BACKWARD, rollout: []}\nstages:", True),
]


@pytest.mark.parametrize(("old", "new", "whether"), [s[1:] for s in SAME], ids=[s[0] for s in SAME])
def test_it_agrees_with_the_reader(tmp_path: Path, old: str, new: str, whether: bool) -> None:  # noqa: FBT001
    assert old in DEMO
    text = DEMO.replace(old, new, 1)
    assert (accepts(text), reads(text, tmp_path)) == (whether, whether)


def sections(schema: dict[str, Any], path: str = "$") -> Iterator[tuple[str, dict[str, Any]]]:
    """Every schema inside `schema`, itself included, with where it stands."""
    yield path, schema
    for key, field in schema.get("properties", {}).items():
        yield from sections(field, f"{path}.{key}")
    for key in ("items", "additionalProperties"):
        if isinstance(schema.get(key), dict):
            yield from sections(schema[key], f"{path}[*]")


FIELDS = {path: field for path, field in sections(SCHEMA) if not path.endswith("[*]") and path != "$"}


def test_there_are_fields() -> None:
    assert len(FIELDS) > 500
    assert FIELDS["$.stages[*].window.fixed"]["examples"] == ["1 min"]


def test_nothing_is_a_choice_between_branches_or_a_reference() -> None:
    """An editor that must choose forgets the field's own words and completes null."""
    text = json.dumps(SCHEMA)
    assert [word for word in ('"anyOf"', '"oneOf"', '"allOf"', '"$ref"') if word in text] == []


def test_every_field_has_a_type_and_words() -> None:
    typed = {"type", "const", "enum"}
    assert [path for path, field in FIELDS.items() if not typed & set(field)] == []
    assert [path for path, field in FIELDS.items() if len(field.get("description", "")) < 8] == []


UNIT = re.compile(r"^A (duration|rate|size|bandwidth|share|growth), in ")


def test_a_quantity_says_what_it_is_and_in_which_unit() -> None:
    bare = [path for path, field in FIELDS.items() if UNIT.match(field["description"])]
    assert bare == [], "the unit alone says nothing"
    with_unit = [field for field in FIELDS.values() if re.search(r"\. A \w+, in \S", field["description"])]
    assert len(with_unit) > 100
    assert [field for field in with_unit if not field.get("examples")] == []


def test_free_values_have_an_example_that_they_accept() -> None:
    """Text, numbers and quantities are shown; an enumeration, a truth and a section speak for themselves."""
    free = {
        path: field
        for path, field in FIELDS.items()
        if {"string", "number", "integer"} & set(types_of(field))
        and not {"enum", "const"} & set(field)
        and not re.search(r"\.(sequence|allow|refuse)$", path)
    }
    assert [path for path, field in free.items() if not field.get("examples")] == []
    refused = [
        (path, example)
        for path, field in FIELDS.items()
        for example in field.get("examples", ())
        if not jsonschema.Draft202012Validator(field).is_valid(example)
    ]
    assert refused == []


def types_of(field: dict[str, Any]) -> list[str]:
    found = field.get("type", [])
    return found if isinstance(found, list) else [found]


def test_every_example_of_a_quantity_can_be_read() -> None:
    from pipelineplan.quantities import Dimension, parse

    for path, field in FIELDS.items():
        found = re.search(r"(?:^|\. )A (\w+), in ", field["description"])
        for example in field.get("examples", ()) if found else ():
            assert parse(example, Dimension[found[1].upper()]).value >= 0, path


def filled(body: Any) -> Any:
    """A snippet's body with the values that stand in its places."""
    if isinstance(body, dict):
        return {key: filled(value) for key, value in body.items()}
    if isinstance(body, list):
        return [filled(value) for value in body]
    text = re.sub(r"\$\{\d+:([^}]*)\}", r"\1", body)
    return int(text) if text.isdigit() else text


def test_a_plan_of_snippets_is_a_plan(tmp_path: Path) -> None:
    from pipelineplan.plan.snippets import SNIPPETS

    def body(name: str, which: int = 0) -> Any:
        return filled(SNIPPETS[name][which]["body"])

    for which in range(len(SNIPPETS["Window"])):
        plan = {
            "apiVersion": "pipelineplan/v1",
            "kind": "DataPlan",
            "metadata": {"name": "of-snippets"},
            "sources": [body("Source")],
            "stages": [body("Stage") | {"window": body("Window", which)}],
            "sinks": [body("Sink")],
            "slos": [body("Slo")],
            "outages": [body("Outage")],
        }
        text = json.dumps(plan)
        assert accepts(text)
        assert reads(text, tmp_path)
    assert set(SNIPPETS) == {"Source", "Stage", "Window", "Sink", "Slo", "Outage"}


def without_open_keys(schema: Any) -> Any:
    """The schema without the pattern of `x-` keys, which is the same in every version and everywhere.

    With it `compat` cannot know that a key of the language is none of them, and decides nothing.
    """
    if isinstance(schema, dict):
        closed = {key: without_open_keys(value) for key, value in schema.items() if key != "^x-"}
        return {key: value for key, value in closed.items() if (key, value) != ("patternProperties", {})}
    return [without_open_keys(value) for value in schema] if isinstance(schema, list) else schema


def test_v1_stays_backward_compatible(tmp_path: Path) -> None:
    """What the first schema of v1 took is taken today; `v1.schema.json` is never written again.

    Section by section, each with the whole budget of `compat`: it searches, and gives up on too much.
    """
    first, now = (
        without_open_keys(json.loads(file.read_text(encoding="utf-8")))
        for file in (Path(__file__).parent / "v1.schema.json", ROOT / "contracts/plan.schema.json")
    )

    def takes(section: str, today: dict[str, Any]) -> bool:
        files = [tmp_path / "first.json", tmp_path / "today.json"]
        for file, schema in zip(files, (first["properties"][section], today), strict=True):
            file.write_text(json.dumps(schema), encoding="utf-8")
        return compat(files, mode="BACKWARD").passes

    assert set(now["required"]) <= set(first["required"])
    assert set(first["properties"]) <= set(now["properties"])
    assert [name for name in first["properties"] if not takes(name, now["properties"][name])] == []
    for field in ("partitions", "rate"):  # and the comparison is one that notices
        without = json.loads(json.dumps(now["properties"]["sources"]))
        del without["items"]["properties"][field]
        assert not takes("sources", without)
