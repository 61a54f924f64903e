"""Findings as JUnit XML, which every CI system draws: a suite per rule, a case per object of the plan.

What fails is a failure, or an error-free skip where it only informs or is accepted; what is unknown is
skipped with the reason; what holds passes.
"""

from __future__ import annotations

from collections.abc import Iterable
from xml.sax.saxutils import escape, quoteattr

from pipelineplan.bundle.escaping import line, plain
from pipelineplan.verdicts import Finding, Severity, Verdict


def as_junit(
    findings: Iterable[Finding],
    *,
    strict: bool = False,
    fail_on: Severity = Severity.ERROR,
) -> str:
    """The findings as one JUnit document; findings that count at least as `fail_on` are failures."""
    by_code: dict[str, list[Finding]] = {}
    for finding in findings:
        by_code.setdefault(finding.code, []).append(finding)
    suites = [_suite(code, by_code[code], strict=strict, fail_on=fail_on) for code in sorted(by_code)]
    total = sum(len(cases) for cases in by_code.values())
    body = "\n".join(suites)
    head = '<?xml version="1.0" encoding="UTF-8"?>'
    return f'{head}\n<testsuites name="pipelineplan" tests="{total}">\n{body}\n</testsuites>\n'


def _suite(code: str, findings: list[Finding], *, strict: bool, fail_on: Severity) -> str:
    outcomes = [_outcome(finding, strict=strict, fail_on=fail_on) for finding in findings]
    failures = sum(1 for outcome in outcomes if outcome.startswith("<failure"))
    skipped = sum(1 for outcome in outcomes if outcome.startswith("<skipped"))
    cases = "\n".join(_case(finding, outcome) for finding, outcome in zip(findings, outcomes, strict=True))
    name = _attribute(f"{code} {findings[0].title}")
    counts = f'tests="{len(findings)}" failures="{failures}" errors="0" skipped="{skipped}"'
    return f"  <testsuite name={name} {counts}>\n{cases}\n  </testsuite>"


def _case(finding: Finding, outcome: str) -> str:
    name = _attribute(f"{finding.path} {finding.subject}".strip())
    place = f'file={_attribute(finding.position.file)} line="{finding.position.line}"'
    head = f"    <testcase classname={_attribute(finding.code)} name={name} {place}"
    return f"{head}>{outcome}</testcase>" if outcome else f"{head}/>"


def _outcome(finding: Finding, *, strict: bool, fail_on: Severity) -> str:
    if finding.verdict is Verdict.HOLDS:
        return ""
    counts = finding.counts_as(strict=strict)
    if finding.accepted is not None:
        return f"<skipped message={_attribute(f'accepted: {finding.accepted.reason}')}/>"
    if counts.rank >= fail_on.rank:
        detail = escape(plain(f"{finding.position}: {finding.path}\n{finding.formula}\n{finding.fix}"))
        return f'<failure type="{counts.value}" message={_attribute(finding.message)}>{detail}</failure>'
    return f"<skipped message={_attribute(f'{finding.verdict.value}, {counts.value}: {finding.message}')}/>"


def _attribute(text: str) -> str:
    return quoteattr(line(text))
