"""Cost and lineage: the plan's own figures and datasets, in columns and events that those tools know."""

from __future__ import annotations

import csv
import io
import json
from pathlib import Path
from typing import Any

import pytest
from exporting import ORDERS, small, text_of

from pipelineplan import InputError, export, read_plan
from pipelineplan.exchange.focus import COLUMNS
from pipelineplan.plan.cost import cost, cost_lines

FOCUS = {"month": "2026-12", "account": "a-1", "provider": "Example"}
LINEAGE = {"time": "2026-11-09T10:30:00Z", "namespace": "shop", "kafka": "broker:9092"}


def rows(plan: Any, **settings: str) -> list[dict[str, str]]:
    return list(csv.DictReader(io.StringIO(text_of(plan, "focus", **settings))))


def test_the_rows_add_up_to_what_the_plan_s_cost_is() -> None:
    plan, found = read_plan(ORDERS), rows(ORDERS, **FOCUS)
    (prices,) = plan.prices.values()
    for once, kind in ((False, "Usage-Based"), (True, "One-Time")):
        mine = [row for row in found if row["ChargeFrequency"] == kind]
        low, value, high = cost(cost_lines(plan), prices, once=once)
        for column, total in (("EffectiveCost", value), ("x_EstimateLow", low), ("x_EstimateHigh", high)):
            assert sum(float(row[column]) for row in mine) == pytest.approx(total, abs=1e-4)
    assert all(
        float(r["ListUnitPrice"]) * float(r["PricingQuantity"])
        == pytest.approx(float(r["ListCost"]), rel=1e-6)
        for r in found
    )


def test_every_row_is_marked_an_estimate_of_its_month() -> None:
    found = rows(ORDERS, **FOCUS)
    assert list(found[0]) == list(COLUMNS)
    for row in found:
        assert row["x_Estimate"] == "true"
        assert row["ChargeDescription"].startswith("Estimate of ")
        assert (row["BillingPeriodStart"], row["BillingPeriodEnd"]) == (
            "2026-12-01T00:00:00Z",
            "2027-01-01T00:00:00Z",
        )
        assert row["x_PlanPath"].startswith("$.")
        assert row["x_Formula"]
    assert {row["BillingCurrency"] for row in found} == {"EUR"}
    assert {row["BillingPeriodStart"] for row in rows(ORDERS)} == {""}  # nothing is invented


def test_a_cell_is_never_a_formula(tmp_path: Path) -> None:
    (tmp_path / "prices.yaml").write_text(
        "kind: Prices\nprices:\n"
        "  - {of: scan, unit: TB, price: 5.0, currency: EUR, as_of: 2026-11-01, source: us}\n",
        encoding="utf-8",
    )
    scans = [{"of": '=HYPERLINK("x")', "queries": "1/min", "bytes": "1 GB"}]
    plan = small(tmp_path, capacity={"price_file": "prices.yaml", "scans": scans})
    (row,) = rows(plan)
    assert row["ResourceName"] == '\'=HYPERLINK("x")'
    assert all(not cell.startswith(("=", "+", "-", "@")) for cell in row.values())


@pytest.mark.parametrize("month", ["2026-13", "december", "9999-12"])
def test_a_month_that_is_none_is_named(month: str) -> None:
    with pytest.raises(InputError, match="wanted a month"):
        export(ORDERS, "focus", settings={"month": month})


def test_a_plan_without_prices_has_no_cost(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="states nothing"):
        export(small(tmp_path), "focus")


def events(plan: Any, **settings: str) -> list[dict[str, Any]]:
    return [json.loads(line) for line in text_of(plan, "openlineage", **settings).splitlines()]


def test_a_job_joins_what_it_reads_with_what_it_writes() -> None:
    job, orders, warehouse = events(ORDERS, **LINEAGE)
    assert (job["job"]["namespace"], job["job"]["name"]) == ("shop", "orders-to-warehouse.warehouse")
    assert job["inputs"] == [{"namespace": "kafka://broker:9092", "name": "orders"}]
    assert job["outputs"] == [{"namespace": "shop", "name": "warehouse"}]
    assert job["job"]["facets"]["jobType"]["processingType"] == "STREAMING"
    assert job["job"]["facets"]["jobType"]["integration"] == "FLINK"
    fields = [field["name"] for field in orders["dataset"]["facets"]["schema"]["fields"]]
    assert fields[0] == "order_id"
    assert {"lsn", "updated_at"} <= set(fields)
    assert warehouse["dataset"]["facets"]["ownership"]["owners"] == [{"name": "team-orders"}]
    for event in (job, orders, warehouse):
        assert event["eventTime"] == LINEAGE["time"]
        assert event["schemaURL"].startswith("https://openlineage.io/spec/2-0-2/OpenLineage.json#/$defs/")
        facets = {**event.get("job", {}).get("facets", {}), **event.get("dataset", {}).get("facets", {})}
        assert facets != {}
        assert all(set(facet) >= {"_producer", "_schemaURL"} and len(facet) >= 3 for facet in facets.values())


@pytest.mark.parametrize("lacking", sorted(LINEAGE))
def test_an_event_that_would_be_none_is_not_written(lacking: str) -> None:
    with pytest.raises(InputError, match=f"--set {lacking}="):
        export(ORDERS, "openlineage", settings={k: v for k, v in LINEAGE.items() if k != lacking})


def test_a_time_that_is_none_is_named() -> None:
    with pytest.raises(InputError, match="wanted one such as"):
        export(ORDERS, "openlineage", settings={**LINEAGE, "time": "yesterday"})
