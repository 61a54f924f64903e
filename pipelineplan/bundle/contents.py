"""Everything that a bundle is compiled from, and the formats that it is written in.

    Contents(plan, findings, simulated, quality, gates, ...)  --WRITERS-->  report.md, bundle.json, ...

Adding a format is a module `as_<format>.py` and one line in `WRITERS`.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from functools import partial
from typing import TYPE_CHECKING, Literal, assert_never

from pipelineplan.bundle.checklist import Checklist
from pipelineplan.bundle.cutover import cutover
from pipelineplan.bundle.design_sections import design_spec, technical_design
from pipelineplan.bundle.evidence import Evidence
from pipelineplan.bundle.report_section import ReportSection
from pipelineplan.bundle.returning import launch, rollback
from pipelineplan.bundle.sections import sections
from pipelineplan.bundle.standing import Day, progress_of, recorded_of
from pipelineplan.gates import GateDecision, decide, overall
from pipelineplan.plan import Plan
from pipelineplan.verdicts import Finding, Severity, Verdict

if TYPE_CHECKING:
    from pipelineplan.engines.beam_evidence import PlayedOnBeam
    from pipelineplan.quality.reconciling.report import ReconciliationReport
    from pipelineplan.quality.report import QualityReport
    from pipelineplan.simulation.result import SimulationResult

Rendering = Literal["data-plan", "design-spec", "technical-design"]


@dataclass(frozen=True)
class Contents:
    """What all writers write from; nothing in it depends on the clock or the machine.

    `as_of` is the date that expiries were judged by, `version` the tool's own, `rendering` the document
    that the plan's sections are arranged as.
    """

    plan: Plan
    findings: tuple[Finding, ...]
    gates: tuple[GateDecision, ...]
    checklists: tuple[Checklist, ...]
    simulated: SimulationResult | None = None
    quality: QualityReport | None = None
    reconciled: ReconciliationReport | None = None
    as_of: str = ""
    seed: int | None = None
    version: str = ""
    strict: bool = False
    played: PlayedOnBeam | None = None
    rendering: Rendering = "data-plan"

    @property
    def verdict(self) -> Verdict:
        """The verdict on the plan: by its required gates."""
        return overall(self.gates)

    @property
    def sections(self) -> tuple[ReportSection, ...]:
        """The plan section by section, as the rendering has them."""
        match self.rendering:
            case "data-plan":
                return sections(self.plan, self.findings, self.simulated)
            case "design-spec":
                return design_spec(self.plan, self.findings)
            case "technical-design":
                return technical_design(self.plan, self.findings)
            case _:
                assert_never(self.rendering)

    @property
    def failing(self) -> tuple[Finding, ...]:
        """The findings that count as errors, worst first by place."""
        return tuple(f for f in self.wanting if f.counts_as(strict=self.strict) is Severity.ERROR)

    @property
    def wanting(self) -> tuple[Finding, ...]:
        """The findings that do not hold: what fails first, by how much it counts, then by place."""
        open_ones = [f for f in self.findings if f.verdict is not Verdict.HOLDS]
        return tuple(sorted(open_ones, key=self._rank))

    def _rank(self, finding: Finding) -> tuple[int, int, str, str, str]:
        weight = finding.counts_as(strict=self.strict).rank
        unknown = int(finding.verdict is Verdict.UNKNOWN)
        return (-weight, unknown, finding.code, finding.path, finding.subject)

    def checklist(self, kind: str) -> Checklist | None:
        """The runbook of that kind."""
        return next((each for each in self.checklists if each.kind == kind), None)


def compile_contents(  # noqa: PLR0913  (all that a bundle is made of)
    plan: Plan,
    findings: tuple[Finding, ...],
    simulated: SimulationResult | None = None,
    quality: QualityReport | None = None,
    reconciled: ReconciliationReport | None = None,
    *,
    as_of: str = "",
    seed: int | None = None,
    version: str = "",
    strict: bool = False,
    played: PlayedOnBeam | None = None,
    rendering: Rendering = "data-plan",
    evidence: Evidence | None = None,
    day: Day | None = None,
) -> Contents:
    """Decide the gates and write the runbooks: everything a bundle says, ready for its writers.

    `evidence` is what was recorded against the runbooks, judged as of `day`.
    """
    from_plan = partial(decide, plan, findings, simulated, quality, reconciled, played=played, strict=strict)
    gates = from_plan()
    checklists = tuple(make(plan, simulated, gates) for make in (cutover, rollback, launch))
    if evidence is not None:
        checklists = tuple(
            replace(each, progress=progress_of(each, evidence, day or Day())) for each in checklists
        )
        gates = from_plan(recorded=recorded_of(checklists))
    return Contents(
        plan,
        findings,
        gates,
        checklists,
        simulated,
        quality,
        reconciled,
        as_of,
        seed,
        version,
        strict,
        played,
        rendering,
    )
