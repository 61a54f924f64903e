"""The same plan with one value changed, to ask what it would take: `stages.count.parallelism = 13`."""

from __future__ import annotations

import copy
from dataclasses import replace
from typing import Any

from pipelineplan.documents import Path
from pipelineplan.errors import InputError, Position, Problem
from pipelineplan.plan.graph import build_graph
from pipelineplan.plan.plan import Plan, paths_of
from pipelineplan.plan.reading import model_of


def path_named(plan: Plan, name: str) -> Path:
    """The place in the document that a dotted name says, with ids for entries of lists.

    Raises `InputError` when there is no such place, with what there is instead.
    """
    path: Path = ()
    value: Any = plan.composed.data
    for part in name.removeprefix("$.").split("."):
        choices = _choices(value)
        if part not in choices:
            known = ", ".join(choices) or "nothing"
            raise InputError(
                [Problem(f"{name!r}: there is no {part!r}", Position(plan.file), fix=f"there is {known}")]
            )
        path = (*path, choices[part])
        value = value[choices[part]]
    return path


def _choices(value: Any) -> dict[str, str | int]:
    if isinstance(value, dict):
        return {key: key for key in value}
    if isinstance(value, list):
        return {
            str(entry["id"]) if isinstance(entry, dict) and "id" in entry else str(index): index
            for index, entry in enumerate(value)
        }
    return {}


def with_value(plan: Plan, path: Path, value: object) -> Plan:
    """`plan` with `value` at `path`, which exists; raises `InputError` where that is no plan."""
    data = copy.deepcopy(plan.composed.data)
    place = data
    for part in path[:-1]:
        place = place[part]
    place[path[-1]] = value
    composed = replace(plan.composed, data=data)
    model, problems = model_of(composed)
    if model is None:
        raise InputError(problems)
    graph, wrong = build_graph(model)
    if wrong:
        raise InputError([composed.problem(where, message) for where, message in wrong])
    return replace(plan, model=model, composed=composed, graph=graph, _paths=paths_of(model))
