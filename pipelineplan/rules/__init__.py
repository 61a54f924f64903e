"""Static judges of a plan: inequalities with numbers in them, and criteria that must be answered."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from pathlib import Path

from pipelineplan.plan import Plan
from pipelineplan.rules import (  # noqa: F401  (importing a module registers its rules)
    backfill,
    capacity,
    change_capture,
    checkpoints,
    contract_fit,
    criteria,
    cutover,
    delivery,
    deprecation,
    event_time,
    fed_plans,
    files,
    ordering,
    parallelism,
    reconciliation,
    retention,
    revisions,
    schedule,
    schema_evidence,
    schema_evolution,
    state,
    time_limits,
    tuning,
)
from pipelineplan.rules.policies import judge_policies, policies_of, policy_page
from pipelineplan.rules.registry import RULES, Rule, apply
from pipelineplan.rules.revisions import judge_revision
from pipelineplan.verdicts import Finding

__all__ = [
    "RULES",
    "Rule",
    "apply",
    "judge",
    "judge_revision",
    "rule_codes",
    "rule_page",
    "schema_evidence",
    "schema_evolution",
]


def judge(plan: Plan, select: Iterable[str] = (), ignore: Iterable[str] = ()) -> tuple[Finding, ...]:
    """Every verdict on `plan`: of the inequalities, of the criteria, of the organisation's policies.

    `select` keeps the codes that start with one of its entries, `ignore` leaves such codes out.
    """
    wanted, unwanted = tuple(select) or ("",), tuple(ignore)
    policies = policies_of(plan.root.folder, frozenset(_built_in_codes()))
    findings = [finding for _, one in sorted(RULES.items()) for finding in apply(one, plan)]
    findings += criteria.judge(plan)
    findings += judge_policies(plan, policies)
    return tuple(
        finding
        for finding in findings
        if finding.code.startswith(wanted) and not (unwanted and finding.code.startswith(unwanted))
    )


def _built_in_codes() -> list[str]:
    return [*RULES, *criteria.codes()]


def rule_codes() -> list[str]:
    """The codes of every rule and of every criterion that is judged, sorted."""
    return sorted({*RULES, *criteria.codes()})


def rule_page(code: str, root: Path | None = None) -> Mapping[str, str] | None:
    """What a rule says about itself, by the names of its fields; None for an unknown code.

    With the `root` folder of a plan, the policies configured there are known too.
    """
    one = RULES.get(code)
    if one is None:
        own = policies_of(root, frozenset(_built_in_codes())) if root is not None else ()
        pages = {policy.code: policy_page(policy) for policy in own}
        return criteria.page(code) or pages.get(code)
    words = ("title", "why", "formula", "bad", "good", "fix", "source", "status")
    return {"code": one.code, **{word: str(getattr(one, word)) for word in words}}
