r"""T3: a whole run of independent workers at once, as one scan over arrays: for thousands of replications.

    A - C     \    /\                A appended, C what a worker could have read; the backlog is
               \__/  \      __       how far A - C stands above its least so far, so the count read is
    least      \_____ \____/         D = C + min(0, running min(A - C))
                      \_______

Where nothing but the log holds records and no exchange ties workers together, nobody waits for anybody
else. Rates are constant between the moments at which load, speeds or stalls change, and the least of a
straight line lies at its ends: so the scan over those moments is exact, and a second one over them and
the moments at which queues run empty gives every corner of the curves. The moments of the control
plane are those of the run without chance, which nothing here can shift.

Source: R. L. Cruz, A calculus for network delay, IEEE Transactions on Information Theory 37, 1991;
J.-Y. Le Boudec, P. Thiran, Network Calculus, 2001, section 1.3 (min-plus convolution).
"""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np

from pipelineplan.simulation.checkpointing import Cut
from pipelineplan.simulation.control import Run
from pipelineplan.simulation.flow.fluid import Fluid
from pipelineplan.simulation.flow.journal import first_times_in, least_over
from pipelineplan.simulation.flow.layout import Layout
from pipelineplan.simulation.memory import size_decides
from pipelineplan.simulation.scenario import appended_curve
from pipelineplan.simulation.sharing import Floats
from pipelineplan.simulation.weather import SPELLS_IN_A_BLOCK, Weather


def can_scan(run: Run) -> bool:
    """Whether a run without chance can be replicated by the scan: nothing breaks, nothing is shared.

    Every worker has one partition, or partitions that are all alike, which it then serves alike.
    """
    if run.jobs:
        return False
    layout = run.fluid.layout
    source, scenario = run.network.source, run.scenario
    quiet = (
        not scenario.outages and not scenario.drain_from_seconds and run.fluid.now == scenario.horizon_seconds
    ) and not size_decides(run.network)
    alone = type(layout) is Layout and len(layout.segments) == 1 and not layout.stored_edges
    shares = run.fluid.shares
    alike = all(len(set(shares[layout.worker_of == worker])) <= 1 for worker in set(layout.worker_of))
    # A run that is shorter than the retention cannot lose anything to it.
    keeps = source.retention_seconds >= run.fluid.now and np.isinf(source.retention_records)
    return bool(quiet and alone and alike and keeps and not source.backlog_records)


@dataclass(frozen=True)
class _Pieces:
    """Between `moments`, `arriving` and `able` of each worker, `[piece, worker]` in records per second."""

    moments: Floats
    arriving: Floats
    able: Floats

    @property
    def lengths(self) -> Floats:
        return np.diff(self.moments)[:, None]

    def at(self, moments: Floats) -> _Pieces:
        """The same with more moments, `moments` being all of them."""
        holding = np.searchsorted(self.moments, moments[:-1], side="right") - 1
        return _Pieces(moments, self.arriving[holding], self.able[holding])

    def backlog(self) -> Floats:
        """What waits for each worker at each moment: `W - min(0, running min W)` with `W = A - C`."""
        net = np.cumsum((self.arriving - self.able) * self.lengths, axis=0)
        return np.vstack((np.zeros(net.shape[1]), net - np.minimum(np.minimum.accumulate(net, axis=0), 0.0)))

    def corners(self, waits: Floats) -> Floats:
        """The moments within pieces at which a queue runs empty."""
        falling = self.able - self.arriving
        with np.errstate(divide="ignore", invalid="ignore"):
            after = np.where((falling > 0) & (waits[:-1] > 0), waits[:-1] / falling, np.inf)
        inside = after < self.lengths
        return np.asarray((self.moments[:-1, None] + after)[inside])


def scan(run: Run, weather: Weather) -> Run:
    """The replication of `run` (for which `can_scan` holds) in this weather."""
    scenario = replace(run.scenario, weather=weather)
    layout = run.fluid.layout
    pieces = _pieces(run, weather, scenario.steps)
    all_moments = np.union1d(pieces.moments, pieces.corners(pieces.backlog()))
    pieces = pieces.at(all_moments)
    waits = pieces.backlog()
    came = np.vstack((np.zeros(waits.shape[1]), np.cumsum(pieces.arriving * pieces.lengths, axis=0)))
    of_worker = np.bincount(layout.worker_of, weights=run.fluid.shares, minlength=waits.shape[1])
    with np.errstate(divide="ignore", invalid="ignore"):
        part = np.where(of_worker[layout.worker_of] > 0, run.fluid.shares / of_worker[layout.worker_of], 0.0)
    read = ((came - waits)[:, layout.worker_of] * part).T
    fluid = Scanned(layout, all_moments, read, waits[-1][layout.worker_of] * part)
    cuts = [Cut(cut.begun, cut.completed, fluid.position_at(cut.begun)) for cut in run.cuts]
    return replace(run, scenario=scenario, fluid=fluid, cuts=cuts, appended=appended_curve(scenario))


def _pieces(run: Run, weather: Weather, steps: tuple[tuple[float, float], ...]) -> _Pieces:
    """Load, speeds and stalls as pieces within which nothing changes."""
    layout, end = run.fluid.layout, run.fluid.now
    plan = run.network.checkpoint
    stall = plan.sync_stall_seconds if plan is not None else 0.0
    begun = np.array([cut.begun for cut in run.cuts if cut.completed > 0 and stall > 0])
    spells = np.arange(0.0, end, weather.spell_seconds)
    starts = np.array([start for start, _ in steps])
    moments = np.unique(np.concatenate((spells, starts, begun, begun + stall, (0.0, end))))
    moments = moments[moments <= end]
    holds = moments[:-1]
    rates = np.array([rate for _, rate in steps])[np.searchsorted(starts, holds, side="right") - 1]
    of_worker = np.bincount(
        layout.worker_of, weights=run.fluid.shares, minlength=len(run.fluid.rates.capacity[0])
    )
    speed = _speeds(layout, weather, len(spells))[(holds / weather.spell_seconds + 1e-9).astype(np.intp)]
    if len(begun):
        before = np.searchsorted(begun, holds, side="right") - 1
        still = (before >= 0) & (holds < begun[np.maximum(before, 0)] + stall)
        speed = np.where(still[:, None], 0.0, speed)
    return _Pieces(moments, rates[:, None] * of_worker, speed)


def _speeds(layout: Layout, weather: Weather, spells: int) -> Floats:
    """What each lane can take in each spell, `[spell, worker]`: the least of its stages."""
    able = np.full((spells, layout.network.stages[0].workers), np.inf)
    for stage, base in zip(layout.network.stages, layout.capacity(), strict=True):
        blocks = [weather.speeds(stage, block) for block in range(-(-spells // SPELLS_IN_A_BLOCK))]
        np.minimum(able, (base[:, None] * np.hstack(blocks)[:, :spells]).T, out=able)
    return able


class Scanned(Fluid):
    """The outcome of a scan, asked as a fluid that has run is; nothing of it can be set going again."""

    def __init__(self, layout: Layout, moments: Floats, read: Floats, waits: Floats) -> None:
        """`read` is `[partition, moment]`, `waits` what is left in each partition."""
        super().__init__(layout)
        self.journal = ScannedJournal(moments, read)  # type: ignore[assignment]  # it answers the same
        self.queue[self.log] = waits
        self.departed[self.log] = read[:, -1]
        self.arrived[self.log] = read[:, -1] + waits
        self.now = float(moments[-1])
        self.changes = len(moments)

    def position_at(self, when: float) -> Floats:
        """How far each partition was read at a moment."""
        read = self.journal
        return np.array([np.interp(when, read.time, read.column(each)) for each in range(len(self.shares))])


@dataclass(frozen=True)
class ScannedJournal:
    """`time` and the count read of each partition, `[partition, moment]`."""

    time: Floats
    read: Floats

    def column(self, number: int) -> Floats:
        """One count at every moment, in records."""
        return np.asarray(self.read[number])

    def total(self, columns: int) -> Floats:
        """The sum of the first `columns` counts, in records."""
        return np.asarray(self.read[:columns].sum(axis=0))

    def least(self, shares: Floats) -> Floats:
        """The least of all counts over their shares, at every moment."""
        return least_over(self, shares)

    def first_times(self, shares: Floats, counts: Floats) -> Floats:
        """When each partition first comes to its share of each count; inf where it does not."""
        return first_times_in(self, shares, counts)

    def __len__(self) -> int:
        """The number of moments."""
        return len(self.time)
