"""`--solve` beside closed forms: a plateau of key groups, and partitions of which more are not better."""

import math
from pathlib import Path

import pytest

from pipelineplan import workflow
from pipelineplan.cli import run
from pipelineplan.plan import Plan, read_plan
from pipelineplan.plan.changing import path_named, with_value

PLAN = """
apiVersion: pipelineplan/v1
kind: DataPlan
metadata: {{name: solved, owner: me, quality_level: prototype}}
sources:
  - {{id: log, system: kafka, owner: web, partitions: {partitions}, rate: {{average: {rate}, peak: {rate}}}}}
stages:
  - id: job
    inputs: [{{from: log, exchange: {exchange}}}]
    engine: flink
    parallelism: {parallelism}
    capacity: 100/s
    checkpoint: {{interval: 60 s, restart: 10 s, duration: 2 s}}
sinks:
  - {{id: out, inputs: [job], mode: upsert}}
outages:
  - {{of: sink, detect: 10 s, repair: 50 s}}
"""


def plan_of(folder: Path, **values: str) -> Plan:
    usual = {"partitions": "1", "rate": "80/s", "exchange": "forward", "parallelism": "1"}
    file = folder / "plan.yaml"
    file.write_text(PLAN.format(**{**usual, **values}), encoding="utf-8")
    return read_plan(file)


def drain_at(plan: Plan, path: str, value: int | str) -> float:
    found = workflow.simulate(with_value(plan, path_named(plan, path), value))
    return found.scenarios[-1].figures["drain_seconds"].high


@pytest.mark.slow
def test_120_key_groups_make_61_to_119_workers_no_better_than_60(tmp_path: Path) -> None:
    """Two of 120 groups on the busiest, w = 1/60: w lambda T / (100 - w lambda) with 60 as with 119."""
    plan = plan_of(
        tmp_path,
        partitions="120",
        rate="4_800/s",
        exchange="keyed, key: user",
        parallelism="{now: 30, max: 120}",
    )
    where = "stages.job.parallelism.now"
    drains = {workers: drain_at(plan, where, workers) for workers in (59, 60, 61, 90, 119, 120)}
    assert drains[60] == pytest.approx(80 * 60 / 20, rel=1e-9)
    assert [drains[61], drains[90], drains[119]] == pytest.approx([drains[60]] * 3, rel=1e-9)
    assert drains[120] == pytest.approx(40 * 60 / 60, rel=1e-9)
    assert drains[59] > 2 * drains[60]
    found = workflow.solve(plan, "stages.job.parallelism", "drain_time <= 241 s")
    assert found.found == "60"
    assert found.before is not None
    assert found.before.value == "59"
    tried = {int(trial.value): trial.low for trial in found.trials}
    plateau = {low for workers, low in tried.items() if 60 <= workers < 120}
    assert len([workers for workers in tried if 60 < workers < 120]) >= 3
    assert max(plateau) == pytest.approx(min(plateau), rel=1e-9)


def test_more_partitions_are_better_only_in_step_with_the_workers(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """P partitions on 12 workers: w = ceil(P/12)/P. 12, 24, 36 and 48 drain in 240 s, all others do not."""
    plan = plan_of(tmp_path, partitions="12", rate="960/s", parallelism="12")
    asked = ("sources.log.partitions", "drain_time <= 250 s")
    found = workflow.solve(plan, *asked, scenarios=["sink-outage"])
    assert (found.found, found.monotone) == ("12", False)
    assert [int(trial.value) for trial in found.trials if trial.met] == [12, 24, 36, 48]
    for trial in found.trials:
        rate = 960 * math.ceil(int(trial.value) / 12) / int(trial.value)
        drain = rate * 60 / (100 - rate) if rate < 100 else math.inf
        assert trial.high == pytest.approx(drain, rel=1e-6), trial.value
    file = str(tmp_path / "plan.yaml")
    run(["simulate", file, "--scenario", "sink-outage", "--solve", asked[0], "--until", asked[1]])
    assert "more is not always better" in capsys.readouterr().out
