"""The trade-off table is the events judged one by one, and agrees with the closed form where that holds."""

from __future__ import annotations

import csv
from pathlib import Path

import numpy as np
import pytest

from pipelineplan.errors import InputError
from pipelineplan.eventtime import Disorder, EngineRule, completeness
from pipelineplan.profiling import Choices, measure, tradeoff
from pipelineplan.profiling import recording as recording_module
from tests.eventtime.naive import Naive

START = 1_767_225_600_000


def recorded(
    folder: Path, count: int, partitions: int = 1, seed: int = 1
) -> tuple[Path, list[tuple[int, int, int]]]:
    """Event time, arrival time and partition of a Poisson stream with exponential delays, by arrival."""
    rng = np.random.default_rng(seed)
    event = START + np.cumsum(rng.exponential(50, count)).astype(int)
    arrival = event + rng.exponential(2000, count).astype(int)
    partition = rng.integers(0, partitions, count)
    order = np.argsort(arrival, kind="stable")
    rows = [(int(event[i]), int(arrival[i]), int(partition[i])) for i in order]
    file = folder / "events.csv"
    with file.open("w", newline="") as stream:
        writer = csv.writer(stream)
        writer.writerow(["t", "at", "p"])
        writer.writerows(rows)
    return file, rows


@pytest.mark.parametrize("partitions", [1, 3])
def test_each_row_is_the_naive_answer(
    tmp_path: Path, partitions: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(recording_module, "ROWS", 70)
    file, rows = recorded(tmp_path, 600, partitions)
    choices = Choices(5.0, (0.0, 0.7, 3.0), (0.0, 2.0), EngineRule.FLINK_SQL)
    table = tradeoff(
        [file], choices, event_time="t", arrival_time="at", partition="p" if partitions > 1 else None
    )
    assert [(r.lag_seconds, r.allowed_lateness_seconds) for r in table.rows] == [
        (lag, late) for lag in (0.0, 0.7, 3.0) for late in (0.0, 2.0)
    ]
    for row in table.rows:
        lag, allowed = round(row.lag_seconds * 1000), round(row.allowed_lateness_seconds * 1000)
        naive = Naive(lag, 5000, allowed, partitions=partitions, instants=(0, -1, -1))
        naive.play([(event, partition) for event, _, partition in rows])
        shares = [naive.kinds.count(kind) / len(rows) for kind in (0, 1, 2)]
        assert (row.at_first_firing, row.final, row.dropped) == pytest.approx(
            (shares[0], shares[0] + shares[1], shares[2])
        )
        waits = [rows[record][1] - start - 5000 for start, record in naive.fired_by.items()]
        assert row.latency_p50_seconds == pytest.approx(np.quantile(waits, 0.5) / 1000)
        assert row.latency_p95_seconds == pytest.approx(np.quantile(waits, 0.95) / 1000)


def test_the_measured_curve_and_the_closed_form_foretell_the_table(tmp_path: Path) -> None:
    file, _ = recorded(tmp_path, 60_000)
    disorder = Disorder.from_curve(measure([file], event_time="t", arrival_time="at").disorder())
    table = tradeoff([file], Choices(10.0, (0.0, 1.0, 4.0), (0.0, 2.0)), event_time="t", arrival_time="at")
    for row in table.rows:
        foretold = completeness(
            disorder,
            window_seconds=10.0,
            watermark_lag_seconds=row.lag_seconds,
            allowed_lateness_seconds=row.allowed_lateness_seconds,
        )
        assert foretold.at_first_firing.low == foretold.at_first_firing.high
        assert row.at_first_firing == pytest.approx(foretold.at_first_firing.low, abs=0.002)
        assert row.final == pytest.approx(foretold.final.low, abs=0.002)


def test_own_lags_run_from_nothing_lost_to_nothing_waited_and_one_is_the_knee(tmp_path: Path) -> None:
    file, _ = recorded(tmp_path, 5000)
    table = tradeoff([file], Choices(5.0), event_time="t", arrival_time="at")
    lags = [row.lag_seconds for row in table.rows]
    assert lags == sorted(lags)
    assert lags[0] == 0
    assert table.rows[-1].at_first_firing == 1
    assert table.rows[-1].dropped == 0
    knees = [row for row in table.rows if row.knee]
    assert len(knees) == 1
    assert lags[0] < knees[0].lag_seconds < lags[-1]
    # At the knee most of what waiting can win is won for less than half of the longest wait.
    won = knees[0].at_first_firing - table.rows[0].at_first_firing
    assert won > 0.6 * (1 - table.rows[0].at_first_firing)
    assert table.to_json_dict()["rows"][0]["lag_seconds"] == 0


def test_without_arrival_the_wait_is_at_least_the_lag(tmp_path: Path) -> None:
    file, _ = recorded(tmp_path, 2000)
    for row in tradeoff([file], Choices(5.0, (0.0, 1.5)), event_time="t").rows:
        assert row.latency_p50_seconds is not None
        assert row.latency_p50_seconds >= row.lag_seconds


def test_a_window_that_never_fires_has_no_latency(tmp_path: Path) -> None:
    file, _ = recorded(tmp_path, 50)
    (row,) = tradeoff([file], Choices(86_400.0, (1.0,)), event_time="t").rows
    assert row.latency_p50_seconds is None
    assert (row.at_first_firing, row.knee) == (1, False)


def test_a_key_is_no_partition(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(recording_module, "MOST_PARTITIONS", 40)
    file, _ = recorded(tmp_path, 50)
    with pytest.raises(InputError, match="wanted at most 40 partitions"):
        tradeoff([file], Choices(5.0, (1.0,)), event_time="t", partition="at")
