"""What holds of every run: nothing lost or invented, queues in bounds, time cut anywhere."""

import math

import numpy as np
import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from pipelineplan.simulation.control import Run, run_scenario
from pipelineplan.simulation.figures.curves import Curves
from pipelineplan.simulation.figures.measures import measure
from pipelineplan.simulation.flow import fluid as fluid_module
from pipelineplan.simulation.flow.courses import Courses
from pipelineplan.simulation.flow.fluid import Fluid
from pipelineplan.simulation.flow.laying_out import lay_out
from pipelineplan.simulation.network import Checkpoint, Exchange, Network, SourceLog, Stage, Visible
from pipelineplan.simulation.scenario import Breaks, Outage, Scenario
from pipelineplan.simulation.sharing import Floats

SAMPLES = 100_000
LAW = settings(max_examples=40, deadline=None)
rates = st.floats(0.0, 2000.0).map(lambda value: round(value, 3))
capacities = st.floats(1.0, 900.0).map(lambda value: round(value, 3))


def shares(count: int) -> st.SearchStrategy[tuple[float, ...]]:
    whole = st.lists(st.integers(0, 20), min_size=count, max_size=count).filter(lambda parts: sum(parts) > 0)
    return whole.map(lambda parts: _normalised([part / sum(parts) for part in parts]))


def _normalised(parts: list[float]) -> tuple[float, ...]:
    parts[-1] = max(0.0, 1.0 - math.fsum(parts[:-1]))
    return tuple(parts)


@st.composite
def stages(draw: st.DrawFn, before: int, *, first: bool) -> Stage:
    kind = draw(st.sampled_from([Exchange.FORWARD, Exchange.KEYED, Exchange.KEYED, Exchange.REBALANCE]))
    workers = before if kind is Exchange.FORWARD and not first else draw(st.integers(1, 5))
    return Stage(
        name=f"stage{draw(st.integers(0, 9))}",
        workers=workers,
        capacity_per_second=draw(st.one_of(capacities, st.just(math.inf))),
        exchange=kind,
        explicit_weights=draw(shares(workers)) if kind is Exchange.KEYED else (),
        selectivity=draw(st.sampled_from([1.0, 1.0, 0.25, 3.0])),
        buffer_records=draw(st.sampled_from([0.0, 0.0, 1.0, 50.0, 5000.0])),
    )


@st.composite
def networks(draw: st.DrawFn, most_stages: int = 4) -> Network:
    partitions = draw(st.integers(1, 6))
    source = SourceLog("log", partitions, explicit_shares=draw(shares(partitions)))
    chain = []
    for number in range(draw(st.integers(1, most_stages))):
        chain.append(draw(stages(chain[-1].workers if chain else partitions, first=number == 0)))
    assume(any(math.isfinite(stage.capacity_per_second) for stage in chain))
    interval = draw(st.sampled_from([None, 7.0, 60.0]))
    checkpoint = Checkpoint(interval, 2.0, 1.0, draw(st.sampled_from([0.0, 0.5]))) if interval else None
    visible = draw(st.sampled_from(list(Visible))) if checkpoint else Visible.ON_EMIT
    return Network(source, tuple(chain), checkpoint, visible=visible)


@st.composite
def runs(draw: st.DrawFn) -> Run:
    network = draw(networks())
    kinds = list(Breaks) if network.checkpoint else [Breaks.SINK, Breaks.SOURCE]
    outages = tuple(
        Outage(draw(st.sampled_from(kinds)), start, 3.0, draw(st.sampled_from([0.0, 11.0, 90.0])), 5.0)
        for start in draw(st.lists(st.sampled_from([5.0, 33.3, 60.0, 61.0, 140.0]), max_size=3, unique=True))
    )
    steps = ((0.0, draw(rates)), (40.0, draw(rates)), (200.0, draw(rates)))
    scenario = Scenario("any", steps, outages, horizon_seconds=400.0, settle_seconds=10.0)
    return run_scenario(network, scenario)


def violations(fluid: Fluid) -> None:
    """How far a fluid's state is from conserving records and keeping its bounds."""
    missing = fluid.arrived - fluid.departed - fluid.queue
    scale = np.maximum(fluid.arrived, 1.0)
    assert np.abs(missing / scale).max() <= 1e-9
    assert (fluid.queue >= 0).all()
    assert (fluid.queue <= fluid.bound).all()


def passes_on_what_it_takes(fluid: Fluid) -> None:
    """Across every edge behind the log: what the stage before let go is what came in."""
    layout = fluid.layout
    stored = layout.stored_edges
    for before, edge in zip((0, *stored), stored, strict=False):
        gone = fluid.departed[layout.edges[before].channels].sum()
        come = fluid.arrived[layout.edges[edge].channels].sum()
        assert come == pytest.approx(gone, rel=1e-9, abs=1e-6)


@LAW
@given(runs())
def test_records_are_conserved_and_queues_are_bounded(run: Run) -> None:
    violations(run.fluid)
    passes_on_what_it_takes(run.fluid)
    appended = np.interp(run.fluid.now, *run.appended)
    assert run.fluid.arrived[run.fluid.log].sum() == pytest.approx(appended, rel=1e-9, abs=1e-6)


def rows_of(run: Run) -> Floats:
    return np.column_stack([run.fluid.journal.column(each) for each in range(run.fluid.journal.columns)])


@LAW
@given(runs())
def test_nothing_is_read_before_it_arrives(run: Run) -> None:
    curves = Curves(run)
    appended = curves.appended_at(curves.time)
    for partition, share in enumerate(curves.shares):
        assert (curves.read(partition) <= appended * share * (1 + 1e-9) + 1e-6).all()


@LAW
@given(runs())
def test_a_replay_is_what_was_read_since_a_completed_cut(run: Run) -> None:
    rows = rows_of(run)[:, : run.network.source.partitions]
    for phase in run.phases:
        if phase.of in {"source", "sink"}:
            assert phase.replayed_records == 0
        if phase.of == "job" and phase.start_seconds < run.fluid.now:
            cut = [cut for cut in run.cuts if cut.completed <= phase.start_seconds][-1]
            # The first row at that time was written before the positions went back.
            before = rows[np.searchsorted(run.fluid.journal.time, phase.start_seconds, side="left")]
            read = float((before - cut.position).sum())
            assert phase.replayed_records == pytest.approx(read, rel=1e-9, abs=1e-6)


class Forgetful(Courses):
    """Knows no course, so that everything is computed."""

    def find(self, state: bytes) -> None:
        return None


def stalled(network: Network, rate: float, seconds: float) -> Fluid:
    """Ten minutes in which everything stands still for some seconds of each."""
    fluid = Fluid(lay_out(network))
    everything = tuple(range(len(fluid.layout.network.stages)))
    fluid.set_rate(rate)
    for minute in range(1, 11):
        fluid.advance(60.0 * minute)
        fluid.stop(everything)
        fluid.advance(60.0 * minute + seconds)
        fluid.go_on(everything)
    fluid.advance(660.0)
    fluid.note()
    return fluid


@LAW
@given(networks(), rates, st.sampled_from([0.25, 1.0, 7.3]))
def test_taking_a_known_course_again_is_as_good_as_computing_it(
    network: Network, rate: float, seconds: float
) -> None:
    fluid = stalled(network, rate, seconds)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(fluid_module, "Courses", Forgetful)
        computed = stalled(network, rate, seconds)
    scale = max(1.0, float(fluid.arrived.max()))
    assert computed.changes == fluid.changes
    assert np.abs(computed.journal.time - fluid.journal.time).max() <= 1e-9 * fluid.now
    for column in range(fluid.journal.columns):
        assert np.abs(computed.journal.column(column) - fluid.journal.column(column)).max() <= 1e-9 * scale
    assert np.abs(computed.departed - fluid.departed).max() <= 1e-9 * scale
    assert np.abs(computed.queue - fluid.queue).max() <= 1e-9 * scale
    violations(fluid)


@LAW
@given(networks(), rates, st.lists(st.floats(0.1, 299.0), max_size=12))
def test_cutting_a_segment_into_pieces_changes_nothing(
    network: Network, rate: float, cuts: list[float]
) -> None:
    whole, pieces = Fluid(lay_out(network)), Fluid(lay_out(network))
    for fluid in (whole, pieces):
        fluid.set_rate(rate)
    whole.advance(300.0)
    for cut in [*sorted(cuts), 300.0]:
        pieces.advance(cut)
    scale = max(1.0, rate * 300.0)
    assert np.abs(whole.queue - pieces.queue).max() <= 1e-9 * scale
    assert np.abs(whole.departed - pieces.departed).max() <= 1e-9 * scale
    assert whole.changes == pieces.changes


@LAW
@given(networks(), rates, st.floats(1.0, 3.0))
def test_more_capacity_never_leaves_more_waiting(network: Network, rate: float, factor: float) -> None:
    faster = Network(
        network.source,
        tuple(
            Stage(**{**stage.__dict__, "capacity_per_second": stage.capacity_per_second * factor})
            for stage in network.stages
        ),
        network.checkpoint,
        visible=network.visible,
    )
    lags = []
    for each in (network, faster):
        fluid = Fluid(lay_out(each))
        fluid.set_rate(rate)
        fluid.advance(120.0)
        fluid.set_rate(rate / 3)
        fluid.advance(300.0)
        lags.append(fluid.arrived[fluid.log].sum() - fluid.emitted())
    assert lags[1] <= lags[0] + 1e-6 * max(1.0, rate * 300)


@LAW
@given(runs())
def test_the_same_run_gives_the_same_numbers(run: Run) -> None:
    again = run_scenario(run.network, run.scenario)
    assert rows_of(again).tobytes() == rows_of(run).tobytes()
    assert repr(measure(again)) == repr(measure(run))


@LAW
@given(runs())
def test_littles_law(run: Run) -> None:
    """Records that wait, summed over time, are waits summed over records (no position goes back)."""
    assume(all(phase.replayed_records == 0 for phase in run.phases))
    curves = Curves(run)
    waiting = curves.appended_at(curves.time) - run.fluid.journal.total(curves.partitions)
    # Between rows both curves are straight, but for steps of the arrival rate, which are rows too.
    held = np.trapezoid(waiting, curves.time)
    # What the sampling of the records below may miss must be small beside what is to be found.
    assume(held > 1000 * run.fluid.arrived[run.fluid.log].sum() / SAMPLES * run.fluid.now)
    counts = (np.arange(SAMPLES) + 0.5) / SAMPLES
    waits = 0.0
    for partition, share in enumerate(curves.shares):
        total = float(share * curves.appended_at(np.array([run.fluid.now]))[0])
        if total > 0:
            came = np.interp(counts * total / share, curves.appended, curves.appended_time)
            gone = np.minimum(curves.read_at(partition, came), run.fluid.now)
            waits += float((gone - came).mean()) * total
    assert waits == pytest.approx(held, rel=1e-3)
