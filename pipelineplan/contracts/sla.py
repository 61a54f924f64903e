"""Service levels that are a length of time: their units, and how many seconds they are.

    {property: latency, value: 4, unit: d}    345,600 seconds

A month is 30 days and a year 365, as the standard says nothing of calendars.
"""

from __future__ import annotations

from decimal import Decimal

from pipelineplan.contracts.contract import Sla

_DURATIONS = frozenset({"latency", "retention", "frequency", "timetodetect", "timetonotify", "timetorepair"})
_SECONDS: dict[str, int] = {
    **dict.fromkeys(("s", "sec", "secs", "second", "seconds"), 1),
    **dict.fromkeys(("m", "min", "mins", "minute", "minutes"), 60),
    **dict.fromkeys(("h", "hr", "hrs", "hour", "hours"), 3600),
    **dict.fromkeys(("d", "day", "days"), 86_400),
    **dict.fromkeys(("w", "wk", "week", "weeks"), 604_800),
    **dict.fromkeys(("mo", "mon", "month", "months"), 2_592_000),
    **dict.fromkeys(("y", "yr", "yrs", "year", "years"), 31_536_000),
}
_MILLISECONDS = frozenset({"ms", "msec", "millisecond", "milliseconds"})


def seconds_per(unit: str) -> Decimal | None:
    """Seconds in one `unit` of time, or None when it is not one."""
    lowered = unit.strip().lower()
    if lowered in _MILLISECONDS:
        return Decimal("0.001")
    return Decimal(_SECONDS[lowered]) if lowered in _SECONDS else None


def is_duration(sla: Sla) -> bool:
    """Whether the service level is one that the standard measures as a length of time."""
    return sla.name.lower() in _DURATIONS


def duration_seconds(sla: Sla) -> Decimal | None:
    """The length of time that `sla` grants, in seconds; None when it does not say one."""
    per = seconds_per(sla.unit)
    if per is None or isinstance(sla.value, bool) or not isinstance(sla.value, int | float):
        return None
    return Decimal(str(sla.value)) * per
