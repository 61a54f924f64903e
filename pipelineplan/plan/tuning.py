r"""Closed forms that say where to set a value: the interval of checkpoints, the number of workers.

cost |\                 _/
     | \  checkpoints _/  work done again after a failure
     |  \___       __/
     |      -------
     +---------^------------ interval: Daly's optimum
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence


def young_interval_seconds(dump_seconds: float, between_failures_seconds: float) -> float:
    """The first-order optimum of the time between two dumps: `sqrt(2 d M)`.

    Source: J. W. Young, A first order approximation to the optimum checkpoint interval, Communications
    of the ACM 17, 1974.
    """
    return math.sqrt(2 * dump_seconds * between_failures_seconds)


def daly_interval_seconds(dump_seconds: float, between_failures_seconds: float) -> float:
    """The work between the end of a dump and the next at which the least time is lost.

    `sqrt(2 d M) (1 + sqrt(d/2M)/3 + (d/2M)/9) - d`, and M where dumps take longer than 2M. The restart time
    does not move it. Source: J. T. Daly, A higher order estimate of the optimum checkpoint interval for
    restart dumps, Future Generation Computer Systems 22, 2006, eq. 37.
    """
    if dump_seconds >= 2 * between_failures_seconds:
        return between_failures_seconds
    part = dump_seconds / (2 * between_failures_seconds)
    root = young_interval_seconds(dump_seconds, between_failures_seconds)
    return root * (1 + math.sqrt(part) / 3 + part / 9) - dump_seconds


def run_seconds(
    work_seconds: float,
    interval_seconds: float,
    dump_seconds: float,
    restart_seconds: float,
    between_failures_seconds: float,
) -> float:
    """How long work takes with dumps and failures: `M e^(R/M) (e^((t + d)/M) - 1) W/t`.

    Source: Daly, 2006, eq. 20, of which `daly_interval_seconds` is the minimum.
    """
    mean = between_failures_seconds
    lost = math.expm1((interval_seconds + dump_seconds) / mean)
    return mean * math.exp(restart_seconds / mean) * lost * work_seconds / interval_seconds


def parallelism_for(
    source_rates: Mapping[str, float],
    operators: Sequence[tuple[str, Sequence[str], float, float, int]],
) -> dict[str, int]:
    """How many instances each operator needs so that all keep up, in one step for the whole graph.

    `operators` come in topological order: name, the names of what feeds it, its true processing rate and
    true output rate over its present instances (records per second while it is busy), and their number.
    `ceil(target / (true rate / instances))`, where the output that a stage then has is the target of the
    next. Source: V. Kalavri et al., Three steps is all you need: fast, accurate, automatic scaling decisions
    for distributed streaming dataflows, OSDI 2018, eq. 7 and 8.
    """
    coming: dict[str, float] = dict(source_rates)
    needed = {}
    for name, fed_by, processing, output, instances in operators:
        target = math.fsum(coming[each] for each in fed_by)
        exact = target / (processing / instances)
        needed[name] = math.ceil(exact * (1.0 - 1e-12))
        coming[name] = output * exact / instances
    return needed
