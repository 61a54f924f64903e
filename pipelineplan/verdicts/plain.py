"""A finding as plain data and back: the one shape that every JSON output of the package has.

    {"code": "CAP101", "verdict": "fails", "severity": "error", "path": "$.stages[0]", "line": 7, ...}

`severity` is what the finding counts as, `rule_severity` what its rule says at the plan's quality level.
Numbers are in base units; what is not finite is null. `pipelineplan schema --for check` has the schema.
"""

from __future__ import annotations

import math
from typing import Any

from pipelineplan.errors import Position
from pipelineplan.quantities import Dimension
from pipelineplan.verdicts.finding import Accepted, Basis, Finding, Operand, Severity, Verdict


def finding_json(finding: Finding, *, strict: bool) -> dict[str, Any]:
    """A finding as plain data."""
    return {
        "code": finding.code,
        "verdict": finding.verdict.value,
        "severity": finding.counts_as(strict=strict).value,
        "rule_severity": finding.severity.value,
        "title": finding.title,
        "message": finding.message,
        "subject": finding.subject,
        "path": finding.path,
        **_place(finding.position),
        "formula": finding.formula,
        "operands": [operand_json(operand) for operand in finding.operands],
        "rests_on": list(finding.rests_on),
        "nearest": list(finding.nearest),
        "fix": finding.fix,
        "fingerprint": finding.fingerprint,
        "accepted": None if finding.accepted is None else _accepted_json(finding.accepted),
        "source_line": finding.source_line,
    }


def operand_json(operand: Operand) -> dict[str, Any]:
    """An operand as plain data, in its base unit."""
    return {
        "symbol": operand.symbol,
        "name": operand.name,
        "value": _finite(operand.value),
        "low": _finite(operand.low),
        "high": _finite(operand.high),
        "unit": operand.dimension.value if operand.dimension is not None else "",
        "shown": operand.shown,
        "basis": operand.basis.value,
        "path": operand.path,
        **_place(operand.position),
    }


def finding_of(data: dict[str, Any]) -> Finding:
    """The finding that `finding_json` wrote; raises `KeyError`, `TypeError` or `ValueError` for another."""
    accepted = data["accepted"]
    return Finding(
        code=data["code"],
        verdict=Verdict(data["verdict"]),
        severity=Severity(data["rule_severity"]),
        title=data["title"],
        message=data["message"],
        path=data["path"],
        position=_position(data),
        subject=data["subject"],
        fix=data["fix"],
        formula=data["formula"],
        operands=tuple(_operand_of(operand) for operand in data["operands"]),
        nearest=tuple(data["nearest"]),
        fingerprint=data["fingerprint"],
        rests_on=tuple(data["rests_on"]),
        accepted=None if accepted is None else _accepted_of(accepted),
        source_line=data["source_line"],
    )


def _operand_of(data: dict[str, Any]) -> Operand:
    value, low, high = (math.inf if data[key] is None else data[key] for key in ("value", "low", "high"))
    return Operand(
        data["symbol"],
        data["name"],
        value,
        low,
        high,
        Basis(data["basis"]),
        data["path"],
        _position(data),
        Dimension(data["unit"]) if data["unit"] else None,
    )


def _accepted_json(accepted: Accepted) -> dict[str, Any]:
    return {
        "by": accepted.by,
        "reason": accepted.reason,
        "owner": accepted.owner,
        "until": accepted.until,
        **_place(accepted.position),
    }


def _accepted_of(data: dict[str, Any]) -> Accepted:
    return Accepted(data["by"], data["reason"], _position(data), data["until"], data["owner"])


def _place(position: Position) -> dict[str, Any]:
    return {"file": position.file, "line": position.line, "column": position.column}


def _position(data: dict[str, Any]) -> Position:
    return Position(data["file"], data["line"], data["column"])


def _finite(value: float) -> float | None:
    return value if math.isfinite(value) else None
