"""Whether a reader's schema accepts every value that a writer's schema accepts.

    writer {a: integer}   reader {a: integer, maximum 9}
      $.a  maximum 9   is there a value of the writer that breaches it?   {"a": 10}   incompatible

The reader's schema is taken apart into statements, and each is put against the whole of the writer's:
so that every change is found, with its place. Patience is bounded; what is left is UNKNOWN.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from pipelineplan.contracts.evolution.change import Change, Compatibility, Witness
from pipelineplan.contracts.json_schema.accepts import accepts
from pipelineplan.contracts.json_schema.document import Nodes, SchemaDocument
from pipelineplan.contracts.json_schema.formula import And, Formula, Leaf, Literal, Or, negation
from pipelineplan.contracts.json_schema.search import Answer, EffortSpentError, Found, Outcome, Search

STEPS_PER_STATEMENT = 4000
STEPS_IN_ALL = 40_000
MOST_CHANGES = 50
MOST_DEPTH = 8
MOST_STATEMENTS = 60_000


@dataclass(frozen=True)
class _Statement:
    """A part of the reader's schema: where it stands, and the formula of a value that breaches it."""

    path: str
    word: str
    breach: Formula


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
        return _Comparison(nodes, old, new).changes()
    except RecursionError:
        return [Change("not-decided", "$", "the schemas are nested too deep", Compatibility.UNKNOWN)]


class _Comparison:
    def __init__(self, nodes: Nodes, old: Formula, new: Formula) -> None:
        self.nodes, self.old, self.new = nodes, old, new
        self.left = STEPS_IN_ALL
        self.has_formats = False

    def changes(self) -> list[Change]:
        given = set(_given(self.old, self.nodes))
        found: dict[tuple[str, str], Change] = {}
        for count, statement in enumerate(self._statements(self.new, "$", 0, frozenset())):
            if len(found) >= MOST_CHANGES:
                break
            if count > MOST_STATEMENTS:
                found["$", "not-decided"] = _undecided(_Statement("$", "schema", self.new))
                break
            if negation(statement.breach) in given:
                continue
            change = self._judged(statement)
            if change is not None:
                found.setdefault((change.path, change.change), change)
        return list(found.values()) or self._nothing_written()

    def _nothing_written(self) -> list[Change]:
        """A writer's schema that accepts nothing is contained in every other one, and a mistake."""
        if self._ask(frozenset({self.old})) is not Outcome.NOTHING:
            return []
        policy = "nothing-accepted"
        return [Change(policy, "$", "the writer's schema accepts no value", Compatibility.POLICY, policy)]

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

    def _statements(
        self, formula: Formula, path: str, depth: int, seen: frozenset[Formula]
    ) -> Iterator[_Statement]:
        """`formula` as statements that all have to hold, properties and items taken apart."""
        match formula:
            case And(parts):
                for part in parts:
                    yield from self._statements(part, path, depth, seen)
            case Literal(True, node) if formula not in seen:
                yield from self._statements(self.nodes.formula(node), path, depth, seen | {formula})
            case Leaf(True, "prop" | "item" | "rest" as word, (place, Literal() as inner)) if (
                depth < MOST_DEPTH
            ):
                below = f"{path}.{place}" if word == "prop" else f"{path}[{place if word == 'item' else '*'}]"
                for one in self._statements(inner, below, depth + 1, seen):
                    breach = Leaf(False, word, (place, negation(one.breach)))  # noqa: FBT003
                    yield _Statement(one.path, one.word, breach)
            case Leaf(True, "declared", _):
                return
            case _:
                yield _Statement(path, _word(formula), negation(formula))


def _given(formula: Formula, nodes: Nodes) -> Iterator[Formula]:
    """Statements that the writer's schema makes at its top, to pass over what has not changed."""
    waiting: list[tuple[Formula, tuple[str, ...]]] = [(formula, ())]
    seen: set[tuple[Formula, tuple[str, ...]]] = set()
    while waiting:
        one, around = waiting.pop()
        match one:
            case And(parts):
                waiting += [(part, around) for part in parts]
            case Literal(True, node) if (one, around) not in seen:
                seen.add((one, around))
                waiting.append((nodes.formula(node), around))
            case Leaf(True, "prop", (name, inner)) if len(around) < MOST_DEPTH:
                yield _wrapped(one, around)
                waiting.append((inner, (*around, name)))
            case _:
                yield _wrapped(one, around)


def _wrapped(formula: Formula, around: tuple[str, ...]) -> Formula:
    for name in reversed(around):
        formula = Leaf(True, "prop", (name, formula))  # noqa: FBT003
    return formula


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
