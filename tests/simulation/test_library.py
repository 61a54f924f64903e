"""Every scenario of the library runs under the laws it names, on small networks of both kinds."""

import math
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from pipelineplan.errors import InputError
from pipelineplan.simulation.acts.library import LAWS, Recipe, read_library, read_recipe
from pipelineplan.simulation.arranging import DeclaredOutage, End, Inputs, Load, arrange
from pipelineplan.simulation.control import Run, run_scenario
from pipelineplan.simulation.figures.curves import Curves
from pipelineplan.simulation.figures.measures import measure
from pipelineplan.simulation.figures.state_figures import states_of
from pipelineplan.simulation.memory import Clock, Memory
from pipelineplan.simulation.network import (
    Checkpoint,
    EventTime,
    Exchange,
    Inlet,
    Network,
    NotSimulated,
    SourceLog,
    Stage,
    Visible,
)
from pipelineplan.simulation.reading.facts import Facts
from pipelineplan.simulation.runs import Runs
from pipelineplan.simulation.scenario import Breaks, Scenario
from pipelineplan.simulation.schedule import starts_of

# A time to live, a window, and a join whose checkpoints and restores take as long as its state is large.
LIVES = Memory(entry_bytes=50.0, life_seconds=900.0, history_per_second=120.0, restore_bandwidth=1e5)
IN_WINDOWS = Memory(
    entry_bytes=50.0,
    entries_per_record=0.1,
    life_seconds=60.0,
    clock=Clock.EVENT,
    window_seconds=300.0,
    slide_seconds=60.0,
    watermark_lag_seconds=30.0,
    history_per_second=120.0,
)
JOINS = Memory(
    entry_bytes=100.0, life_seconds=600.0, clock=Clock.EVENT, watermark_lag_seconds=30.0, bandwidth=1e7
)

CHECKPOINT = Checkpoint(60.0, 5.0, 10.0, 0.2, 20.0)
FORWARD = Network(
    SourceLog("clicks", 6, retention_seconds=10_800.0),
    (Stage("count", 4, 100.0, memory=LIVES), Stage("dashboard", 4, math.inf)),
    CHECKPOINT,
    EventTime(30.0, 0.2, 60.0, (0.01, 0.02), (0.001, 0.002)),
)
KEYED = Network(
    SourceLog("orders", 6, hottest_key=0.02, retention_seconds=10_800.0),
    (
        Stage("enrich", 4, 100.0),
        Stage("mart", 3, 120.0, Exchange.KEYED, hottest_key=0.02, buffer_records=50.0, memory=IN_WINDOWS),
        Stage("warehouse", 3, 150.0, Exchange.KEYED, buffer_records=50.0),
    ),
    CHECKPOINT,
    visible=Visible.AT_CHECKPOINT,
)
LOAD = Load(120.0, 200.0)
# A plan that states all that any scenario asks for.
FACTS = Facts(
    record_bytes=1000.0,
    wal_bytes_per_second=10e6,
    disk_free_bytes=300e9,
    slot_cap_bytes=50e9,
    snapshot_seconds=1800.0,
    slot_gap_seconds=90.0,
    tombstone_seconds=7200.0,
    delete_share=0.01,
    transaction_timeout_seconds=900.0,
    retry_attempts=5,
    retry_blocking=False,
    max_poll_records=500,
    max_poll_interval_seconds=300.0,
    assignor="cooperative",
    idle_timeout_seconds=60.0,
    replay_rate_per_second=50.0,
    replay_seconds=7200.0,
    most_workers=8,
    target_utilisation=0.7,
    alignment_seconds=600.0,
    failure_domains=3,
    reverse_sync_per_second=200.0,
    checkpoint_timeout_seconds=600.0,
    cron="15 4 * * *",
    zone="Europe/Berlin",
)
JOINED = Network(
    SourceLog("orders", 4, part=0.75, retention_seconds=10_800.0),
    (
        Stage("parse", 4, 120.0, inlets=(Inlet("orders"),)),
        Stage("enrich", 2, 150.0, inlets=(Inlet("clicks"),)),
        Stage(
            "join",
            3,
            140.0,
            inlets=(Inlet("parse", Exchange.KEYED), Inlet("enrich", Exchange.KEYED)),
            memory=JOINS,
        ),
        Stage("archive", 2, 300.0, inlets=(Inlet("join", Exchange.REBALANCE, 0.5),)),
        Stage("warehouse", 3, math.inf, inlets=(Inlet("join"),)),
    ),
    CHECKPOINT,
    EventTime(30.0, 0.2, 60.0, (0.01, 0.02), (0.001, 0.002)),
    beside=(SourceLog("clicks", 2, part=0.25, retention_seconds=10_800.0),),
)
STARTS, HORIZON = starts_of("15 4 * * *", "Europe/Berlin")
NIGHTLY = Network(
    SourceLog("entries", 4),
    (Stage("land", 4, 400.0), Stage("balances", 2, 900.0, Exchange.KEYED)),
    visible=Visible.AT_CHECKPOINT,
    runs=Runs(STARTS, horizon_seconds=HORIZON, least_seconds=1500.0),
)
NETWORKS = {"forward": FORWARD, "keyed": KEYED, "joined": JOINED, "nightly": NIGHTLY}
RECIPES = read_library()
FILES_OF_LIBRARY = Path(__file__).parents[2] / "simulations"
CASES = [(recipe, name) for recipe in RECIPES for name in NETWORKS]


def arranged(recipe: Recipe, network: str, end: End) -> tuple[Network, Scenario]:
    """The scenario on a small network, or a skip that says what such a network lacks."""
    try:
        return arrange(recipe, Inputs(NETWORKS[network], LOAD, facts=FACTS), end)
    except NotSimulated as reason:
        pytest.skip(reason.reason)


def conserved(run: Run) -> None:
    fluid = run.fluid
    assert np.abs(fluid.arrived - fluid.departed - fluid.queue).max() <= 1e-9 * fluid.arrived.max()


def bounded(run: Run) -> None:
    assert (run.fluid.queue >= 0).all()
    assert (run.fluid.queue <= run.fluid.bound).all()
    assert (Curves(run).lag.records >= 0).all()


def drains_when_stable(run: Run) -> None:
    busiest = run.network.utilisation(run.scenario.rates[-1][1])[0]
    if run.network.runs is not None:
        assert math.isfinite(measure(run)["drain_seconds"][1])
        return
    if busiest < 0.98:
        assert run.fluid.drained_at is not None
        assert all(math.isfinite(phase.drain_seconds) for phase in run.phases)
        assert None not in run.burst_drains
    if busiest > 1:
        assert math.isinf(measure(run)["drain_seconds"][1])


def replays_what_was_read(run: Run) -> None:
    (phase,) = run.phases
    if run.network.runs is not None:
        # A run that is broken off is read again from its beginning.
        assert 0 <= phase.replayed_records <= max(one.records for one in run.runs)
        return
    cut = max((cut for cut in run.cuts if cut.completed <= phase.start_seconds), key=lambda cut: cut.begun)
    rate = run.scenario.rates[0][1]
    since = phase.start_seconds - cut.begun
    assert 0 < phase.replayed_records <= rate * since * (1 + 1e-9)
    if run.network.has_shuffle:
        # All of it, but for what waited in the log when the cut was made: at rest, nothing.
        assert phase.replayed_records == pytest.approx(rate * since, rel=0.01)


def replays_nothing(run: Run) -> None:
    assert all(phase.replayed_records == 0 and phase.duplicate_records == 0 for phase in run.phases)
    for partition in range(run.network.source.partitions):
        assert (np.diff(run.fluid.journal.column(partition)) >= -1e-9).all()


def loses_nothing(run: Run) -> None:
    oldest = Curves(run).peak_age()
    if oldest < run.network.source.retention_seconds:
        assert run.lost.sum() == 0


def remembers_what_came(run: Run) -> None:
    for name, each in states_of(run).items():
        memory = each.memory
        sizes = each.bytes_before(each.turns())
        assert (sizes >= memory.always_bytes).all(), name
        reach = memory.watermark_lag_seconds + memory.window_seconds
        past = memory.history_per_second * (reach + memory.life_seconds) if memory.history_per_second else 0.0
        came = float(each.came.max()) + sum(float(old.came.max()) for old in each.old)
        most = memory.copies * (past + came)
        assert sizes.max() <= memory.always_bytes + memory.bytes_per_record * most * (1 + 1e-9), name
        if memory.window_seconds == 0 and math.isfinite(memory.life_seconds):
            steps = np.diff(each.time) > 1e-6
            fastest = (np.diff(each.came)[steps] / np.diff(each.time)[steps]).max()
            fastest = max(fastest, memory.history_per_second)
            # By event time a backlog is read faster than its own time goes, so only the other is bounded.
            if memory.clock is Clock.PROCESSING:
                assert sizes.max() <= memory.bytes_per_record * memory.life_seconds * fastest * (1 + 1e-6)


def test_every_law_has_its_check() -> None:
    assert all(callable(globals()[law]) for law in LAWS)
    assert {law for recipe in RECIPES for law in recipe.laws} == set(LAWS)


@pytest.mark.parametrize("end", End)
@pytest.mark.parametrize(("recipe", "network"), CASES, ids=[f"{r.name}-{n}" for r, n in CASES])
def test_scenario_keeps_its_laws(recipe: Recipe, network: str, end: End) -> None:
    run = run_scenario(*arranged(recipe, network, end))
    for law in recipe.laws:
        globals()[law](run)


def test_the_library_covers_what_breaks() -> None:
    assert {"steady", "peak", "burst", "sink-outage", "job-restart", "worker-loss", "hot-key"} <= {
        recipe.name for recipe in RECIPES
    }
    assert all(recipe.source and recipe.look_at and recipe.title for recipe in RECIPES)


def test_names_are_file_names() -> None:
    from pipelineplan import catalogue

    files = (catalogue.folder("simulations") / "scenarios").glob("*.yaml")
    assert {file.stem for file in files} == {recipe.name for recipe in RECIPES}


def test_a_plan_s_own_outage_stands_above_the_library_s() -> None:
    sink = next(recipe for recipe in RECIPES if recipe.name == "sink-outage")
    own = DeclaredOutage(Breaks.SINK, 11.0, 22.0, 99.0)
    _, scenario = arrange(sink, Inputs(FORWARD, LOAD, (own,)), End.LIKELY)
    assert scenario.outages[0].down_seconds == 33.0
    assert scenario.outages[0].drain_target_seconds == 99.0
    _, scenario = arrange(sink, Inputs(FORWARD, LOAD), End.LIKELY)
    assert scenario.outages[0].down_seconds == sink.broken.detect_seconds + sink.broken.repair_seconds


def test_worker_loss_restarts_everything_only_behind_an_exchange() -> None:
    loss = next(recipe for recipe in RECIPES if recipe.name == "worker-loss")
    alone = run_scenario(*arrange(loss, Inputs(FORWARD, LOAD), End.LIKELY))
    together = run_scenario(*arrange(loss, Inputs(KEYED, LOAD), End.LIKELY))
    assert measure(alone)["peak_lag_records"][1] < measure(together)["peak_lag_records"][1]
    replayed = alone.phases[0].replayed_records
    share = max(FORWARD.worker_shares(0))
    failed = alone.phases[0].start_seconds
    begun = max(cut.begun for cut in alone.cuts if cut.completed <= failed)
    assert replayed == pytest.approx(share * 200.0 * (failed - begun), rel=0.02)


def test_a_hot_key_moves_the_busiest_worker_and_not_the_mean() -> None:
    hot = next(recipe for recipe in RECIPES if recipe.name == "hot-key")
    network, scenario = arrange(hot, Inputs(KEYED, LOAD), End.LIKELY)
    assert network.utilisation(200.0)[0] > KEYED.utilisation(200.0)[0]
    assert sum(network.source.shares) == pytest.approx(1.0)
    assert scenario.peak_rate == 200.0


def test_a_bad_scenario_names_every_problem_and_its_place(tmp_path: Path) -> None:
    file = tmp_path / "bad.yaml"
    file.write_text(
        "scenario: bad\ntitle: ''\nsource: x\nlook_at: []\n"
        "load: {level: mean, burst: {factor: -1, length: 3 parsec}}\n"
        "outage: {of: moon, detect: 1 min}\nhot_key: {share: 120 %}\nlaws: [gravity]\nextra: 1\n",
        encoding="utf-8",
    )
    with pytest.raises(InputError) as unknown:
        read_recipe(file)
    assert "extra" in str(unknown.value)
    file.write_text(file.read_text(encoding="utf-8").replace("extra: 1\n", ""), encoding="utf-8")
    with pytest.raises(InputError) as error:
        read_recipe(file)
    lines = {problem.position.line for problem in error.value.problems}
    assert lines == {2, 4, 5, 6, 7, 8}
    text = str(error.value)
    for said in (
        "mean",
        "-1",
        "parsec" if "parsec" in text else "factor",
        "moon",
        "repair",
        "120 %",
        "gravity",
    ):
        assert said in text


def test_one_value_differs_between_the_ends_of_a_job_failure() -> None:
    job = next(recipe for recipe in RECIPES if recipe.name == "job-restart")
    replays = [
        run_scenario(*arrange(job, Inputs(replace(KEYED), LOAD), end)).phases[0].replayed_records
        for end in End
    ]
    likely, optimistic, pessimistic = replays
    interval, duration = CHECKPOINT.effective_interval_seconds, CHECKPOINT.duration_seconds
    assert optimistic < likely < pessimistic
    assert optimistic == pytest.approx(200.0 * duration, rel=0.12)
    assert pessimistic == pytest.approx(200.0 * (interval + duration), rel=0.02)


def test_every_scenario_runs_on_some_network_and_is_in_the_list() -> None:
    listed = (FILES_OF_LIBRARY / "README.md").read_text(encoding="utf-8")
    for recipe in RECIPES:
        able = 0
        for network in NETWORKS.values():
            try:
                arrange(recipe, Inputs(network, LOAD, facts=FACTS), End.LIKELY)
            except NotSimulated:
                continue
            able += 1
        assert able, recipe.name
        assert f"| `{recipe.name}` | {recipe.title} |" in listed


def test_a_scenario_that_lacks_a_fact_names_the_field() -> None:
    lacking = {}
    for recipe in RECIPES:
        try:
            arrange(recipe, Inputs(JOINED, LOAD), End.LIKELY)
        except NotSimulated as reason:
            lacking[recipe.name] = reason.reason
    assert "sources[].cdc.wal_rate" in lacking["cdc-slot-fill"]
    assert "stages[].retry.attempts" in lacking["retry-storm"]
    assert "cutover.reverse_sync.capacity" in lacking["cutover-with-reverse-sync"]
    assert all("[]" in reason or "." in reason for reason in lacking.values())
