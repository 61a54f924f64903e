"""Replications: the right spread, the same bytes however they are run, chance and inputs apart."""

import json
import math
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from pipelineplan.simulation.acts.library import recipes_named
from pipelineplan.simulation.arranging import DeclaredOutage, End, Inputs, Load, Pipeline
from pipelineplan.simulation.chance.replicating import Futures, in_weather, samples
from pipelineplan.simulation.control import run_scenario
from pipelineplan.simulation.network import Checkpoint, Network, SourceLog, Stage
from pipelineplan.simulation.result import FLUID, SimulationResult, Uncertain
from pipelineplan.simulation.scenario import Breaks, Outage, Scenario
from pipelineplan.simulation.simulating import simulate_pipelines
from pipelineplan.simulation.weather import Weather
from pipelineplan.verdicts import Verdict
from pipelineplan.workflow import simulate

EXAMPLES = Path(__file__).parents[2] / "examples"
ONE = Network(SourceLog("log", 1), (Stage("job", 1, 100.0),), Checkpoint(60.0, 5.0, restart_seconds=10.0))


def pipeline(least: float, likely: float, most: float, target: float = 600.0) -> Pipeline:
    """80 records/s with a sink outage of 100 s; the capacity of the job is an interval."""
    ends = {End.LIKELY: likely, End.OPTIMISTIC: most, End.PESSIMISTIC: least}
    inputs = {
        end: Inputs(
            replace(ONE, stages=(Stage("job", 1, capacity),)),
            Load(80.0, 80.0),
            (DeclaredOutage(Breaks.SINK, 20.0, 80.0, target, name="out"),),
        )
        for end, capacity in ends.items()
    }
    return Pipeline("a -> b", inputs, uncertain=(Uncertain("$.stages[0].capacity", "μ 100/s"),))


def result(one: Pipeline, runs: int = 80, jobs: int = 1, seed: int = 3) -> SimulationResult:
    return simulate_pipelines([one], recipes_named(("sink-outage",)), futures=Futures(runs, seed, jobs))


def test_failures_fall_anywhere_between_two_checkpoints() -> None:
    scenario = Scenario("dies", ((0.0, 80.0),), (Outage(Breaks.JOB, 215.0, 0.0, 30.0),))
    starts = [
        in_weather(ONE, scenario, Weather(1, number)).outages[0].start_seconds for number in range(2000)
    ]
    assert 185.0 <= min(starts) < 186.0
    assert 244.0 < max(starts) <= 245.0
    assert np.mean(starts) == pytest.approx(215.0, abs=4 * 60.0 / math.sqrt(12 * 2000))


def test_a_replication_depends_on_its_name_and_not_on_what_was_drawn_before() -> None:
    weather = Weather(5, 8)
    first = weather.stream("arrivals").random(3)
    weather.stream("other").random(100)
    assert (weather.stream("arrivals").random(3) == first).all()
    assert not (Weather(5, 9).stream("arrivals").random(3) == first).any()
    assert not (Weather(6, 8).stream("arrivals").random(3) == first).any()
    few, many = Stage("job", 2, 50.0), Stage("job", 7, 50.0)
    assert (weather.speeds(few, 0) == weather.speeds(many, 0)[:2]).all()


def test_records_are_neither_lost_nor_invented_in_any_weather() -> None:
    scenario = Scenario("dies", ((0.0, 80.0),), (Outage(Breaks.JOB, 215.0, 0.0, 30.0),))
    run = run_scenario(ONE, in_weather(ONE, scenario, Weather(1, 1)))
    fluid = run.fluid
    assert fluid.arrived == pytest.approx(fluid.departed + fluid.queue, rel=1e-9)
    appended = np.interp(fluid.now, *run.appended)
    assert fluid.arrived[fluid.log].sum() == pytest.approx(appended, rel=1e-9)


@pytest.mark.slow
def test_serial_parallel_and_second_runs_give_the_same_bytes() -> None:
    one = pipeline(99.0, 100.0, 101.0)
    texts = {json.dumps(result(one, 12, jobs).to_json_dict()) for jobs in (1, 2, 1)}
    assert len(texts) == 1
    assert json.dumps(result(one, 12, seed=4).to_json_dict()) not in texts


def test_a_promise_is_judged_by_how_often_it_is_kept() -> None:
    out = result(pipeline(100.0, 100.0, 100.0)).scenarios[-1]
    (verdict,) = out.slo_verdicts
    assert verdict.verdict is Verdict.HOLDS
    assert verdict.chances["likely"].kept == verdict.chances["likely"].runs == 80
    assert "holds with probability >= 0.9549 (95 % confidence)" in verdict.message
    assert out.replications is not None
    drain = out.replications.figures["drain_seconds"]
    assert drain.p05 < 400.0 < drain.p95
    assert drain.mean_low < drain.mean < drain.mean_high


def test_the_inputs_decide_where_their_ends_disagree() -> None:
    (verdict,) = result(pipeline(90.0, 100.0, 110.0)).scenarios[-1].slo_verdicts
    assert verdict.verdict is Verdict.UNKNOWN
    assert [verdict.chances[end].kept for end in ("optimistic", "likely", "pessimistic")] == [80, 80, 0]
    assert "not chance but the inputs decide; measure $.stages[0].capacity" in verdict.message


def test_too_few_replications_say_how_many_would_decide() -> None:
    (verdict,) = result(pipeline(100.0, 100.0, 100.0), 20).scenarios[-1].slo_verdicts
    assert verdict.verdict is Verdict.UNKNOWN
    assert "too few to tell from 0.95: about 72 would decide" in verdict.message


def test_no_weather_mends_an_overload() -> None:
    loaded = pipeline(100.0, 100.0, 100.0)
    over = {
        end: replace(each, network=replace(each.network, stages=(Stage("job", 1, 70.0),)))
        for end, each in loaded.inputs.items()
    }
    for scenario in result(replace(loaded, inputs=over)).scenarios:
        assert scenario.replications is None
        assert any("no chance changes that" in note for note in scenario.notes)


def test_without_replications_nothing_is_drawn() -> None:
    plain = simulate_pipelines([pipeline(99.0, 100.0, 101.0)])
    assert plain.seed is None
    assert "probability" not in json.dumps(plain.to_json_dict())


def test_samples_come_in_order() -> None:
    scenario = Scenario("calm", ((0.0, 80.0),), horizon_seconds=300.0, settle_seconds=300.0)
    two, four = (samples(ONE, scenario, (), Futures(runs, 2)) for runs in (2, 4))
    assert four[:2] == two


@pytest.mark.parametrize(
    ("example", "name", "figure"),
    [
        ("ledger-batch", "run-overrun", "largest_run_records"),
        ("ledger-batch", "late-upstream-file", "peak_lag_records"),
        ("orders-to-warehouse", "retry-storm", "retried_records"),
        ("orders-to-warehouse", "rebalance-storm", "drain_seconds"),
    ],
)
def test_runs_and_acts_are_replicated_around_what_they_are_without_chance(
    example: str, name: str, figure: str
) -> None:
    plan = EXAMPLES / example / "plan.yaml"
    found = [
        simulate(plan, scenarios=[name], replications=6, seed=5, jobs=jobs).scenarios[0] for jobs in (1, 2)
    ]
    assert found[0] == found[1]
    assert found[0].replications is not None
    assert found[0].replications.tier == FLUID
    chance = found[0].replications.figures[figure]
    assert chance.p05 < chance.p95
    assert chance.mean == pytest.approx(found[0].figures[figure].value, rel=0.005)
    read, come = (found[0].replications.samples[each] for each in ("read_records", "arrived_records"))
    for one, other in zip(read, come, strict=True):
        assert one <= other * (1 + 1e-9) or name == "rebalance-storm"
