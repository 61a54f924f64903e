"""The vectorised answer equals the naive one, whole or in chunks, and conserves records."""

from __future__ import annotations

from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pipelineplan.eventtime import EngineRule
from pipelineplan.eventtime.timeliness import FixedWindows, Judgement, classify
from pipelineplan.eventtime.watermarks import FURTHEST_MS, NEVER, Scope, Watermark, WatermarkState, advance
from pipelineplan.eventtime.windows import STILL_OPEN, WindowTally, count_windows
from tests.eventtime.naive import Naive


@st.composite
def cases(draw: st.DrawFn) -> tuple[Judgement, list[tuple[int, int]], list[int]]:
    """A judgement, records that crowd around the instants where it matters, and cuts into chunks."""
    size = draw(st.integers(1, 20))
    partitions = draw(st.integers(1, 4))
    scope = Scope.PER_PARTITION if partitions > 1 else Scope.MERGED
    judgement = Judgement(
        Watermark(draw(st.integers(0, 30)), scope, partitions),
        FixedWindows(size, draw(st.integers(0, 30)), draw(st.integers(-25, 25))),
        draw(st.sampled_from(EngineRule)),
    )
    times = st.one_of(st.integers(-60, 120), st.integers(-3, 8).map(lambda k: k * size))
    records = draw(st.lists(st.tuples(times, st.integers(0, partitions - 1)), max_size=60))
    cuts = draw(st.lists(st.integers(0, len(records)), max_size=4))
    return judgement, records, sorted({0, *cuts, len(records)})


def naive(judgement: Judgement, records: list[tuple[int, int]]) -> Naive:
    instants = judgement.rule.instants
    return Naive(
        lag=judgement.watermark.lag_ms,
        size=judgement.windows.size_ms,
        allowed=judgement.windows.allowed_lateness_ms,
        offset=judgement.windows.offset_ms,
        partitions=judgement.watermark.partitions,
        instants=(instants.watermark_ms, instants.late_ms, instants.dropped_ms),
    ).play(records)


def arrays(records: list[tuple[int, int]]) -> tuple[np.ndarray, np.ndarray]:
    times, partitions = zip(*records, strict=True) if records else ((), ())
    return np.array(times, dtype=np.int64), np.array(partitions, dtype=np.int32)


@settings(max_examples=400, deadline=None)
@given(cases())
def test_vectorised_and_chunked_equal_the_naive_answer(
    case: tuple[Judgement, list[tuple[int, int]], list[int]],
) -> None:
    judgement, records, cuts = case
    expected = naive(judgement, records)
    times, partition = arrays(records)
    whole = classify(judgement, times, partition)
    assert whole.timeliness.tolist() == expected.kinds

    tally, state, kinds = WindowTally(judgement), None, []
    for start, end in pairwise(cuts):
        chunk = classify(judgement, times[start:end], partition[start:end], state)
        state = chunk.state
        kinds += chunk.timeliness.tolist()
        tally.take(chunk)
    assert kinds == expected.kinds
    counts = tally.finish()
    found = {
        int(s): [int(a), int(b), int(c)]
        for s, a, b, c in zip(counts.start_ms, counts.on_time, counts.late, counts.dropped, strict=True)
    }
    assert found == expected.windows
    fired = {int(s): int(f) for s, f in zip(counts.start_ms, counts.fired_by, strict=True) if f != STILL_OPEN}
    assert fired == expected.fired_by
    assert sum(counts.totals) == len(records)


@settings(max_examples=100, deadline=None)
@given(cases())
def test_states_of_stretches_merge_into_the_state_of_the_whole(
    case: tuple[Judgement, list[tuple[int, int]], list[int]],
) -> None:
    judgement, records, cuts = case
    times, partition = arrays(records)
    start = WatermarkState.start(judgement.watermark)
    merged = start
    for a, b in pairwise(cuts):
        merged = merged.merge(advance(start, times[a:b], partition[a:b])[1])
    whole = advance(start, times, partition)[1]
    assert merged.highest_ms.tolist() == whole.highest_ms.tolist()
    assert merged.records == whole.records == len(records)


@settings(max_examples=100, deadline=None)
@given(cases(), st.integers(0, 20))
def test_more_lag_makes_nothing_later(
    case: tuple[Judgement, list[tuple[int, int]], list[int]], more: int
) -> None:
    judgement, records, _ = case
    times, partition = arrays(records)
    watermark = judgement.watermark
    patient = Judgement(
        Watermark(watermark.lag_ms + more, watermark.scope, watermark.partitions),
        judgement.windows,
        judgement.rule,
    )
    assert (
        classify(patient, times, partition).timeliness <= classify(judgement, times, partition).timeliness
    ).all()


def test_engines_that_should_agree_do() -> None:
    times = np.random.default_rng(7).integers(0, 3000, 5000)
    windows = FixedWindows(10, 20)
    beam, flink = (
        classify(Judgement(Watermark(15), windows, rule), times).timeliness
        for rule in (EngineRule.BEAM_MODEL, EngineRule.FLINK_DATASTREAM)
    )
    assert (beam == flink).all()


def test_a_silent_partition_holds_the_watermark() -> None:
    watermark = Watermark(0, Scope.PER_PARTITION, partitions=2)
    progress, _ = advance(WatermarkState.start(watermark), np.array([5, 9], dtype=np.int64), np.array([0, 0]))
    assert progress.tolist() == [NEVER, NEVER, NEVER]


def test_windows_far_apart_are_counted_without_a_table_between_them() -> None:
    times = np.array([0, 2**50, 1, 2**50 + 1], dtype=np.int64)
    counts = count_windows(Judgement(Watermark(0), FixedWindows(10, 2**55)), times)
    assert counts.start_ms.tolist() == [0, 2**50 // 10 * 10]
    assert (counts.on_time.tolist(), counts.late.tolist()) == ([1, 2], [1, 0])


def test_many_chunks_are_merged_on_the_way(monkeypatch: pytest.MonkeyPatch) -> None:
    times = np.random.default_rng(3).integers(0, 5000, 3000)
    judgement = Judgement(Watermark(100), FixedWindows(7, 50))
    expected = count_windows(judgement, times)
    monkeypatch.setattr("pipelineplan.eventtime.windows._MOST_ROWS_UNMERGED", 20)
    monkeypatch.setattr("pipelineplan.eventtime.timeliness.CHUNK", 64)
    found = count_windows(judgement, times)
    for name in ("start_ms", "on_time", "late", "dropped", "fired_by"):
        assert getattr(found, name).tolist() == getattr(expected, name).tolist()


@pytest.mark.parametrize("time", [FURTHEST_MS, -FURTHEST_MS])
def test_event_times_that_would_overflow_are_refused(time: int) -> None:
    with pytest.raises(ValueError, match="36 million years"):
        classify(Judgement(Watermark(0), FixedWindows(1)), np.array([time], dtype=np.int64))


def test_partitions_that_do_not_exist_are_refused() -> None:
    judgement = Judgement(Watermark(0, Scope.PER_PARTITION, 2), FixedWindows(1))
    with pytest.raises(ValueError, match="wanted 0 to 1"):
        classify(judgement, np.array([1], dtype=np.int64), np.array([2]))
    with pytest.raises(ValueError, match="no partition"):
        classify(judgement, np.array([1], dtype=np.int64))


@pytest.mark.parametrize(
    "make",
    [
        lambda: Watermark(-1),
        lambda: Watermark(0, Scope.PER_PARTITION, 0),
        lambda: FixedWindows(0),
        lambda: FixedWindows(1, -1),
        lambda: FixedWindows(2**60 + 1),
    ],
)
def test_impossible_settings_are_refused(make: object) -> None:
    with pytest.raises(ValueError, match="wanted"):
        make()  # type: ignore[operator]
