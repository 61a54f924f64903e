"""A text of a length, with patterns found in it and others not.

minLength 2, pattern ^a, not pattern b    ->  "aa"
"""

from __future__ import annotations

from pipelineplan.contracts.json_schema.question import Answer, Case, Found, Outcome
from pipelineplan.contracts.json_schema.regular import (
    EVERYTHING,
    Expression,
    both,
    length_between,
    literal,
    negated,
    searching,
    word_of,
)

LONGEST_TEXT = 2000


def find(case: Case) -> Answer:
    """A text that the statements of `case` allow."""
    low = max(
        [
            0,
            *_numbers(case, "minLength", sign=True),
            *(n + 1 for n in _numbers(case, "maxLength", sign=False)),
        ]
    )
    highs = [
        *_numbers(case, "maxLength", sign=True),
        *(n - 1 for n in _numbers(case, "minLength", sign=False)),
    ]
    high = min(highs, default=-1)
    if highs and high < low:
        return Outcome.NOTHING
    if low > LONGEST_TEXT:
        return Outcome.UNDECIDED
    expression, whole = _language(case)
    if expression == EVERYTHING and low == 0 and high < 0:
        return Found("")
    bounded = both((expression, length_between(low, high if high <= LONGEST_TEXT else -1)))
    word = word_of(bounded)
    if isinstance(word, str) and whole and (high < 0 or len(word) <= high):
        return Found(word)
    return Outcome.NOTHING if word is False else Outcome.UNDECIDED


def _numbers(case: Case, word: str, *, sign: bool) -> list[int]:
    return [leaf.detail for leaf in case.about(word) if leaf.sign is sign]


def _language(case: Case) -> tuple[Expression, bool]:
    """The texts that patterns allow, and whether every pattern could be taken into account."""
    parts: list[Expression] = [EVERYTHING]
    whole = True
    for leaf in case.about("pattern"):
        expression = searching(leaf.detail)
        if expression is None:
            whole = False
        else:
            parts.append(expression if leaf.sign else negated(expression))
    for leaf in case.about("among"):
        texts = [one.raw for one in leaf.detail if isinstance(one.raw, str)]
        parts += [negated(literal(text)) for text in texts]
    return both(parts), whole
