"""The thirteen sections of a data plan as facts, each with its place, and what is not stated said openly.

4 Event semantics   watermark of orders   lag 30 s, scope per_partition   $.sources[0].semantics.watermark
                    lateness of clicks    not stated: $.sources[1].semantics.lateness
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from typing import TYPE_CHECKING

from pipelineplan.bundle.checklist import Said
from pipelineplan.bundle.report_section import Fact, ReportSection, facts_of, listed
from pipelineplan.bundle.saying import not_stated, place, say_value
from pipelineplan.bundle.schema_section import evolution_facts
from pipelineplan.bundle.sized_facts import budget_facts, size_facts
from pipelineplan.documents import dotted
from pipelineplan.gates import stage_of
from pipelineplan.plan import Plan
from pipelineplan.plan.load import average_rate, peak_rate
from pipelineplan.plan.state_size import state_bytes
from pipelineplan.quantities import Dimension, say
from pipelineplan.verdicts import Finding

if TYPE_CHECKING:
    from pipelineplan.simulation.result import SimulationResult
QUALITY = "Data quality and reconciliation"


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


def _problem(plan: Plan) -> Iterator[Fact]:
    context = plan.model.context
    yield from facts_of(
        plan,
        context,
        "$.context",
        "",
        "problem,goals,consumers,in_scope,out_of_scope,latency_class",
    )


def _assumptions(plan: Plan) -> Iterator[Fact]:
    context = plan.model.context
    yield from facts_of(plan, context, "$.context", "", "assumptions,open_questions")
    constraints = context.constraints if context is not None else None
    yield from facts_of(
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
        yield from facts_of(
            plan,
            source,
            base,
            source.id,
            "system,owner,version_owner,contract,mutation",
        )
    for sink in plan.model.sinks:
        yield from facts_of(
            plan,
            sink,
            dotted(plan.path(sink)),
            sink.id,
            "system,owner,contract,consumers",
        )
    reliability = plan.model.reliability
    yield from facts_of(plan, reliability, "$.reliability", "", "dependencies")


def _flow(plan: Plan) -> str:
    return "; ".join(f"{edge.upstream} -{edge.exchange}-> {edge.downstream}" for edge in plan.graph.edges)


def _semantics(plan: Plan) -> Iterator[Fact]:
    for source in plan.model.sources:
        base = f"{dotted(plan.path(source))}.semantics"
        names = "event_time,clock,ordering,duplicates,lateness,disorder,normal_gap,watermark"
        yield from facts_of(plan, source.semantics, base, source.id, names)
    for stage in plan.model.stages:
        if stage.window is not None:
            yield from facts_of(plan, stage, dotted(plan.path(stage)), stage.id, "window,late")
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
        yield from facts_of(plan, source, base, source.id, "rate,record,partitions,retention,keys")
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
        yield from facts_of(
            plan,
            stage,
            dotted(plan.path(stage)),
            stage.id,
            "parallelism,capacity,state,cost_drivers",
        )
        if state_bytes(plan, stage):
            path = plan.path(stage, "state")
            yield Fact(
                f"state size of {stage.id}",
                Said(say(state_bytes(plan, stage), Dimension.SIZE), dotted(path)),
            )
    names = "growth_horizon,max_utilisation,failure_domains,ten_times,headroom"
    yield from facts_of(plan, plan.model.capacity, "$.capacity", "", names)
    yield from (Fact(*each) for each in size_facts(plan))


def _ingestion(plan: Plan) -> Iterator[Fact]:
    names = "mode,schedule,concurrency,dependencies,boundaries,on_violation"
    yield from facts_of(plan, plan.model.ingestion, "$.ingestion", "", names)
    for stage in plan.model.stages:
        names = "checkpoint,retry,dead_letters,guarantee"
        yield from facts_of(plan, stage, dotted(plan.path(stage)), stage.id, names)


def _processing(plan: Plan) -> Iterator[Fact]:
    for stage in plan.model.stages:
        yield from facts_of(
            plan,
            stage,
            dotted(plan.path(stage)),
            stage.id,
            "purpose,layer,engine,mode,join",
        )
    for sink in plan.model.sinks:
        base = dotted(plan.path(sink))
        yield from facts_of(plan, sink, base, sink.id, "mode,guarantee,idempotency_key,consumers")


def _quality(plan: Plan) -> Iterator[Fact]:
    yield from listed(plan, plan.model.quality, "$.quality", "check")
    yield from listed(plan, plan.model.reconciliation, "$.reconciliation", "reconciliation")


def _evolution(plan: Plan) -> Iterator[Fact]:
    contracts = plan.model.contracts
    if contracts is None or not contracts.policies:
        yield Fact("compatibility", not_stated("$.contracts.DATASET.compatibility"))
    else:
        for name, policy in contracts.policies.items():
            wanted = "compatibility,versioning,deprecation_window,deprecations,breaking_changes,consumers"
            yield from facts_of(plan, policy, f"$.contracts.{name}", name, wanted)
    yield from facts_of(plan, contracts, "$.contracts", "", "rollout,rollback,migration")


def _operations(plan: Plan) -> Iterator[Fact]:
    operations = plan.model.operations
    yield from facts_of(
        plan,
        operations,
        "$.operations",
        "",
        "telemetry,on_call,limits,break_glass,game_days",
    )
    yield from listed(
        plan,
        operations.alerts if operations is not None else (),
        "$.operations.alerts",
        "alert",
    )
    yield from (Fact(*each) for each in budget_facts(plan))


def _replay(plan: Plan) -> Iterator[Fact]:
    names = "input,start,end,rate_limit,idempotent_by,isolation,boundaries"
    yield from facts_of(plan, plan.model.replay, "$.replay", "replay", names)
    names = "window,strategy,decider,communication,parity,point_of_no_return"
    yield from facts_of(plan, plan.model.cutover, "$.cutover", "cutover", names)
    yield from facts_of(
        plan,
        plan.model.rollback,
        "$.rollback",
        "rollback",
        "deadline,triggers,steps,fallback",
    )


def _validation(plan: Plan) -> Iterator[Fact]:
    names = "validation,release_gates,success,post_launch_window,incident_thresholds,parity_tolerance"
    yield from facts_of(plan, plan.model.acceptance, "$.acceptance", "", names)
    yield from listed(plan, plan.model.outages, "$.outages", "outage")


def _risks(plan: Plan) -> Iterator[Fact]:
    yield from listed(plan, plan.model.risks, "$.risks", "risk")
    yield from listed(plan, plan.model.decisions, "$.decisions", "decision")


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
