"""Base units back into what people say: 39600.0 seconds is "11 h", 0.9167 is "92 %"."""

from __future__ import annotations

import math

from pipelineplan.quantities.units import Dimension

_STEPS = ((86_400.0, "d"), (3600.0, "h"), (60.0, "min"), (1.0, "s"), (0.001, "ms"))
_BYTES = ((1e15, "PB"), (1e12, "TB"), (1e9, "GB"), (1e6, "MB"), (1e3, "kB"), (1.0, "B"))


def say(value: float, dimension: Dimension) -> str:
    """Write `value`, given in the base unit of `dimension`, in the unit a person would choose."""
    match dimension:
        case Dimension.DURATION:
            return say_seconds(value)
        case Dimension.RATE:
            return f"{_digits(value)}/s"
        case Dimension.SIZE:
            return _scaled(value, _BYTES)
        case Dimension.BANDWIDTH:
            return f"{_scaled(value, _BYTES)}/s"
        case Dimension.SHARE:
            return say_share(value)
        case Dimension.GROWTH:
            return f"{say_share(value * 30)}/month"


def say_seconds(seconds: float) -> str:
    """A duration in the largest unit that leaves at least 1.5 of it, or a whole number: 3046 -> "51 min"."""
    if not math.isfinite(seconds):
        return "never" if seconds > 0 else "unknown"
    for size, unit in _STEPS:
        least = 1.0 if seconds % size == 0 else {"d": 2.0, "h": 1.5, "min": 1.5}.get(unit, 1.0)
        if abs(seconds) >= size * least:
            return f"{_digits(seconds / size)} {unit}"
    return f"{_digits(seconds)} s"


def say_share(share: float) -> str:
    """A share as percent, with enough digits to tell 99.95 from 100."""
    percent = share * 100
    if not math.isfinite(percent) or percent == 0 or 1 <= abs(percent) < 99 or abs(percent) > 101:
        return f"{_digits(percent)} %"
    distance = abs(100 - percent) if percent > 50 else abs(percent)
    places = 1 - math.floor(math.log10(distance)) if 0 < distance < 1 else 1
    text = f"{percent:.{min(max(places, 1), 7)}f}"
    return f"{text.rstrip('0').rstrip('.')} %"


def _scaled(value: float, steps: tuple[tuple[float, str], ...]) -> str:
    for size, unit in steps:
        if abs(value) >= size:
            return f"{_digits(value / size)} {unit}"
    return f"{_digits(value)} {steps[-1][1]}"


def _digits(value: float) -> str:
    """Three digits below a thousand, whole numbers with separators above."""
    if not math.isfinite(value):
        return "unbounded"
    if abs(value) >= 100:
        return f"{value:,.0f}"
    text = f"{value:.3g}"
    return f"{float(text):g}"
