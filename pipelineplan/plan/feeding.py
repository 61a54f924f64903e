"""Plans that feed each other: `sources[].plan: orders/plan.yaml#warehouse` names another plan's sink.

orders/plan.yaml  sinks: warehouse  --->  sources: warehouse-events  finance/plan.yaml

The other plan is read whole, inside the same root, and so is what feeds it; a circle is a problem.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from difflib import get_close_matches
from pathlib import Path as FilePath

from pipelineplan.documents import Path, Root
from pipelineplan.errors import InputError, Problem
from pipelineplan.plan.composing import Composed
from pipelineplan.plan.data_plan import DataPlan
from pipelineplan.plan.plan import Plan, Upstream

MOST_IN_A_ROW = 50


@dataclass
class Fed:
    """The plan behind every source that names one, and what was wrong with those names."""

    upstreams: dict[str, Upstream] = field(default_factory=dict)
    problems: list[Problem] = field(default_factory=list)


def feeding(
    model: DataPlan,
    composed: Composed,
    root: Root,
    read: Callable[[FilePath], Plan],
    downstream: tuple[FilePath, ...],
) -> Fed:
    """Read the plan behind every source of `model`; `downstream` are the plans on the way to it."""
    fed = Fed()
    for place, source in enumerate(model.sources):
        if source.plan is None:
            continue
        path: Path = ("sources", place, "plan")
        found = _upstream(source.plan, root, read, downstream)
        if isinstance(found, Upstream):
            fed.upstreams[source.id] = found
        else:
            fed.problems.append(composed.problem(path, *found))
    return fed


def _upstream(
    reference: str, root: Root, read: Callable[[FilePath], Plan], downstream: tuple[FilePath, ...]
) -> Upstream | tuple[str, str]:
    """The sink that `reference` names, or what is wrong with it and how to mend that."""
    name, _, sink = reference.partition("#")
    file = _file(name, root) if sink else (f"{reference!r} names no sink", "write plan.yaml#sink")
    if isinstance(file, tuple):
        return file
    if file in downstream or len(downstream) > MOST_IN_A_ROW:
        return f"{name!r} is fed by this plan itself: plans feed each other in a circle", "take one link out"
    try:
        plan = read(file)
    except InputError as error:
        return f"{name!r} cannot be read: {error.problems[0]}", "mend that plan first"
    sinks = [one.id for one in plan.model.sinks]
    if sink in sinks:
        return Upstream(plan, plan.sink(sink))
    close = get_close_matches(sink, sinks, n=1)
    return f"{name!r} has no sink {sink!r}", f"did you mean {close[0]}?" if close else f"it has {sinks}"


def _file(name: str, root: Root) -> FilePath | tuple[str, str]:
    try:
        file = root.resolve(name)
    except ValueError as error:
        return f"{name!r} is {error}", "name a plan below the root"
    return file if file.exists() else (f"there is no plan {name!r}", "mend the path, relative to this plan")
