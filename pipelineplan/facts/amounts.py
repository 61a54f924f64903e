"""Amounts as configuration writes them, in the plan's words: 604800000 ms is "7 d", exactly.

duration_ms(604800000)    "7 d"        size_bytes(1073741824)      "1 GiB"
flink_duration("3 min")   "3 min"      flink_duration("PT10M")     "10 min"
"""

from __future__ import annotations

import re
from fractions import Fraction

from pipelineplan.quantities import Dimension, QuantityError, parse

_DURATIONS = (("d", 86_400_000), ("h", 3_600_000), ("min", 60_000), ("s", 1000), ("ms", 1))
_SIZES = (
    ("TiB", 2**40),
    ("GiB", 2**30),
    ("MiB", 2**20),
    ("KiB", 2**10),
    ("TB", 10**12),
    ("GB", 10**9),
    ("MB", 10**6),
    ("kB", 10**3),
    ("B", 1),
)
_FLINK_UNITS = {
    **dict.fromkeys(("", "ms", "milli", "millis", "millisecond", "milliseconds"), Fraction(1)),
    **dict.fromkeys(("s", "sec", "secs", "second", "seconds"), Fraction(1000)),
    **dict.fromkeys(("m", "min", "minute", "minutes"), Fraction(60_000)),
    **dict.fromkeys(("h", "hour", "hours"), Fraction(3_600_000)),
    **dict.fromkeys(("d", "day", "days"), Fraction(86_400_000)),
    **dict.fromkeys(("us", "µs", "micro", "micros", "microsecond", "microseconds"), Fraction(1, 1000)),
    **dict.fromkeys(("ns", "nano", "nanos", "nanosecond", "nanoseconds"), Fraction(1, 1_000_000)),
}
_FLINK = re.compile(r"\s*(\d{1,18})\s*([a-zµ]*)\s*\Z")


def whole(value: object) -> int | None:
    """A whole number, also one written as text or as 1.0E9; None for anything else."""
    if isinstance(value, bool) or not isinstance(value, int | float | str):
        return None
    text = str(value).strip().replace("_", "")
    if len(text) > 40 or not re.fullmatch(r"[-+]?\d+(?:\.\d*)?(?:[eE]\+?\d{1,2})?", text):
        return None
    number = Fraction(text)
    return int(number) if number.denominator == 1 else None


def flag(value: object) -> bool | None:
    """True or false, also as text; None for anything else."""
    if isinstance(value, bool):
        return value
    return {"true": True, "false": False}.get(str(value).strip().lower())


def duration_ms(milliseconds: int) -> str:
    """Milliseconds in the largest unit that leaves a whole number."""
    return _largest(milliseconds, _DURATIONS)


def size_bytes(size: int) -> str:
    """Bytes in the largest unit that leaves a whole number."""
    return _largest(size, _SIZES)


def _largest(value: int, units: tuple[tuple[str, int], ...]) -> str:
    unit, size = (
        next((unit, size) for unit, size in units if value % size == 0 and value) if value else units[-1]
    )
    return f"{value // size} {unit}"


def flink_duration(value: object) -> str | None:
    """A duration as Flink reads it (`10 min`, `3min`, `60000`, `PT10M`); None where it is none.

    A number without a unit is milliseconds (Flink documentation, "Configuration", types of values).
    """
    text = str(value).strip()
    if text.upper().startswith("P"):
        try:
            return duration_ms(round(parse(text.upper(), Dimension.DURATION).value * 1000))
        except QuantityError:
            return None
    found = _FLINK.match(text.lower())
    if found is None or found[2] not in _FLINK_UNITS:
        return None
    milliseconds = int(found[1]) * _FLINK_UNITS[found[2]]
    if milliseconds.denominator == 1:
        return duration_ms(int(milliseconds))
    return f"{int(milliseconds * 1000)} us" if (milliseconds * 1000).denominator == 1 else None
