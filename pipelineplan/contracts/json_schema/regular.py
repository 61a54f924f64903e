r"""Patterns as regular languages: matched in linear time, intersected and emptied with a bound.

    ^[a-c]+$   minus   ^[a-z]+$     empty: everything the first matches, the second matches
    ^a.*       minus   ^ab          "a": a word of the first that the second does not match

A pattern of JSON Schema searches, so that `a` is `.*a.*`. Derivatives of expressions are the states
of the automaton, so nothing backtracks. What is not regular (look-around, back-references) is `None`.

Source: J. Brzozowski, "Derivatives of Regular Expressions", Journal of the ACM 11, 1964.
"""

from __future__ import annotations

import re
import warnings
from collections.abc import Iterable, Sequence
from functools import lru_cache
from importlib import import_module
from typing import Any

# An expression is a tuple: ("empty",) no word, ("eps",) the empty word, ("set", ranges), ("cat", a, b),
# ("alt", parts), ("and", parts), ("not", a), ("rep", a, low, high or -1).
Expression = tuple[Any, ...]
Ranges = tuple[tuple[int, int], ...]

LAST = 0x10FFFF
EMPTY: Expression = ("empty",)
EPSILON: Expression = ("eps",)
ANY: Expression = ("set", ((0, LAST),))
EVERYTHING: Expression = ("rep", ANY, 0, -1)
LONGEST_PATTERN = 500
MOST_REPEATS = 1000

_DIGIT: Ranges = ((48, 57),)
_WORD: Ranges = ((48, 57), (65, 90), (95, 95), (97, 122))
_SPACE: Ranges = ((9, 13), (32, 32), (160, 160), (0x2028, 0x2029), (0xFEFF, 0xFEFF))
_NEWLINES: Ranges = ((10, 10), (13, 13), (0x2028, 0x2029))


def cat(first: Expression, second: Expression) -> Expression:
    """One word after the other."""
    if EMPTY in (first, second):
        return EMPTY
    if first == EPSILON:
        return second
    if second == EPSILON:
        return first
    if first[0] == "cat":
        return ("cat", first[1], cat(first[2], second))
    return ("cat", first, second)


def alt(parts: Iterable[Expression]) -> Expression:
    """A word of any of them."""
    flat: set[Expression] = set()
    for part in parts:
        flat |= set(part[1]) if part[0] == "alt" else {part}
    flat.discard(EMPTY)
    if EVERYTHING in flat:
        return EVERYTHING
    if len(flat) < 2:
        return flat.pop() if flat else EMPTY
    return ("alt", frozenset(flat))


def both(parts: Iterable[Expression]) -> Expression:
    """A word of all of them."""
    flat: set[Expression] = set()
    for part in parts:
        flat |= set(part[1]) if part[0] == "and" else {part}
    flat.discard(EVERYTHING)
    if EMPTY in flat:
        return EMPTY
    if len(flat) < 2:
        return flat.pop() if flat else EVERYTHING
    return ("and", frozenset(flat))


def negated(one: Expression) -> Expression:
    """A word that is not of `one`."""
    if one[0] == "not":
        return one[1]  # type: ignore[no-any-return]
    if one == EMPTY:
        return EVERYTHING
    return EMPTY if one == EVERYTHING else ("not", one)


def repeated(one: Expression, low: int, high: int) -> Expression:
    """`one` from `low` to `high` times; -1 for no end."""
    if high == 0 or one == EPSILON:
        return EPSILON
    if one == EMPTY:
        return EPSILON if low == 0 else EMPTY
    if one[0] == "rep" and one[2:] == (0, -1) and high in {-1, 1}:
        return one
    return one if (low, high) == (1, 1) else ("rep", one, low, high)


def length_between(low: int, high: int) -> Expression:
    """Any text of `low` to `high` characters; -1 for no end."""
    return repeated(ANY, low, high)


def literal(text: str) -> Expression:
    """Exactly `text`."""
    made = EPSILON
    for character in reversed(text):
        made = cat(("set", ((ord(character), ord(character)),)), made)
    return made


def nullable(one: Expression) -> bool:  # noqa: PLR0911  (one return per form)
    """Whether the empty word is of `one`."""
    match one:
        case ("eps",):
            return True
        case ("empty",) | ("set", _):
            return False
        case ("cat", first, second):
            return nullable(first) and nullable(second)
        case ("alt", parts):
            return any(nullable(part) for part in parts)
        case ("and", parts):
            return all(nullable(part) for part in parts)
        case ("not", inner):
            return not nullable(inner)
    return one[2] == 0 or nullable(one[1])


@lru_cache(maxsize=100_000)
def derivative(one: Expression, character: int) -> Expression:  # noqa: PLR0911  (one return per form)
    """What has to follow once `character` has been read."""
    match one:
        case ("eps",) | ("empty",):
            return EMPTY
        case ("set", ranges):
            return EPSILON if any(low <= character <= high for low, high in ranges) else EMPTY
        case ("cat", first, second):
            after = cat(derivative(first, character), second)
            return alt((after, derivative(second, character))) if nullable(first) else after
        case ("alt", parts):
            return alt(derivative(part, character) for part in parts)
        case ("and", parts):
            return both(derivative(part, character) for part in parts)
        case ("not", inner):
            return negated(derivative(inner, character))
    return _derivative_of_repeat(one, character)


def _derivative_of_repeat(one: Expression, character: int) -> Expression:
    _, inner, low, high = one
    if nullable(inner):
        low = 0
    rest = repeated(inner, max(low - 1, 0), high if high < 0 else high - 1)
    return cat(derivative(inner, character), rest)


def _edges(one: Expression, found: set[int]) -> None:
    """Where classes of characters begin or end: between two edges every character behaves the same."""
    match one:
        case ("set", ranges):
            for low, high in ranges:
                found |= {low, high + 1}
        case ("cat", first, second):
            _edges(first, found)
            _edges(second, found)
        case ("alt" | "and", parts):
            for part in parts:
                _edges(part, found)
        case ("not", inner) | ("rep", inner, _, _):
            _edges(inner, found)


# Letters and digits are shown before signs, and signs before what a terminal cannot show.
_SHOWN_FIRST = [ord(c) for c in "a0Ax1- _."]


def _representatives(one: Expression) -> list[int]:
    edges: set[int] = {0}
    _edges(one, edges)
    starts = sorted(edge for edge in edges if edge <= LAST)
    chosen = []
    for start, after in zip(starts, [*starts[1:], LAST + 1], strict=True):
        nice = next((c for c in (*_SHOWN_FIRST, *range(33, 127)) if start <= c < after), start)
        chosen.append(nice)
    # A lone surrogate is no text; the class around it has another character nearly always.
    allowed = [c for c in chosen if not 0xD800 <= c <= 0xDFFF]
    return sorted(allowed, key=lambda c: (c not in _SHOWN_FIRST, not 32 < c < 127, c))


def word_of(one: Expression, most_states: int = 3000) -> str | bool | None:
    """A shortest word of `one`; False when it has none, None when the bound was met."""
    seen = {one}
    waiting: list[tuple[Expression, str]] = [(one, "")]
    while waiting:
        following: list[tuple[Expression, str]] = []
        for state, word in waiting:
            if nullable(state):
                return word
            for character in _representatives(state):
                after = derivative(state, character)
                if after == EMPTY or after in seen:
                    continue
                if len(seen) >= most_states:
                    return None
                seen.add(after)
                following.append((after, word + chr(character)))
        waiting = following
    return False


def matches(one: Expression, text: str) -> bool:
    """Whether `text` is a word of `one`; linear in the text, for expressions of bounded size."""
    state = one
    for character in text:
        state = derivative(state, ord(character))
        if state == EMPTY:
            return False
    return nullable(state)


@lru_cache(maxsize=2000)
def searching(pattern: str) -> Expression | None:
    """The texts in which `pattern` is found somewhere; None when it is not regular or too large."""
    if len(pattern) > LONGEST_PATTERN:
        return None
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("error")
            parsed = _python_parser().parse(_checked(pattern), re.ASCII)
        return _anchored(list(parsed))
    except (_NotRegularError, re.error, OverflowError, RecursionError, Warning):
        return None


@lru_cache(maxsize=2000)
def finds_everything(pattern: str) -> bool:
    """Whether `pattern` is found in every text, as `[a-z]*` is: its author may have meant `^[a-z]*$`."""
    expression = searching(pattern)
    return expression is not None and word_of(negated(expression), 100) is False


def _python_parser() -> Any:
    """Python's own parser of patterns: it has had this home since 3.11, and no public name."""
    return import_module("re._parser")


class _NotRegularError(Exception):
    """A part of a pattern that this module does not read as ECMA-262 means it."""


_ESCAPES = re.compile(r"\\(.)", re.DOTALL)


def _checked(pattern: str) -> str:
    r"""The pattern, when Python's parser reads it as ECMA-262 does: no \A, \Z, (?i), (?P<>, \p, \u."""
    for escape in _ESCAPES.finditer(pattern):
        if escape[1].isalnum() and escape[1] not in "dDwWsStnrfvxbB":
            raise _NotRegularError
    if "(?" in pattern.replace("(?:", ""):
        raise _NotRegularError
    return pattern


def _anchored(items: Sequence[Any]) -> Expression:
    """The whole pattern: where it is not anchored, anything may stand around it."""
    if len(items) == 1 and str(items[0][0]) == "BRANCH":
        return alt(_anchored(list(branch)) for branch in items[0][1][1])
    items = list(items)
    begins = bool(items) and _is_at(items[0], "AT_BEGINNING")
    items = items[1:] if begins else items
    ends = bool(items) and _is_at(items[-1], "AT_END")
    items = items[:-1] if ends else items
    inner = _sequence(items)
    inner = inner if begins else cat(EVERYTHING, inner)
    return inner if ends else cat(inner, EVERYTHING)


def _is_at(item: Any, what: str) -> bool:
    return str(item[0]) == "AT" and str(item[1]) == what


def _sequence(items: Sequence[Any]) -> Expression:
    made = EPSILON
    for item in reversed(items):
        made = cat(_one(item), made)
    return made


def _one(item: Any) -> Expression:  # noqa: PLR0911  (one return per form)
    kind, value = str(item[0]), item[1]
    match kind:
        case "LITERAL":
            return ("set", ((value, value),))
        case "NOT_LITERAL":
            return ("set", _complement(((value, value),)))
        case "ANY":
            return ("set", _complement(_NEWLINES))
        case "IN":
            return ("set", _class(value))
        case "BRANCH":
            return alt(_sequence(list(branch)) for branch in value[1])
        case "SUBPATTERN":
            return _sequence(list(value[-1]))
        case "MAX_REPEAT" | "MIN_REPEAT":
            return _repeat(*value)
    raise _NotRegularError


def _repeat(low: Any, high: Any, inner: Any) -> Expression:
    unbounded = str(high) == "MAXREPEAT"
    if max(int(low), 0 if unbounded else int(high)) > MOST_REPEATS:
        raise _NotRegularError
    return repeated(_sequence(list(inner)), int(low), -1 if unbounded else int(high))


def _class(items: Any) -> Ranges:
    found: list[tuple[int, int]] = []
    outside = False
    for kind, value in items:
        match str(kind):
            case "NEGATE":
                outside = True
            case "LITERAL":
                found.append((value, value))
            case "RANGE":
                found.append((value[0], value[1]))
            case "CATEGORY":
                found += _category(str(value))
            case _:
                raise _NotRegularError
    ranges = tuple(sorted(found))
    return _complement(ranges) if outside else ranges


def _category(name: str) -> Ranges:
    ranges = {"DIGIT": _DIGIT, "WORD": _WORD, "SPACE": _SPACE}[name.rpartition("_")[2]]
    return _complement(ranges) if "_NOT_" in name else ranges


def _complement(ranges: Ranges) -> Ranges:
    made, start = [], 0
    for low, high in sorted(ranges):
        if low > start:
            made.append((start, low - 1))
        start = max(start, high + 1)
    if start <= LAST:
        made.append((start, LAST))
    return tuple(made)
