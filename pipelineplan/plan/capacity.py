"""Closed forms of load and recovery: the arithmetic that rules judge by and simulations must meet.

Symbols of the formulas: lambda arrival rate, mu capacity of one worker, s the largest share of all
records that lands on one worker, T the time records have piled up, R retention, I checkpoint
interval, d checkpoint duration. Rates are records per second, times seconds, shares 0 to 1.
"""

from __future__ import annotations

import math


def forward_share(partitions: int, workers: int, hottest_key: float = 0.0) -> float:
    """The busiest worker's share when partitions are dealt out to workers.

    A partition's share is its hottest key plus its part of the rest; the busiest worker has
    ceil(P / w) partitions, the hottest among them: `h + (1 - h) * ceil(P / w) / P`.
    Workers beyond the number of partitions get nothing.
    """
    return hottest_key + (1 - hottest_key) * math.ceil(partitions / workers) / partitions


def keyed_share(key_groups: int, workers: int, hottest_key: float = 0.0) -> float:
    """The busiest worker's share of a keyed exchange: key groups are dealt out in ranges.

    `h + (1 - h) * ceil(G / w) / G`, before the noise that hashing adds: which makes plateaus,
    since 120 groups on 61 to 119 workers always leave somebody with two.
    """
    return hottest_key + (1 - hottest_key) * math.ceil(key_groups / workers) / key_groups


def utilisation(rate_per_second: float, share: float, capacity_per_second: float) -> float:
    """`s * lambda / mu` of the busiest worker."""
    return rate_per_second * share / capacity_per_second if capacity_per_second else math.inf


def drain_seconds(
    rate_per_second: float, share: float, capacity_per_second: float, piled_up_seconds: float
) -> float:
    """How long the busiest worker needs to work off what piled up, while new records arrive.

    `s * lambda * T / (mu - s * lambda)`; infinite when the worker is full without the backlog.
    """
    own_rate = rate_per_second * share
    spare = capacity_per_second - own_rate
    if own_rate * piled_up_seconds == 0:
        return 0.0
    return own_rate * piled_up_seconds / spare if spare > 0 else math.inf


def oldest_unread_seconds(utilised: float, piled_up_seconds: float) -> float:
    """The greatest age of the oldest unread record: T itself, unless capacity is below the rate.

    At exactly the rate the backlog stays as it is: it never drains and never grows.
    """
    return piled_up_seconds if utilised <= 1 else math.inf


def seconds_to_loss(retention_seconds: float, piled_up_seconds: float, utilised: float) -> float:
    """When capacity is below the rate: `(R - T) / (1 - mu / lambda)` until records expire unread."""
    if utilised <= 1:
        return math.inf
    return max(0.0, (retention_seconds - piled_up_seconds) / (1 - 1 / utilised))


def effective_interval_seconds(
    interval_seconds: float, duration_seconds: float, pause_seconds: float
) -> float:
    """The interval that checkpoints really have: `max(I, d + minimum pause)`."""
    return max(interval_seconds, duration_seconds + pause_seconds)


def remembered_keys(rate_per_second: float, new_share: float, life_seconds: float) -> float:
    """The keys that are remembered at rest: `lambda * n * T`, Little's law; infinite without an end.

    A share `n` of the records brings a new key, and each is forgotten `T` after it came.
    """
    return rate_per_second * new_share * life_seconds if rate_per_second * new_share > 0 else 0.0


def checkpoint_seconds(state_bytes: float, changed_share: float, share: float, bandwidth: float) -> float:
    """How long the largest task writes: `state * changed * s / bandwidth` (bytes, bytes per second)."""
    return state_bytes * changed_share * share / bandwidth if bandwidth else math.inf


def restore_seconds(state_bytes: float, share: float, bandwidth: float) -> float:
    """How long the largest task reads its state back."""
    return state_bytes * share / bandwidth if bandwidth else math.inf


def transaction_span_seconds(
    interval_seconds: float,
    timeout_seconds: float,
    pause_seconds: float,
    tolerable_failures: int,
    downtime_seconds: float,
) -> float:
    """The longest a transaction may stay open: `(1 + k) * max(I, timeout + pause) + timeout + downtime`.

    With k tolerable checkpoint failures each attempt may use up its timeout, and the job may then be
    down before the commit of the last one is repeated.
    """
    attempt = max(interval_seconds, timeout_seconds + pause_seconds)
    return (1 + tolerable_failures) * attempt + timeout_seconds + downtime_seconds


def capacity_with_retries(
    capacity_per_second: float, failing_share: float, retries: int, waits_seconds: float
) -> float:
    """What a worker manages when a share `q` of records fails every attempt and blocks it meanwhile.

    `1 / (1/mu + q * (r/mu + waits))`: the mean time of a record, r further attempts and all waits included.
    """
    if not capacity_per_second:
        return 0.0
    each = 1 / capacity_per_second
    return 1 / (each + failing_share * (retries * each + waits_seconds))


def mean_waits(
    first: float, cap: float | None, factor: float, jitter: str, attempts: int
) -> tuple[float, ...]:
    """The mean wait before each further attempt, in seconds.

    `none`: `min(cap, first * factor^n)`; `full`: half of that, the mean of U(0, that);
    `decorrelated`: the mean of `min(cap, U(first, 3 * previous))` with the mean for the previous.
    Source of the jitter: M. Brooker, Exponential Backoff And Jitter, AWS Architecture Blog, 2015.
    """
    waits, most, previous = [], cap if cap is not None else float("inf"), first
    for number in range(attempts - 1):
        if jitter == "decorrelated":
            previous = _mean_of_capped(first, 3.0 * previous, most)
            waits.append(previous)
        else:
            waits.append(min(most, first * factor**number) * (0.5 if jitter == "full" else 1.0))
    return tuple(waits)


def _mean_of_capped(low: float, high: float, cap: float) -> float:
    """The mean of `min(cap, U(low, high))`."""
    if high <= cap:
        return (low + high) / 2
    if cap <= low:
        return cap
    return ((cap**2 - low**2) / 2 + cap * (high - cap)) / (high - low)
