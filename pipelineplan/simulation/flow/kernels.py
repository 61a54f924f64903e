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
Flags = npt.NDArray[np.bool_]
# A net rate that is this small beside the flow is rounding; queues this close to empty together are.
_STILL = 1e-12
_TOGETHER = 1e-9
# What stands in `clock` and in `counts`.
NOW, DRAINED = 0, 1
USED, CHANGES = 0, 1
# What a line of a timetable does: another load, other speeds, stops of all workers, positions noted.
RATE, SPEEDS, STOPS, MARK = 0, 1, 2, 3


def fast(function: F) -> F:
    """The function as machine code, kept on disk where there is a place for it."""
    try:
        return cast("F", njit(cache=True, nogil=True, error_model="numpy")(function))
    except RuntimeError:  # neither the package nor the user's cache folder can be written
        return cast("F", njit(nogil=True, error_model="numpy")(function))


def wide(function: F) -> F:
    """The same for a loop over numbers that may be added in any order, several at once."""
    options = {"nogil": True, "error_model": "numpy", "fastmath": {"reassoc", "nsz", "nnan"}}
    try:
        return cast("F", njit(cache=True, **options)(function))
    except RuntimeError:
        return cast("F", njit(**options)(function))


@wide
def level_of(demands: Floats, total: float, known: float) -> float:
    """The level `x` with `sum(min(demands, x)) == total`, found by climbing; inf where demands fit.

    `known` is a level that is not above it, 0 if none is known.
    """
    level = max(known, total / len(demands))
    while True:
        held, climbing = 0.0, 0
        for each in range(len(demands)):
            fits = demands[each] <= level
            held += demands[each] if fits else 0.0
            climbing += 0 if fits else 1
        if climbing == 0:
            return np.inf
        higher = (total - held) / climbing
        if higher <= level:
            return level
        level = higher


@fast
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


@wide
def _wishes(queue: Floats, arrivals: Floats, entry: Floats, wanted: Floats) -> float:
    """What one worker for each partition could read, into `wanted`; returns the sum."""
    total = 0.0
    for each in range(len(queue)):
        demand = np.inf if queue[each] > 0 else arrivals[each]
        wanted[each] = min(demand, entry[each])
        total += wanted[each]
    return total


@wide
def _solve_alone(
    queue: Floats, arrivals: Floats, limit: float, room: tuple[Floats, Floats, Floats, Floats], known: float
) -> float:
    """`solve_log` where no worker has more than one partition; `room[3]` is what each can read."""
    outflow, _, wanted, readable = room
    total = _wishes(queue, arrivals, readable, wanted)
    level = np.inf if total <= limit else level_of(wanted, limit, known)
    for each in range(len(queue)):
        outflow[each] = min(level, wanted[each])
    return level


@fast
def _solve_seated(
    queue: Floats,
    arrivals: Floats,
    entry: Floats,
    limit: float,
    seats: Whole,
    room: tuple[Floats, Floats, Floats, Floats],
    known: float,
) -> float:
    """`solve_log` where a worker may have several partitions, between which it shares what it can."""
    outflow, places, wanted, _ = room
    partitions = len(queue)
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


@fast
def solve_log(
    queue: Floats,
    arrivals: Floats,
    entry: Floats,
    limit: float,
    seats: Whole,
    room: tuple[Floats, Floats, Floats, Floats],
    known: float,
) -> float:
    """What is read of each partition, into `room[0]`; returns the level at which workers share `limit`.

    `seats` is `[worker, place]`, padded by the number of partitions; `room` has space for one number for
    each partition, each place, each worker (or partition) that wants, and what can be read of each
    partition, as `limit_anew` says. `known` as in `level_of`.
    """
    if seats.shape[1] == 1:
        return _solve_alone(queue, arrivals, limit, room, known)
    return _solve_seated(queue, arrivals, entry, limit, seats, room, known)


@fast
def write_row(clock: Floats, counts: Whole, departed: Floats, times: Floats, rows: Floats) -> None:
    """The counts of now, at the end of `times` and `rows` `[row, partition]`."""
    at = counts[USED]
    times[at] = clock[NOW]
    for partition in range(len(departed)):
        rows[at, partition] = departed[partition]
    counts[USED] = at + 1


@wide
def _soonest(queue: Floats, arrivals: Floats, outflow: Floats) -> float:
    """Seconds until the first queue is empty; inf if none falls."""
    soonest = np.inf
    for each in range(len(queue)):
        fall = outflow[each] - arrivals[each]
        after = queue[each] / fall if fall > _STILL * arrivals[each] else np.inf
        soonest = min(soonest, after)
    return soonest


@wide
def _flow(
    queue: Floats, departed: Floats, arrivals: Floats, outflow: Floats, seconds: float, near: float
) -> None:
    """Let `seconds` pass; queues that would be empty after `near` are."""
    for each in range(len(queue)):
        fall = outflow[each] - arrivals[each]
        left = queue[each] - fall * seconds if abs(fall) > _STILL * arrivals[each] else queue[each]
        dry = fall > _STILL * arrivals[each] and queue[each] <= near * fall
        queue[each] = 0.0 if dry else left
        departed[each] += outflow[each] * seconds


@wide
def _came(arrived: Floats, arrivals: Floats, seconds: float) -> None:
    for each in range(len(arrived)):
        arrived[each] += arrivals[each] * seconds


@fast
def look_for_drained(clock: Floats, queue: Floats, been_empty: Flags) -> None:
    """Note which partitions are empty, and the time if now all have been."""
    waiting = False
    for each in range(len(queue)):
        been_empty[each] = been_empty[each] or queue[each] <= 0
        waiting = waiting or not been_empty[each]
    if not waiting:
        clock[DRAINED] = clock[NOW]


@fast
def _turn(
    line: int,
    departed: Floats,
    load: tuple[Floats, Floats],
    reader: tuple[Floats, Floats, Whole, Whole, Whole, Floats, Floats, Whole],
    table: tuple[Whole, Floats, Whole, Floats, Floats, Floats],
) -> None:
    """Do what one line of the timetable says."""
    (shares, arrivals), (able, working, stopped) = load, reader[:3]
    _, _, what, value, speeds, marks = table
    if what[line] == RATE:
        for each in range(len(shares)):
            arrivals[each] = shares[each] * value[line]
    elif what[line] == SPEEDS:
        for worker in range(len(able)):
            working[worker] = able[worker] * speeds[int(value[line]), worker]
    elif what[line] == STOPS:
        for worker in range(len(stopped)):
            stopped[worker] += int(value[line])
    else:
        for each in range(len(departed)):
            marks[int(value[line]), each] = departed[each]


@fast
def _do_what_is_due(
    now: float,
    departed: Floats,
    load: tuple[Floats, Floats],
    reader: tuple[Floats, Floats, Whole, Whole, Whole, Floats, Floats, Whole],
    table: tuple[Whole, Floats, Whole, Floats, Floats, Floats],
) -> None:
    """Do all lines of the timetable up to now."""
    done, when = table[:2]
    while done[0] < len(when) and when[done[0]] <= now:
        _turn(done[0], departed, load, reader, table)
        done[0] += 1


@fast
def limit_anew(
    reader: tuple[Floats, Floats, Whole, Whole, Whole, Floats, Floats, Whole], readable: Floats
) -> float:
    """What each worker can read at present; returns the most that all exchanges let through."""
    _, working, stopped, first_of, segments, weights, entry, seats = reader
    limit = limits_of(working, stopped, first_of, segments, weights, entry)
    for worker in range(len(entry)):
        if seats.shape[1] == 1 and seats[worker, 0] < len(readable):
            readable[seats[worker, 0]] = entry[worker]
    return limit


@fast
def run_log(
    until: float,
    progress: tuple[Floats, Whole],
    state: tuple[Floats, Floats, Floats, Flags],
    load: tuple[Floats, Floats],
    reader: tuple[Floats, Floats, Whole, Whole, Whole, Floats, Floats, Whole],
    room: tuple[Floats, Floats, Floats, Floats],
    table: tuple[Whole, Floats, Whole, Floats, Floats, Floats],
    written: tuple[Floats, Floats],
) -> None:
    """Let time pass to `until`, from one queue that runs empty to the next, with a row for each.

    `progress` is clock and counts, `state` queue, arrived, departed and who has been empty, `load` shares
    and arrivals, `reader` all that workers can, `table` what is known to come before `until`, `written`
    times and rows. Comes back early where there is no room for two more rows.
    """
    (clock, counts), (times, rows), (done, when) = progress, written, table[:2]
    queue, arrived, departed, been_empty = state
    arrivals, entry, seats, outflow = load[1], reader[6], reader[7], room[0]
    limit, known, passed = limit_anew(reader, room[3]), 0.0, 0.0
    while clock[NOW] < until and counts[USED] + 1 < len(times):
        due = when[done[0]] if done[0] < len(when) else np.inf
        if due <= clock[NOW]:
            write_row(clock, counts, departed, times, rows)
            _came(arrived, arrivals, passed)
            _do_what_is_due(clock[NOW], departed, load, reader, table)
            limit, known, passed = limit_anew(reader, room[3]), 0.0, 0.0
            continue
        known = solve_log(queue, arrivals, entry, limit, seats, room, known)
        known = 0.0 if np.isinf(known) else known
        step, stop = _soonest(queue, arrivals, outflow), min(until, due)
        emptied = clock[NOW] + step <= stop
        seconds = step if emptied else stop - clock[NOW]
        _flow(queue, departed, arrivals, outflow, seconds, step * (1.0 + _TOGETHER) if emptied else -1.0)
        passed += seconds
        clock[NOW] = clock[NOW] + step if emptied else stop
        if emptied:
            counts[CHANGES] += 1
            if np.isnan(clock[DRAINED]):
                look_for_drained(clock, queue, been_empty)
            write_row(clock, counts, departed, times, rows)
    _came(arrived, arrivals, passed)


@fast
def serve(came: Floats, work: Floats) -> Floats:
    """Lindley's recursion: when each of the records that came at those times is done, in that order."""
    done = np.empty(len(came))
    last = -np.inf
    for at in range(len(came)):
        last = max(came[at], last) + work[at]
        done[at] = last
    return done
