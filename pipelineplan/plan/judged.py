"""A plan with every verdict on it, worst first, as a table and in a notebook."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from pipelineplan.plan.plan import Plan
from pipelineplan.tables import rows_to_arrow, rows_to_html, rows_to_pandas
from pipelineplan.verdicts import Finding, Severity, Verdict


@dataclass(frozen=True)
class CheckResult:
    """The verdicts of the static rules on one plan, those that hold among them."""

    plan: Plan
    findings: tuple[Finding, ...]
    strict: bool = False

    @property
    def failing(self) -> tuple[Finding, ...]:
        """What fails or is unknown, worst first, then by position."""
        open_ones = [finding for finding in self.findings if finding.verdict is not Verdict.HOLDS]
        return tuple(sorted(open_ones, key=self._order))

    def count(self, verdict: Verdict) -> int:
        """How many findings have `verdict`."""
        return sum(finding.verdict is verdict for finding in self.findings)

    def at_least(self, severity: Severity) -> tuple[Finding, ...]:
        """The open findings that count with `severity` or worse."""
        return tuple(
            finding for finding in self.failing if finding.counts_as(strict=self.strict).rank >= severity.rank
        )

    def to_rows(self) -> list[dict[str, Any]]:
        """One flat row per finding, those that hold among them."""
        return [
            {
                "plan": self.plan.name,
                "code": finding.code,
                "verdict": finding.verdict.value,
                "severity": finding.counts_as(strict=self.strict).value,
                "subject": finding.subject,
                "message": finding.message,
                "path": finding.path,
                "file": finding.position.file,
                "line": finding.position.line,
            }
            for finding in self.findings
        ]

    def to_arrow(self) -> Any:
        """The findings as a `pyarrow.Table`."""
        return rows_to_arrow(self.to_rows())

    def to_pandas(self) -> Any:
        """The findings as a `pandas.DataFrame`."""
        return rows_to_pandas(self.to_rows())

    def _repr_html_(self) -> str:
        open_codes = {finding.fingerprint for finding in self.failing}
        shown = [
            row for row, f in zip(self.to_rows(), self.findings, strict=True) if f.fingerprint in open_codes
        ]
        return rows_to_html(shown, f"{self.plan.name}: {len(shown)} open, {self.count(Verdict.HOLDS)} hold")

    def _order(self, finding: Finding) -> tuple[int, int, str, int, int, str]:
        worst = -finding.counts_as(strict=self.strict).rank
        unknown = int(finding.verdict is Verdict.UNKNOWN)
        place = finding.position
        return (worst, unknown, place.file, place.line, place.column, finding.code)
