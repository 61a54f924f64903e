"""Paths of presence: what a plan must state, and the places where it does not.

$.context.problem                       the value is stated
$.sources[*].owner                      the list is not empty, and every entry states it
$.stages[windowed].late.to              every entry that is windowed states it
$.slos[+].freshness                     at least one entry states it
$.quality[+ check=domain|range]         at least one entry has one of these values
$.operations.telemetry.signals[+ lag]   the list has the value
$.sources[*].rate.peak|burst            either is enough
$.context.goals or $.context.problem    either path is enough
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from functools import cache
from typing import Any, Literal, Protocol, cast, get_args

from pipelineplan.documents import Path, dotted
from pipelineplan.plan import Plan
from pipelineplan.plan.design import Interface
from pipelineplan.plan.section import Section
from pipelineplan.plan.sink import Sink
from pipelineplan.plan.source import Source
from pipelineplan.plan.stage import Stage

Kind = Literal["*", "log", "cdc", "mutable", "windowed", "stateful", "transactional", "upsert", "api"]
Condition = Literal[
    "streaming", "batch", "scheduled", "windowed", "stateful", "cutover", "designed", "design_spec"
]

_STEP = re.compile(
    r"\.(?P<names>[a-z_|]+)|\[\+(?: (?:(?P<field>[a-z_]+)=)?(?P<values>[a-z_|]+))?\]|\[(?P<kind>[a-z*]+)\]"
)
_LOGS = {"kafka", "kinesis", "pulsar", "pubsub"}


@dataclass(frozen=True)
class Gap:
    """Something that is not stated: where it belongs, and in words."""

    path: Path
    what: str


class Step(Protocol):
    """A step of a path with all that come after it."""

    def gaps(self, plan: Plan, value: Any, at: Path) -> tuple[Gap, ...]:
        """What is not stated of `value`, which stands at the path `at`."""
        ...


@dataclass(frozen=True)
class End:
    """The end of a path: the value is stated."""

    def gaps(self, _plan: Plan, value: Any, at: Path) -> tuple[Gap, ...]:
        """The place itself, where nothing is written."""
        return () if _stated(value) else (Gap(at, f"{dotted(at)} is not stated"),)


@dataclass(frozen=True)
class Field:
    """A key; several names are alternatives."""

    names: tuple[str, ...]
    then: Step

    def gaps(self, plan: Plan, value: Any, at: Path) -> tuple[Gap, ...]:
        """Those of the first alternative, where none states all."""
        found: tuple[Gap, ...] = ()
        for name in reversed(self.names):
            # Contract policies stand directly under `contracts` in the file.
            found = self.then.gaps(plan, _get(value, name), at if name == "policies" else (*at, name))
            if not found:
                return ()
        if len(self.names) > 1 and isinstance(self.then, End):
            return (Gap((*at, self.names[0]), f"{dotted(at)} states none of {', '.join(self.names)}"),)
        return found


@dataclass(frozen=True)
class Every:
    """All entries of a kind; `*` is every entry, and there must be one."""

    kind: Kind
    then: Step

    def gaps(self, plan: Plan, value: Any, at: Path) -> tuple[Gap, ...]:
        """Those of each entry."""
        entries = _entries(plan, value, at)
        if self.kind == "*" and not entries:
            return (Gap(at, f"{dotted(at)} has no entry"),)
        of_kind, then = _KINDS[self.kind], self.then
        return tuple([gap for path, one in entries if of_kind(one) for gap in then.gaps(plan, one, path)])


@dataclass(frozen=True)
class Some:
    """At least one entry: whose `field` has one of `values`, or that is one of them."""

    field: str | None
    values: tuple[str, ...]
    then: Step

    def gaps(self, plan: Plan, value: Any, at: Path) -> tuple[Gap, ...]:
        """One for the list, where no entry is as wanted."""
        for path, entry in _entries(plan, value, at):
            if self._wants(entry) and not self.then.gaps(plan, entry, path):
                return ()
        words = " or ".join(self.values)
        if self.field is not None:
            return (Gap(at, f"{dotted(at)} has no entry with {self.field}: {words}"),)
        if self.values:
            return (Gap(at, f"{dotted(at)} does not have {words}"),)
        return (Gap(at, f"no entry of {dotted(at)} states {'.'.join(_names(self.then))}"),)

    def _wants(self, entry: Any) -> bool:
        if not self.values:
            return True
        found = entry if self.field is None else _get(entry, self.field)
        return any(one in self.values for one in (found if isinstance(found, tuple) else (found,)))


def _names(step: Step) -> Iterator[str]:
    """The first name of every key from `step` on."""
    while not isinstance(step, End):
        if isinstance(step, Field):
            yield step.names[0]
        step = cast("Field | Every | Some", step).then


def gaps(plan: Plan, wanted: str) -> tuple[Gap, ...]:
    """The places at which `plan` does not state what the path `wanted` asks for.

    Raises `ValueError` for a text that is no path of presence.
    """
    found: tuple[Gap, ...] = ()
    for first in reversed(_alternatives(wanted)):
        found = first.gaps(plan, plan.model, ())
        if not found:
            return ()
    return found


def applies(plan: Plan, condition: Condition | None) -> bool:
    """Whether the plan is of the kind that `condition` names; always without one."""
    return condition is None or _CONDITIONS[condition](plan)


@cache
def _alternatives(wanted: str) -> tuple[Step, ...]:
    return tuple(_first(path) for path in wanted.split(" or "))


def _first(path: str) -> Step:
    """The first step of `path`, which knows the others."""
    matches: list[re.Match[str]] = []
    place = 1
    while place < len(path):
        match = _STEP.match(path, place)
        if match is None or not path.startswith("$"):
            raise ValueError(f"found {path!r}, wanted a path such as $.sources[*].owner")
        matches.append(match)
        place = match.end()
    step: Step = End()
    for match in reversed(matches):
        step = _step(match, path, step)
    return step


def _step(match: re.Match[str], path: str, then: Step) -> Step:
    if match["names"]:
        return Field(tuple(match["names"].split("|")), then)
    if match["kind"] is None:
        return Some(match["field"], tuple(match["values"].split("|")) if match["values"] else (), then)
    if match["kind"] not in get_args(Kind):
        raise ValueError(f"found {match['kind']!r} in {path!r}, wanted one of {', '.join(get_args(Kind))}")
    return Every(cast("Kind", match["kind"]), then)


def _entries(plan: Plan, value: Any, at: Path) -> list[tuple[Path, Any]]:
    if isinstance(value, dict):
        return [(plan.path(entry) or (*at, key), entry) for key, entry in value.items()]
    return [((*at, index), entry) for index, entry in enumerate(value or ())]


def _get(value: Any, name: str) -> Any:
    """The value of a key that the plan itself writes; None for defaults and for what is not there."""
    if not isinstance(value, Section):
        return None
    attribute = _attributes(type(value)).get(name, name)
    # Of every criterion of every plan, so without the property `model_fields_set` around the set.
    return getattr(value, attribute) if attribute in value.__pydantic_fields_set__ else None


@cache
def _attributes(section: type[Section]) -> Mapping[str, str]:
    """The attributes whose key in the file has another name, such as `from`."""
    return {info.alias: name for name, info in section.model_fields.items() if info.alias}


def _stated(value: Any) -> bool:
    if isinstance(value, Section):
        return any(_stated(getattr(value, name)) for name in value.model_fields_set)
    return value is not None and value not in ("", (), {})


def _is_log(entry: Any) -> bool:
    return isinstance(entry, Source) and entry.system in _LOGS


def _is_captured(entry: Any) -> bool:
    if not isinstance(entry, Source):
        return False
    return entry.cdc is not None or (entry.mutation is not None and entry.mutation.kind == "cdc")


def _is_mutable(entry: Any) -> bool:
    return isinstance(entry, Source) and entry.mutation is not None and entry.mutation.kind != "append"


def _is_windowed(entry: Any) -> bool:
    return isinstance(entry, Stage) and entry.window is not None


def _is_stateful(entry: Any) -> bool:
    if not isinstance(entry, Stage):
        return False
    joins = entry.join is not None and entry.join.kind != "lookup"
    return joins or entry.state is not None or entry.window is not None


def _is_transactional(entry: Any) -> bool:
    return isinstance(entry, Sink) and entry.guarantee is not None and entry.guarantee.kind == "transactional"


def _is_upsert(entry: Any) -> bool:
    return isinstance(entry, Sink) and entry.mode == "upsert"


def is_streaming(plan: Plan) -> bool:
    """Whether records are processed as they come: by the stated mode, else by a log among the sources."""
    ingestion = plan.model.ingestion
    if ingestion is not None and ingestion.mode is not None:
        return ingestion.mode != "batch"
    return any(_is_log(source) for source in plan.model.sources)


def is_scheduled(plan: Plan) -> bool:
    """Whether runs start by the clock."""
    return plan.model.ingestion is not None and plan.model.ingestion.schedule is not None


_KINDS: Mapping[Kind, Callable[[Any], bool]] = {
    "*": lambda _: True,
    "log": _is_log,
    "cdc": _is_captured,
    "mutable": _is_mutable,
    "windowed": _is_windowed,
    "stateful": _is_stateful,
    "transactional": _is_transactional,
    "upsert": _is_upsert,
    "api": lambda entry: isinstance(entry, Interface) and entry.kind == "api",
}
_CONDITIONS: Mapping[Condition, Callable[[Plan], bool]] = {
    "streaming": is_streaming,
    "batch": lambda plan: not is_streaming(plan),
    "scheduled": is_scheduled,
    "windowed": lambda plan: any(_is_windowed(stage) for stage in plan.model.stages),
    "stateful": lambda plan: any(_is_stateful(stage) for stage in plan.model.stages),
    "cutover": lambda plan: plan.model.cutover is not None,
    "designed": lambda plan: plan.model.design is not None,
    "design_spec": lambda plan: plan.model.metadata.workflow != "data-plan",
}
