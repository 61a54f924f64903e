"""Bands over replications, plans side by side, and each drawing made once."""

import re
from pathlib import Path

import pytest

from pipelineplan import SimulationResult, simulate
from pipelineplan.bundle import plots
from pipelineplan.bundle.html_runs import simulation

PLAN = """apiVersion: pipelineplan/v1
kind: DataPlan
metadata: {name: slow, owner: team, quality_level: prototype}
sources:
  - {id: log, system: kafka, owner: team, partitions: 2, rate: {average: 6/s, peak: 8/s}}
stages:
  - id: job
    inputs: [{from: log, exchange: forward}]
    parallelism: 2
    capacity: 5/s
    checkpoint: {interval: 60 s, duration: 3 s, restart: 1 min}
sinks:
  - {id: out, inputs: [job], mode: upsert}
outages:
  - {of: job, detect: 1 min, repair: 9 min, drain_target: 2 h}
"""


@pytest.fixture(scope="module")
def results(tmp_path_factory: pytest.TempPathFactory) -> dict[str, SimulationResult]:
    pytest.importorskip("altair")
    file = tmp_path_factory.mktemp("plan") / "plan.yaml"
    file.write_text(PLAN, encoding="utf-8")
    return {"drawn": simulate(file, replications=20, seed=2), "plain": simulate(file)}


def titles(drawn: tuple[tuple[str, str], ...]) -> list[str]:
    return [title for title, _ in drawn]


def areas(svg: str) -> int:
    return len(re.findall(r'aria-roledescription="area mark"|mark-area', svg))


def test_replications_are_a_band_behind_the_curve(results: dict[str, SimulationResult]) -> None:
    drawn, plain = (dict(plots.as_plots(results[name].scenarios[-1])) for name in ("drawn", "plain"))
    assert list(drawn) == list(plain)
    assert areas(drawn["Consumer lag, records"]) >= 1
    assert areas(plain["Consumer lag, records"]) == 0


def test_the_band_holds_nine_of_ten_replications(results: dict[str, SimulationResult]) -> None:
    found = results["drawn"].scenarios[-1].replications.bands
    for low, middle, high in zip(
        found["lag_records_p05"], found["lag_records_p50"], found["lag_records_p95"], strict=True
    ):
        assert low <= middle <= high
    series = results["drawn"].scenarios[-1].series
    assert max(found["lag_records_p05"]) < max(series["lag_records"]) < max(found["lag_records_p95"])
    assert found["time_seconds"][-1] == series["time_seconds"][-1]


def test_every_panel_that_has_something_to_show_is_there(results: dict[str, SimulationResult]) -> None:
    assert titles(plots.as_plots(results["plain"].scenarios[-1])) == [
        "Consumer lag, records",
        "Age of the oldest unread record and watermark delay",
        "Records per second",
        "Duration of the last completed checkpoint",
    ]


def test_a_drawing_is_made_once(
    results: dict[str, SimulationResult], monkeypatch: pytest.MonkeyPatch
) -> None:
    plots._drawn.cache_clear()
    made: list[str] = []
    draw = plots.svg_of
    monkeypatch.setattr(plots, "svg_of", lambda chart: made.append("one") or draw(chart))
    simulation(results["plain"])
    once = len(made)
    assert once > 0
    for scenario in results["plain"].scenarios:
        plots.as_plots(scenario)
    assert len(made) == once


def test_plans_stand_side_by_side_on_the_same_axes(
    results: dict[str, SimulationResult], tmp_path: Path
) -> None:
    written = plots.write_plots(results, tmp_path)
    assert written
    lag = next(file for file in written if "job-outage-consumer-lag" in file.name).read_text(encoding="utf-8")
    assert "drawn" in lag
    assert "plain" in lag
    alone = plots.write_plots({"plain": results["plain"]}, tmp_path)
    assert "plain" not in alone[0].read_text(encoding="utf-8")


def test_the_report_says_what_the_shade_is(results: dict[str, SimulationResult]) -> None:
    assert "nine of ten of 20 replications (T1)" in simulation(results["drawn"])
    assert "Shaded" not in simulation(results["plain"])
