"""What is asked of the rows of a compiled run, each in one way through them.

Rows are `[row, partition]` and come block by block, so what is carried from one to the next is given.
"""

from __future__ import annotations

import numpy as np

from pipelineplan.simulation.flow.kernels import Flags, Whole, fast, wide
from pipelineplan.simulation.sharing import Floats


@wide
def _least(row: Floats, per_share: Floats, live: Flags) -> float:
    least = np.inf
    for each in range(len(row)):
        least = min(least, row[each] * per_share[each] if live[each] else np.inf)
    return least


@fast
def least_of(rows: Floats, per_share: Floats, live: Flags, found: Floats) -> None:
    """The least of a row's counts, each times `per_share`, into `found`; those not `live` do not count."""
    for at in range(len(rows)):
        found[at] = _least(rows[at], per_share, live)


@wide
def _sum(row: Floats) -> float:
    total = 0.0
    for each in range(len(row)):
        total += row[each]
    return total


@fast
def sum_of(rows: Floats, columns: int, found: Floats) -> None:
    """The sum of the first counts of each row, into `found`."""
    for at in range(len(rows)):
        found[at] = _sum(rows[at, :columns])


@fast
def first_reached(
    times: Floats,
    rows: Floats,
    carried: tuple[Floats, Floats, Whole],
    counts: Floats,
    shares: Floats,
    found: Floats,
) -> None:
    """When each partition first comes to its share of each of `counts`, which rise, into `found`.

    `found` is `[partition, count]`; `carried` is the time of the row before (not a number: there is
    none), its counts and how many have been found, `[partition]`.
    """
    before, last, places = carried
    wanted = np.empty(len(shares))
    for each in range(len(shares)):
        wanted[each] = counts[places[each]] * shares[each] if places[each] < len(counts) else np.inf
    for at in range(len(times)):
        begun = not np.isnan(before[0])
        for each in range(len(shares)):
            count = rows[at, each]
            while wanted[each] <= count:
                height = count - last[each]
                share = (wanted[each] - last[each]) / height if height > 0 else 1.0
                inside = before[0] + min(max(share, 0.0), 1.0) * (times[at] - before[0])
                found[each, places[each]] = inside if begun else times[at]
                places[each] += 1
                more = places[each] < len(counts)
                wanted[each] = counts[places[each]] * shares[each] if more else np.inf
            last[each] = count
        before[0] = times[at]
