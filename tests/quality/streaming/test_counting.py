"""A stream counted in parts: the same table however it is cut, and what a plan says of its columns."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from pipelineplan.errors import InputError
from pipelineplan.eventtime.timeliness import FixedWindows, Judgement
from pipelineplan.eventtime.watermarks import Watermark
from pipelineplan.quality.streaming import Counted, Records, Stream, count_stream, flagged, partial

pa = pytest.importorskip("pyarrow", reason="pyarrow is not installed")
pq = pytest.importorskip("pyarrow.parquet")

JUDGEMENT = Judgement(Watermark(2_000), FixedWindows(10_000, 5_000))
STREAM = Stream(
    JUDGEMENT,
    "at",
    key=("key",),
    identity=("key", "number"),
    horizon_ms=3_000,
    version="version",
    sequence="number",
    operation="op",
)
KEYS_APART = replace(STREAM, identity=("number",), version=None)


def columns(rows: int = 6_000) -> dict[str, np.ndarray]:
    chance = np.random.default_rng(3)
    event = np.arange(rows) * 40 - (chance.exponential(1_500, rows) * (chance.random(rows) < 0.4)).astype(int)
    return {
        "at": event - 60_000,  # also before 1970
        "key": chance.integers(0, 40, rows),
        "number": chance.integers(0, 60, rows),
        "version": chance.integers(0, 300, rows),
        "op": np.where(chance.random(rows) < 0.1, "d", "u"),
    }


@pytest.fixture
def files(tmp_path: Path) -> Path:
    table = pa.table(columns())
    table = table.set_column(0, "at", table["at"].cast(pa.timestamp("ms", "UTC")))
    for number in range(3):
        pq.write_table(table.slice(number * 2_000, 2_000), tmp_path / f"part-{number}.parquet")
    return tmp_path


def whole(stream: Stream) -> Counted:
    """The table that all records at once give."""
    own = columns()
    _, identity = np.unique(np.stack([own[name] for name in stream.identity]), axis=1, return_inverse=True)
    records = Records(
        own["at"],
        key=own["key"],
        identity=identity,
        horizon_ms=stream.horizon_ms,
        sequence=own["number"],
        version=own["version"] if stream.version else None,
        is_delete=own["op"] == "d",
    )
    return Counted(partial(flagged(stream.judgement, records)))


@pytest.mark.parametrize("stream", [STREAM, KEYS_APART, replace(STREAM, identity=("number",))])
@pytest.mark.parametrize("bucket_rows", [10**6, 1_500])
def test_parts_add_up_to_the_whole(files: Path, stream: Stream, bucket_rows: int) -> None:
    found = count_stream(stream, files, bucket_rows)
    assert found == whole(stream)
    assert all(map(found.metrics.total, ("late", "dropped", "duplicate", "gap", "unknown_delete")))
    assert found.metrics.rows()[0].keys() == whole(stream).metrics.rows()[0].keys()


def test_rows_without_a_time_are_counted_and_in_no_window(tmp_path: Path) -> None:
    (tmp_path / "s.csv").write_text("at,key\n2026-01-01T00:00:00Z,a\nnever,b\n,a\n", encoding="utf-8")
    found = count_stream(Stream(JUDGEMENT, "at", key=("key",)), tmp_path / "s.csv")
    assert (found.metrics.total("records"), found.unreadable) == (1, 2)


def test_what_is_missing_is_named(files: Path, tmp_path: Path) -> None:
    with pytest.raises(InputError, match="found no column 'op_kind'"):
        count_stream(replace(STREAM, operation="op_kind"), files)
    with pytest.raises(InputError, match="no data file there"):
        count_stream(STREAM, tmp_path / "nothing")


@pytest.fixture
def on_beam() -> Callable[..., Counted]:
    pytest.importorskip("apache_beam", reason="Apache Beam is not installed")
    from pipelineplan.engines.beam_streams import count_on_beam

    return count_on_beam


@pytest.mark.parametrize("stream", [STREAM, KEYS_APART])
def test_beam_counts_the_same_in_this_process(
    files: Path, on_beam: Callable[..., Counted], stream: Stream
) -> None:
    assert on_beam(stream, files, bucket_rows=1_500) == whole(stream)


def test_beam_counts_the_same_on_two_processes(files: Path, on_beam: Callable[..., Counted]) -> None:
    options = ("--direct_running_mode=multi_processing", "--direct_num_workers=2")
    assert on_beam(STREAM, files, options, bucket_rows=1_500) == whole(STREAM)


def test_what_cannot_be_shared_out_is_refused(
    files: Path, tmp_path: Path, on_beam: Callable[..., Counted]
) -> None:
    with pytest.raises(InputError, match="known by other fields than their key"):
        on_beam(replace(STREAM, identity=("number",)), files)
    with pytest.raises(InputError, match="DaskRunner is silently wrong"):
        on_beam(STREAM, files, ("--runner=DaskRunner",))
    (tmp_path / "s.csv").write_text("at\n1\n", encoding="utf-8")
    with pytest.raises(InputError, match="guessed by each worker"):
        on_beam(Stream(JUDGEMENT, "at"), tmp_path / "s.csv")
