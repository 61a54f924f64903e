"""Closed forms against each other, and against what a plain simulation of the recursion gives."""

import math

import numpy as np
import pytest

from pipelineplan.plan import queueing, tuning


def waits(between: np.ndarray, service: np.ndarray) -> np.ndarray:
    """Lindley's recursion, word for word."""
    wait, found = 0.0, np.empty(len(between))
    for index, (gap, served) in enumerate(zip(between.tolist(), service.tolist(), strict=True)):
        wait = max(wait - gap, 0.0)
        found[index] = wait
        wait += served
    return found


def test_one_server_is_the_same_by_two_formulas() -> None:
    for load in (0.1, 0.5, 0.9, 0.99):
        by_servers = queueing.erlang_c_wait_seconds(load, 1.0, 1)
        assert by_servers == pytest.approx(queueing.pollaczek_khinchine_seconds(load, 1.0, 1.0))


def test_nothing_waits_finitely_at_full_load() -> None:
    assert math.isinf(queueing.pollaczek_khinchine_seconds(1.0, 1.0, 1.0))
    assert math.isinf(queueing.erlang_c_wait_seconds(2.0, 1.0, 2))
    assert math.isinf(queueing.kingman_bound_seconds(1.0, 1.0, 1.0, 1.0))
    assert math.isinf(queueing.kingman_estimate_seconds(1.0, 1.0, 1.0, 1.0))
    assert math.isinf(queueing.drain_spread_seconds(1.0, 1.0, 1.0))
    assert queueing.erlang_c(2, 2.0) == 1.0


@pytest.mark.parametrize("servers", [1, 2, 7, 30])
def test_erlang_c_is_the_sum_of_its_textbook_series(servers: int) -> None:
    load = 0.85 * servers
    tail = load**servers / math.factorial(servers) / (1 - load / servers)
    expected = tail / (sum(load**k / math.factorial(k) for k in range(servers)) + tail)
    assert queueing.erlang_c(servers, load) == pytest.approx(expected, rel=1e-12)


def test_the_estimate_is_no_bound_and_the_bound_is_one() -> None:
    """Batches of three on average, at 90 %: GI/M/1 has a closed form to compare with."""
    more, rate, service = 2 / 3, 0.9, 1.0
    gap_rate = rate * (1 - more)

    def root_of(sigma: float) -> float:
        s = service * (1 - sigma)
        return more + (1 - more) * gap_rate / (gap_rate + s)

    sigma = 0.5
    for _ in range(10_000):
        sigma = root_of(sigma)
    exact = sigma / (service * (1 - sigma))
    arrival_cv2 = (1 + more) / (1 - more)
    assert queueing.kingman_estimate_seconds(rate, service, arrival_cv2, 1.0) < exact
    assert queueing.kingman_bound_seconds(rate, service, arrival_cv2, 1.0) >= exact

    random = np.random.default_rng(5)
    batches = random.random(400_000) < more
    gaps = np.where(batches, 0.0, random.exponential(1 / gap_rate, 400_000))
    seen = waits(gaps, random.exponential(1.0, 400_000)).mean()
    assert seen == pytest.approx(exact, rel=0.1)


def test_the_spread_of_a_drain_is_that_of_many_drains() -> None:
    random = np.random.default_rng(3)
    steps = random.poisson(80 * 0.05, (4000, 3000)) - random.poisson(100 * 0.05, (4000, 3000))
    left = 1000 + np.cumsum(steps, axis=1)
    drained = ((left <= 0).argmax(axis=1) + 1) * 0.05
    assert drained.mean() == pytest.approx(50, rel=0.01)
    assert drained.std() == pytest.approx(queueing.drain_spread_seconds(1000, 80, 100), rel=0.05)


@pytest.mark.parametrize("hours", [24, 6, 0.25])
def test_the_daly_interval_is_where_the_run_is_shortest(hours: float) -> None:
    found = tuning.daly_interval_seconds(300.0, hours * 3600)

    def length(interval: float) -> float:
        return tuning.run_seconds(1_800_000.0, interval, 300.0, 600.0, hours * 3600)

    assert length(found) <= 1.0005 * min(length(60.0 * minute) for minute in range(1, 1000))


def test_very_long_dumps_leave_one_interval_a_failure() -> None:
    assert tuning.daly_interval_seconds(200.0, 100.0) == 100.0
