"""A quantity: one value in base units, the interval it may lie in, and the text it was written as.

    "45_000/s"          -> value 45000.0, low 45000.0, high 45000.0
    "60_000/s ± 5 %"    -> value 60000.0, low 57000.0, high 63000.0
    "2 min ± 15 s"      -> value 120.0,   low 105.0,   high 135.0
    "2 h .. 3 h"        -> value 9000.0,  low 7200.0,  high 10800.0 (the middle is the value)
    "PT15M"             -> value 900.0

Arithmetic on the text is exact (fractions), and the result is the nearest float, so that
"0.1 s" is 0.1 and thirty of "100 ms" are not 3.0000000000000004 s.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from difflib import get_close_matches
from fractions import Fraction
from functools import lru_cache

from pipelineplan.quantities.units import EXAMPLES, UNITS, Dimension

_NUMBER = r"[+-]?(?:\d[\d_]*(?:\.[\d_]+)?|\.\d+)(?:[eE][+-]?\d{1,3})?"
_AMOUNT = re.compile(rf"\s*(?P<number>{_NUMBER})\s*(?P<unit>\S.*?|)\s*\Z")
_ISO = re.compile(
    r"P(?=\d|T\d)(?:(\d+(?:\.\d+)?)W)?(?:(\d+(?:\.\d+)?)D)?"
    r"(?:T(?=\d)(?:(\d+(?:\.\d+)?)H)?(?:(\d+(?:\.\d+)?)M)?(?:(\d+(?:\.\d+)?)S)?)?\Z"
)
_ISO_SECONDS = (604_800, 86_400, 3600, 60, 1)
_LONGEST_TEXT = 200
_PER_TIME = {Dimension.RATE, Dimension.BANDWIDTH, Dimension.GROWTH}
_USUAL = {
    "m": "min",
    "w": "week",
    "y": "year",
    "rps": "/s",
    "per second": "/s",
    "per minute": "/min",
    **{f"{prefix}b": f"{prefix}bit" for prefix in "kMGT"},
    **{f"{prefix}b/s": f"{prefix}bit/s" for prefix in "kMGT"},
}


class QuantityError(ValueError):
    """A text that is no quantity of the wanted dimension; says what was found and wanted."""


@dataclass(frozen=True)
class Quantity:
    """`value` in the dimension's base unit, somewhere in `[low, high]`, written as `text`."""

    value: float
    low: float
    high: float
    dimension: Dimension
    text: str

    @property
    def uncertain(self) -> bool:
        """Whether the plan gave an interval and not a single value."""
        return self.low < self.high

    def __float__(self) -> float:
        """The value in the base unit."""
        return self.value


def parse(text: object, dimension: Dimension) -> Quantity:
    """Read a quantity of `dimension` as people write it.

    Raises `QuantityError` when the text is no number with a unit of that dimension, is not
    finite, is negative, or spans an interval that reaches below zero.
    """
    if isinstance(text, Quantity) and text.dimension is dimension:
        return text
    if isinstance(text, bool) or not isinstance(text, int | float | str):
        raise QuantityError(f"found {_short(text)}, wanted {_wanted(dimension)}")
    try:
        written = str(text)
    except ValueError:  # Python refuses to write integers of several thousand digits
        raise QuantityError(f"found a number of too many digits, wanted {_wanted(dimension)}") from None
    if len(written) > _LONGEST_TEXT:
        raise QuantityError(f"found {len(written)} characters, wanted {_wanted(dimension)}")
    return _read(written, dimension)


@lru_cache(maxsize=4096)
def _read(written: str, dimension: Dimension) -> Quantity:
    """The quantity of a text; the plans of a company write the same few hundred of them."""
    low, value, high = _interval(written, dimension)
    if low < 0:
        raise QuantityError(f"found {written!r}, wanted a value that is not negative")
    return Quantity(float(value), float(low), float(high), dimension, written)


def _interval(text: str, dimension: Dimension) -> tuple[Fraction, Fraction, Fraction]:
    for sign in ("±", "+-", "+/-"):
        middle, found, spread = text.partition(sign)
        if found:
            value = _amount(middle, dimension)
            half = _spread(spread, value, dimension)
            return value - half, value, value + half
    first, found, last = text.partition("..")
    if found:
        low, high = _amount(first, dimension), _amount(last, dimension)
        if low > high:
            raise QuantityError(f"found {text!r}, wanted the lower end first")
        return low, (low + high) / 2, high
    value = _amount(text, dimension)
    return value, value, value


def _spread(text: str, value: Fraction, dimension: Dimension) -> Fraction:
    """Half the interval: a share of the value, or an amount in the same dimension."""
    relative = text.strip().endswith("%") and dimension not in {Dimension.SHARE, Dimension.GROWTH}
    half = value * _amount(text, Dimension.SHARE) if relative else _amount(text, dimension)
    if half < 0:
        raise QuantityError(f"found the spread {_short(text.strip())}, wanted one that is not negative")
    return half


def _amount(text: str, dimension: Dimension) -> Fraction:
    if dimension is Dimension.DURATION and text.strip().startswith("P"):
        return _iso_duration(text.strip())
    match = _AMOUNT.match(text)
    if match is None:
        raise QuantityError(f"found {_short(text)}, wanted {_wanted(dimension)}")
    units = UNITS[dimension]
    unit = re.sub(r"\s*/\s*", "/", match["unit"])
    if unit not in units:
        raise QuantityError(_unknown_unit(text, unit, dimension))
    number = Fraction(match["number"].replace("_", ""))
    amount = number * units[unit]
    if abs(amount) > Fraction(10) ** 30:
        raise QuantityError(f"found {_short(text)}, which is beyond anything a pipeline can hold")
    return amount


def _iso_duration(text: str) -> Fraction:
    match = _ISO.match(text)
    if match is None:
        raise QuantityError(f"found {_short(text)}, wanted an ISO 8601 duration such as PT15M")
    parts = zip(match.groups(), _ISO_SECONDS, strict=True)
    return sum((Fraction(part) * seconds for part, seconds in parts if part), Fraction(0))


def _unknown_unit(text: str, unit: str, dimension: Dimension) -> str:
    if not unit:
        return f"found {_short(text)} without a unit, wanted {_wanted(dimension)}"
    hint = _likely(unit, dimension)
    meant = f" (did you mean {hint!r}?)" if hint else ""
    return f"found the unit {_short(unit)}{meant}, wanted {_wanted(dimension)}"


@lru_cache(maxsize=256)
def _likely(unit: str, dimension: Dimension) -> str:
    """The unit that was probably meant: a usual abbreviation, another case, a near spelling."""
    if _USUAL.get(unit, "?") in UNITS[dimension]:
        return _USUAL[unit]
    if "/" not in unit and dimension in _PER_TIME:
        return f"{unit}/s" if f"{unit}/s" in UNITS[dimension] else ""
    same = [known for known in UNITS[dimension] if known.lower() == unit.lower()]
    close = same or get_close_matches(unit, UNITS[dimension], n=1, cutoff=0.5)
    return close[0] if close else ""


def _wanted(dimension: Dimension) -> str:
    name = dimension.name.lower()
    article = "an" if name[0] in "aeiou" else "a"
    return f"{article} {name} such as {', '.join(EXAMPLES[dimension])}"


def _short(found: object) -> str:
    shown = repr(found)
    return shown if len(shown) <= 60 else f"{shown[:57]}..."
