"""A quality rule of a plan, in the form that compilation takes: what must be true of which rows.

QualityRule("orders", "null", ("email",), at_most_share=0.05)     at most 5 % without email
QualityRule("orders", "range", ("amount",), low=0)                nothing below 0
QualityRule("orders", "referential", ("customer_id",), references="customers.id")
QualityRule("orders", "freshness", ("updated_at",), within_seconds=3600)
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Literal

from pipelineplan.contracts import Place
from pipelineplan.errors import Position
from pipelineplan.verdicts import Severity

RuleCheck = Literal[
    "null",
    "unique",
    "domain",
    "range",
    "regex",
    "referential",
    "freshness",
    "volume",
    "duplicate",
    "out_of_order",
    "drift",
    "sql",
]

_NOWHERE = Place((), Position("plan"))


@dataclass(frozen=True)
class QualityRule:
    """One check of one dataset. What each `check` reads beside `fields`:

    null, unique      nothing; several fields of `unique` are one key
    domain            `values`
    range             `low`, `high`, both inclusive; either may be None
    regex             `pattern`, searched for anywhere in the value
    referential       `references`: dataset.field, one for all fields or comma-separated
    freshness         `within_seconds`: the greatest age of the newest value of the field
    volume            `low`, `high`: rows
    duplicate         fields are the key; with `within_seconds`, the last field is the time and a
                      row counts when its key came less than that long before
    out_of_order      fields are event time, arrival order, then the key's fields if any
    drift             `shares`: pairs of value and usual share (0 to 1); `at_most_share` is the share of
                      the rows with a value that would have to change to be as usual
    sql               `query`: one SELECT of the rows that break the rule; {table} is the dataset

    `at_most_share` is the largest share (0 to 1) of all rows that may break it.
    """

    dataset: str
    check: RuleCheck
    fields: tuple[str, ...] = ()
    at_most_share: float = 0.0
    values: tuple[Any, ...] = ()
    low: Any = None
    high: Any = None
    pattern: str = ""
    shares: tuple[tuple[Any, float], ...] = ()
    references: str = ""
    within_seconds: float | None = None
    query: str = ""
    severity: Severity = Severity.ERROR
    title: str = ""
    place: Place = _NOWHERE
