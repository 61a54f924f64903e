"""Reconciliation against a second one that is written out by hand, row by row, over random tables."""

from __future__ import annotations

import csv
from collections import Counter
from dataclasses import replace
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from pipelineplan.quality.reconciling import Pair, Side, finish, merge, partial, reconcile_files
from pipelineplan.quality.reconciling.drilling import Kind
from pipelineplan.quality.reconciling.reading import open_pair
from pipelineplan.quality.reconciling.run import judged

MINUTE = 60_000_000
PAIR = Pair(
    "x",
    "source",
    "destination",
    ("key",),
    Side("at"),
    Side("at"),
    measures=("amount",),
    columns=("word",),
    window_us=5 * MINUTE,
    closes_after_us=2 * MINUTE,
    lag_us=MINUTE,
)
Row = tuple[int, int, str, str]  # key, minute, word, amount

rows = st.lists(
    st.tuples(
        st.integers(0, 30),
        st.integers(-20, 40),
        st.sampled_from(["", "a", "ä;,", "'quote\""]),
        st.sampled_from(["0", "-1.50", "2.25", ""]),
    ),
    max_size=40,
)


def write(path: Path, table: list[Row]) -> Path:
    with path.open("w", newline="", encoding="utf-8") as stream:
        writer = csv.writer(stream)
        writer.writerow(["key", "at", "word", "amount"])
        # A row that says of what type the columns are; it is the same on both sides and balances.
        writer.writerow([1000, at_text(-20), "a", "0.25"])
        for key, minute, word, amount in table:
            writer.writerow([key, at_text(minute), word, amount])
    return path


def at_text(minute: int) -> str:
    days, rest = divmod(minute, 24 * 60)
    return (
        f"1970-01-{2 + days:02d} {rest // 60:02d}:{rest % 60:02d}:00"
        if days >= 0
        else (f"1970-01-01 {rest // 60:02d}:{rest % 60:02d}:00")
    )


def oracle(source: list[Row], destination: list[Row], accounted: list[Row]) -> dict[tuple[int, int], Kind]:
    """Per window and key of a closed window: how it differs."""
    fixed = (1000, -20, "a", "0.25")
    newest = min(max(minute for _, minute, _, _ in [*side, fixed]) for side in (source, destination))
    watermark = newest - 1
    day = 24 * 60
    sides = [
        Counter(
            ((minute + day) // 5, key, word, float(amount) if amount else None)
            for key, minute, word, amount in s
        )
        for s in (source, destination, accounted)
    ]
    left = sides[0].copy()
    left.subtract(sides[1])
    left.subtract(sides[2])
    keys = {(window, key) for window, key, _, _ in (row for row in left if left[row])}
    found = {}
    for window, key in keys:
        if (window + 1) * 5 + 2 > watermark + day:
            continue
        s, d, t = (sum(n for row, n in side.items() if row[:2] == (window, key)) for side in sides)
        if d + t == 0:
            found[window, key] = Kind.MISSING
        elif s == 0:
            found[window, key] = Kind.EXTRA
        else:
            found[window, key] = Kind.CHANGED if s == d + t else Kind.REPEATED
    return found


@given(rows, rows, rows, st.sampled_from([(1, 1, False), (1, 16, True), (4, 3, False)]))
@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_differing_keys_are_those_of_the_oracle(
    tmp_path: Path,
    both: list[Row],
    lost: list[Row],
    put_aside: list[Row],
    cut: tuple[int, int, bool],
) -> None:
    source = [*both, *lost, *put_aside]
    destination = [*both, *lost[: len(lost) // 2], *put_aside[:3]]
    data = {
        "source": write(tmp_path / "s.csv", source),
        "destination": write(tmp_path / "d.csv", destination),
    }
    pair = replace(PAIR, slices=cut[0], buckets=cut[1], portable=cut[2])
    accounted = put_aside
    terms: list[Row] = []
    if accounted:
        # Without the row that fixes types: it would not balance.
        path = tmp_path / "t.csv"
        lines = write(path, accounted).read_text("utf-8").splitlines(keepends=True)
        path.write_text(lines[0] + "".join(lines[2:]), encoding="utf-8")
        data["late_dropped"] = path
        pair = replace(pair, terms=(("late_dropped", "late"),))
        terms = accounted
    result = reconcile_files(pair, data)
    found = {(key.window, int(key.key[0] or -1)): key.kind for key in result.keys}
    assert {k if k[1] != -1 else (k[0], 0): v for k, v in found.items()} == oracle(source, destination, terms)


@given(rows, rows, st.randoms())
@settings(max_examples=15, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_shards_counted_apart_and_merged_in_any_order_give_the_same(
    tmp_path: Path, one: list[Row], other: list[Row], random: object
) -> None:
    whole = {"source": write(tmp_path / "s.csv", one), "destination": write(tmp_path / "d.csv", other)}
    reading = open_pair(PAIR, whole)
    together = merge(partial(PAIR, reading))
    reading.connection.close()
    parts = []
    for number in range(3):
        shard = {}
        for role, path in whole.items():
            lines = path.read_text("utf-8").splitlines(keepends=True)
            # The first data row stays in every shard, to fix the types, and is taken out again below.
            cut = tmp_path / f"{role}-{number}.csv"
            cut.write_text("".join(lines[:2] + lines[2 + number :: 3]), encoding="utf-8")
            shard[role] = cut
        reading = open_pair(PAIR, shard)
        parts += partial(PAIR, reading)
        reading.connection.close()
    random.shuffle(parts)  # type: ignore[attr-defined]
    merged = merge(parts)
    for role, found in together.items():
        extra = {key: totals.records for key, totals in merged[role].totals.items()}
        assert sum(extra.values()) == sum(totals.records for totals in found.totals.values()) + 2
        assert merged[role].newest_us == found.newest_us
    for window in finish(PAIR, together).windows:
        same = next(w for w in finish(PAIR, merged).windows if w.number == window.number)
        assert same.net_records == window.net_records
        assert same.net_sums == window.net_sums
        assert set(same.differing) == set(window.differing)


def test_one_key_of_each_kind_with_its_values(tmp_path: Path) -> None:
    source = tmp_path / "source.csv"
    destination = tmp_path / "destination.jsonl"
    source.write_text(
        "id,at,amount\n1,2026-11-09T10:00:00Z,10.00\n2,2026-11-09T10:01:00Z,20.00\n"
        "3,2026-11-09T10:02:00Z,30.00\n9,2026-11-09T11:30:00Z,0.5\n",
        encoding="utf-8",
    )
    destination.write_text(
        '{"id": "2", "at": "2026-11-09T11:01:00+01:00", "amount": 25}\n'
        '{"id": "3", "at": "2026-11-09 10:02:00", "amount": 30}\n'
        '{"id": "3", "at": "2026-11-09 10:02:00", "amount": 30}\n'
        '{"id": "4", "at": "2026-11-09 10:03:00", "amount": 40}\n'
        '{"id": "9", "at": "2026-11-09 11:30:00", "amount": 0.5}\n',
        encoding="utf-8",
    )
    pair = Pair("p", "s", "d", ("id",), Side("at"), Side("at"), measures=("amount",))
    result = reconcile_files(pair, {"source": source, "destination": destination})
    assert [(key.key, key.kind, key.changes) for key in result.keys] == [
        (("1",), Kind.MISSING, ()),
        (("2",), Kind.CHANGED, (("amount", "20", "25"),)),
        (("3",), Kind.REPEATED, ()),
        (("4",), Kind.EXTRA, ()),
    ]
    assert (result.closed, result.open) == (1, 1)
    assert result.alarms[0].start == "2026-11-09T10:00:00Z"
    assert result.to_json_dict()["alarms"][0]["net_sums"] == {"amount": "-65.000000"}


@pytest.mark.parametrize("kind", ["parquet", "csv", "jsonl"])
def test_every_format_gives_the_same(tmp_path: Path, kind: str) -> None:
    import duckdb

    connection = duckdb.connect()
    connection.execute(
        "CREATE TABLE s AS SELECT i AS id, TIMESTAMP '2026-11-09' + to_seconds(i) AS at, i * 0.25 AS amount "
        "FROM range(20000) t(i)"
    )
    form = {"jsonl": "json"}.get(kind, kind)
    for name, where in (("s", "true"), ("d", "id % 5000 <> 4321")):
        connection.execute(
            f"COPY (SELECT * FROM s WHERE {where}) TO '{tmp_path}/{name}.{kind}' (FORMAT {form})"
        )
    pair = Pair("p", "s", "d", ("id",), Side("at"), Side("at"), measures=("amount",), window_us=60_000_000)
    result = reconcile_files(pair, {"source": tmp_path / f"s.{kind}", "destination": tmp_path / f"d.{kind}"})
    assert [key.key for key in result.keys] == [("4321",), ("9321",), ("14321",), ("19321",)]
    assert {key.kind for key in result.keys} == {Kind.MISSING}
    assert result.closed == 333


def test_a_result_needs_no_drilled_keys_to_be_judged(tmp_path: Path) -> None:
    from pipelineplan.quality.reconciling.drilling import Drilled

    data = {"source": write(tmp_path / "s.csv", []), "destination": write(tmp_path / "d.csv", [])}
    reading = open_pair(PAIR, data)
    compared = finish(PAIR, merge(partial(PAIR, reading)), watermark_us=10**15)
    reading.connection.close()
    assert judged(PAIR, compared, Drilled()).verdict == "holds"
