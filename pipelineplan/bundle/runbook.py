"""What every step of a runbook is made from: the plan, the simulation, and the plan's own steps.

A step that the plan writes itself (`$.cutover.steps`) sharpens the usual step that its id speaks
of: `move-reads` sharpens the reads, `anchor-slot` the anchoring. What speaks of none is added.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, replace
from functools import cached_property
from typing import TYPE_CHECKING, Any

from pipelineplan.bundle.checklist import Deadlines, Said, Step
from pipelineplan.bundle.saying import not_stated, place, stated
from pipelineplan.gates import GateDecision
from pipelineplan.plan import Plan
from pipelineplan.plan import change as plan_change
from pipelineplan.plan.sink import Sink
from pipelineplan.plan.source import Source
from pipelineplan.plan.stage import Stage

if TYPE_CHECKING:
    from pipelineplan.simulation.result import SimulationResult

_WORDS: Mapping[str, tuple[str, ...]] = {
    "freeze": ("freeze", "inventory"),
    "schema": ("schema",),
    "anchor": ("anchor", "slot", "offset"),
    "capacity": ("capacity", "throttle", "scale"),
    "shadow": ("shadow",),
    "backfill": ("backfill", "replay"),
    "catch-up": ("catch", "drain"),
    "parity": ("parity", "reconcile", "compare"),
    "rehearse-rollback": ("rehearse", "rehearsal", "rollback"),
    "go-no-go": ("go-no-go", "decide", "decision"),
    "reads": ("reads", "read"),
    "switch-writes": ("write", "writes", "fence", "switch"),
    "soak": ("soak", "stabilise", "stabilize"),
    "retire": ("retire", "decommission", "remove"),
}


@dataclass(frozen=True)
class Runbook:
    """The material of a runbook, and the answers that many steps share."""

    plan: Plan
    simulated: SimulationResult | None
    gates: tuple[GateDecision, ...]
    dates: Deadlines

    @cached_property
    def source(self) -> Source:
        """The source that the commands name: the one with the highest declared rate, else the first."""
        return max(self.plan.model.sources, key=_loudness)

    @cached_property
    def sink(self) -> Sink:
        """The sink that is switched over: the first with a promise, else the first."""
        promised = {slo.subject for slo in self.plan.model.slos}
        sinks = self.plan.model.sinks
        return next((sink for sink in sinks if sink.id in promised), sinks[0])

    @cached_property
    def job(self) -> Stage | None:
        """The last stage before the sink."""
        names = [n for n in self.plan.graph.above(self.sink.id) if self.plan.graph.kinds[n] == "stage"]
        return self.plan.stage(names[-1]) if names else None

    @property
    def group(self) -> str:
        """The consumer group, or what to fill in."""
        reader = self.source.consumer
        return reader.group if reader is not None and reader.group else "<CONSUMER_GROUP>"

    @property
    def owner(self) -> Said:
        """The plan's owner, who answers for a step that names nobody."""
        return stated(self.plan, self.plan.model.metadata, "owner", "$.metadata.owner")

    @property
    def backup(self) -> Said:
        """The decider's backup is the only backup that a plan names for the whole day."""
        cutover = self.plan.model.cutover
        return stated(
            self.plan,
            cutover.decider if cutover else None,
            "backup",
            "$.cutover.decider.backup",
        )

    @property
    def in_window(self) -> Said:
        """By the end of the window."""
        cutover = self.plan.model.cutover
        window = cutover.window if cutover is not None else None
        return stated(
            self.plan,
            window,
            "length",
            "$.cutover.window",
            "by the end of the window of {}",
        )

    @property
    def before_window(self) -> Said:
        """By the start of the window."""
        cutover = self.plan.model.cutover
        window = cutover.window if cutover is not None else None
        return stated(
            self.plan,
            window,
            "start",
            "$.cutover.window",
            "done before the window opens at {}",
        )

    def alert(self, signal: str) -> Said:
        """The threshold of the alert on `signal`."""
        operations = self.plan.model.operations
        alerts = operations.alerts if operations is not None else ()
        for alert in alerts:
            if alert.signal == signal and alert.above is not None:
                return stated(
                    self.plan,
                    alert,
                    "above",
                    "$",
                    f"{signal.replace('_', ' ')} at most {{}}",
                )
        return not_stated(f"$.operations.alerts[] with signal {signal} and a threshold")

    def freshness(self) -> Said:
        """The freshness that is promised at the sink."""
        for slo in self.plan.model.slos:
            if slo.subject == self.sink.id and slo.freshness is not None:
                name, _, target = slo.freshness.targets()[0]
                path = self.plan.path(slo.freshness, name)
                return Said(f"freshness {name} at most {target.text}", place(self.plan, path))
        return not_stated(f"$.slos[] with a freshness for {self.sink.id}")

    def own_steps(self) -> tuple[plan_change.Step, ...]:
        """The steps that the plan writes itself."""
        cutover = self.plan.model.cutover
        return cutover.steps if cutover is not None else ()

    def sharpened(self, step: Step) -> Step:
        """The usual step with what the plan's own step of that kind says."""
        for own in self.own_steps():
            if kind_of(own.id) == kind_of(step.id):
                return _with(self.plan, step, own)
        return step

    def added(self, own: plan_change.Step) -> Step:
        """A step of the plan that is none of the usual ones."""
        path = place(self.plan, self.plan.path(own))
        blank = not_stated(f"{path.split(' ')[0]}.")
        fields: dict[str, Any] = {
            name: replace(blank, text=f"{blank.text}{name}") for name in ("measure", "threshold", "timeout")
        }
        way_back = replace(blank, text=f"{blank.text}rollback")
        step = Step(
            own.id,
            own.id.replace("-", " "),
            own.does,
            self.owner,
            self.backup,
            "",
            "",
            rollback=way_back,
            **fields,
        )
        return _with(self.plan, step, own)


def kind_of(step: str) -> str:
    """The usual step that an id speaks of, by its words; empty for none."""
    words = re.split(r"[^a-z]+", step.lower())
    for kind, known in _WORDS.items():
        if step == kind or any(word in known for word in words):
            return kind
    return ""


def _with(plan: Plan, step: Step, own: plan_change.Step) -> Step:
    said: dict[str, Any] = {
        name: stated(plan, own, name, "$")
        for name in ("owner", "backup", "measure", "threshold", "timeout", "rollback")
        if getattr(own, name) is not None
    }
    valid_for = own.valid_for.text if own.valid_for is not None else step.valid_for
    return replace(
        step,
        does=own.does,
        command=own.command or step.command,
        expect=own.expect or step.expect,
        valid_for=valid_for,
        **said,
    )


def _loudness(source: Source) -> float:
    if source.rate is None:
        return 0.0
    stated_rate = source.rate.peak or source.rate.average
    return stated_rate.value if stated_rate is not None else 0.0
