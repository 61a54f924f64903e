"""The arithmetic of a design's size against the worked example of the capacity formulas, and by summing."""

from __future__ import annotations

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pipelineplan.plan import sizing

TB = 1e12


def test_the_worked_example_of_a_music_service() -> None:
    """1M users play 10 songs of 5 MB a day: 116/s, 50 TB a day, 580 MB/s or 4.6 Gbit/s."""
    rate = sizing.requests_per_second(1_000_000, 10)
    assert round(rate) == 116
    assert 50 * TB == 1_000_000 * 10 * 5e6
    assert round(116 * 5e6 / 1e6) == 580
    assert round(116 * 5e6 * 8 / 1e9, 1) == 4.6
    assert 3 * rate < 400 < 5 * rate


def test_storage_of_a_year_is_daily_times_365_times_copies() -> None:
    assert sizing.stored_bytes(5 * TB, 3, 365) == 5_475 * TB
    assert sizing.stored_bytes(5 * TB, 3, 365, kept_days=90) == 1_350 * TB
    assert sizing.stored_bytes(5 * TB, 3, 30, kept_days=90) == 450 * TB


@given(
    growth=st.floats(1e-5, 0.02),
    days=st.integers(1, 800),
    kept=st.integers(1, 1000),
)
def test_growing_storage_is_the_sum_of_its_hours(growth: float, days: int, kept: int) -> None:
    hours = range(max(0, days - kept) * 24, days * 24)
    summed = math.fsum(sizing.growth_factor(growth, (hour + 0.5) / 24) / 24 for hour in hours)
    assert sizing.stored_bytes(1.0, 2, days, kept, growth) == pytest.approx(2 * summed, rel=1e-6)


def test_growth_compounds_by_the_month() -> None:
    assert sizing.growth_factor(0.08 / 30, 360) == pytest.approx(1.08**12)
    assert sizing.growth_factor(0.0, 360) == 1.0


def test_what_breaks_first_carries_the_fewest_times_its_load() -> None:
    times = {"api": sizing.times_until(900, 400), "db": sizing.times_until(2_000, 900), "idle": math.inf}
    assert sizing.first_limit(times) == ("db", pytest.approx(2.22, abs=0.01))
    assert sizing.first_limit({"idle": sizing.times_until(5, 0)}) is None


def test_requests_in_progress_follow_from_rate_and_time() -> None:
    assert sizing.concurrent_requests(20_000, 0.05) == 1000
