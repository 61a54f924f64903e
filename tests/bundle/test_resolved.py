import json
from pathlib import Path
from typing import Any

import pytest

from pipelineplan.bundle import Contents, as_resolved
from pipelineplan.bundle.as_json import as_plain
from pipelineplan.plan import Plan, read_plan
from pipelineplan.rules import judge

EXAMPLES = Path(__file__).parents[2] / "examples"


def values(plan: Plan) -> dict[str, Any]:
    return dict(as_plain(plan.model))


@pytest.mark.parametrize("name", sorted(file.parent.name for file in EXAMPLES.glob("*/plan.yaml")))
def test_the_resolved_plan_reads_back_as_the_same_values(name: str, tmp_path: Path) -> None:
    source = EXAMPLES / name
    for file in source.rglob("*"):
        if file.is_file():
            copy = tmp_path / file.relative_to(source)
            copy.parent.mkdir(parents=True, exist_ok=True)
            copy.write_bytes(file.read_bytes())
    plan = read_plan(source / "plan.yaml")
    again = tmp_path / "resolved.yaml"
    again.write_text(as_resolved(plan, judge(plan)), encoding="utf-8")
    assert values(read_plan(again)) == values(plan)


def test_each_value_ends_in_its_origin(demo: Contents) -> None:
    lines = as_resolved(demo.plan, demo.findings).splitlines()
    interval = next(line for line in lines if line.strip().startswith("interval: 60 s"))
    assert interval.endswith("# examples/demo-fails/plan.yaml:24:28")
    mode = next(line for line in lines if line.strip().startswith("mode: aligned"))
    assert mode.endswith("# default")
    assumed = next(line for line in lines if "checkpoint duration" in line)
    assert assumed.startswith(
        "#   assumed $.stages[0].checkpoint checkpoint duration: 0 s (anything from 0 s to 30 s)"
    )


def test_a_base_and_an_overlay_are_resolved_with_their_own_files(tmp_path: Path) -> None:
    base = "apiVersion: pipelineplan/v1\nkind: DataPlan\nmetadata: {name: base}\nsources: [{id: s}]\n"
    (tmp_path / "pipelineplan.toml").touch()
    (tmp_path / "base.yaml").write_text(base + "sinks: [{id: out, inputs: [s]}]\n")
    (tmp_path / "plan.yaml").write_text("extends: base.yaml\nmetadata: {name: mine}\n")
    (tmp_path / "plan.prod.yaml").write_text("sources: [{id: s, partitions: 12}]\n")
    plan = read_plan(tmp_path / "plan.yaml", "prod")
    text = as_resolved(plan)
    assert "# plan.prod.yaml:1:" in next(line for line in text.splitlines() if "partitions: 12" in line)
    assert "# base.yaml:" in next(line for line in text.splitlines() if "id: out" in line)
    (tmp_path / "again.yaml").write_text(text)
    assert {**values(read_plan(tmp_path / "again.yaml")), "extends": None} == {
        **values(plan),
        "extends": None,
    }


@pytest.mark.parametrize(
    "text",
    ["plain words", "yes", "1:30", "0777", "# no", "a: b", "- x", " lead", "tab\there",
     'quo"te \\ back', "a\nb",
     "null", "1e5", "é ± µ 漢 😀", "\u2028 \x7f \u0085",
     "*a", "&b", "!c", "%d", "@e", "'f'", "{g}", "~", "x #y"],
)  # fmt: skip
def test_any_text_survives(text: str, tmp_path: Path) -> None:
    plan_text = {
        "apiVersion": "pipelineplan/v1", "kind": "DataPlan", "metadata": {"name": "t", "notes": text},
        "sources": [{"id": "s"}], "sinks": [{"id": "o", "inputs": ["s"]}],
    }  # fmt: skip
    written = json.dumps(plan_text, ensure_ascii="\u2028" in text)
    (tmp_path / "plan.yaml").write_text(written, encoding="utf-8")
    plan = read_plan(tmp_path / "plan.yaml")
    (tmp_path / "again.yaml").write_text(as_resolved(plan), encoding="utf-8")
    assert read_plan(tmp_path / "again.yaml").model.metadata.notes == text
