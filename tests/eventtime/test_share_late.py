"""The share of late records of a Poisson stream has a closed form; the arrays must agree with it.

Records come at rate r with independent delays of density f and distribution F, and the watermark
of each of P partitions is its newest event time less B, so a record of delay x is late when each
partition has delivered one that is more than B younger:

    P(late) = integral f(x) * [1 - exp(-(r/P) * integral from 0 to x - B of F)]^P dx

(The number of records of one partition with event time in (t + B, t + x) that arrived by t + x is
Poisson with mean (r/P) * integral from 0 to x - B of F: thinning, S. Ross, Introduction to
Probability Models, section 5.3.)
"""

from __future__ import annotations

import numpy as np
import pytest

from pipelineplan.eventtime.timeliness import FixedWindows, Judgement, classify
from pipelineplan.eventtime.watermarks import Scope, Watermark

# One unit of time is a million milliseconds, so that whole milliseconds lose nothing that shows.
UNIT = 1_000_000
RECORDS = 400_000


def share_late(rate: float, lag: float, partitions: int) -> float:
    """The closed form for exponential delays of mean 1, by the trapezoid rule."""
    x = np.linspace(lag, lag + 40, 400_001)
    younger = (x - lag) - -np.expm1(-(x - lag))
    all_ahead = (-np.expm1(-rate / partitions * younger)) ** partitions
    return float(np.trapezoid(np.exp(-x) * all_ahead, x))


def simulated(rate: float, lag: float, partitions: int, seed: int) -> tuple[float, float]:
    """The share of late records and its standard error by batch means."""
    rng = np.random.default_rng(seed)
    born = np.cumsum(rng.exponential(1 / rate, RECORDS))
    order = np.argsort(born + rng.exponential(1.0, RECORDS), kind="stable")
    times = np.round(born[order] * UNIT).astype(np.int64)
    scope = Scope.PER_PARTITION if partitions > 1 else Scope.MERGED
    # A window of a millisecond makes a record late as soon as the watermark has passed it.
    judgement = Judgement(Watermark(round(lag * UNIT), scope, partitions), FixedWindows(1))
    partition = rng.integers(0, partitions, RECORDS)
    late = classify(judgement, times, partition).timeliness > 0
    batches = late.reshape(100, -1).mean(axis=1)
    return float(late.mean()), float(batches.std(ddof=1) / 10)


@pytest.mark.parametrize(
    ("rate", "lag", "partitions"),
    [
        (10.0, 2.0, 1),
        (3.0, 2.0, 1),
        (0.7, 2.0, 1),
        (10.0, 1.0, 1),
        (40.0, 2.0, 8),
        (15.0, 2.0, 8),
        (10.0, 0.5, 3),
    ],
)
def test_the_simulated_share_is_the_closed_form(rate: float, lag: float, partitions: int) -> None:
    exact = share_late(rate, lag, partitions)
    found, error = simulated(rate, lag, partitions, seed=20)
    assert abs(found - exact) < 4 * error
    # The delay's own tail P(X > B), which forgets what has to arrive first, would not pass.
    assert np.exp(-lag) - exact > 10 * error
