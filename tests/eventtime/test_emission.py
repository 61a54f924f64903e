"""Probes and idleness by arrays equal a clock that ticks through every probe, as Flink's code does."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pipelineplan.eventtime import EngineRule
from pipelineplan.eventtime.emission import Periodic, periodic_watermarks, timeliness_under
from pipelineplan.eventtime.timeliness import FixedWindows, Judgement, classify
from pipelineplan.eventtime.watermarks import NEVER, Scope, Watermark


class Ticking:
    """One partition: a counter, its value at the last probe, when inactivity was first seen."""

    def __init__(self) -> None:
        self.newest, self.counter, self.last, self.since = NEVER, 0, 0, None
        self.idle, self.emitted = False, NEVER

    def probe(self, now: int, timeout: int | None) -> None:
        if timeout is not None and self._silent(now, timeout):
            self.idle = True
            return
        self.idle, self.emitted = False, self.newest

    def _silent(self, now: int, timeout: int) -> bool:
        if self.counter != self.last:
            self.last, self.since = self.counter, None
            return False
        if self.since is None:
            self.since = now
            return False
        return now - self.since > timeout


def ticking(watermark: Watermark, periodic: Periodic, records: list[tuple[int, int, int]]) -> list[int]:
    """Play `(event time, arrival, partition)`: probe by probe, a probe before records of its instant."""
    partitions = [Ticking() for _ in range(watermark.partitions)]
    combined, due, found = NEVER, periodic.started_ms + periodic.interval_ms, []
    for time, clock, number in [*records, (0, records[-1][1], -1)]:
        while due <= clock:
            for one in partitions:
                one.probe(due, periodic.idle_timeout_ms)
            active = [one.emitted for one in partitions if not one.idle]
            combined = max(combined, min(active)) if active else combined
            due += periodic.interval_ms
        found.append(combined if combined == NEVER else combined - watermark.lag_ms)
        if number >= 0:
            partitions[number].newest = max(partitions[number].newest, time)
            partitions[number].counter += 1
    return found


@st.composite
def cases(draw: st.DrawFn) -> tuple[Watermark, Periodic, list[tuple[int, int, int]]]:
    partitions = draw(st.integers(1, 4))
    interval = draw(st.integers(1, 9))
    timeout = draw(st.none() | st.integers(1, 30))
    gaps = draw(st.lists(st.sampled_from([0, 1, 2, 7, 30, 90]), min_size=1, max_size=40))
    clocks = np.cumsum(gaps).tolist()
    draws = [(draw(st.integers(-50, 200)), clock, draw(st.integers(0, partitions - 1))) for clock in clocks]
    scope = Scope.PER_PARTITION if partitions > 1 else Scope.MERGED
    return Watermark(draw(st.integers(0, 20)), scope, partitions), Periodic(interval, 0, timeout), draws


@settings(max_examples=300, deadline=None)
@given(cases())
def test_the_arrays_equal_a_ticking_clock(
    case: tuple[Watermark, Periodic, list[tuple[int, int, int]]],
) -> None:
    watermark, periodic, records = case
    times, clocks, partition = np.array(records, dtype=np.int64).T
    found = periodic_watermarks(watermark, periodic, times, clocks, partition, EngineRule.BEAM_MODEL)
    assert found.tolist() == ticking(watermark, periodic, records)


@settings(max_examples=100, deadline=None)
@given(cases())
def test_no_record_is_later_than_with_a_watermark_at_every_record(
    case: tuple[Watermark, Periodic, list[tuple[int, int, int]]],
) -> None:
    watermark, periodic, records = case
    times, clocks, partition = np.array(records, dtype=np.int64).T
    holding = Periodic(periodic.interval_ms, 0)
    judgement = Judgement(watermark, FixedWindows(10, 5), EngineRule.FLINK_DATASTREAM)
    progress = periodic_watermarks(watermark, holding, times, clocks, partition)
    periodically = timeliness_under(progress, times, 10, 5, judgement.rule)
    assert (periodically <= classify(judgement, times, partition).timeliness).all()


@pytest.mark.parametrize(("timeout", "interval"), [(100, 10), (95, 10), (1, 10), (100, 33)])
def test_a_partition_is_idle_between_its_timeout_and_three_probes_more(timeout: int, interval: int) -> None:
    last = np.arange(0, 5 * interval, dtype=np.int64)
    waited = Periodic(interval, 0, timeout).idle_from(last) - last
    assert (waited > timeout).all()
    assert (waited <= timeout + 3 * interval).all()


def test_impossible_probes_are_refused() -> None:
    times = np.array([1, 2], dtype=np.int64)
    with pytest.raises(ValueError, match="above 0"):
        Periodic(0, 0)
    with pytest.raises(ValueError, match="clock that falls"):
        periodic_watermarks(Watermark(0), Periodic(5, 0), times, times[::-1])
    with pytest.raises(ValueError, match="no arrival time"):
        periodic_watermarks(Watermark(0), Periodic(5, 0), times, times[:1])
    with pytest.raises(ValueError, match="no partition"):
        periodic_watermarks(Watermark(0, Scope.PER_PARTITION, 2), Periodic(5, 0), times, times)
