"""When scheduled runs start: cron expressions by local clocks, with the hours that exist twice or not at all.

                 01:30   02:30   03:30
2026-03-29 Berlin  |       x       |        02:30 does not exist
2026-10-25 Berlin  |     | |       |        02:30 occurs twice
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from functools import lru_cache
from itertools import islice, pairwise
from typing import Literal
from zoneinfo import ZoneInfo

_YEARS = range(2026, 2037)
_RUNS_LOOKED_AT = 400
_ANY_DAY = datetime(2026, 1, 1)  # noqa: DTZ001  (a wall clock: zones are applied afterwards)


@dataclass(frozen=True)
class OddStart:
    """A start by the wall clock that does not exist on its day, or occurs twice."""

    local: datetime
    occurs: Literal["never", "twice"]


@lru_cache(maxsize=1024)
def cron_fault(expression: str) -> str:
    """What is wrong with a cron expression of five fields; empty when it can be read."""
    from cronsim import CronSim, CronSimError

    try:
        next(CronSim(expression, _ANY_DAY))
    except CronSimError as error:
        return str(error)
    except StopIteration:
        return "No such day ever comes"
    return ""


def known_zone(name: str) -> bool:
    """Whether `name` is an IANA time zone on this system."""
    try:
        ZoneInfo(name)
    except (ValueError, OSError, KeyError):
        return False
    return True


def starts(expression: str, after: datetime) -> Iterator[datetime]:
    """The wall-clock starts of a cron expression after `after` (without a zone), for fifty years at most."""
    from cronsim import CronSim

    yield from CronSim(expression, after)


def starts_of(expression: str) -> tuple[object, ...] | None:
    """What the five fields of `expression` allow, the same for every spelling of it; None for a faulty one.

    Sunday is 0 and 7. That a day fits both of its fields, or one of them, decides only where one is limited.
    """
    from cronsim import CronSim

    if cron_fault(expression):
        return None
    cron = CronSim(expression, _ANY_DAY)
    weekdays = frozenset(day % 7 if isinstance(day, int) else day for day in cron.weekdays)
    every_day = len(cron.days) == 31 and len(weekdays) == 7
    limits = (frozenset(cron.days), weekdays, cron.day_and) if not every_day else ()
    return frozenset(cron.minutes), frozenset(cron.hours), frozenset(cron.months), limits


@lru_cache(maxsize=1024)
def intervals_seconds(expression: str) -> tuple[float, float]:
    """The shortest and the longest time between two starts by the wall clock, over 400 starts.

    Infinite, both, where it starts once at most.
    """
    following = pairwise(islice(starts(expression, _ANY_DAY), _RUNS_LOOKED_AT))
    gaps = [(after - before).total_seconds() for before, after in following]
    return (min(gaps), max(gaps)) if gaps else (float("inf"), float("inf"))


@lru_cache(maxsize=1024)
def first_odd_start(expression: str, zone: str) -> OddStart | None:
    """The first of `odd_starts`, None where every start exists once."""
    return next(odd_starts(expression, zone), None)


def odd_starts(expression: str, zone: str) -> Iterator[OddStart]:
    """The starts from 2026 to 2036 that fall into an hour that is skipped or repeated.

    A schedule that runs in every hour anyway has none: it loses nothing when an hour does not exist.
    """
    if "*" in expression.split()[1]:
        return
    here = ZoneInfo(zone)
    for day in _days_of_change(zone):
        for local in starts(expression, day - timedelta(minutes=1)):
            if local >= day + timedelta(days=1):
                break
            if _back_and_forth(local, here) != local:
                yield OddStart(local, "never")
            elif local.replace(tzinfo=here).utcoffset() != local.replace(tzinfo=here, fold=1).utcoffset():
                yield OddStart(local, "twice")


@lru_cache(maxsize=1024)
def _days_of_change(zone: str) -> tuple[datetime, ...]:
    """The local days on which the offset from UTC changes, as midnights without a zone."""
    here = ZoneInfo(zone)
    first, last = (datetime(year, 1, 1) for year in (_YEARS.start, _YEARS.stop))  # noqa: DTZ001
    days = [first + timedelta(days=number) for number in range((last - first).days + 1)]
    offsets = [day.replace(tzinfo=here).utcoffset() for day in days]
    return tuple(day for day, (now, then) in zip(days, pairwise(offsets), strict=False) if now != then)


def _back_and_forth(local: datetime, zone: ZoneInfo) -> datetime:
    return local.replace(tzinfo=zone).astimezone(UTC).astimezone(zone).replace(tzinfo=None)
