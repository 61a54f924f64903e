"""Quantities and money against published figures; price files that cannot be used."""

from __future__ import annotations

from pathlib import Path

import pytest

from pipelineplan.errors import InputError
from pipelineplan.plan import read_plan
from pipelineplan.plan.cost import cost, cost_lines, cross_zone_bytes, kept_bytes, unpriced
from pipelineplan.plan.prices import money_a_month, read_prices

EXAMPLE = Path(__file__).parents[2] / "examples/orders-to-warehouse/plan.yaml"
ENTRY = "currency: EUR, as_of: 2026-11-01, source: us"
DOLLARS = ENTRY.replace("EUR", "USD")


def test_a_log_of_seven_days_in_three_copies() -> None:
    """50,000/s of 1 kB for 7 d in 3 copies: 90.7 TB."""
    assert kept_bytes(50_000, 1_000, 7 * 86_400, 3) / 1e12 == pytest.approx(90.72)


def test_traffic_between_three_zones() -> None:
    """300 MiB/s in, three copies, two readers: 1,200 MiB/s between zones."""
    assert cross_zone_bytes(300.0, 3, 3, 2) == pytest.approx(1_200.0)
    assert cross_zone_bytes(300.0, 1, 1, 5) == 0.0


def test_the_orders_plan_says_what_it_uses() -> None:
    lines = {(line.kind, line.of, line.once): line for line in cost_lines(read_plan(EXAMPLE))}
    log = lines["log_storage", "orders", False]
    assert log.quantity == pytest.approx(6_000 * 780 / 3.2 * 7 * 86_400 * 3)
    read = lines["replay_read", "orders", True]
    assert read.quantity == pytest.approx(7 * 86_400 * 6_000 * 780 / 3.2)
    hours = lines["compute", "enrich", True]
    assert hours.quantity == pytest.approx(7 * 86_400 * 6_000 / 3_500 / 3_600)
    assert hours.low == pytest.approx(hours.quantity / 1.05)


@pytest.mark.parametrize(
    ("text", "money"),
    [
        ("4_000 EUR/month", (4_000.0, "EUR")),
        ("365 USD/year", (30.0, "USD")),
        ("7 CHF/week", (30.0, "CHF")),
        ("1.5 EUR/day", (45.0, "EUR")),
        ("4_000 EUR", None),
        ("as last year", None),
        ("4_000 EUR/fortnight", None),
    ],
)
def test_a_budget_as_people_write_it(text: str, money: tuple[float, str] | None) -> None:
    found = money_a_month(text)
    assert (found is None) == (money is None)
    if found is not None and money is not None:
        assert (pytest.approx(found[0]), found[1]) == money


def written(folder: Path, text: str) -> Path:
    file = folder / "prices.yaml"
    file.write_text(text, encoding="utf-8")
    return file


def test_prices_by_the_gigabyte_and_by_the_tebibyte_agree(tmp_path: Path) -> None:
    lines = cost_lines(read_plan(EXAMPLE))
    totals = []
    for unit, price in (("GB-month", 0.1), ("GiB-month", 0.1 * 1.073741824), ("TiB-month", 109.9511627776)):
        entry = f"prices: [{{of: log_storage, unit: {unit}, price: {price!r}, {ENTRY}}}]"
        prices = read_prices(written(tmp_path, entry), "prices.yaml")
        totals.append(cost(lines, prices)[1])
        assert {line.kind for line in unpriced(lines, prices)} >= {"compute", "state_storage"}
    assert totals == pytest.approx([totals[0]] * 3)


BAD = {
    "no list": ("[]", "wanted|should|valid"),
    "nothing priced": ("prices: []", "at least 1"),
    "an unknown thing": (f"prices: [{{of: luck, unit: GB, price: 1, {ENTRY}}}]", "compute"),
    "a negative price": (f"prices: [{{of: egress, unit: GB, price: -1, {ENTRY}}}]", "greater than or equal"),
    "no number": (f"prices: [{{of: egress, unit: GB, price: .inf, {ENTRY}}}]", "means different things"),
    "the wrong unit": (f"prices: [{{of: compute, unit: GB, price: 1, {ENTRY}}}]", "worker-hour"),
    "a month for traffic": (f"prices: [{{of: egress, unit: GB-month, price: 1, {ENTRY}}}]", "wanted GB"),
    "twice": (
        f"prices: [{{of: egress, unit: GB, price: 1, {ENTRY}}}, {{of: egress, unit: GB, price: 2, {ENTRY}}}]",
        "second price",
    ),
    "two currencies": (
        f"prices: [{{of: egress, unit: GB, price: 1, {ENTRY}}}, {{of: scan, unit: GB, price: 1, {DOLLARS}}}]",
        "one currency",
    ),
}


@pytest.mark.parametrize(("text", "says"), BAD.values(), ids=BAD)
def test_a_price_file_that_cannot_be_used_says_where(text: str, says: str, tmp_path: Path) -> None:
    with pytest.raises(InputError, match=says) as raised:
        read_prices(written(tmp_path, text), "prices.yaml")
    assert all(problem.position.file == "prices.yaml" for problem in raised.value.problems)


def test_a_plan_with_a_bad_price_file_cannot_be_read(tmp_path: Path) -> None:
    written(tmp_path, "prices: []")
    plan = tmp_path / "plan.yaml"
    plan.write_text(
        "apiVersion: pipelineplan/v1\nkind: DataPlan\nmetadata: {name: a}\nsources: [{id: b}]\n"
        "sinks: [{id: c, inputs: [b]}]\ncapacity: {price_file: prices.yaml}\n",
        encoding="utf-8",
    )
    with pytest.raises(InputError, match=r"prices\.yaml"):
        read_plan(plan)
