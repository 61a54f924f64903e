"""JSON values as JSON compares them: 1 and 1.0 are the same, true and 1 are not.

[1, {"a": true}]  ->  a key that is equal exactly when the values are
"""

from __future__ import annotations

from dataclasses import dataclass, field
from fractions import Fraction
from typing import Any

Key = tuple[Any, ...]


def key_of(value: Any) -> Key:
    """A hashable key of a JSON value, equal for equal values."""
    match value:
        case None | bool() | str():
            return (type(value).__name__, value)
        case int() | float():
            return ("number", exact(value))
        case list():
            return ("array", tuple(key_of(one) for one in value))
    return ("object", frozenset((name, key_of(one)) for name, one in value.items()))


def exact(number: float) -> Fraction:
    """The number as it is written: 0.1 is a tenth."""
    return Fraction(number) if isinstance(number, int) else Fraction(repr(number))


def plain(number: Fraction) -> int | float | None:
    """`number` as JSON writes it; None where no float is exactly that."""
    if number.denominator == 1:
        return int(number)
    try:
        near = float(number)
    except OverflowError:
        return None
    return near if exact(near) == number else None


def kind_of(value: Any) -> str:
    """The kind of a value; numbers with a fraction are a kind of their own."""
    match value:
        case None:
            return "null"
        case bool():
            return "boolean"
        case int() | float():
            return "integer" if exact(value).denominator == 1 else "fraction"
        case str():
            return "string"
        case list():
            return "array"
    return "object"


@dataclass(frozen=True)
class Value:
    """A JSON value that can be a member of a set."""

    key: Key
    raw: Any = field(compare=False)


def value_of(raw: Any) -> Value:
    """`raw` wrapped, so that equal values are equal."""
    return Value(key_of(raw), raw)
