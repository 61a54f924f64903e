"""Checkpoints, failures and retention, one situation at a time, each against arithmetic by hand."""

import math
from dataclasses import replace

import numpy as np
import pytest

from pipelineplan.simulation.control import run_scenario
from pipelineplan.simulation.figures.curves import Curves
from pipelineplan.simulation.figures.freshness import Over, Since, Until, _window_visible, freshness
from pipelineplan.simulation.figures.measures import measure
from pipelineplan.simulation.network import (
    Checkpoint,
    EventTime,
    Exchange,
    Network,
    NotSimulated,
    OffsetReset,
    SourceLog,
    Stage,
    Visible,
)
from pipelineplan.simulation.scenario import Breaks, Outage, Scenario

ONE = Network(SourceLog("log", 1), (Stage("job", 1, 100.0),), Checkpoint(60.0, 5.0, 0.0, 0.0, 10.0))
BUFFERED = Network(
    SourceLog("log", 2),
    (Stage("read", 2, 100.0), Stage("count", 2, 80.0, Exchange.KEYED, buffer_records=600.0)),
    Checkpoint(60.0, 5.0),
)


def quiet(rate: float, seconds: float = 600.0) -> Scenario:
    return Scenario("quiet", ((0.0, rate),), horizon_seconds=seconds, settle_seconds=seconds)


def broken(outage: Outage, rate: float = 80.0, **more: float) -> Scenario:
    return Scenario("broken", ((0.0, rate),), (outage,), **more)


def test_checkpoints_begin_at_their_interval() -> None:
    cuts = run_scenario(ONE, quiet(80.0, 200.0)).cuts
    assert [(cut.begun, cut.completed) for cut in cuts] == [(0, 0), (60, 65), (120, 125), (180, 185)]
    assert [float(cut.position[0]) for cut in cuts] == pytest.approx([0, 4800, 9600, 14400])


def test_the_minimum_pause_stretches_the_interval() -> None:
    slow = replace(ONE, checkpoint=Checkpoint(60.0, 50.0, 30.0))
    begun = [cut.begun for cut in run_scenario(slow, quiet(80.0)).cuts[1:]]
    assert begun[:4] == [60, 140, 220, 300]
    assert slow.checkpoint is not None
    assert slow.checkpoint.effective_interval_seconds == 80.0


def test_a_stall_stops_everybody_for_its_time() -> None:
    stalled = replace(ONE, checkpoint=Checkpoint(60.0, 5.0, 0.0, 3.0))
    run = run_scenario(stalled, quiet(80.0))
    figures = measure(run)
    assert figures["peak_lag_records"][1] == pytest.approx(240.0)
    assert figures["oldest_unread_seconds"][1] == pytest.approx(3.0)


def test_a_barrier_waits_for_what_is_before_it() -> None:
    """At 200/s against 160/s the 1,200 places fill, and the barrier stands behind 7.5 s of records."""
    run = run_scenario(BUFFERED, quiet(200.0, 1000.0))
    late = run.cuts[-1]
    assert late.completed - late.begun == pytest.approx(1200 / 160, abs=0.05)
    first = run.cuts[1]
    assert first.completed - first.begun == pytest.approx(1200 / 160, abs=0.05)


def test_no_checkpoint_completes_while_the_sink_is_away() -> None:
    run = run_scenario(ONE, broken(Outage(Breaks.SINK, 100.0, 30.0, 270.0)))
    completed = [cut.completed for cut in run.cuts]
    assert not [each for each in completed if 100.0 < each < 400.0]
    # The one that was held up completes as soon as the sink is back.
    assert next(each for each in completed if each >= 400.0) <= 405.0


def test_a_failure_during_the_drain_replays_from_the_cut_within_it() -> None:
    scenario = Scenario(
        "twice",
        ((0.0, 80.0),),
        (Outage(Breaks.JOB, 630.0, 0.0, 30.0, 10.0), Outage(Breaks.JOB, 800.0, 0.0, 30.0, 10.0)),
    )
    run = run_scenario(ONE, scenario)
    # Restored at 670: checkpoints begin at 730 and 790; since then 10 s at the drain's 100/s.
    assert [cut.begun for cut in run.cuts if 630 < cut.begun < 800] == [730, 790]
    assert run.phases[1].replayed_records == pytest.approx(1000.0)
    assert run.phases[0].drained_seconds == run.phases[1].drained_seconds
    backlog = 80 * 840 - (48_000 + 100 * 120)
    assert run.phases[1].drain_seconds == pytest.approx(backlog / 20)


def test_an_outage_in_an_outage_lasts_until_both_are_over() -> None:
    scenario = Scenario(
        "both",
        ((0.0, 80.0),),
        (Outage(Breaks.JOB, 630.0, 0.0, 100.0), Outage(Breaks.SINK, 700.0, 0.0, 100.0)),
    )
    run = run_scenario(ONE, scenario)
    assert run.phases[1].drained_seconds == pytest.approx(800 + (80 * 170 + 2400) / 20)


def test_in_flight_records_are_discarded_and_read_again() -> None:
    failing = Outage(Breaks.JOB, 300.0, 0.0, 20.0)
    run = run_scenario(BUFFERED, Scenario("full", ((0.0, 200.0),), (failing,), horizon_seconds=600.0))
    cut = [cut for cut in run.cuts if cut.completed <= 300.0][-1]
    # Read at 160/s and 1,200 ahead; the cut's 200 s to the failure's 300 s.
    assert run.phases[0].replayed_records == pytest.approx(160 * (300 - cut.begun))
    assert run.phases[0].duplicate_records == pytest.approx(160 * (300 - cut.begun) - 1200)


@pytest.mark.parametrize(
    ("reset", "lost"),
    [(OffsetReset.EARLIEST, 80.0 * 3600), (OffsetReset.LATEST, 80.0 * 7200)],
)
def test_an_offset_reset_loses_the_tail_or_everything(reset: OffsetReset, lost: float) -> None:
    source = SourceLog("log", 1, retention_seconds=3600.0, offset_reset=reset)
    run = run_scenario(replace(ONE, source=source), broken(Outage(Breaks.SOURCE, 600.0, 0.0, 7200.0)))
    assert measure(run)["lost_records"][1] == pytest.approx(lost)


def test_without_an_offset_reset_the_reader_stops() -> None:
    source = SourceLog("log", 1, retention_seconds=3600.0, offset_reset=OffsetReset.NONE)
    scenario = broken(Outage(Breaks.SOURCE, 600.0, 0.0, 7200.0), horizon_seconds=20_000.0)
    run = run_scenario(replace(ONE, source=source), scenario)
    assert run.halted_at == 7800.0
    assert run.lost.sum() == 0
    assert math.isinf(measure(run)["drain_seconds"][1])


def test_nothing_is_lost_just_inside_the_retention() -> None:
    source = SourceLog("log", 1, retention_seconds=7200.0)
    run = run_scenario(replace(ONE, source=source), broken(Outage(Breaks.SOURCE, 600.0, 0.0, 7190.0)))
    assert run.lost.sum() == 0


def test_a_burst_drains_from_its_end() -> None:
    burst = Scenario("burst", ((0.0, 80.0), (100.0, 140.0), (200.0, 80.0)), drain_from_seconds=(200.0,))
    figures = measure(run_scenario(ONE, burst))
    assert figures["peak_lag_records"][1] == pytest.approx(4000.0)
    assert figures["drain_seconds"][1] == pytest.approx(200.0)
    # The last record of the burst waits longest: 4,000 records at 100/s.
    assert figures["oldest_unread_seconds"][1] == pytest.approx(40.0)


def test_freshness_over_time_and_over_records_differ_in_a_burst() -> None:
    burst = Scenario("burst", ((0.0, 10.0), (300.0, 190.0), (400.0, 10.0)), settle_seconds=1000.0)
    curves = Curves(run_scenario(replace(ONE, checkpoint=None), burst))
    over_records = freshness(curves, Since.RECORD, Until.EMITTED, Over.RECORDS).quantile(0.5)
    over_time = freshness(curves, Since.RECORD, Until.EMITTED, Over.TIME).quantile(0.5)
    # In the burst the wait grows to 90 s; most records are in it, and most of the time is not.
    assert over_time == pytest.approx(0.0, abs=1e-6)
    # 12,000 of 32,000 do not wait; the others spread evenly over 20,000 / 90 records per second of wait.
    assert over_records == pytest.approx((16_000 - 12_000) / (20_000 / 90), rel=1e-2)


def test_a_window_s_result_waits_for_the_slowest_partition() -> None:
    """One of two workers stops for 30 s: results of both wait, since the watermark is a minimum."""
    network = Network(
        SourceLog("log", 2),
        (Stage("count", 2, 1000.0),),
        Checkpoint(60.0, 1.0),
        EventTime(10.0, 0.0, 60.0),
        visible=Visible.ON_EMIT,
    )
    run = run_scenario(network, broken(Outage(Breaks.WORKER, 300.0, 0.0, 30.0), 100.0))
    curves = Curves(run)
    of_records = freshness(curves, Since.WINDOW_END, Until.EMITTED, Over.TIME)
    assert of_records.quantile(1.0) == pytest.approx(10.0 + 30.0, rel=0.1)
    assert of_records.quantile(0.5) == pytest.approx(10.0)
    reading = curves.read_at(1, np.array([310.0]))
    assert reading[0] == pytest.approx(310.0)


def test_a_job_without_checkpoints_cannot_be_restored() -> None:
    with pytest.raises(NotSimulated, match="no position"):
        run_scenario(replace(ONE, checkpoint=None), broken(Outage(Breaks.JOB, 60.0)))


@pytest.mark.parametrize(
    "build",
    [
        lambda: Network(SourceLog("log", 0), (Stage("job", 1, 1.0),)),
        lambda: Network(SourceLog("log", 2, explicit_shares=(0.5, 0.6)), (Stage("job", 1, 1.0),)),
        lambda: Network(SourceLog("log", 1), ()),
        lambda: Network(SourceLog("log", 1), (Stage("a", 2, 1.0), Stage("b", 3, 1.0))),
        lambda: Network(SourceLog("log", 1), (Stage("a", 1, 0.0),)),
        lambda: Network(SourceLog("log", 1), (Stage("a", 1, 1.0),), visible=Visible.AT_CHECKPOINT),
        lambda: Scenario("x", ((1.0, 5.0),)),
        lambda: Scenario("x", ((0.0, math.inf),)),
        lambda: Scenario("x", ((0.0, 5.0), (0.0, 6.0))),
    ],
)
def test_impossible_inputs_are_refused(build: object) -> None:
    assert callable(build)
    with pytest.raises(ValueError, match=r"wanted|must|no checkpoint|forward|capacity"):
        build()


def test_a_machine_is_not_kept_busy_for_hours() -> None:
    often = replace(ONE, checkpoint=Checkpoint(0.001))
    with pytest.raises(NotSimulated, match="checkpoints in a run"):
        run_scenario(often, quiet(80.0, 3600.0))
    with pytest.raises(ValueError, match="partitions, wanted 1 to"):
        Network(SourceLog("log", 10**9), (Stage("job", 1, 1.0),))
    with pytest.raises(ValueError, match="workers, wanted 1 to"):
        Network(SourceLog("log", 1), (Stage("job", 10**9, 1.0),))


def test_rows_are_written_only_where_something_bends() -> None:
    run = run_scenario(ONE, quiet(80.0, 36_000.0))
    assert len(run.cuts) > 500
    assert len(run.fluid.journal.time) < 10


def test_a_committed_window_waits_for_the_slowest_partition_s_checkpoint() -> None:
    """Worker 0 reads again from 334 s, at twice the rate; at 344 s it has come to event time 320 s."""
    network = Network(
        SourceLog("log", 2),
        (Stage("count", 2, 100.0),),
        Checkpoint(10.0, 1.0),
        EventTime(10.0, 0.0, 60.0),
        visible=Visible.AT_CHECKPOINT,
    )
    run = run_scenario(network, broken(Outage(Breaks.WORKER, 304.0, 0.0, 30.0), 100.0))
    seen = _window_visible(Curves(run), np.array([305.0, 315.0, 335.0]), Until.COMMITTED)
    assert seen == pytest.approx([345.0, 355.0, 365.0])


def test_a_stall_that_comes_back_is_computed_once_and_noted_each_time() -> None:
    """0.5 s stand still at 80/s leave 40 records, which drain at 20/s in 2 s: each minute, exactly."""
    stalling = replace(ONE, checkpoint=Checkpoint(60.0, 5.0, sync_stall_seconds=0.5))
    run = run_scenario(stalling, quiet(80.0, 3_000.0))
    lag = Curves(run).lag
    peaks = lag.time[lag.records > 39.9]
    assert peaks == pytest.approx([60.5 + 60.0 * minute for minute in range(50)][: len(peaks)])
    assert len(peaks) >= 49
    empty = [lag.time[(lag.time > peak) & (lag.records == 0)][0] - peak for peak in peaks[:-1]]
    assert empty == pytest.approx([2.0] * len(empty))
