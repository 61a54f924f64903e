"""The units of each dimension and their exact size in the base unit.

The base units are second, record per second, byte, byte per second, share (1 = 100 %) and
share per day. Decimal and binary prefixes are different units: 1 GB is 10^9 bytes and 1 GiB 2^30.
Units are matched exactly, since `Mb` (megabit) and `MB` differ by eight; only a few harmless
spellings (`secs`, `hours`) are accepted beside the short ones.
"""

from __future__ import annotations

from enum import StrEnum
from fractions import Fraction


class Dimension(StrEnum):
    """What a quantity measures; the value is the base unit's name."""

    DURATION = "s"
    RATE = "records/s"
    SIZE = "B"
    BANDWIDTH = "B/s"
    SHARE = "share"
    GROWTH = "share/d"


_SECONDS: dict[str, Fraction] = {
    "us": Fraction(1, 1_000_000),
    "µs": Fraction(1, 1_000_000),
    "ms": Fraction(1, 1000),
    "s": Fraction(1),
    "sec": Fraction(1),
    "secs": Fraction(1),
    "second": Fraction(1),
    "seconds": Fraction(1),
    "min": Fraction(60),
    "mins": Fraction(60),
    "minute": Fraction(60),
    "minutes": Fraction(60),
    "h": Fraction(3600),
    "hour": Fraction(3600),
    "hours": Fraction(3600),
    "d": Fraction(86_400),
    "day": Fraction(86_400),
    "days": Fraction(86_400),
    "week": Fraction(604_800),
    "weeks": Fraction(604_800),
    "month": Fraction(30 * 86_400),
    "months": Fraction(30 * 86_400),
    "year": Fraction(365 * 86_400),
    "years": Fraction(365 * 86_400),
}

_BYTES: dict[str, Fraction] = {
    "B": Fraction(1),
    "byte": Fraction(1),
    "bytes": Fraction(1),
    **{f"{prefix}B": Fraction(1000**power) for power, prefix in enumerate("kMGTP", start=1)},
    "KB": Fraction(1000),
    **{f"{prefix}iB": Fraction(1024**power) for power, prefix in enumerate("KMGTP", start=1)},
    "kiB": Fraction(1024),
    "bit": Fraction(1, 8),
    **{f"{prefix}bit": Fraction(1000**power, 8) for power, prefix in enumerate("kMGT", start=1)},
}

_SHARES: dict[str, Fraction] = {"%": Fraction(1, 100), "": Fraction(1), "ppm": Fraction(1, 1_000_000)}

_COUNTS: dict[str, Fraction] = {
    "": Fraction(1),
    "k": Fraction(1000),
    "M": Fraction(1_000_000),
    **{word: Fraction(1) for word in ("record", "records", "event", "events", "message", "messages")},
}


def _per(amounts: dict[str, Fraction]) -> dict[str, Fraction]:
    """`amount/time` for every unit of amount and of time."""
    return {
        f"{amount}/{time}": size / seconds
        for amount, size in amounts.items()
        for time, seconds in _SECONDS.items()
    }


UNITS: dict[Dimension, dict[str, Fraction]] = {
    Dimension.DURATION: _SECONDS,
    Dimension.RATE: _per(_COUNTS),
    Dimension.SIZE: _BYTES,
    Dimension.BANDWIDTH: _per(_BYTES),
    Dimension.SHARE: _SHARES,
    Dimension.GROWTH: {unit: size * 86_400 for unit, size in _per({"%": Fraction(1, 100)}).items()},
}

EXAMPLES: dict[Dimension, tuple[str, ...]] = {
    Dimension.DURATION: ("15 min", "PT15M", "7 d", "250 ms"),
    Dimension.RATE: ("45_000/s", "2.7M/min", "60_000/s ± 5 %"),
    Dimension.SIZE: ("780 B", "20 GiB", "1.5 GB"),
    Dimension.BANDWIDTH: ("15 MB/s", "22 GB/h"),
    Dimension.SHARE: ("2.1 %", "0.021"),
    Dimension.GROWTH: ("8 %/month", "1 %/week"),
}
