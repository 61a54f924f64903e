"""Ways of records that join, merge and part: against arithmetic, the chain, and record by record."""

import math
from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pipelineplan.simulation.control import run_scenario
from pipelineplan.simulation.figures.curves import Curves
from pipelineplan.simulation.figures.measures import measure
from pipelineplan.simulation.flow.filling import fill
from pipelineplan.simulation.flow.joint import JointLayout, as_joint
from pipelineplan.simulation.flow.journal import value_at
from pipelineplan.simulation.network import (
    Checkpoint,
    Exchange,
    Inlet,
    Network,
    NotSimulated,
    SourceLog,
    Stage,
)
from pipelineplan.simulation.records.per_record import run_per_record
from pipelineplan.simulation.scenario import Breaks, Outage, Scenario

CHECKPOINT = Checkpoint(10.0, 1.0, 0.0, 0.05, 4.0)
KEYED = Exchange.KEYED
JOB = Outage(Breaks.JOB, 35.0, 5.0, 20.0, 4.0)


def two_into_one() -> Network:
    """Orders at 400/s and clicks at 100/s are joined; what comes out goes to two sinks."""
    return Network(
        SourceLog("orders", 6, part=0.8),
        (
            Stage("parse", 3, 220.0, inlets=(Inlet("orders"),)),
            Stage("join", 4, 160.0, inlets=(Inlet("parse", KEYED), Inlet("clicks", KEYED))),
            Stage("archive", 2, 500.0, inlets=(Inlet("join", Exchange.REBALANCE),)),
            Stage("mart", 2, 180.0, inlets=(Inlet("join", KEYED, 0.5),)),
        ),
        CHECKPOINT,
        beside=(SourceLog("clicks", 2, part=0.2),),
    )


def diamond() -> Network:
    """One log feeds two stages of one job, which meet again: every record comes there twice."""
    return Network(
        SourceLog("log", 4),
        (
            Stage("parse", 4, 300.0, inlets=(Inlet("log"),)),
            Stage("left", 2, 300.0, inlets=(Inlet("parse", KEYED),)),
            Stage("right", 3, 300.0, inlets=(Inlet("parse", KEYED, 0.5),)),
            Stage("union", 3, 250.0, inlets=(Inlet("left", KEYED), Inlet("right", Exchange.REBALANCE))),
        ),
        CHECKPOINT,
    )


@pytest.mark.parametrize(
    "outage", [JOB, Outage(Breaks.SINK, 35.0, 5.0, 45.0), Outage(Breaks.SOURCE, 35.0, 5.0, 45.0)]
)
@pytest.mark.parametrize(("build", "room"), [(two_into_one, 100.0), (diamond, 150.0)])
def test_record_by_record_comes_out_alike(build: object, room: float, outage: Outage) -> None:
    """Small rooms lose throughput with random keys, large ones hold what the fluid leaves in the log."""
    assert callable(build)
    network = build()
    network = replace(network, stages=tuple(replace(stage, buffer_records=room) for stage in network.stages))
    scenario = Scenario("broken", ((0.0, 400.0),), (outage,), horizon_seconds=400.0, settle_seconds=10.0)
    run = run_scenario(network, scenario)
    seen = run_per_record(network, scenario, run.fluid.now, service="deterministic")
    lag = Curves(run).lag
    fluid = value_at(lag.time, lag.records, seen.time)
    assert math.sqrt(float(np.mean((fluid - seen.lag) ** 2))) <= 0.02 * fluid.max()
    assert seen.drains == pytest.approx([run.phases[0].drain_seconds], rel=0.03, abs=1.0)
    if outage.of is Breaks.JOB:
        assert seen.replayed == pytest.approx([run.phases[0].replayed_records], rel=0.05)


def test_a_join_drains_at_what_it_has_left() -> None:
    """640/s for 500/s of input: 140/s are left for the 29 s of the outage and 15 s of replay."""
    scenario = Scenario("broken", ((0.0, 400.0),), (replace(JOB, start_seconds=35.0),), settle_seconds=10.0)
    network = replace(two_into_one(), checkpoint=replace(CHECKPOINT, sync_stall_seconds=0.0))
    run = run_scenario(network, scenario)
    # Key groups: 128 over 4 workers are even, so 4 * 160/s in all.
    assert run.phases[0].replayed_records == pytest.approx(400.0 * 5)
    assert run.phases[0].drain_seconds == pytest.approx(400.0 * (29 + 5) / (640 - 400), rel=1e-9)


def test_utilisation_is_that_of_the_stage_where_ways_meet() -> None:
    load, worker = diamond().utilisation(400.0)
    # 400/s and 200/s over three workers, of which one has 43 of 128 key groups of the first.
    assert worker == "union[0]"
    # They work for all but the 50 ms in 10 s for which a checkpoint holds them up.
    assert load == pytest.approx((400 * 43 / 128 + 200 / 3) / 250 / 0.995)


def test_a_chain_with_named_inlets_is_the_same_chain() -> None:
    chain = Network(
        SourceLog("log", 6, hottest_key=0.02),
        (Stage("a", 4, 200.0), Stage("b", 3, 230.0, KEYED, selectivity=0.5), Stage("c", 3, 350.0, KEYED)),
        CHECKPOINT,
    )
    scenario = Scenario("broken", ((0.0, 500.0), (400.0, 200.0)), (JOB,), settle_seconds=20.0)
    one, other = (measure(run_scenario(each, scenario)) for each in (chain, as_joint(chain)))
    for name, (_, value, _) in one.items():
        assert other[name][1] == pytest.approx(value, rel=1e-9, abs=1e-6, nan_ok=True)


def test_a_backlog_beside_live_is_read_at_its_limit_and_its_fair_share() -> None:
    """100,000 records at 50/s take 2,000 s; without a limit they get what the live log leaves."""
    live = Network(SourceLog("live", 2), (Stage("job", 2, 100.0),), None)
    for limit, seconds, waits in ((50.0, 2000.0, 0.0), (math.inf, 1000.0, 1.0)):
        backfill = SourceLog("old", 2, part=0.0, backlog_records=100_000.0, read_limit_per_second=limit)
        stage = Stage("job", 2, 100.0, inlets=(Inlet("live"), Inlet("old")))
        network = replace(live, stages=(stage,), beside=(backfill,))
        run = run_scenario(
            network, Scenario("beside", ((0.0, 120.0),), horizon_seconds=5000.0, settle_seconds=5000.0)
        )
        old = run.fluid.journal.column(2) + run.fluid.journal.column(3)
        done = float(run.fluid.journal.time[np.flatnonzero(old >= 100_000.0 * (1 - 1e-9))[0]])
        assert done == pytest.approx(seconds, rel=1e-9)
        # Fair shares are 50/s of each of four partitions, and live needs 60/s of both of its own.
        assert measure(run)["peak_lag_records"][1] == pytest.approx(waits * 1000 * 20, abs=1e-6)


def test_what_limits_nothing_is_refused() -> None:
    stages = (Stage("a", 1, 10.0, inlets=(Inlet("log"),)), Stage("b", 1, math.inf, inlets=(Inlet("other"),)))
    network = Network(SourceLog("log", 1, part=0.5), stages, beside=(SourceLog("other", 1, part=0.5),))
    with pytest.raises(NotSimulated, match="other"):
        run_scenario(network, Scenario("x", ((0.0, 1.0),)))


@pytest.mark.parametrize(
    ("stages", "beside"),
    [
        ((Stage("a", 1, 1.0, inlets=(Inlet("nobody"),)),), ()),
        ((Stage("a", 1, 1.0, inlets=(Inlet("log"),)), Stage("b", 1, 1.0)), ()),
        ((Stage("a", 1, 1.0, inlets=(Inlet("log"),)),), (SourceLog("other", 1, part=0.0),)),
        ((Stage("a", 1, 1.0, inlets=(Inlet("log"), Inlet("other"))),), (SourceLog("other", 1),)),
    ],
)
def test_impossible_ways_are_refused(stages: tuple[Stage, ...], beside: tuple[SourceLog, ...]) -> None:
    with pytest.raises(ValueError, match=r"before it|inlet|one reader|sum to 1"):
        Network(SourceLog("log", 1), stages, beside=beside)


@st.composite
def problems(draw: st.DrawFn) -> tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray]:
    columns, rows = draw(st.integers(1, 6)), draw(st.integers(1, 5))
    numbers = st.floats(0.0, 100.0).map(lambda value: round(value, 2))
    costs = np.array(
        draw(st.lists(st.lists(numbers, min_size=columns, max_size=columns), min_size=rows, max_size=rows))
    )
    costs = np.vstack((costs, np.full(columns, 0.5)))
    able = np.array([*draw(st.lists(numbers, min_size=rows, max_size=rows)), draw(numbers)])
    wanted = np.array(draw(st.lists(st.one_of(numbers, st.just(np.inf)), min_size=columns, max_size=columns)))
    readers = np.array(draw(st.lists(st.integers(0, 2), min_size=columns, max_size=columns)))
    return costs, able, wanted, readers


@settings(max_examples=300, deadline=None)
@given(problems())
def test_nobody_can_get_more_without_taking_from_who_has_no_more(
    problem: tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray],
) -> None:
    """Feasible, and every column is held by its demand or by a full resource: what max-min means."""
    costs, able, wanted, readers = problem
    rates = fill(costs, able, wanted, readers)
    assert (rates >= 0).all()
    assert (rates <= wanted).all()
    used = costs @ rates
    assert (used <= able * (1 + 1e-9) + 1e-9).all()
    full = used >= able * (1 - 1e-9) - 1e-9
    held = (costs[full] > 0).any(axis=0)
    assert (held | (rates >= wanted)).all()


@st.composite
def joint_runs(draw: st.DrawFn) -> tuple[Network, Scenario]:
    """Up to three logs, and stages that read from one or two of what stands before them."""
    logs = draw(st.integers(1, 3))
    sources = tuple(SourceLog(f"log{n}", draw(st.integers(1, 3)), part=1.0 / logs) for n in range(logs))
    spreads = st.sampled_from([Exchange.FORWARD, KEYED, Exchange.REBALANCE])
    amounts = st.sampled_from([0.25, 1.0, 1.0, 3.0])
    stages = [
        Stage(
            f"read{n}",
            2,
            draw(st.sampled_from([20.0, 90.0, math.inf])),
            inlets=(Inlet(f"log{n}", draw(spreads)),),
        )
        for n in range(logs)
    ]
    for number in range(draw(st.integers(1, 4))):
        names = draw(
            st.lists(st.sampled_from([each.name for each in stages]), min_size=1, max_size=2, unique=True)
        )
        inlets = tuple(Inlet(name, draw(spreads), draw(amounts)) for name in names)
        able = draw(st.sampled_from([10.0, 35.0, 200.0]))
        stages.append(Stage(f"stage{number}", draw(st.integers(1, 3)), able, inlets=inlets))
    left = tuple(each.name for each in stages if each.name not in {i.of for s in stages for i in s.inlets})
    stages.append(Stage("sink", 1, 500.0, inlets=tuple(Inlet(name) for name in left)))
    network = Network(sources[0], tuple(stages), Checkpoint(30.0, 2.0), beside=sources[1:])
    of = draw(st.sampled_from(list(Breaks)))
    outages = (Outage(of, draw(st.sampled_from([33.0, 60.0, 95.5])), 3.0, 20.0),)
    rates = ((0.0, draw(st.floats(0.0, 300.0))), (120.0, draw(st.floats(0.0, 50.0))))
    return network, Scenario("any", rates, outages, horizon_seconds=300.0, settle_seconds=10.0)


@settings(max_examples=60, deadline=None)
@given(joint_runs())
def test_records_are_conserved_and_no_worker_does_more_than_it_can(case: tuple[Network, Scenario]) -> None:
    network, scenario = case
    run = run_scenario(network, scenario)
    fluid = run.fluid
    assert isinstance(fluid.layout, JointLayout)
    missing = np.abs(fluid.arrived - fluid.departed - fluid.queue)
    assert (missing <= 1e-9 * np.maximum(fluid.arrived, 1.0)).all()
    assert (fluid.queue >= 0).all()
    for cost, stage in zip(fluid.layout.costs, fluid.layout.network.stages, strict=True):
        done = cost @ fluid.departed
        assert (done <= stage.capacity_per_second * fluid.now * (1 + 1e-9) + 1e-6).all()
