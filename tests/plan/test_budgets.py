"""Error budgets, burn rates and availability in series against published figures."""

from __future__ import annotations

import pytest

from pipelineplan.plan import budgets

DAY = 86_400.0


@pytest.mark.parametrize(
    ("availability", "period", "minutes"),
    [(0.999, 30 * DAY, 43.2), (0.9999, 30 * DAY, 4.32), (0.995, 30 * DAY, 216.0), (0.999, 365 * DAY, 525.6)],
)
def test_what_may_fail(availability: float, period: float, minutes: float) -> None:
    """43.2 min a month and 8.76 h a year at 99.9 %."""
    assert budgets.budget_seconds(availability, period) / 60 == pytest.approx(minutes)


def test_burn_rates_of_the_workbook() -> None:
    """14.4, 6 and, of the playbook's third alert, 3, over thirty days."""
    rates = [alert.burn_rate(30 * DAY) for alert in budgets.BURN_ALERTS]
    assert rates == pytest.approx([14.4, 6.0, 3.0])
    assert [alert.severity for alert in budgets.BURN_ALERTS] == ["page", "page", "ticket"]


def test_an_alert_fires_when_its_share_of_the_budget_is_gone() -> None:
    for alert in budgets.BURN_ALERTS:
        failing = budgets.error_rate(alert.burn_rate(30 * DAY), 0.999)
        lost = failing * alert.window_seconds
        assert lost / budgets.budget_seconds(0.999, 30 * DAY) == pytest.approx(alert.share)


def test_in_series_and_in_parallel() -> None:
    assert budgets.in_series([0.999] * 3) == pytest.approx(0.997002999)
    assert budgets.redundant(0.99, 2) == pytest.approx(0.9999)
    assert budgets.in_series([]) == 1.0


@pytest.mark.parametrize(("hours", "share"), [(1, 0.02), (1.01, 0.05), (6, 0.05), (7, 0.10), (72, 0.10)])
def test_longer_windows_may_use_more(hours: float, share: float) -> None:
    assert budgets.allowed_share(hours * 3600) == share
