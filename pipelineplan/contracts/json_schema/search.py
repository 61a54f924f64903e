"""A value that meets a formula, or the knowledge that none does, or that the effort ran out.

    and( accepted by the old schema, not accepted by the new one )
      NOTHING       the new schema accepts all that the old one does
      a value       a record that the change breaks
      UNDECIDED     too many cases, or a keyword that is not decided here

The formula is unfolded case by case (a tableau). A sub-question that asks itself again has no answer by
that way: values are finite, so the smallest value never needs it.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

from pipelineplan.contracts.json_schema import find_array, find_number, find_object, find_string
from pipelineplan.contracts.json_schema.accepts import accepts
from pipelineplan.contracts.json_schema.document import Nodes
from pipelineplan.contracts.json_schema.formula import (
    KIND_OF_WORD,
    And,
    Formula,
    Leaf,
    Literal,
    Or,
    negation,
)
from pipelineplan.contracts.json_schema.question import Answer, Case, Found, Outcome, Question
from pipelineplan.contracts.json_schema.values import Value, kind_of

KINDS = ("integer", "fraction", "string", "boolean", "null", "object", "array")
MOST_NESTED = 40


class EffortSpentError(Exception):
    """The bound of the effort was met."""


@dataclass
class Search:
    """Answers questions about `nodes` with at most `steps` cases.

    `closed` assumes that writers write declared properties alone; `asserting` takes formats as opaque
    statements instead of annotations.
    """

    nodes: Nodes
    steps: int
    closed: bool = False
    asserting: bool = False
    known: dict[Question, Answer] = field(default_factory=dict)
    active: set[Question] = field(default_factory=set)
    cycles: int = 0

    def find(self, question: Question) -> Answer:
        """A value that meets every formula of `question`."""
        if question in self.known:
            return self.known[question]
        if question in self.active:
            self.cycles += 1
            return Outcome.NOTHING
        if len(self.active) >= MOST_NESTED:
            return Outcome.UNDECIDED
        self.active.add(question)
        before = self.cycles
        try:
            answer = self._find(question)
        finally:
            self.active.remove(question)
        # "Nothing" that rests on a question under way holds only inside that one.
        if answer is not Outcome.NOTHING or self.cycles == before or not self.active:
            self.known[question] = answer
        return answer

    def _find(self, question: Question) -> Answer:
        decided = True
        for case in self._cases(list(question), frozenset(), frozenset(KINDS), frozenset()):
            answer = self._solve(case, question)
            if isinstance(answer, Found):
                return answer
            decided = decided and answer is Outcome.NOTHING
        return Outcome.NOTHING if decided else Outcome.UNDECIDED

    def spend(self, steps: int = 1) -> None:
        """So many steps of effort; raises when there are none left."""
        self.steps -= steps
        if self.steps < 0:
            raise EffortSpentError

    def _cases(  # noqa: C901  (one arm per form of a formula)
        self, todo: list[Formula], leaves: frozenset[Leaf], kinds: frozenset[str], seen: frozenset[Literal]
    ) -> Iterator[Case]:
        self.spend(1 + len(leaves) + len(seen))
        held, met, choices = set(leaves), set(seen), []
        while todo:
            self.spend()
            formula = todo.pop()
            match formula:
                case And(parts):
                    todo.extend(parts)
                case Or(parts):
                    choices.append(parts)
                case Literal():
                    if negation(formula) in met:
                        return
                    if formula not in met:
                        met.add(formula)
                        inner = self.nodes.formula(formula.node)
                        todo.append(inner if formula.sign else negation(inner))
                case Leaf():
                    kinds = self._narrowed(kinds, formula)
                    if not kinds or negation(formula) in held:
                        return
                    held.add(formula)
        if not choices:
            yield Case(kinds, frozenset(held))
            return
        choices.sort(key=len)
        rest: list[Formula] = [Or(parts) for parts in choices[1:]]
        for part in choices[0]:
            yield from self._cases([*rest, part], frozenset(held), kinds, frozenset(met))

    def _narrowed(self, kinds: frozenset[str], leaf: Leaf) -> frozenset[str]:
        """The kinds of value for which `leaf` may hold."""
        if leaf.word == "type":
            named: frozenset[str] = leaf.detail
            return kinds & named if leaf.sign else kinds - named
        if leaf.word == "among" and leaf.sign:
            return kinds & {kind_of(one.raw) for one in leaf.detail}
        if leaf.word == "declared" and not leaf.sign:
            return frozenset()
        if leaf.word == "format" and not leaf.sign and not self.asserting:
            return frozenset()
        return kinds if leaf.sign else kinds & KIND_OF_WORD.get(leaf.word, kinds)

    def _solve(self, case: Case, question: Question) -> Answer:
        """A value of the case, checked against the whole question."""
        self.spend(1 + 10 * len(case.leaves))  # each of them is looked at about ten times
        members = [leaf for leaf in case.about("among") if leaf.sign]
        if members:
            return self._member(members[0].detail, case)
        opaque = any(
            leaf.word == "opaque" or (leaf.word == "format" and not leaf.sign) for leaf in case.leaves
        )
        decided = True
        for kind in KINDS:
            answer = self._of_kind(kind, case) if kind in case.kinds else Outcome.NOTHING
            if isinstance(answer, Found):
                met = accepts(And(tuple(question)), answer.value, self.nodes)
                answer = Outcome.UNDECIDED if opaque or not met else answer
            if isinstance(answer, Found):
                return answer
            decided = decided and answer is Outcome.NOTHING
        return Outcome.NOTHING if decided else Outcome.UNDECIDED

    def _member(self, members: frozenset[Value], case: Case) -> Answer:
        """The first of finitely many values that meets the case."""
        decided = True
        unsure = any(leaf.word == "format" and not leaf.sign for leaf in case.leaves)
        for one in sorted(members, key=lambda member: repr(member.raw)):
            self.spend()
            kind_fits = kind_of(one.raw) in case.kinds
            met = kind_fits and accepts(And(tuple(case.leaves)), one.raw, self.nodes)
            if met and not unsure:
                return Found(one.raw)
            decided = decided and met is False
        return Outcome.NOTHING if decided else Outcome.UNDECIDED

    def _of_kind(self, kind: str, case: Case) -> Answer:
        match kind:
            case "null" | "boolean":
                return self._plain([None] if kind == "null" else [True, False], case)
            case "integer" | "fraction":
                return find_number.find(case, whole=kind == "integer", spend=self.spend)
            case "string":
                return find_string.find(case)
            case "array":
                return find_array.find(case, self)
        return find_object.find(case, self)

    def _plain(self, values: list[Any], case: Case) -> Answer:
        excluded = case.about("among")
        for value in values:
            if all(accepts(leaf, value, self.nodes) for leaf in excluded):
                return Found(value)
        return Outcome.NOTHING
