"""Closed forms of a design's size: from users to requests, bytes, disks and the first limit on the way up.

1M users * 10 a day / 86,400 s = 116/s;  * 4 at peak = 463/s;  * 5 MB = 2.3 GB/s
5 TB a day * 365 d * 3 copies = 5.5 PB in the first year

Rates are per second, sizes bytes, growth a share per day of which thirty make a month.
"""

from __future__ import annotations

import math
from collections.abc import Mapping

DAY_SECONDS = 86_400.0
_MONTH_DAYS = 30.0


def requests_per_second(users: float, requests_a_day: float) -> float:
    """`users * requests / 86400`: the mean over a day. Source: system design workflows, capacity planning."""
    return users * requests_a_day / DAY_SECONDS


def growth_factor(share_per_day: float, days: float) -> float:
    """How many times as much after `days`: `(1 + 30 g)^(days / 30)`, compounding each month of 30 days."""
    try:
        return float((1 + _MONTH_DAYS * share_per_day) ** (days / _MONTH_DAYS))
    except OverflowError:
        return math.inf


def stored_bytes(
    daily_bytes: float, copies: float, days: float, kept_days: float = math.inf, share_per_day: float = 0.0
) -> float:
    """What lies on disk after `days`: the last `kept_days` of what came each day, in all copies.

    `daily * copies * integral of a^t dt` from `days - kept` to `days`, a = (1 + 30 g)^(1/30); without
    growth that is `daily * copies * min(days, kept)`.
    """
    since = max(0.0, days - kept_days)
    if not share_per_day:
        return daily_bytes * copies * (days - since)
    a = math.log1p(_MONTH_DAYS * share_per_day) / _MONTH_DAYS
    try:
        return daily_bytes * copies * (math.expm1(a * days) - math.expm1(a * since)) / a
    except OverflowError:
        return math.inf


def concurrent_requests(rate_per_second: float, held_seconds: float) -> float:
    """Requests in progress at once: `L = lambda * W`. Source: J. D. C. Little, 1961."""
    return rate_per_second * held_seconds


def times_until(limit: float, load: float) -> float:
    """How many times the load a limit carries; without bound when there is no load."""
    return limit / load if load else math.inf


def first_limit(times: Mapping[str, float]) -> tuple[str, float] | None:
    """What breaks first as everything grows alike: the name that carries the fewest times its load."""
    known = {name: value for name, value in times.items() if math.isfinite(value)}
    if not known:
        return None
    name = min(known, key=lambda one: (known[one], one))
    return name, known[name]
