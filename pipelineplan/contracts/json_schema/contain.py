"""Whether a reader's schema accepts every value that a writer's schema accepts.

    writer {a: integer}   reader {a: integer, maximum 9}
      $.a  maximum 9   is there a value of the writer that breaches it?   {"a": 10}   incompatible

The reader's schema is taken apart into statements, and each is put against the whole of the writer's:
so that every change is found, with its place. Patience is bounded; what is left is UNKNOWN.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import Any

from pipelineplan.contracts.evolution.change import Change, Compatibility, Witness
from pipelineplan.contracts.json_schema.accepts import accepts
from pipelineplan.contracts.json_schema.document import Nodes, SchemaDocument
from pipelineplan.contracts.json_schema.formula import And, Formula, Leaf, Literal, Or, negation
from pipelineplan.contracts.json_schema.loops import has_loop
from pipelineplan.contracts.json_schema.question import Answer, Found, Outcome
from pipelineplan.contracts.json_schema.search import EffortSpentError, Search

STEPS_PER_STATEMENT = 300_000
STEPS_IN_ALL = 1_500_000
MOST_CHANGES = 50
MOST_DEPTH = 8
MOST_STATEMENTS = 60_000


@dataclass(frozen=True)
class _Statement:
    """A part of the reader's schema: where it stands, and the formula of a value that breaches it.

    `nearby` asks the same of the one place alone: when that has no answer, the whole has none.
    """

    path: str
    word: str
    breach: Formula
    nearby: frozenset[Formula]
    local: Formula


def contain(reader: SchemaDocument, writer: SchemaDocument) -> list[Change]:
    """Every change that keeps `reader` from accepting all values of `writer`.

    An incompatible change has a witness that was checked. Raises `InputError` for keywords with
    values of the wrong type.
    """
    nodes = Nodes()
    old, new = nodes.literal(writer.data, writer), nodes.literal(reader.data, reader)
    if old == new:
        return []
    try:
        if has_loop(And((old, new)), nodes):
            reason = "a schema is defined by itself at the same value"
            return [Change("not-decided", "$", reason, Compatibility.UNKNOWN)]
        return _Comparison(nodes, old, new).changes()
    except RecursionError:
        return [Change("not-decided", "$", "the schemas are nested too deep", Compatibility.UNKNOWN)]


class _Comparison:
    def __init__(self, nodes: Nodes, old: Formula, new: Formula) -> None:
        self.nodes, self.old, self.new = nodes, old, new
        self.left = STEPS_IN_ALL
        self.places: dict[frozenset[Formula], dict[tuple[str, Any], frozenset[Formula]]] = {}
        self.sayings: dict[frozenset[Formula], set[Formula]] = {}

    def changes(self) -> list[Change]:
        found: dict[tuple[str, str], Change] = {}
        for count, statement in enumerate(self._statements(self.new, _Place("$", frozenset({self.old})))):
            if len(found) >= MOST_CHANGES:
                break
            if count > MOST_STATEMENTS:
                found["$", "not-decided"] = _undecided(statement)
                break
            if self._unchanged(statement):
                continue
            change = self._judged(statement)
            if change is not None:
                found.setdefault((change.path, change.change), change)
        return list(found.values())

    def _judged(self, statement: _Statement) -> Change | None:
        question = frozenset({self.old, statement.breach})
        answer = self._ask(question)
        if isinstance(answer, Found):
            return self._broken(statement, question, answer.value)
        if answer is Outcome.UNDECIDED:
            return _undecided(statement)
        if (
            _mentions_format(statement.breach, self.nodes)
            and self._ask(question, asserting=True) is not answer
        ):
            reason = "only a validator that enforces formats would refuse what was accepted before"
            policy = "format-assertion"
            return Change(policy, statement.path, reason, Compatibility.POLICY, policy)
        return None

    def _broken(self, statement: _Statement, question: frozenset[Formula], value: Any) -> Change:
        wrong = accepts(self.new, value, self.nodes) is not False
        if wrong or accepts(self.old, value, self.nodes) is not True:
            return _undecided(statement)
        witness = Witness(value, "accepted by the writer's schema, refused by the reader's")
        shown = json.dumps(value, ensure_ascii=False)[:120]
        if self._ask(question, closed=True) is Outcome.NOTHING:
            reason = f"a record with a property that the writer never declared, {shown}, is refused"
            policy = "undeclared-properties"
            return Change(policy, statement.path, reason, Compatibility.POLICY, policy, witness=witness)
        reason = f"the reader asks for more ({statement.word}): {shown} was accepted and is refused"
        return Change("narrowed", statement.path, reason, witness=witness)

    def _ask(self, question: frozenset[Formula], *, closed: bool = False, asserting: bool = False) -> Answer:
        """The answer within what is left of the effort."""
        allowed = min(STEPS_PER_STATEMENT, self.left)
        search = Search(self.nodes, allowed, closed=closed, asserting=asserting)
        try:
            return search.find(question)
        except EffortSpentError:
            return Outcome.UNDECIDED
        finally:
            self.left -= allowed - max(search.steps, 0)

    def _unchanged(self, statement: _Statement) -> bool:
        """Whether the place alone settles it, without a look at the whole."""
        if statement.local in self._said(statement.nearby - {negation(statement.local)}):
            return True
        formats = _mentions_format(statement.breach, self.nodes)
        return self._ask(statement.nearby, asserting=formats) is Outcome.NOTHING

    def _statements(self, formula: Formula, at: _Place) -> Iterator[_Statement]:
        """`formula` as statements that all have to hold, properties and items taken apart."""
        match formula:
            case And(parts):
                for part in parts:
                    yield from self._statements(part, at)
            case Literal(True, node) if formula not in at.seen:
                inside = replace(at, seen=at.seen | {formula})
                unfolded = self.nodes.formula(node)
                yield from self._statements(unfolded, inside)
            case Leaf(True, "prop" | "item" | "rest" as word, (place, Literal() as inner)) if (
                at.depth < MOST_DEPTH
            ):
                below = (
                    f"{at.path}.{place}"
                    if word == "prop"
                    else f"{at.path}[{place if word == 'item' else '*'}]"
                )
                known = self._below(at.known).get((word, place), frozenset())
                for one in self._statements(inner, _Place(below, known, at.depth + 1, at.seen)):
                    around = Leaf(False, word, (place, negation(one.breach)))  # noqa: FBT003
                    yield replace(one, breach=around)
            case Leaf(True, "declared", _):
                return
            case _:
                breach = negation(formula)
                yield _Statement(at.path, _word(formula), breach, at.known | {breach}, formula)

    def _said(self, known: frozenset[Formula]) -> set[Formula]:
        if known not in self.sayings:
            self.sayings[known] = _sayings(known, self.nodes)
        return self.sayings[known]

    def _below(self, known: frozenset[Formula]) -> dict[tuple[str, Any], frozenset[Formula]]:
        """What the writer's schema says of each property and item, where it says `known` of the whole."""
        if known not in self.places:
            places: dict[tuple[str, Any], frozenset[Formula]] = {}
            for one in self._said(known):
                match one:
                    case Leaf(True, "prop" | "item" | "rest" as word, (place, inner)):
                        places[word, place] = places.get((word, place), frozenset()) | {inner}
            self.places[known] = places
        return self.places[known]


@dataclass(frozen=True)
class _Place:
    """A place in the reader's schema, and what the writer's schema says of it."""

    path: str
    known: frozenset[Formula]
    depth: int = 0
    seen: frozenset[Formula] = frozenset()


def _sayings(known: frozenset[Formula], nodes: Nodes) -> set[Formula]:
    """Every statement that all of `known` make at the top, references followed."""
    waiting, found = list(known), set[Formula]()
    while waiting:
        one = waiting.pop()
        if one in found:
            continue
        found.add(one)
        match one:
            case And(parts):
                waiting += parts
            case Literal(True, node):
                waiting.append(nodes.formula(node))
    return found


def _word(formula: Formula) -> str:
    match formula:
        case Leaf(_, word, detail):
            simple = isinstance(detail, str | int) or hasattr(detail, "numerator")
            return f"{word} {str(detail)[:60]}" if simple else word
        case Or():
            return "one of several cases"
    return "a sub-schema"


def _undecided(statement: _Statement) -> Change:
    reason = f"could not decide whether the reader accepts all ({statement.word})"
    return Change("not-decided", statement.path, reason, Compatibility.UNKNOWN)


def _mentions_format(formula: Formula, nodes: Nodes) -> bool:
    """Whether a format is anywhere in `formula` or in what it refers to."""
    waiting: list[Any] = [formula]
    seen: set[int] = set()
    while waiting:
        match waiting.pop():
            case And(parts) | Or(parts):
                waiting += parts
            case Literal(_, node) if node not in seen:
                seen.add(node)
                waiting.append(nodes.formula(node))
            case Leaf(_, "format", _):
                return True
            case Leaf(_, _, detail):
                inner = detail if isinstance(detail, And | Or | Literal | Leaf) else ()
                waiting += (
                    [inner]
                    if inner
                    else [one for one in detail if _is_formula(one)]
                    if type(detail) is tuple
                    else []
                )
    return False


def _is_formula(one: Any) -> bool:
    return isinstance(one, And | Or | Literal | Leaf)
