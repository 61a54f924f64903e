"""What a run uses and costs: a month at rest as the budget rules count it, and what is added by hand."""

from pathlib import Path

import pytest

from pipelineplan.plan import Plan, read_plan
from pipelineplan.plan.cost import cost, cost_lines
from pipelineplan.simulation import ScenarioResult, recipes_named, simulate

MONTH_HOURS = 720.0
PLAN = """
apiVersion: pipelineplan/v1
kind: DataPlan
metadata: {name: clicks, owner: web-data, quality_level: prototype}
sources:
  - id: clicks
    system: kafka
    partitions: 12
    replication: 3
    retention: 3 d
    record: {size: 1 kB, compression: 2}
    rate: {average: 4_000/s, peak: 4_000/s}
stages:
  - id: count
    inputs: [{from: clicks, exchange: forward}]
    parallelism: 12
    capacity: 1_000/s
    state: {keys: 1_000_000, bytes_per_key: 100 B}
    checkpoint: {interval: 60 s, restart: 1 min, duration: 0 s}
    autoscaling: {minimum: 4, maximum: 24, target_utilisation: 70 %, restart: 1 min}
sinks:
  - {id: board, inputs: [count], mode: upsert}
outages:
  - {of: job, detect: 5 min, repair: 54 min}
capacity: {failure_domains: 3, readers: 1, price_file: prices.yaml}
"""
PRICES = """
kind: Prices
prices:
  - {of: compute, unit: worker-hour, price: 0.12, currency: EUR, as_of: 2026-11-01, source: our contract}
  - {of: log_storage, unit: GB-month, price: 0.09, currency: EUR, as_of: 2026-11-01, source: our contract}
  - {of: state_storage, unit: GB-month, price: 0.02, currency: EUR, as_of: 2026-11-01, source: our contract}
  - {of: cross_zone, unit: GB, price: 0.01, currency: EUR, as_of: 2026-11-01, source: our contract}
  - {of: replay_read, unit: GB, price: 0.005, currency: EUR, as_of: 2026-11-01, source: our contract}
"""


def read(folder: Path, text: str = PLAN) -> Plan:
    (folder / "prices.yaml").write_text(PRICES, encoding="utf-8")
    file = folder / "plan.yaml"
    file.write_text(text, encoding="utf-8")
    return read_plan(file)


def one(plan: Plan, name: str) -> ScenarioResult:
    return simulate(plan, recipes_named((name,))).scenarios[0]


def test_a_month_at_rest_costs_what_the_budget_rules_say(tmp_path: Path) -> None:
    plan = read(tmp_path)
    steady = one(plan, "steady")
    hours = steady.series["time_seconds"][-1] / 3600
    month = cost(cost_lines(plan), plan.prices["prices.yaml"])[1]
    spent = steady.figures["cost"]
    assert spent.unit == "EUR"
    assert spent.value * MONTH_HOURS / hours == pytest.approx(month, rel=1e-9)
    assert steady.figures["added_cost"].value == pytest.approx(0.0, abs=1e-9)
    lines = {line.kind: line.quantity for line in cost_lines(plan)}
    crossed = steady.figures["cross_zone_bytes"].value
    assert crossed * MONTH_HOURS / hours == pytest.approx(lines["cross_zone"], rel=1e-9)


def test_an_outage_costs_more_by_what_is_read_again(tmp_path: Path) -> None:
    """Half of 500 B: read again by price, and from another zone in two of three cases."""
    (failed,) = (each for each in simulate(read(tmp_path)).scenarios if each.name == "job-outage")
    replayed = failed.figures["replayed_records"].value
    assert replayed == pytest.approx(4000 * 30.0)
    assert failed.figures["replayed_bytes"].value == pytest.approx(replayed * 500)
    added = replayed * 500 * (0.005 + 0.01 * 2 / 3) / 1e9
    assert failed.figures["added_cost"].value == pytest.approx(added, rel=1e-6)


def test_an_autoscaler_costs_the_workers_that_it_asks_for(tmp_path: Path) -> None:
    """At 4,000/s of 1,000/s each and 70 % six workers are enough, and twelve are paid without it."""
    scaled = one(read(tmp_path), "autoscale-oscillation")
    hours = scaled.series["time_seconds"][-1] / 3600
    saved = (12 * hours - scaled.figures["scaled_worker_hours"].value) * 0.12
    above = scaled.figures["added_cost"].value
    again = scaled.figures["read_records"].value - scaled.figures["arrived_records"].value
    assert above == pytest.approx(max(again, 0) * 500 * (0.005 + 0.01 * 2 / 3) / 1e9 - saved, rel=1e-3)
    assert saved > 0


def test_a_replay_is_read_again_and_not_stored_again(tmp_path: Path) -> None:
    """A day of 4,000/s beside live records: 346 M reads of 500 B, and half as many again from other zones."""
    replay = "replay: {from: 2026-10-01, to: 2026-10-02, rate_limit: 4_000/s, isolation: shared}\n"
    scenarios = simulate(read(tmp_path, PLAN + replay)).scenarios
    (replayed,) = (each for each in scenarios if each.name == "replay")
    reads = 4000 * 86_400
    assert replayed.figures["replayed_bytes"].value == pytest.approx(reads * 500, rel=1e-9)
    added = reads * 500 * (0.005 + 0.01 * 2 / 3) / 1e9
    assert replayed.figures["added_cost"].value == pytest.approx(added, rel=1e-6)
    alone = replay.replace("shared", "separate_job")
    (apart,) = (each for each in simulate(read(tmp_path, PLAN + alone)).scenarios if each.name == "replay")
    hours = apart.series["time_seconds"][-1] / 3600
    assert apart.figures["added_cost"].value == pytest.approx(added + 12 * hours * 0.12, rel=1e-6)


def test_without_prices_there_are_quantities_and_no_money(tmp_path: Path) -> None:
    steady = one(read(tmp_path, PLAN.replace(", price_file: prices.yaml", "")), "steady")
    assert "cost" not in steady.figures
    assert steady.figures["cross_zone_bytes"].unit == "bytes"
    plain = one(read(tmp_path, PLAN.replace("record: {size: 1 kB, compression: 2}", "")), "steady")
    assert "cross_zone_bytes" not in plain.figures


def test_paid_workers_stand_above_subtasks(tmp_path: Path) -> None:
    steady = one(read(tmp_path, PLAN.replace("readers: 1", "readers: 1, workers: 3")), "steady")
    hours = steady.series["time_seconds"][-1] / 3600
    twelve = one(read(tmp_path), "steady").figures["cost"].value
    assert twelve - steady.figures["cost"].value == pytest.approx(9 * hours * 0.12)
