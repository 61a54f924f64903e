"""What is asked of a figure: `drain_time <= 30 min @ 95 %`.

drain_time <= 30 min          over all that the plan's inputs allow
drain_time <= 30 min @ 95 %   and in at least 95 of 100 futures
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass

from pipelineplan.errors import InputError, Position, Problem
from pipelineplan.quantities import Dimension, QuantityError, parse

_SHAPE = re.compile(r"\s*([a-z0-9_]{1,60})\s*(<=|>=)\s*([^@]{1,60}?)\s*(?:@\s*([^@]{1,30}?)\s*)?")
_ALSO = {"drain_time": "drain_seconds", "peak_lag": "peak_lag_records"}
_ENDINGS = ("", "_seconds", "_records", "_per_second", "_bytes")


@dataclass(frozen=True)
class Condition:
    """`figure` is one of a scenario's; `probability` None where replications are not asked for."""

    figure: str
    at_most: bool
    bound: float
    probability: float | None
    text: str
    unit: str

    def met(self, low: float, high: float) -> bool:
        """Whether a figure that lies anywhere between the two is within the bound for certain."""
        return high <= self.bound if self.at_most else low >= self.bound


def read_condition(text: str, units: dict[str, str]) -> Condition:
    """Read a condition on one of the figures, given with their units; raises `InputError`."""
    shape = _SHAPE.fullmatch(text)
    if shape is None:
        raise _wrong(text, "wanted FIGURE <= QUANTITY or >=, as in 'drain_time <= 30 min @ 95 %'")
    name, sign, bound, chance = shape.groups()
    figure = _figure(name, units)
    if figure is None:
        raise _wrong(text, f"there is no figure {name!r}", f"known: {', '.join(units)}")
    try:
        wanted = _amount(bound, units[figure])
        probability = None if chance is None else float(parse(chance, Dimension.SHARE).value)
    except (QuantityError, ValueError) as error:
        raise _wrong(text, str(error)) from None
    if probability is not None and not 0 < probability < 1:
        raise _wrong(text, f"found a probability of {chance}, wanted one between 0 and 100 %")
    return Condition(figure, sign == "<=", wanted, probability, " ".join(text.split()), units[figure])


def _figure(name: str, known: Iterable[str]) -> str | None:
    names = [_ALSO.get(name, name), *(name + ending for ending in _ENDINGS)]
    return next((each for each in names if each in known), None)


def _amount(text: str, unit: str) -> float:
    known = {"s": Dimension.DURATION, "share": Dimension.SHARE, "bytes": Dimension.SIZE}
    dimension = known.get(unit)
    if dimension is not None:
        return float(parse(text, dimension).value)
    number = float(text.replace("_", "").replace(",", ""))
    if not number >= 0:
        raise ValueError(f"found {text!r}, wanted a number from 0 up")
    return number


def _wrong(text: str, message: str, fix: str = "") -> InputError:
    return InputError([Problem(f"{text!r}: {message}", Position("--until"), fix=fix)])
