"""Findings as SARIF 2.1.0, which code hosts show at the line of the plan that is wrong.

    runs[0].tool.driver.rules[i]   what the rule is and why       results[j].ruleIndex = i

Only what fails or is unknown becomes a result. Source: OASIS, Static Analysis Results Interchange
Format (SARIF) Version 2.1.0, 2020, sections 3.19 (toolComponent), 3.27 (result), 3.29 (physicalLocation).
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any
from urllib.parse import quote

from pipelineplan.bundle.escaping import line, plain
from pipelineplan.rules import RULES, Rule
from pipelineplan.verdicts import Finding, Operand, Severity, Verdict

SCHEMA = "https://docs.oasis-open.org/sarif/sarif/v2.1.0/errata01/os/schemas/sarif-schema-2.1.0.json"
_LEVELS = {Severity.ERROR: "error", Severity.WARNING: "warning", Severity.INFO: "note"}


def as_sarif(
    findings: Iterable[Finding],
    *,
    version: str = "",
    strict: bool = False,
    rules: Mapping[str, Rule] = RULES,
) -> dict[str, Any]:
    """The findings that do not hold as a SARIF log; a level is what the finding counts as."""
    wanting = [finding for finding in findings if finding.verdict is not Verdict.HOLDS]
    codes = sorted({finding.code for finding in wanting})
    index = {code: number for number, code in enumerate(codes)}
    titles = {finding.code: finding.title for finding in wanting}
    driver: dict[str, Any] = {
        "name": "pipelineplan",
        "rules": [_rule(code, titles[code], rules.get(code)) for code in codes],
    }
    if version:
        driver["version"] = version
    run = {
        "tool": {"driver": driver},
        "columnKind": "unicodeCodePoints",
        "results": [
            _result(finding, index[finding.code], strict=strict) for finding in wanting
        ],
    }
    return {"$schema": SCHEMA, "version": "2.1.0", "runs": [run]}


def _rule(code: str, title: str, known: Rule | None) -> dict[str, Any]:
    described: dict[str, Any] = {
        "id": code,
        "shortDescription": {"text": line(title) or code},
    }
    if known is not None:
        text = f"{known.why}\n\nMust hold: {known.formula}\nFix: {known.fix}\nSource: {known.source}"
        marked = f"{known.why}\n\n**Must hold:** `{known.formula}`\n\n**Fix:** {known.fix}\n\n**Source:** {known.source}"
        described["fullDescription"] = {"text": known.why}
        described["help"] = {"text": text, "markdown": marked}
        described["properties"] = {"tags": ["data-pipeline", known.status]}
    return described


def _result(finding: Finding, index: int, *, strict: bool) -> dict[str, Any]:
    ending = (
        "" if not finding.fix or finding.fix in finding.message else f"; {finding.fix}"
    )
    return {
        "ruleId": finding.code,
        "ruleIndex": index,
        "level": _LEVELS[finding.counts_as(strict=strict)],
        "message": {"text": plain(f"{finding.message}{ending}") or finding.code},
        "locations": [_location(finding)],
        "partialFingerprints": {"pipelineplanFinding/v1": finding.fingerprint},
        "properties": {
            "verdict": finding.verdict.value,
            "severity": finding.severity.value,
            "subject": line(finding.subject),
            "operands": [_operand(operand) for operand in finding.operands],
            "restsOn": list(finding.rests_on),
            "nearest": [line(change) for change in finding.nearest],
        },
    }


def _location(finding: Finding) -> dict[str, Any]:
    place = finding.position
    physical: dict[str, Any] = {
        "artifactLocation": {"uri": quote(place.file, safe="/")}
    }
    if place.line > 0:
        region = {"startLine": place.line}
        if place.column > 0:
            region["startColumn"] = place.column
        physical["region"] = region
    logical = {"fullyQualifiedName": line(finding.path), "kind": "member"}
    return {"physicalLocation": physical, "logicalLocations": [logical]}


def _operand(operand: Operand) -> dict[str, Any]:
    return {
        "symbol": operand.symbol,
        "name": line(operand.name),
        "shown": line(operand.shown),
        "basis": operand.basis.value,
        "path": line(operand.path),
    }
