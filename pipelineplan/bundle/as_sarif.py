"""Findings as SARIF 2.1.0, which code hosts show at the line of the plan that is wrong.

    runs[0].tool.driver.rules[i]   what the rule is and why       results[j].ruleIndex = i
    results[j].relatedLocations    where the values stand that the verdict was made from: the plan's other
                                   lines, and the files of the real system that contradict it

Only what fails or is unknown, and is not accepted, becomes a result: a host would raise an alert for
what a team has said it lives with. Source: OASIS, Static Analysis Results Interchange Format (SARIF)
Version 2.1.0, 2020, sections 3.19 (toolComponent), 3.27 (result), 3.27.22 (relatedLocations),
3.29 (physicalLocation).
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any
from urllib.parse import quote

from pipelineplan.bundle.escaping import line, plain
from pipelineplan.errors import Position
from pipelineplan.rules import rule_page
from pipelineplan.verdicts import Basis, Finding, Operand, Severity, Verdict

SCHEMA = "https://docs.oasis-open.org/sarif/sarif/v2.1.0/errata01/os/schemas/sarif-schema-2.1.0.json"
_LEVELS = {Severity.ERROR: "error", Severity.WARNING: "warning", Severity.INFO: "note"}


def as_sarif(
    findings: Iterable[Finding],
    *,
    version: str = "",
    strict: bool = False,
) -> dict[str, Any]:
    """The findings that do not hold as a SARIF log; a level is what the finding counts as."""
    wanting = [one for one in findings if one.verdict is not Verdict.HOLDS and one.accepted is None]
    codes = sorted({finding.code for finding in wanting})
    index = {code: number for number, code in enumerate(codes)}
    titles = {finding.code: finding.title for finding in wanting}
    driver: dict[str, Any] = {
        "name": "pipelineplan",
        "rules": [_rule(code, titles[code], rule_page(code) or {}) for code in codes],
    }
    if version:
        driver["version"] = version
    run = {
        "tool": {"driver": driver},
        "columnKind": "unicodeCodePoints",
        "results": [_result(finding, index[finding.code], strict=strict) for finding in wanting],
    }
    return {"$schema": SCHEMA, "version": "2.1.0", "runs": [run]}


def _rule(code: str, title: str, page: Mapping[str, str]) -> dict[str, Any]:
    described: dict[str, Any] = {"id": code, "shortDescription": {"text": line(title) or code}}
    if page:
        words = (("why", ""), ("formula", "Must hold"), ("fix", "Fix"), ("source", "Source"))
        told = [f"{label}: {page[name]}" if label else page[name] for name, label in words if page.get(name)]
        described["fullDescription"] = {"text": page["why"]}
        described["help"] = {"text": "\n".join(told)}
        described["properties"] = {"tags": ["data-pipeline", page.get("status", "stable")]}
    return described


def _result(finding: Finding, index: int, *, strict: bool) -> dict[str, Any]:
    ending = "" if not finding.fix or finding.fix in finding.message else f"; {finding.fix}"
    elsewhere = [
        {**_location(operand.position, operand.path), "message": {"text": plain(_told(operand))}}
        for operand in finding.operands
        if operand.basis is not Basis.ASSUMED and _is_elsewhere(operand.position, finding.position)
    ]
    return {
        "ruleId": finding.code,
        "ruleIndex": index,
        "level": _LEVELS[finding.counts_as(strict=strict)],
        "message": {"text": plain(f"{finding.message}{ending}") or finding.code},
        "locations": [_location(finding.position, finding.path)],
        **({"relatedLocations": elsewhere} if elsewhere else {}),
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


def _is_elsewhere(place: Position, finding: Position) -> bool:
    return place.line > 0 and (place.file, place.line) != (finding.file, finding.line)


def _told(operand: Operand) -> str:
    return f"{operand.name}: {operand.shown} ({operand.basis.value})"


def _location(place: Position, path: str) -> dict[str, Any]:
    physical: dict[str, Any] = {"artifactLocation": {"uri": quote(place.file, safe="/")}}
    if place.line > 0:
        region = {"startLine": place.line}
        if place.column > 0:
            region["startColumn"] = place.column
        physical["region"] = region
    logical = {"fullyQualifiedName": line(path), "kind": "member"}
    return {"physicalLocation": physical, "logicalLocations": [logical]}


def _operand(operand: Operand) -> dict[str, Any]:
    return {
        "symbol": operand.symbol,
        "name": line(operand.name),
        "shown": line(operand.shown),
        "basis": operand.basis.value,
        "path": line(operand.path),
    }
