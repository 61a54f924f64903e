"""What if two numbers of the plan were others: a grid over those that move its worst promise most.

    stages[0].checkpoint.interval    30 s   45 s  [60 s]  90 s   2 min
    window 30 s                       +      +      +      +      -        + every promise is kept
           1 min                      +      +     [+]     -      -        - one is not

Every cell is simulated (tier T1, at the likely values) in all scenarios of the plan, with those two numbers
changed and everything else as it is. The candidates are the numbers that people turn, each moved by a tenth
alone, in the scenario of the worst promise.
"""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import islice
from typing import Any

from pipelineplan.documents import dotted
from pipelineplan.documents.document import Path
from pipelineplan.errors import InputError
from pipelineplan.plan import Plan
from pipelineplan.plan.changing import with_value
from pipelineplan.plan.plan import once
from pipelineplan.simulation.arranging import End
from pipelineplan.simulation.control import run_scenario
from pipelineplan.simulation.figures.curves import Curves
from pipelineplan.simulation.from_plan import pipelines_of
from pipelineplan.simulation.network import NotSimulated
from pipelineplan.simulation.questions.sensitivity import MISSED, Moved, margins, numbers_of
from pipelineplan.simulation.result import FreshnessTarget
from pipelineplan.simulation.simulating import arrangements
from pipelineplan.verdicts import Verdict

# What a number is multiplied by along its side of the grid; the plan's own value is among them.
FACTORS = (0.5, 0.75, 1.0, 1.5, 2.0)
_SHARE = 0.1
# Load, disorder, size and speed: the last steps of the paths that a person would turn.
_TURNED = frozenset(
    (
        *("average", "peak", "hottest_key", "partitions", "lag", "capacity"),
        *("parallelism", "now", "interval", "fixed", "size", "repair"),
    )
)
_MOST_CANDIDATES = 24
_QUIET = frozenset(("steady", "peak", "recorded"))  # scenarios in which nothing breaks
_LEAST = 1e-3
_ALIKE = 1e-9  # two paths that do the same are one number, written once and used twice


@dataclass(frozen=True)
class Outcome:
    """What the simulation says of one plan, at the likely values: the worst of all scenarios, in seconds.

    `margin` is the worst promise, figure over target: above 1 it is broken; NaN where nothing is promised
    or nothing could be simulated, and then `why` says why. `worst` is the scenario of that promise.
    `freshness_seconds` is that of the first promise of freshness, without outages.
    """

    margin: float = math.nan
    worst: str = ""
    drain_seconds: float = math.nan
    oldest_unread_seconds: float = math.nan
    freshness_seconds: float = math.nan
    why: str = ""

    @property
    def verdict(self) -> Verdict:
        """Whether every promise is kept at the likely values."""
        if math.isnan(self.margin):
            return Verdict.UNKNOWN
        return Verdict.FAILS if self.margin > 1 else Verdict.HOLDS

    def to_json_dict(self) -> dict[str, Any]:
        """Plain data; what is not finite is None."""
        figures = {
            name: value if math.isfinite(value) else None
            for name, value in (
                ("margin", self.margin),
                ("drain_seconds", self.drain_seconds),
                ("oldest_unread_seconds", self.oldest_unread_seconds),
                ("freshness_seconds", self.freshness_seconds),
            )
        }
        return {"verdict": self.verdict.value, "worst": self.worst, **figures, "why": self.why}


@dataclass(frozen=True)
class Side:
    """One number of the plan: its values along the grid, and which of them is the plan's own."""

    path: str
    values: tuple[str, ...]
    own: int


@dataclass(frozen=True)
class WhatIf:
    """`cells[row][column]` is the outcome with `down.values[row]` and `across.values[column]`.

    `candidates` is how many numbers were moved to find these two.
    """

    across: Side
    down: Side
    cells: tuple[tuple[Outcome, ...], ...]
    candidates: int

    @property
    def own(self) -> Outcome:
        """The plan as it is."""
        return self.cells[self.down.own][self.across.own]

    def to_json_dict(self) -> dict[str, Any]:
        """Plain data."""
        sides = {
            name: {"path": side.path, "values": list(side.values), "own": side.own}
            for name, side in (("across", self.across), ("down", self.down))
        }
        cells = [[cell.to_json_dict() for cell in row] for row in self.cells]
        return {**sides, "candidates": self.candidates, "cells": cells}


@dataclass(frozen=True)
class _Candidate:
    """A number, and the worst margin with a tenth less and a tenth more of it."""

    moved: Moved
    low: float
    high: float

    def width(self, base: float) -> float:
        """How far the margin moves; a promise that is missed for good counts like any that is missed far."""
        ends = [each for each in (self.low, self.high, base) if not math.isnan(each)]
        return max(ends) - min(ends)

    def same(self, other: _Candidate) -> bool:
        """Whether two paths do the same: a value that is written once and used twice."""
        pairs = ((self.low, other.low), (self.high, other.high))
        return self.moved.path[-1] == other.moved.path[-1] and all(
            math.isclose(one, two, rel_tol=_ALIKE) for one, two in pairs
        )


@once
def what_if(plan: Plan) -> WhatIf | None:
    """The grid of `plan`; None where nothing is promised, or fewer than two numbers move it.

    To move is to change the worst margin by a thousandth of its target at least.
    """
    base = outcome(plan)
    if math.isnan(base.margin):
        return None
    candidates = [_tried(plan, each, base.worst) for each in _turned(plan, base.worst)]
    chosen = _two(candidates, base.margin)
    if chosen is None:
        return None
    across, down = (_side(each.moved) for each in chosen)
    paths = chosen[0].moved.path, chosen[1].moved.path
    cells = [list(_row(plan, paths, across.values, value)) for value in down.values]
    cells[down.own][across.own] = base
    return WhatIf(across, down, tuple(map(tuple, cells)), len(candidates))


def _row(plan: Plan, paths: tuple[Path, Path], across: tuple[str, ...], down: str) -> Iterator[Outcome]:
    """The outcomes with `down` in the plan and each of `across`; where that is no plan, why."""
    try:
        line = with_value(plan, paths[1], _written(down))
    except InputError as error:
        yield from (Outcome(why=error.problems[0].message) for _ in across)
        return
    for value in across:
        try:
            yield outcome(with_value(line, paths[0], _written(value)))
        except InputError as error:
            yield Outcome(why=error.problems[0].message)


def _written(text: str) -> int | str:
    """The value as the plan has it: a whole number is none in quotes."""
    return int(text) if text.isdigit() else text


def outcome(plan: Plan) -> Outcome:
    """What every scenario of `plan` says, at its worst."""
    margin, worst = math.nan, ""
    drains, ages, fresh = [], [], []
    for name, curves, targets in _runs(plan):
        found = margins(curves, targets)
        known = [each for each in found if not math.isnan(each)]
        if known and not max(known) <= margin:
            margin, worst = max(known), name
        ages.append(curves.peak_age())
        drains += [each.drain_seconds for each in curves.run.phases]
        if targets and not curves.run.scenario.outages:
            share = found[-len(targets)]  # those of freshness stand last, in the order of the promises
            fresh.append(share * targets[0].seconds[0] if share < MISSED else math.inf)
    if not ages:
        return Outcome(why="nothing of it could be simulated")
    why = "" if worst else "nothing is promised of what was simulated"
    drain, freshest = max(drains, default=math.nan), max(fresh, default=math.nan)
    return Outcome(margin, worst, drain, max(ages), freshest, why)


def _runs(plan: Plan, only: str = "") -> Iterator[tuple[str, Curves, tuple[FreshnessTarget, ...]]]:
    """The likely run of every scenario, or of the one called `only`, and the promises of its pipeline."""
    for pipeline in pipelines_of(plan)[0]:
        for name, arranged in arrangements(pipeline, None):
            if only not in {"", name}:
                continue
            try:
                network, scenario = arranged(pipeline.inputs[End.LIKELY], End.LIKELY)
                yield name, Curves(run_scenario(network, scenario)), pipeline.targets
            except NotSimulated:
                continue


def _turned(plan: Plan, scenario: str) -> Iterator[Moved]:
    """The numbers that a person would turn, in the order of the file; an outage's, where one is the worst."""
    quiet = scenario in _QUIET
    found = (each for each in numbers_of(plan, _SHARE) if each.path[-1] in _TURNED)
    yield from islice((each for each in found if not (quiet and each.path[0] == "outages")), _MOST_CANDIDATES)


def _tried(plan: Plan, moved: Moved, scenario: str) -> _Candidate:
    """What a tenth less and a tenth more of one number do to the worst promise, in its scenario."""
    return _Candidate(moved, *(_margin(plan, moved, each, scenario) for each in (moved.low, moved.high)))


def _margin(plan: Plan, moved: Moved, factor: float, scenario: str) -> float:
    try:
        changed = with_value(plan, moved.path, moved.at(factor))
    except InputError:
        return math.nan
    found = [each for _, curves, targets in _runs(changed, scenario) for each in margins(curves, targets)]
    return max((each for each in found if not math.isnan(each)), default=math.nan)


def _two(candidates: list[_Candidate], base: float) -> tuple[_Candidate, _Candidate] | None:
    """The widest and the next one that is another number; None where fewer than two move anything."""
    moving = sorted(
        (each for each in candidates if each.width(base) >= _LEAST),
        key=lambda each: (-each.width(base), dotted(each.moved.path)),
    )
    others = [each for each in moving[1:] if not moving[0].same(each)]
    return (moving[0], others[0]) if others else None


def _side(moved: Moved) -> Side:
    """The values along one side: the plan's own as it is written, the others as the plan would write them."""
    values = {str(moved.at(factor)): factor for factor in FACTORS if factor != 1}
    texts = sorted({**values, moved.text: 1.0}.items(), key=lambda pair: pair[1])
    return Side(
        dotted(moved.path), tuple(text for text, _ in texts), [factor for _, factor in texts].index(1)
    )
