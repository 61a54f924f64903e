"""Plans in the same weather: what they have in common cancels."""

import json
import math
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from pipelineplan.cli import run
from pipelineplan.simulation import Difference, compare
from pipelineplan.simulation.acts.library import recipes_named
from pipelineplan.simulation.arranging import DeclaredOutage, End, Inputs, Load, Pipeline
from pipelineplan.simulation.chance.replicating import Futures
from pipelineplan.simulation.network import Checkpoint, Network, SourceLog, Stage
from pipelineplan.simulation.result import SimulationResult
from pipelineplan.simulation.scenario import Breaks
from pipelineplan.simulation.simulating import simulate_pipelines

EXAMPLES = Path(__file__).parents[2] / "examples"


def simulated(capacity: float, seed: int = 1, runs: int = 100) -> SimulationResult:
    network = Network(SourceLog("log", 1), (Stage("job", 1, capacity),), Checkpoint(60.0, 5.0))
    inputs = Inputs(network, Load(80.0, 80.0), (DeclaredOutage(Breaks.JOB, 20.0, 180.0),))
    pipeline = Pipeline("a -> b", dict.fromkeys(End, inputs))
    return simulate_pipelines([pipeline], recipes_named(("job-restart",)), futures=Futures(runs, seed))


def drain(found: tuple[Difference, ...]) -> Difference:
    return next(each for each in found if each.figure == "drain_seconds")


def test_the_same_weather_tells_plans_apart_with_fewer_runs() -> None:
    first, same, other = simulated(100.0), simulated(101.0), simulated(101.0, seed=2)
    shared, apart = drain(compare(first, same)), drain(compare(first, other))
    assert shared.low < shared.high < 0
    assert ((apart.high - apart.low) / (shared.high - shared.low)) ** 2 > 5
    samples = [each.scenarios[0].replications.samples["drain_seconds"] for each in (first, same)]  # type: ignore[union-attr]
    assert np.corrcoef(samples)[0, 1] > 0.9


def test_a_plan_does_not_differ_from_itself() -> None:
    assert compare(simulated(100.0, runs=2), simulated(100.0, runs=2)) == ()


def test_without_replications_there_is_no_interval() -> None:
    scenario = simulated(100.0, runs=2).scenarios[0]
    plain = [
        SimulationResult((replace(each, replications=None),))
        for each in (scenario, simulated(110.0, runs=2).scenarios[0])
    ]
    found = drain(compare(*plain))
    assert found.other < found.first
    assert math.isnan(found.low)
    assert found.to_json_dict()["low"] is None


def test_the_command_line_compares(capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    plans = [str(EXAMPLES / name / "plan.yaml") for name in ("demo-holds", "demo-fails")]
    assert run(["simulate", *plans, "--format", "json", "-o", str(tmp_path)]) == 1
    document = json.loads(capsys.readouterr().out)
    assert [each["plan"] for each in document["plans"]] == plans
    assert document["plans"][0]["verdict"] == "holds"
    page = (EXAMPLES.parent / "docs/reference/simulate-json.md").read_text(encoding="utf-8")
    for key in {*document, *document["comparison"][0]}:
        assert f"`{key}`" in page
    assert (tmp_path / "plan-2" / "figures.csv").is_file()
    assert run(["simulate", *plans]) == 1
    assert "compared with" in capsys.readouterr().out
