"""When batch runs begin: a cron line in its time zone, and what a change of the clocks does to it.

    15 2 * * *  Europe/Berlin      29 March: 02:15 does not exist, the run begins at 03:15
                                   25 October: 02:15 comes twice, the run begins once
    0 * * * *                      a day of 23 or of 25 runs

What a cron line means is `plan.calendar`'s: rules and runs read the same one. A local time that a clock
jumps over is taken an hour later, one that comes twice is taken the first time.
"""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from itertools import pairwise, takewhile
from zoneinfo import ZoneInfo

from pipelineplan.plan.calendar import cron_fault, known_zone, starts
from pipelineplan.simulation.network import NotSimulated

# A week that begins on a Monday, in a month in which no clock changes.
_FIRST = datetime(2026, 1, 5, tzinfo=UTC)
_FEWEST_RUNS = 8
_LONGEST_DAYS = 400


def run_times(cron: str, zone: str, start: datetime, end: datetime) -> tuple[float, ...]:
    """Seconds since `start` of every run that begins in `[start, end)`; both are UTC.

    Raises `NotSimulated` for a cron line or a zone that cannot be read.
    """
    fault, local = cron_fault(cron), _zone(zone)
    if fault:
        raise NotSimulated(f"ingestion.schedule.cron {cron!r} cannot be read: {fault}")
    # A day more on either side: what the clocks skip or repeat moves by less.
    first, last = (moment.astimezone(local).replace(tzinfo=None) for moment in (start, end))
    coming = takewhile(lambda wall: wall <= last + timedelta(days=1), starts(cron, first - timedelta(days=1)))
    length = (end - start).total_seconds()
    times = {_since(start, wall, local) for wall in coming}
    return tuple(sorted(time for time in times if 0.0 <= time < length))


def starts_of(cron: str, zone: str, fewest: int = _FEWEST_RUNS) -> tuple[tuple[float, ...], float]:
    """The first runs, seconds since the beginning, and up to when they reach.

    They are `fewest`, or those of eight days where these are more.
    """
    days = 8
    while True:
        starts = run_times(cron, zone, _FIRST, _FIRST + timedelta(days=days))
        if len(starts) >= fewest:
            break
        if days > _LONGEST_DAYS * fewest:
            raise NotSimulated(f"ingestion.schedule.cron {cron!r} runs less than {_FEWEST_RUNS} times a year")
        days *= 2
    gap = max(b - a for a, b in pairwise(starts))
    most = max(fewest, int(8 * 86_400 / gap))
    return starts[:most], starts[:most][-1] + gap


def over_clock_changes(cron: str, zone: str) -> tuple[tuple[float, ...], float]:
    """The runs of 2026 from two days before the first change of the clocks to two days after the last.

    Seconds since then, and up to when they reach. Raises `NotSimulated` where no clock changes.
    """
    local = _zone(zone)
    days = [datetime(2026, 1, 1, tzinfo=UTC) + timedelta(days=number) for number in range(366)]
    offsets = [day.astimezone(local).utcoffset() for day in days]
    changes = [day for day, (one, other) in zip(days, pairwise(offsets), strict=False) if one != other]
    if not changes:
        raise NotSimulated(f"clocks do not change in ingestion.schedule.zone {zone!r}: no such day")
    start, end = changes[0] - timedelta(days=2), changes[-1] + timedelta(days=3)
    return run_times(cron, zone, start, end), (end - start).total_seconds()


def _zone(zone: str) -> ZoneInfo:
    if not known_zone(zone):
        raise NotSimulated(f"ingestion.schedule.zone {zone!r} is not a time zone of the IANA database")
    return ZoneInfo(zone)


def _since(start: datetime, naive: datetime, local: ZoneInfo) -> float:
    """A local time as seconds since the start; what does not exist is read by the clock before the jump."""
    moment = naive.replace(tzinfo=local, fold=0).astimezone(UTC)
    return (moment - start).total_seconds()
