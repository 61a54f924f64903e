"""Disorder within partitions equals the definition by hand, however the events are cut into batches."""

from __future__ import annotations

from pathlib import Path

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from pipelineplan.profiling import measure
from pipelineplan.profiling.by_partition import DisorderByPartition
from pipelineplan.profiling.recording import Batch
from pipelineplan.sources import read_profile, to_yaml

Events = list[tuple[int, int]]


def by_hand(events: Events) -> list[list[int]]:
    newest: dict[int, int] = {}
    found: list[list[int]] = [[], [], []]
    for time, partition in events:
        newest[partition] = max(newest.get(partition, time), time)
        found[partition].append(newest[partition] - time)
    return found


@given(st.lists(st.tuples(st.integers(-50, 50), st.integers(0, 2)), min_size=1), st.integers(1, 9))
def test_batches_of_any_size_equal_the_definition(events: Events, size: int) -> None:
    times, partition = np.array(events, dtype=np.int64).T
    cuts = range(0, len(events), size)
    batches = [Batch(times[a : a + size], None, partition[a : a + size].astype(np.int32)) for a in cuts]
    names = ("a", "b", "c")
    within = DisorderByPartition(names)
    assert [len(batch.event_us) for batch in within.watching(batches)] == [len(b.event_us) for b in batches]
    for name, expected in zip(names, by_hand(events), strict=True):
        counts = within.found().of[name]
        assert np.repeat(counts.values, counts.counts).tolist() == sorted(expected)
    assert within.found().pooled.total == len(events)


def test_a_slow_partition_is_disorder_only_when_merged(tmp_path: Path) -> None:
    rows = [(10, "p0"), (4, "p1"), (12, "p0"), (5, "p1"), (3, "p1")]
    file = tmp_path / "events.csv"
    file.write_text("t,p\n" + "".join(f"{1_700_000_000 + time},{name}\n" for time, name in rows))
    profile = measure([file], event_time="t", partition="p")
    assert profile.out_of_order.count == 3
    within = profile.within_partitions
    assert within is not None
    assert (within.out_of_order.count, within.out_of_order.share) == (1, 0.2)
    assert (within.worst, within.disorder_seconds.quantiles["max"]) == ("p1", 2.0)
    assert abs(within.worst_p99_seconds - 1.96) < 1e-9  # type 7 of 0, 0, 2
    written = tmp_path / "profile.yaml"
    written.write_text(to_yaml(profile))
    assert to_yaml(read_profile(written)) == to_yaml(profile)
    assert measure([file], event_time="t").within_partitions is None
