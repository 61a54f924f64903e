"""Values of one column, made to meet what is wanted of it; the same seed gives the same values.

    Wish("amount", "number", low 0, high 5, multiple of 0.5)   0.0, 5.0, 3.5, 0.5 ...

The first two values of a range are its ends, where mistakes are made.
"""

from __future__ import annotations

import random
import re
from collections.abc import Callable, Iterator
from datetime import UTC, date, datetime, time, timedelta
from decimal import ROUND_CEILING, ROUND_FLOOR, Decimal
from typing import Any

from pipelineplan.quality.wishes import Wish

_TRIES = 2000
_WORDS = ("amber", "birch", "cedar", "dune", "ember", "fjord", "grove", "harbour", "iris", "jade")


class CannotMakeError(ValueError):
    """What is wanted of a column contradicts itself, or is too narrow for so many different values."""


def maker(wish: Wish, draw: random.Random, now: datetime) -> Callable[[], Any]:  # noqa: C901, PLR0911 - by type
    """A function that makes one value after the other."""
    if wish.shares:
        return _next(_by_share(wish))
    if wish.values:
        return _chosen(wish, draw)
    match wish.logical_type:
        case "integer":
            return _next(_numbers(wish, draw, Decimal(1), int))
        case "number":
            return _next(_numbers(wish, draw, _step(wish), float))
        case "boolean":
            return lambda: draw.random() < 0.5
        case "date":
            return _next(_days(wish, draw, now))
        case "timestamp":
            return _next(_instants(wish, draw, now))
        case "time":
            return _next(_clock(wish, draw))
        case "array":
            return lambda: [draw.choice(_WORDS) for _ in range(draw.randrange(3))]
        case "object":
            return lambda: {"value": draw.choice(_WORDS)}
        case _:
            return _text(wish, draw)


def instant(value: Any) -> datetime:
    """A bound as an instant in UTC; without a zone it is UTC. Raises `CannotMakeError` for others."""
    if isinstance(value, datetime):
        read = value
    elif isinstance(value, date):
        read = datetime.combine(value, time())
    else:
        try:
            read = datetime.fromisoformat(str(value))
        except ValueError:
            raise CannotMakeError(f"{value!r} is not a date or time in ISO 8601") from None
    return read.astimezone(UTC) if read.tzinfo else read.replace(tzinfo=UTC)


def ends(wish: Wish, now: datetime, span: timedelta, step: timedelta) -> tuple[datetime, datetime]:
    """The first and last instant that a column of time may hold: as bounded, else `span` before `now`."""
    lows = [instant(bound) + (step if excluded else timedelta(0)) for bound, excluded in wish.lows]
    highs = [instant(bound) - (step if excluded else timedelta(0)) for bound, excluded in wish.highs]
    last = min([*highs, now])
    if lows and max(lows) > last:  # everything that is wanted lies after now
        last = min([*highs, max(lows) + span])
    first = max([*lows, last - span])
    if first > last:
        raise CannotMakeError(f"nothing lies between {first.isoformat()} and {last.isoformat()}")
    return first, last


def _next(values: Iterator[Any]) -> Callable[[], Any]:
    return lambda: next(values)


def _by_share(wish: Wish) -> Iterator[Any]:
    """Always the value that is furthest behind its share, so that every stretch has the usual shares."""
    made = dict.fromkeys((value for value, _ in wish.shares), 0)
    while True:
        count = sum(made.values()) + 1
        value = max(wish.shares, key=lambda pair: pair[1] * count - made[pair[0]])[0]
        made[value] += 1
        yield value


def _chosen(wish: Wish, draw: random.Random) -> Callable[[], Any]:
    """A value that all lists have, and that meets the patterns."""
    common = [value for value in wish.values[0] if all(value in others for others in wish.values)]
    left = [value for value in common if value not in wish.missing and _fits(wish, value)]
    if not left:
        raise CannotMakeError("no value is in all of its lists and meets its patterns and bounds")
    return lambda: draw.choice(left)


def _fits(wish: Wish, value: Any) -> bool:
    if isinstance(value, str):
        return (
            wish.least_length <= len(value) <= (len(value) if wish.most_length is None else wish.most_length)
            and value not in wish.missing
            and all(re.search(pattern, value) for pattern in wish.patterns)
        )
    low = all(value > bound if excluded else value >= bound for bound, excluded in wish.lows)
    return low and all(value < bound if excluded else value <= bound for bound, excluded in wish.highs)


def _step(wish: Wish) -> Decimal:
    """Hundredths, or a thousandth of a narrow range."""
    if wish.multiple_of is not None:
        return wish.multiple_of
    if wish.lows and wish.highs:
        width = min(Decimal(str(b)) for b, _ in wish.highs) - max(Decimal(str(b)) for b, _ in wish.lows)
        return min(Decimal("0.01"), width / 1000) if width > 0 else Decimal("0.01")
    return Decimal("0.01")


def _numbers(wish: Wish, draw: random.Random, step: Decimal, kind: Callable[[Decimal], Any]) -> Iterator[Any]:
    step = wish.multiple_of or step
    lows = [_first(Decimal(str(bound)), step, excluded) for bound, excluded in wish.lows]
    highs = [-_first(-Decimal(str(bound)), step, excluded) for bound, excluded in wish.highs]
    low = max(lows) if lows else min([0, *(high - 1_000_000 for high in highs)])
    high = min(highs) if highs else low + 1_000_000
    if low > high:
        raise CannotMakeError(f"no multiple of {step} lies within its bounds")
    yield kind(low * step)
    yield kind(high * step)
    while True:
        yield kind(draw.randint(low, high) * step)


def _first(low: Decimal, step: Decimal, excluded: bool) -> int:  # noqa: FBT001 - a bound is what it is
    """The least n with n * step >= low, or > low."""
    if excluded:
        return int((low / step).to_integral_value(ROUND_FLOOR)) + 1
    return int((low / step).to_integral_value(ROUND_CEILING))


def _days(wish: Wish, draw: random.Random, now: datetime) -> Iterator[date]:
    first, last = ends(wish, now, timedelta(days=365), timedelta(days=1))
    # A day is its midnight: the first is the one at or after the bound.
    low = (first + timedelta(days=1) - timedelta(microseconds=1)).date()
    high = last.date()
    if low > high:
        raise CannotMakeError("no midnight lies within its bounds")
    yield high
    yield low
    while True:
        yield low + timedelta(days=draw.randint(0, (high - low).days))


def _instants(wish: Wish, draw: random.Random, now: datetime) -> Iterator[datetime]:
    first, last = ends(wish, now, timedelta(days=30), timedelta(microseconds=1000))
    yield last
    yield first
    width = (last - first) // timedelta(milliseconds=1)
    while True:
        yield first + timedelta(milliseconds=draw.randint(0, width))


def _clock(wish: Wish, draw: random.Random) -> Iterator[time]:
    def seconds(bound: Any) -> int:
        read = time.fromisoformat(str(bound))
        return read.hour * 3600 + read.minute * 60 + read.second

    low = max([seconds(bound) + excluded for bound, excluded in wish.lows], default=0)
    high = min([seconds(bound) - excluded for bound, excluded in wish.highs], default=86_399)
    if low > high:
        raise CannotMakeError("no second of the day lies within its bounds")
    while True:
        second = draw.randint(low, high)
        yield time(second // 3600, second // 60 % 60, second % 60)


def _text(wish: Wish, draw: random.Random) -> Callable[[], str]:
    import rstr

    made = rstr.Rstr(draw)

    def one() -> str:
        if not wish.patterns:
            text = f"{draw.choice(_WORDS)}-{draw.randrange(10**6):06d}".ljust(wish.least_length, "x")
            return text if wish.most_length is None else text[max(0, len(text) - wish.most_length) :]
        try:
            return str(made.xeger(max(wish.patterns, key=len)))
        except (re.error, ValueError, KeyError, NotImplementedError) as error:
            raise CannotMakeError(f"no text can be made from its pattern: {error}") from None

    def fitting() -> str:
        for _ in range(_TRIES):
            text = one()
            if _fits(wish, text):
                return text
        raise CannotMakeError("no text was found that meets its patterns and lengths")

    return fitting
