"""A list: what stands at each place, how long it is, what it contains, what it has twice.

items [int, text], contains 7, minItems 2    ->  [7, ""]
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from pipelineplan.contracts.json_schema.formula import Formula, Leaf, negation
from pipelineplan.contracts.json_schema.question import Answer, Case, Found, Outcome, Question
from pipelineplan.contracts.json_schema.values import value_of

if TYPE_CHECKING:
    from pipelineplan.contracts.json_schema.search import Search

MOST_ITEMS = 300


def find(case: Case, search: Search) -> Answer:
    """A list that the statements of `case` allow."""
    made = _List(case, search)
    low, high = made.bounds()
    if high is not None and low > high:
        return Outcome.NOTHING
    if low > MOST_ITEMS:
        return Outcome.NOTHING if made.cannot_reach(low) else Outcome.UNDECIDED
    return made.find(low, high)


@dataclass
class _List:
    case: Case
    search: Search
    extra: dict[int, set[Formula]] = field(default_factory=dict)

    def bounds(self) -> tuple[int, int | None]:
        case = self.case
        lows = [leaf.detail if leaf.sign else 0 for leaf in case.about("minItems")]
        lows += [leaf.detail + 1 for leaf in case.about("maxItems") if not leaf.sign]
        lows += [leaf.detail[0] + 1 for leaf in case.about("item", "rest") if not leaf.sign]
        lows += [2 for leaf in case.about("unique") if not leaf.sign]
        lows += [1 for leaf in case.about("contains") if leaf.sign]
        highs = [leaf.detail for leaf in case.about("maxItems") if leaf.sign]
        highs += [leaf.detail - 1 for leaf in case.about("minItems") if not leaf.sign]
        return max(lows, default=0), min(highs, default=None)

    @property
    def prefix(self) -> int:
        """From this place on every place is like the next."""
        found = self.case.about("item", "rest")
        ends: list[int] = [leaf.detail[0] + (leaf.word == "item") for leaf in found]
        return max(ends, default=0)

    def base(self, at: int) -> Question:
        """What every item at the place `at` has to meet."""
        found: set[Formula] = set()
        for leaf in self.case.about("item", "rest"):
            start, inner = leaf.detail
            if leaf.sign and (start == at if leaf.word == "item" else start <= at):
                found.add(inner)
        found |= {negation(leaf.detail) for leaf in self.case.about("contains") if not leaf.sign}
        return frozenset(found)

    def cannot_reach(self, length: int) -> bool:
        places = range(min(length, self.prefix + 1))
        return any(self.search.find(self.base(at)) is Outcome.NOTHING for at in places)

    def find(self, low: int, high: int | None) -> Answer:
        if self.cannot_reach(low):
            return Outcome.NOTHING
        wanted = self._wanted()
        for leaf, inner in wanted:
            places = self._places(leaf, len(wanted), high)
            answers = [self.search.find(self.base(at) | {inner}) for at in places]
            if all(answer is Outcome.NOTHING for answer in answers):
                return Outcome.NOTHING
            chosen = next((at for at in places if self._takes(at, inner)), None)
            if chosen is None:
                return Outcome.UNDECIDED
            self.extra.setdefault(chosen, set()).add(inner)
        if any(leaf.word == "unique" and not leaf.sign for leaf in self.case.leaves):
            return self._twice(low, high)
        return self._filled(max([low, *(at + 1 for at in self.extra)]))

    def _wanted(self) -> list[tuple[Leaf, Formula]]:
        """What some item has to meet: contained things, and breaches of what every item had to meet."""
        found: list[tuple[Leaf, Formula]] = []
        for leaf in self.case.about("item", "rest", "contains"):
            if leaf.word == "contains" and leaf.sign:
                found.append((leaf, leaf.detail))
            elif leaf.word != "contains" and not leaf.sign:
                found.append((leaf, negation(leaf.detail[1])))
        return found

    def _places(self, leaf: Leaf, count: int, high: int | None) -> list[int]:
        if leaf.word == "item":
            return [leaf.detail[0]]
        start = leaf.detail[0] if leaf.word == "rest" else 0
        end = max(self.prefix, start) + count
        return list(range(start, end if high is None else min(end, high)))

    def _takes(self, at: int, inner: Formula) -> bool:
        """Whether the place `at` can meet `inner` too, and the list can be that long."""
        reached = all(isinstance(self.search.find(self._question(i)), Found) for i in range(at))
        return reached and isinstance(self.search.find(self._question(at) | {inner}), Found)

    def _question(self, at: int) -> Question:
        return self.base(at) | self.extra.get(at, set())

    def _filled(self, length: int) -> Answer:
        unique = any(leaf.word == "unique" and leaf.sign for leaf in self.case.leaves)
        excluded = {one.key for leaf in self.case.about("among") for one in leaf.detail}
        items: list[object] = []
        for at in range(length + 3):
            if at >= length and value_of(items).key not in excluded:
                return Found(items)
            question = self._question(at)
            if unique and items:
                question |= {Leaf(False, "among", frozenset(value_of(one) for one in items))}  # noqa: FBT003
            answer = self.search.find(question)
            if not isinstance(answer, Found):
                return Outcome.UNDECIDED
            items.append(answer.value)
        return Outcome.UNDECIDED

    def _twice(self, low: int, high: int | None) -> Answer:
        """A list in which two places hold the same."""
        end = self.prefix + 2 if high is None else min(self.prefix + 2, high)
        decided = not self.extra
        for second in range(1, end):
            for first in range(second):
                shared = self._question(first) | self._question(second)
                answer = self.search.find(shared)
                decided = decided and answer is Outcome.NOTHING
                if isinstance(answer, Found):
                    same = Leaf(True, "among", frozenset({value_of(answer.value)}))  # noqa: FBT003
                    for at in (first, second):
                        self.extra.setdefault(at, set()).add(same)
                    return self._filled(max([low, *(at + 1 for at in self.extra)]))
        return Outcome.NOTHING if decided else Outcome.UNDECIDED
