"""The same plan as a design: the ten sections of a design spec, or the headings of a technical design.

design-spec         3 Capacity and performance estimates     SIZ101 holds, 116/s on average ...
technical-design    12 Security and privacy                  not required at the level 'experiment'

Each section says what is stated, what is not, and the verdicts that belong to it; a finding stands
in one section only.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass

from pipelineplan.bundle.report_section import Fact, ReportSection, facts_of, listed
from pipelineplan.bundle.sized_facts import budget_facts, size_facts
from pipelineplan.gates import stage_of
from pipelineplan.plan import Plan
from pipelineplan.plan.context import QualityLevel
from pipelineplan.plan.design import Design
from pipelineplan.rules.criteria import Presence, criterion_of
from pipelineplan.verdicts import Finding

Holds = Callable[[Plan], Iterable[Fact]]
_LEVELS: tuple[QualityLevel, ...] = ("experiment", "prototype", "production", "secure")

# Which stage of the production flow a stage of the data flow feeds.
_STAGE_OF = {
    "W1": 1, "W2": 5, "W3": 2, "W4": 3, "W5": 4, "W6": 4, "W7": 5, "W8": 9, "W9": 6, "W10": 8,
    "W11": 9, "W12": 10,
}  # fmt: skip
_STAGE_OF_FAMILY = {"SEC": 7, "OPS": 9, "SLO": 6, "RCV": 6, "RES": 6, "CHK": 6, "SRC": 4, "SCH": 5}


@dataclass(frozen=True)
class Heading:
    """A section of a rendering: its facts, whose findings it has, and from which level it is required."""

    title: str
    holds: Holds
    stages: tuple[int, ...] = ()
    codes: tuple[str, ...] = ()
    since: QualityLevel = "experiment"


def design_spec(plan: Plan, findings: Iterable[Finding]) -> tuple[ReportSection, ...]:
    """The ten sections of the production engineering flow, P1 to P10."""
    return _made(plan, tuple(findings), _DESIGN_SPEC, "P")


def technical_design(plan: Plan, findings: Iterable[Finding]) -> tuple[ReportSection, ...]:
    """The headings of the technical design template; the quality level decides which are required."""
    return _made(plan, tuple(findings), _TECHNICAL_DESIGN, "T")


def completeness(sections: Iterable[ReportSection]) -> str:
    """Which required sections lack something, in one sentence."""
    required = [one for one in sections if one.required]
    lacking = [one for one in required if one.silent]
    whole = f"{len(required) - len(lacking)} of {len(required)} required sections are complete"
    if not lacking:
        return f"{whole}."
    names = (f"{one.number} {one.title} ({_count(len(one.silent))} not stated)" for one in lacking)
    return f"{whole}; the others: {', '.join(names)}."


def _count(number: int) -> str:
    return "one thing" if number == 1 else f"{number} things"


def _made(
    plan: Plan, findings: tuple[Finding, ...], headings: tuple[Heading, ...], letter: str
) -> tuple[ReportSection, ...]:
    level = _LEVELS.index(plan.model.metadata.quality_level)
    mine: dict[int, list[Finding]] = {}
    for finding in findings:
        mine.setdefault(_place(finding.code, headings), []).append(finding)
    return tuple(
        ReportSection(
            number,
            heading.title,
            f"{letter}{number}",
            tuple(heading.holds(plan)),
            tuple(mine.get(number, ())),
            required=_LEVELS.index(heading.since) <= level,
        )
        for number, heading in enumerate(headings, start=1)
    )


def _place(code: str, headings: tuple[Heading, ...]) -> int:
    """The number of the section that a code belongs to: named by code, else by its stage."""
    for number, heading in enumerate(headings, start=1):
        if code.startswith(heading.codes) and heading.codes:
            return number
    stage = production_stage(code)
    found = (number for number, heading in enumerate(headings, start=1) if stage in heading.stages)
    return next(found, len(headings))


def production_stage(code: str) -> int:
    """The stage of the production flow, 1 to 10, that the rule with `code` belongs to."""
    criterion = criterion_of(code)
    if criterion is not None and isinstance(criterion.home, Presence):
        if code.startswith("DSN"):
            return int(code[3])  # DSN701 is of stage 7
        if criterion.home.present[0].startswith("$.security"):
            return 7
    return _STAGE_OF_FAMILY.get(code[:3]) or _STAGE_OF.get(stage_of(code), 10)


def _design(plan: Plan, names: str) -> Iterator[Fact]:
    yield from facts_of(plan, plan.model.design, "$.design", "", names)


def _empty(plan: Plan) -> Design:
    return plan.model.design or Design()


def _context(plan: Plan, names: str) -> Iterator[Fact]:
    yield from facts_of(plan, plan.model.context, "$.context", "", names)


def _constraints(plan: Plan) -> Iterator[Fact]:
    context = plan.model.context
    constraints = context.constraints if context is not None else None
    names = "budget,team,timeline,compliance,dependencies"
    yield from facts_of(plan, constraints, "$.context.constraints", "", names)


def _targets(plan: Plan) -> Iterator[Fact]:
    yield from listed(plan, plan.model.slos, "$.slos", "promise")
    yield from _constraints(plan)
    yield from listed(plan, _empty(plan).workflows, "$.design.workflows", "workflow")


def _estimates(plan: Plan) -> Iterator[Fact]:
    yield from _design(plan, "users")
    yield from (Fact(*each) for each in size_facts(plan))
    names = "max_utilisation,growth_horizon,ten_times,autoscaling"
    yield from facts_of(plan, plan.model.capacity, "$.capacity", "", names)
    yield from listed(plan, _empty(plan).load_tests, "$.design.load_tests", "load test")


def _components(plan: Plan) -> Iterator[Fact]:
    yield from listed(plan, _empty(plan).components, "$.design.components", "component")


def _platform(plan: Plan) -> Iterator[Fact]:
    yield from _design(plan, "read_path,write_path,regions,placement")
    for name in ("stores", "caches", "channels"):
        yield from listed(plan, getattr(_empty(plan), name), f"$.design.{name}", name.removesuffix("s"))
    reliability = plan.model.reliability
    called = reliability.dependencies if reliability is not None else ()
    yield from listed(plan, called, "$.reliability.dependencies", "dependency")


def _architecture(plan: Plan) -> Iterator[Fact]:
    yield from _components(plan)
    yield from _platform(plan)


def _interfaces(plan: Plan) -> Iterator[Fact]:
    yield from listed(plan, _empty(plan).interfaces, "$.design.interfaces", "interface")
    policies = plan.model.contracts.policies if plan.model.contracts is not None else {}
    for name, policy in policies.items():
        wanted = "compatibility,versioning,breaking_changes"
        yield from facts_of(plan, policy, f"$.contracts.{name}", name, wanted)


def _model(plan: Plan) -> Iterator[Fact]:
    yield from listed(plan, _empty(plan).entities, "$.design.entities", "entity")
    yield from _design(plan, "data_model")


def _contracts(plan: Plan) -> Iterator[Fact]:
    yield from _model(plan)
    yield from _interfaces(plan)


def _resilience(plan: Plan) -> Iterator[Fact]:
    reliability = plan.model.reliability
    modes = reliability.failure_modes if reliability is not None else ()
    yield from listed(plan, modes, "$.reliability.failure_modes", "failure mode")
    names = "backpressure,bulkheads,degradation,rate_limits,error_budget_policy,recovery_point,recovery_time"
    yield from facts_of(plan, reliability, "$.reliability", "", names)
    backups = reliability.backup if reliability is not None else ()
    yield from listed(plan, backups, "$.reliability.backup", "backup")
    yield from (Fact(*each) for each in budget_facts(plan))


def _security(plan: Plan) -> Iterator[Fact]:
    names = "classification,trust_boundaries,authentication,authorisation,encryption,secrets,audit"
    yield from facts_of(plan, plan.model.security, "$.security", "", names)
    names = "duties,privacy,subject_requests,supply_chain,network,key_rotation,access_review,controls"
    yield from facts_of(plan, plan.model.security, "$.security", "", names)
    yield from listed(plan, _empty(plan).threats, "$.design.threats", "threat")


def _rollout(plan: Plan) -> Iterator[Fact]:
    names = "strategy,window,decider,communication,point_of_no_return"
    yield from facts_of(plan, plan.model.cutover, "$.cutover", "", names)
    names = "triggers,steps,deadline,fallback"
    yield from facts_of(plan, plan.model.rollback, "$.rollback", "rollback", names)
    yield from facts_of(plan, plan.model.contracts, "$.contracts", "", "rollout,rollback,migration")
    yield from _design(plan, "deployment,health_checks")


def _tests(plan: Plan) -> Iterator[Fact]:
    yield from _design(plan, "test_plan")
    names = "validation,release_gates,success,incident_thresholds"
    yield from facts_of(plan, plan.model.acceptance, "$.acceptance", "", names)


def _observed(plan: Plan) -> Iterator[Fact]:
    operations = plan.model.operations
    telemetry = operations.telemetry if operations is not None else None
    names = "metrics,logs,traces,dashboards,probes,correlation"
    yield from facts_of(plan, telemetry, "$.operations.telemetry", "", names)
    yield from facts_of(plan, operations, "$.operations", "", "alerts,on_call,incidents,ownership")


def _validation(plan: Plan) -> Iterator[Fact]:
    yield from _tests(plan)
    yield from _observed(plan)


def _open(plan: Plan) -> Iterator[Fact]:
    yield from _context(plan, "open_questions")
    yield from listed(plan, plan.model.risks, "$.risks", "risk")


def _decided(plan: Plan) -> Iterator[Fact]:
    yield from _open(plan)
    yield from listed(plan, plan.model.decisions, "$.decisions", "decision")
    yield from listed(plan, plan.model.attestations, "$.attestations", "attestation")


def _level(plan: Plan) -> Iterator[Fact]:
    yield from facts_of(plan, plan.model.metadata, "$.metadata", "", "quality_level")
    yield from facts_of(plan, plan.model.acceptance, "$.acceptance", "", "release_gates")


_DESIGN_SPEC: tuple[Heading, ...] = (
    Heading(
        "Context",
        lambda p: _context(p, "problem,in_scope,out_of_scope,consumers,workloads,assumptions"),
        (1,),
    ),
    Heading("Constraints and SLOs", _targets, (2,)),
    Heading("Capacity and performance estimates", _estimates, (3,)),
    Heading("Architecture and dependencies", _architecture, (4,)),
    Heading("Interfaces and data contracts", _contracts, (5,)),
    Heading("Reliability and failure modes", _resilience, (6,)),
    Heading("Security and compliance", _security, (7,)),
    Heading("Rollout, rollback and migration", _rollout, (8,)),
    Heading("Validation and success criteria", _validation, (9,)),
    Heading("Decisions, risks and open questions", _decided, (10,)),
)

_TESTING = ("DSN901", "CKL223", "SIZ303", "QUA", "REC", "ACC")
_TECHNICAL_DESIGN: tuple[Heading, ...] = (
    Heading("Overview", lambda p: _context(p, "problem,consumers"), (1,)),
    Heading("Goals and non-goals", lambda p: _context(p, "goals,non_goals"), codes=("TEC101", "CTX105")),
    Heading("Architecture", _platform, (4,), since="prototype"),
    Heading("Quality", _level, (2,)),
    Heading("Components", _components, codes=("DSN401", "CKL213"), since="prototype"),
    Heading("Data model", _model, codes=("DSN501",), since="prototype"),
    Heading("Interfaces", _interfaces, (5,), since="prototype"),
    Heading(
        "Configuration",
        lambda p: _design(p, "configuration,infrastructure,environments"),
        codes=("TEC102", "TEC103", "CKL110"),
        since="production",
    ),
    Heading(
        "Algorithms and processing", lambda p: _design(p, "algorithms"), codes=("TEC104",), since="prototype"
    ),
    Heading("Error handling and resilience", _resilience, (6,), since="production"),
    Heading("Performance and scalability", _estimates, (3,), since="production"),
    Heading("Security and privacy", _security, (7,), since="production"),
    Heading("Observability", _observed, (9,), since="production"),
    Heading("Testing strategy", _tests, codes=_TESTING, since="prototype"),
    Heading("Rollout and migration", _rollout, (8,), codes=("TEC105", "CKL109"), since="production"),
    Heading("Open questions", _open, (10,)),
)
