"""Disorder known in part gives bounds, known densely gives points; both checked by integrals done by hand."""

from __future__ import annotations

import math
import random
import subprocess
import sys
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pipelineplan.eventtime import Bounds, Disorder, DisorderError, completeness, patience_for, share_within

SKETCH = Disorder.from_quantiles({0.5: 1.0, 0.99: 40.0, 0.999: 600.0})


def test_the_sketch_plan_lies_between_its_quantiles() -> None:
    found = completeness(SKETCH, window_seconds=60, watermark_lag_seconds=30, allowed_lateness_seconds=300)
    assert found.final == Bounds(0.99, 0.999)
    # At first firing the integral passes p99 after 10 of the 60 seconds.
    assert found.at_first_firing == pytest.approx(
        ((0.5 * 10 + 0.99 * 50) / 60, (0.99 * 10 + 0.999 * 50) / 60)
    )
    assert found.dropped == pytest.approx((0.001, 0.01))


@pytest.mark.parametrize(
    ("seconds", "low", "high"),
    [
        (-1, 0, 0),
        (0, 0, 0.5),
        (0.999, 0, 0.5),
        (1, 0.5, 0.99),
        (39, 0.5, 0.99),
        (40, 0.99, 0.999),
        (600, 0.999, 1),
    ],
)
def test_between_two_quantiles_the_share_lies_between_their_probabilities(
    seconds: float, low: float, high: float
) -> None:
    assert SKETCH.cdf_bounds(seconds) == (low, high)


def test_uncertain_quantiles_widen_the_bounds() -> None:
    uncertain = Disorder.from_quantiles({0.5: 1.0, 0.99: (30.0, 50.0), 1.0: 600.0})
    assert uncertain.cdf_bounds(40) == (0.5, 1.0)
    assert uncertain.cdf_bounds(50) == (0.99, 1.0)
    assert uncertain.quantile_bounds(0.99) == (30, 50)
    assert uncertain.cdf_bounds(600) == (1.0, 1.0)


def test_quantile_bounds_between_and_beyond() -> None:
    assert SKETCH.quantile_bounds(0.9) == (1, 40)
    assert SKETCH.quantile_bounds(0.99) == (40, 40)
    assert SKETCH.quantile_bounds(0.2) == (0, 1)
    assert SKETCH.quantile_bounds(0.9999) == (600, math.inf)


@pytest.mark.parametrize(
    ("quantiles", "says"),
    [
        ({}, "at least one"),
        ({0.0: 1.0}, "probability above 0"),
        ({1.5: 1.0}, "probability above 0"),
        ({0.5: -1.0}, "0 s or more"),
        ({0.5: math.inf}, "0 s or more"),
        ({0.5: math.nan}, "0 s or more"),
        ({0.5: 10.0, 0.9: 5.0}, "p90 = 5 s below p50 = 10 s"),
    ],
)
def test_quantiles_that_no_distribution_has(quantiles: dict[float, float], says: str) -> None:
    with pytest.raises(DisorderError, match=says):
        Disorder.from_quantiles(quantiles)


@pytest.mark.parametrize(
    "curve",
    [
        [],
        [(0.0, 0.5)],
        [(1.0, 0.5), (1.0, 1.0)],
        [(0.0, 0.6), (1.0, 0.5), (2.0, 1.0)],
        [(-1.0, 0.2), (1.0, 1.0)],
    ],
)
def test_curves_that_are_no_distribution(curve: list[tuple[float, float]]) -> None:
    with pytest.raises(DisorderError):
        Disorder.from_curve(curve)


def exponential_curve(mean: float, points: int = 4000) -> Disorder:
    xs = [mean * 20 * i / points for i in range(points)]
    return Disorder.from_curve([*((x, -math.expm1(-x / mean)) for x in xs), (mean * 20, 1.0)])


def test_exponential_disorder_has_a_closed_form() -> None:
    mean, window, lag = 10.0, 60.0, 15.0
    exact = 1 - mean / window * math.exp(-lag / mean) * -math.expm1(-window / mean)
    low, high = share_within(exponential_curve(mean), window, lag)
    assert low == high == pytest.approx(exact, abs=1e-5)


def test_a_dense_curve_is_a_point_and_inside_the_bounds_of_its_own_quantiles() -> None:
    dense = exponential_curve(10.0)
    few = Disorder.from_quantiles({p: dense.quantile_bounds(p).low for p in (0.5, 0.9, 0.99, 0.999)})
    for lag in (0.0, 3.0, 11.0, 50.0):
        point = share_within(dense, 60, lag)
        bounds = share_within(few, 60, lag)
        assert bounds.low <= point.low == point.high <= bounds.high


def test_a_curve_may_jump_at_its_first_point() -> None:
    punctual = Disorder.from_curve([(0.0, 0.8), (10.0, 1.0)])
    assert punctual.cdf_bounds(0) == (0.8, 0.8)
    assert punctual.mean_cdf_bounds(-10, 10) == pytest.approx((0.45, 0.45))
    late = Disorder.from_curve([(5.0, 0.8), (10.0, 1.0)])
    assert late.mean_cdf_bounds(0, 10) == pytest.approx((0.45, 0.45))


def test_patience_is_the_inverse_of_completeness() -> None:
    dense = exponential_curve(10.0)
    low, high = patience_for(dense, 60, 0.99)
    assert low == high
    assert share_within(dense, 60, high).low >= 0.99 > share_within(dense, 60, math.nextafter(high, 0)).low
    # Both ends by hand: the share of the window that must lie past p99 (low) or past p99.9 (high).
    assert tuple(patience_for(SKETCH, 60, 0.995)) == pytest.approx((40 / 3, 600 - 60 * 4 / 9))
    assert math.isinf(patience_for(SKETCH, 60, 0.9995).high)
    assert patience_for(SKETCH, 60, 0.99).high == pytest.approx(40.0)
    assert patience_for(SKETCH, 60, 0.2).low == 0


quantile_sets = st.dictionaries(
    st.sampled_from([0.1, 0.5, 0.75, 0.9, 0.95, 0.99, 0.999, 1.0]), st.floats(0, 1e4), min_size=1, max_size=6
).map(lambda drawn: dict(zip(sorted(drawn), sorted(drawn.values()), strict=True)))


@given(quantile_sets, st.floats(0, 500), st.floats(0.001, 500), st.floats(0, 500))
def test_more_patience_never_counts_less(
    quantiles: dict[float, float], lag: float, window: float, more: float
) -> None:
    disorder = Disorder.from_quantiles(quantiles)
    less, enough = share_within(disorder, window, lag), share_within(disorder, window, lag + more)
    assert 0 <= less.low <= less.high <= 1
    assert less.low <= enough.low + 1e-12
    assert less.high <= enough.high + 1e-12


@given(quantile_sets, st.floats(0, 500), st.floats(0.001, 500), st.integers(0, 2**32))
def test_any_distribution_with_these_quantiles_lies_inside_the_bounds(
    quantiles: dict[float, float], lag: float, window: float, seed: int
) -> None:
    """Draw one by rising randomly between the quantiles, and integrate it by brute force."""
    bounds = share_within(Disorder.from_quantiles(quantiles), window, lag)
    rng = random.Random(seed)
    knots = [(0.0, 0.0), *((x, p) for p, x in quantiles.items()), (max(quantiles.values()) + 1000, 1.0)]
    inner = [(rng.uniform(a, b), rng.uniform(p, q)) for (a, p), (b, q) in pairwise(knots)]
    points = sorted(knots + inner)

    def cdf(x: float) -> float:
        return max((p for at, p in points if at <= x), default=0.0)

    shares = [cdf(lag + window * (i + 0.5) / 400) for i in range(400)]
    # The brute force rule misses at most one cell for every jump.
    slack = len(points) / 400 + 1e-9
    assert bounds.low - slack <= sum(shares) / 400 <= bounds.high + slack


def test_check_can_import_the_closed_forms_without_numpy() -> None:
    script = "import sys, pipelineplan.eventtime; sys.exit('numpy' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", script], check=False).returncode == 0
