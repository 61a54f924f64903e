"""The fluid against the same network record by record, for every scenario of the library.

Lag curves within 2 % of the peak (root mean square), drains within 3 %, where the busiest worker
is at most 80 % busy and the peak at least 100 times the queue of a resting worker.
"""

import math
from dataclasses import replace

import numpy as np
import pytest

from pipelineplan.simulation.arranging import DeclaredOutage, End, Inputs, Load, arrange
from pipelineplan.simulation.control import Run, run_scenario
from pipelineplan.simulation.curves import Curves
from pipelineplan.simulation.freshness import Since, Until, freshness
from pipelineplan.simulation.journal import value_at
from pipelineplan.simulation.library import Burst, Recipe, read_library
from pipelineplan.simulation.measures import random_wait
from pipelineplan.simulation.network import Checkpoint, Exchange, Network, SourceLog, Stage
from pipelineplan.simulation.per_record import PerRecordRun, Service, run_per_record
from pipelineplan.simulation.scenario import Breaks

# Short, since each record costs some 10 microseconds: outages of half a minute, checkpoints each 10 s.
CHECKPOINT = Checkpoint(10.0, 1.0, 0.0, 0.05, 4.0)
OUTAGES = tuple(DeclaredOutage(kind, 5.0, 20.0) for kind in Breaks)


def load(speed: float) -> Load:
    return Load(300.0 * speed, 600.0 * speed, Burst(2.5, 25.0))


def forward(speed: float) -> Network:
    return Network(SourceLog("log", 6), (Stage("count", 4, 275.0 * speed),), CHECKPOINT)


def keyed(speed: float) -> Network:
    """One narrow place, and room for a second before it: small random queues lose throughput."""
    stages = (
        Stage("enrich", 6, 200.0 * speed),
        Stage("mart", 4, 230.0 * speed, Exchange.KEYED, hottest_key=0.02, buffer_records=200.0 * speed),
        Stage("out", 3, 350.0 * speed, Exchange.KEYED, buffer_records=200.0 * speed),
    )
    return Network(SourceLog("log", 6, hottest_key=0.02), stages, CHECKPOINT)


NETWORKS = {"forward": forward, "keyed": keyed}
RECIPES = [
    # The library's quarter of all records would overload these workers.
    replace(recipe, hottest_key=min(recipe.hottest_key, 0.05))
    for recipe in read_library()
]
CASES = [(recipe, name) for recipe in RECIPES for name in NETWORKS]


def both(
    recipe: Recipe, network: str, service: Service, speed: float = 1, seeds: tuple[int, ...] = (1,)
) -> tuple[Run, list[PerRecordRun]]:
    """The fluid run, and the mean lag, drain and replay of the per-record runs."""
    inputs = Inputs(NETWORKS[network](speed), load(speed), OUTAGES)
    network, scenario = arrange(recipe, inputs, End.LIKELY)
    assert network.utilisation(scenario.rates[0][1])[0] <= 0.8 + 1e-9
    scenario = replace(scenario, settle_seconds=20.0, horizon_seconds=260.0)
    run = run_scenario(network, scenario)
    return run, [
        run_per_record(network, scenario, run.fluid.now, service=service, seed=seed) for seed in seeds
    ]


def compare(run: Run, seen: list[PerRecordRun]) -> float:
    lag = Curves(run).lag
    fluid = value_at(lag.time, lag.records, seen[0].time)
    resting = run.network.utilisation(run.scenario.rates[0][1])[0]
    stationary = resting / (1 - resting) * run.network.stages[0].workers
    if fluid.max() >= 100 * stationary:
        error = math.sqrt(float(np.mean((fluid - np.mean([each.lag for each in seen], axis=0)) ** 2)))
        assert error <= 0.02 * fluid.max(), f"lag curve {error / fluid.max():.2%} of the peak"
    drains = [phase.drain_seconds for phase in run.phases]
    assert np.mean([each.drains for each in seen], axis=0) == pytest.approx(drains, rel=0.03, abs=1.0)
    replayed = [phase.replayed_records for phase in run.phases if phase.of in {"job", "worker"}]
    assert np.mean([each.replayed for each in seen], axis=0) == pytest.approx(replayed, rel=0.05)
    return fluid.max() / stationary


@pytest.mark.parametrize(("recipe", "network"), CASES, ids=[f"{r.name}-{n}" for r, n in CASES])
def test_fixed_service(recipe: Recipe, network: str) -> None:
    """Keys are random all the same, so two runs where there is an exchange."""
    compare(*both(recipe, network, "deterministic", seeds=(1,) if network == "forward" else (1, 2)))


@pytest.mark.slow
@pytest.mark.parametrize(("recipe", "network"), CASES, ids=[f"{r.name}-{n}" for r, n in CASES])
def test_random_service(recipe: Recipe, network: str) -> None:
    """Three runs each: one drain of this size has a standard deviation of 2 to 3 % by itself."""
    compare(*both(recipe, network, "exponential", speed=2, seeds=(1, 2, 3)))


def test_outages_are_large_enough_to_be_compared() -> None:
    sink = next(recipe for recipe in RECIPES if recipe.name == "sink-outage")
    assert compare(*both(sink, "forward", "exponential", seeds=(1, 2, 3))) >= 100


def test_duplicates_are_what_was_emitted_since_the_cut() -> None:
    job = next(recipe for recipe in RECIPES if recipe.name == "job-restart")
    run, seen = both(job, "keyed", "deterministic")
    assert seen[0].duplicates == pytest.approx([run.phases[0].duplicate_records], rel=0.05)


def test_freshness_of_an_outage_is_that_of_the_records() -> None:
    sink = next(recipe for recipe in RECIPES if recipe.name == "sink-outage")
    run, seen = both(sink, "keyed", "deterministic")
    delays = freshness(Curves(run), Since.RECORD, Until.EMITTED)
    for probability in (0.5, 0.75, 0.9, 0.95):
        expected = delays.quantile(probability)
        if expected > 1.0:
            assert float(np.quantile(seen[0].latencies, probability)) == pytest.approx(expected, rel=0.05)


def test_the_estimate_of_the_random_wait_is_an_upper_one() -> None:
    steady = next(recipe for recipe in RECIPES if recipe.name == "peak")
    network = replace(forward(1), checkpoint=None)
    network, scenario = arrange(steady, Inputs(network, load(1)), End.LIKELY)
    seen = run_per_record(network, scenario, 200.0, seed=3)
    for probability in (0.5, 0.95, 0.99):
        measured = float(np.quantile(seen.latencies, probability))
        assert 0.3 * measured <= random_wait(network, 600.0, probability) <= 4 * measured
        assert random_wait(network, 600.0, probability) >= measured
