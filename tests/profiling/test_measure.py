"""Measuring by batches equals the definitions by hand, in every format, and reports what it cannot read."""

from __future__ import annotations

import builtins
import csv
import gzip
import json
from datetime import UTC, datetime, timedelta
from itertools import pairwise
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from pipelineplan.errors import InputError, MissingExtraError
from pipelineplan.profiling import measure, to_json_dict
from pipelineplan.profiling.partials import merge_all, partial, partials
from pipelineplan.profiling.recording import Batch
from pipelineplan.sources import StreamProfile, read_profile, to_yaml

EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
START = 1_767_225_600_000
Row = tuple[int, int, str]


def rows_of(seed: int, count: int = 400) -> list[Row]:
    """Event time and arrival time in ms, and a key; arrivals rise."""
    rng = np.random.default_rng(seed)
    arrival = START + np.cumsum(rng.integers(0, 3000, count))
    event = arrival - rng.exponential(4000, count).astype(int)
    keys = rng.zipf(1.7, count) % 9
    return [(int(e), int(a), f"k{k}") for e, a, k in zip(event, arrival, keys, strict=True)]


def write_csv(
    file: Path, rows: list[Any], delimiter: str = ",", header: tuple[str, ...] = ("t", "at", "k")
) -> Path:
    with file.open("w", newline="", encoding="utf-8") as stream:
        writer = csv.writer(stream, delimiter=delimiter)
        writer.writerow(header)
        writer.writerows(rows)
    return file


def figures(profile: StreamProfile) -> dict[str, Any]:
    """Everything but the names of files and columns."""
    return {name: value for name, value in to_json_dict(profile).items() if name not in {"files", "columns"}}


def by_hand(rows: list[Row]) -> tuple[list[int], list[int], list[int]]:
    """Disorder, lateness and gaps in ms, from the definitions."""
    newest, disorder = rows[0][0], []
    for event, _, _ in rows:
        newest = max(newest, event)
        disorder.append(newest - event)
    gaps = [b[1] - a[1] for a, b in pairwise(rows)]
    return disorder, [a - e for e, a, _ in rows], gaps


def test_the_figures_are_the_definitions(tmp_path: Path) -> None:
    rows = rows_of(1)
    rows += [rows[7]] * 3
    rows.sort(key=lambda row: row[1])
    profile = measure(
        [write_csv(tmp_path / "a.csv", rows)],
        event_time="t",
        arrival_time="at",
        key="k",
        partition="k",
        duplicates_by=["t", "k"],
    )
    disorder, lateness, gaps = by_hand(rows)
    assert profile.events == len(rows)
    assert profile.out_of_order.count == sum(d > 0 for d in disorder)
    for spread, values in ((profile.disorder_seconds, disorder), (profile.lateness_seconds, lateness)):
        assert spread is not None
        for name, p in (("p50", 0.5), ("p99", 0.99), ("max", 1.0)):
            assert spread.quantiles[name] == pytest.approx(np.quantile(values, p) / 1000)
    assert profile.gaps.longest_seconds == max(gaps) / 1000
    assert profile.gaps.p99_seconds == pytest.approx(np.quantile(gaps, 0.99) / 1000)
    keys = [row[2] for row in rows]
    assert profile.keys is not None
    assert profile.keys == profile.partitions
    assert profile.keys.values == len(set(keys))
    assert profile.keys.hottest_share == max(map(keys.count, keys)) / len(keys)
    assert profile.duplicates is not None
    assert profile.duplicates.count == len(rows) - len({(e, k) for e, _, k in rows}) >= 3
    assert profile.first_event_time == (EPOCH + timedelta(milliseconds=min(rows)[0])).strftime("%FT%T.%fZ")
    span = (rows[-1][1] - rows[0][1]) / 1000
    assert profile.rate.average_per_second == pytest.approx(len(rows) / span)
    carried = (
        sum(rate for _, rate in profile.rate.steps) * profile.rate.length_seconds / len(profile.rate.steps)
    )
    assert carried == pytest.approx(len(rows))


def carried(profile: StreamProfile) -> float:
    """Events under the steps of the rate."""
    ends = [start for start, _ in profile.rate.steps[1:]] + [profile.rate.length_seconds]
    return sum(rate * (end - start) for (start, rate), end in zip(profile.rate.steps, ends, strict=True))


def test_bursts_and_silence_are_in_the_rate(tmp_path: Path) -> None:
    # A minute of 2/s, an hour of nothing, a minute of 10/s.
    times = [START + i * 500 for i in range(120)] + [START + 3_660_000 + i * 100 for i in range(600)]
    profile = measure([write_csv(tmp_path / "a.csv", [(t,) for t in times], header=("t",))], event_time="t")
    assert profile.rate.peak_interval_seconds == 60
    assert profile.rate.peak_per_second == 10
    silent = [start for start, rate in profile.rate.steps if rate == 0]
    assert (silent[0], silent[-1]) == (60.0, 3650.0)
    assert carried(profile) == pytest.approx(720)
    assert profile.gaps.longest_seconds == pytest.approx(3600.5)


def test_one_wild_clock_costs_no_memory(tmp_path: Path) -> None:
    times = [0, START, START + 1, 250_000_000_000_000]
    profile = measure(
        [write_csv(tmp_path / "a.csv", [(t,) for t in times], header=("t",))], event_time="t", unit="ms"
    )
    assert profile.last_event_time.startswith("9892-")
    assert len(profile.rate.steps) <= 401
    assert carried(profile) == pytest.approx(4)


def test_without_an_arrival_time_the_order_is_that_of_the_file(tmp_path: Path) -> None:
    rows = rows_of(2)
    file = write_csv(tmp_path / "a.csv", rows)
    profile = measure([file], event_time="t")
    disorder, _, _ = by_hand(rows)
    assert profile.out_of_order.count == sum(d > 0 for d in disorder)
    assert profile.disorder_seconds.quantiles["max"] == max(disorder) / 1000
    assert profile.rate.clock == "event"
    assert profile.lateness_seconds is profile.future is profile.keys is profile.duplicates is None


def iso(milliseconds: int, hours: int = 0) -> str:
    moment = EPOCH + timedelta(milliseconds=milliseconds)
    if not hours:
        return moment.strftime("%FT%T.%f")[:-3]
    return (moment + timedelta(hours=hours)).strftime("%FT%T.%f")[:-3] + f"{hours:+03d}:00"


def test_every_format_gives_the_same_figures(tmp_path: Path) -> None:
    rows = rows_of(3)
    plain = [write_csv(tmp_path / "a.csv", rows)]
    semicolons = [write_csv(tmp_path / "b.csv", rows, ";")]
    tabs = [write_csv(tmp_path / "b.tsv", rows, "\t")]
    zones = [write_csv(tmp_path / "c.csv", [(iso(e, 2), iso(a, -5), k) for e, a, k in rows])]
    zipped = tmp_path / "z.csv.gz"
    zipped.write_bytes(gzip.compress(b"\xef\xbb\xbf" + plain[0].read_bytes()))
    mixed = [write_csv(tmp_path / "d.csv", [(iso(e) + "Z", iso(a), k) for e, a, k in rows])]
    seconds = [write_csv(tmp_path / "e.csv", [(f"{e / 1000:.3f}", a / 1000, k) for e, a, k in rows])]
    micros = [write_csv(tmp_path / "f.csv", [(e * 1000, a * 10**6, k) for e, a, k in rows])]
    lines = tmp_path / "g.jsonl"
    lines.write_text("".join(json.dumps({"x": [1], "t": e, "at": iso(a), "k": k}) + "\n" for e, a, k in rows))
    columns = dict(zip(("t", "at", "k"), zip(*rows, strict=True), strict=True))
    types = {
        "t": pa.array(columns["t"], pa.timestamp("ms", "UTC")),
        "at": pa.array(columns["at"], pa.timestamp("ns")),
    }
    nanos = {"at": pa.array(np.array(columns["at"]) * 10**6, pa.timestamp("ns"))}
    pq.write_table(pa.table(types | nanos | {"k": columns["k"]}), tmp_path / "h.parquet", row_group_size=100)
    pq.write_table(pa.table(columns), tmp_path / "i.parquet")
    write_csv(tmp_path / "part-1.csv", rows[:150])
    write_csv(tmp_path / "part-2.csv", rows[150:])
    pieces: list[list[Any]] = [
        [zipped],
        semicolons,
        tabs,
        zones,
        mixed,
        seconds,
        micros,
        [lines],
        [tmp_path / "h.parquet"],
        [str(tmp_path / "i.par*")],
        [str(tmp_path / "part-*.csv")],
        [tmp_path / "part-2.csv", tmp_path / "part-1.csv"],
    ]
    expected = figures(measure(plain, event_time="t", arrival_time="at", key="k"))
    for paths in pieces:
        assert figures(measure(paths, event_time="t", arrival_time="at", key="k")) == expected, paths
    # Equal arrival times are in file order, so a shuffle is compared where none are equal.
    apart = [(e, a + i, k) for i, (e, a, k) in enumerate(rows)]
    shuffled = sorted(apart, key=lambda row: row[0] % 101)
    sorted_ = figures(measure([write_csv(tmp_path / "s.csv", apart)], event_time="t", arrival_time="at"))
    assert (
        figures(measure([write_csv(tmp_path / "r.csv", shuffled)], event_time="t", arrival_time="at"))
        == sorted_
    )


events = st.lists(st.tuples(st.integers(0, 10**7), st.integers(0, 10**6)), min_size=1, max_size=60)


@settings(max_examples=150, deadline=None)
@given(events, st.lists(st.integers(0, 60), max_size=6), st.sampled_from(["arrival", "event"]))
def test_stretches_add_up_to_the_whole_in_any_grouping(
    drawn: list[tuple[int, int]], cuts: list[int], clock: str
) -> None:
    with_arrival = clock == "arrival"
    event = np.array([e for e, _ in drawn], dtype=np.int64)
    arrival = np.cumsum([a for _, a in drawn])
    edges = sorted({0, len(drawn), *(cut for cut in cuts if cut < len(drawn))})
    batches = [Batch(event[a:b], arrival[a:b] if with_arrival else None) for a, b in pairwise(edges)]
    whole = partial(Batch(event, arrival if with_arrival else None))
    parts = list(partials(batches))
    leftmost = parts[0]
    for part in parts[1:]:
        leftmost = leftmost.merge(part)
    rightmost = parts[-1]
    for part in reversed(parts[:-1]):
        rightmost = part.merge(rightmost)
    for merged in (leftmost, rightmost, merge_all(parts)):
        assert merged is not None
        assert plain(merged) == plain(whole)


def plain(value: Any) -> Any:
    """Partials without arrays, so that they can be compared."""
    fields = vars(value) | {"seconds": value.seconds.counts, "width": value.seconds.width_seconds}
    return {
        k: (v.values.tolist(), v.counts.tolist()) if hasattr(v, "counts") else v for k, v in fields.items()
    }


def test_bad_values_are_counted_and_shown_with_their_lines(tmp_path: Path) -> None:
    file = tmp_path / "bad.csv"
    file.write_text(
        f"t,at\n{START},{START}\nnever,{START}\n{START}\n,{START}\n{START + 9},{START + 9}\nx,y,z\nq,1\n"
    )
    profile = measure([file], event_time="t", arrival_time="at")
    assert profile.events == 2
    assert profile.unreadable.count == 5
    shown = "\n".join(profile.unreadable.first)
    for line, found in ((3, "never"), (5, "nothing"), (8, "q")):
        assert f"line {line}: found '{found}" in shown
    assert "line 4: missing columns" in shown
    assert "line 7: too many columns" in shown


def test_bad_lines_of_json_are_counted(tmp_path: Path) -> None:
    file = tmp_path / "bad.jsonl"
    file.write_text(f'{{"t": {START}}}\nnot json\n{{"u": 1}}\n{{"t": "2026-02-30"}}\n{{"t": {START + 1}}}\n')
    profile = measure([file], event_time="t")
    assert (profile.events, profile.unreadable.count) == (2, 3)
    assert profile.unreadable.first[-1] == f"{file} row 4: found '2026-02-30'"


def test_clocks_that_are_ahead_and_wild_values(tmp_path: Path) -> None:
    rows: list[tuple[Any, int]] = [(START, START), (START, START), (START + 5000, START + 1)]
    rows += [(2**62, START + 2), ("inf", START + 3), (-(2**60), START + 4), (START, START + 5)]
    profile = measure(
        [write_csv(tmp_path / "a.csv", rows, header=("t", "at"))], event_time="t", arrival_time="at"
    )
    assert (profile.events, profile.unreadable.count) == (4, 3)
    assert profile.future is not None
    assert (profile.future.count, profile.future.furthest_seconds) == (1, 4.999)


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("t,at\nno,1\nnope,2\n", "found no row with a readable time in 't'"),
        ("t,at\n", "the files are empty"),
        ("time,at\n1,2\n", "did you mean"),
        ("a,b\n1,2\n", "its columns are a, b"),
    ],
)
def test_nothing_to_measure_is_an_input_error(tmp_path: Path, text: str, says: str) -> None:
    file = tmp_path / "a.csv"
    file.write_text(text)
    with pytest.raises(InputError, match=says):
        measure([file], event_time="t" if "time" not in text else "times")


def test_files_that_cannot_be_read_are_all_named(tmp_path: Path) -> None:
    (tmp_path / "orders.csv").write_text("t\n1\n")
    (tmp_path / "a.xls").write_text("")
    (tmp_path / "broken.parquet").write_bytes(b"not parquet")
    with pytest.raises(InputError) as caught:
        measure([tmp_path / "order.csv", tmp_path / "a.xls", str(tmp_path / "*.jsonl")], event_time="t")
    said = str(caught.value)
    assert "did you mean 'orders.csv'" in said
    assert "'.xls'" in said
    assert "no file matches" in said
    with pytest.raises(InputError, match="cannot be read as parquet"):
        measure([tmp_path / "broken.parquet"], event_time="t")
    with pytest.raises(InputError, match="found no file"):
        measure([], event_time="t")


@pytest.mark.parametrize("name", ['t"; DROP TABLE x; --', "it's", "a,b", "ünïcode 🎈", "select"])
@pytest.mark.parametrize("form", ["csv", "jsonl", "parquet"])
def test_names_are_data_and_not_sql(tmp_path: Path, name: str, form: str) -> None:
    file = tmp_path / f"o'clock;\".{form}"
    rows = rows_of(4, 20)
    if form == "csv":
        write_csv(file, [(e, k) for e, _, k in rows], header=(name, "k'\""))
    elif form == "jsonl":
        file.write_text("".join(json.dumps({name: e, "k'\"": k}) + "\n" for e, _, k in rows))
    else:
        pq.write_table(pa.table({name: [e for e, _, _ in rows], "k'\"": [k for _, _, k in rows]}), file)
    profile = measure([file], event_time=name, key="k'\"", partition=name, duplicates_by=["k'\"", name])
    assert profile.events == 20
    assert profile.unreadable.count == 0


def test_small_numbers_are_seconds_unless_the_unit_is_said(tmp_path: Path) -> None:
    file = write_csv(tmp_path / "a.csv", [(0,), (50,), (10,)], header=("t",))
    assert measure([file], event_time="t").disorder_seconds.quantiles["max"] == 40
    assert measure([file], event_time="t", unit="ms").disorder_seconds.quantiles["max"] == 0.04


def test_progress_is_told_and_a_single_event_is_enough(tmp_path: Path) -> None:
    told: list[int] = []
    profile = measure(
        [write_csv(tmp_path / "a.csv", [(START, START, "k")])], event_time="t", progress=told.append
    )
    assert told[-1] == profile.events == 1
    assert profile.gaps.longest_seconds == 0
    assert profile.rate.peak_per_second == 1


@settings(max_examples=15, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.integers(0, 2**32))
def test_a_profile_survives_its_file(tmp_path: Path, seed: int) -> None:
    profile = measure(
        [write_csv(tmp_path / "a.csv", rows_of(seed, 50))], event_time="t", arrival_time="at", key="k"
    )
    file = tmp_path / "profile.yaml"
    file.write_text(to_yaml(profile), encoding="utf-8")
    assert to_yaml(read_profile(file)) == to_yaml(profile)
    assert to_json_dict(read_profile(file)) == to_json_dict(profile)


def test_without_the_extra_it_is_named(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    real = builtins.__import__

    def without(name: str, *rest: Any, **more: Any) -> Any:
        if name == "duckdb":
            raise ModuleNotFoundError(name)
        return real(name, *rest, **more)

    monkeypatch.setattr(builtins, "__import__", without)
    with pytest.raises(MissingExtraError, match=r"pipelineplan\[data\]"):
        measure([tmp_path / "a.csv"], event_time="t")
