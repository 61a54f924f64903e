r"""What one job writes for the next, and when the next can see it.

    written    |        __/|   /          records that have left the last queue; a failure takes them back
               |  _____/   |__/           to the last completed checkpoint
    at once    |  _____/‾‾‾‾‾/            at least once: all that was ever written, repeats included
    committed  |  ____|‾‾‾‾‾‾|            exactly once: what was read before a checkpoint, when it completes

The log between two jobs has room for everything, so nothing goes back from one job to the one before.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np

from pipelineplan.simulation.control import Run
from pipelineplan.simulation.network import Network, NotSimulated, Visible
from pipelineplan.simulation.scenario import Handed
from pipelineplan.simulation.sharing import Floats

# Rates that differ by less than this share are one: differences of counts are exact to some digits only.
_SAME_RATE = 1e-9


@dataclass(frozen=True)
class Written:
    """Where in the next job's log that lies which left the last queue at each time, `[row]`, in its records.

    At a jump the later count stands last.
    """

    time: Floats
    records: Floats

    def place_of(self, when: Floats) -> Floats:
        """The place of what leaves at those times; beyond the end for what never does."""
        found = np.interp(when, self.time, self.records)
        return np.where(np.isfinite(when), found, np.inf)


def factors_of(network: Network) -> list[float]:
    """Per job: records that it hands on per record of its log; the last hands nothing on."""
    if network.then is None:
        return [0.0]
    return [network.handed_on, *factors_of(network.then.network)]


def written(run: Run, factor: float) -> Written:
    """What `run` writes, `factor` records for each of its source."""
    time, count = run.fluid.journal.time, _emitted(run)
    steps, grown = np.diff(time), np.diff(count)
    # What jumps forward was not passed on but skipped, since it had expired.
    moved = np.where(steps > 0, np.maximum(grown, 0.0), np.minimum(grown, 0.0))
    if run.network.visible is Visible.ON_EMIT:
        moved = np.maximum(moved, 0.0)
    return Written(time, factor * np.concatenate(((0.0,), np.cumsum(moved))))


def handed_over(run: Run, factor: float) -> Handed:
    """What the next job gets of `run`, and when.

    Raises `NotSimulated` where records expired before they were read, or a reader stopped for good.
    """
    if run.lost.sum() > 0 or run.halted_at is not None:
        raise NotSimulated(
            f"job {run.network.name!r}: records expire before they are read, and what the next job gets then "
            "is not simulated: raise the retention of the source"
        )
    return _committed(run, factor) if run.network.visible is Visible.AT_CHECKPOINT else _at_once(run, factor)


def _at_once(run: Run, factor: float) -> Handed:
    curve = written(run, factor)
    lasting = np.diff(curve.time) > 0
    starts = curve.time[:-1][lasting]
    rates = np.diff(curve.records)[lasting] / np.diff(curve.time)[lasting]
    scale = float(rates.max(initial=0.0))
    steps = [(float(starts[0]), float(rates[0]))] if len(starts) else [(0.0, 0.0)]
    for start, rate in zip(starts[1:], rates[1:], strict=True):
        if abs(rate - steps[-1][1]) > _SAME_RATE * scale:
            steps.append((float(start), float(rate)))
    return Handed(tuple(steps))


def _committed(run: Run, factor: float) -> Handed:
    """Every checkpoint shows what was read between the beginning of the one before and its own."""
    totals = np.maximum.accumulate([float(cut.position.sum()) for cut in run.cuts])
    shown = [
        (cut.completed, factor * float(more))
        for cut, more in zip(run.cuts[1:], np.diff(totals), strict=True)
        if more > 0
    ]
    return Handed(((0.0, 0.0),), tuple(shown))


def seen_after(run: Run, seconds: float) -> float:
    """When the next job has in its log all that `run` had read by then; infinite if not within the run."""
    if run.network.visible is Visible.AT_CHECKPOINT:
        shown = next((cut.completed for cut in run.cuts if cut.begun >= seconds), np.inf)
        # Right after it: what comes at once lies in the log by then.
        return math.nextafter(shown, math.inf)
    from pipelineplan.simulation.figures.curves import Curves

    return float(Curves(run).passed_on(np.array([seconds]))[0])


def _emitted(run: Run) -> Floats:
    """Records of the source that have left the last queue, at every row of the journal."""
    fluid = run.fluid
    stored = fluid.layout.stored_edges
    if not stored:
        return np.asarray(fluid.journal.total(len(fluid.shares)))
    lanes = range(fluid.layout.network.stages[stored[-1]].workers)
    return np.asarray(np.sum([fluid.curves_of(stored[-1], lane)[1] for lane in lanes], axis=0))
