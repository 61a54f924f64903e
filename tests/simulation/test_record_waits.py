"""T2 against closed forms, against the literal recursion, and against the record-by-record model."""

import math

import numpy as np
import pytest

from pipelineplan.plan.queueing import pollaczek_khinchine_seconds, records_present
from pipelineplan.simulation.control import run_scenario
from pipelineplan.simulation.network import Checkpoint, Exchange, Network, SourceLog, Stage
from pipelineplan.simulation.probability import spread
from pipelineplan.simulation.records.per_record import run_per_record
from pipelineplan.simulation.records.record_waits import Clock, Walk, served, walk
from pipelineplan.simulation.scenario import Breaks, Outage, Scenario
from pipelineplan.simulation.weather import Weather


def one_worker(rate: float, capacity: float, cv: float, seconds: float, number: int = 1) -> Walk:
    network = Network(SourceLog("log", 1), (Stage("job", 1, capacity, service_cv=cv),))
    scenario = Scenario("steady", ((0.0, rate),), horizon_seconds=seconds, settle_seconds=seconds)
    return walk(run_scenario(network, scenario), Weather(3, number))


def test_numpy_and_numba_serve_alike() -> None:
    pytest.importorskip("numba")
    random = np.random.default_rng(1)
    came = np.cumsum(random.exponential(1.0, 200_000))
    work = random.gamma(0.25, 4.0, 200_000) * 0.95
    one, other = served(came, work, compiled=True), served(came, work, compiled=False)
    assert one == pytest.approx(other, rel=1e-9)


def test_serving_is_the_recursion_word_for_word() -> None:
    random = np.random.default_rng(2)
    came, work = np.cumsum(random.exponential(1.0, 500)), random.exponential(0.9, 500)
    last, expected = -math.inf, []
    for arrival, needed in zip(came.tolist(), work.tolist(), strict=True):
        last = max(arrival, last) + needed
        expected.append(last)
    assert served(came, work, compiled=False) == pytest.approx(expected, rel=1e-12)


def test_a_clock_that_stops_goes_on_where_it_was() -> None:
    clock = Clock(((10.0, 15.0), (20.0, 21.0)))
    assert clock.own(np.array([5.0, 10.0, 12.0, 15.0, 18.0, 20.5, 30.0])).tolist() == [
        5,
        10,
        10,
        10,
        13,
        15,
        24,
    ]
    assert clock.wall(np.array([5.0, 10.0, 10.5, 15.0, 15.5])).tolist() == [5, 10, 15.5, 20, 21.5]
    assert Clock(()).wall(np.array([3.0])).tolist() == [3.0]


@pytest.mark.parametrize(("cv", "load"), [(0.0, 0.8), (1.0, 0.8), (2.0, 0.6), (1.0, 0.5)])
def test_the_mean_wait_is_that_of_pollaczek_and_khinchine(cv: float, load: float) -> None:
    means = []
    for number in range(8):
        found = one_worker(100.0 * load, 100.0, cv, 2000.0, number)
        late = found.born > 200.0
        means.append(float((found.out - found.born)[late].mean()) - 0.01)
    expected = pollaczek_khinchine_seconds(100.0 * load, 100.0, cv**2)
    interval = spread(means, confidence=0.999)
    assert interval.mean_low <= expected <= interval.mean_high
    assert interval.mean == pytest.approx(expected, rel=0.08)


def test_littles_law_holds_of_every_record() -> None:
    """Records in the system over time, from arrivals and ends alone, against rate times stay."""
    found = one_worker(80.0, 100.0, 1.0, 2000.0)
    changes = np.concatenate((found.born, found.out))
    order = np.argsort(changes)
    step = np.concatenate((np.ones(len(found.born)), -np.ones(len(found.out))))[order]
    times = changes[order]
    present = float((np.cumsum(step)[:-1] * np.diff(times)).sum() / (times[-1] - times[0]))
    rate = len(found.born) / (times[-1] - times[0])
    assert present == pytest.approx(records_present(rate, float((found.out - found.born).mean())), rel=1e-3)


def test_a_restored_job_is_refused() -> None:
    network = Network(SourceLog("log", 1), (Stage("job", 1, 10.0),), Checkpoint(10.0))
    scenario = Scenario("down", ((0.0, 1.0),), (Outage(Breaks.JOB, 30.0, 5.0),), horizon_seconds=100.0)
    with pytest.raises(ValueError, match="read again"):
        walk(run_scenario(network, scenario), Weather(1, 1))


def test_selectivity_thins_and_multiplies() -> None:
    stages = (
        Stage("a", 1, math.inf),
        Stage("b", 1, 500.0, selectivity=0.25),
        Stage("c", 1, 900.0, selectivity=3.5),
    )
    network = Network(SourceLog("log", 2), stages)
    scenario = Scenario("steady", ((0.0, 200.0),), horizon_seconds=500.0, settle_seconds=500.0)
    found = walk(run_scenario(network, scenario), Weather(1, 1))
    assert len(found.out) / len(found.came) == pytest.approx(0.875, rel=0.02)
    assert (found.out >= found.born).all()


NETWORKS = {
    "one stage": Network(SourceLog("log", 4), (Stage("count", 4, 40.0),)),
    "keyed": Network(
        SourceLog("log", 4),
        (Stage("enrich", 4, 45.0), Stage("mart", 3, 60.0, Exchange.KEYED, buffer_records=100_000.0)),
    ),
    "stalls": Network(SourceLog("log", 4), (Stage("count", 4, 40.0),), Checkpoint(10.0, 1.0, 0.0, 0.5)),
}


OUTAGE = (Outage(Breaks.SOURCE, 60.0, 0.0, 12.0),)
CASES = [
    pytest.param("one stage", (), id="one stage"),
    *(
        pytest.param(name, outages, id=f"{name}, {len(outages)} outages", marks=pytest.mark.slow)
        for name in NETWORKS
        for outages in ((), OUTAGE)
    ),
]


@pytest.mark.parametrize(("name", "outages"), CASES)
def test_t2_is_within_the_intervals_of_replicated_t0(name: str, outages: tuple[Outage, ...]) -> None:
    """Six runs of each: the two 99 % intervals of every quantile overlap."""
    network = NETWORKS[name]
    scenario = Scenario(name, ((0.0, 120.0),), outages, horizon_seconds=200.0, settle_seconds=200.0)
    run = run_scenario(network, scenario)
    end = run.fluid.now
    literal, by_array = [], []
    for number in range(6):
        seen = run_per_record(network, scenario, end, seed=number)
        literal.append(np.quantile(seen.latencies, (0.5, 0.9, 0.99)))
        found = walk(run, Weather(1, number))
        by_array.append(np.quantile((found.out - found.born)[found.out <= end], (0.5, 0.9, 0.99)))
    for place in range(3):
        one = spread([float(each[place]) for each in literal], confidence=0.99)
        other = spread([float(each[place]) for each in by_array], confidence=0.99)
        assert one.mean_low <= other.mean_high, (one, other)
        assert other.mean_low <= one.mean_high, (one, other)
