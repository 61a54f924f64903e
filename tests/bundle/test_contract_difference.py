"""What `diff` says of recorded schemas: between two plans, and between two git revisions."""

from __future__ import annotations

import subprocess
from pathlib import Path

import pytest
import yaml

from pipelineplan.cli import run

PLAN = {
    "apiVersion": "pipelineplan/v1",
    "kind": "DataPlan",
    "metadata": {"name": "clicks"},
    "sources": [
        {
            "id": "clicks",
            "partitions": 4,
            "retention": "30 d",
            "rate": {"average": "1_000/s", "peak": "2_000/s"},
        }
    ],
    "stages": [{"id": "count", "inputs": ["clicks"], "parallelism": 4, "capacity": "1_000/s"}],
    "sinks": [{"id": "board", "inputs": ["count"]}],
    "contracts": {"clicks": {"compatibility": "BACKWARD", "versions": "versions"}},
}
ID, REGION = '{"name": "id", "type": "int"}', '{"name": "region", "type": "string"}'


def record(*fields: str) -> str:
    return f'{{"type": "record", "name": "Click", "fields": [{", ".join(fields)}]}}'


def plan_in(folder: Path, **versions: str) -> Path:
    (folder / "versions").mkdir(parents=True)
    for number, (name, text) in enumerate(versions.items(), start=1):
        (folder / "versions" / f"2026-0{number}-01.{name}.avsc").write_text(text, encoding="utf-8")
    (folder / "plan.yaml").write_text(yaml.safe_dump(PLAN), encoding="utf-8")
    return folder / "plan.yaml"


def test_a_version_more(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    before = plan_in(tmp_path / "a", v1=record(ID))
    after = plan_in(tmp_path / "b", v1=record(ID), v2=record(ID, REGION))
    assert run(["diff", str(before), str(after)]) in {0, 1}
    out = capsys.readouterr().out
    assert "contract clicks: v1 -> v2 (" in out
    assert "contract clicks: v2 reads v1: incompatible, $.fields[1]: the reader wants 'region'" in out
    assert "contract clicks: v1 reads v2: compatible" in out
    assert "new SCH201 fails" in out


def test_a_version_that_was_changed_in_place_is_told_apart(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    before = plan_in(tmp_path / "a", v1=record(ID))
    after = plan_in(tmp_path / "b", v1=record(ID, REGION))
    assert run(["diff", str(before), str(after)]) == 0
    out = capsys.readouterr().out
    assert "contract clicks: v1 after reads v1 before: incompatible, $.fields[1]" in out


def contract(kind: str) -> str:
    head = "apiVersion: v3.1.0\nkind: DataContract\nid: c\nversion: 1.0.0\nstatus: active\nschema:\n"
    return f"{head}  - {{name: clicks, properties: [{{name: id, logicalType: {kind}, required: true}}]}}\n"


def test_a_data_contract_that_was_changed_in_place(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    plans = []
    for name, kind in (("a", "integer"), ("b", "string")):
        (tmp_path / name / "versions").mkdir(parents=True)
        file = tmp_path / name / "versions" / "2026-01-01.clicks.odcs.yaml"
        file.write_text(contract(kind), encoding="utf-8")
        plans.append(tmp_path / name / "plan.yaml")
        plans[-1].write_text(yaml.safe_dump(PLAN), encoding="utf-8")
    assert run(["diff", *map(str, plans)]) == 0
    out = capsys.readouterr().out
    assert "contract clicks: clicks.odcs -> clicks.odcs (" in out
    assert "clicks.odcs after reads clicks.odcs before: incompatible" in out


def test_the_same_versions_say_nothing(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    before, after = (plan_in(tmp_path / name, v1=record(ID), v2=record(ID)) for name in "ab")
    assert run(["diff", str(before), str(after)]) == 0
    assert capsys.readouterr().out == ""


def test_a_dataset_that_gets_its_first_version(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    before, after = plan_in(tmp_path / "a"), plan_in(tmp_path / "b", v1=record(ID))
    assert run(["diff", str(before), str(after)]) == 0
    assert "contract clicks: none -> v1 (" in capsys.readouterr().out


def test_against_a_git_revision(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    plan = plan_in(tmp_path, v1=record(ID))
    who = [f"-c user.{part}=x@example.com" for part in ("name", "email")]
    for command in ("init --quiet", "add .", f"{' '.join(who)} commit --quiet -m first"):
        subprocess.run(["git", *command.split()], cwd=tmp_path, check=True, capture_output=True)
    (tmp_path / "versions" / "2026-02-01.v2.avsc").write_text(record(ID, REGION), encoding="utf-8")
    assert run(["diff", str(plan), "--base", "HEAD"]) in {0, 1}
    out = capsys.readouterr().out
    assert "contract clicks: v1 -> v2" in out
    assert "contract clicks: no replay -> the replay of 30 d of 'clicks' of v1" in out
    assert "which v2 cannot read, is 2,592 M records and takes 10 d" in out
