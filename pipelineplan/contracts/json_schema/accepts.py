"""Whether a value meets a formula: yes, no, or not decided.

and(type(object), required(a))   {"a": 1}  True      {}  False      opaque($dynamicRef)  None
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from pipelineplan.contracts.json_schema.document import Nodes
from pipelineplan.contracts.json_schema.formula import KIND_OF_WORD, And, Formula, Leaf, Literal
from pipelineplan.contracts.json_schema.regular import matches, searching
from pipelineplan.contracts.json_schema.values import exact, key_of, kind_of, value_of

MOST_DEPTH = 300


def accepts(formula: Formula, value: Any, nodes: Nodes, depth: int = 0) -> bool | None:
    """Whether `value` meets `formula`; formats are let pass, as annotations."""
    if depth > MOST_DEPTH:
        return None
    match formula:
        case Literal(sign, node):
            return _signed(sign, accepts(nodes.formula(node), value, nodes, depth + 1))
        case Leaf(sign, word, detail):
            if word in KIND_OF_WORD and kind_of(value) not in KIND_OF_WORD[word]:
                return sign
            return _signed(sign, _holds(word, detail, value, nodes, depth))
        case And(parts):
            return every(accepts(part, value, nodes, depth + 1) for part in parts)
    answers = (_signed(False, accepts(part, value, nodes, depth + 1)) for part in formula.parts)  # noqa: FBT003
    return _signed(False, every(answers))  # noqa: FBT003  (one holds unless every one fails)


def _signed(sign: bool, answer: bool | None) -> bool | None:  # noqa: FBT001
    return answer if answer is None or sign else not answer


def every(answers: Iterable[bool | None]) -> bool | None:
    """True when all are, False when one is, None otherwise."""
    known = True
    for answer in answers:
        if answer is False:
            return False
        known = known and answer is not None
    return True if known else None


def _holds(word: str, detail: Any, value: Any, nodes: Nodes, depth: int) -> bool | None:  # noqa: PLR0911
    match word:
        case "type":
            return kind_of(value) in detail
        case "among":
            return value_of(value) in detail
        case "format" | "declared":
            return True
        case "opaque":
            return None
        case "minimum" | "maximum" | "above" | "below" | "multipleOf":
            return _number(word, detail, value)
        case "pattern":
            return found_in(detail, value)
        case "minLength" | "minItems" | "minProperties":
            return bool(len(value) >= detail)
        case "maxLength" | "maxItems" | "maxProperties":
            return bool(len(value) <= detail)
        case "item" | "rest" | "contains" | "unique":
            return _array(word, detail, value, nodes, depth)
    return _object(word, detail, value, nodes, depth)


def _number(word: str, detail: Any, value: Any) -> bool:
    number = exact(value)
    match word:
        case "minimum":
            return bool(number >= detail)
        case "maximum":
            return bool(number <= detail)
        case "above":
            return bool(number > detail)
        case "below":
            return bool(number < detail)
    return bool((number / detail).denominator == 1)


def found_in(pattern: str, text: str) -> bool | None:
    """Whether `pattern` is found in `text`; None when the pattern is not regular."""
    expression = searching(pattern)
    return None if expression is None or len(text) > 100_000 else matches(expression, text)


def _array(word: str, detail: Any, value: list[Any], nodes: Nodes, depth: int) -> bool | None:
    match word:
        case "unique":
            return len({key_of(one) for one in value}) == len(value)
        case "item":
            at, inner = detail
            return accepts(inner, value[at], nodes, depth + 1) if at < len(value) else True
        case "rest":
            start, inner = detail
            return every(accepts(inner, one, nodes, depth + 1) for one in value[start:])
    nowhere = every(_signed(False, accepts(detail, one, nodes, depth + 1)) for one in value)  # noqa: FBT003
    return _signed(False, nowhere)  # noqa: FBT003


def _object(word: str, detail: Any, value: dict[str, Any], nodes: Nodes, depth: int) -> bool | None:
    match word:
        case "required":
            return detail in value
        case "absent":
            return detail not in value
        case "names":
            return every(accepts(detail, name, nodes, depth + 1) for name in value)
        case "prop":
            name, inner = detail
            return accepts(inner, value[name], nodes, depth + 1) if name in value else True
        case "patterned":
            pattern, inner = detail
            return every(
                _if(found_in(pattern, name), inner, one, nodes, depth) for name, one in value.items()
            )
    names, patterns, inner = detail
    return every(
        _if(undeclared(name, names, patterns), inner, one, nodes, depth) for name, one in value.items()
    )


def _if(applies: bool | None, inner: Formula, value: Any, nodes: Nodes, depth: int) -> bool | None:  # noqa: FBT001
    if applies is False:
        return True
    answer = accepts(inner, value, nodes, depth + 1)
    return answer if applies or answer else None


def undeclared(name: str, names: frozenset[str], patterns: frozenset[str]) -> bool | None:
    """Whether `name` is neither one of `names` nor found by one of `patterns`."""
    if name in names:
        return False
    return every(_signed(False, found_in(pattern, name)) for pattern in sorted(patterns))  # noqa: FBT003
