"""What happens to pipelines besides load and outage, each against arithmetic or the size it was seen with."""

import math
from dataclasses import replace

import numpy as np
import pytest

from pipelineplan.plan.capacity import mean_waits
from pipelineplan.simulation.acts.capturing import SlotFill
from pipelineplan.simulation.acts.deploying import SchemaOrder, WayBack
from pipelineplan.simulation.acts.event_marks import EventMarks, FutureRecord, LateBurst, Silence
from pipelineplan.simulation.acts.expiring import Backfill, Tombstones, TransactionExpiry
from pipelineplan.simulation.acts.joining import JoinDrift
from pipelineplan.simulation.acts.rebalancing import PollEvictions, Rebalances
from pipelineplan.simulation.acts.retrying import RetryStorm, amplification
from pipelineplan.simulation.acts.scaling import Autoscaler, wanted_workers
from pipelineplan.simulation.control import Run, run_scenario
from pipelineplan.simulation.figures.curves import Curves
from pipelineplan.simulation.figures.freshness import Since, Until, freshness
from pipelineplan.simulation.figures.measures import measure
from pipelineplan.simulation.network import Checkpoint, Inlet, Network, OffsetReset, SourceLog, Stage
from pipelineplan.simulation.records.per_record import run_per_record
from pipelineplan.simulation.records.record_waits import walk
from pipelineplan.simulation.scenario import Act, Breaks, Outage, Scenario
from pipelineplan.simulation.weather import Weather

HOUR, DAY = 3600.0, 86_400.0


def one(capacity: float, partitions: int = 1, workers: int = 1, **more: object) -> Network:
    source = SourceLog("log", partitions, **more)  # type: ignore[arg-type]
    return Network(source, (Stage("job", workers, capacity),))


def run(
    network: Network, rate: float, *acts: Act, until: float = 20 * DAY, outages: tuple[Outage, ...] = ()
) -> Run:
    rates = ((0.0, rate),)
    scenario = Scenario("acts", rates, outages, horizon_seconds=until, settle_seconds=until, acts=acts)
    return run_scenario(network, scenario)


def figure(run: Run, name: str) -> float:
    return measure(run)[name][1]


# Event time ---------------------------------------------------------------------------------------------


def catching_up(*, merged: bool) -> Run:
    """A day of four partitions is read again, one of them at half speed (users' incident: Kappa replay)."""
    network = Network(
        SourceLog("three", 3, part=0.75),
        (
            Stage("read", 3, 10.0, inlets=(Inlet("three"),)),
            Stage("read slowly", 1, 5.0, inlets=(Inlet("one"),)),
            Stage("window", 4, math.inf, inlets=(Inlet("read"), Inlet("read slowly"))),
        ),
        beside=(SourceLog("one", 1, part=0.25),),
    )
    # Lag 5 min, windows of a minute.
    marks = EventMarks(300.0, 60.0, merged=merged)
    away = Outage(Breaks.SOURCE, 0.0, 0.0, DAY)
    rates = ((0.0, 4.0), (DAY, 0.0))
    return run_scenario(network, Scenario("replay", rates, (away,), horizon_seconds=3 * DAY, acts=(marks,)))


def test_a_merged_watermark_drops_a_quarter_of_all_and_nearly_all_of_the_slow_partition() -> None:
    dropped = figure(catching_up(merged=True), "dropped_records")
    assert dropped / (4 * DAY) == pytest.approx(0.248, abs=0.0005)
    assert dropped / DAY == pytest.approx(0.992, abs=0.002)


def test_a_watermark_per_partition_drops_nothing() -> None:
    assert figure(catching_up(merged=False), "dropped_records") == 0


@pytest.mark.parametrize(("idle", "behind", "buffered"), [(None, 3010.0, 21e6), (60.0, 70.6, 424_200.0)])
def test_an_idle_partition_holds_the_watermark_until_it_is_left_out(
    idle: float | None, behind: float, buffered: float
) -> None:
    """8 partitions of 1,000/s, one silent from 600 s; seen at 3,600 s. Idle after 60 s and three probes."""
    marks = EventMarks(10.0, 60.0, idle_seconds=idle, silence=Silence(7, 600.0, 3000.0))
    seen = run(one(10_000.0, 8, 8), 8000.0, marks, until=3600.0)
    assert figure(seen, "watermark_delay_seconds") == pytest.approx(behind, rel=1e-6)
    assert figure(seen, "buffered_records") == pytest.approx(buffered, rel=1e-3)


def test_a_record_two_hours_ahead_makes_two_hours_of_records_late() -> None:
    marks = EventMarks(0.0, 1.0, merged=True, future=FutureRecord(600.0, 2 * HOUR))
    late = figure(run(one(20_000.0, 4, 4), 10_000.0, marks, until=4 * HOUR), "dropped_records")
    assert late == pytest.approx(72e6, rel=0.002)


def test_a_record_from_the_future_that_is_turned_away_harms_nobody() -> None:
    marks = EventMarks(0.0, 1.0, merged=True, most_ahead_seconds=30.0, future=FutureRecord(600.0, 2 * HOUR))
    assert figure(run(one(20_000.0, 4, 4), 10_000.0, marks, until=4 * HOUR), "dropped_records") == 0


def test_a_late_burst_is_late_by_its_share() -> None:
    marks = EventMarks(30.0, 60.0, 300.0, late=LateBurst(600.0, 600.0, 0.2, 7200.0))
    assert figure(run(one(200.0), 100.0, marks, until=HOUR), "dropped_records") == pytest.approx(
        12_000, rel=0.01
    )


def test_a_late_burst_within_the_allowed_lateness_is_late_and_kept() -> None:
    marks = EventMarks(30.0, 60.0, 7200.0, late=LateBurst(600.0, 600.0, 0.2, 7200.0))
    seen = run(one(200.0), 100.0, marks, until=HOUR)
    assert figure(seen, "late_records") == pytest.approx(12_000, rel=0.01)
    assert figure(seen, "dropped_records") == 0


@pytest.mark.parametrize(("drift", "hours", "gigabytes"), [(None, 21.6, 77.76), (600.0, 1 / 6, 0.6)])
def test_inputs_of_a_join_drift_apart(drift: float | None, hours: float, gigabytes: float) -> None:
    """A day read at 100 and at 10 times real time, 1,000/s of 1 kB each."""
    network = Network(
        SourceLog("fast", 1, part=0.5),
        (
            Stage("read a", 1, 100_000.0, inlets=(Inlet("fast"),)),
            Stage("read b", 1, 10_000.0, inlets=(Inlet("slow"),)),
            Stage("join", 1, math.inf, inlets=(Inlet("read a"), Inlet("read b"))),
        ),
        beside=(SourceLog("slow", 1, part=0.5),),
    )
    rates = ((0.0, 2000.0), (DAY, 0.0))
    away = Outage(Breaks.SOURCE, 0.0, 0.0, DAY)
    act = JoinDrift(1000.0, drift)
    seen = run_scenario(network, Scenario("drift", rates, (away,), horizon_seconds=2 * DAY, acts=(act,)))
    assert figure(seen, "join_drift_seconds") / HOUR == pytest.approx(hours, rel=0.1 if drift else 1e-3)
    assert figure(seen, "join_state_bytes") / 1e9 == pytest.approx(gigabytes, rel=0.1 if drift else 1e-3)


# Kafka --------------------------------------------------------------------------------------------------


def test_an_eager_rebalance_stops_everybody_and_a_cooperative_one_what_moves() -> None:
    for moved, lag in ((1.0, 45 * 100.0), (0.25, 45 * 25.0)):
        seen = run(one(40.0, 4, 4), 100.0, Rebalances(60.0, 300.0, 3, 45.0, moved), until=HOUR)
        assert figure(seen, "peak_lag_records") == pytest.approx(lag)


def test_polls_that_outlast_the_interval_make_no_progress() -> None:
    """500 records of 0.7 s each take 350 s, and the interval is 300 s."""
    storm = PollEvictions("job", 600.0, HOUR, 0.7, 500.0, 300.0, 10.0)
    seen = run(one(100.0), 1.0, storm, until=5000.0)
    # Twelve rounds of 310 s begin within the hour, and the last one ends after it.
    assert figure(seen, "rebalances") == 12
    assert figure(seen, "peak_lag_records") == pytest.approx(12 * 310.0, rel=1e-6)
    assert figure(seen, "reread_records") == pytest.approx(300 * 12 + 0, rel=0.5)


def test_polls_within_the_interval_only_slow_the_reader_down() -> None:
    storm = PollEvictions("job", 600.0, HOUR, 0.5, 500.0, 300.0, 10.0)
    seen = run(one(100.0), 1.0, storm, until=5000.0)
    assert figure(seen, "rebalances") == 0
    assert figure(seen, "peak_lag_records") == pytest.approx(0.0, abs=1e-6)


@pytest.mark.parametrize(
    ("reset", "lost"), [(OffsetReset.EARLIEST, 300_000.0), (OffsetReset.LATEST, 700_000.0)]
)
def test_retention_by_bytes_deletes_whole_segments(reset: OffsetReset, lost: float) -> None:
    """650,000 wait after 6,500 s; 400,000 are kept, and the segment of 100,000 that they begin in."""
    network = one(1000.0, retention_records=400_000.0, segment_records=100_000.0, offset_reset=reset)
    away = Outage(Breaks.SOURCE, 500.0, 0.0, 6500.0)
    seen = run(network, 100.0, until=20_000.0, outages=(away,))
    expected = lost - 50_000.0 if reset is OffsetReset.EARLIEST else 650_000.0
    # 50,000 had been read before.
    assert figure(seen, "lost_records") == pytest.approx(expected, rel=1e-6)


def test_retention_by_time_waits_for_the_end_of_a_segment() -> None:
    """Older than 1,000 s at 6,000 s is what came before 5,000 s: of rolls each 1,500 s, four have gone."""
    network = one(1000.0, retention_seconds=1000.0, segment_seconds=1500.0)
    seen = run(network, 100.0, until=9000.0, outages=(Outage(Breaks.SOURCE, 0.0, 0.0, 6000.0),))
    assert figure(seen, "lost_records") == pytest.approx(100.0 * 4500.0)


def test_tombstones_are_missed_by_who_comes_after_them() -> None:
    """36 h away with 24 h of tombstones: those of the first twelve hours."""
    act = Tombstones(0.01, DAY)
    seen = run(one(1e6), 100.0, act, until=3 * DAY, outages=(Outage(Breaks.SOURCE, 0.0, 0.0, 1.5 * DAY),))
    assert figure(seen, "resurrected_keys") == pytest.approx(0.01 * 100 * 12 * HOUR, rel=1e-3)


# Checkpoints and transactions -----------------------------------------------------------------------------


def test_a_checkpoint_longer_than_its_timeout_never_completes() -> None:
    """600 GB over 64 tasks of 15 MB/s take 625 s against 600 s, and no failure is borne."""
    seconds = 600e9 / (64 * 15e6)
    checkpoint = Checkpoint(600.0, seconds, restart_seconds=60.0, timeout_seconds=600.0, tolerable_failures=0)
    seen = run(replace(one(150.0), checkpoint=checkpoint), 100.0, until=6 * HOUR)
    assert seconds == 625.0
    # A round is the interval, the timeout and the restart.
    assert figure(seen, "failed_checkpoints") == figure(seen, "job_restarts") == math.floor(6 * HOUR / 1260)
    assert len(seen.cuts) == 1
    # Nothing is kept of any round, so each reads again all that it had read: 1,200 s at up to 150/s.
    assert figure(seen, "replayed_records") == pytest.approx(100 * 1200 + 16 * 150 * 1200)


def test_an_incremental_checkpoint_of_the_same_state_completes() -> None:
    checkpoint = Checkpoint(600.0, 12.5, timeout_seconds=600.0, tolerable_failures=0, full_seconds=625.0)
    seen = run(replace(one(150.0), checkpoint=checkpoint), 100.0, until=6 * HOUR)
    assert not seen.failed_checkpoints
    assert len(seen.cuts) == 36


def test_what_failures_leave_undone_makes_the_next_incremental_checkpoint_longer() -> None:
    """The sink is away for 30 min: two checkpoints time out, and the next one writes three intervals."""
    checkpoint = Checkpoint(600.0, 100.0, timeout_seconds=350.0, tolerable_failures=9, full_seconds=1000.0)
    away = Outage(Breaks.SINK, 750.0, 0.0, 1800.0)
    seen = run(replace(one(150.0), checkpoint=checkpoint), 100.0, until=10 * HOUR, outages=(away,))
    first = next(cut for cut in seen.cuts if cut.begun > 1200.0)
    failed = len(seen.failed_checkpoints)
    assert failed == 2
    assert first.completed - first.begun == pytest.approx(100.0 * (first.begun - 600.0) / 600.0)


def test_failures_that_are_borne_do_not_restart_the_job() -> None:
    checkpoint = Checkpoint(60.0, 70.0, timeout_seconds=65.0, tolerable_failures=10_000)
    seen = run(replace(one(150.0), checkpoint=checkpoint), 100.0, until=HOUR)
    assert not seen.restarts
    assert len(seen.failed_checkpoints) > 20


def test_an_unaligned_checkpoint_does_not_wait_and_restores_what_was_under_way() -> None:
    from pipelineplan.simulation.network import Exchange

    stages = (Stage("read", 2, 100.0), Stage("count", 2, 80.0, Exchange.KEYED, buffer_records=600.0))
    failing = (Outage(Breaks.JOB, 300.0, 0.0, 20.0),)
    scenario = Scenario("full", ((0.0, 200.0),), failing, horizon_seconds=600.0)
    durations, replayed = [], []
    for unaligned in (False, True):
        network = Network(SourceLog("log", 2), stages, Checkpoint(60.0, 1.0, unaligned=unaligned))
        seen = run_scenario(network, scenario)
        durations.append(seen.cuts[2].completed - seen.cuts[2].begun)
        replayed.append(seen.phases[0].replayed_records)
        assert np.abs(seen.fluid.arrived - seen.fluid.departed - seen.fluid.queue).max() < 1e-6
    # 1,200 records stand before the barrier at 160/s.
    assert durations == pytest.approx([7.5, 1.0], rel=1e-6)
    assert replayed[0] == pytest.approx(160.0 * (300 - 240))
    assert replayed[1] == pytest.approx(160.0 * (300 - 240))


@pytest.mark.parametrize(("down", "aborted"), [(119.0, 0.0), (121.0, 100.0 * 600)])
def test_a_transaction_is_aborted_after_more_than_two_minutes_down(down: float, aborted: float) -> None:
    """Interval 10 min and duration 3 min leave 2 min of a timeout of 15 min."""
    network = replace(one(150.0), checkpoint=Checkpoint(600.0, 180.0))
    act = TransactionExpiry(900.0)
    seen = run(network, 100.0, act, until=3 * HOUR, outages=(Outage(Breaks.JOB, 1380.001, 0.0, down),))
    assert figure(seen, "aborted_records") == pytest.approx(aborted)
    assert figure(seen, "oldest_transaction_seconds") == pytest.approx(780 + down, abs=0.01)


# Retries, versions, scaling, capture ------------------------------------------------------------------------


def test_retries_amplify_as_the_formula_says() -> None:
    """Five retries are six tries: 6 where everything fails, 1.97 where half does."""
    assert amplification(1.0, 6) == 6
    assert amplification(0.5, 6) == pytest.approx(1.97, abs=0.002)


@pytest.mark.parametrize(
    ("jitter", "waits"),
    [
        ("none", (1.0, 2.0, 4.0, 5.0)),
        ("full", (0.5, 1.0, 2.0, 2.5)),
        ("decorrelated", (2.0, 3.4, 4.13, 4.298)),
    ],
)
def test_mean_waits_of_a_backoff(jitter: str, waits: tuple[float, ...]) -> None:
    assert mean_waits(1.0, 5.0, 2.0, jitter, 5) == pytest.approx(waits, abs=0.02)


def test_a_retry_storm_leaves_a_backlog_and_dead_letters() -> None:
    """Six tries of 80/s need 157.5/s of 100/s: lag grows by what is missing, and f^k are dead letters."""
    storm = RetryStorm("job", 600.0, 1000.0, 0.5, 6)
    seen = run(one(100.0), 80.0, storm, until=2 * HOUR)
    able = 100.0 / amplification(0.5, 6)
    assert figure(seen, "peak_lag_records") == pytest.approx((80 - able) * 1000)
    assert figure(seen, "dead_lettered_records") == pytest.approx(able * 1000 * 0.5**6)


def test_blocking_retries_wait_as_well() -> None:
    storm = RetryStorm("job", 0.0, 10.0, 0.5, 2, blocking=True, waits_seconds=(0.1,))
    # A record takes 1.5 tries of 10 ms, and half of them wait for 100 ms.
    assert 100.0 * storm.factor(100.0) == pytest.approx(1 / (0.015 + 0.05))


def test_a_schema_in_the_wrong_order_dead_letters_or_blocks() -> None:
    """8,000/s for 45 min are 21.6 M records."""
    for policy, name in (("quarantine", "dead_lettered_records"), ("pass", "misread_records")):
        seen = run(one(20_000.0), 8000.0, SchemaOrder(600.0, 2700.0, policy), until=2 * HOUR)
        assert figure(seen, name) == pytest.approx(21.6e6)
    seen = run(one(20_000.0), 8000.0, SchemaOrder(600.0, 2700.0, "reject"), until=3 * HOUR)
    assert figure(seen, "peak_lag_records") == pytest.approx(21.6e6, rel=0.001)
    assert figure(seen, "dead_lettered_records") == pytest.approx(8000.0, abs=8001.0)


def test_a_rollback_loses_what_the_way_back_has_not_brought() -> None:
    """Half an hour away at 100/s; 15 min after the repair 100/s of spare have brought half of it."""
    away = Outage(Breaks.SINK, 600.0, 0.0, 1800.0)
    seen = run(one(200.0), 100.0, WayBack(3300.0), until=2 * HOUR, outages=(away,))
    assert figure(seen, "unsynced_records") == pytest.approx(180_000 - 100 * 900)


def test_the_scaling_rule_of_one_operator() -> None:
    """DS2: the rate that comes in, over the true rate of one instance, rounded up."""
    assert [wanted_workers(*each) for each in ((1000.0, 100.0), (1001.0, 100.0), (10.0, 100.0))] == [
        10,
        11,
        1,
    ]


def test_an_autoscaler_swings_when_its_restart_makes_a_backlog() -> None:
    """60/s on workers of 10/s at 70 % ask for nine; the backlog of each restart asks for one more."""
    network = Network(SourceLog("log", 20), (Stage("job", 6, 10.0),))
    act = Autoscaler("job", 1, 20, 0.7, 60.0, every_seconds=60.0, catch_up_seconds=300.0)
    seen = run(network, 60.0, act, until=2 * HOUR)
    steps = seen.seen["rescaled to"]
    assert steps[0] == 9
    assert set(steps[2:]) == {10, 11}
    assert figure(seen, "rescales") == len(steps) > 20
    assert figure(seen, "scaled_worker_hours") == pytest.approx(20.8, rel=0.05)
    free = run(network, 60.0, replace(act, restart_seconds=0.0, target_utilisation=0.6), until=2 * HOUR)
    assert free.seen["rescaled to"] == [11, 10]


def test_a_slot_fills_the_disk_or_is_lost() -> None:
    away = (Outage(Breaks.SOURCE, 0.0, 0.0, 8 * HOUR),)
    for gigabytes_per_hour, full in ((20.0, 15.0), (50.0, 6.0)):
        wal = gigabytes_per_hour * 1e9 / HOUR
        free = run(one(1000.0), 100.0, SlotFill(wal, 300e9), until=DAY, outages=away)
        assert figure(free, "seconds_to_full_disk") / HOUR == pytest.approx(full)
        assert (figure(free, "disk_left_bytes") == 0) == (full < 8)
        capped = run(one(1000.0), 100.0, SlotFill(wal, 300e9, 50e9), until=DAY, outages=away)
        assert figure(capped, "slots_lost") == 1
        assert figure(capped, "disk_left_bytes") == pytest.approx(250e9)


def test_a_backfill_without_a_limit_starves_live_reading() -> None:
    """100,000/s shared with 60,000/s of live: half each, so 36 M an hour pile up; 10,000/s take 139 h."""
    stage = Stage("job", 1, 100_000.0, inlets=(Inlet("live"), Inlet("old")))
    for limit, lag, hours in ((math.inf, 36e6, None), (10_000.0, 0.0, 138.9)):
        old = SourceLog("old", 1, part=0.0, backlog_records=5e9, read_limit_per_second=limit)
        network = Network(SourceLog("live", 1), (stage,), beside=(old,))
        until = HOUR if hours is None else 200 * HOUR
        seen = run(network, 60_000.0, Backfill(1, 5e9), until=until)
        assert figure(seen, "peak_lag_records") == pytest.approx(lag, abs=1.0)
        if hours is not None:
            assert figure(seen, "backfill_seconds") / HOUR == pytest.approx(hours, abs=0.05)


def test_the_watermark_waits_until_what_was_read_before_a_restart_is_passed_again() -> None:
    """100/s by 150/s, down from 100 to 130 s and back to 50 s: 100 s of events are reached again at 163.3 s.

    In between nothing new is read, so the watermark stands; a line from 130 to 290 s, where all is drained,
    would let it be at 139 s by then, 39 s early.
    """
    network = replace(one(150.0), checkpoint=Checkpoint(50.0, 1.0))
    outage = Outage(Breaks.JOB, 99.9999, 10.0, 20.0)
    seen = run(network, 100.0, EventMarks(0.0, 10.0), until=400.0, outages=(outage,))
    curves = Curves(seen)
    read = curves.event_time_read(0, 1)
    when = np.array([50.0, 110.0, 130.0, 150.0, 163.3, 175.0, 200.0, 289.0, 350.0])
    passed = 50.0 + 1.5 * (when - 130.0)
    expected = np.where(when < 100, when, np.where(when < 163.3, 100.0, np.minimum(passed, when)))
    assert np.interp(when, read.time, read.event_time) == pytest.approx(expected, abs=0.05)
    assert curves.event_time_of(0, curves.highest(0).at(when)) == pytest.approx(expected, abs=0.05)
    # Of what is read from 163.3 s on none is behind its watermark: records come in order.
    assert figure(seen, "late_records") == 0.0


def test_what_nobody_sends_for_a_while_has_no_event_times() -> None:
    """Ten minutes of silence in the load: what is read after it happened after it, by fluid, T0 and T2."""
    network = one(200.0)
    rates = ((0.0, 100.0), (60.0, 0.0), (660.0, 100.0))
    scenario = Scenario("silence", rates, horizon_seconds=720.0, settle_seconds=720.0)
    seen = run_scenario(network, scenario)
    curves = Curves(seen)
    assert curves.event_time_of(0, np.array([3000.0, 6000.0, 6001.0, 9000.0])) == pytest.approx(
        [30.0, 60.0, 660.01, 690.0]
    )
    by_record = run_per_record(network, scenario, 720.0, service="deterministic")
    walked = walk(seen, Weather(1, 0))
    for born in (np.array(by_record.born), walked.came):
        assert not ((born > 60.01) & (born < 660.0)).any()
        assert len(born) == pytest.approx(12_000, rel=0.05)
    assert freshness(curves, Since.RECORD, Until.EMITTED).quantile(0.99) < 0.1
