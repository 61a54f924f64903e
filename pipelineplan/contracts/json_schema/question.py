"""What is asked of a search for a value, and what it answers.

Question   formulas that a value has to meet, all of them
Case       one way to meet them: the kinds of value left, and every statement that has to hold
Answer     Found(a value), NOTHING, or UNDECIDED
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum
from typing import Any, TypeAlias

from pipelineplan.contracts.json_schema.formula import Formula, Leaf


class Outcome(Enum):
    """What a search ends with when it finds no value."""

    NOTHING = "nothing"
    UNDECIDED = "undecided"


@dataclass(frozen=True)
class Found:
    """A value that was found."""

    value: Any


Answer: TypeAlias = Found | Outcome
Question: TypeAlias = frozenset[Formula]


@dataclass(frozen=True)
class Case:
    """One way to meet a question: the kinds that are left, and every statement that has to hold."""

    kinds: frozenset[str]
    leaves: frozenset[Leaf]

    def about(self, *words: str) -> list[Leaf]:
        """The statements with one of `words`, in a fixed order."""
        return sorted((leaf for leaf in self.leaves if leaf.word in words), key=_order)


def _order(leaf: Leaf) -> tuple[bool, str, str]:
    detail = leaf.detail
    if leaf.word == "among":
        detail = sorted(repr(one.raw) for one in leaf.detail)
    return (not leaf.sign, leaf.word, repr(detail))
