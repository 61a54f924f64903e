"""T3 against T1: the same figures of the same weather, wherever the scan may be used."""

import math
import random
from dataclasses import replace

import numpy as np
import pytest

from pipelineplan.simulation.chance.scan import can_scan, scan
from pipelineplan.simulation.control import run_scenario
from pipelineplan.simulation.figures.measures import measure
from pipelineplan.simulation.network import (
    Checkpoint,
    EventTime,
    Exchange,
    Network,
    SourceLog,
    Stage,
    Visible,
)
from pipelineplan.simulation.scenario import Breaks, Outage, Scenario
from pipelineplan.simulation.weather import Weather


def random_case(seed: int) -> tuple[Network, Scenario]:
    draw = random.Random(seed)
    workers = draw.randint(1, 6)
    each = draw.randint(1, 3)
    capacity = draw.choice((30.0, 400.0))
    stages = [Stage("first", workers, capacity, service_cv=draw.choice((0.0, 1.0, 2.0)))]
    if draw.random() < 0.5:
        stages.append(Stage("next", workers, draw.choice((capacity * 0.98, math.inf))))
    log = SourceLog("log", workers * each, draw.choice((0.0, 0.2)) if each == 1 else 0.0)
    plan = draw.choice(
        (None, Checkpoint(45.0, 5.0, sync_stall_seconds=draw.choice((0.0, 2.5))), Checkpoint(60.0, 1.0))
    )
    visible = Visible.AT_CHECKPOINT if plan is not None and draw.random() < 0.5 else Visible.ON_EMIT
    network = Network(log, tuple(stages), plan, EventTime(3.0, 0.2, draw.choice((0.0, 60.0))), visible)
    rate = capacity * workers * draw.uniform(0.3, 0.95) / (1 + 4 * log.hottest_key)
    scenario = Scenario(
        "quiet",
        ((0.0, rate), (700.0, rate * 1.04), (1500.0, rate * 0.9)),
        horizon_seconds=3600.0,
        settle_seconds=3600.0,
    )
    return network, scenario


@pytest.mark.parametrize("seed", range(30))
def test_t3_is_t1_in_the_same_weather(seed: int) -> None:
    network, scenario = random_case(seed)
    plain = run_scenario(network, scenario)
    assert can_scan(plain)
    weather = Weather(seed, 3)
    by_scan = scan(plain, weather)
    by_steps = run_scenario(network, replace(scenario, weather=weather))
    found, expected = measure(by_scan), measure(by_steps)
    for name, values in expected.items():
        assert found[name] == pytest.approx(values, rel=1e-8, abs=1e-5, nan_ok=True), name
    for one, other in zip(by_scan.cuts, by_steps.cuts, strict=True):
        assert one.position == pytest.approx(other.position, rel=1e-9, abs=1e-6)


def test_the_scan_is_cumulative_and_never_negative() -> None:
    network, scenario = random_case(3)
    run = scan(run_scenario(network, scenario), Weather(1, 1))
    assert (np.diff(run.fluid.journal.read, axis=1) >= -1e-6).all()
    assert (run.fluid.queue >= 0).all()


def test_what_is_coupled_is_not_scanned() -> None:
    network, scenario = random_case(3)
    keyed = Network(SourceLog("log", 2), (Stage("a", 2, 99.0), Stage("b", 2, 99.0, Exchange.KEYED)))
    uneven = Network(SourceLog("log", 4, 0.3), (Stage("a", 2, 99.0),))
    kept = replace(network, source=replace(network.source, retention_seconds=600.0))
    broken = replace(scenario, outages=(Outage(Breaks.SOURCE, 60.0, 60.0),))
    for one, other in ((keyed, scenario), (uneven, scenario), (kept, scenario), (network, broken)):
        small = replace(other, rates=((0.0, 9.0),))
        assert not can_scan(run_scenario(one, small))
