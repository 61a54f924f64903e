"""Schemas that are defined by themselves at the same value, and so say nothing that can be decided.

    {"$ref": "#"}           a value is accepted when it is accepted
    {"not": {"$ref": "#"}}  a value is accepted when it is not

A reference that goes round by way of a property or an item is no such loop: the value gets smaller.
"""

from __future__ import annotations

from typing import Any

from pipelineplan.contracts.json_schema.document import Nodes
from pipelineplan.contracts.json_schema.formula import And, Formula, Leaf, Literal, Or


def has_loop(start: Formula, nodes: Nodes) -> bool:
    """Whether a schema that `start` reaches is defined by itself at the same value."""
    beside: dict[int, set[int]] = {}
    waiting: list[Any] = [start]
    while waiting:
        one = waiting.pop()
        literals, below = _parts(one)
        waiting += below
        for node in literals - set(beside):
            formula = nodes.formula(node)
            beside[node] = _parts(formula)[0]
            waiting.append(formula)
    return not _ordered(beside)


def _parts(formula: Formula) -> tuple[set[int], list[Formula]]:
    """The sub-schemas that `formula` applies to the same value, and the formulas for values inside."""
    literals: set[int] = set()
    below: list[Formula] = []
    waiting: list[Formula] = [formula]
    while waiting:
        match waiting.pop():
            case And(parts) | Or(parts):
                waiting += parts
            case Literal(_, node):
                literals.add(node)
            case Leaf(_, _, detail):
                inside = (detail,) if isinstance(detail, And | Or | Literal | Leaf) else detail
                listed = inside if isinstance(inside, tuple) else ()
                below += [one for one in listed if isinstance(one, And | Or | Literal | Leaf)]
    return literals, below


def _ordered(beside: dict[int, set[int]]) -> bool:
    """Whether the schemas can be put in an order in which each uses later ones alone."""
    users: dict[int, list[int]] = {node: [] for node in beside}
    for node, used in beside.items():
        for one in used:
            users[one].append(node)
    left = {node: len(used) for node, used in beside.items()}
    ready = [node for node, count in left.items() if count == 0]
    done = 0
    while ready:
        node = ready.pop()
        done += 1
        for user in users[node]:
            left[user] -= 1
            if left[user] == 0:
                ready.append(user)
    return done == len(beside)
