"""The compiled loop against the fluid that it stands for: the same figures within 1e-9."""

import math
import random
from unittest.mock import patch

import numpy as np
import pytest

from pipelineplan.simulation import control
from pipelineplan.simulation.chance.replicating import in_weather
from pipelineplan.simulation.figures.curves import Curves
from pipelineplan.simulation.figures.measures import measure
from pipelineplan.simulation.figures.series import curves_at
from pipelineplan.simulation.flow.fluid import Fluid
from pipelineplan.simulation.flow.laying_out import lay_out
from pipelineplan.simulation.network import (
    Checkpoint,
    Exchange,
    Network,
    OffsetReset,
    SourceLog,
    Stage,
    Visible,
)
from pipelineplan.simulation.scenario import Breaks, Outage, Scenario
from pipelineplan.simulation.weather import Weather

pytest.importorskip("numba")

from pipelineplan.simulation.flow.compiled import CompiledFluid


def random_case(seed: int) -> tuple[Network, Scenario]:
    draw = random.Random(seed)
    workers = draw.randint(1, 6)
    partitions = draw.randint(1, 9)
    capacity = 100.0 * draw.uniform(0.8, 2.0)
    stages = [
        Stage("first", workers, capacity * draw.choice((1, 5)), service_cv=draw.choice((0.0, 1.0, 2.0)))
    ]
    for number in range(draw.randint(0, 3)):
        exchange = draw.choice(tuple(Exchange))
        width = stages[-1].workers if exchange is Exchange.FORWARD else draw.randint(1, 5)
        hot = draw.choice((0.0, 0.2))
        stages.append(
            Stage(
                f"s{number}",
                width,
                draw.choice((capacity, 9 * capacity, math.inf)),
                exchange,
                hottest_key=hot,
            )
        )
    if draw.random() < 0.2:
        stages[0] = Stage("first", workers, capacity, Exchange.KEYED, hottest_key=0.1)
    log = SourceLog(
        "log",
        partitions,
        draw.choice((0.0, 0.3)),
        retention_seconds=draw.choice((math.inf, 900.0)),
        offset_reset=draw.choice(tuple(OffsetReset)),
    )
    plan = Checkpoint(60.0, draw.choice((0.0, 8.0)), sync_stall_seconds=0.0, restart_seconds=30.0)
    if plan.duration_seconds:
        plan = Checkpoint(60.0, 8.0, 5.0, 0.25, 30.0)
    network = Network(log, tuple(stages), plan, visible=draw.choice(tuple(Visible)))
    rate = capacity * workers * draw.uniform(0.2, 0.6)
    kind = draw.choice((None, *Breaks))
    outages = () if kind is None else (Outage(kind, 700.0, 60.0, draw.choice((120.0, 1500.0)), 30.0),)
    scenario = Scenario("case", ((0.0, rate), (300.0, rate * 1.2)), outages, horizon_seconds=5400.0)
    return network, in_weather(network, scenario, Weather(seed, 1))


def both(network: Network, scenario: Scenario) -> tuple[control.Run, control.Run]:
    fast = control.run_scenario(network, scenario)
    assert isinstance(fast.fluid, CompiledFluid)
    with patch.object(control, "fluid_for", lambda network, **_: Fluid(lay_out(network))):
        return fast, control.run_scenario(network, scenario)


@pytest.mark.parametrize("seed", range(40))
def test_the_compiled_loop_gives_the_same_figures(seed: int) -> None:
    fast, slow = both(*random_case(seed))
    found, expected = measure(fast), measure(slow)
    for name, values in expected.items():
        assert found[name] == pytest.approx(values, rel=1e-9, abs=1e-6, nan_ok=True), name
    for one, other in zip(fast.phases, slow.phases, strict=True):
        assert one.drain_seconds == pytest.approx(other.drain_seconds, rel=1e-9)


@pytest.mark.parametrize("seed", range(0, 40, 5))
def test_checkpoints_that_nothing_disturbs_are_those_that_are_waited_for(seed: int) -> None:
    fast, slow = both(*random_case(seed))
    assert len(fast.cuts) == len(slow.cuts)
    for one, other in zip(fast.cuts, slow.cuts, strict=True):
        assert (one.begun, one.completed) == pytest.approx((other.begun, other.completed), abs=1e-9)
        assert one.position == pytest.approx(other.position, rel=1e-9, abs=1e-6)
    times = np.linspace(0.0, slow.fluid.now, 50)
    found, expected = curves_at(Curves(fast), times), curves_at(Curves(slow), times)
    for name, values in expected.items():
        assert found[name] == pytest.approx(values, rel=1e-9, abs=1e-5), name


@pytest.mark.parametrize("unaligned", [False, True])
def test_two_failures_and_checkpoints_longer_than_their_interval(*, unaligned: bool) -> None:
    """The stall outlasts the checkpoint, the pause the interval; the second failure falls into a drain."""
    plan = Checkpoint(20.0, 18.0, 10.0, 0.5, 30.0, unaligned=unaligned)
    network = Network(SourceLog("log", 3, 0.3), (Stage("job", 2, 100.0, service_cv=1.0),), plan)
    outages = (Outage(Breaks.JOB, 300.0, 10.0, 60.0, 30.0), Outage(Breaks.SINK, 520.0, 10.0, 60.0))
    scenario = Scenario("twice", ((0.0, 60.0), (600.0, 90.0)), outages, horizon_seconds=3600.0)
    fast, slow = both(network, in_weather(network, scenario, Weather(7, 3)))
    found, expected = measure(fast), measure(slow)
    assert expected["replayed_records"][1] > 0
    for name, values in expected.items():
        assert found[name] == pytest.approx(values, rel=1e-9, abs=1e-6, nan_ok=True), name


def test_rooms_between_stages_are_not_for_the_compiled_loop() -> None:
    network = Network(
        SourceLog("log", 2), (Stage("a", 2, 9.0), Stage("b", 2, 9.0, Exchange.KEYED, buffer_records=5.0))
    )
    assert type(control.fluid_for(network, compiled=True)) is Fluid


def test_without_numba_the_same_runs_on_numpy() -> None:
    network, scenario = random_case(1)
    with patch.object(control, "find_spec", lambda _: None):
        assert type(control.run_scenario(network, scenario).fluid) is Fluid


def test_a_queue_that_never_settles_is_an_error() -> None:
    network, _ = random_case(1)
    fluid = control.fluid_for(network, compiled=True)
    fluid.set_rate(10.0)
    most = "pipelineplan.simulation.flow.compiled._MOST_CHANGES_PER_CHANNEL"
    with patch(most, -1), pytest.raises(RuntimeError):
        fluid.advance(1e6)
