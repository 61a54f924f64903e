"""Base units back into what people say: 39600.0 seconds is "11 h", 0.9167 is "92 %"."""

from __future__ import annotations

import math

from pipelineplan.quantities.quantity import QuantityError, parse
from pipelineplan.quantities.units import Dimension

_STEPS = ((86_400.0, "d"), (3600.0, "h"), (60.0, "min"), (1.0, "s"), (0.001, "ms"))
_BYTES = ((1e15, "PB"), (1e12, "TB"), (1e9, "GB"), (1e6, "MB"), (1e3, "kB"), (1.0, "B"))


def say(value: float, dimension: Dimension, digits: int = 3) -> str:
    """Write `value`, given in the base unit of `dimension`, in the unit a person would choose."""
    match dimension:
        case Dimension.DURATION:
            return say_seconds(value, digits)
        case Dimension.RATE:
            return f"{_digits(value, digits)}/s"
        case Dimension.SIZE:
            return _scaled(value, _BYTES, digits)
        case Dimension.BANDWIDTH:
            return f"{_scaled(value, _BYTES, digits)}/s"
        case Dimension.SHARE:
            return say_share(value, digits)
        case Dimension.GROWTH:
            return f"{say_share(value * 30, digits)}/month"


def say_apart(one: float, other: float, dimension: Dimension) -> tuple[str, str]:
    """Both values with as many digits as it takes to tell which is larger: "33.52 min" and "33.5 min"."""
    for digits in range(3, 10):
        said = say(one, dimension, digits), say(other, dimension, digits)
        if one == other or not (math.isfinite(one) and math.isfinite(other)):
            break
        try:
            read = [parse(text.replace(",", ""), dimension).value for text in said]
        except QuantityError:  # beyond anything that can be read, and so written with all its digits
            break
        if (read[0] > read[1]) == (one > other) and read[0] != read[1]:
            break
    return said


def say_between(low: float, high: float, dimension: Dimension) -> str:
    """Both ends of an interval, durations of like size in one unit: "28.4 h to 52.2 h"."""
    first, last = say(low, dimension), say(high, dimension)
    if dimension is Dimension.DURATION and 0 < low < high < 10 * low:
        unit = first.rpartition(" ")[2]
        size = next(size for size, name in _STEPS if name == unit)
        last = f"{_digits(high / size, 3)} {unit}"
    return f"{first} to {last}"


def say_seconds(seconds: float, digits: int = 3) -> str:
    """A duration in the largest unit that leaves at least 1.5 of it, or a whole number: 3046 -> "51 min"."""
    if not math.isfinite(seconds):
        return "never" if seconds > 0 else "unknown"
    for size, unit in _STEPS:
        least = 1.0 if seconds % size == 0 else {"d": 2.0, "h": 1.5, "min": 1.5}.get(unit, 1.0)
        if abs(seconds) >= size * least:
            return f"{_digits(seconds / size, digits)} {unit}"
    return f"{_digits(seconds, digits)} s"


def say_share(share: float, digits: int = 3) -> str:
    """A share as percent, with enough digits to tell 99.95 from 100."""
    percent = share * 100
    if not math.isfinite(percent) or percent == 0 or 1 <= abs(percent) < 99 or abs(percent) > 101:
        return f"{_digits(percent, digits)} %"
    nearly_all = percent > 50
    distance = abs(100 - percent) if nearly_all else abs(percent)
    # What is small has three digits of its own; of what is missing to 100 two are enough.
    places = (1 if nearly_all else 2) - math.floor(math.log10(distance)) if 0 < distance < 1 else 1
    text = f"{percent:.{min(max(places, 1) + digits - 3, 9)}f}"
    return f"{text.rstrip('0').rstrip('.')} %"


def _scaled(value: float, steps: tuple[tuple[float, str], ...], digits: int) -> str:
    for size, unit in steps:
        if abs(value) >= size:
            return f"{_digits(value / size, digits)} {unit}"
    return f"{_digits(value, digits)} {steps[-1][1]}"


def _digits(value: float, digits: int) -> str:
    """That many digits below 10^digits, whole numbers with separators above."""
    if not math.isfinite(value):
        return "unbounded"
    if abs(value) >= 10 ** (digits - 1):
        return f"{value:,.0f}"
    text = f"{float(f'{value:.{digits}g}'):,.{digits + 6}f}" if digits > 3 else f"{float(f'{value:.3g}'):g}"
    return text.rstrip("0").rstrip(".") if "." in text else text
