"""Reconciliation on Apache Beam gives the numbers of one process, however the files are cut."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import duckdb
import pytest

from pipelineplan.engines.beam_quality import add_values, reconcile_on_beam
from pipelineplan.errors import InputError
from pipelineplan.quality.reconciling import Pair, Side, finish, merge, partial, reconcile_files
from pipelineplan.quality.reconciling.reading import open_pair

PAIR = Pair(
    "p",
    "s",
    "d",
    ("id",),
    Side("seen"),
    Side("seen"),
    measures=("amount",),
    columns=("word",),
    window_us=600_000_000,
    slices=4,
    buckets=4,
    portable=True,
)


@pytest.fixture(scope="module")
def shards(tmp_path_factory: pytest.TempPathFactory) -> dict[str, list[Path]]:
    folder = tmp_path_factory.mktemp("shards")
    duckdb.execute(
        "CREATE OR REPLACE TABLE s AS SELECT i AS id, TIMESTAMP '2026-11-09' + to_seconds(i) AS seen, "
        "(i % 997 / 100)::DECIMAL(9,2) AS amount, 'w' || i % 7 AS word FROM range(20000) t(i)"
    )
    found: dict[str, list[Path]] = {"source": [], "destination": []}
    for role, where in (("source", "true"), ("destination", "id % 6000 <> 1234")):
        for number in range(3):
            path = folder / f"{role}-{number}.parquet"
            query = f"SELECT * FROM s WHERE {where} AND hash(id) % 3 = {number}"
            duckdb.execute(f"COPY ({query}) TO '{path}' (FORMAT parquet)")
            found[role].append(path)
    return found


TWO_PROCESSES = ("--direct_running_mode=multi_processing", "--direct_num_workers=2")


@pytest.mark.parametrize("runner_options", [(), TWO_PROCESSES])
def test_the_same_numbers_as_one_process(
    shards: dict[str, list[Path]], runner_options: tuple[str, ...]
) -> None:
    on_beam = reconcile_on_beam(PAIR, shards, runner_options=runner_options)
    whole = {role: files[0].parent / f"{role}-*.parquet" for role, files in shards.items()}
    reading = open_pair(PAIR, whole)
    here = finish(PAIR, merge(partial(PAIR, reading)))
    reading.connection.close()
    assert on_beam == here
    assert len(here.closed) == 33
    # And the segments that differ hold the keys that are missing.
    result = reconcile_files(PAIR, whole)
    assert [key.key for key in result.keys] == [("1234",), ("7234",), ("13234",), ("19234",)]
    assert {window.number for window in result.alarms} == {w.number for w in on_beam.closed if w.differing}


def test_adding_does_not_depend_on_grouping() -> None:
    values = [(2, (1 << 64) - 1, ("1.10",), 5), (3, 7, ("-0.10",), None), (1, 1, ("0.00",), 9)]
    grouped = add_values([add_values(values[:2]), values[2]])
    assert grouped == add_values(reversed(values)) == (6, 7, ("1.00",), 9)


def test_a_runner_that_answers_wrongly_is_refused(shards: dict[str, list[Path]]) -> None:
    with pytest.raises(InputError, match="DaskRunner is silently wrong"):
        reconcile_on_beam(PAIR, shards, runner_options=("--runner=DaskRunner",))


def test_rows_that_count_once_are_refused_with_the_reason(shards: dict[str, list[Path]]) -> None:
    pair = replace(PAIR, source_side=Side("seen", once_by=("id",)))
    with pytest.raises(InputError, match="a shard cannot know of another one's"):
        reconcile_on_beam(pair, shards)
