"""A number between bounds, a multiple of some and not of others.

minimum 1, below 2, multipleOf 0.5, not multipleOf 1    ->  1.5
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator
from fractions import Fraction

from pipelineplan.contracts.json_schema.question import Answer, Case, Found, Outcome
from pipelineplan.contracts.json_schema.values import key_of, plain

MOST_TRIED = 2000


def find(case: Case, *, whole: bool, spend: Callable[[], None]) -> Answer:
    """A whole number, or one with a fraction, that the statements of `case` allow."""
    low, high = _bound(case, "minimum", "above", low=True), _bound(case, "maximum", "below", low=False)
    step = _step(case, whole=whole)
    avoided = [leaf.detail for leaf in case.about("multipleOf") if not leaf.sign]
    if not whole:
        avoided.append(Fraction(1))
    if step is not None and any((step / one).denominator == 1 for one in avoided):
        return Outcome.NOTHING
    excluded = {one.key for leaf in case.about("among") for one in leaf.detail}
    complete, sayable = False, True
    for number, last in _candidates(low, high, step):
        spend()
        complete = last
        if any((number / one).denominator == 1 for one in avoided):
            continue
        value = plain(number)
        if value is not None and key_of(value) not in excluded:
            return Found(value)
        sayable = sayable and value is not None
    return Outcome.NOTHING if (complete and sayable) or _empty(low, high, step) else Outcome.UNDECIDED


Bound = tuple[Fraction, bool] | None


def _bound(case: Case, loose: str, strict: str, *, low: bool) -> Bound:
    """The tightest bound on one side, and whether it is itself left out."""
    other_loose, other_strict = ("maximum", "below") if low else ("minimum", "above")
    found = [(leaf.detail, leaf.word == strict) for leaf in case.about(loose, strict) if leaf.sign]
    # Not at most m is more than m, and not below m is at least m.
    turned = case.about(other_loose, other_strict)
    found += [(leaf.detail, leaf.word == other_loose) for leaf in turned if not leaf.sign]
    if not found:
        return None
    return max(found) if low else min(found, key=lambda bound: (bound[0], not bound[1]))


def _step(case: Case, *, whole: bool) -> Fraction | None:
    """The number whose multiples are allowed; None when every number is."""
    steps = [leaf.detail for leaf in case.about("multipleOf") if leaf.sign]
    steps += [Fraction(1)] if whole else []
    found: Fraction | None = None
    for step in steps:
        found = step if found is None else _least_common_multiple(found, step)
    return found


def _least_common_multiple(one: Fraction, other: Fraction) -> Fraction:
    denominator = math.lcm(one.denominator, other.denominator)
    return Fraction(math.lcm(int(one * denominator), int(other * denominator)), denominator)


def _empty(low: Bound, high: Bound, step: Fraction | None) -> bool:
    if low is None or high is None:
        return False
    if low[0] > high[0] or (low[0] == high[0] and (low[1] or high[1])):
        return True
    return step is not None and _first(low, step) > _last(high, step)


def _first(low: tuple[Fraction, bool], step: Fraction) -> int:
    at = math.ceil(low[0] / step)
    return at + 1 if low[1] and at * step == low[0] else at


def _last(high: tuple[Fraction, bool], step: Fraction) -> int:
    at = math.floor(high[0] / step)
    return at - 1 if high[1] and at * step == high[0] else at


def _candidates(low: Bound, high: Bound, step: Fraction | None) -> Iterator[tuple[Fraction, bool]]:
    """Numbers to try, and with each whether no other one is left after it."""
    if _empty(low, high, step):
        return
    if step is None and low is not None and high is not None and low[0] == high[0]:
        yield (low[0], True)
        return
    if step is None:
        yield from ((number, False) for number in _dense(low, high))
        return
    first = _first(low, step) if low is not None else None
    last = _last(high, step) if high is not None else None
    if first is not None and last is not None:
        start, count = first, min(last - first + 1, MOST_TRIED)
        yield from ((step * (start + i), first + i == last) for i in range(count))
    elif last is not None:
        yield from ((step * (min(last, 0) - i), False) for i in range(MOST_TRIED))
    else:
        start = max(first, 0) if first is not None else 0
        yield from ((step * (start + i), False) for i in range(MOST_TRIED))


def _dense(low: Bound, high: Bound) -> Iterator[Fraction]:
    """Points between two bounds, the bounds themselves first; infinitely many are between them."""
    if low is not None and not low[1]:
        yield low[0]
    if high is not None and not high[1]:
        yield high[0]
    if low is not None and high is not None:
        start, width = low[0], high[0] - low[0]
    elif high is not None:
        start, width = high[0] - 1, Fraction(1)
    else:
        start, width = (low[0] if low is not None else Fraction(0)), Fraction(1)
    for parts in range(1, 12):
        share = 2**parts
        yield from (start + width * Fraction(odd, share) for odd in range(1, min(share, 20), 2))
