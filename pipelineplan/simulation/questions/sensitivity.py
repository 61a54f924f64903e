"""Which number of a plan moves its verdict most: each is moved alone, and all of them together.

    margin of the worst promise      0.8       1.0 = the promise
    stages.count.capacity            |#########|####        from 0.72 to 1.04: turns the verdict
    outages[0].repair                   |######|            from 0.79 to 0.98
    sources.clicks.retention                                nothing moves

A number that the plan gives as an interval is moved to its ends, any other by the same share of itself.
One at a time is a tornado; drawn together over their ranges, Sobol's indices say which share of the variance
each explains alone (first order) and with all others (total).

Sources: A. Saltelli et al., Global Sensitivity Analysis: The Primer, 2008, sections 1.2 and 4.6;
I. M. Sobol, Mathematics and Computers in Simulation 55, 2001, as computed by SALib.
"""

from __future__ import annotations

import math
import re
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from typing import Any

from pipelineplan.documents import dotted
from pipelineplan.documents.document import Path
from pipelineplan.errors import InputError, MissingExtraError, Position, Problem
from pipelineplan.plan import Plan
from pipelineplan.plan.changing import with_value
from pipelineplan.simulation.acts.library import Recipe
from pipelineplan.simulation.arranging import End
from pipelineplan.simulation.figures.all_jobs import measure_all
from pipelineplan.simulation.figures.curves import Curves
from pipelineplan.simulation.figures.measures import FIGURES, promised
from pipelineplan.simulation.from_plan import pipelines_of
from pipelineplan.simulation.in_a_row import run_jobs
from pipelineplan.simulation.network import NotSimulated
from pipelineplan.simulation.result import FreshnessTarget
from pipelineplan.simulation.simulating import arrangements

MARGIN = "margin"
# A promise that is missed by this factor is missed for good: so that unbounded drains stay numbers.
MISSED = 1000.0
_PARTS = ("sources", "stages", "sinks", "outages")
_PROMISES = ("drain_target",)
_MOST_INPUTS = 200
_NUMBER = r"([0-9][0-9_]*(?:\.[0-9]+)?)"
_ONE = re.compile(rf"\s*{_NUMBER}(\s*[^0-9±.\s+][^0-9±]{{0,20}})?\s*")
_AROUND = re.compile(rf"(.*?)(?:±|\+-|\+/-)\s*{_NUMBER}(\s*[^0-9±.\s+][^0-9±]{{0,20}})?\s*")


@dataclass(frozen=True)
class Moved:
    """A number of the plan as it is written, and the factors to which it is moved."""

    path: Path
    text: str
    number: float
    unit: str
    low: float
    high: float
    whole: bool
    stated: bool

    def at(self, factor: float) -> int | str:
        """The value times `factor`, as the plan would say it."""
        if not self.whole:
            return f"{self.number * factor:.12g}{self.unit}"
        return max(round(self.number * factor), 1)


@dataclass(frozen=True)
class Swing:
    """What moving one number does to the outcome; `first` and `total` are Sobol's indices, if drawn."""

    path: str
    now: str
    at_low: str
    at_high: str
    low: float
    high: float
    base: float
    stated: bool
    turns: bool
    why: str = ""
    first: float | None = None
    total: float | None = None

    @property
    def width(self) -> float:
        """How far the outcome moves between the two ends and now; 0 where it cannot be said."""
        moved = [each for each in (self.low, self.high, self.base) if math.isfinite(each)]
        return max(moved) - min(moved) if len(moved) == 3 else 0.0

    def to_json_dict(self) -> dict[str, Any]:
        """Plain data; what is not finite is None."""
        plain: dict[str, Any] = {
            "path": self.path,
            "now": self.now,
            "at_low": self.at_low,
            "at_high": self.at_high,
        }
        plain |= {
            name: value if math.isfinite(value) else None
            for name, value in (("low", self.low), ("high", self.high))
        }
        plain |= {"stated": self.stated, "turns": self.turns, "why": self.why}
        if self.total is not None:
            plain |= {"first_order": self.first, "total_order": self.total}
        return plain


@dataclass(frozen=True)
class Sensitivity:
    """The outcome now and what each number does to it, the one that moves it most first."""

    outcome: str
    unit: str
    base: float
    swings: tuple[Swing, ...]

    def to_json_dict(self) -> dict[str, Any]:
        """Plain data."""
        base = self.base if math.isfinite(self.base) else None
        swings = [each.to_json_dict() for each in self.swings]
        return {"outcome": self.outcome, "unit": self.unit, "base": base, "inputs": swings}


def sensitivity(
    plan: Plan,
    outcome: str = MARGIN,
    *,
    share: float = 0.1,
    recipes: tuple[Recipe, ...] | None = None,
    samples: int = 0,
    seed: int = 0,
) -> Sensitivity:
    """How far each number of the plan moves `outcome`: a figure at its worst scenario, or the margin.

    The margin is the worst of all promises, figure over target: above 1 it is broken. Numbers without an
    interval are moved by `share`. With `samples`, Sobol's indices are drawn for those that move it
    at all and are no whole numbers (`samples * (inputs + 2)` simulations). Raises `InputError` for an
    unknown outcome.
    """
    if outcome != MARGIN and outcome not in FIGURES:
        known = ", ".join((MARGIN, *FIGURES))
        raise InputError(
            [Problem(f"there is no outcome {outcome!r}", Position("--sensitivity"), fix=f"known: {known}")]
        )
    inputs = list(numbers_of(plan, share))
    base = outcome_of(plan, outcome, recipes)
    swings = [_swing(plan, each, base, outcome, recipes) for each in inputs]
    if samples:
        indices = _sobol(plan, inputs, swings, outcome, recipes, (samples, seed))
        swings = [indices.get(each.path, each) for each in swings]
    swings.sort(key=lambda each: (-(each.total or 0.0), -each.width, each.path))
    unit = "of the promise" if outcome == MARGIN else FIGURES[outcome][0]
    return Sensitivity(outcome, unit, base, tuple(swings))


def outcome_of(plan: Plan, outcome: str, recipes: tuple[Recipe, ...] | None = None) -> float:
    """The outcome at the likely values: the worst over all scenarios; NaN where nothing is simulated."""
    found: list[float] = []
    for pipeline in pipelines_of(plan)[0]:
        for _, arranged in arrangements(pipeline, recipes):
            try:
                network, scenario = arranged(pipeline.inputs[End.LIKELY], End.LIKELY)
                curves = Curves(run_jobs(network, scenario))
            except NotSimulated:
                continue
            if outcome != MARGIN:
                found.append(measure_all(curves)[outcome][1])
                continue
            found += margins(curves, pipeline.targets)
    known = [each for each in found if not math.isnan(each)]
    return max(known) if known else math.nan


def margins(curves: Curves, targets: Sequence[FreshnessTarget]) -> list[float]:
    """Figure over target of each promise that a run judges: of drains, then of freshness, without outages."""
    drains = [
        each.drain_seconds / each.drain_target_seconds
        for each in curves.run.phases
        if each.drain_target_seconds
    ]
    quiet = () if curves.run.scenario.outages else targets
    fresh = [promised(target, curves)[2] / target.seconds[0] for target in quiet]
    return [min(each, MISSED) for each in (*drains, *fresh)]


def numbers_of(plan: Plan, share: float) -> Iterator[Moved]:
    """The numbers of the plan's parts that can be moved, in the order of the file; at most 200."""
    found = (each for part in _PARTS for each in _below(plan.composed.data.get(part), (part,), share))
    for number, each in enumerate(found):
        if number == _MOST_INPUTS:
            return
        yield each


def _below(value: Any, path: Path, share: float) -> Iterator[Moved]:
    if isinstance(value, dict):
        for key, each in value.items():
            if key in _PROMISES:
                continue
            yield from _below(each, (*path, key), share)
    elif isinstance(value, list):
        for index, each in enumerate(value):
            yield from _below(each, (*path, index), share)
    else:
        moved = _moved(value, path, share)
        if moved is not None:
            yield moved


def _moved(value: object, path: Path, share: float) -> Moved | None:
    if isinstance(value, int) and not isinstance(value, bool) and value > 0:
        step = max(1, round(share * value)) / value
        return Moved(path, str(value), float(value), "", 1 - step, 1 + step, whole=True, stated=False)
    if isinstance(value, float) and value > 0:
        return Moved(path, str(value), value, "", 1 - share, 1 + share, whole=False, stated=False)
    if not isinstance(value, str):
        return None
    stated = _stated(value)
    if stated is not None:
        number, unit, low, high = stated
        return Moved(path, value, number, unit, low / number, high / number, whole=False, stated=True)
    one = _ONE.fullmatch(value)
    if one is None or not one[2] or not _plain(one[1]) > 0:
        return None
    return Moved(
        path, value, _plain(one[1]), one[2].rstrip(), 1 - share, 1 + share, whole=False, stated=False
    )


def _stated(text: str) -> tuple[float, str, float, float] | None:
    """Number, unit, low and high of an interval in one unit; None for anything else."""
    around = _AROUND.fullmatch(text)
    middle = _ONE.fullmatch(around[1]) if around else None
    if around and middle:
        number, unit = _plain(middle[1]), (middle[2] or "").rstrip()
        spread, of = _plain(around[2]), (around[3] or "").strip()
        half = number * spread / 100 if of == "%" and unit.strip() != "%" else spread
        same = of in {"%", unit.strip()}
        return (number, unit, number - half, number + half) if same and 0 < half < number else None
    first, dots, last = text.partition("..")
    low, high = _ONE.fullmatch(first), _ONE.fullmatch(last)
    if (
        not dots
        or low is None
        or high is None
        or (low[2] or high[2] or "").strip() != (high[2] or "").strip()
    ):
        return None
    ends = _plain(low[1]), _plain(high[1])
    return (sum(ends) / 2, (high[2] or "").rstrip(), *ends) if 0 < ends[0] < ends[1] else None


def _plain(text: str) -> float:
    return float(text.replace("_", ""))


def _swing(plan: Plan, moved: Moved, base: float, outcome: str, recipes: tuple[Recipe, ...] | None) -> Swing:
    values: list[float] = []
    why = ""
    for factor in (moved.low, moved.high):
        try:
            values.append(outcome_of(with_value(plan, moved.path, moved.at(factor)), outcome, recipes))
        except InputError as error:
            values.append(math.nan)
            why = error.problems[0].message
    turns = outcome == MARGIN and len({each > 1 for each in (*values, base) if not math.isnan(each)}) > 1
    if any(math.isnan(each) for each in values) and not why:
        why = "not simulated there"
    at_low, at_high = str(moved.at(moved.low)), str(moved.at(moved.high))
    low, high = values
    return Swing(dotted(moved.path), moved.text, at_low, at_high, low, high, base, moved.stated, turns, why)


def _sobol(
    plan: Plan,
    inputs: Sequence[Moved],
    swings: Sequence[Swing],
    outcome: str,
    recipes: tuple[Recipe, ...] | None,
    drawn: tuple[int, int],
) -> dict[str, Swing]:
    """The swings of the inputs that move the outcome, with their indices."""
    try:
        from SALib.analyze import sobol as analysis
        from SALib.sample import sobol as sampling
    except ImportError:
        raise MissingExtraError("Sobol indices", "sensitivity") from None
    import numpy as np

    pairs = zip(inputs, swings, strict=True)
    moving = [(one, two) for one, two in pairs if two.width > 0 and not one.whole]
    if not moving:
        return {}
    space = {
        "num_vars": len(moving),
        "names": [swing.path for _, swing in moving],
        "bounds": [[each.low, each.high] for each, _ in moving],
    }
    samples, seed = drawn
    rows = sampling.sample(space, samples, calc_second_order=False, seed=seed)
    run = _together(plan, [each for each, _ in moving], outcome, recipes)
    found = np.array([run(row.tolist()) for row in rows])
    found = np.where(np.isfinite(found), found, np.nanmax(found[np.isfinite(found)], initial=MISSED))
    if found.std() == 0:
        return {}
    indices = analysis.analyze(space, found, calc_second_order=False, seed=seed)
    return {
        swing.path: _with_indices(swing, float(first), float(total))
        for (_, swing), first, total in zip(moving, indices["S1"], indices["ST"], strict=True)
    }


def _with_indices(swing: Swing, first: float, total: float) -> Swing:
    return replace(swing, first=round(first, 6), total=round(total, 6))


def _together(
    plan: Plan, inputs: Sequence[Moved], outcome: str, recipes: tuple[Recipe, ...] | None
) -> Callable[[Sequence[float]], float]:
    """The outcome with every input times its factor; NaN where that is no plan."""

    def run(factors: Sequence[float]) -> float:
        changed = plan
        try:
            for each, factor in zip(inputs, factors, strict=True):
                changed = with_value(changed, each.path, each.at(factor))
            return outcome_of(changed, outcome, recipes)
        except InputError:
            return math.nan

    return run
