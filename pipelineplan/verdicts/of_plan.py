"""The verdicts on one plan, worst first, as a table and in a notebook; without the plan itself."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

from pipelineplan.tables import rows_to_arrow, rows_to_html, rows_to_pandas
from pipelineplan.verdicts.finding import Finding, Severity, Verdict


@dataclass(frozen=True)
class About:
    """Which plan is told of: its name, its file relative to `root`, whose it is, and its quality level."""

    name: str
    file: str
    root: Path
    owner: str = ""
    quality_level: str = ""


@dataclass(frozen=True)
class PlanVerdicts:
    """The verdicts of the static rules on one plan.

    Those that hold, `held` of them, are among `findings` only where they were asked for.
    """

    about: About
    findings: tuple[Finding, ...]
    strict: bool = False
    held: int = 0

    @property
    def failing(self) -> tuple[Finding, ...]:
        """What fails or is unknown and nobody has accepted, worst first, then by position."""
        open_ones = [
            one for one in self.findings if one.verdict is not Verdict.HOLDS and one.accepted is None
        ]
        return tuple(sorted(open_ones, key=self._order))

    @property
    def accepted(self) -> tuple[Finding, ...]:
        """What fails or is unknown and is lived with, worst first, then by position."""
        return tuple(sorted((one for one in self.findings if one.accepted is not None), key=self._order))

    def count(self, verdict: Verdict) -> int:
        """How many findings that are not accepted have `verdict`."""
        if verdict is Verdict.HOLDS:
            return self.held
        return sum(one.verdict is verdict and one.accepted is None for one in self.findings)

    def at_least(self, severity: Severity) -> tuple[Finding, ...]:
        """The open findings that count with `severity` or worse."""
        return tuple(
            finding for finding in self.failing if finding.counts_as(strict=self.strict).rank >= severity.rank
        )

    def to_rows(self) -> list[dict[str, Any]]:
        """One flat row per finding, those that hold among them."""
        return [
            {
                "plan": self.about.name,
                "code": finding.code,
                "verdict": finding.verdict.value,
                "severity": finding.counts_as(strict=self.strict).value,
                "subject": finding.subject,
                "message": finding.message,
                "path": finding.path,
                "file": finding.position.file,
                "line": finding.position.line,
                "accepted": finding.accepted.reason if finding.accepted is not None else "",
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
        return rows_to_html(shown, f"{self.about.name}: {len(shown)} open, {self.count(Verdict.HOLDS)} hold")

    def _order(self, finding: Finding) -> tuple[int, int, str, int, int, str]:
        worst = -finding.counts_as(strict=self.strict).rank
        unknown = int(finding.verdict is Verdict.UNKNOWN)
        place = finding.position
        return (worst, unknown, place.file, place.line, place.column, finding.code)
