"""Quality rules of two contracts: whether the threshold that is promised lies within the one counted on.

    counted on  nullValues < 1 %      promised  nullValues < 5 %      quality-weakened: 1 is let pass
    counted on  rowCount 100 to 200   promised  rowCount 120 to 150   kept

A threshold is a set of numbers, so that this is containment: the same as for the values of a field.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import replace
from typing import Any

from pipelineplan.contracts.contract import Comparison, ContractRule, Dataset
from pipelineplan.contracts.evolution.change import Change, Compatibility, Witness

_BOUNDS = {"<": "exclusiveMaximum", "<=": "maximum", ">": "exclusiveMinimum", ">=": "minimum"}


def quality_changes(wanted: Dataset, given: Dataset, missing: set[str]) -> Iterator[Change]:
    """Every rule of `wanted` that `given` does not promise; fields in `missing` are reported elsewhere."""
    promised: dict[str, list[ContractRule]] = {}
    for rule in given.rules:
        promised.setdefault(_identity(rule), []).append(rule)
    for rule in wanted.rules:
        if rule.field in missing or rule.kind in {"text", "custom"}:
            continue
        rivals = promised.get(_identity(rule), [])
        if not rivals:
            reason = f"{_shown(rule)} is counted on and not promised; no single record shows it"
            yield Change("quality-dropped", str(rule.place), reason)
        else:
            yield from _weaker(rule, rivals[0])


def _identity(rule: ContractRule) -> str:
    """What makes two rules the same rule, their thresholds apart."""
    parts = [rule.kind, rule.field, rule.metric, " ".join(rule.query.split())]
    return json.dumps([*parts, rule.arguments], sort_keys=True, default=str)


def _weaker(wanted: ContractRule, given: ContractRule) -> Iterator[Change]:
    if wanted.unit.lower() != given.unit.lower():
        reason = (
            f"{_shown(wanted)} is counted on in {wanted.unit or 'rows'}, promised in {given.unit or 'rows'}"
        )
        yield Change("quality-unit", str(wanted.place), reason, Compatibility.UNKNOWN)
        return
    from pipelineplan.contracts.json_schema import contain, read_schema

    new, old = (_threshold(rule.comparisons) for rule in (wanted, given))
    if new == old:
        return
    for change in contain(read_schema(new), read_schema(old))[:1]:
        value = change.witness.record if change.witness else None
        reason = f"{_shown(wanted)} is counted on, and {_shown(given)} is promised"
        shown = Witness({wanted.metric or "query": value}, "kept by the promise, and not counted on")
        witness = shown if change.witness else None
        yield replace(
            change, change="quality-weakened", path=str(wanted.place), reason=reason, witness=witness
        )


def _threshold(comparisons: tuple[Comparison, ...]) -> dict[str, Any]:
    """The measured values that meet all comparisons, as a JSON Schema."""
    numbers = comparisons and all(_is_number(value) for one in comparisons for value in one.values)
    of_kind = [{"type": "number"}] if numbers else []
    return {"allOf": [*of_kind, *map(_one, comparisons), {}]}


def _one(comparison: Comparison) -> dict[str, Any]:
    first = comparison.values[0]
    match comparison.operator:
        case "=":
            return {"const": first}
        case "!=":
            return {"not": {"const": first}}
        case "between":
            return {"minimum": first, "maximum": comparison.values[1]}
        case "not between":
            return {"not": {"minimum": first, "maximum": comparison.values[1]}}
    return {_BOUNDS[comparison.operator]: first}


def _is_number(value: Any) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool)


def _shown(rule: ContractRule) -> str:
    of = f" of {rule.field}" if rule.field else ""
    bounds = " and ".join(f"{one.operator} {' to '.join(map(str, one.values))}" for one in rule.comparisons)
    return f"{rule.metric or 'the query'}{of} {bounds} {rule.unit}".strip()
