"""Flags of records against a second one written out record by record, and against the published table."""

from __future__ import annotations

import csv
import re
from itertools import pairwise
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from pipelineplan.eventtime.timeliness import FixedWindows, Judgement
from pipelineplan.eventtime.watermarks import Watermark
from pipelineplan.eventtime.windows import count_windows
from pipelineplan.quality.streaming import Records, flagged, merge, partial

RECORDED = Path(__file__).parents[3] / "../shared/data/out-of-order"
JUDGEMENT = Judgement(Watermark(5), FixedWindows(20, 10))

streams = st.lists(
    st.tuples(st.integers(-50, 200), st.integers(0, 4), st.integers(0, 6), st.booleans()),
    min_size=1,
    max_size=60,
)


@given(streams, st.integers(0, 60))
def test_flags_are_those_of_a_walk_record_by_record(
    rows: list[tuple[int, int, int, bool]], horizon: int
) -> None:
    event, key, number, gone = (np.array(column) for column in zip(*rows, strict=True))
    identity = key * 10 + number
    clock = np.arange(len(rows)) * 7
    found = flagged(
        JUDGEMENT, Records(event, key, identity, clock, horizon, number, number, gone.astype(np.bool_))
    ).flags
    newest: dict[int, int] = {}
    version: dict[int, int] = {}
    last_seen: dict[int, int] = {}
    for at, (time, k, n, is_gone) in enumerate(rows):
        before = rows[:at]
        assert found["out_of_order"][at] == any(other > time for other, *_ in before)
        assert found["out_of_order_in_key"][at] == (k in newest and newest[k] > time)
        seen = last_seen.get(k * 10 + n)
        assert found["duplicate"][at] == (seen is not None and at * 7 - seen <= horizon)
        is_repeat = seen is not None and at * 7 - seen <= horizon
        assert found["stale_correction"][at] == (k in version and version[k] >= n and not is_repeat)
        assert found["unknown_delete"][at] == (is_gone and all(other != k for _, other, *_ in before))
        newest[k] = max(newest.get(k, time), time)
        version[k] = max(version.get(k, n), n)
        last_seen[k * 10 + n] = at * 7
    for k in set(key.tolist()):
        numbers = sorted({n for _, other, n, _ in rows if other == k})
        gaps = sum(b > a + 1 for a, b in pairwise(numbers))
        assert found["gap"][key == k].sum() == gaps


@given(streams, st.integers(1, 60))
def test_tables_of_shards_add_up_to_that_of_the_whole(
    rows: list[tuple[int, int, int, bool]], cut: int
) -> None:
    event, key, *_ = (np.array(column) for column in zip(*rows, strict=True))
    whole = flagged(JUDGEMENT, Records(event, key))
    parts = [
        type(whole)(whole.window_start_ms[part], {name: flags[part] for name, flags in whole.flags.items()})
        for part in (slice(0, cut), slice(cut, None))
        if len(whole.window_start_ms[part])
    ]
    assert merge(map(partial, reversed(parts))) == partial(whole)


@pytest.mark.parametrize("number", [1, 2, 3])
@pytest.mark.parametrize(("lag", "size"), [(0, 1000), (500, 10_000), (2000, 60_000)])
def test_the_recorded_events_late_as_eventtime_out_of_order_as_published(
    number: int, lag: int, size: int
) -> None:
    file = RECORDED / f"d-{number}.csv"
    if not file.exists():
        pytest.skip("the recorded out-of-order events are not beside this repository")
    with file.open(encoding="utf-8", newline="") as stream:
        rows = sorted(
            csv.DictReader(stream, delimiter=";"), key=lambda r: int(r["S.Message.received.time.ms"])
        )
    event = np.array([int(row["S.Client.Detection.Time"]) for row in rows])
    judgement = Judgement(Watermark(lag), FixedWindows(size, 500))
    metrics = partial(flagged(judgement, Records(event)))
    counts = count_windows(judgement, event)
    table = {row["window_start"].timestamp() * 1000: row for row in metrics.rows()}
    for at, start in enumerate(counts.start_ms):
        assert table[start]["late"] == counts.late[at]
        assert table[start]["dropped"] == counts.dropped[at]
    summary = (RECORDED / f"d-{number}-summary.txt").read_text(encoding="utf-8")
    published = {int(text) for text in re.findall(r"\b(?:1544|3666|3277)\b", summary)}
    assert {metrics.total("out_of_order")} == published
    assert metrics.total("records") == {1: 9600, 2: 10800, 3: 9600}[number]
