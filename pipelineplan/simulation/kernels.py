"""The inner loops that the extra `fast` compiles: plain loops over arrays, as numba takes them.

This module is imported only where numba is there. Each loop has a twin that does the same with numpy,
and tests hold the two together within 1e-9.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, TypeVar, cast

import numpy as np
import numpy.typing as npt
from numba import njit  # noqa: TID253 - who imports this module wants numba

from pipelineplan.simulation.sharing import Floats

F = TypeVar("F", bound=Callable[..., Any])
Whole = npt.NDArray[np.int64]
# A net rate that is this small beside the flow is rounding; queues this close to empty together are.
_STILL = 1e-12
_TOGETHER = 1e-9
# What stands in `clock` and in `counts`.
NOW, DRAINED = 0, 1
USED, CHANGES = 0, 1


def _fast(function: F) -> F:
    """The function as machine code, kept on disk where there is a place for it."""
    try:
        return cast("F", njit(cache=True, nogil=True, error_model="numpy")(function))
    except RuntimeError:  # neither the package nor the user's cache folder can be written
        return cast("F", njit(nogil=True, error_model="numpy")(function))


@_fast
def level_of(demands: Floats, total: float, known: float) -> float:
    """The level `x` with `sum(min(demands, x)) == total`, found by climbing; inf where demands fit.

    `known` is a level that is not above it, 0 if none is known.
    """
    level = max(known, total / len(demands))
    while True:
        held, climbing = 0.0, 0
        for demand in demands:
            if demand <= level:
                held += demand
            else:
                climbing += 1
        if climbing == 0:
            return np.inf
        higher = (total - held) / climbing
        if higher <= level:
            return level
        level = higher


@_fast
def limits_of(
    able: Floats, stops: Whole, first_of: Whole, segments: Whole, weights: Floats, entry: Floats
) -> float:
    """What each reading worker can take, into `entry`; returns the most that all exchanges let through.

    `able` and `stops` lie stage by stage from `first_of`; `segments` are pairs of first stage and the
    one after the last, lane by lane; `weights` lie as `able` does and count at a segment's first stage.
    """
    limit = np.inf
    for number in range(len(segments)):
        start, end = segments[number, 0], segments[number, 1]
        for lane in range(first_of[start + 1] - first_of[start]):
            least = np.inf
            for stage in range(start, end):
                place = first_of[stage] + lane
                least = min(least, 0.0 if stops[place] > 0 else able[place])
            weight = weights[first_of[start] + lane]
            if number == 0:
                entry[lane] = least
            elif weight > 0:
                limit = min(limit, least / weight)
    return limit


@_fast
def _solve_alone(
    queue: Floats,
    arrivals: Floats,
    entry: Floats,
    limit: float,
    seats: Whole,
    room: tuple[Floats, Floats, Floats],
    known: float,
) -> float:
    """`solve_log` where no worker has more than one partition."""
    outflow, wanted, _ = room
    total = 0.0
    for worker in range(len(entry)):
        partition = seats[worker, 0]
        wanted[worker] = 0.0
        if partition < len(queue):
            demand = np.inf if queue[partition] > 0 else arrivals[partition]
            wanted[worker] = min(demand, entry[worker])
        total += wanted[worker]
    level = np.inf if total <= limit else level_of(wanted, limit, known)
    for worker in range(len(entry)):
        partition = seats[worker, 0]
        if partition < len(queue):
            outflow[partition] = min(level, wanted[worker])
    return level


@_fast
def solve_log(
    queue: Floats,
    arrivals: Floats,
    entry: Floats,
    limit: float,
    seats: Whole,
    room: tuple[Floats, Floats, Floats],
    known: float,
) -> float:
    """What is read of each partition, into `room[0]`; returns the level at which workers share `limit`.

    `seats` is `[worker, place]`, padded by the number of partitions; `room` has space for one number for
    each partition, each worker and each place. `known` as in `level_of`.
    """
    outflow, wanted, places = room
    partitions = len(queue)
    if seats.shape[1] == 1:
        return _solve_alone(queue, arrivals, entry, limit, seats, room, known)
    total = 0.0
    for worker in range(len(entry)):
        demand = 0.0
        for partition in seats[worker]:
            if partition < partitions:
                demand += np.inf if queue[partition] > 0 else arrivals[partition]
        wanted[worker] = min(demand, entry[worker])
        total += wanted[worker]
    level = np.inf if total <= limit else level_of(wanted, limit, known)
    for worker in range(len(entry)):
        taken = min(level, wanted[worker])
        for place, partition in enumerate(seats[worker]):
            if partition < partitions:
                places[place] = np.inf if queue[partition] > 0 else arrivals[partition]
            else:
                places[place] = 0.0
        served = np.inf if places.sum() <= taken else level_of(places, taken, 0.0)
        for partition in seats[worker]:
            if partition < partitions:
                demand = np.inf if queue[partition] > 0 else arrivals[partition]
                outflow[partition] = min(served, demand)
    return level


@_fast
def write_row(clock: Floats, counts: Whole, departed: Floats, times: Floats, rows: Floats) -> None:
    """The counts of now, at the end of `times` and `rows` `[partition, row]`."""
    at = counts[USED]
    times[at] = clock[NOW]
    for partition in range(len(departed)):
        rows[partition, at] = departed[partition]
    counts[USED] = at + 1


@_fast
def run_log(
    until: float,
    progress: tuple[Floats, Whole],
    state: tuple[Floats, Floats, Floats],
    load: tuple[Floats, Floats, Whole],
    limit: float,
    room: tuple[Floats, Floats, Floats],
    been_empty: npt.NDArray[np.bool_],
    written: tuple[Floats, Floats],
) -> None:
    """Let time pass to `until`, from one queue that runs empty to the next, with a row for each.

    `progress` is clock and counts, `state` queue, arrived, departed, `load` arrivals, entry, seats,
    `written` times and rows. Comes back early where there is no room for another row.
    """
    (clock, counts), (arrivals, entry, seats), (times, rows) = progress, load, written
    queue, arrived, departed = state
    outflow, known, partitions = room[0], 0.0, len(queue)
    while clock[NOW] < until and counts[USED] < len(times):
        known = solve_log(queue, arrivals, entry, limit, seats, room, known)
        known = 0.0 if np.isinf(known) else known
        # The soonest to be empty, compared as products since a division takes ten times as long.
        soonest, falls = np.inf, 1.0
        for each in range(partitions):
            fall = outflow[each] - arrivals[each]
            if fall > _STILL * arrivals[each] and queue[each] * falls < soonest * fall:
                soonest, falls = queue[each], fall
        step = soonest / falls
        emptied = clock[NOW] + step <= until
        near = step * (1.0 + _TOGETHER) if emptied else -1.0
        seconds = step if emptied else until - clock[NOW]
        for each in range(partitions):
            fall = outflow[each] - arrivals[each]
            if abs(fall) > _STILL * arrivals[each]:
                ran_dry = fall > 0 and queue[each] <= near * fall
                queue[each] = 0.0 if ran_dry else queue[each] - fall * seconds
            arrived[each] += arrivals[each] * seconds
            departed[each] += outflow[each] * seconds
        if not emptied:
            clock[NOW] = until
            return
        clock[NOW] += step
        counts[CHANGES] += 1
        if np.isnan(clock[DRAINED]):
            look_for_drained(clock, queue, been_empty)
        write_row(clock, counts, departed, times, rows)


@_fast
def look_for_drained(clock: Floats, queue: Floats, been_empty: npt.NDArray[np.bool_]) -> None:
    """Note which partitions are empty, and the time if now all have been."""
    waiting = False
    for each in range(len(queue)):
        been_empty[each] = been_empty[each] or queue[each] <= 0
        waiting = waiting or not been_empty[each]
    if not waiting:
        clock[DRAINED] = clock[NOW]


@_fast
def rise(row: Floats) -> Floats:
    """The curve without its steps back, in place."""
    highest = -np.inf
    for at in range(len(row)):
        highest = max(highest, row[at])
        row[at] = highest
    return row


@_fast
def serve(came: Floats, work: Floats) -> Floats:
    """Lindley's recursion: when each of the records that came at those times is done, in that order."""
    done = np.empty(len(came))
    last = -np.inf
    for at in range(len(came)):
        last = max(came[at], last) + work[at]
        done[at] = last
    return done
