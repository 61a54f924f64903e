"""The thirteen sections of a data plan as facts, each with its place, and what is not stated said openly.

4 Event semantics   watermark of orders   lag 30 s, scope per_partition   $.sources[0].semantics.watermark
                    lateness of clicks    not stated: $.sources[1].semantics.lateness
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING

from pipelineplan.bundle.checklist import Said
from pipelineplan.bundle.saying import not_stated, place, say_value
from pipelineplan.bundle.schema_section import evolution_facts
from pipelineplan.bundle.sized_facts import budget_facts, size_facts
from pipelineplan.documents import dotted
from pipelineplan.gates import stage_of
from pipelineplan.plan import Plan
from pipelineplan.plan.load import average_rate, peak_rate
from pipelineplan.plan.recovery import state_bytes
from pipelineplan.plan.section import Section
from pipelineplan.quantities import Dimension, say
from pipelineplan.verdicts import Finding, Verdict

if TYPE_CHECKING:
    from pipelineplan.simulation.result import SimulationResult
QUALITY = "Data quality and reconciliation"


@dataclass(frozen=True)
class Fact:
    """One thing that a section holds; `said.is_open` when the plan does not state it."""

    label: str
    said: Said


@dataclass(frozen=True)
class ReportSection:
    """One of the thirteen sections: its facts, and the findings of the gate that it feeds."""

    number: int
    title: str
    gate: str
    facts: tuple[Fact, ...]
    findings: tuple[Finding, ...]

    @property
    def wanting(self) -> tuple[Finding, ...]:
        """The findings that do not hold."""
        return tuple(finding for finding in self.findings if finding.verdict is not Verdict.HOLDS)

    @property
    def holding(self) -> str:
        """How many verdicts of which rules hold, in one line; empty for none."""
        counts: dict[str, int] = {}
        for finding in self.findings:
            if finding.verdict is Verdict.HOLDS:
                counts[finding.code] = counts.get(finding.code, 0) + 1
        return ", ".join(f"{code} × {count}" if count > 1 else code for code, count in counts.items())


Holds = Callable[[Plan], Iterable[Fact]]


def sections(
    plan: Plan, findings: Iterable[Finding], simulated: SimulationResult | None = None
) -> tuple[ReportSection, ...]:
    """All thirteen, in order; a finding stands in the section of its stage gate."""
    by_gate: dict[str, list[Finding]] = {}
    for finding in findings:
        by_gate.setdefault(stage_of(finding.code), []).append(finding)
    made: list[ReportSection] = []
    told: set[str] = set()
    for number, (title, gate, holds) in enumerate(_SECTIONS, start=1):
        mine = tuple(by_gate.get(gate, ())) if gate not in told else ()
        told.add(gate)
        facts = list(holds(plan))
        if holds is _evolution:
            facts += [Fact(label, said) for label, said in evolution_facts(plan, mine, simulated)]
        made.append(ReportSection(number, title, gate, tuple(facts), mine))
    return tuple(made)


def _facts(plan: Plan, section: Section | None, base: str, about: str, names: str) -> Iterator[Fact]:
    """A fact for each of the comma-separated fields of `section`, which would stand at `base`."""
    for name in names.split(","):
        label = f"{name.replace('_', ' ')}{f' of {about}' if about else ''}"
        value = getattr(section, name, None) if section is not None else None
        if section is None or value is None or value in ((), {}):
            yield Fact(label, not_stated(f"{base}.{name}"))
        else:
            alias = type(section).model_fields[name].alias or name
            yield Fact(label, Said(say_value(value), place(plan, plan.path(section, alias))))


def _problem(plan: Plan) -> Iterator[Fact]:
    context = plan.model.context
    yield from _facts(
        plan,
        context,
        "$.context",
        "",
        "problem,goals,consumers,in_scope,out_of_scope,latency_class",
    )


def _assumptions(plan: Plan) -> Iterator[Fact]:
    context = plan.model.context
    yield from _facts(plan, context, "$.context", "", "assumptions,open_questions")
    constraints = context.constraints if context is not None else None
    yield from _facts(
        plan,
        constraints,
        "$.context.constraints",
        "",
        "budget,team,timeline,compliance,dependencies",
    )


def _contracts(plan: Plan) -> Iterator[Fact]:
    yield Fact("flow", Said(_flow(plan), "$.stages[].inputs, $.sinks[].inputs"))
    for source in plan.model.sources:
        base = dotted(plan.path(source))
        yield from _facts(
            plan,
            source,
            base,
            source.id,
            "system,owner,version_owner,contract,mutation",
        )
    for sink in plan.model.sinks:
        yield from _facts(
            plan,
            sink,
            dotted(plan.path(sink)),
            sink.id,
            "system,owner,contract,consumers",
        )
    reliability = plan.model.reliability
    yield from _facts(plan, reliability, "$.reliability", "", "dependencies")


def _flow(plan: Plan) -> str:
    return "; ".join(f"{edge.upstream} -{edge.exchange}-> {edge.downstream}" for edge in plan.graph.edges)


def _semantics(plan: Plan) -> Iterator[Fact]:
    for source in plan.model.sources:
        base = f"{dotted(plan.path(source))}.semantics"
        names = "event_time,clock,ordering,duplicates,lateness,disorder,normal_gap,watermark"
        yield from _facts(plan, source.semantics, base, source.id, names)
    for stage in plan.model.stages:
        if stage.window is not None:
            yield from _facts(plan, stage, dotted(plan.path(stage)), stage.id, "window,late")
    yield from (Fact(*promise) for promise in _promises(plan))


def _promises(plan: Plan) -> Iterator[tuple[str, Said]]:
    if not plan.model.slos:
        yield "promises", not_stated("$.slos[] with freshness and completeness")
    for slo in plan.model.slos:
        for name in ("freshness", "latency", "completeness"):
            value = getattr(slo, name)
            if value is not None:
                yield (
                    f"promised {name} of {slo.subject}",
                    Said(say_value(value), place(plan, plan.path(slo, name))),
                )


def _volume(plan: Plan) -> Iterator[Fact]:
    for source in plan.model.sources:
        base = dotted(plan.path(source))
        yield from _facts(plan, source, base, source.id, "rate,record,partitions,retention,keys")
        average, peak = average_rate(plan, source), peak_rate(plan, source)
        if average is not None:
            yield Fact(
                f"records a day of {source.id}",
                Said(f"{average.value * 86_400:,.0f} records/d", average.path),
            )
        size = source.record.size if source.record is not None else None
        if peak is not None and size is not None:
            inflow = say(peak.value * size.value, Dimension.BANDWIDTH)
            yield Fact(
                f"peak inflow of {source.id}",
                Said(f"{inflow} uncompressed", f"{peak.path} × record.size"),
            )
    for stage in plan.model.stages:
        yield from _facts(
            plan,
            stage,
            dotted(plan.path(stage)),
            stage.id,
            "parallelism,capacity,state,cost_drivers",
        )
        if state_bytes(stage):
            path = plan.path(stage, "state")
            yield Fact(
                f"state size of {stage.id}",
                Said(say(state_bytes(stage), Dimension.SIZE), dotted(path)),
            )
    names = "growth_horizon,max_utilisation,failure_domains,ten_times,headroom"
    yield from _facts(plan, plan.model.capacity, "$.capacity", "", names)
    yield from (Fact(*each) for each in size_facts(plan))


def _ingestion(plan: Plan) -> Iterator[Fact]:
    names = "mode,schedule,concurrency,dependencies,boundaries,on_violation"
    yield from _facts(plan, plan.model.ingestion, "$.ingestion", "", names)
    for stage in plan.model.stages:
        names = "checkpoint,retry,dead_letters,guarantee"
        yield from _facts(plan, stage, dotted(plan.path(stage)), stage.id, names)


def _processing(plan: Plan) -> Iterator[Fact]:
    for stage in plan.model.stages:
        yield from _facts(
            plan,
            stage,
            dotted(plan.path(stage)),
            stage.id,
            "purpose,layer,engine,mode,join",
        )
    for sink in plan.model.sinks:
        base = dotted(plan.path(sink))
        yield from _facts(plan, sink, base, sink.id, "mode,guarantee,idempotency_key,consumers")


def _quality(plan: Plan) -> Iterator[Fact]:
    yield from _listed(plan, plan.model.quality, "$.quality", "check")
    yield from _listed(plan, plan.model.reconciliation, "$.reconciliation", "reconciliation")


def _listed(plan: Plan, entries: Iterable[Section], base: str, words: str) -> Iterator[Fact]:
    """One fact per entry of a list, by its id where it has one."""
    empty = True
    for index, entry in enumerate(entries):
        empty = False
        name = getattr(entry, "id", None) or f"{words} {index + 1}"
        yield Fact(
            str(name),
            Said(
                say_value(entry).removeprefix(f"{name}, "),
                place(plan, plan.path(entry)),
            ),
        )
    if empty:
        yield Fact(words, not_stated(f"{base}[]"))


def _evolution(plan: Plan) -> Iterator[Fact]:
    contracts = plan.model.contracts
    if contracts is None or not contracts.policies:
        yield Fact("compatibility", not_stated("$.contracts.DATASET.compatibility"))
    else:
        for name, policy in contracts.policies.items():
            wanted = "compatibility,versioning,deprecation_window,deprecations,breaking_changes,consumers"
            yield from _facts(plan, policy, f"$.contracts.{name}", name, wanted)
    yield from _facts(plan, contracts, "$.contracts", "", "rollout,rollback,migration")


def _operations(plan: Plan) -> Iterator[Fact]:
    operations = plan.model.operations
    yield from _facts(
        plan,
        operations,
        "$.operations",
        "",
        "telemetry,on_call,limits,break_glass,game_days",
    )
    yield from _listed(
        plan,
        operations.alerts if operations is not None else (),
        "$.operations.alerts",
        "alert",
    )
    yield from (Fact(*each) for each in budget_facts(plan))


def _replay(plan: Plan) -> Iterator[Fact]:
    names = "input,start,end,rate_limit,idempotent_by,isolation,boundaries"
    yield from _facts(plan, plan.model.replay, "$.replay", "replay", names)
    names = "window,strategy,decider,communication,parity,point_of_no_return"
    yield from _facts(plan, plan.model.cutover, "$.cutover", "cutover", names)
    yield from _facts(
        plan,
        plan.model.rollback,
        "$.rollback",
        "rollback",
        "deadline,triggers,steps,fallback",
    )


def _validation(plan: Plan) -> Iterator[Fact]:
    names = "validation,release_gates,success,post_launch_window,incident_thresholds,parity_tolerance"
    yield from _facts(plan, plan.model.acceptance, "$.acceptance", "", names)
    yield from _listed(plan, plan.model.outages, "$.outages", "outage")


def _risks(plan: Plan) -> Iterator[Fact]:
    yield from _listed(plan, plan.model.risks, "$.risks", "risk")
    yield from _listed(plan, plan.model.decisions, "$.decisions", "decision")


_SECTIONS: tuple[tuple[str, str, Holds], ...] = (
    ("Problem and data product goals", "W1", _problem),
    ("Assumptions and constraints", "W1", _assumptions),
    ("Source and event contracts, ownership", "W2", _contracts),
    ("Event semantics, freshness and latency model", "W3", _semantics),
    ("Volume, state, performance, cost", "W4", _volume),
    ("Ingestion topology and orchestration", "W5", _ingestion),
    ("Processing, modelling, serving", "W6", _processing),
    (QUALITY, "W8", _quality),
    ("Schema evolution and compatibility", "W7", _evolution),
    ("Streaming operations and observability", "W9", _operations),
    ("Backfill, replay, cutover, rollback", "W10", _replay),
    ("Validation gates and acceptance", "W11", _validation),
    ("Open risks, residual-risk owners, follow-ups", "W12", _risks),
)
