"""Closed forms of waiting by chance: what a queue costs that is never full on average.

    wait |                      |
         |                    _/      rho / (1 - rho): at 50 % one service time,
         |               ___--        at 95 % nineteen of them
         |______-------
         0            rho           1

Symbols: lambda arrival rate, mu service rate of one server, rho = lambda/mu, ca^2 and cs^2 the squared
coefficients of variation of the times between arrivals and of service (1 where they are exponential, 0
where they are all alike). Rates are records per second, times seconds.
"""

from __future__ import annotations

import math


def pollaczek_khinchine_seconds(
    rate_per_second: float, service_rate_per_second: float, service_cv2: float
) -> float:
    """Mean wait before service of M/G/1: `rho (1 + cs^2) / (2 mu (1 - rho))`; inf from full load up.

    Source: F. Pollaczek, 1930, and A. Khinchine, 1932; L. Kleinrock, Queueing Systems, vol. 1, 1975,
    eq. 5.70.
    """
    load = rate_per_second / service_rate_per_second
    if load >= 1:
        return math.inf
    return load * (1 + service_cv2) / (2 * service_rate_per_second * (1 - load))


def erlang_c(servers: int, offered_load: float) -> float:
    """The share of records that wait at all at M/M/c, with `offered_load = lambda/mu`; 1 from full load up.

    By the recursion of Erlang's loss formula, `B_k = a B / (k + a B)`, then `C = B / (1 - rho (1 - B))`.
    Source: A. K. Erlang, 1917; Kleinrock, vol. 1, 1975, eq. 3.40.
    """
    load = offered_load / servers
    if load >= 1:
        return 1.0
    lost = 1.0
    for number in range(1, servers + 1):
        lost = offered_load * lost / (number + offered_load * lost)
    return lost / (1 - load * (1 - lost))


def erlang_c_wait_seconds(rate_per_second: float, service_rate_per_second: float, servers: int) -> float:
    """Mean wait before service of M/M/c: `C(c, a) / (c mu - lambda)`; inf from full load up."""
    spare = servers * service_rate_per_second - rate_per_second
    if spare <= 0:
        return math.inf
    return erlang_c(servers, rate_per_second / service_rate_per_second) / spare


def kingman_bound_seconds(
    rate_per_second: float, service_rate_per_second: float, arrival_cv2: float, service_cv2: float
) -> float:
    """No mean wait of GI/G/1 is above `(ca^2/rho + rho cs^2) / (2 mu (1 - rho))`; 0 without load.

    Source: J. F. C. Kingman, On the algebra of queues, J. Applied Probability 3, 1966.
    """
    load = rate_per_second / service_rate_per_second
    if load >= 1:
        return math.inf
    if load <= 0:
        return 0.0
    return (arrival_cv2 / load + load * service_cv2) / (2 * service_rate_per_second * (1 - load))


def kingman_estimate_seconds(
    rate_per_second: float, service_rate_per_second: float, arrival_cv2: float, service_cv2: float
) -> float:
    """The common estimate of the same wait: `rho (ca^2 + cs^2) / (2 mu (1 - rho))`.

    Exact for M/G/1, close near full load, and no bound: where arrivals come in batches the wait can be
    twice as long. Source: J. F. C. Kingman, The single server queue in heavy traffic, Proc. Cambridge
    Philosophical Society 57, 1961.
    """
    load = rate_per_second / service_rate_per_second
    if load >= 1:
        return math.inf
    return load * (arrival_cv2 + service_cv2) / (2 * service_rate_per_second * (1 - load))


def records_present(rate_per_second: float, seconds_in_system: float) -> float:
    """Little's law, `L = lambda W`: the mean number of records in a system that is stable.

    Source: J. D. C. Little, A proof for the queuing formula L = lambda W, Operations Research 9, 1961.
    """
    return rate_per_second * seconds_in_system


def drain_spread_seconds(
    backlog_records: float,
    rate_per_second: float,
    service_rate_per_second: float,
    arrival_cv2: float = 1.0,
    service_cv2: float = 1.0,
) -> float:
    """The standard deviation of a drain: `sqrt((lambda ca^2 + mu cs^2) B / (mu - lambda)^3)`.

    The first passage of a diffusion that drifts down by `mu - lambda`; inf from full load up.
    Source: D. R. Cox, H. D. Miller, The Theory of Stochastic Processes, 1965, section 5.7.
    """
    spare = service_rate_per_second - rate_per_second
    if spare <= 0:
        return math.inf
    varying = rate_per_second * arrival_cv2 + service_rate_per_second * service_cv2
    return math.sqrt(varying * backlog_records / spare**3)
