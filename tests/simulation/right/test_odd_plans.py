"""Plans at the edge of sense, with answers by hand: what is said is true, or is said not to be known."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from pipelineplan.cli import run

Simulated = Callable[..., dict[str, dict[str, Any]]]
DAY = 86_400.0
PLAN = """
apiVersion: pipelineplan/v1
kind: DataPlan
metadata: {{name: odd, owner: me, quality_level: prototype}}
sources:
  - {{id: log, system: kafka, owner: web, partitions: 1, rate: {{average: {rate}, peak: {rate}}}}}
stages:
  - id: job
    inputs: [log]
    engine: flink
    parallelism: 1
    capacity: {capacity}
    checkpoint: {{interval: 60 s, restart: 10 s, duration: 5 s}}
sinks:
  - {{id: out, inputs: [job], mode: upsert}}
slos:
  - {{for: out, freshness: {{p50: {promise}, from: record}}}}
outages:
  - {{of: {of}, detect: 0 s, repair: {repair}, drain_target: {target}}}
"""


@pytest.fixture
def simulated(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> Simulated:
    """The scenarios of a plan by name, as `simulate --format json` prints them."""

    def simulated(*options: str, **values: str) -> dict[str, dict[str, Any]]:
        usual = {"rate": "80/s", "capacity": "100/s", "promise": "10 min", "of": "sink", "repair": "300 s"}
        file = tmp_path / "plan.yaml"
        file.write_text(PLAN.format(**{"target": "1 h", **usual, **values}), encoding="utf-8")
        run(["simulate", str(file), "--format", "json", *options])
        return {each["name"]: each for each in json.loads(capsys.readouterr().out)["scenarios"]}

    return simulated


def verdict(scenario: dict[str, Any]) -> str:
    (promise,) = scenario["slo_verdicts"]
    return str(promise["verdict"])


def test_an_outage_of_three_days_is_seen_to_its_end(simulated: Simulated) -> None:
    out = simulated(repair="3 d", target="13 d")["sink-outage"]
    assert out["peak_lag_records"]["value"] == pytest.approx(80 * 3 * DAY)
    assert out["oldest_unread_seconds"]["value"] == pytest.approx(3 * DAY)
    assert out["drain_seconds"]["value"] == pytest.approx(12 * DAY)
    (phase,) = out["phases"]
    assert phase["restarted_seconds"] == pytest.approx(phase["start_seconds"] + 3 * DAY)
    assert verdict(out) == "holds"


def test_a_drain_of_eight_days_keeps_a_target_of_nine(simulated: Simulated) -> None:
    out = simulated(repair="1 d", capacity="90/s", target="9 d")["sink-outage"]
    assert out["drain_seconds"]["value"] == pytest.approx(8 * DAY)
    assert verdict(out) == "holds"


def test_a_drain_that_the_run_does_not_see_is_not_known(simulated: Simulated) -> None:
    """900 s of the drain of 1,200 s are within the run: that is its least, and nothing is said of its end."""
    out = simulated("--horizon", "1415 s", target="20 min")["sink-outage"]
    assert out["drain_seconds"]["low"] == pytest.approx(900, abs=30)
    assert out["drain_seconds"]["high"] is None
    assert verdict(out) == "unknown"
    assert verdict(simulated("--horizon", "1415 s", target="10 min")["sink-outage"]) == "fails"


def test_an_outage_that_outlives_the_run_has_no_drain_yet(simulated: Simulated) -> None:
    out = simulated("--horizon", "1 h", repair="3 h")["sink-outage"]
    (phase,) = out["phases"]
    assert phase["restarted_seconds"] == pytest.approx(phase["start_seconds"] + 3 * 3600)
    assert out["peak_lag_records"]["value"] == pytest.approx(80 * (3600 - phase["start_seconds"]))
    assert out["drain_seconds"]["low"] == 0
    assert verdict(out) == "unknown"


def test_at_full_load_chance_has_no_bound(simulated: Simulated) -> None:
    """A fluid at rest has no queue; a random queue at 100 % has no mean."""
    steady = simulated(rate="100/s")["steady"]
    assert steady["freshness_p50_seconds"]["high"] is None
    assert verdict(steady) == "unknown"


def test_an_overload_is_not_fresh_because_the_run_was_short(simulated: Simulated) -> None:
    """A record that comes after t waits 0.1 t: 180 s after half an hour, and more as the load lasts."""
    steady = simulated(rate="110/s")["steady"]
    assert steady["freshness_p50_seconds"]["value"] == pytest.approx(180, rel=1e-3)
    assert steady["freshness_p50_seconds"]["high"] is None
    assert verdict(steady) == "unknown"


def test_a_horizon_is_how_long_a_run_lasts(simulated: Simulated) -> None:
    for name, scenario in simulated("--horizon", "2 h").items():
        assert scenario["arrived_records"]["value"] == pytest.approx(80 * 7200), name
    one = simulated("--horizon", "1 s")
    assert one["steady"]["arrived_records"]["value"] == pytest.approx(80)
    assert one["steady"]["drain_seconds"]["value"] == 0


def test_nothing_at_all_is_fresh(simulated: Simulated) -> None:
    for scenario in simulated(rate="0/s").values():
        assert scenario["peak_lag_records"]["high"] == 0
        assert scenario["throughput_per_second"]["value"] == 0
        assert verdict(scenario) == "holds"


@pytest.mark.parametrize("horizon", ["0 s", "-1 h", "soon", "2 parsec", "500 d", "nan"])
def test_a_horizon_that_makes_no_sense_is_refused(
    horizon: str, simulated: Simulated, capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    simulated()
    try:
        status = run(["simulate", str(tmp_path / "plan.yaml"), "--horizon", horizon])
    except SystemExit as leaving:
        status = leaving.code  # type: ignore[assignment]  # argparse leaves by itself
    assert status == 2
    assert "horizon" in capsys.readouterr().err
