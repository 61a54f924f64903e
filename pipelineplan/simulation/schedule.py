"""When batch runs begin: a cron line in its time zone, and what a change of the clocks does to it.

    15 2 * * *  Europe/Berlin      29 March: 02:15 does not exist, the run begins at 03:15
                                   25 October: 02:15 comes twice, the run begins once
    0 * * * *                      a day of 23 or of 25 runs

Fields are numbers, `*`, lists, ranges and steps, as in crontab(5). A local time that a clock jumps
over is taken an hour later, one that comes twice is taken the first time.
"""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from itertools import pairwise
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from pipelineplan.simulation.network import NotSimulated

_BOUNDS = ((0, 59), (0, 23), (1, 31), (1, 12), (0, 7))


def run_times(cron: str, zone: str, start: datetime, end: datetime) -> tuple[float, ...]:
    """Seconds since `start` of every run that begins in `[start, end)`; both are UTC.

    Raises `NotSimulated` for a cron line or a zone that cannot be read.
    """
    fields, local = _fields(cron), _zone(zone)
    times: list[float] = []
    day = start.astimezone(local).replace(hour=0, minute=0, second=0, microsecond=0, tzinfo=None)
    while day <= end.astimezone(local).replace(tzinfo=None):
        if _on_day(fields, day):
            times += [
                _since(start, day.replace(hour=h, minute=m), local) for h in fields[1] for m in fields[0]
            ]
        day += timedelta(days=1)
    length = (end - start).total_seconds()
    return tuple(sorted({time for time in times if 0.0 <= time < length}))


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
    try:
        return ZoneInfo(zone)
    except (ZoneInfoNotFoundError, ValueError):
        raise NotSimulated(
            f"ingestion.schedule.zone {zone!r} is not a time zone of the IANA database"
        ) from None


def _since(start: datetime, naive: datetime, local: ZoneInfo) -> float:
    """A local time as seconds since the start; what does not exist is read by the clock before the jump."""
    moment = naive.replace(tzinfo=local, fold=0).astimezone(UTC)
    return (moment - start).total_seconds()


def _on_day(fields: tuple[tuple[int, ...], ...], day: datetime) -> bool:
    """Day of month and day of week: either is enough where both are restricted, as crontab(5) says."""
    _, _, days, months, weekdays = fields
    if day.month not in months:
        return False
    weekday = (day.weekday() + 1) % 7
    by_day, by_week = day.day in days, weekday in {each % 7 for each in weekdays}
    free_days, free_week = len(days) == 31, len({each % 7 for each in weekdays}) == 7
    if free_days or free_week:
        return by_day and by_week
    return by_day or by_week


def _fields(cron: str) -> tuple[tuple[int, ...], ...]:
    parts = cron.split()
    if len(parts) != len(_BOUNDS):
        raise _unreadable(cron)
    try:
        found = tuple(_values(part, *bounds) for part, bounds in zip(parts, _BOUNDS, strict=True))
    except ValueError:
        raise _unreadable(cron) from None
    return found


def _values(part: str, low: int, high: int) -> tuple[int, ...]:
    found: set[int] = set()
    for piece in part.split(","):
        span, _, step = piece.partition("/")
        first, _, last = span.partition("-")
        begin = low if first == "*" else int(first)
        until = high if first == "*" or (step and not last) else int(last or first)
        if not low <= begin <= until <= high or (step and int(step) < 1):
            raise ValueError(piece)
        found |= set(range(begin, until + 1, int(step or 1)))
    return tuple(sorted(found))


def _unreadable(cron: str) -> NotSimulated:
    return NotSimulated(
        f"ingestion.schedule.cron {cron!r} cannot be read: wanted five fields of numbers, *, lists, ranges "
        "and steps"
    )
