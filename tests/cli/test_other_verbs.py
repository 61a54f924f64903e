"""init, explain, schema, doctor: small verbs, whole answers."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import jsonschema
import pytest
import yaml

from pipelineplan import catalogue
from pipelineplan.cli import VERBS
from pipelineplan.rules import RULES


def run(*arguments: object, cwd: Path) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "pipelineplan", *map(str, arguments)],
        cwd=cwd,
        capture_output=True,
        text=True,
        encoding="utf-8",
        timeout=60,
        check=False,
    )


def test_the_demo_has_a_plan_that_holds_and_one_that_fails(tmp_path: Path) -> None:
    assert run("init", "plans", "--demo", cwd=tmp_path).returncode == 0
    assert run("check", "plans/demo-holds", cwd=tmp_path).returncode == 0
    assert run("check", "plans/demo-fails", cwd=tmp_path).returncode == 1


def test_init_writes_over_nothing(tmp_path: Path) -> None:
    (tmp_path / "plans/demo-holds").mkdir(parents=True)
    (tmp_path / "plans/demo-holds/mine.txt").write_text("mine")
    found = run("init", "plans", "--demo", cwd=tmp_path)
    assert found.returncode == 2
    assert "demo-holds already there; nothing was written; choose another folder" in found.stderr
    assert not (tmp_path / "plans/demo-fails").exists()
    (tmp_path / "file").touch()
    found = run("init", "file/below", "--demo", cwd=tmp_path)
    assert (found.returncode, "Traceback" in found.stderr) == (2, False)


def test_a_disk_that_is_full_is_nobodys_fault_here(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    import shutil

    from pipelineplan.cli import run as run_here

    def full(*_: object) -> object:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(shutil, "copytree", full)
    assert run_here(["init", str(tmp_path / "plans"), "--demo"]) == 2
    assert "no space left on device" in capsys.readouterr().err


def test_explain_puts_the_plans_values_into_the_formula(tmp_path: Path) -> None:
    demo = catalogue.folder("examples") / "demo-fails/plan.yaml"
    found = run("explain", "cap201", demo, cwd=tmp_path)
    assert found.returncode == 0
    for said in (
        RULES["CAP201"].formula,
        "11,000/s",
        "declared, $.sources[0].rate.peak at",
        "would hold with",
    ):
        assert said in found.stdout


def test_explain_without_a_plan_is_the_rules_page(tmp_path: Path) -> None:
    found = run("explain", "CAP101", "--format", "json", cwd=tmp_path)
    page = json.loads(found.stdout)["rule"]
    assert page["title"] == RULES["CAP101"].title
    assert json.loads(found.stdout)["findings"] == []


def test_explain_of_no_rule_suggests_one(tmp_path: Path) -> None:
    found = run("explain", "CAP110", cwd=tmp_path)
    assert found.returncode == 2
    assert "there is no rule 'CAP110'; did you mean CAP1" in found.stderr


def test_the_printed_schema_is_a_schema_that_knows_the_demo(tmp_path: Path) -> None:
    schema = json.loads(run("schema", cwd=tmp_path).stdout)
    jsonschema.Draft202012Validator.check_schema(schema)
    demo = yaml.safe_load((catalogue.folder("examples") / "demo-fails/plan.yaml").read_text())
    jsonschema.validate(demo, schema)


def test_doctor_names_every_extra(tmp_path: Path) -> None:
    found = json.loads(run("doctor", "--format", "json", cwd=tmp_path).stdout)
    assert [extra["extra"] for extra in found["extras"]][:1] == [""]
    assert all(found["extras"][0]["packages"].values())


@pytest.mark.parametrize("verb", sorted(VERBS))
def test_every_verb_that_is_announced_explains_itself(verb: str, tmp_path: Path) -> None:
    found = run(verb, "--help", cwd=tmp_path)
    assert (found.returncode, found.stderr) == (0, "")
    assert f"usage: pipelineplan {verb}" in found.stdout
