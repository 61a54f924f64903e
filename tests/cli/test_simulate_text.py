"""What `simulate` prints: tiers, error classes, the tornado, and plots beside the tables."""

import json
from pathlib import Path

import pytest

from pipelineplan.cli import run

PLAN = """apiVersion: pipelineplan/v1
kind: DataPlan
metadata: {name: slow, owner: team, quality_level: prototype}
sources:
  - {id: log, system: kafka, owner: team, partitions: 2, rate: {average: 6/s, peak: 9/s}}
stages:
  - {id: job, inputs: [{from: log, exchange: forward}], parallelism: 2, capacity: 5/s ± 4 %}
sinks:
  - {id: out, inputs: [job], mode: upsert}
slos:
  - {for: out, freshness: {p95: 10 s, from: record, until: emitted}}
"""


@pytest.fixture
def plan(tmp_path: Path) -> str:
    file = tmp_path / "plan.yaml"
    file.write_text(PLAN, encoding="utf-8")
    return str(file)


def test_every_figure_names_its_tier_and_error_class(plan: str, capsys: pytest.CaptureFixture[str]) -> None:
    run(["simulate", plan, "--scenario", "peak"])
    said = capsys.readouterr().out
    fresh = next(line for line in said.splitlines() if "freshness p95 since" in line)
    assert "(T2)" in fresh
    assert "(T1)" in said.splitlines()[0]
    classes = said.partition("how exact a figure is")[2]
    assert "T1, exact fluid, rounding only: peak lag, oldest unread, drain" in classes
    assert "T2, every record" in classes
    run(["simulate", plan, "--scenario", "peak", "--format", "json"])
    document = json.loads(capsys.readouterr().out)
    assert document["scenarios"][0]["freshness_p95_seconds"]["tier"] == "T2"
    assert document["scenarios"][0]["slo_verdicts"][0]["figure"]["tier"] == "T2"


def test_the_tier_of_replications_is_said(plan: str, capsys: pytest.CaptureFixture[str]) -> None:
    run(["simulate", plan, "--scenario", "steady", "--replications", "3"])
    assert "(T1; replications T3" in capsys.readouterr().out


def test_the_tornado(plan: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert (
        run(["simulate", plan, "--scenario", "peak", "--sensitivity", "peak_utilisation_worst_worker"]) == 0
    )
    said = capsys.readouterr().out
    assert "peak_utilisation_worst_worker now: 0.9" in said
    assert "$.stages[0].capacity" in said
    assert "(stated)" in said
    assert run(["simulate", plan, "--sensitivity", "--replications", "3"]) == 2
    with pytest.raises(SystemExit) as refused:
        run(["simulate", plan, "--sensitivity", "--vary", "200 %"])
    assert refused.value.code == 2
    assert run(["simulate", plan, "--sensitivity", "nothing"]) == 2


def test_plots_are_written_beside_the_tables(plan: str, tmp_path: Path) -> None:
    pytest.importorskip("altair")
    folder = tmp_path / "out"
    run(["simulate", plan, "--scenario", "peak", "--replications", "4", "-o", str(folder)])
    names = {file.name for file in folder.iterdir()}
    assert {"figures.csv", "curves.csv", "bands.csv"} <= names
    assert any(name.endswith("consumer-lag-records.svg") for name in names)
