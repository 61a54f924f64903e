"""Bounds against published tables and closed forms."""

import math

import pytest

from pipelineplan.simulation.probability import (
    Chance,
    chance,
    incomplete_beta,
    runs_to_decide,
    spread,
    student_quantile,
)

# Two-sided 95 % limits for a binomial probability, as printed in tables after Clopper and Pearson
# (e.g. Altman et al., Statistics with Confidence, 2nd ed., 2000; R's binom.test gives the same).
TABLE = [
    (0, 10, 0.0, 0.3085),
    (1, 10, 0.0025, 0.4450),
    (3, 10, 0.0667, 0.6525),
    (5, 10, 0.1871, 0.8129),
    (10, 10, 0.6915, 1.0),
    (0, 20, 0.0, 0.1684),
    (1, 20, 0.0013, 0.2487),
    (0, 100, 0.0, 0.0362),
]


@pytest.mark.parametrize(("kept", "runs", "low", "high"), TABLE)
def test_clopper_and_pearson_s_table(kept: int, runs: int, low: float, high: float) -> None:
    found = chance(kept, runs)
    assert (found.low, found.high) == (pytest.approx(low, abs=5.1e-5), pytest.approx(high, abs=5.1e-5))


def test_a_thousand_clean_runs_bound_a_failure_at_0_37_percent() -> None:
    found = chance(1000, 1000)
    assert 1.0 - found.low == pytest.approx(0.0037, abs=5e-5)
    assert found.low == pytest.approx(0.025 ** (1 / 1000), rel=1e-12)


@pytest.mark.parametrize(
    ("degrees", "printed"), [(1, 12.706), (2, 4.303), (5, 2.571), (9, 2.262), (30, 2.042), (1000, 1.962)]
)
def test_student_s_table(degrees: int, printed: float) -> None:
    assert student_quantile(0.975, degrees) == pytest.approx(printed, abs=5.1e-4)


@pytest.mark.parametrize(
    ("a", "b", "x"), [(3, 5, 0.2), (3, 5, 0.7), (1, 9, 0.05), (40, 2, 0.97), (500, 501, 0.49)]
)
def test_the_incomplete_beta_is_a_binomial_tail(a: int, b: int, x: float) -> None:
    count = a + b - 1
    tail = math.fsum(math.comb(count, k) * x**k * (1 - x) ** (count - k) for k in range(a, count + 1))
    assert incomplete_beta(a, b, x) == pytest.approx(tail, rel=1e-11)


def test_a_mean_comes_with_student_s_interval() -> None:
    found = spread([8.0, 9.0, 10.0, 11.0, 12.0])
    half = 2.776445 * math.sqrt(2.5 / 5)
    assert (found.mean, found.mean_low) == (10.0, pytest.approx(10.0 - half, rel=1e-6))
    assert (found.p05, found.p50, found.p95) == (pytest.approx(8.2), 10.0, pytest.approx(11.8))


def test_a_run_that_never_ends_has_no_finite_mean() -> None:
    found = spread([1.0, math.inf, 2.0])
    assert found.mean == math.inf
    assert found.p50 == 2.0
    assert math.isinf(spread([5.0]).mean_high)


def test_how_many_runs_would_decide() -> None:
    clean = chance(20, 20)
    assert clean.low < 0.95
    enough = runs_to_decide(clean, 0.95)
    assert chance(enough, enough).low >= 0.95 > chance(enough - 1, enough - 1).low
    assert runs_to_decide(Chance(95, 100, 0.88, 0.98), 0.95) == 0
    assert runs_to_decide(chance(90, 100), 0.95) == pytest.approx(139, abs=1)
