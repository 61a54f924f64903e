"""Closed forms of error budgets: what an availability allows, and when its burning is told.

99.9 % over 30 d          43.2 min that may fail
2 % of it in 1 h          burns at 0.02 * 30 d / 1 h = 14.4 times the rate that would just use it up
three things in a row     the product of their availabilities

Shares are 0 to 1, times seconds.
"""

from __future__ import annotations

import math
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Literal


@dataclass(frozen=True)
class BurnAlert:
    """An alert on the share of the budget that one window has used."""

    share: float
    window_seconds: float
    severity: Literal["page", "ticket"]

    def burn_rate(self, period_seconds: float) -> float:
        """How many times faster than evenly the budget of a period burns: `share * period / window`."""
        return self.share * period_seconds / self.window_seconds


# Design playbook, starter burn-rate alerts; the first two are those of B. Beyer et al., The Site Reliability
# Workbook, O'Reilly 2018, chapter 5, whose third is 10 % in three days.
BURN_ALERTS = (
    BurnAlert(0.02, 3_600.0, "page"),
    BurnAlert(0.05, 6 * 3_600.0, "page"),
    BurnAlert(0.10, 24 * 3_600.0, "ticket"),
)


def budget_seconds(availability: float, period_seconds: float) -> float:
    """The time that may fail: `(1 - A) * period`."""
    return (1.0 - availability) * period_seconds


def allowed_share(window_seconds: float) -> float:
    """The share of the budget that may be gone when an alert over `window_seconds` fires."""
    fitting = (alert.share for alert in BURN_ALERTS if window_seconds <= alert.window_seconds)
    return next(fitting, BURN_ALERTS[-1].share)


def error_rate(burn_rate: float, availability: float) -> float:
    """The share of failures at which a burn rate is reached: `burn * (1 - A)`; above 1 it never is."""
    return burn_rate * (1.0 - availability)


def in_series(availabilities: Iterable[float]) -> float:
    """What all are together when each is needed: the product."""
    return math.prod(availabilities)


def redundant(availability: float, copies: float) -> float:
    """Of `copies` any one is enough, and they fail independently: `1 - (1 - a)^n`."""
    return float(1.0 - (1.0 - availability) ** copies)
