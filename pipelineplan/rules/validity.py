"""What the day of judgement settles: which attestations are still valid."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import date

from pipelineplan.plan import Plan
from pipelineplan.rules.attestations import valid_until, validity
from pipelineplan.rules.registry import RULES, judged
from pipelineplan.verdicts import Finding

_CODE = "ATT103"


def with_day(plan: Plan, findings: Iterable[Finding], today: date | None) -> tuple[Finding, ...]:
    """`findings` with those on attestations judged as of `today`; as they are without a day."""
    given = tuple(findings)
    if today is None or not depends_on_day(plan):
        return given
    told = {one.fingerprint: one for one in judged(RULES[_CODE], plan, validity(plan, today))}
    return tuple(told.get(finding.fingerprint, finding) for finding in given)


def depends_on_day(plan: Plan) -> bool:
    """Whether another day of judgement could give other findings: an attestation ends."""
    return any(valid_until(one) is not None for one in plan.model.attestations)
