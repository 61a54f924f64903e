"""An inequality on the plan's own numbers, and its verdict with what would turn it.

A claim is evaluated at every corner of the intervals that its operands carry. It holds when it
is true at all of them, fails when false at all, and is unknown otherwise. The same function
that judges the claim also explains it and searches for the nearest value that would hold, so an
explanation cannot drift from the verdict. Claims are monotone in each operand, which is why the
corners decide.
"""

from __future__ import annotations

import itertools
from bisect import bisect_left
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass

from pipelineplan.documents import Path
from pipelineplan.errors import Position
from pipelineplan.quantities import Dimension, say_apart, say_between
from pipelineplan.verdicts import Basis, Operand, Verdict, say_value

Values = Mapping[str, float]
Bounds = tuple[float, float]
_MOST_CORNERS = 4096
_MOST_SCANNED = 4096


@dataclass(frozen=True)
class Change:
    """An operand that a person could change to make the claim hold, and in which direction.

    `steady` says that once the claim holds it goes on to hold in that direction, plateaus or not: then
    whole numbers are halved towards and not counted up.
    """

    symbol: str
    rises: bool
    whole: bool = False
    limit: float = float("inf")
    steady: bool = False


@dataclass(frozen=True)
class Claim:
    """`left(values) <= right(values)`, where each side may itself only be known within bounds.

    `says` writes the message for one evaluation; `missing` names what the plan would have to
    state first, and then there is nothing to evaluate.
    """

    path: Path
    subject: str
    operands: tuple[Operand, ...] = ()
    left: Callable[[Values], Bounds] = lambda _: (0.0, 0.0)
    right: Callable[[Values], Bounds] = lambda _: (0.0, 0.0)
    dimension: Dimension | None = None
    says: Callable[[Evaluation], str] = lambda _: ""
    changes: tuple[Change, ...] = ()
    missing: str = ""
    at: Position | None = None  # where `path` is written, if another value has taken its place


@dataclass(frozen=True)
class Evaluation:
    """A claim's verdict, the bounds of both sides, and on which assumptions it rests."""

    claim: Claim
    verdict: Verdict
    values: Values
    left: Bounds
    right: Bounds
    rests_on: tuple[str, ...] = ()

    @property
    def left_shown(self) -> str:
        """The left side as a person would write it."""
        return self._apart()[0] if self._close else _shown(self.left, self.claim.dimension)

    @property
    def right_shown(self) -> str:
        """The right side as a person would write it."""
        return self._apart()[1] if self._close else _shown(self.right, self.claim.dimension)

    @property
    def _close(self) -> bool:
        """Whether the sides are exactly known, and a verdict hangs on digits that might be rounded away."""
        exact = self.left[0] == self.left[1] and self.right[0] == self.right[1]
        return exact and self.verdict is Verdict.FAILS and self.claim.dimension is not None

    def _apart(self) -> tuple[str, str]:
        dimension = self.claim.dimension
        return say_apart(self.left[0], self.right[0], dimension) if dimension is not None else ("", "")


def evaluate(claim: Claim) -> Evaluation:
    """The verdict of `claim` over all values that its operands allow."""
    verdict, left, right = _verdict(claim, _corners(claim.operands))
    values = {operand.symbol: operand.value for operand in claim.operands}
    assumed = [operand for operand in claim.operands if operand.basis is Basis.ASSUMED]
    rests_on = tuple(o.symbol for o in assumed if _turns(claim, o, verdict))
    return Evaluation(claim, verdict, values, left, right, rests_on)


def nearest(claim: Claim) -> Iterator[tuple[Change, float]]:
    """For each operand that could be changed alone: the nearest value at which the claim holds."""
    values = {operand.symbol: operand.value for operand in claim.operands}
    for change in claim.changes if _can_be_tried(claim) else ():
        if change.symbol not in values:
            continue
        search = _whole if change.whole else _real
        found = search(claim, change, values[change.symbol])
        if found is not None:
            yield change, found


def _verdict(claim: Claim, corners: list[Values]) -> tuple[Verdict, Bounds, Bounds]:
    if len(corners) == 1:  # most claims are of numbers without a spread
        left, right = claim.left(corners[0]), claim.right(corners[0])
        return _compared([(left, right)]), left, right
    lefts = [claim.left(values) for values in corners]
    rights = [claim.right(values) for values in corners]
    left = (min(low for low, _ in lefts), max(high for _, high in lefts))
    right = (min(low for low, _ in rights), max(high for _, high in rights))
    tried = _can_be_tried(claim)
    return _compared(list(zip(lefts, rights, strict=True))) if tried else Verdict.UNKNOWN, left, right


def _compared(sides: list[tuple[Bounds, Bounds]]) -> Verdict:
    """Holds where the left is at most the right at every corner, fails where it is more at every one."""
    if all(left[1] <= right[0] for left, right in sides):
        return Verdict.HOLDS
    return Verdict.FAILS if all(left[0] > right[1] for left, right in sides) else Verdict.UNKNOWN


def _corners(operands: tuple[Operand, ...], also: Operand | None = None) -> list[Values]:
    """Every combination of interval ends; assumed operands stay at their value, but for `also`."""
    if not any(_varies(operand, also) for operand in operands):
        return [{operand.symbol: operand.value for operand in operands}]
    choices = [
        (operand.symbol, (operand.low, operand.high) if _varies(operand, also) else (operand.value,))
        for operand in operands
    ]
    combinations = itertools.product(*(values for _, values in choices))
    symbols = [symbol for symbol, _ in choices]
    limited = itertools.islice(combinations, 2 * _MOST_CORNERS)
    return [dict(zip(symbols, combination, strict=True)) for combination in limited]


def _can_be_tried(claim: Claim) -> bool:
    """Whether all corners are looked at: the few that are might agree by chance."""
    return bool(2 ** sum(_varies(operand, None) for operand in claim.operands) <= _MOST_CORNERS)


def _varies(operand: Operand, also: Operand | None) -> bool:
    return operand.low < operand.high and (operand.basis is not Basis.ASSUMED or operand is also)


def _turns(claim: Claim, operand: Operand, verdict: Verdict) -> bool:
    """Whether the verdict is another one somewhere in the range of an assumed operand."""
    return operand.low < operand.high and _verdict(claim, _corners(claim.operands, operand))[0] is not verdict


def holds_with(claim: Claim, symbol: str, value: float) -> bool:
    """Whether the claim would hold with exactly `value` for `symbol`, whatever else is uncertain."""
    return _holds_at(claim, _corners(claim.operands), symbol, value)


def _holds_at(claim: Claim, corners: list[Values], symbol: str, value: float) -> bool:
    tried = ({**corner, symbol: value} for corner in corners)
    return all(claim.left(corner)[1] <= claim.right(corner)[0] for corner in tried)


def _whole(claim: Claim, change: Change, now: float) -> float | None:
    """Integers are scanned one by one, since parallelism has plateaus; millions of keys are bisected."""
    start = int(now)
    last = int(min(change.limit, start * 32 + 64)) if change.rises else 1
    corners = _corners(claim.operands)
    if change.steady and change.rises:
        return _least_whole(claim, change.symbol, corners, start, last)
    candidates = range(start + 1, last + 1) if change.rises else range(start - 1, last - 1, -1)

    def holds(candidate: int) -> bool:
        return _holds_at(claim, corners, change.symbol, float(candidate))

    if len(candidates) <= _MOST_SCANNED:
        return next((float(candidate) for candidate in candidates if holds(candidate)), None)
    place = bisect_left(candidates, True, key=holds)  # noqa: FBT003  (the first that holds)
    return float(candidates[place]) if place < len(candidates) else None


def _least_whole(claim: Claim, symbol: str, corners: list[Values], bad: int, good: int) -> float | None:
    """The least whole number above `bad`, up to `good`, from which on the claim holds."""
    if good <= bad or not _holds_at(claim, corners, symbol, float(good)):
        return None
    while good - bad > 1:
        middle = (good + bad) // 2
        if _holds_at(claim, corners, symbol, float(middle)):
            good = middle
        else:
            bad = middle
    return float(good)


def _real(claim: Claim, change: Change, now: float) -> float | None:
    """Doubling (or halving) until it holds, then bisection to one part in a million."""
    factor, corners = 2.0 if change.rises else 0.5, _corners(claim.operands)
    good = (now or 1.0) * factor
    for _ in range(40):
        if _holds_at(claim, corners, change.symbol, good) or good > change.limit:
            break
        good *= factor
    if good > change.limit or not _holds_at(claim, corners, change.symbol, good):
        return None
    bad = now
    while abs(good - bad) > 1e-6 * max(abs(good), abs(bad)):
        middle = (good + bad) / 2
        if _holds_at(claim, corners, change.symbol, middle):
            good = middle
        else:
            bad = middle
    return good


def _shown(bounds: Bounds, dimension: Dimension | None) -> str:
    low, high = say_value(bounds[0], dimension), say_value(bounds[1], dimension)
    if low == high or dimension is None:
        return low if low == high else f"{low} to {high}"
    return say_between(bounds[0], bounds[1], dimension)
