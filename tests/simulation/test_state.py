"""State that grows and is forgotten: against closed forms, single records, and its own laws."""

import csv
import math
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pipelineplan.plan import Plan, capacity, read_plan
from pipelineplan.plan.state_size import state_bytes
from pipelineplan.simulation import (
    ScenarioResult,
    SimulationResult,
    pipelines_of,
    recipes_named,
    simulate,
    write_csv,
)
from pipelineplan.simulation.acts.rebalancing import PollEvictions
from pipelineplan.simulation.acts.retrying import RetryStorm
from pipelineplan.simulation.arranging import End
from pipelineplan.simulation.control import Run, run_scenario
from pipelineplan.simulation.figures.state_figures import state_figures, states_of
from pipelineplan.simulation.memory import Clock, Memory
from pipelineplan.simulation.network import (
    Checkpoint,
    Exchange,
    Inlet,
    Network,
    NotSimulated,
    SourceLog,
    Stage,
)
from pipelineplan.simulation.records.side_by_side import side_by_side
from pipelineplan.simulation.remembering import Remembered
from pipelineplan.simulation.scenario import Breaks, Outage, Scenario

CHECKPOINT = Checkpoint(10.0, 1.0, 0.0, 0.05, 4.0)
FAILS = Outage(Breaks.JOB, 55.0, 5.0, 20.0, 4.0)
EVENT = Clock.EVENT
TEN = Memory(entry_bytes=10.0)
BY_EVENT = replace(TEN, clock=EVENT, watermark_lag_seconds=2.0, history_per_second=600.0)
KINDS = {
    "time to live": replace(TEN, life_seconds=20.0, history_per_second=600.0),
    "longer than the outage": replace(TEN, life_seconds=50.0),
    "by event time": replace(BY_EVENT, life_seconds=20.0),
    "some records": replace(TEN, entries_per_record=0.25, life_seconds=30.0),
    "for ever": replace(TEN, bandwidth=1e5, restore_bandwidth=2e4),
}
WINDOWS = {
    "windows": replace(BY_EVENT, life_seconds=3.0, window_seconds=10.0),
    "sliding windows": replace(BY_EVENT, life_seconds=3.0, window_seconds=12.0, slide_seconds=4.0),
}


def chain(first: Memory | None, second: Memory | None = None, checkpoint: Checkpoint = CHECKPOINT) -> Network:
    """Two stages with a keyed exchange and a queue between them, 600 records a second at half load."""
    stages = (
        Stage("enrich", 6, 200.0, memory=first),
        Stage("mart", 4, 230.0, Exchange.KEYED, hottest_key=0.02, buffer_records=200.0, memory=second),
    )
    return Network(SourceLog("log", 6, hottest_key=0.02), stages, checkpoint)


def scenario(*outages: Outage, rate: float = 600.0, seconds: float = 260.0) -> Scenario:
    return Scenario("case", ((0.0, rate),), outages, horizon_seconds=seconds, settle_seconds=20.0)


@pytest.mark.parametrize("kind", KINDS)
def test_single_records_remember_the_same(kind: str) -> None:
    found = side_by_side(chain(KINDS[kind], KINDS[kind]), scenario(FAILS))
    assert set(found.state_errors) == {"enrich", "mart"}
    for stage, error in found.state_errors.items():
        assert error <= 0.02, f"{stage}: {error:.2%} of the peak"
    for fluid, records in found.drains:
        assert records == pytest.approx(fluid, rel=0.03)


@pytest.mark.parametrize("kind", WINDOWS)
def test_single_records_remember_the_same_windows(kind: str) -> None:
    """A window goes at once, so a tenth of a second's difference is half the state: means and peaks agree."""
    found = side_by_side(chain(WINDOWS[kind], WINDOWS[kind]), scenario(FAILS))
    seen = found.records[0]
    for stage, state in states_of(found.run).items():
        fluid, records = state.bytes_at(seen.time)[:-1], seen.state_bytes[stage][:-1]
        assert records.mean() == pytest.approx(fluid.mean(), rel=0.01)
        assert records.max() == pytest.approx(fluid.max(), rel=0.03)
        assert records.min() == pytest.approx(fluid.min(), rel=0.03)


@pytest.mark.slow
@pytest.mark.parametrize("kind", KINDS)
def test_random_records_remember_the_same(kind: str) -> None:
    network = chain(KINDS[kind], KINDS[kind])
    found = side_by_side(network, scenario(FAILS), service="exponential", seeds=(1, 2, 3))
    assert max(found.state_errors.values()) <= 0.03


def test_a_restore_and_checkpoints_take_as_long_as_the_state_is_large() -> None:
    """The outage of single records lasts as long as the fluid's, and their checkpoints complete together."""
    memory = KINDS["for ever"]
    network = chain(memory)
    found = side_by_side(network, scenario(FAILS))
    (phase,) = found.run.phases
    cut = [each for each in found.run.cuts if each.completed <= 55.0][-1]
    assert phase.restarted_seconds == pytest.approx(55 + 5 + 20 + 4 + 6000 * cut.begun / 2e4)
    assert cut.completed - cut.begun == pytest.approx(6000 * cut.begun / 1e5)
    assert found.replays[0][0] == pytest.approx(found.replays[0][1], rel=0.02)


def figures(network: Network, *outages: Outage) -> dict[str, float]:
    run = run_scenario(network, replace(scenario(*outages, seconds=600.0), settle_seconds=600.0))
    return dict(state_figures(run, states_of(run)))


def test_a_plan_without_state_says_nothing_of_it() -> None:
    assert figures(chain(None)) == {}
    assert figures(chain(Memory(always_bytes=5e6, entries_per_record=0.0)))["peak_state_bytes"] == 5e6


def test_an_incremental_checkpoint_writes_what_changed_and_more_after_a_failed_one() -> None:
    memory = Memory(always_bytes=1e6, entry_bytes=1e-9, bandwidth=1e5, changed_share=0.1)
    network = chain(memory, None, Checkpoint(60.0, 1.0, timeout_seconds=50.0, tolerable_failures=9))
    found = figures(network, Outage(Breaks.SINK, 115.0, 0.0, 57.0))
    assert found["longest_checkpoint_seconds"] == pytest.approx(2.0, rel=1e-3)
    # One each minute; that of 180 s writes the changes of two.
    assert found["checkpoint_bytes"] == pytest.approx(9 * 0.1 * 1e6, rel=1e-3)


def test_what_expires_while_the_job_is_away_is_gone_when_it_comes_back() -> None:
    """A time to live by the machine's clock runs on: CAP402 asks that it outlives the outage."""
    short = Memory(entry_bytes=10.0, life_seconds=20.0)
    run = run_scenario(chain(short), scenario(replace(FAILS, repair_seconds=60.0)))
    (state,) = states_of(run).values()
    before, back = state.bytes_at(np.array([54.9, run.phases[0].restarted_seconds - 0.1]))
    assert before == pytest.approx(20 * 600 * 10)
    assert back == 0.0
    by_event = replace(short, clock=EVENT)
    run = run_scenario(chain(by_event), scenario(replace(FAILS, repair_seconds=60.0)))
    (state,) = states_of(run).values()
    # The checkpoint restored is that of 50 s: nothing of its last 20 s of event time is forgotten.
    assert state.bytes_at(np.array([run.phases[0].restarted_seconds - 0.1]))[0] == pytest.approx(
        20 * 600 * 10
    )


def test_state_by_event_time_does_not_see_a_restart_coming() -> None:
    """Read up to now, 30 s of 600/s are kept, right up to the moment at which positions go back again."""
    memory = Memory(entry_bytes=10.0, life_seconds=30.0, clock=EVENT)
    again = replace(FAILS, start_seconds=225.0)
    network = chain(None, memory)
    run = run_scenario(network, scenario(FAILS, again, seconds=400.0))
    (state,) = states_of(run).values()
    caught_up = run.phases[0].restarted_seconds + run.phases[0].drain_seconds + 2.0
    assert caught_up < 200.0
    assert state.bytes_at(np.linspace(caught_up, 224.99, 50)) == pytest.approx(30 * 600 * 10)


def test_old_records_that_are_read_fast_are_remembered_until_the_watermark_has_passed_them() -> None:
    """40 s of 300/s, read at 600/s: at `t` the newest is of `2 t - 40`, and from `t - 30` on all are kept."""
    memory = Memory(entry_bytes=10.0, life_seconds=30.0, clock=EVENT)
    stage = Stage("job", 2, 600.0, inlets=(Inlet("live"), Inlet("old")), memory=memory)
    old = SourceLog("old", 2, 0.0, part=0.0, backlog_records=12_000.0, backlog_seconds=40.0)
    old = replace(old, read_limit_per_second=600.0)
    network = Network(SourceLog("live", 2), (stage,), beside=(old,))
    case = replace(scenario(rate=300.0, seconds=60.0), settle_seconds=60.0)
    found = side_by_side(network, case)
    (state,) = states_of(found.run).values()
    when = np.array([5.0, 10.0, 15.0, 20.0, 25.0, 29.0, 40.0])
    old_kept = np.array([0.0, 0.0, 1500.0, 3000.0, 1500.0, 300.0, 0.0])
    assert state.bytes_at(when) / 10 == pytest.approx(300 * np.minimum(when, 30.0) + old_kept)
    assert max(found.state_errors.values()) <= 0.005


def test_who_is_thrown_out_of_its_group_remembers_what_it_reads_again_once() -> None:
    """Polls that fail and are read again leave the state as it was, and no record is there twice."""
    for clock in Clock:
        memory = Memory(entry_bytes=10.0, life_seconds=40.0, clock=clock)
        network = Network(SourceLog("log", 2), (Stage("job", 2, 200.0, memory=memory),))
        polls = PollEvictions("job", 10.0, 14.0, 0.02, 500.0, 4.0, 1.0)
        case = replace(scenario(rate=100.0, seconds=80.0), acts=(polls,), settle_seconds=80.0)
        found = side_by_side(network, case)
        (state,) = states_of(found.run).values()
        sizes = state.bytes_at(np.array([9.9, 12.0, 13.9, 14.1, 16.0])) / 10
        # 100/s are read of 100/s while each takes 20 ms; then back to where the poll began.
        assert sizes == pytest.approx([990.0, 1200.0, 1390.0, 1400.0, 1400.0], abs=1.0)
        assert max(found.state_errors.values()) <= 0.01


@pytest.mark.parametrize("life", [20.0, math.inf])
def test_dead_letters_are_not_remembered_behind_the_stage_that_drops_them(life: float) -> None:
    """Half of all attempts fail, of two: a quarter of what is read in 20 s of 100/s never comes further."""
    memory = Memory(entry_bytes=10.0, life_seconds=life, clock=EVENT)
    stages = (
        Stage("enrich", 2, 400.0, memory=memory),
        Stage("mart", 2, 400.0, Exchange.KEYED, buffer_records=50.0, memory=memory),
    )
    storm = RetryStorm("enrich", 30.0, 20.0, 0.5, 2)
    case = replace(scenario(rate=100.0, seconds=90.0), acts=(storm,), settle_seconds=90.0)
    found = side_by_side(Network(SourceLog("log", 2), stages), case, seeds=(1, 2))
    states = states_of(found.run)
    when = np.array([29.0, 40.0, 49.9, 60.0, 69.0, 80.0])
    dropped = 0.25 * 100 * np.clip(when - 30.0, 0.0, 20.0)
    forgotten = 0.25 * 100 * np.clip(when - life - 30.0, 0.0, 20.0)
    kept = 100 * np.minimum(when, life)
    assert states["enrich"].bytes_at(when) / 10 == pytest.approx(kept)
    assert states["mart"].bytes_at(when) / 10 == pytest.approx(kept - dropped + forgotten)
    # Of 2,000 records 500 fail, give or take 19, and the mean of two such runs 14.
    assert found.state_errors["mart"] <= 3 * 14 / kept.max()


memories = st.builds(
    Memory,
    always_bytes=st.sampled_from([0.0, 1000.0]),
    entry_bytes=st.sampled_from([1.0, 10.0]),
    entries_per_record=st.sampled_from([0.01, 1.0]),
    life_seconds=st.sampled_from([0.0, 7.0, 33.3, 400.0, math.inf]),
    clock=st.sampled_from(list(Clock)),
    watermark_lag_seconds=st.sampled_from([0.0, 5.0]),
    history_per_second=st.sampled_from([0.0, 100.0]),
    restore_bandwidth=st.sampled_from([math.inf, 1e5]),
    bandwidth=st.sampled_from([math.inf, 1e6]),
)
windows = st.sampled_from([(0.0, 0.0), (10.0, 0.0), (30.0, 10.0), (7.5, 2.5)])


@settings(max_examples=60, deadline=None)
@given(memories, windows, st.sampled_from([None, *Breaks]), st.sampled_from([50.0, 400.0]), st.integers(0, 1))
def test_laws_of_state(
    memory: Memory, window: tuple[float, float], of: Breaks | None, rate: float, where: int
) -> None:
    """Never negative, never above its peak, twice the bytes twice as much, longer lives never less."""
    if window[0] > 0:
        life = min(memory.life_seconds, 33.3)
        memory = replace(
            memory, window_seconds=window[0], slide_seconds=window[1], clock=EVENT, life_seconds=life
        )
    outages = () if of is None else (replace(FAILS, of=of),)
    network = chain(memory) if where == 0 else chain(None, memory)
    run = run_scenario(network, scenario(*outages, rate=rate))
    (state,) = states_of(run).values()
    sizes = state.bytes_at(np.linspace(0.0, run.fluid.now, 997))
    assert (sizes >= memory.always_bytes).all()
    assert sizes.max() <= state.peak_bytes() * (1 + 1e-9) + 2e-6 * rate * memory.bytes_per_record
    doubled = replace(state, memory=replace(memory, entry_bytes=2 * memory.entry_bytes))
    twice = doubled.peak_bytes() - memory.always_bytes
    assert twice == pytest.approx(2 * (state.peak_bytes() - memory.always_bytes), rel=1e-9)
    longer = replace(state, memory=replace(memory, life_seconds=memory.life_seconds + 5.0))
    if window[0] == 0:
        assert longer.peak_bytes() >= state.peak_bytes() * (1 - 1e-9)


def brute(run: Run, state: Remembered, when: float) -> float:
    """The bytes at a moment by looking at every hundredth of a second of the curve of what came."""
    times = np.arange(0.0, when, 0.01)
    came = np.interp(times, state.time, state.came)
    alive = came[-1] - came[times >= when - state.memory.life_seconds].min()
    return float(alive * state.memory.bytes_per_record)


def test_a_time_to_live_is_what_a_thousand_looks_say() -> None:
    run = run_scenario(chain(Memory(entry_bytes=10.0, life_seconds=45.0)), scenario(FAILS))
    (state,) = states_of(run).values()
    for when in (30.0, 54.0, 83.0, 90.0, 120.0, 200.0):
        assert state.bytes_at(np.array([when]))[0] == pytest.approx(
            brute(run, state, when), rel=2e-3, abs=100
        )


def test_windows_of_a_millisecond_over_two_days_take_no_more_memory_than_others() -> None:
    fine = replace(BY_EVENT, life_seconds=1.0, window_seconds=600.0, slide_seconds=0.001)
    network = Network(SourceLog("log", 2), (Stage("job", 2, 400.0, memory=fine),))
    run = run_scenario(network, replace(scenario(seconds=172_800.0), settle_seconds=172_800.0))
    (state,) = states_of(run).values()
    copies, mean_life = 600_000, 300.0 + 1.0 + 2.0
    assert state.peak_bytes() == pytest.approx(600 * 10 * copies * mean_life, rel=0.02)


PLAN = """
apiVersion: pipelineplan/v1
kind: DataPlan
metadata: {name: dedupe, owner: web-data, quality_level: prototype}
sources:
  - id: clicks
    system: kafka
    partitions: 12
    rate: {average: 4_000/s, peak: 5_000/s}
    record: {size: 500 B}
    semantics: {event_time: occurred_at, watermark: {lag: 30 s}}
stages:
  - id: dedupe
    inputs: [{from: clicks, exchange: keyed}]
    engine: flink
    parallelism: {now: 12, max: 120}
    capacity: 2_000/s
    state:
      {new_keys: 100 %, bytes_per_key: 60 B, amplification: 1.2, budget: 200 GB, restore_bandwidth: 80 MB/s}
    checkpoint: {interval: 60 s, duration: 5 s, restart: 1 min}
sinks:
  - {id: board, inputs: [dedupe], mode: upsert}
outages:
  - {of: job, detect: 1 min, repair: 5 min}
"""
Read = Callable[[str], Plan]


@pytest.fixture
def read(tmp_path: Path) -> Read:
    def reading(text: str) -> Plan:
        file = tmp_path / "plan.yaml"
        file.write_text(text, encoding="utf-8")
        return read_plan(file)

    return reading


def one(result: SimulationResult, name: str) -> ScenarioResult:
    return next(each for each in result.scenarios if each.name == name)


def test_state_without_end_as_the_library_says(read: Read) -> None:
    """24.9 GB a day of 72 B; 200 GB are full after 8 days; a restore of 12 tasks by 80 MB/s each."""
    result = simulate(read(PLAN), recipes_named(("state-without-end",)))
    (found,) = result.scenarios
    day = 4000 * 72 * 86_400.0
    assert day == pytest.approx(24.9e9, rel=1e-3)
    assert found.figures["seconds_to_full_state"].value == pytest.approx(200e9 / (4000 * 72), rel=0.02)
    (phase,) = found.phases
    restoring = phase.restarted_seconds - phase.repaired_seconds - 60.0
    state = 4000 * 72 * (phase.start_seconds - 30.0)  # half an interval since the cut
    assert restoring == pytest.approx(capacity.restore_seconds(state, 1 / 12, 80e6), rel=0.01)
    assert any("passes its budget after 8" in each for each in found.notes)


def test_a_time_to_live_begins_where_it_is_at_rest_and_follows_the_load(read: Read) -> None:
    plan = read(PLAN.replace("bytes_per_key", "ttl: 10 min, bytes_per_key"))
    result = simulate(plan)
    steady, peak = (one(result, name).figures["peak_state_bytes"].value for name in ("steady", "peak"))
    assert steady == pytest.approx(state_bytes(plan, plan.stage("dedupe")), rel=1e-9)
    assert steady == pytest.approx(4000 * 600 * 72)
    assert peak == pytest.approx(5000 * 600 * 72)
    assert math.isinf(one(result, "steady").figures["seconds_to_full_state"].value)


def test_keys_that_are_stated_are_what_the_run_begins_with(read: Read) -> None:
    plan = read(PLAN.replace("new_keys: 100 %", "new_keys: 100 %, keys: 1_000_000, ttl: 10 min"))
    (pipeline,) = pipelines_of(plan)[0]
    memory = pipeline.inputs[End.LIKELY].network.stages[0].memory
    assert memory is not None
    assert memory.at_rest_bytes == pytest.approx(72e6)
    still = read(PLAN.replace("new_keys: 100 %", "keys: 1_000_000"))
    steady = one(simulate(still), "steady")
    assert steady.figures["peak_state_bytes"].value == pytest.approx(72e6)
    assert steady.figures["end_state_bytes"].value == pytest.approx(72e6)


def test_intervals_of_the_plan_are_intervals_of_its_state(read: Read) -> None:
    plan = read(PLAN.replace("60 B", "60 B ± 10 %").replace("bytes_per_key", "ttl: 10 min, bytes_per_key"))
    steady = one(simulate(plan), "steady")
    peak = steady.figures["peak_state_bytes"]
    assert (peak.low, peak.high) == pytest.approx((4000 * 600 * 72 * 0.9, 4000 * 600 * 72 * 1.1))
    (state,) = steady.states
    assert (state.stage, state.peak_bytes.high) == ("dedupe", pytest.approx(peak.high))


JOIN = PLAN.replace(
    "stages:",
    """  - id: orders
    system: kafka
    partitions: 4
    rate: {average: 1_000/s, peak: 1_000/s}
    record: {size: 300 B}
    semantics: {event_time: at, watermark: {lag: 30 s}}
stages:
  - {id: parse, inputs: [orders], parallelism: 4, capacity: 2_000/s}""",
).replace(
    "[{from: clicks, exchange: keyed}]", "[{from: clicks, exchange: keyed}, {from: parse, exchange: keyed}]"
)


def test_a_join_keeps_every_record_of_both_sides(read: Read) -> None:
    """500 B is the larger record; both sides wait ten minutes and the lag, by event time."""
    start = JOIN.index("    state:")
    text = (
        JOIN[:start]
        + "    join: {kind: interval, retention: 10 min}\n"
        + JOIN[JOIN.index("    checkpoint:") :]
    )
    steady = one(simulate(read(text)), "steady")
    assert steady.figures["peak_state_bytes"].value == pytest.approx(5000 * 630 * 500, rel=1e-6)
    assert "parse" not in {each.stage for each in steady.states}


def test_without_growth_the_library_names_what_is_missing(read: Read) -> None:
    result = simulate(
        read(PLAN.replace("new_keys: 100 %", "keys: 1_000")), recipes_named(("state-without-end",))
    )
    ((_, reason),) = result.not_simulated
    assert "stages[].state.new_keys" in reason


def test_too_many_checkpoints_of_growing_state_are_refused() -> None:
    network = chain(Memory(entry_bytes=1.0, bandwidth=1e6), None, Checkpoint(0.5))
    with pytest.raises(NotSimulated, match="20,000"):
        run_scenario(network, scenario(seconds=86_400.0))


def test_the_curve_is_written_beside_a_pipeline_that_remembers_nothing(read: Read, tmp_path: Path) -> None:
    plain = """  - {id: copy, inputs: [clicks], parallelism: 12, capacity: 9_000/s}
sinks:
  - {id: lake, inputs: [copy], mode: append}
"""
    result = simulate(read(PLAN.replace("sinks:\n", plain)), recipes_named(("steady",)))
    write_csv(result, tmp_path / "out")
    with (tmp_path / "out" / "curves.csv").open(encoding="utf-8") as file:
        rows = list(csv.DictReader(file))
    remembered = {row["pipeline"]: row["state_bytes"] for row in rows}
    assert remembered["clicks -> lake"] == ""
    assert float(remembered["clicks -> board"]) == pytest.approx(4000 * 72 * 3600, rel=1e-6)


def test_replications_have_a_band_of_state_and_the_same_bytes_twice(read: Read) -> None:
    plan = read(PLAN.replace("bytes_per_key", "ttl: 10 min, bytes_per_key"))
    first, second = (simulate(plan, recipes_named(("steady",)), replications=4, seed=3) for _ in range(2))
    bands = one(first, "steady").replications.bands
    assert bands["state_bytes_p05"][-1] < 4000 * 600 * 72 * 1.01
    assert bands["state_bytes_p05"][60] < bands["state_bytes_p95"][60]
    assert first.to_json_dict() == second.to_json_dict()


def test_the_state_is_drawn_with_its_band(read: Read) -> None:
    pytest.importorskip("altair")
    plots = pytest.importorskip("pipelineplan.bundle.plots")
    plan = read(PLAN.replace("bytes_per_key", "ttl: 10 min, bytes_per_key"))
    drawn = dict(plots.as_plots(one(simulate(plan, recipes_named(("steady",)), replications=3), "steady")))
    assert "GB" in drawn["State of all stages"] or "MB" in drawn["State of all stages"]
    still = dict(plots.as_plots(one(simulate(read(PLAN.replace("state:", "x-state:"))), "steady")))
    assert "State of all stages" not in still
