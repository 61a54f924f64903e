"""What a plan uses in a month, priced by its own price file, in the columns of FOCUS 1.0: an estimate.

compute of workers     12,960 worker-hours at 0.12 EUR     ServiceCategory Compute, EffectiveCost 1555.2

Nobody has billed any of it: every row says so (`x_Estimate`), with the interval that the plan's inputs allow,
the formula and its place. Cells that a spreadsheet would take for a formula begin with an apostrophe. Source:
FinOps Open Cost and Usage Specification 1.0, FinOps Foundation, 2024.
"""

from __future__ import annotations

import csv
import io
import re
from collections.abc import Mapping
from datetime import date
from typing import Any

from pipelineplan.documents import dotted
from pipelineplan.documents.redaction import redacted
from pipelineplan.errors import InputError, Position, Problem
from pipelineplan.exchange.exported import Dropped, Export, File
from pipelineplan.exchange.promql import number
from pipelineplan.exchange.settings import Settings
from pipelineplan.exchange.text import one_line
from pipelineplan.exchange.traced import Place, Traced
from pipelineplan.plan import Plan
from pipelineplan.plan.cost import CostLine, cost_lines
from pipelineplan.plan.prices import Price, PriceList

TITLE = "the estimated cost of a month, in the columns of FOCUS 1.0"
ASKS = {
    "month": "the month that is estimated, as 2026-12",
    "account": "the billing account (BillingAccountId)",
    "provider": "who provides it (ProviderName, PublisherName, InvoiceIssuerName)",
}

COLUMNS = (
    "AvailabilityZone", "BilledCost", "BillingAccountId", "BillingAccountName", "BillingCurrency",
    "BillingPeriodEnd", "BillingPeriodStart", "ChargeCategory", "ChargeClass", "ChargeDescription",
    "ChargeFrequency", "ChargePeriodEnd", "ChargePeriodStart", "CommitmentDiscountCategory",
    "CommitmentDiscountId", "CommitmentDiscountName", "CommitmentDiscountStatus", "CommitmentDiscountType",
    "ConsumedQuantity", "ConsumedUnit", "ContractedCost", "ContractedUnitPrice", "EffectiveCost",
    "InvoiceIssuerName", "ListCost", "ListUnitPrice", "PricingCategory", "PricingQuantity", "PricingUnit",
    "ProviderName", "PublisherName", "RegionId", "RegionName", "ResourceId", "ResourceName", "ResourceType",
    "ServiceCategory", "ServiceName", "SkuId", "SkuPriceId", "SubAccountId", "SubAccountName", "Tags",
    "x_Estimate", "x_EstimateLow", "x_EstimateHigh", "x_Formula", "x_PlanPath",
)  # fmt: skip
_CATEGORIES = {
    "compute": "Compute",
    "log_storage": "Storage",
    "state_storage": "Storage",
    "store": "Storage",
    "cross_zone": "Networking",
    "egress": "Networking",
    "scan": "Analytics",
    "replay_read": "Storage",
}
_OF_WHAT = {False: "Estimate of thirty days", True: "Estimate of one replay"}
_MONTH = re.compile(r"(\d{4})-(0[1-9]|1[0-2])\Z")


def export(plan: Plan, settings: Settings) -> Export | None:
    """A row for each thing that has a price; None without a price file, or where nothing is counted."""
    policy = plan.model.capacity
    prices = plan.prices.get(policy.price_file) if policy is not None and policy.price_file else None
    if prices is None:
        return None
    period = _period(settings)
    places = {dotted(path): position for path, position in plan.composed.positions.items()}
    rows: list[dict[str, str]] = []
    values: list[tuple[str, Traced]] = []
    dropped: list[Dropped] = []
    for line in cost_lines(plan):
        place = Place(line.path, places.get(line.path, plan.position(())))
        price = prices.by_kind.get(line.kind)
        if price is None:
            what = f"{line.kind} of {line.of} ({line.path})"
            dropped.append(Dropped(what, "the price file has no price of it", place.position))
            continue
        at = (place, Place(f"prices: {line.kind}", prices.positions[line.kind]))
        cost = line.quantity * price.per_base
        values.append((f"[{len(rows)}].EffectiveCost", Traced(round(cost, 6), at, line.formula)))
        rows.append(_row(line, price, prices, settings, period))
    text = _csv(rows)
    return Export("focus", (File("focus.csv", text, tuple(values)),), tuple(dropped)) if rows else None


def _period(settings: Settings) -> Mapping[str, str]:
    """The month from its first day to the first of the next, in UTC; empty cells where none is given."""
    given = settings.get("month")
    if given is None:
        return {}
    found = _MONTH.match(str(given.value))
    if found is None or found[1] == "9999":
        message = f"found {given.value!r} for month, wanted a month such as 2026-12"
        raise InputError([Problem(message, Position("--set"))])
    first = date(int(found[1]), int(found[2]), 1)
    last = date(first.year + first.month // 12, first.month % 12 + 1, 1)
    start, end = (f"{day.isoformat()}T00:00:00Z" for day in (first, last))
    periods = ("BillingPeriod", "ChargePeriod")
    return {f"{name}{edge}": at for name in periods for edge, at in (("Start", start), ("End", end))}


def _row(
    line: CostLine, price: Price, prices: PriceList, settings: Settings, period: Mapping[str, str]
) -> dict[str, str]:
    amount = line.quantity * price.per_base / price.price if price.price else 0.0
    money = number(round(line.quantity * price.per_base, 6))
    given: Any = settings.values
    unit = _unit(price.unit)
    return {
        **dict.fromkeys(("BilledCost", "ContractedCost", "EffectiveCost", "ListCost"), money),
        **dict.fromkeys(("ContractedUnitPrice", "ListUnitPrice"), number(price.price)),
        **dict.fromkeys(("ConsumedQuantity", "PricingQuantity"), number(round(amount, 6))),
        **dict.fromkeys(("ConsumedUnit", "PricingUnit"), unit),
        **period,
        "BillingAccountId": given.get("account", ""),
        **dict.fromkeys(("ProviderName", "PublisherName", "InvoiceIssuerName"), given.get("provider", "")),
        "BillingCurrency": prices.currency,
        "ChargeCategory": "Usage",
        "ChargeFrequency": "One-Time" if line.once else "Usage-Based",
        "ChargeDescription": f"{_OF_WHAT[line.once]}: {line.kind.replace('_', ' ')} of {line.of}",
        "PricingCategory": "Standard",
        **dict.fromkeys(("ResourceId", "ResourceName"), line.of),
        "ServiceCategory": _CATEGORIES[line.kind],
        "ServiceName": line.kind,
        "SkuId": line.kind,
        "SkuPriceId": f"{line.kind} {price.as_of}",
        "x_Estimate": "true",
        "x_EstimateLow": number(round(line.low * price.per_base, 6)),
        "x_EstimateHigh": number(round(line.high * price.per_base, 6)),
        "x_Formula": line.formula,
        "x_PlanPath": line.path,
    }


def _unit(unit: str) -> str:
    """A price's unit as FOCUS writes units: Hours, GB-Months, GB."""
    return "Hours" if unit == "worker-hour" else unit.replace("-month", "-Months")


def _csv(rows: list[dict[str, str]]) -> str:
    out = io.StringIO()
    writer = csv.DictWriter(out, COLUMNS, restval="", lineterminator="\n")
    writer.writeheader()
    writer.writerows([{name: _cell(value) for name, value in row.items()} for row in rows])
    return out.getvalue()


def _cell(value: str) -> str:
    """Text in one line; what a spreadsheet would compute is shown and not computed."""
    text = redacted(one_line(value))
    return f"'{text}" if text.startswith(("=", "+", "-", "@")) else text
