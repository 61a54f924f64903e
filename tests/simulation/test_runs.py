"""Pipelines that work by schedule or trigger, and what the calendar does to them."""

from dataclasses import replace
from datetime import UTC, datetime
from itertools import pairwise, takewhile

import pytest

from pipelineplan.plan.calendar import cron_fault
from pipelineplan.plan.calendar import starts as wall_starts
from pipelineplan.simulation.control import Run, run_scenario
from pipelineplan.simulation.figures.curves import Curves
from pipelineplan.simulation.figures.freshness import Since, Until, freshness
from pipelineplan.simulation.figures.measures import measure
from pipelineplan.simulation.network import Network, NotSimulated, SourceLog, Stage, Visible
from pipelineplan.simulation.runs import Runs
from pipelineplan.simulation.scenario import Breaks, Outage, Scenario
from pipelineplan.simulation.schedule import over_clock_changes, run_times, starts_of

HOUR = 3600.0


def network(runs: Runs, capacity: float = 1000.0) -> Network:
    log = SourceLog("files", 1)
    return Network(log, (Stage("load", 1, capacity),), visible=Visible.AT_CHECKPOINT, runs=runs)


def run(
    runs: Runs, rate: float = 100.0, capacity: float = 1000.0, *outages: Outage, until: float = 0.0
) -> Run:
    length = until or runs.horizon_seconds
    scenario = Scenario("runs", ((0.0, rate),), outages, horizon_seconds=length, settle_seconds=length)
    return run_scenario(network(runs, capacity), scenario)


HOURLY = Runs(tuple(HOUR * number for number in range(1, 11)), horizon_seconds=11 * HOUR, least_seconds=60.0)


def test_a_run_reads_what_came_up_to_its_boundary() -> None:
    seen = run(HOURLY)
    assert [each.records for each in seen.runs] == pytest.approx([360_000.0] * 10)
    # 360,000 at 1,000/s.
    assert [each.ended - each.due for each in seen.runs] == pytest.approx([360.0] * 10)
    assert measure(seen)["peak_lag_records"][1] == pytest.approx(360_000 + 36_000, rel=0.1)


def test_results_are_as_old_as_the_wait_for_a_run_and_the_run() -> None:
    delays = freshness(Curves(run(HOURLY)), Since.RECORD, Until.COMMITTED)
    assert delays.quantile(0.5) == pytest.approx(1800 + 360, rel=0.01)
    assert delays.quantile(1.0) == pytest.approx(3600 + 360, rel=0.01)


def test_a_late_file_delays_its_run_and_those_behind_it() -> None:
    seen = run(replace(HOURLY, late_run=2, late_seconds=2.5 * HOUR))
    figures = {name: value for name, (_, value, _) in measure(seen).items()}
    assert figures["latest_result_seconds"] == pytest.approx(2.5 * HOUR + 360)
    assert figures["runs_beyond_next"] == 2
    # Two more were due meanwhile; the run at six o'clock ends before seven.
    assert figures["drain_seconds"] == pytest.approx(3 * 360.0)


def test_runs_that_take_longer_than_the_gap_fall_further_and_further_behind() -> None:
    seen = run(replace(HOURLY, least_seconds=1.1 * HOUR), until=14 * HOUR)
    late = [each.ended - each.due for each in seen.runs]
    assert late == pytest.approx([1.1 * HOUR + 0.1 * HOUR * number for number in range(len(late))])
    assert measure(seen)["drain_seconds"][1] == float("inf")


@pytest.mark.parametrize(("catch_up", "runs", "seconds"), [(True, 10, 7 * 360.0), (False, 4, 7 * 360.0)])
def test_catching_up_runs_one_by_one_or_all_at_once(catch_up: bool, runs: int, seconds: float) -> None:  # noqa: FBT001
    """Switched on after seven runs were due: as many records either way, and one run or seven."""
    seen = run(replace(HOURLY, held_until_seconds=7 * HOUR + 1, catch_up=catch_up))
    assert len(seen.runs) == runs
    first = next(each for each in seen.runs if each.begun > 7 * HOUR)
    caught_up = max(each.ended for each in seen.runs if each.due <= 7 * HOUR)
    assert caught_up - first.begun == pytest.approx(seconds)


def test_a_startup_each_run_is_paid_by_each_run() -> None:
    one, all_at_once = (
        run(replace(HOURLY, held_until_seconds=7 * HOUR + 1, catch_up=catch_up, startup_seconds=120.0))
        for catch_up in (True, False)
    )
    last = [max(each.ended for each in seen.runs if each.due <= 7 * HOUR) for seen in (one, all_at_once)]
    assert last[0] - last[1] == pytest.approx(6 * 120.0)


def test_a_micro_batch_that_overruns_begins_the_next_at_once() -> None:
    """30/s for a capacity of 40/s leave 45 s of work in each minute; with 30 s of startup it is 75 s."""
    seen = run(Runs(every_seconds=60.0, horizon_seconds=1200.0), 30.0, 40.0)
    assert [each.begun for each in seen.runs][:4] == pytest.approx([60.0, 120.0, 180.0, 240.0])
    slow = run(Runs(every_seconds=60.0, horizon_seconds=1200.0, startup_seconds=30.0), 30.0, 40.0)
    begun = [each.begun for each in slow.runs]
    assert begun[1] == slow.runs[0].ended == pytest.approx(60 + 30 + 45)
    assert begun[2] == slow.runs[1].ended == pytest.approx(135 + 30 + 75 * 30 / 40)


def test_a_job_that_dies_in_a_run_reads_it_again() -> None:
    seen = run(HOURLY, 100.0, 1000.0, Outage(Breaks.JOB, 2 * HOUR + 100.0, 0.0, 200.0))
    assert seen.phases[0].replayed_records == pytest.approx(100_000)
    assert seen.runs[1].ended == pytest.approx(2 * HOUR + 300 + 360)
    assert seen.phases[0].drain_seconds == pytest.approx(360.0)
    assert seen.fluid.departed.sum() == pytest.approx(3_600_000)


def test_a_run_that_is_broken_off_takes_its_whole_time_again() -> None:
    """It has read all, and is at 1,400 of its 1,500 s when the job dies for 600 s."""
    slow = replace(HOURLY, least_seconds=1500.0)
    seen = run(slow, 100.0, 1000.0, Outage(Breaks.JOB, 2 * HOUR + 1400.0, 0.0, 600.0))
    assert seen.runs[1].ended == pytest.approx(2 * HOUR + 2000 + 1500)
    assert seen.phases[0].drain_seconds == pytest.approx(1500.0)


def test_an_outage_between_two_runs_does_no_harm() -> None:
    seen = run(HOURLY, 100.0, 1000.0, Outage(Breaks.SOURCE, 2.5 * HOUR, 0.0, 600.0))
    assert seen.phases[0].drain_seconds == 0
    assert [each.ended - each.due for each in seen.runs] == pytest.approx([360.0] * 10)


def test_an_outage_over_three_runs_is_worked_off_run_by_run() -> None:
    seen = run(HOURLY, 100.0, 1000.0, Outage(Breaks.SOURCE, 2.5 * HOUR, 0.0, 3 * HOUR))
    # Runs were due at three, four and five o'clock; six o'clock is on time again.
    assert seen.phases[0].drain_seconds == pytest.approx(3 * 360.0)


def test_a_spring_day_has_23_hours_and_an_autumn_day_25() -> None:
    starts, _ = over_clock_changes("15 4 * * *", "Europe/Berlin")
    gaps = [(b - a) / HOUR for a, b in pairwise(starts)]
    assert sorted(set(gaps)) == [23.0, 24.0, 25.0]
    assert (gaps.count(23.0), gaps.count(25.0)) == (1, 1)


def test_a_time_that_does_not_exist_runs_an_hour_later_and_one_that_comes_twice_once() -> None:
    for day, expected in (
        (datetime(2026, 3, 29, tzinfo=UTC), 1.25),
        (datetime(2026, 10, 25, tzinfo=UTC), 0.25),
    ):
        (time,) = run_times("15 2 * * *", "Europe/Berlin", day, day.replace(hour=23))
        assert time / HOUR == expected


@pytest.mark.parametrize(
    ("cron", "count"),
    [
        ("0 * * * *", 7 * 24),
        ("*/15 8-17 * * 1-5", 5 * 40),
        ("0 0 1 * *", 0),
        ("30 6 * * 0,7", 1),
        ("0 6 6 * 1", 2),
    ],
)
def test_cron_lines(cron: str, count: int) -> None:
    """From Monday the 5th to Monday the 12th of January; both kinds of day restricted means either."""
    start, end = datetime(2026, 1, 5, tzinfo=UTC), datetime(2026, 1, 12, tzinfo=UTC)
    assert len(run_times(cron, "UTC", start, end)) == count


@pytest.mark.parametrize("cron", ["", "* * * *", "61 * * * *", "a * * * *", "*/0 * * * *", "5-1 * * * *"])
def test_what_is_no_cron_line_is_refused(cron: str) -> None:
    with pytest.raises(NotSimulated, match="cannot be read"):
        run_times(cron, "UTC", datetime(2026, 1, 5, tzinfo=UTC), datetime(2026, 1, 12, tzinfo=UTC))


def test_a_zone_must_exist_and_change_its_clocks() -> None:
    with pytest.raises(NotSimulated, match="not a time zone"):
        run_times(
            "0 1 * * *", "Mars/Base", datetime(2026, 1, 5, tzinfo=UTC), datetime(2026, 1, 6, tzinfo=UTC)
        )
    with pytest.raises(NotSimulated, match="no such day"):
        over_clock_changes("0 1 * * *", "UTC")


def test_rare_runs_are_found_and_never_ones_refused() -> None:
    starts, _ = starts_of("0 3 1 * *", "UTC")
    assert len(starts) >= 8
    with pytest.raises(NotSimulated, match="times a year"):
        starts_of("0 3 29 2 *", "UTC")
    with pytest.raises(NotSimulated, match="cannot be read"):
        starts_of("0 3 31 2 *", "UTC")


@pytest.mark.parametrize("cron", ["0 4 * * MON-FRI", "0 4 L * *", "30 6 * JAN SUN", "0 6 * * 1#1"])
def test_rules_and_runs_read_the_same_cron_lines(cron: str) -> None:
    start, end = datetime(2026, 1, 1, tzinfo=UTC), datetime(2026, 2, 2, tzinfo=UTC)
    walls = takewhile(lambda wall: wall < end.replace(tzinfo=None), wall_starts(cron, datetime(2025, 12, 31)))  # noqa: DTZ001
    expected = [(wall - datetime(2026, 1, 1)).total_seconds() for wall in walls]  # noqa: DTZ001
    assert run_times(cron, "UTC", start, end) == tuple(each for each in expected if each >= 0)
    assert cron_fault(cron) == ""
