"""What cannot be compared is never said to hold: values beyond the type of comparison, damaged files."""

from __future__ import annotations

from pathlib import Path

import duckdb
import pytest

from pipelineplan.errors import InputError
from pipelineplan.quality.reconciling import Pair, Side, reconcile_files
from pipelineplan.quality.reconciling.report import Reconciled

WHOLE = Pair("amounts", "s", "d", ("id",), Side(None), Side(None), measures=("amount",))
ADDED_UP = Pair("amounts", "s", "d", ("id",), Side(None), Side(None, records="n"), measures=("amount",))
AT = "TIMESTAMP '2026-11-09'"


def reconciled(folder: Path, pair: Pair, source: str, destination: str) -> Reconciled:
    data = {"source": folder / "source.parquet", "destination": folder / "destination.parquet"}
    for path, query in zip(data.values(), (source, destination), strict=True):
        duckdb.execute(f"COPY ({query}) TO '{path}'")
    return reconcile_files(pair, data)


@pytest.mark.parametrize(
    ("source", "destination"),
    [
        ("1e300::DOUBLE", "2e300::DOUBLE"),
        ("'inf'::DOUBLE", "'-inf'::DOUBLE"),
        ("NULL::INTEGER", "'x'"),
        ("'abc'", "'abd'"),
        ("NULL::DATE", "'rubbish'"),
        ("TIMESTAMP 'infinity'", "'2026-02-30'"),
    ],
)
@pytest.mark.parametrize("column", ["amount", "word"])
def test_values_beyond_the_type_of_comparison_leave_it_open(
    tmp_path: Path, source: str, destination: str, column: str
) -> None:
    pair = WHOLE if column == "amount" else Pair("words", "s", "d", ("id",), Side(None), Side(None))
    found = reconciled(
        tmp_path, pair, f"SELECT 1 AS id, {source} AS {column}", f"SELECT 1 AS id, {destination} AS {column}"
    )
    assert found.verdict in ("unknown", "fails")
    if found.verdict == "unknown":
        assert found.unread
        assert all(repr(column) in text for text in found.unread)
        assert found.to_json_dict()["unread"] == list(found.unread)


@pytest.mark.parametrize(
    ("source", "destination"),
    [
        ("NULL::DATE", "''"),
        ("NULL::DATE", "' '"),
        ("'nan'::DOUBLE", "NULL::DOUBLE"),
        ("-0.0::DOUBLE", "0.0::DOUBLE"),
        ("1.5::DOUBLE", "1.50::DECIMAL(9,2)"),
        ("TIMESTAMPTZ '2026-11-09 10:00:00+01:00'", "'2026-11-09T09:00:00Z'"),
        ("9007199254740993::BIGINT", "9007199254740993::DECIMAL(20,1)"),
    ],
)
def test_the_same_in_another_type_holds(tmp_path: Path, source: str, destination: str) -> None:
    pair = Pair("words", "s", "d", ("id",), Side(None), Side(None))
    found = reconciled(
        tmp_path, pair, f"SELECT 1 AS id, {source} AS v", f"SELECT 1 AS id, {destination} AS v"
    )
    assert (found.verdict, found.unread) == ("holds", ())


@pytest.mark.parametrize(
    ("pair", "rows", "amount"),
    [(WHOLE, 5, "9" * 38 + "::DECIMAL(38,0)"), (WHOLE, 5, "9e31::DOUBLE"), (ADDED_UP, 1, "1e25::DOUBLE")],
)
def test_sums_beyond_38_digits_are_an_error_with_its_reason(
    tmp_path: Path, pair: Pair, rows: int, amount: str
) -> None:
    query = f"SELECT i AS id, {amount} AS amount, 1 AS n FROM range({rows}) t(i)"
    with pytest.raises(InputError, match="amounts: the data cannot be counted: Out of Range Error"):
        reconciled(tmp_path, pair, query, query)


def test_a_damaged_file_is_an_error_and_no_fault_of_the_tool(tmp_path: Path) -> None:
    query = f"SELECT i AS id, hash(i)::VARCHAR AS word, {AT} + to_seconds(i) AS at FROM range(50000) t(i)"
    path = tmp_path / "source.parquet"
    duckdb.execute(f"COPY ({query}) TO '{path}'")
    whole = path.read_bytes()
    (tmp_path / "destination.parquet").write_bytes(whole)
    path.write_bytes(whole[:4] + b"\xff" * 20_000 + whole[20_004:])
    pair = Pair("words", "s", "d", ("id",), Side("at"), Side("at"))
    data = {role: tmp_path / f"{role}.parquet" for role in ("source", "destination")}
    with pytest.raises(InputError, match="words: the data cannot be counted"):
        reconcile_files(pair, data)
