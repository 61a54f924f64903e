"""Schema changes judged with the simulation: lag against deprecations, a forced replay against its end."""

from __future__ import annotations

import copy
from pathlib import Path
from typing import Any

import pytest
import yaml

from pipelineplan.gates import with_simulated
from pipelineplan.plan import read_plan
from pipelineplan.rules import judge
from pipelineplan.simulation import simulate
from pipelineplan.verdicts import Finding

ID, MORE = '{"name": "id", "type": "int"}', '{"name": "x", "type": "int"}'
V1 = f'{{"type": "record", "name": "Click", "fields": [{ID}]}}'
V2 = f'{{"type": "record", "name": "Click", "fields": [{ID}, {MORE}]}}'
PLAN: dict[str, Any] = {
    "apiVersion": "pipelineplan/v1",
    "kind": "DataPlan",
    "metadata": {"name": "clicks", "quality_level": "production"},
    "sources": [
        {
            "id": "clicks",
            "partitions": 4,
            "retention": "10 d",
            "rate": {"average": "1_000/s", "peak": "1_000/s"},
        }
    ],
    "stages": [{"id": "count", "inputs": ["clicks"], "parallelism": 4, "capacity": "1_000/s"}],
    "sinks": [{"id": "board", "inputs": ["count"]}],
    "outages": [{"of": "source", "detect": "1 h", "repair": "47 h"}],
    "contracts": {
        "clicks": {
            "versions": "versions",
            "deprecations": [{"version": "v1", "announced": "2026-03-01", "removed": "2026-03-21"}],
        }
    },
}


def judged(folder: Path, code: str, plan: dict[str, Any]) -> tuple[Finding, Finding]:
    """The verdict of plain `check`, and the one with the simulation."""
    (folder / "versions").mkdir()
    (folder / "versions" / "2026-01-01.v1.avsc").write_text(V1, encoding="utf-8")
    (folder / "versions" / "2026-03-01.v2.avsc").write_text(V2, encoding="utf-8")
    (folder / "plan.yaml").write_text(yaml.safe_dump(plan), encoding="utf-8")
    one = read_plan(folder / "plan.yaml")
    findings = judge(one, (code,))
    (before,) = findings
    (after,) = with_simulated(one, findings, simulate(one))
    assert before.fingerprint == after.fingerprint
    return before, after


@pytest.mark.parametrize(
    ("removed", "verdict"),
    [("2026-03-04", "holds"), ("2026-03-02", "fails")],
    ids=["three days are longer than the lag", "one day is not"],
)
def test_a_deprecation_against_the_longest_simulated_lag(tmp_path: Path, removed: str, verdict: str) -> None:
    plan = copy.deepcopy(PLAN)
    plan["contracts"]["clicks"]["deprecations"][0]["removed"] = removed
    before, after = judged(tmp_path, "SCH401", plan)
    assert before.verdict == "unknown"
    assert "has to be simulated" in before.message
    assert after.verdict == verdict, after.message
    assert "a record may wait unread for 2 d (oldest unread record, scenario source-outage)" in after.message


@pytest.mark.parametrize(
    ("capacity", "verdict"),
    # v1 was written for 59 d, 10 d of it are kept: 864 M records beside 1,000/s of live ones
    [("500/s", "holds"), ("499/s", "fails"), ("250/s", "unknown")],
    ids=["2,000/s leave 1,000/s, so 10 d", "a little less takes longer than 10 d", "no room at all"],
)
def test_a_forced_replay_against_the_retention_of_its_input(
    tmp_path: Path, capacity: str, verdict: str
) -> None:
    plan = copy.deepcopy(PLAN)
    plan["stages"][0]["capacity"] = capacity
    before, after = judged(tmp_path, "SCH402", plan)
    assert before.verdict == "unknown"
    assert after.verdict == verdict, after.message
    if verdict != "unknown":
        assert "the replay of 10 d of 'clicks' of v1, which v2 cannot read, is 864 M records" in after.message
        assert "it has to end within 10 d (retention)" in after.message


def test_a_forced_replay_from_the_lake_has_to_end_before_the_old_version_goes(tmp_path: Path) -> None:
    plan = copy.deepcopy(PLAN)
    plan["contracts"]["clicks"]["deprecations"][0]["removed"] = "2026-03-05"
    plan["replay"] = {"input": "lake", "rate_limit": "500/s", "isolation": "separate_job"}
    _, after = judged(tmp_path, "SCH402", plan)
    assert after.verdict == "fails"
    assert "takes 20 d; it has to end within 4 d (until clicks v1 goes)" in after.message


def test_nothing_is_forced_where_the_newest_version_reads_all(tmp_path: Path) -> None:
    plan = copy.deepcopy(PLAN)
    plan["sources"][0]["retention"] = "0 s"
    (tmp_path / "versions").mkdir()
    for name in ("2026-01-01.v1.avsc", "2026-03-01.v2.avsc"):
        (tmp_path / "versions" / name).write_text(V1, encoding="utf-8")
    (tmp_path / "plan.yaml").write_text(yaml.safe_dump(PLAN), encoding="utf-8")
    assert judge(read_plan(tmp_path / "plan.yaml"), ("SCH402",)) == ()


def test_without_a_simulation_nothing_is_changed(tmp_path: Path) -> None:
    (tmp_path / "plan.yaml").write_text(
        yaml.safe_dump(
            {**PLAN, "contracts": {"clicks": {"deprecations": PLAN["contracts"]["clicks"]["deprecations"]}}}
        ),
        encoding="utf-8",
    )
    one = read_plan(tmp_path / "plan.yaml")
    findings = judge(one, ("SCH4",))
    assert [finding.code for finding in findings] == ["SCH401"]
    assert with_simulated(one, findings, None) == findings
