"""Static judges of a plan: inequalities with numbers in them, and criteria that must be answered."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from pipelineplan.plan import Plan
from pipelineplan.rules import capacity, checkpoints, criteria, event_time, reconciliation
from pipelineplan.rules.registry import RULES, Rule, apply
from pipelineplan.verdicts import Finding

__all__ = [
    "RULES",
    "Rule",
    "apply",
    "capacity",
    "checkpoints",
    "criteria",
    "event_time",
    "judge",
    "reconciliation",
    "rule_codes",
    "rule_page",
]


def judge(plan: Plan, select: Iterable[str] = (), ignore: Iterable[str] = ()) -> tuple[Finding, ...]:
    """Every verdict on `plan`: of the inequalities, then of the criteria.

    `select` keeps the codes that start with one of its entries, `ignore` leaves such codes out.
    """
    wanted, unwanted = tuple(select) or ("",), tuple(ignore)
    findings = [finding for one in RULES.values() for finding in apply(one, plan)]
    findings += criteria.judge(plan)
    return tuple(
        finding
        for finding in findings
        if finding.code.startswith(wanted) and not (unwanted and finding.code.startswith(unwanted))
    )


def rule_codes() -> list[str]:
    """The codes of every rule and of every criterion that is judged, sorted."""
    return sorted({*RULES, *criteria.codes()})


def rule_page(code: str) -> Mapping[str, str] | None:
    """What a rule says about itself, by the names of its fields; None for an unknown code."""
    one = RULES.get(code)
    if one is None:
        return criteria.page(code)
    words = ("title", "why", "formula", "bad", "good", "fix", "source", "status")
    return {"code": one.code, **{word: str(getattr(one, word)) for word in words}}
