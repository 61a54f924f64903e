"""Gates, findings and the thirteen sections as HTML, with the plan's own numbers in the formulas."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

from pipelineplan.bundle.escaping import html
from pipelineplan.bundle.html_parts import (
    anchor,
    facts,
    folded,
    listed,
    mark,
    said,
    where,
)
from pipelineplan.bundle.report_section import ReportSection
from pipelineplan.gates import GateDecision, GateState
from pipelineplan.verdicts import Basis, Finding, Operand, Severity, Verdict

if TYPE_CHECKING:
    from pipelineplan.bundle.contents import Contents


def gate_strip(gates: tuple[GateDecision, ...]) -> str:
    """All gates at a glance, each a link to its evidence."""
    cells = (
        f'<a href="#gate-{anchor(gate.gate)}"><span class="top">'
        f"<span>{html(gate.gate)}</span>{mark(gate.state.value)}"
        f"</span><span>{html(gate.title)}</span></a>"
        for gate in gates
    )
    return f'<ul class="gates">{"".join(f"<li>{cell}</li>" for cell in cells)}</ul>'


def gate_details(gates: tuple[GateDecision, ...]) -> str:
    """Every gate with its reasons and evidence; what fails is open."""
    return f'<div class="stack">{"".join(_gate(gate) for gate in gates)}</div>'


def _gate(gate: GateDecision) -> str:
    reasons = listed(html(reason) for reason in gate.reasons) or "<p>Everything that was looked at holds.</p>"
    count = len(gate.evidence)
    evidence = (
        f'<p class="quiet">Evidence, {count} in all:</p>{listed(where(entry) for entry in gate.evidence)}'
        if count
        else '<p class="quiet">No evidence yet.</p>'
    )
    is_open = gate.state in {GateState.FAIL, GateState.BLOCKED}
    heading = f"{gate.gate} {gate.title}"
    return folded(
        heading,
        gate.state.value,
        reasons + evidence,
        name=f"gate-{anchor(gate.gate)}",
        is_open=is_open,
    )


def findings(contents: Contents) -> str:
    """What does not hold, worst first; what holds is folded away."""
    wanting = contents.wanting
    holding = [finding for finding in contents.findings if finding.verdict is Verdict.HOLDS]
    weights = {finding.fingerprint: finding.counts_as(strict=contents.strict) for finding in wanting}
    # What is of severity error and still open keeps a gate open, so it is shown with what fails.
    loud = [f for f in wanting if weights[f.fingerprint] is not Severity.INFO or f.severity is Severity.ERROR]
    quiet = [finding for finding in wanting if finding not in loud]
    shown = "\n".join(card(finding, weights[finding.fingerprint].value) for finding in loud)
    informing = "\n".join(card(finding, "info") for finding in quiet)
    rest = listed(f"<b>{html(f.code)}</b> {html(f.message)} {where(f.path)}" for f in holding)
    parts = [shown or "<p>No finding counts as an error or a warning.</p>"]
    if quiet:
        parts.append(folded(f"{len(quiet)} that only inform", "", informing))
    if holding:
        parts.append(folded(f"{len(holding)} verdicts that hold", "holds", rest))
    return "\n".join(parts)


def card(finding: Finding, weight: str) -> str:
    """One finding with its numbers in the formula, and what would make it hold."""
    nearest = listed((html(change) for change in finding.nearest), "nearest")
    fixes = f"<p>It would hold with any one of:</p>{nearest}" if nearest else ""
    fix = f"<p><b>Mend:</b> {html(finding.fix)}.</p>" if finding.fix else ""
    return (
        f'<article class="card finding"><div class="head">{mark(finding.verdict.value)}'
        f'<span class="code">{html(finding.code)}</span><h3 style="margin:0">{html(finding.title)}</h3>'
        f'<span class="quiet">{html(weight)}</span></div>'
        f'<p class="says">{html(finding.message)}</p>{where(f"{finding.path} ({finding.position})")}'
        f"{_formula(finding)}{fixes}{fix}</article>"
    )


def _formula(finding: Finding) -> str:
    if not finding.operands:
        return ""
    values = "".join(_operand(operand) for operand in finding.operands)
    formula = f'<span class="formula">{html(finding.formula)}</span>' if finding.formula else ""
    return f'{formula}<ul class="operands" aria-label="the values put into the formula">{values}</ul>'


def _operand(operand: Operand) -> str:
    kind = "assumed" if operand.basis is Basis.ASSUMED else ""
    basis = "" if operand.basis in {Basis.ASSUMED, Basis.DECLARED} else f" {operand.basis.value}"
    title = html(f"{operand.name}, {operand.basis.value}, {operand.path} ({operand.position})")
    shown = f"<b>{html(operand.symbol)}</b> = {html(operand.shown)}{html(basis)}"
    return f'<li class="{kind}" title="{title}">{shown}</li>'


def section(one: ReportSection) -> str:
    """One section: facts, what is not stated, and the verdicts that belong to it."""
    stated = facts((fact.label, said(fact.said)) for fact in one.facts if not fact.said.is_open)
    silent = [fact for fact in one.facts if fact.said.is_open]
    missing = (
        f'<p class="silent"><b>Not stated:</b> '
        f"{', '.join(_silent(f.label, f.said.text) for f in silent)}.</p>"
        if silent
        else ""
    )
    state = _worst(one)
    return folded(
        f"{one.number} {one.title}{'' if one.required else ' (not required at this level)'}",
        state,
        stated + missing + "".join(_verdicts(one)),
        name=f"section-{one.number}",
    )


def _silent(label: str, path: str) -> str:
    return f'{html(label)} <span class="where">{html(path.removeprefix("state "))}</span>'


def _worst(one: ReportSection) -> str:
    verdicts = {finding.verdict for finding in one.findings}
    for verdict in (Verdict.FAILS, Verdict.UNKNOWN, Verdict.HOLDS):
        if verdict in verdicts:
            return verdict.value
    return ""


def _verdicts(one: ReportSection) -> Iterator[str]:
    if one.findings:
        yield listed(f"{mark(f.verdict.value)} {html(f.code)} {html(f.message)}" for f in one.findings)
