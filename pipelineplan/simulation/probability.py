"""What a number of replications says: bounds on a probability, an interval for a mean, quantiles.

    kept in 1000 of 1000 runs  ->  kept with probability >= 0.9963   (95 % confidence)

1,000 clean runs bound the probability of failure at 0.37 %, and no lower.

Sources: C. J. Clopper, E. S. Pearson, The use of confidence or fiducial limits illustrated in the
case of the binomial, Biometrika 26, 1934; W. H. Press et al., Numerical Recipes, 3rd ed., 2007,
section 6.4 (the incomplete beta function by Lentz's continued fraction); A. M. Law, Simulation
Modeling and Analysis, 5th ed., 2015, section 9.4.1 (t-interval over replications).
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from statistics import NormalDist

CONFIDENCE = 0.95
_TINY = 1e-300
_MOST_TERMS = 100_000
_HALVINGS = 200


@dataclass(frozen=True)
class Chance:
    """`kept` of `runs` replications kept a promise; the probability lies in `[low, high]`."""

    kept: int
    runs: int
    low: float
    high: float


@dataclass(frozen=True)
class Spread:
    """One figure over replications: its mean with a 95 % interval, and quantiles of single runs."""

    mean: float
    mean_low: float
    mean_high: float
    p05: float
    p50: float
    p95: float


def chance(kept: int, runs: int, confidence: float = CONFIDENCE) -> Chance:
    """Clopper-Pearson bounds, two-sided: exact, so never narrower than they say."""
    tail = (1.0 - confidence) / 2
    low = 0.0 if kept == 0 else _solve(lambda p: incomplete_beta(kept, runs - kept + 1, p), tail)
    high = 1.0 if kept == runs else _solve(lambda p: incomplete_beta(kept + 1, runs - kept, p), 1.0 - tail)
    return Chance(kept, runs, low, high)


def runs_to_decide(one: Chance, needed: float) -> int:
    """About how many replications would tell the probability that was seen from `needed`.

    The exact number where no run failed, else by the normal approximation; 0 if none would.
    """
    if one.kept == one.runs:
        return math.ceil(math.log((1.0 - CONFIDENCE) / 2) / math.log(needed))
    seen = one.kept / one.runs
    if seen == needed:
        return 0
    deviations = NormalDist().inv_cdf(0.5 + CONFIDENCE / 2)
    return math.ceil(max(seen * (1 - seen), needed * (1 - needed)) * (deviations / (seen - needed)) ** 2)


def spread(values: Sequence[float], confidence: float = CONFIDENCE) -> Spread:
    """The mean of independent runs with Student's interval, and their quantiles (R type 7).

    A run that is infinite makes the mean infinite; what is not a number makes all of it so.
    """
    count, mean = len(values), math.fsum(values) / len(values)
    half = math.inf if count < 2 else 0.0
    if math.isfinite(mean) and count > 1:
        variance = math.fsum((value - mean) ** 2 for value in values) / (count - 1)
        half = student_quantile(0.5 + confidence / 2, count - 1) * math.sqrt(variance / count)
    ordered = sorted(values)
    p05, p50, p95 = (_quantile(ordered, share) for share in (0.05, 0.5, 0.95))
    return Spread(mean, mean - half, mean + half, p05, p50, p95)


def _quantile(ordered: Sequence[float], share: float) -> float:
    place = share * (len(ordered) - 1)
    below = math.floor(place)
    above = min(below + 1, len(ordered) - 1)
    if place == below or ordered[below] == ordered[above]:
        return ordered[below]
    return ordered[below] + (place - below) * (ordered[above] - ordered[below])


def student_quantile(probability: float, degrees: int) -> float:
    """The value that Student's t with that many degrees of freedom does not exceed, from 0.5 up."""
    if probability <= 0.5:
        return 0.0
    inside = _solve(lambda x: 1.0 - incomplete_beta(degrees / 2, 0.5, 1.0 - x), 2 * probability - 1.0)
    return math.sqrt(degrees * inside / (1.0 - inside))


def _solve(rising: Callable[[float], float], value: float) -> float:
    """Where a function that rises from 0 to 1 on [0, 1] has that value, by bisection."""
    low, high = 0.0, 1.0
    for _ in range(_HALVINGS):
        middle = (low + high) / 2
        if middle in {low, high}:
            break
        low, high = (middle, high) if rising(middle) < value else (low, middle)
    return (low + high) / 2


def incomplete_beta(a: float, b: float, x: float) -> float:
    """The regularised incomplete beta function `I_x(a, b)`, for `a, b > 0`."""
    if x <= 0:
        return 0.0
    if x >= 1:
        return 1.0
    if x > (a + 1) / (a + b + 2):
        return 1.0 - incomplete_beta(b, a, 1.0 - x)
    log_front = math.lgamma(a + b) - math.lgamma(a) - math.lgamma(b) + a * math.log(x) + b * math.log1p(-x)
    return math.exp(log_front) * _continued_fraction(a, b, x) / a


def _continued_fraction(a: float, b: float, x: float) -> float:
    """Lentz's method for the fraction of `I_x(a, b)`, which converges for `x < (a + 1)/(a + b + 2)`."""
    upper, lower = 1.0, 1.0 / _away_from_zero(1.0 - (a + b) * x / (a + 1))
    total = lower
    for term in range(1, _MOST_TERMS):
        even = term * (b - term) * x / ((a + 2 * term - 1) * (a + 2 * term))
        odd = -(a + term) * (a + b + term) * x / ((a + 2 * term) * (a + 2 * term + 1))
        for step in (even, odd):
            lower = 1.0 / _away_from_zero(1.0 + step * lower)
            upper = _away_from_zero(1.0 + step / upper)
            total *= upper * lower
        if abs(upper * lower - 1.0) < 1e-15:
            return total
    return total


def _away_from_zero(value: float) -> float:
    return value if abs(value) > _TINY else _TINY
