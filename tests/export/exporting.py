"""Plans for tests of exports: the main example, and small ones with a part put in."""

from __future__ import annotations

import shutil
from pathlib import Path
from typing import Any

import yaml

from pipelineplan import Export, export, read_plan
from pipelineplan.plan import Plan

ROOT = Path(__file__).parents[2]
EXAMPLES = ROOT / "examples"
ORDERS = EXAMPLES / "orders-to-warehouse"
SMALL: dict[str, Any] = {
    "apiVersion": "pipelineplan/v1",
    "kind": "DataPlan",
    "metadata": {"name": "small"},
    "sources": [{"id": "clicks", "system": "kafka"}],
    "stages": [{"id": "count", "engine": "flink", "inputs": ["clicks"]}],
    "sinks": [{"id": "board", "inputs": ["count"]}],
}


def small(folder: Path, **parts: Any) -> Plan:
    """A plan of one source, one stage and one sink; `source`, `stage`, `sink` add to those."""
    data = {**SMALL, **{key: value for key, value in parts.items() if key not in {"source", "stage", "sink"}}}
    for one in ("source", "stage", "sink"):
        if one in parts:
            data[f"{one}s"] = [{**data[f"{one}s"][0], **parts[one]}]
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "pipelineplan.toml").write_text("", encoding="utf-8")
    file = folder / "plan.yaml"
    file.write_text(yaml.safe_dump(data, sort_keys=False, allow_unicode=True), encoding="utf-8")
    return read_plan(file)


def held_against(folder: Path, made: Export, plan: Path = ORDERS) -> Plan:
    """A copy of the plan whose facts are the exported files."""
    copy = folder / "copy"
    shutil.copytree(plan, copy, ignore=shutil.ignore_patterns("golden", "data", "old"))
    (copy / "pipelineplan.toml").write_text("", encoding="utf-8")
    made.write(copy / "deploy" if len(made.files) > 1 else copy / "deploy" / made.files[0].name)
    file = copy / "plan.yaml"
    named = [f"deploy/{one.name}" for one in made.files]
    file.write_text(file.read_text(encoding="utf-8") + f"\nfacts: {named}\n", encoding="utf-8")
    return read_plan(file)


def text_of(plan: Plan | Path, name: str, **settings: str) -> str:
    """The one file of an export."""
    made = export(plan, name, settings=settings)
    assert len(made.files) == 1
    return made.files[0].text
