"""A profile measured by Apache Beam is the profile that one process measures, to the last count."""

from __future__ import annotations

import json
import random
from collections.abc import Sequence
from itertools import pairwise
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pipelineplan.cli import run
from pipelineplan.engines.beam_profile import Columns, measure_on_beam
from pipelineplan.errors import InputError
from pipelineplan.profiling import measure, to_json_dict

START = 1_700_000_000_000_000


def table(rows: int, seed: int = 1) -> pa.Table:
    """Events some of which are late, with keys that differ in heat, empty ones, and repeats."""
    rng = np.random.default_rng(seed)
    arrived = START + np.sort(rng.integers(0, 600_000_000, rows))
    late = (rng.exponential(2e6, rows) * (rng.random(rows) < 0.3)).astype(np.int64)
    keys = [None if number == 3 else f"k\u00e4 {number}'" for number in rng.zipf(1.6, rows) % 40]
    return pa.table(
        {
            "at": arrived - late,
            "loaded": arrived,
            "user": pa.array(keys, pa.string()),
            "part": rng.integers(0, 5, rows),
            "id": rng.integers(0, rows * 2, rows),
        }
    )


def parquet(folder: Path, rows: int = 3000) -> Path:
    whole = table(rows)
    for number in range(3):
        piece = whole.slice(number * rows // 3, rows // 3)
        pq.write_table(piece, folder / f"part-{number}.parquet", row_group_size=rows // 10)
    return folder / "part-*.parquet"


ALL = Columns("at", None, "user", "part", ("id", "user"))


def both(
    paths: Sequence[Path], columns: Columns, rows: int = 300
) -> tuple[dict[str, object], dict[str, object]]:
    names = dict(vars(columns))
    alone = measure(paths, **names)
    shared_out = measure_on_beam(paths, columns, rows=rows)
    return to_json_dict(alone), to_json_dict(shared_out)


@pytest.mark.parametrize("arrival", [None, "loaded"])
def test_row_groups_that_are_shared_out_add_up_to_the_whole(arrival: str | None, tmp_path: Path) -> None:
    alone, shared_out = both([parquet(tmp_path)], Columns("at", arrival, "user", "part", ("id", "user")))
    assert shared_out == alone
    # There has to be something that a stretch alone would get wrong.
    first = measure([tmp_path / "part-1.parquet"], event_time="at")
    assert first.out_of_order.count > 0


def test_what_came_before_a_stretch_counts(tmp_path: Path) -> None:
    """One record far ahead in the first file makes every later one out of order."""
    for number, times in enumerate(([9_000, 1], [2, 3], [4, 5])):
        (tmp_path / f"{number}.csv").write_text("at,p\n" + "".join(f"{t},a\n" for t in times))
    alone, shared_out = both([tmp_path / "*.csv"], Columns("at", None, None, "p"))
    assert shared_out == alone
    assert shared_out["out_of_order"] == {"count": 5, "share": pytest.approx(5 / 6)}


def test_rows_that_cannot_be_read_are_counted_and_shown_alike(tmp_path: Path) -> None:
    (tmp_path / "a.csv").write_text("at,user\n1700000000,a\nnever,b\n1700000002,c\n")
    (tmp_path / "b.csv").write_text("at,user\n1700000001,a,too,many\nsoon,b\n1700000003,c\n")
    (tmp_path / "c.csv").write_text("at,user\n1700000004,d\n")
    alone, shared_out = both([tmp_path / "*.csv"], Columns("at", None, "user"))
    assert shared_out == alone
    assert alone["unreadable"]["count"] == 3  # type: ignore[index]


def test_json_lines_are_measured_alike(tmp_path: Path) -> None:
    rng = random.Random(3)
    for number in range(2):
        lines = [
            json.dumps({"at": 1_700_000_000 + rng.randrange(60), "u": rng.choice("abc")}) for _ in range(50)
        ]
        (tmp_path / f"{number}.jsonl").write_text("\n".join(lines) + "\n")
    alone, shared_out = both([tmp_path / "*.jsonl"], Columns("at", None, "u", None, ("at", "u")))
    assert shared_out == alone


@settings(max_examples=25, deadline=None)
@given(st.data())
def test_stretches_merge_to_the_whole_however_they_are_cut_and_grouped(data: st.DataObject) -> None:
    from pipelineplan.engines.beam_profile_steps import Measured
    from pipelineplan.profiling.by_partition import Within
    from pipelineplan.profiling.partials import partial
    from pipelineplan.profiling.recording import Batch

    times = data.draw(st.lists(st.integers(0, 10**9), min_size=2, max_size=60))
    cuts = sorted(data.draw(st.sets(st.integers(1, len(times) - 1), max_size=6)))
    measured, newest = [], None
    for number, (first, end) in enumerate(pairwise([0, *cuts, len(times)])):
        part = partial(Batch(np.array(times[first:end], dtype=np.int64)), newest)
        newest = part.latest_us
        measured.append(Measured(number, number, part, Within(), {}, in_order=True))
    while len(measured) > 1:
        at = data.draw(st.integers(0, len(measured) - 2))
        measured[at : at + 2] = [measured[at].merge(measured[at + 1])]
    whole, alone = measured[0].whole, partial(Batch(np.array(times, dtype=np.int64)))
    assert whole is not None
    assert (whole.events, whole.out_of_order) == (alone.events, alone.out_of_order)
    assert whole.clock_us == alone.clock_us
    for counts in ("disorder", "gaps"):
        one, two = getattr(whole, counts), getattr(alone, counts)
        assert (one.values.tolist(), one.counts.tolist()) == (two.values.tolist(), two.counts.tolist())


def test_a_stretch_that_was_lost_or_came_twice_is_no_profile() -> None:
    from pipelineplan.engines.beam_profile_steps import Measured
    from pipelineplan.profiling.by_partition import Within

    one, three = (Measured(number, number, None, Within(), {}, in_order=True) for number in (1, 3))
    for later in (one, three):
        with pytest.raises(ValueError, match="some are lost or came twice"):
            one.merge(later)


def test_arrivals_out_of_order_are_refused_with_the_way_out(tmp_path: Path) -> None:
    (tmp_path / "a.csv").write_text("at,loaded\n1,5\n2,6\n")
    (tmp_path / "b.csv").write_text("at,loaded\n3,4\n")
    with pytest.raises(InputError, match="not in order of 'loaded'"):
        measure_on_beam([tmp_path / "*.csv"], Columns("at", "loaded"))


def test_nothing_readable_says_what_stands_there(tmp_path: Path) -> None:
    (tmp_path / "a.csv").write_text("at\nnever\n")
    with pytest.raises(InputError, match=r"no row with a readable time in 'at'.*never"):
        measure_on_beam([tmp_path / "a.csv"], Columns("at"))


@pytest.mark.parametrize(
    ("options", "says"),
    [
        ("--runner=DirectRunner", "DirectRunner looks for another runner to download"),
        ("--runner DirectRunner", "DirectRunner looks for another runner to download"),
        ("--runner=SwitchingDirectRunner", "DirectRunner looks for another"),
        ("--runner=DaskRunner", "DaskRunner is silently wrong: it puts every window into the global one"),
        ("--runner=dask", "DaskRunner is silently wrong"),
        ("--runner=apache_beam.runners.dask.dask_runner.DaskRunner", "DaskRunner is silently wrong"),
        ("--runner=PrismRunner", "PrismRunner downloads a program"),
        ("--runner=NoSuchRunner", "Unexpected pipeline runner: NoSuchRunner"),
        ("--direct_num_workers=many", "argument --direct_num_workers: invalid int value: 'many'"),
    ],
)
def test_runners_that_are_refused_are_refused_with_the_reason(
    options: str, says: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "a.csv").write_text("at\n1700000000\n")
    command = ["profile", str(tmp_path / "a.csv"), "--event-time", "at", "--on", "beam"]
    assert run([*command, f"--runner-options={options}"]) == 2
    assert says in capsys.readouterr().err


def test_the_command_line_prints_the_same_profile(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    command = ["profile", str(parquet(tmp_path)), "--event-time", "at", "--key", "user", "--format", "json"]
    said = []
    for on in ([], ["--on", "beam"], ["--on", "beam", "--runner-options=--runner=FnApiRunner"]):
        assert run([*command, *on]) == 0
        said.append(capsys.readouterr().out)
    assert said[0] == said[1] == said[2]


def test_options_without_effect_are_refused(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "a.csv").write_text("at\n1700000000\n")
    command = ["profile", str(tmp_path / "a.csv"), "--event-time", "at"]
    assert run([*command, "--runner-options=--runner=FlinkRunner"]) == 2
    assert "it goes with --on beam" in capsys.readouterr().err
    assert run([*command, "--on", "flink", "--shared", str(tmp_path)]) == 2
    assert "--on flink starts a cluster of its own" in capsys.readouterr().err


def test_without_jars_and_java_flink_says_what_it_needs(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    monkeypatch.setenv("JAVA_HOME", str(tmp_path))
    (tmp_path / "a.csv").write_text("at\n1700000000\n")
    assert run(["profile", str(tmp_path / "a.csv"), "--event-time", "at", "--on", "flink"]) == 2
    said = capsys.readouterr().err
    assert "pipelineplan doctor --install beam-flink" in said
    assert "found no Java 11 or newer" in said
