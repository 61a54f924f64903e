"""What the day of judgement settles: which attestations are still valid."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import date

from pipelineplan.plan import Plan
from pipelineplan.rules import RULES
from pipelineplan.rules.attestations import validity
from pipelineplan.rules.registry import judged
from pipelineplan.verdicts import Finding

_CODE = "ATT103"


def with_day(plan: Plan, findings: Iterable[Finding], today: date | None) -> tuple[Finding, ...]:
    """`findings` with those on attestations judged as of `today`; as they are without a day."""
    given = tuple(findings)
    if today is None or not any(finding.code == _CODE for finding in given):
        return given
    told = {one.fingerprint: one for one in judged(RULES[_CODE], plan, validity(plan, today))}
    return tuple(told.get(finding.fingerprint, finding) for finding in given)
