"""What a plan says, and what follows from it, as a pair; and the reports as tables."""

from __future__ import annotations

import shutil
from datetime import UTC, datetime
from pathlib import Path

import pytest

import pipelineplan as pp
from pipelineplan.quality.reconciling.of_plan import pair_of, parity_pair

EXAMPLES = Path(__file__).parents[3] / "examples"
ORDERS = EXAMPLES / "orders-to-warehouse"
LEDGER = EXAMPLES / "ledger-batch"


def test_the_pair_of_the_orders_example() -> None:
    plan = pp.read_plan(ORDERS)
    pair = pair_of(plan, plan.model.reconciliation[0])
    assert (pair.source_side.event_time, pair.destination_side.event_time) == ("updated_at", "minute")
    assert (pair.source_side.truncated, pair.source_side.grain_us) == ("minute", 60_000_000)
    assert pair.source_side.once_by == ("order_id", "lsn")
    assert pair.added_up
    # 30 s of watermark lag, and 10 min of allowed lateness in the minute mart.
    assert (pair.lag_us, pair.closes_after_us) == (30_000_000, 600_000_000)
    assert pair.terms == (("late_dropped", "orders-too-late"), ("dead_lettered", "orders-dlq"))


def test_the_old_side_is_the_source_of_a_comparison_with_it() -> None:
    pair = parity_pair(pp.read_plan(ORDERS), "minute_sales")
    assert (pair.source, pair.destination) == ("minute_sales (old)", "minute_sales (new)")
    assert pair.keys == ("store_id", "minute")
    assert (pair.added_up, pair.columns, pair.measures) == (False, (), ())


def test_only_the_newest_revision_of_an_entry_counts() -> None:
    data = {"entries": LEDGER / "data/entries.csv", "daily-balances": LEDGER / "data/daily_balances.csv"}
    (found,) = pp.reconcile(LEDGER, data, watermark="end").pairs
    assert found.verdict == "holds"
    assert (found.totals["source"], found.totals["destination"], found.repeats) == (1500, 1500, 24)
    committed = datetime(2026, 11, 11, tzinfo=UTC)
    assert pp.reconcile(LEDGER, data, watermark=committed).pairs[0].closed == 2


def test_a_pair_that_lacks_a_column_is_listed_and_not_passed_over(tmp_path: Path) -> None:
    folder = Path(shutil.copytree(ORDERS, tmp_path / "orders"))
    text = (folder / "plan.yaml").read_text("utf-8")
    (folder / "plan.yaml").write_text(text.replace("records: changes", "records: changed"), encoding="utf-8")
    data = {"orders": folder / "data/orders.csv", "warehouse": folder / "data/minute_sales.csv"}
    report = pp.reconcile(folder, data)
    assert (report.pairs, report.verdict) == ((), "unknown")
    assert "found no column 'changed' in the destination" in report.not_evaluated[0].reason
    assert report.to_json_dict()["not_evaluated"][0]["path"] == "$.reconciliation[0]"


def test_differing_keys_as_tables() -> None:
    data = {"warehouse": ORDERS / "data/minute_sales.csv"}
    report = pp.reconcile(ORDERS, data, {"warehouse": ORDERS / "old/minute_sales.csv"})
    frame, table = report.to_pandas(), report.to_arrow()
    assert len(frame) == table.num_rows == 11
    assert set(frame["kind"]) == {"changed"}
    assert "changed" in report._repr_html_()


def test_nothing_to_reconcile_is_neither_good_nor_bad() -> None:
    report = pp.reconcile(ORDERS, {"orders": ORDERS / "data/orders.csv"})
    assert not report
    assert report.verdict == "unknown"


@pytest.mark.parametrize("replay", [False, True])
def test_the_same_output_is_the_same(replay: bool) -> None:  # noqa: FBT001
    same = ORDERS / "data/minute_sales.csv"
    report = pp.reconcile(ORDERS, {"warehouse": same}, {"warehouse": same}, replay=replay)
    assert report.verdict == "holds"
    assert report.pairs[0].open == (0 if replay else 3)
