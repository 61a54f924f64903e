"""Panes against the arrays for tumbling windows; Kafka Streams and Spark against loops; disagreements."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pipelineplan.eventtime import EngineRule
from pipelineplan.eventtime.disagreement import disagreements
from pipelineplan.eventtime.other_engines import kafka_streams_drops, spark_drops
from pipelineplan.eventtime.panes import Paning, Timing, play
from pipelineplan.eventtime.timeliness import FixedWindows, Judgement, Timeliness, classify
from pipelineplan.eventtime.watermarks import Watermark
from pipelineplan.eventtime.window_kinds import (
    ALWAYS,
    GlobalWindow,
    SessionWindows,
    SlidingWindows,
    assigned,
)

TIMES = st.lists(st.integers(0, 90), min_size=1, max_size=60)


@settings(max_examples=200, deadline=None)
@given(TIMES, st.sampled_from(EngineRule), st.integers(1, 15), st.integers(0, 20), st.integers(0, 15))
def test_record_by_record_equals_the_arrays(
    times: list[int], rule: EngineRule, size: int, late: int, lag: int
) -> None:
    windows = FixedWindows(size, late, 3)
    whole = classify(Judgement(Watermark(lag), windows, rule), np.array(times, dtype=np.int64))
    played = play(Paning(windows, rule), [("a", time) for time in times], whole.watermark_ms.tolist())
    assert [p.timeliness for p in played.placements] == whole.timeliness.tolist()
    assert [p.start_ms for p in played.placements] == whole.window_start_ms.tolist()
    on_time = sum(len(p.records) for p in played.panes if p.timing is Timing.ON_TIME)
    assert on_time <= (whole.timeliness == 0).sum()


@given(st.integers(-500, 500), st.integers(1, 60), st.integers(1, 60), st.integers(-20, 20))
def test_sliding_windows_are_those_around_the_record(time: int, size: int, every: int, offset: int) -> None:
    found = assigned(SlidingWindows(size, every, 0, offset), time)
    expected = [(s, s + size) for s in range(-700, 700) if (s - offset) % every == 0 and s <= time < s + size]
    assert sorted(found) == expected


@settings(max_examples=100, deadline=None)
@given(TIMES, st.integers(1, 15), st.integers(0, 20), st.data())
def test_kafka_streams_and_spark_by_arrays_equal_their_loops(
    times: list[int], size: int, patience: int, data: st.DataObject
) -> None:
    windows = FixedWindows(size)
    partition = [data.draw(st.integers(0, 2)) for _ in times]
    batch = np.cumsum([data.draw(st.sampled_from([0, 0, 1, 2])) for _ in times])
    stream_time: dict[int, int] = {}
    expected = []
    for time, own in zip(times, partition, strict=True):
        stream_time[own] = max(stream_time.get(own, -1), time)
        expected.append(time - time % size + size <= stream_time[own] - patience)
    array = np.array(times, dtype=np.int64)
    assert kafka_streams_drops(windows, array, np.array(partition), patience).tolist() == expected
    assert spark_drops(windows, array, batch, patience).tolist() == spark_loop(
        times, batch.tolist(), size, patience
    )


def spark_loop(times: list[int], batch: list[int], size: int, delay: int) -> list[bool]:
    """Batch by batch, those without data too: each remembers its watermark for the next one's filter."""
    dropped, watermark, before = [], 0, 0
    for number in range(batch[-1] + 1):
        mine = [time for time, own in zip(times, batch, strict=True) if own == number]
        dropped += [time - time % size + size <= before for time in mine]
        before, watermark = watermark, max([watermark, *(time - delay for time in mine)])
    return dropped


def spark_case() -> list[bool]:
    return spark_drops(FixedWindows(10), np.array([5, 12, 25, 7, 3]), np.array([0, 0, 1, 2, 3]), 0).tolist()


def test_spark_drops_by_the_watermark_of_the_batch_before() -> None:
    assert spark_case() == [False, False, False, True, True]
    # One batch earlier the filter has not heard of 12 yet; after a batch without data it has.
    both = np.array([5, 12, 7]), FixedWindows(10)
    assert spark_drops(both[1], both[0], np.array([0, 0, 1]), 0).tolist() == [False, False, False]
    assert spark_drops(both[1], both[0], np.array([0, 0, 2]), 0).tolist() == [False, False, True]


def test_batches_that_fall_are_refused() -> None:
    with pytest.raises(ValueError, match="never fall"):
        spark_drops(FixedWindows(10), np.array([1, 2]), np.array([1, 0]), 0)


def test_disagreements_are_named_by_record_and_engine() -> None:
    arrivals = [("a", 5), ("a", 10), ("a", 6), ("a", 11), ("a", 7)]
    found = disagreements(FixedWindows(10), Watermark(0), arrivals, batch=np.array([0, 0, 0, 1, 1]))
    assert [(row.record, row.start_ms) for row in found.rows] == [(2, 0), (4, 0)]
    assert found.rows[0].says == {
        "beam-model": "dropped",
        "beam-python": "late",
        "flink-datastream": "dropped",
        "flink-sql": "dropped",
        "kafka-streams": "dropped",
        "spark": "counted",
    }
    assert found.totals["spark"] == {"counted": 5}
    assert found.totals["beam-model"] == {"dropped": 2, "on_time": 3}


def test_engines_that_delimit_a_session_differently_are_shown() -> None:
    found = disagreements(SessionWindows(10), Watermark(50), [("a", 0), ("a", 10)])
    assert [
        (row.start_ms, row.end_ms, row.says["flink-sql"], row.says["beam-model"]) for row in found.rows
    ] == [
        (0, 20, "on_time", "in another window"),
        (10, 20, "in another window", "on_time"),
    ]


def test_nobody_disagrees_about_records_in_order() -> None:
    arrivals = [("a", time) for time in range(0, 500, 3)]
    assert disagreements(FixedWindows(10), Watermark(20), arrivals).rows == ()


def test_what_cannot_be_played_is_refused() -> None:
    with pytest.raises(ValueError, match="one more"):
        play(Paning(FixedWindows(10)), [("a", 1)], [0])
    with pytest.raises(ValueError, match="none that falls"):
        play(Paning(FixedWindows(10)), [("a", 1)], [5, 4])
    with pytest.raises(ValueError, match="numbers above 0"):
        Paning(FixedWindows(10), early_count=0)
    for make in (lambda: SlidingWindows(10, 0), lambda: SessionWindows(0), lambda: SessionWindows(5, -1)):
        with pytest.raises(ValueError, match="wanted"):
            make()


def test_early_panes_by_delay_need_a_clock_that_rises() -> None:
    paning = Paning(FixedWindows(100_000), early_delay_ms=10)
    with pytest.raises(ValueError, match="found no arrival clock"):
        play(paning, [("a", 1)], [0, 0])
    with pytest.raises(ValueError, match="2 instants for 2 records"):
        play(paning, [("a", 1), ("a", 2)], [0, 0, 0], [0, 0])
    with pytest.raises(ValueError, match="wanted a clock that rises"):
        play(paning, [("a", 1)], [0, 0], [5, 4])
    panes = play(paning, [("a", 1), ("a", 2), ("a", 3)], [0, 0, 0, 0], [0, 4, 9, 10]).panes
    assert [(pane.timing, pane.records, pane.after) for pane in panes] == [("early", (0, 1, 2), 3)]


@pytest.mark.parametrize(
    "given", [{"early_delay_ms": 0}, {"late_count": 0}, {"early_count": 2, "early_delay_ms": 5}]
)
def test_triggers_that_nobody_has_are_refused(given: dict[str, int]) -> None:
    with pytest.raises(ValueError, match="wanted"):
        Paning(FixedWindows(10), **given)  # type: ignore[arg-type]
    for rule, windows in (
        (EngineRule.FLINK_SQL, FixedWindows(10)),
        (EngineRule.BEAM_MODEL, SessionWindows(5)),
    ):
        with pytest.raises(ValueError, match="wanted"):
            Paning(windows, rule, late_count=2)


def test_nothing_is_late_in_the_window_of_all_records() -> None:
    played = play(Paning(GlobalWindow()), [("a", 10**12), ("a", 5)], [0, 10**12, ALWAYS[1]])
    assert [place.timeliness for place in played.placements] == [Timeliness.ON_TIME] * 2
    assert [(pane.timing, pane.records) for pane in played.panes] == [("on_time", (0, 1))]
