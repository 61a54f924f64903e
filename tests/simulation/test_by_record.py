"""Which tier says how fresh results are, and whether what it says is right."""

import math
from dataclasses import replace

import numpy as np
import pytest

from pipelineplan.plan.queueing import pollaczek_khinchine_seconds
from pipelineplan.simulation.acts.library import read_library
from pipelineplan.simulation.arranging import End, Inputs, Load, Pipeline
from pipelineplan.simulation.chance.replicating import Futures
from pipelineplan.simulation.network import Checkpoint, EventTime, Network, SourceLog, Stage, Visible
from pipelineplan.simulation.records.by_record import mean_wait_seconds, why_by_record
from pipelineplan.simulation.records.per_record import run_per_record
from pipelineplan.simulation.result import FreshnessTarget, ScenarioResult
from pipelineplan.simulation.scenario import Scenario
from pipelineplan.simulation.simulating import simulate_pipelines
from pipelineplan.verdicts import Verdict

PROMISE = FreshnessTarget("sink", 0.95, (2.0, 2.0, 2.0), until="emitted")


def slow(**changes: object) -> Network:
    """Four workers of 20 records a second, each with one partition."""
    return Network(SourceLog("log", 4), (replace(Stage("count", 4, 20.0), **changes),))


def peak_of(network: Network, rate: float, futures: Futures | None = None) -> ScenarioResult:
    inputs = Inputs(network, Load(rate, rate))
    pipeline = Pipeline("a -> b", dict.fromkeys(End, inputs), (PROMISE,))
    peak = [recipe for recipe in read_library() if recipe.name == "peak"]
    return simulate_pipelines([pipeline], peak, futures=futures).scenarios[0]


def test_a_small_wait_is_left_to_the_estimate() -> None:
    found = peak_of(replace(slow(), stages=(Stage("count", 4, 20_000.0),)), 60_000.0)
    assert found.figures["freshness_p95_seconds"].tier == "T1"
    assert not any("T2" in note for note in found.notes)


def test_a_wait_that_matters_is_simulated_by_record() -> None:
    """At rho 0.9 a sojourn is exponential with mean 1/(mu - lambda) = 0.5 s: p95 is 1.5 s."""
    found = peak_of(slow(), 72.0)
    figure = found.figures["freshness_p95_seconds"]
    assert figure.tier == "T2"
    assert figure.low <= 0.5 * math.log(20) * 1.05
    assert figure.high >= 0.5 * math.log(20) * 0.95
    assert figure.value == pytest.approx(0.5 * math.log(20), rel=0.1)
    assert found.slo_verdicts[0].figure.tier == "T2"
    assert found.slo_verdicts[0].verdict is Verdict.HOLDS
    assert any("by record (T2)" in note for note in found.notes)
    assert found.figures["peak_lag_records"].tier == "T1"


def test_the_record_by_record_model_agrees() -> None:
    found = peak_of(slow(), 68.0)
    scenario = Scenario("steady", ((0.0, 68.0),), horizon_seconds=1500.0, settle_seconds=1500.0)
    seen = [run_per_record(slow(), scenario, 1500.0, seed=seed).latencies for seed in (1, 2, 3)]
    for percent in (50, 95, 99):
        literal = float(np.mean([np.quantile(each, percent / 100) for each in seen]))
        assert found.figures[f"freshness_p{percent}_seconds"].value == pytest.approx(literal, rel=0.1)


def test_varied_service_is_simulated_by_record_and_no_note_says_it_is_not() -> None:
    found = peak_of(slow(service_cv=2.0), 60.0)
    assert found.figures["freshness_p95_seconds"].tier == "T2"
    assert not any("no bound" in note for note in found.notes)
    assert (
        found.figures["freshness_p95_seconds"].value
        > peak_of(slow(), 60.0).figures["freshness_p95_seconds"].value
    )


def test_too_many_records_are_said_to_be_too_many() -> None:
    found = peak_of(replace(slow(), stages=(Stage("count", 4, 20_000.0, service_cv=2.0),)), 60_000.0)
    assert found.figures["freshness_p95_seconds"].tier == "T1"
    assert any("too long" in note for note in found.notes)


def test_the_estimate_is_the_closed_form() -> None:
    expected = pollaczek_khinchine_seconds(15.0, 20.0, 1.0)
    assert mean_wait_seconds(slow(), 60.0) == pytest.approx(expected)
    assert why_by_record(slow(), 60.0, (PROMISE,)) is None
    assert why_by_record(slow(), 68.0, (PROMISE,)) is not None


def test_windows_and_commits_are_those_of_the_fluid_where_records_hardly_wait() -> None:
    """T2 and T1 agree on what is not chance: the window, the watermark, the checkpoint."""
    stage = Stage("count", 4, 2000.0)
    network = Network(
        SourceLog("log", 4),
        (stage,),
        Checkpoint(30.0, 2.0),
        EventTime(5.0, 0.2, 20.0),
        visible=Visible.AT_CHECKPOINT,
    )
    fluid = peak_of(network, 200.0)
    varied = peak_of(replace(network, stages=(replace(stage, service_cv=2.0),)), 200.0)
    assert fluid.figures["freshness_p95_seconds"].tier == "T1"
    assert varied.figures["freshness_p95_seconds"].tier == "T2"
    for percent in (50, 95, 99):
        name = f"freshness_p{percent}_seconds"
        assert varied.figures[name].value == pytest.approx(fluid.figures[name].value, rel=0.03)


def test_replications_walk_records_too() -> None:
    found = peak_of(slow(), 72.0, Futures(30, 1))
    spread = found.replications.figures["freshness_p95_seconds"]
    assert spread.p05 < found.figures["freshness_p95_seconds"].value < spread.p95
    assert found.slo_verdicts[0].chances["likely"].runs == 30
