"""The rates of a moment in a joint network: all readers go faster together until something is full.

    partitions   x1 x2 | x3      level 0 -> 2: worker a is full, so what costs it stays at 2
    worker a      1  1 |  1      level 2 -> 5: ...
    worker b      0  0 |  4

This is max-min fairness with several resources (progressive filling): each step ends when a worker,
a limit or a demand is met, and what is bound by it is held. No flow is ever taken back, so there are
at most as many steps as partitions and workers, and the result does not depend on any order.

Source: D. Bertsekas, R. Gallager, Data Networks, 2nd ed., 1992, section 6.5.2.
"""

from __future__ import annotations

import numpy as np

from pipelineplan.simulation.flow.joint import JointLayout, Numbers
from pipelineplan.simulation.flow.rates import Flags
from pipelineplan.simulation.sharing import Floats

# Two limits that are met this close to one another are met together.
_TOGETHER = 1e-12


class JointRates:
    """Solves the flow of one joint layout; `capacity` per stage may change between calls to `solve`.

    `limits` are the most that is read of each log, `[log]` in records per second; `held`
    partitions are not read at all.
    """

    def __init__(self, layout: JointLayout) -> None:
        """Prepare the arrays; all rates are 0."""
        self.layout = layout
        self.capacity = layout.capacity()
        self.inflow = np.zeros(layout.channels)
        self.outflow = np.zeros(layout.channels)
        self.held = np.zeros(layout.channels, dtype=np.bool_)
        self.limits = np.array([log.read_limit_per_second for log in layout.network.logs])
        of_log = (layout.log_of[None, :] == np.arange(len(self.limits))[:, None]).astype(np.float64)
        self._costs = np.vstack((*layout.costs, of_log))
        self._readers = layout.worker_of

    def forget(self) -> None:
        """Nothing is remembered from one solution to the next."""

    def solve(self, queue: Floats, arrivals: Floats) -> None:
        """Set `inflow` and `outflow` for the queues and the arrivals, `[partition]` both."""
        wanted = np.where(queue > 0.0, np.inf, arrivals)
        wanted[self.held] = 0.0
        self.inflow[:] = arrivals
        self.outflow[:] = fill(
            self._costs, np.concatenate((*self.capacity, self.limits)), wanted, self._readers
        )


def fill(costs: Floats, able: Floats, wanted: Floats, readers: Numbers) -> Floats:
    """The max-min fair rate of each column, in records per second.

    `costs` is `[resource, column]`, `able` `[resource]` and `wanted` `[column]` may hold inf. Columns
    with the same reader share one reader's speed. Every wanted inf must cost a finite resource.
    """
    rates = np.zeros(len(wanted))
    rising: Flags = wanted > 0.0
    bounded = np.isfinite(able)
    costs, able = costs[bounded], able[bounded]
    while rising.any():
        sharing = np.maximum(np.bincount(readers, weights=rising), 1.0)
        speed = np.where(rising, 1.0 / sharing[readers], 0.0)
        climb = costs @ speed
        room = np.maximum(able - costs @ rates, 0.0)
        with np.errstate(divide="ignore", invalid="ignore"):
            to_full = np.where(climb > 0, room / climb, np.inf)
            to_wanted = np.where(rising, (wanted - rates) / speed, np.inf)
        step = max(min(to_full.min(initial=np.inf), to_wanted.min()), 0.0)
        rates += speed * step
        met = rising & (to_wanted <= step * (1.0 + _TOGETHER))
        rates[met] = wanted[met]
        full = to_full <= step * (1.0 + _TOGETHER)
        rising &= ~met & ~(costs[full] > 0).any(axis=0)
    return rates
