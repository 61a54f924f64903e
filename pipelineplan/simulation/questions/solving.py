"""What it takes: the least value of one entry of a plan at which a figure keeps to a bound.

    parallelism  1 2 3 ... 12 13 14 15 16 ... 48        drain <= 30 min
                 - - -      -  -  +  +  +       +       14 is the least, and 13 was tried and fails

Every value of a short range is tried, since answers need not be monotone: key groups make plateaus
of parallelism, and a checkpoint interval has an optimum. A longer range is tried at some places,
and the place where the answer turns is then found by bisection. What is found is confirmed by the
simulation itself, and so is that the value before it fails.
"""

from __future__ import annotations

import math
import re
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from pipelineplan.documents import dotted
from pipelineplan.documents.document import Path
from pipelineplan.errors import InputError
from pipelineplan.plan import Plan
from pipelineplan.plan.changing import with_value
from pipelineplan.simulation.questions.condition import Condition

_MOST_TRIED = 64
_FACTOR = 4
_WIDEST = 16.0
_PLACES = 33
_CLOSE_ENOUGH = 1.005
_QUANTITY = re.compile(r"\s*([0-9][0-9_]*(?:\.[0-9]+)?)(\s*[^0-9±.\s][^0-9±]{0,20})?\s*")


@dataclass(frozen=True)
class Trial:
    """One value tried: the worst figure of all scenarios, and whether the condition was met."""

    value: str
    low: float
    high: float
    met: bool
    why: str = ""

    def to_json_dict(self) -> dict[str, Any]:
        """Plain data; what is not finite is None."""
        bounds = {name: value if math.isfinite(value) else None for name, value in self._bounds().items()}
        return {"value": self.value, **bounds, "met": self.met, "why": self.why}

    def _bounds(self) -> dict[str, float]:
        return {"low": self.low, "high": self.high}


@dataclass(frozen=True)
class Solution:
    """The least value that meets the condition, or None; all that was tried, in rising order.

    `monotone` says whether no value above the found one failed.
    """

    path: str
    condition: str
    now: str
    found: str | None
    monotone: bool
    trials: tuple[Trial, ...]
    unit: str = ""

    @property
    def at_found(self) -> Trial | None:
        """The trial of the found value."""
        return self.trials[self._place()] if self.found is not None else None

    @property
    def before(self) -> Trial | None:
        """The last value below the found one that was tried, which fails."""
        below = [trial for trial in self.trials[: self._place()] if not trial.met]
        return below[-1] if below else None

    def _place(self) -> int:
        values = [trial.value for trial in self.trials]
        return values.index(self.found) if self.found is not None else len(values)

    def to_json_dict(self) -> dict[str, Any]:
        """Plain data."""
        return {
            "path": self.path,
            "condition": self.condition,
            "unit": self.unit,
            "now": self.now,
            "found": self.found,
            "monotone": self.monotone,
            "trials": [trial.to_json_dict() for trial in self.trials],
        }


@dataclass(frozen=True)
class Entry:
    """A number of the plan that may be varied: whole, or with a unit that stays as it is."""

    path: Path
    number: float
    unit: str
    whole: bool

    def written(self, number: float) -> int | str:
        """The value as the plan would say it."""
        return round(number) if self.whole else f"{number:.6g}{self.unit}"

    def places(self) -> list[float]:
        """Where to look first, rising: every whole number, or even steps of the logarithm."""
        if self.whole and self.number * _FACTOR <= _MOST_TRIED:
            return [float(number) for number in range(1, int(max(self.number * _FACTOR, 8)) + 1)]
        lowest = 1.0 if self.whole else self.number / _WIDEST
        highest = self.number * (_FACTOR if self.whole else _WIDEST)
        steps = [lowest * (highest / lowest) ** (step / (_PLACES - 1)) for step in range(_PLACES)]
        return sorted({float(round(step)) for step in steps}) if self.whole else steps

    def between(self, low: float, high: float) -> float | None:
        """A value between two, or None when they are close enough."""
        if self.whole:
            return float((low + high) // 2) if high - low > 1 else None
        return math.sqrt(low * high) if high > low * _CLOSE_ENOUGH else None


def entry_at(plan: Plan, path: Path) -> Entry:
    """The number at `path`: a whole one, its `now`, or a quantity with one unit.

    Raises `InputError` for anything else.
    """
    value = plan.composed_value(path)
    if isinstance(value, dict) and "now" in value:
        path, value = (*path, "now"), value["now"]
    if isinstance(value, int) and not isinstance(value, bool) and value > 0:
        return Entry(path, float(value), "", whole=True)
    shape = _QUANTITY.fullmatch(value) if isinstance(value, str) else None
    if shape is None or not float(shape[1].replace("_", "")) > 0:
        problem = plan.composed.problem(
            path, f"found {value!r}, wanted one number above 0 to vary, with a unit or without"
        )
        raise InputError([problem])
    return Entry(path, float(shape[1].replace("_", "")), (shape[2] or "").rstrip(), whole=False)


def solve(
    plan: Plan,
    path: Path,
    condition: Condition,
    try_out: Callable[[Plan], Trial],
    confirm: Callable[[Plan], Trial],
) -> Solution:
    """The least value at `path` that meets `condition`.

    `try_out` runs a plan once; `confirm` is asked of what it lets pass, and of the value before.
    """
    entry = entry_at(plan, path)
    search = _Search(plan, entry, try_out, confirm)
    for place in entry.places():
        search.at(place)
    found = search.least()
    trials = tuple(search.tried[number] for number in sorted(search.tried))
    above = [trial for number, trial in search.tried.items() if found is not None and number > found]
    return Solution(
        dotted(entry.path),
        condition.text,
        str(entry.written(entry.number)),
        None if found is None else search.tried[found].value,
        all(trial.met for trial in above),
        trials,
        condition.unit,
    )


class _Search:
    def __init__(
        self, plan: Plan, entry: Entry, try_out: Callable[[Plan], Trial], confirm: Callable[[Plan], Trial]
    ) -> None:
        self.plan, self.entry, self.try_out, self.confirm = plan, entry, try_out, confirm
        self.tried: dict[float, Trial] = {}
        self.confirmed: dict[float, bool] = {}

    def at(self, number: float) -> Trial:
        if number not in self.tried:
            self.tried[number] = self._run(number, self.try_out)
        return self.tried[number]

    def _run(self, number: float, how: Callable[[Plan], Trial]) -> Trial:
        written = self.entry.written(number)
        try:
            trial = how(with_value(self.plan, self.entry.path, written))
        except InputError as error:
            return Trial(str(written), math.nan, math.nan, met=False, why=error.problems[0].message)
        return Trial(str(written), trial.low, trial.high, trial.met, trial.why)

    def least(self) -> float | None:
        """The least that is confirmed; where the answer turns between two places, bisected."""
        while True:
            first = next((number for number in sorted(self.tried) if self.tried[number].met), None)
            if first is None:
                return None
            first = self._bisected(first)
            if self._is_confirmed(first):
                return first

    def _bisected(self, first: float) -> float:
        below = [number for number in self.tried if number < first]
        low, high = (max(below), first) if below else (first, first)
        while low < high and (middle := self.entry.between(low, high)) is not None:
            low, high = (low, middle) if self.at(middle).met else (middle, high)
        return high

    def _is_confirmed(self, number: float) -> bool:
        if number not in self.confirmed:
            self.tried[number] = self._run(number, self.confirm)
            self.confirmed[number] = self.tried[number].met
        return self.confirmed[number]
