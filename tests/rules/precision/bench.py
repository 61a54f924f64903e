"""The bench of judges: each says of a plan's tree whether one promise breaks, and how it finds out.

@judge("CAP102", "every partition handed out one by one")
def headroom(tree: Tree) -> Answer: ...        True breaks, False holds, None cannot be seen here
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass

from precision.written import Tree

Answer = bool | None


@dataclass(frozen=True)
class Judge:
    """Who judges a rule's promise, and how, in words."""

    code: str
    how: str
    ask: Callable[[Tree], Answer]


JUDGES: dict[str, Judge] = {}


def judge(code: str, how: str) -> Callable[[Callable[[Tree], Answer]], Callable[[Tree], Answer]]:
    def add(ask: Callable[[Tree], Answer]) -> Callable[[Tree], Answer]:
        assert code not in JUDGES
        JUDGES[code] = Judge(code, how, ask)
        return ask

    return add


def any_of(answers: Iterable[Answer]) -> Answer:
    """Breaks if any breaks; holds if all that there are hold, and there is one."""
    found = list(answers)
    if any(found):
        return True
    return None if not found or None in found else False
