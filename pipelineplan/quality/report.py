"""What the data said: one result per check, the rules that nothing checks, and a verdict.

    orders   error     email is not null      fail   3 of 1,000 rows
    orders   warning   amount is at least 0   pass
    orders   error     a query's answer       could not evaluate: no column "amonut"

Three verdicts, because an expectation that raised an exception has not found bad data. The
report holds no times and no random ids, so the same data gives the same report.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import TYPE_CHECKING, Any

from pipelineplan.errors import Position
from pipelineplan.tables import rows_to_arrow, rows_to_html, rows_to_pandas
from pipelineplan.verdicts import Severity, Verdict

if TYPE_CHECKING:
    from pipelineplan.quality.mutation import MutationReport


class CheckVerdict(StrEnum):
    """What one check says of the data."""

    PASS = "pass"  # noqa: S105 - a verdict
    FAIL = "fail"
    NOT_EVALUATED = "could not evaluate"


@dataclass(frozen=True)
class CheckResult:
    """The answer to one check.

    `observed` is the measured value where the check compares one, `unexpected_count` the rows
    that broke it (`unexpected_share` of all `row_count`), `samples` a few of them as text,
    `reason` why it could not be evaluated. `run_by` is great_expectations or pipelineplan.
    """

    dataset: str
    title: str
    dimension: str
    severity: Severity
    verdict: CheckVerdict
    rule: str
    path: str
    position: Position
    run_by: str
    expectation_type: str
    columns: tuple[str, ...] = ()
    observed: str = ""
    unexpected_count: int | None = None
    row_count: int | None = None
    samples: tuple[str, ...] = ()
    reason: str = ""

    @property
    def unexpected_share(self) -> float | None:
        """The broken rows as a share (0 to 1) of all rows, where both are known."""
        if self.unexpected_count is None or not self.row_count:
            return None
        return self.unexpected_count / self.row_count


@dataclass(frozen=True)
class NotExecuted:
    """A rule that no check stands for, and why."""

    dataset: str
    rule: str
    path: str
    position: Position
    reason: str


@dataclass(frozen=True)
class QualityReport:
    """The results in the order of the suites; `datasets` gives the rows of each that had data.

    `mutation` is what the checks notice of faults, where that was asked.
    """

    datasets: Mapping[str, int]
    checks: tuple[CheckResult, ...]
    not_executable: tuple[NotExecuted, ...] = ()
    mutation: MutationReport | None = None

    def count(self, verdict: CheckVerdict, severity: Severity | None = None) -> int:
        """How many checks have `verdict`, of one severity or of all."""
        found = (check for check in self.checks if check.verdict is verdict)
        return sum(severity is None or check.severity is severity for check in found)

    @property
    def verdict(self) -> Verdict:
        """Fails when a check of severity error fails; unknown when any could not be evaluated."""
        if self.count(CheckVerdict.FAIL, Severity.ERROR):
            return Verdict.FAILS
        if self.count(CheckVerdict.NOT_EVALUATED):
            return Verdict.UNKNOWN
        return Verdict.HOLDS

    def to_rows(self) -> list[dict[str, Any]]:
        """One flat record per check, for a table."""
        return [_row(check) for check in self.checks]

    def to_arrow(self) -> Any:
        """The checks as a `pyarrow.Table`; samples as text."""
        return rows_to_arrow(
            [row | {"samples": "; ".join(map(str, row["samples"]))} for row in self.to_rows()]
        )

    def to_pandas(self) -> Any:
        """The checks as a `pandas.DataFrame`."""
        return rows_to_pandas(self.to_rows())

    def _repr_html_(self) -> str:
        kept = ("dataset", "title", "severity", "verdict", "unexpected_count", "row_count", "reason")
        return rows_to_html([{name: row[name] for name in kept} for row in self.to_rows()], str(self.verdict))

    def to_json_dict(self) -> dict[str, Any]:
        """Everything as plain JSON values; the same for the same data."""
        return {
            "verdict": str(self.verdict),
            "counts": {str(verdict): self.count(verdict) for verdict in CheckVerdict},
            "datasets": [{"dataset": name, "rows": rows} for name, rows in self.datasets.items()],
            "checks": self.to_rows(),
            "not_executable": [_not_executed(entry) for entry in self.not_executable],
            **({"mutation": self.mutation.to_json_dict()} if self.mutation is not None else {}),
        }


def _row(check: CheckResult) -> dict[str, Any]:
    return {
        "dataset": check.dataset,
        "title": check.title,
        "dimension": check.dimension,
        "severity": str(check.severity),
        "verdict": str(check.verdict),
        "observed": check.observed,
        "unexpected_count": check.unexpected_count,
        "unexpected_share": check.unexpected_share,
        "row_count": check.row_count,
        "samples": list(check.samples),
        "reason": check.reason,
        "rule": check.rule,
        "path": check.path,
        "position": str(check.position),
        "columns": list(check.columns),
        "expectation_type": check.expectation_type,
        "run_by": check.run_by,
    }


def _not_executed(entry: NotExecuted) -> dict[str, Any]:
    return {
        "dataset": entry.dataset,
        "rule": entry.rule,
        "path": entry.path,
        "position": str(entry.position),
        "reason": entry.reason,
    }
