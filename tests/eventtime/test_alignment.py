"""Alignment as Flink's source has it: transcripts, and laws on random arrivals."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import yaml
from hypothesis import given, settings
from hypothesis import strategies as st

from pipelineplan.eventtime.alignment import Alignment, aligned

FOLDER = Path(__file__).parents[1] / "transcripts" / "aligned"
TRANSCRIPTS = [
    pytest.param(transcript, id=transcript["name"])
    for file in sorted(FOLDER.glob("*.yaml"))
    for transcript in yaml.safe_load(file.read_text(encoding="utf-8"))
]


@pytest.mark.parametrize("transcript", TRANSCRIPTS)
def test_each_record_is_read_when_flink_would_read_it(transcript: dict[str, Any]) -> None:
    alignment = Alignment(transcript["drift"], 100, idle_timeout_ms=transcript.get("idle_timeout"))
    columns = zip(*transcript["records"], strict=True)
    assert [[read.record, read.clock_ms] for read in aligned(alignment, *columns)] == transcript["reads"]


arrivals = st.lists(
    st.tuples(st.integers(0, 2000), st.integers(0, 400), st.integers(0, 3)), min_size=1, max_size=40
)


@settings(max_examples=300, deadline=None)
@given(arrivals, st.integers(0, 500), st.integers(1, 300), st.one_of(st.none(), st.integers(1, 900)))
def test_nothing_is_lost_early_or_overtaken(
    drawn: list[tuple[int, int, int]], drift: int, interval: int, idle: int | None
) -> None:
    events = [event for event, _, _ in drawn]
    clocks = [sum(step for _, step, _ in drawn[: at + 1]) for at in range(len(drawn))]
    partition = [number for _, _, number in drawn]
    reads = aligned(Alignment(drift, interval, 0, idle), events, clocks, partition)
    assert sorted(read.record for read in reads) == list(range(len(drawn)))
    assert all(read.clock_ms >= clocks[read.record] for read in reads)
    assert [read.clock_ms for read in reads] == sorted(read.clock_ms for read in reads)
    for number in range(4):
        own = [read.record for read in reads if partition[read.record] == number]
        assert own == sorted(own)
    # A record that waited was let in by an announcement, and one that did not came at once.
    assert all(read.clock_ms == clocks[read.record] or read.clock_ms % interval == 0 for read in reads)
    free = aligned(Alignment(10**9, interval, 0, idle), events, clocks, partition)
    assert [read.clock_ms for read in free] == clocks


def test_a_clock_since_1970_takes_no_longer() -> None:
    start = 1_767_225_600_000
    reads = aligned(Alignment(10, 100), [5, 50, 6], [start, start + 5, start + 10**9], [0, 0, 0])
    assert [read.clock_ms for read in reads] == [start, start + 5, start + 10**9]


@pytest.mark.parametrize(("drift", "interval"), [(-1, 100), (5, 0)])
def test_what_makes_no_sense_is_refused(drift: int, interval: int) -> None:
    with pytest.raises(ValueError, match="wanted a drift"):
        Alignment(drift, interval)


def test_columns_have_to_fit() -> None:
    with pytest.raises(ValueError, match="different lengths"):
        aligned(Alignment(1), [1], [1, 2], [0])
    with pytest.raises(ValueError, match="clock that falls"):
        aligned(Alignment(1), [1, 1], [2, 1], [0, 0])
