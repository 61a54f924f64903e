"""A user's own price file, and a budget as people write it: the only places where money comes from.

kind: Prices
prices:
  - {of: compute, unit: worker-hour, price: 0.12, currency: EUR, as_of: 2026-11-01, source: our contract}
  - {of: log_storage, unit: GB-month, price: 0.09, currency: EUR, as_of: 2026-11-01, source: public list}
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path as FilePath
from typing import Annotated, Literal

from pydantic import Field, ValidationError

from pipelineplan.documents import Document, read_document
from pipelineplan.errors import InputError, Position, Problem
from pipelineplan.plan.section import Day, Number, Section, Text

Priced = Literal[
    "compute", "log_storage", "state_storage", "store", "cross_zone", "scan", "egress", "replay_read"
]
Unit = Literal[
    "worker-hour", "GB-month", "GiB-month", "TB-month", "TiB-month", "GB", "GiB", "TB", "TiB"
]  # fmt: skip
Currency = Annotated[str, Field(pattern=r"^[A-Z]{3}$", description="ISO 4217, three letters: EUR.")]

_BYTES = {"GB": 1e9, "GiB": 2.0**30, "TB": 1e12, "TiB": 2.0**40}
_MONEY = re.compile(
    r"\s*(?P<amount>\d[\d_]*(?:\.\d+)?)\s*(?P<currency>[A-Z]{3})\s*/\s*(?P<time>day|week|month|year)\s*\Z"
)
_MONTHS = {"day": 30.0, "week": 30.0 / 7.0, "month": 1.0, "year": 30.0 / 365.0}


class Price(Section):
    """What one unit of one thing costs, since when, and according to whom."""

    of: Priced
    unit: Unit
    price: Number
    currency: Currency
    as_of: Day
    source: Text

    @property
    def per_base(self) -> float:
        """Money per worker-hour, or per byte (and month)."""
        return self.price / _BYTES.get(self.unit.removesuffix("-month"), 1.0)


class PriceFile(Section):
    """All prices that a user has; one for each thing. Its kind keeps it from being read as part of a plan."""

    kind: Literal["Prices"] = "Prices"
    prices: tuple[Price, ...] = Field(min_length=1)


@dataclass(frozen=True)
class PriceList:
    """A price file that was read: by what is priced, with the place of each."""

    currency: str
    by_kind: dict[str, Price]
    positions: dict[str, Position]


def read_prices(file: FilePath, name: str) -> PriceList:
    """Read a price file; raises `InputError` with every problem in it."""
    document = read_document(file, name)
    try:
        prices = PriceFile.model_validate(document.data).prices
    except ValidationError as error:
        raise InputError(_problems(document, error)) from error
    if wrong := list(_contradictions(document, prices)):
        raise InputError(wrong)
    positions: dict[str, Position] = {
        one.of: document.position(("prices", place)) for place, one in enumerate(prices)
    }
    return PriceList(prices[0].currency, {one.of: one for one in prices}, positions)


def _problems(document: Document, error: ValidationError) -> list[Problem]:
    return [
        document.problem(tuple(found["loc"]), f"{found['msg'].lower()}, found {found['input']!r:.60}")
        for found in error.errors()
    ]


def _contradictions(document: Document, prices: tuple[Price, ...]) -> Iterator[Problem]:
    """Two prices of one thing, two currencies, and units that do not measure what they price."""
    seen: set[str] = set()
    for place, one in enumerate(prices):
        path = ("prices", place)
        if one.of in seen:
            yield document.problem(
                path, f"found a second price of {one.of!r}, wanted one", "keep one of them"
            )
        if one.currency != prices[0].currency:
            message = f"found {one.currency} after {prices[0].currency}, wanted one currency"
            yield document.problem((*path, "currency"), message, "convert it, and say so in source:")
        if not _measures(one):
            message = f"found the unit {one.unit!r} for {one.of!r}, wanted {wanted_unit(one.of)}"
            yield document.problem((*path, "unit"), message)
        seen.add(one.of)


def wanted_unit(kind: str) -> str:
    """The unit that prices of `kind` are written in."""
    if kind == "compute":
        return "worker-hour"
    stored = kind in {"log_storage", "state_storage", "store"}
    return "GB-month (or GiB-, TB-, TiB-month)" if stored else "GB (or GiB, TB, TiB)"


def _measures(one: Price) -> bool:
    if one.of == "compute":
        return one.unit == "worker-hour"
    stored = one.of in {"log_storage", "state_storage", "store"}
    return one.unit != "worker-hour" and one.unit.endswith("-month") == stored


def money_a_month(text: str) -> tuple[float, str] | None:
    """`4_000 EUR/month` as 4000.0 and "EUR"; None for a text that is no such budget. A month has 30 days."""
    match = _MONEY.match(text)
    if match is None:
        return None
    return float(match["amount"].replace("_", "")) * _MONTHS[match["time"]], match["currency"]
