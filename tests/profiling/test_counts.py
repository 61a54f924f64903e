"""Counts give the quantiles and curves that the values themselves give."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from pipelineplan.profiling import counting
from pipelineplan.profiling.counting import QUANTILES, ROUNDING, TimeBins, ValueCounts, counted

values = st.lists(st.integers(-(2**40), 2**40) | st.integers(-3, 3), min_size=1, max_size=80)


@given(values, st.floats(0, 1))
def test_quantiles_are_type_seven(drawn: list[int], probability: float) -> None:
    assert counted(drawn).quantile(probability) == pytest.approx(
        np.quantile(drawn, probability), rel=1e-9, abs=1e-6
    )


@given(values)
def test_moments_and_totals(drawn: list[int]) -> None:
    counts = counted(drawn)
    mean, deviation = counts.mean_and_deviation()
    assert counts.total == len(drawn)
    assert mean == pytest.approx(np.mean(drawn), rel=1e-9, abs=1e-6)
    assert deviation == pytest.approx(np.std(drawn, ddof=1) if len(drawn) > 1 else 0.0, rel=1e-9, abs=1e-4)


@given(values, values, values)
def test_merging_is_counting_together_in_any_grouping(a: list[int], b: list[int], c: list[int]) -> None:
    together = counted(a + b + c)
    left = counted(a).merge(counted(b)).merge(counted(c))
    right = counted(a).merge(counted(b).merge(counted(c)))
    for merged in (left, right, ValueCounts.none().merge(together)):
        assert merged.values.tolist() == together.values.tolist()
        assert merged.counts.tolist() == together.counts.tolist()


@given(values)
def test_the_curve_is_the_empirical_distribution_at_each_of_its_points(drawn: list[int]) -> None:
    curve = counted(drawn).curve()
    assert curve[-1] == (max(drawn), 1.0)
    for value, share in curve:
        assert share == pytest.approx(sum(x <= value for x in drawn) / len(drawn))


def test_a_long_curve_is_short_and_keeps_its_tail() -> None:
    drawn = np.random.default_rng(5).pareto(1.5, 300_000) * 1e6
    counts = ValueCounts.of(drawn.astype(np.int64))
    curve = counts.curve()
    assert len(curve) < 200
    assert [value for value, _ in curve[-40:]] == np.unique(drawn.astype(np.int64))[-40:].tolist()
    seconds, shares = zip(*curve, strict=True)
    for _, probability in QUANTILES[:-1]:
        # Read linearly, the curve gives back the quantile to a small part of its probability.
        at = np.interp(counts.quantile(probability), seconds, shares)
        assert at == pytest.approx(probability, abs=0.006 * (1 - probability) + 1e-5)


def test_too_many_values_are_rounded_up_by_less_than_a_thousandth(monkeypatch: pytest.MonkeyPatch) -> None:
    drawn = np.random.default_rng(6).integers(-(10**12), 10**12, 20_000)
    exact = ValueCounts.of(drawn)
    monkeypatch.setattr(counting, "MOST_VALUES", 10_000)
    rounded = ValueCounts.of(drawn[:9000]).merge(ValueCounts.of(drawn[9000:]))
    assert rounded.rounded
    assert not exact.rounded
    assert rounded.total == exact.total
    assert len(rounded.values) < len(exact.values)
    for probability in (0.0, 0.3, 0.77, 0.99, 1.0):
        assert rounded.quantile(probability) == pytest.approx(exact.quantile(probability), rel=ROUNDING)
        assert abs(rounded.quantile(probability)) >= abs(exact.quantile(probability)) * (1 - 1e-9)


def test_rounding_zero_and_small_numbers_changes_nothing() -> None:
    assert counted([0, 1, -5, 2000, 2047]).round_up().values.tolist() == [-5, 0, 1, 2000, 2047]


def test_too_many_time_bins_widen_and_keep_every_event(monkeypatch: pytest.MonkeyPatch) -> None:
    times = np.sort(np.random.default_rng(8).integers(0, 40_000, 3000)) * 1_000_000
    exact = TimeBins.of(times[:1000]).merge(TimeBins.of(times[1000:]))
    monkeypatch.setattr(counting, "MOST_VALUES", 900)
    wide = TimeBins.of(times[:1000]).merge(TimeBins.of(times[1000:]))
    assert (exact.width_seconds, wide.width_seconds) == (1, 60)
    # A wide bin begins at a whole minute of the clock.
    by_hand = np.bincount(times // 60_000_000)
    assert wide.counts.values.tolist() == np.flatnonzero(by_hand).tolist()
    assert wide.counts.counts.tolist() == by_hand[by_hand > 0].tolist()
    again = wide.merge(TimeBins.of(times[:10]))
    assert (again.width_seconds, again.counts.total) == (60, 3010)
