"""How far event time had come in what reached a stage: at every row of a run, and where it bends in between.

    partition 0   ____/      in the log the least of all partitions counts, and another one may become it
    partition 1  __/ ___       between two rows; behind a queue it is what it was when that came in which
                               leaves now, and after a restart that came in anew

Event times are arrival times, so what was appended is asked for the time of a count.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from itertools import pairwise
from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt

from pipelineplan.simulation.flow.journal import first_time_at, value_at

if TYPE_CHECKING:
    from pipelineplan.simulation.flow.fluid import Fluid
    from pipelineplan.simulation.flow.journal import Columns, Journal
    from pipelineplan.simulation.sharing import Floats

Rows = npt.NDArray[np.intp]
REACHED = 1e-12
# Positions that differ by less are alike.
_ALIKE = 1e-9
# So many exits of what came at a row are looked at in each lane; of more an even choice.
_MOST_EXITS = 4000


@dataclass(frozen=True)
class Progress:
    """Seconds `[row]`, not falling, and the event time up to which everything had come by then."""

    time: Floats
    event_time: Floats

    def bending(self, extra: Floats) -> Progress:
        """The same with more rows at times within those that there are."""
        time, event_time = with_rows(self.time, self.event_time, extra)
        return Progress(time, event_time)


def with_rows(time: Floats, curve: Floats, extra: Floats) -> tuple[Floats, Floats]:
    """A curve with rows at more times; those that it has, jumps among them, stay as they are."""
    extra = np.unique(extra[np.isfinite(extra)])
    right = np.searchsorted(time, extra, side="right")
    inside = (right > 0) & (right < len(time))
    inside[inside] = time[right[inside] - 1] < extra[inside]
    extra, right = extra[inside], right[inside]
    return np.insert(time, right, extra), np.insert(curve, right, value_at(time, curve, extra))


def falls(curve: Floats) -> Rows:
    """The rows to which a curve has gone back, and not only by rounding."""
    return np.flatnonzero(np.diff(curve) < -REACHED * max(float(curve.max()), 1.0)) + 1


def risings(curve: Floats) -> Iterator[slice]:
    """The stretches of rows over which a curve does not go back."""
    edges = [0, *falls(curve).tolist(), len(curve)]
    return (slice(first, last) for first, last in pairwise(edges))


def staying(time: Floats, curves: list[Floats], moments: list[float]) -> tuple[Floats, list[Floats]]:
    """Curves that go back at these moments, as if they stayed as high until they come there again."""
    if not moments:
        return time, curves
    extra = np.concatenate([_risen(time, curve, _highest(time, curve, moments)) for curve in curves])
    known = [with_rows(time, curve, extra) for curve in curves]
    return known[0][0], [_highest(when, curve, moments) for when, curve in known]


def _risen(time: Floats, curve: Floats, highest: Floats) -> Floats:
    """When a curve comes again to where it was."""
    rows = np.flatnonzero((curve[:-1] < highest[:-1]) & (curve[1:] > highest[:-1]))
    part = (highest[rows] - curve[rows]) / (curve[rows + 1] - curve[rows])
    return np.asarray(time[rows] + part * (time[rows + 1] - time[rows]))


def _highest(time: Floats, curve: Floats, moments: list[float]) -> Floats:
    """The highest yet, but for what goes back at another moment."""
    back = falls(curve)
    restored = back[~np.isin(time[back], moments)]
    return np.concatenate([np.maximum.accumulate(each) for each in np.split(curve, restored)])


def event_time_of(appended: tuple[Floats, Floats], counts: Floats) -> Floats:
    """When the last of so many records was appended; while none comes that stays as it was."""
    times, all_counts = appended
    reached = np.minimum(counts * (1.0 - REACHED), all_counts[-1])
    return first_time_at(times, all_counts, reached)


def read_progress(journal: Columns, shares: Floats, appended: tuple[Floats, Floats]) -> Progress:
    """Of the partitions that have a share: the event time up to which all of them had been read."""
    time, least = _least(journal, shares)
    times, counts = appended
    bends = np.flatnonzero(np.diff(np.diff(counts) / np.diff(times)) != 0) + 1
    passed = [first_time_at(time[rows], least[rows], counts[bends]) for rows in risings(least)]
    time, least = with_rows(time, least, np.concatenate(passed))
    return Progress(time, event_time_of(appended, least))


def _least(journal: Columns, shares: Floats) -> tuple[Floats, Floats]:
    """The least of all counts over their shares, with a row where another one becomes it between two rows."""
    used = [number for number, share in enumerate(shares) if share > 0]
    time, least = journal.time, np.full(len(journal.time), np.inf)
    which = np.zeros(len(time), dtype=np.intp)
    for number in used:
        read = journal.column(number) / shares[number]
        which[read < least] = number
        np.minimum(least, read, out=least)
    from_first, to_second = least[1:].copy(), least[:-1].copy()
    if len(used) > 1:
        for number in np.unique(which):
            read = journal.column(number) / shares[number]
            from_first = np.where(which[:-1] == number, read[1:], from_first)
            to_second = np.where(which[1:] == number, read[:-1], to_second)
    above, below = to_second - least[:-1], from_first - least[1:]
    crossed = (np.minimum(above, below) > _ALIKE * np.abs(least[1:])) & (np.diff(time) > 0)
    before = np.flatnonzero(crossed)
    part = above[before] / (above[before] + below[before])
    when = time[before] + part * (time[before + 1] - time[before])
    height = least[before] + part * (from_first - least[:-1])[before]
    inside = (time[before] < when) & (when < time[before + 1])
    places = before[inside] + 1
    return np.insert(time, places, when[inside]), np.insert(least, places, height[inside])


def behind_queues(progress: Progress, fluid: Fluid, journal: Journal, number: int) -> Progress:
    """The same as stage `number` sees it: that of the moment at which what leaves its queues came in."""
    for edge in fluid.layout.stored_edges:
        if edge <= number:
            lanes = range(fluid.layout.network.stages[edge].workers)
            progress = _behind(
                progress, journal.time, [fluid.curves_of(edge, lane, journal) for lane in lanes]
            )
    return progress


def _behind(progress: Progress, time: Floats, lanes: list[tuple[Floats, Floats]]) -> Progress:
    exits = [_exits(time, *lane) for lane in lanes]
    progress = progress.bending(np.concatenate(exits))
    found = progress.event_time
    for lane in lanes:
        came, left = (with_rows(time, curve, progress.time)[1] for curve in lane)
        waits = came - left > REACHED * came.max()
        if waits.any():
            since = _came_in(progress.time, came, left)
            then = value_at(progress.time, progress.event_time, since)
            found = np.where(waits, np.minimum(found, then), found)
    return Progress(progress.time, found)


def _exits(time: Floats, came: Floats, left: Floats) -> Floats:
    """When what came into a lane at a row, and has to wait, leaves it."""
    waits = came - left > REACHED * came.max()
    found = [np.zeros(0)]
    for rows in risings(came):
        mine = came[rows][waits[rows]]
        mine = mine[:: max(1, len(mine) // _MOST_EXITS)]
        found.append(first_time_at(time[rows], left[rows], mine * (1.0 - REACHED)))
    return np.concatenate(found)


def _came_in(time: Floats, came: Floats, left: Floats) -> Floats:
    """When that came into a lane which leaves it at each row: what came before a restart counts no more."""
    found = np.empty_like(time)
    times, counts = np.zeros(0), np.zeros(0)
    for rows in risings(came):
        begun = came[rows][0]
        known = int(np.searchsorted(counts, begun))
        if 0 < known < len(counts):
            at = first_time_at(times, counts, np.array([begun]))
            times, counts = np.append(times[:known], at), np.append(counts[:known], begun)
        times = np.concatenate((times[: known + 1], time[rows]))
        counts = np.concatenate((counts[: known + 1], came[rows]))
        found[rows] = first_time_at(times, counts, left[rows] * (1.0 - REACHED))
    return found
