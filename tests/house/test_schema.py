"""The published schema against the examples, and against what the reader itself refuses."""

from __future__ import annotations

import json
from pathlib import Path

import jsonschema
import pytest

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


def test_every_section_and_field_of_the_schema_has_a_type_or_a_reference() -> None:
    """What has neither would complete to anything in an editor."""
    bare = [
        f"{name}.{key}"
        for name, section in SCHEMA["$defs"].items()
        for variant in (section, *section.get("anyOf", ()))
        for key, field in variant.get("properties", {}).items()
        if not {"type", "$ref", "anyOf", "const", "enum", "allOf"} & set(field)
    ]
    assert bare == []
