"""Twenty-one hourly looks at a day with late data and one window that truly loses 3 %.

Every event happens at a known time and 1 % of them reach the destination 10 to 40 minutes late; one
window loses 3 % for good. A look compares what the source has written by then with what has arrived.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from pathlib import Path

import duckdb
import pytest

from pipelineplan.quality.reconciling import END, Pair, Side, reconcile_files
from pipelineplan.quality.reconciling.drilling import Kind

MINUTE = 60_000_000
MIDNIGHT = 1_794_182_400_000_000  # 2026-11-09 in microseconds
EVENTS = 400_000
SNAPSHOTS = 21
LOST = 24  # the window from 02:00, which is closed at the first look
PAIR = Pair(
    "late",
    "source",
    "destination",
    ("id",),
    Side("seen"),
    Side("seen"),
    measures=("amount",),
    window_us=5 * MINUTE,
    closes_after_us=45 * MINUTE,
)


@dataclass(frozen=True)
class Alarms:
    """Over all looks: those in which the lost window is named, and windows named without a loss."""

    true: int
    false: int


@pytest.fixture(scope="module")
def looks(tmp_path_factory: pytest.TempPathFactory) -> list[tuple[dict[str, Path], int]]:
    folder = tmp_path_factory.mktemp("looks")
    connection = duckdb.connect()
    window = f"(epoch_us(seen) - {MIDNIGHT}) // {5 * MINUTE}"
    late = "CASE WHEN hash(i + 1) % 100 = 0 THEN 10 + (hash(i + 2) % 31)::BIGINT ELSE 0 END"
    drawn = f"row_number() OVER (PARTITION BY {window} ORDER BY hash(i + 3)) % 33 = 0"
    times = f"make_timestamp({MIDNIGHT} + i * 86400000000 // {EVENTS})"
    connection.execute(
        f"""CREATE TABLE events AS SELECT i AS id, ((hash(i) % 10000) / 100)::DECIMAL(9,2) AS amount, seen,
        seen + to_minutes({late}) AS arrives, {window} = {LOST} AND {drawn} AS is_lost
        FROM (SELECT i, {times} AS seen FROM range({EVENTS}) t(i))"""
    )
    found = []
    for hour in range(3, 3 + SNAPSHOTS):
        now = f"make_timestamp({MIDNIGHT + hour * 60 * MINUTE})"
        data = {}
        for role, where in (("source", f"seen < {now}"), ("destination", f"arrives < {now} AND NOT is_lost")):
            data[role] = folder / f"{role}-{hour}.parquet"
            query = f"SELECT id, amount, seen FROM events WHERE {where}"
            connection.execute(f"COPY ({query}) TO '{data[role]}' (FORMAT parquet)")
        found.append((data, MIDNIGHT + hour * 60 * MINUTE))
    return found


def alarms(pair: Pair, looks: list[tuple[dict[str, Path], int]], watermark: int | None = None) -> Alarms:
    true = false = 0
    for data, _ in looks:
        named = {window.number for window in reconcile_files(pair, data, watermark_us=watermark).alarms}
        lost = MIDNIGHT // pair.window_us + LOST
        true += lost in named
        false += len(named - {lost})
    return Alarms(true, false)


@pytest.mark.slow
def test_closed_windows_raise_every_true_alarm_and_no_false_one(
    looks: list[tuple[dict[str, Path], int]],
) -> None:
    assert len(looks) == SNAPSHOTS
    assert alarms(PAIR, looks) == Alarms(SNAPSHOTS, 0)
    # The same looks without a watermark: what is still on its way is taken for lost.
    naive = alarms(PAIR, looks, END)
    assert naive.true == SNAPSHOTS
    assert naive.false >= 150
    # A lateness that the contract does not keep helps little, and a tolerance is blind to a small loss.
    short = alarms(replace(PAIR, closes_after_us=5 * MINUTE), looks)
    assert short.true == SNAPSHOTS
    assert 100 < short.false < naive.false
    assert alarms(replace(PAIR, tolerance=0.04), looks) == Alarms(0, 0)
    print(f"false alarms: naive {naive.false}, closed after 5 min {short.false}, after 45 min 0")


def test_the_lost_records_are_named(looks: list[tuple[dict[str, Path], int]]) -> None:
    data, _ = looks[0]
    result = reconcile_files(PAIR, data)
    connection = duckdb.connect()
    missing = connection.execute(
        f"SELECT id FROM '{data['source']}' WHERE id NOT IN (SELECT id FROM '{data['destination']}') "
        f"AND (epoch_us(seen) - {MIDNIGHT}) // {5 * MINUTE} = {LOST} ORDER BY id"
    ).fetchall()
    assert [key.key for key in result.keys] == [(str(row[0]),) for row in missing]
    assert {key.kind for key in result.keys} == {Kind.MISSING}
    assert result.alarms[0].differing_share == pytest.approx(0.03, abs=0.003)
    assert result.alarms[0].start == "2026-11-09T02:00:00Z"


def test_a_committed_watermark_that_is_known_decides(looks: list[tuple[dict[str, Path], int]]) -> None:
    data, now = looks[0]
    # The destination has committed only up to 02:45: the window that loses closes at 02:50.
    result = reconcile_files(PAIR, data, watermark_us=now - 15 * MINUTE)
    assert result.verdict == "holds"
    assert result.closed == 24
    assert reconcile_files(PAIR, data, watermark_us=now - 10 * MINUTE).verdict == "fails"
    # And when it has committed nothing, nothing is compared, and nothing is said to hold.
    assert reconcile_files(PAIR, data, watermark_us=MIDNIGHT).verdict == "unknown"
