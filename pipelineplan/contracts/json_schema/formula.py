"""A JSON Schema as a formula over simple statements about one value.

    {"type": "object", "properties": {"a": S}, "not": T}
      and( type(object),  prop(a, S),  not T )

Statements are true of every value of another kind than theirs, as the keywords are: `minimum` says
nothing of a text. A sub-schema stands as a literal that is unfolded when it is needed, so that `$ref`
may go round in circles.

Source: JSON Schema, drafts 4, 6, 7 and 2020-12: Core and Validation.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any, NamedTuple, TypeAlias


class Literal(NamedTuple):
    """The sub-schema number `node` holds, or with a false `sign` does not."""

    sign: bool
    node: int


class Leaf(NamedTuple):
    """One statement: `word` says which, `detail` with which value. False `sign`: it does not hold."""

    sign: bool
    word: str
    detail: Any


class And(NamedTuple):
    """All of `parts` hold."""

    parts: tuple[Any, ...]
    word: str = "and"


class Or(NamedTuple):
    """One of `parts` holds, or several."""

    parts: tuple[Any, ...]
    word: str = "or"


Formula: TypeAlias = Literal | Leaf | And | Or

TRUE = And(())
FALSE = Or(())

# The kind of value that a statement is about; it holds for every other kind.
KIND_OF_WORD: dict[str, frozenset[str]] = {
    **dict.fromkeys(
        ("minimum", "maximum", "above", "below", "multipleOf"), frozenset({"integer", "fraction"})
    ),
    **dict.fromkeys(("minLength", "maxLength", "pattern", "format"), frozenset({"string"})),
    **dict.fromkeys(("item", "rest", "contains", "minItems", "maxItems", "unique"), frozenset({"array"})),
    **dict.fromkeys(
        ("prop", "patterned", "extra", "required", "absent", "names", "minProperties", "maxProperties"),
        frozenset({"object"}),
    ),
    "declared": frozenset({"object"}),
}


def negation(formula: Formula) -> Formula:
    """True exactly when `formula` is false."""
    match formula:
        case Literal(sign, node):
            return Literal(not sign, node)
        case Leaf(sign, word, detail):
            return Leaf(not sign, word, detail)
        case And(parts):
            return Or(tuple(negation(part) for part in parts))
    return And(tuple(negation(part) for part in formula.parts))


def exactly_one(parts: Iterable[Formula]) -> Formula:
    """One of `parts` holds and no other one."""
    listed = tuple(parts)
    none_twice = tuple(
        Or((negation(one), negation(other))) for i, one in enumerate(listed) for other in listed[:i]
    )
    return And((Or(listed), *none_twice))
