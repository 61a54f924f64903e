"""Evidence in, decision out: is each stage gate passed, failed, unknown, blocked or not required?

    findings (CAP201 fails)  --+
    simulated promises       --+-->  W4 fail: "the backlog of an outage drains in time" (plan.yaml:84:3)
    quality run, or its lack --+

A gate fails when something of severity error is false; it is unknown while an error-level verdict is
unknown, rests on an assumption, or evidence that the level asks for is absent; it is blocked when
it would have to judge by numbers of an earlier required gate that failed (`stages.RESTS_ON`); a
failure of its own is said before a block. A warning is a reason to read and never fails a gate. Evidence
that is older than its validity leaves its gate open again: what was measured, and what somebody vouched for.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from enum import StrEnum
from typing import TYPE_CHECKING

from pipelineplan.gates.stages import (
    REQUIRED,
    RESTS_ON,
    TITLES,
    VALIDITY,
    gate_of,
)
from pipelineplan.plan import Plan
from pipelineplan.verdicts import Finding, Severity, Verdict

if TYPE_CHECKING:
    from pipelineplan.engines.beam_evidence import PlayedOnBeam
    from pipelineplan.quality.reconciling.report import ReconciliationReport
    from pipelineplan.quality.report import CheckResult, QualityReport
    from pipelineplan.simulation.result import SimulationResult, SloVerdict


class GateState(StrEnum):
    """What is decided of a stage gate."""

    PASS = "pass"  # noqa: S105 - it is no password
    FAIL = "fail"
    UNKNOWN = "unknown"
    BLOCKED = "blocked"
    NOT_REQUIRED = "not_required"


@dataclass(frozen=True)
class GateDecision:
    """One gate: its state, the reasons for it, and what each rests on.

    `evidence` names findings by code and place, promises by scenario. `open_points` says what to
    run or state to settle an unknown. A gate that is not required still lists its reasons.
    """

    gate: str
    title: str
    state: GateState
    required: bool
    reasons: tuple[str, ...] = ()
    evidence: tuple[str, ...] = ()
    open_points: tuple[str, ...] = ()


@dataclass(frozen=True)
class Recorded:
    """What was measured while the plan was carried out, for one gate: a runbook's evidence.

    `failed` are values beyond their thresholds, `reopened` records that count no longer, `evidence` the rest.
    """

    gate: str
    failed: tuple[str, ...] = ()
    reopened: tuple[str, ...] = ()
    evidence: tuple[str, ...] = ()


@dataclass(frozen=True)
class _Heard:
    """What was found out about one gate."""

    failed: tuple[str, ...] = ()
    unknown: tuple[str, ...] = ()
    noted: tuple[str, ...] = ()
    evidence: tuple[str, ...] = ()
    missing: tuple[str, ...] = ()


def decide(
    plan: Plan,
    findings: Sequence[Finding],
    simulated: SimulationResult | None = None,
    quality: QualityReport | None = None,
    reconciled: ReconciliationReport | None = None,
    *,
    played: PlayedOnBeam | None = None,
    recorded: Sequence[Recorded] = (),
    strict: bool = False,
) -> tuple[GateDecision, ...]:
    """The decision on every stage gate, in the plan's own sequence.

    `played` are the plan's windows on Apache Beam: where it differs from what was predicted, W3 fails.
    `findings` are all verdicts, those that hold among them: they are what a gate passes by. `recorded` is
    what was measured by the runbooks. Under `strict`, what rests on an assumption fails and is not unknown.
    """
    required = REQUIRED[plan.model.metadata.quality_level]
    engines = _of_engines(played)
    heard = {
        gate: _hear(
            gate,
            _mine(gate, findings),
            simulated,
            quality,
            reconciled,
            strict=strict,
        )
        for gate in TITLES
    }
    heard["W3"] = _together([heard["W3"], engines])
    for one in recorded:
        told = _Heard(one.failed, one.reopened, (), one.evidence)
        heard[one.gate] = _together([heard[one.gate], told])
    decided = {
        gate: _decided(gate, heard[gate], required=gate in required) for gate in TITLES if gate != "W12"
    }
    decided["W12"] = _bundle(decided, heard["W12"], required="W12" in required)
    blocked = {gate: _blocked(decision, decided) for gate, decision in decided.items()}
    return tuple(blocked[gate] for gate in _sequence(plan))


def overall(decisions: Iterable[GateDecision]) -> Verdict:
    """The verdict on the plan: fails with any required gate failed, unknown while one is open."""
    states = {decision.state for decision in decisions if decision.required}
    if GateState.FAIL in states:
        return Verdict.FAILS
    if states & {GateState.UNKNOWN, GateState.BLOCKED}:
        return Verdict.UNKNOWN
    return Verdict.HOLDS


def _mine(gate: str, findings: Sequence[Finding]) -> list[Finding]:
    return [finding for finding in findings if gate_of(finding) == gate]


def _hear(
    gate: str,
    findings: list[Finding],
    simulated: SimulationResult | None,
    quality: QualityReport | None,
    reconciled: ReconciliationReport | None,
    *,
    strict: bool,
) -> _Heard:
    parts = [_of_findings(findings, strict=strict)]
    if gate in {"W3", "W4", "W11"}:
        parts.append(_of_simulation(gate, simulated))
    if gate in {"W8", "W11"}:
        parts += [_of_quality(gate, quality), _of_reconciliation(reconciled)]
    return _together(parts)


def _together(parts: list[_Heard]) -> _Heard:
    def all_of(name: str) -> tuple[str, ...]:
        return tuple(entry for part in parts for entry in getattr(part, name))

    return _Heard(
        all_of("failed"),
        all_of("unknown"),
        all_of("noted"),
        all_of("evidence"),
        all_of("missing"),
    )


def _of_findings(findings: list[Finding], *, strict: bool) -> _Heard:
    failed, unknown, noted = [], [], []
    for finding in findings:
        if finding.verdict is Verdict.HOLDS:
            continue
        text = f"{finding.code} {finding.message}"
        ended = finding.code == VALIDITY and finding.verdict is Verdict.FAILS
        if ended and finding.severity is not Severity.INFO:
            unknown.append(f"open again: {text}")
        elif finding.severity is not Severity.ERROR:
            noted.append(text)
        elif finding.verdict is Verdict.FAILS and finding.counts_as(strict=strict) is Severity.ERROR:
            failed.append(text)
        else:
            unknown.append(text)
    missing = () if findings else ("no rule says anything about this stage of the plan",)
    return _Heard(
        tuple(failed),
        tuple(unknown),
        tuple(noted),
        tuple(_reference(finding) for finding in findings),
        missing,
    )


def _reference(finding: Finding) -> str:
    return f"{finding.code} {finding.verdict.value} {finding.path} ({finding.position})"


def _of_simulation(gate: str, simulated: SimulationResult | None) -> _Heard:
    if simulated is None:
        missing = (
            "no simulation: `pipelineplan simulate PLAN` says whether the promises hold under load and outage"
        )
        return _Heard(missing=(missing,) if gate != "W4" else ())
    promised = [(scenario.name, slo) for scenario in simulated.scenarios for slo in scenario.slo_verdicts]
    mine = [(name, slo) for name, slo in promised if gate == "W11" or _gate_of(slo) == gate]
    failed = tuple(_promised(name, slo) for name, slo in mine if slo.verdict is Verdict.FAILS)
    unknown = tuple(_promised(name, slo) for name, slo in mine if slo.verdict is Verdict.UNKNOWN)
    refused = tuple(f"{what} was not simulated: {reason}" for what, reason in simulated.not_simulated)
    evidence = tuple(
        f"simulated {name}: {slo.subject} {slo.objective} {slo.verdict.value} ({slo.path})"
        for name, slo in mine
    )
    return _Heard(failed, (*unknown, *(refused if gate == "W11" else ())), (), evidence)


def _gate_of(slo: SloVerdict) -> str:
    """A promise about draining or retention is one about capacity; the others are about event time."""
    return "W4" if "drain" in slo.objective or "retention" in slo.objective else "W3"


def _promised(scenario: str, slo: SloVerdict) -> str:
    return f"{slo.message} ({', '.join(part for part in (f'scenario {scenario}', slo.path) if part)})"


def _of_quality(gate: str, quality: QualityReport | None) -> _Heard:
    if quality is None:
        return _Heard(
            missing=("no data was checked: `pipelineplan test PLAN --data NAME=PATH` runs the suites",)
        )
    said = {
        verdict: [check for check in quality.checks if check.verdict.value == verdict]
        for verdict in ("pass", "fail", "could not evaluate")
    }
    failed = tuple(_checked(check) for check in said["fail"] if check.severity is Severity.ERROR)
    noted = tuple(_checked(check) for check in said["fail"] if check.severity is not Severity.ERROR)
    unknown = tuple(f"{_checked(check)}: {check.reason}" for check in said["could not evaluate"])
    evidence = (f"quality: {len(said['pass'])} of {len(quality.checks)} checks pass",)
    return _Heard(failed, unknown, noted if gate == "W8" else (), evidence)


def _of_engines(played: PlayedOnBeam | None) -> _Heard:
    """A prediction that an engine contradicts is none to plan by; one that was not played decides nothing."""
    if played is None:
        return _Heard()
    said = [
        (preview.agrees, f"{preview.case.source} -> {preview.case.stage}", preview)
        for preview in played.previews
    ]
    differing = tuple(
        f"Apache Beam differs from the prediction in {len(preview.differences):,} windows of {name}"
        for agrees, name, preview in said
        if not agrees
    )
    evidence = [
        f"played on Apache Beam: {name}, {preview.rows:,} records in {preview.windows:,} windows as predicted"
        for agrees, name, preview in said
        if agrees
    ]
    evidence += [f"not played on Apache Beam: {reason}" for reason in played.not_played]
    return _Heard(failed=differing, evidence=tuple(evidence))


def _of_reconciliation(report: ReconciliationReport | None) -> _Heard:
    """What was compared; nothing where no pair of the plan had data on both sides."""
    if report is None:
        return _Heard()
    said = {verdict: [pair for pair in report.pairs if pair.verdict is verdict] for verdict in Verdict}
    left = tuple(f"{each.name} could not be evaluated: {each.reason}" for each in report.not_evaluated)
    return _Heard(
        tuple(
            f"{pair.pair.name}: {sum(pair.differing_keys.values()):,} keys differ over {len(pair.alarms)} of "
            f"{pair.closed} closed windows ({pair.pair.path})"
            for pair in said[Verdict.FAILS]
        ),
        (*(f"{pair.pair.name}: no window could be compared" for pair in said[Verdict.UNKNOWN]), *left),
        (),
        tuple(
            f"reconciled {pair.pair.name}: {pair.verdict} over {pair.closed} windows" for pair in report.pairs
        ),
    )


def _checked(check: CheckResult) -> str:
    rows = (
        f"{check.unexpected_count:,} of {check.row_count:,} rows"
        if check.unexpected_count and check.row_count
        else ""
    )
    found = ", ".join(part for part in (check.verdict.value, rows, check.observed) if part)
    return f"{check.dataset}: {check.title} ({check.path}): {found}"


def _decided(gate: str, heard: _Heard, *, required: bool) -> GateDecision:
    reasons = (*heard.failed, *heard.unknown, *heard.missing, *heard.noted)
    if not required:
        state = GateState.NOT_REQUIRED
    elif heard.failed:
        state = GateState.FAIL
    elif heard.unknown or heard.missing:
        state = GateState.UNKNOWN
    else:
        state = GateState.PASS
    return GateDecision(
        gate,
        TITLES[gate],
        state,
        required,
        reasons,
        heard.evidence,
        (*heard.unknown, *heard.missing),
    )


def _bundle(decided: Mapping[str, GateDecision], heard: _Heard, *, required: bool) -> GateDecision:
    """W12 is passed by the other gates, and by what belongs to no other."""
    still_open = [d for d in decided.values() if d.state is GateState.UNKNOWN]
    unknown = tuple(f"{d.gate} {d.title} is unknown" for d in still_open)
    own = replace(heard, missing=(), unknown=(*heard.unknown, *unknown))
    return _decided("W12", own, required=required)


def _blocked(decision: GateDecision, decided: Mapping[str, GateDecision]) -> GateDecision:
    if decision.state in {GateState.FAIL, GateState.NOT_REQUIRED}:
        return decision
    needs = RESTS_ON.get(decision.gate, ())
    failed = [decided[gate] for gate in needs if decided[gate].state is GateState.FAIL]
    if not failed:
        return decision
    reasons = tuple(f"rests on {gate.gate} {gate.title}, which fails" for gate in failed)
    return replace(decision, state=GateState.BLOCKED, reasons=(*reasons, *decision.reasons))


def _sequence(plan: Plan) -> tuple[str, ...]:
    """The gates in the plan's own order; what its sequence leaves out follows."""
    wanted = [gate.upper() for gate in plan.model.metadata.sequence or () if gate.upper() in TITLES]
    return tuple(dict.fromkeys((*wanted, *TITLES)))
