"""Which familiar distribution comes closest to what was measured, and how wrong it still is.

    lateness    lognormal, mu -1.2, sigma 0.8     misfit 2.1 %, p99 too small by 7 %

Five families are fitted by maximum likelihood to the counts themselves, values above 0 only, as many as
there are. The misfit is the Kolmogorov-Smirnov distance: by how much the shares of records up to some delay
differ at most. The family with the least of it is named; being the closest does not make it right.

    exponential   1 - exp(-x / scale)
    weibull       1 - exp(-(x / scale) ^ shape)
    gamma         regularised incomplete gamma function of shape and x / scale
    lognormal     normal distribution function of (ln x - mu) / sigma
    lomax         1 - (1 + x / scale) ^ -shape: a Pareto tail that begins at 0

Sources: N. L. Johnson, S. Kotz, N. Balakrishnan, Continuous Univariate Distributions, volume 1, 2nd edition,
1994, chapters 14, 17, 19, 20 and 21 (equations of likelihood); A. N. Kolmogorov, 1933.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from pipelineplan.profiling.counting import ValueCounts
from pipelineplan.sources import Fit

Floats = npt.NDArray[np.float64]
_FEWEST = 100
_MOST_POINTS = 1 << 16
_QUANTILES = (("p50", 0.5), ("p90", 0.9), ("p99", 0.99), ("p99.9", 0.999))
_SHAPES = (1e-3, 1e3)
_US_PER_SECOND = 1e6


@dataclass(frozen=True)
class _Sample:
    """Different values in seconds, rising, and the share of each."""

    seconds: Floats
    shares: Floats
    logs: Floats

    def mean(self, of: Floats) -> float:
        return float(np.dot(self.shares, of))


@dataclass(frozen=True)
class _Fitted:
    parameters: Mapping[str, float]
    cdf: Callable[[Floats], Floats]
    quantile: Callable[[float], float]


def fit(counts: ValueCounts) -> Fit | None:
    """The closest family for counts in microseconds; None for fewer than 100 values above 0, or only one."""
    positive = counts.values > 0
    weights = counts.counts[positive]
    if weights.sum() < _FEWEST or len(weights) < 2:
        return None
    kept = ValueCounts(counts.values[positive], weights, counts.bits)
    kept = kept if len(weights) <= _MOST_POINTS else kept.round_up()
    seconds = kept.values / _US_PER_SECOND
    sample = _Sample(seconds, kept.counts / kept.total, np.log(seconds))
    tried = {name: family(sample) for name, family in _FAMILIES.items()}
    misfits = {name: _distance(sample, one) for name, one in tried.items() if one is not None}
    closest = min(misfits, key=misfits.__getitem__)
    chosen = tried[closest]
    if chosen is None:
        return None
    return Fit(
        family=closest,
        parameters=chosen.parameters,
        share_fitted=float(weights.sum() / counts.total),
        misfit=misfits.pop(closest),
        quantile_errors={
            name: chosen.quantile(p) / (kept.quantile(p) / _US_PER_SECOND) - 1 for name, p in _QUANTILES
        },
        other_misfits=dict(sorted(misfits.items(), key=lambda pair: pair[1])),
    )


def _distance(sample: _Sample, fitted: _Fitted) -> float:
    """The largest difference of the two distribution functions, at and just before each value."""
    upto = np.cumsum(sample.shares)
    said = fitted.cdf(sample.seconds)
    return float(max(np.abs(said - upto).max(), np.abs(said - (upto - sample.shares)).max()))


def _exponential(sample: _Sample) -> _Fitted:
    scale = sample.mean(sample.seconds)
    return _Fitted({"scale": scale}, lambda x: -np.expm1(-x / scale), lambda p: -scale * math.log1p(-p))


def _weibull(sample: _Sample) -> _Fitted | None:
    from scipy.optimize import brentq

    mean_log = sample.mean(sample.logs)
    # Powers of values around 1 stay in range whatever the unit.
    centred = sample.logs - mean_log

    def slope(shape: float) -> float:
        powers = sample.shares * np.exp(shape * (centred - centred[-1]))
        return float(np.dot(powers, centred) / powers.sum()) - 1 / shape

    if slope(_SHAPES[0]) * slope(_SHAPES[1]) > 0:
        return None
    shape = float(brentq(slope, *_SHAPES))
    power = sample.mean(np.exp(shape * (centred - centred[-1])))
    scale = math.exp(mean_log + centred[-1] + math.log(power) / shape)
    return _Fitted(
        {"shape": shape, "scale": scale},
        lambda x: -np.expm1(-((x / scale) ** shape)),
        lambda p: scale * (-math.log1p(-p)) ** (1 / shape),
    )


def _gamma(sample: _Sample) -> _Fitted | None:
    from scipy.optimize import brentq
    from scipy.special import digamma, gammainc, gammaincinv

    mean = sample.mean(sample.seconds)
    spread = math.log(mean) - sample.mean(sample.logs)

    def slope(shape: float) -> float:
        return math.log(shape) - float(digamma(shape)) - spread

    if slope(_SHAPES[0]) * slope(_SHAPES[1]) > 0:
        return None
    shape = float(brentq(slope, *_SHAPES))
    scale = mean / shape
    return _Fitted(
        {"shape": shape, "scale": scale},
        lambda x: np.asarray(gammainc(shape, x / scale)),
        lambda p: scale * float(gammaincinv(shape, p)),
    )


def _lognormal(sample: _Sample) -> _Fitted | None:
    from scipy.special import ndtr, ndtri

    mu = sample.mean(sample.logs)
    sigma = math.sqrt(sample.mean(np.square(sample.logs - mu)))
    return _Fitted(
        {"mu": mu, "sigma": sigma},
        lambda x: np.asarray(ndtr((np.log(x) - mu) / sigma)),
        lambda p: math.exp(mu + sigma * float(ndtri(p))),
    )


def _lomax(sample: _Sample) -> _Fitted:
    from scipy.optimize import minimize_scalar

    def shape_of(scale: float) -> float:
        return 1 / sample.mean(np.log1p(sample.seconds / scale))

    def surprise(log_scale: float) -> float:
        scale = math.exp(log_scale)
        shape = shape_of(scale)
        # Minus the mean log-likelihood, whose last term is (shape + 1) times the mean of log1p.
        return log_scale - math.log(shape) + (shape + 1) / shape

    middle = math.log(sample.mean(sample.seconds))
    scale = math.exp(float(minimize_scalar(surprise, bounds=(middle - 15, middle + 15), method="bounded").x))
    shape = shape_of(scale)
    return _Fitted(
        {"shape": shape, "scale": scale},
        lambda x: -np.expm1(-shape * np.log1p(x / scale)),
        lambda p: scale * math.expm1(-math.log1p(-p) / shape),
    )


_FAMILIES: Mapping[str, Callable[[_Sample], _Fitted | None]] = {
    "exponential": _exponential,
    "weibull": _weibull,
    "gamma": _gamma,
    "lognormal": _lognormal,
    "lomax": _lomax,
}
