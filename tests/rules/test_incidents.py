"""Published incidents, declared as plans: each is caught before it is built, with its reported size."""

from __future__ import annotations

import importlib.util
from pathlib import Path
from typing import Any

import pytest
import yaml

from pipelineplan.plan import read_plan
from pipelineplan.rules import judge

HERE = Path(__file__).parent
INCIDENTS = yaml.safe_load((HERE / "incidents.yaml").read_text())


def patched(changes: dict[str, Any]) -> Any:
    """The base plan of the cases with an incident's own values."""
    spec = importlib.util.spec_from_file_location("rule_cases", HERE / "test_cases.py")
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module.patched(module.BASE, changes)


@pytest.mark.parametrize("incident", INCIDENTS, ids=lambda one: one["name"])
def test_the_incident_is_caught(incident: dict[str, Any], tmp_path: Path) -> None:
    assert incident["evidence"]
    plan = patched(incident["set"])
    (tmp_path / "plan.yaml").write_text(yaml.safe_dump(plan, sort_keys=False, allow_unicode=True))
    findings = judge(read_plan(tmp_path / "plan.yaml"))
    for code, size in incident["caught"].items():
        said = [f"{f.verdict}: {f.message}" for f in findings if f.code == code and f.verdict != "holds"]
        assert said, f"{code} holds, or does not apply"
        assert any(size in one for one in said), said


def test_the_base_plan_itself_is_none() -> None:
    """What the incidents change is what is caught: the plan they start from holds."""
    quiet = {code for one in INCIDENTS for code in one["caught"]}
    folder = HERE / "base.yaml"
    fails = {f.code for f in judge(read_plan(folder)) if f.verdict == "fails"}
    assert not quiet & fails
