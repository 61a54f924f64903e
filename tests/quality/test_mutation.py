"""Faults that are put into good data, and who notices them; a suite that notices nothing says so."""

from __future__ import annotations

from typing import Any

import pytest

from pipelineplan.quality import QualityRule, compile_suites, mutate
from pipelineplan.quality.faults import FAULT_CLASSES, Fault, column_faults, row_faults
from pipelineplan.quality.tables import open_tables

Shop = Any

pytest.importorskip("great_expectations", reason="great_expectations is not installed")

RULES = (QualityRule("orders", "out_of_order", ("day", "order_id")),)


def given(shop: Shop, rules: Any = RULES) -> tuple[Any, Any]:
    suites = compile_suites([shop.contract()], rules, shop.as_of)
    return suites, {
        "orders": shop.parquet("orders", shop.orders()),
        "customers": shop.parquet("customers", shop.customers()),
    }


def test_each_fault_has_its_killers_by_name(shop: Shop) -> None:
    suites, data = given(shop)
    report = mutate(suites, data)
    killers = {(m.dataset, m.words): set(m.killed_by) for m in report.mutants}
    assert killers["orders", "a twentieth of the rows comes again"] == {"order_id is unique"}
    assert killers["orders", "every second row is gone"] == set()
    # A day back is the day of the row before, which is no disorder yet.
    assert killers["orders", "some rows are a day late"] == set()
    assert killers["orders", "some rows swap order_id"] == {"day is in order"}
    assert killers["orders", "order_id is missing"] == {"order_id is not null"}
    assert killers["orders", "amount is text"] >= {"amount is a number"}
    assert killers["orders", "amount is negative and 1000 times as large"] == {"amount is at least 0"}
    assert killers["orders", "currency has a tail"] == {"currency is one of 2 values"}
    assert killers["orders", "day is in 1970"] >= {"day is at least 2026-01-01"}
    assert killers["orders", "updated_at is missing"] == set()
    assert 0 < report.score < 1
    assert ("orders", "drop", "nothing notices it") in {(h.dataset, h.kind, h.reason) for h in report.holes}
    assert ("customers", "late", "it has no column of time") in {
        (h.dataset, h.kind, h.reason) for h in report.holes
    }
    assert ("orders", "currency is null in at most 0.2") in report.idle
    assert (report.useless, report.failing_before) == ((), ())
    # What is already NULL somewhere cannot go missing.
    assert ("orders", "currency is missing") not in killers


def test_lateness_that_the_data_cannot_tell_is_said_to_be_so(shop: Shop) -> None:
    """Without a time of arrival a late row looks like an old one, and no order can be broken."""
    suites, data = given(shop, ())
    report = mutate(suites, data)
    (some, _) = report.of("orders", "late")
    assert (some.words, some.killed_by) == ("some rows are a day late", ())
    assert "a late row looks like an old one" in some.unnoticed
    assert "check out_of_order by it" in some.unnoticed
    assert report.to_rows()[2]["unnoticed"] == some.unnoticed
    (reorder,) = [hole for hole in report.holes if (hole.dataset, hole.kind) == ("orders", "reorder")]
    assert "keep the time of arrival" in reorder.reason
    with_arrival = mutate(*given(shop))
    assert not any(mutant.unnoticed for mutant in with_arrival.mutants)


def test_a_suite_that_kills_nothing_says_so(shop: Shop) -> None:
    suites = compile_suites([], [QualityRule("customers", "volume", low=1)])
    report = mutate(suites, {"customers": shop.parquet("customers", shop.customers())})
    assert report.score == 0
    assert report.useless == ("customers",)
    assert report.idle == (("customers", "has at least 1 rows"),)
    assert report.to_json_dict()["suites_that_kill_nothing"] == ["customers"]


def test_a_check_that_fails_on_good_data_kills_nothing(shop: Shop) -> None:
    suites = compile_suites([], [QualityRule("customers", "range", ("id",), low=1)])
    report = mutate(suites, {"customers": shop.parquet("customers", shop.customers())})
    assert report.failing_before == (("customers", "id is at least 1"),)
    assert report.score == 0


@pytest.mark.parametrize("seed", [0, 1, 19, 20, 12345])
def test_every_fault_changes_the_rows_as_it_says(shop: Shop, seed: int) -> None:
    suites, data = given(shop)
    tables = open_tables(suites, data)
    suite = suites.suites[0]
    columns = tables.tables["orders"].columns
    good = tables.connection.cursor().sql("SELECT * FROM orders").fetchall()
    faults = [each for each in row_faults(suite, columns, seed) if isinstance(each, Fault)]
    faults += column_faults(suite, columns, frozenset(columns), seed)
    assert {fault.kind for fault in faults} == set(FAULT_CLASSES)
    names = list(columns)
    for fault in faults:
        bad = tables.connection.cursor().sql(fault.query).fetchall()
        assert bad != good, fault
        if fault.kind == "duplicate":
            assert (bad[:10], set(bad)) == (good, set(good))
        elif fault.kind == "reorder":
            assert sorted(row[0] for row in bad) == sorted(row[0] for row in good)
        elif fault.kind == "drop":
            assert bad == good[1::2]
        else:
            pairs = [pair for rows in zip(good, bad, strict=True) for pair in zip(names, *rows, strict=True)]
            assert {name for name, old, new in pairs if old != new} == set(fault.columns), fault
    tables.connection.close()


def test_the_same_seed_gives_the_same_report(shop: Shop) -> None:
    suites = compile_suites([], [QualityRule("customers", "unique", ("id",))])
    data = {"customers": shop.parquet("customers", shop.customers())}
    assert mutate(suites, data, seed=7).to_json_dict() == mutate(suites, data, seed=7).to_json_dict()
