"""Static judges of a plan: inequalities with numbers in them, and criteria that must be answered."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from datetime import date
from pathlib import Path

from pipelineplan.documents.comments import comments_in
from pipelineplan.plan import Plan
from pipelineplan.rules import (  # noqa: F401  (importing a module registers its rules)
    attestations,
    backfill,
    capacity,
    change_capture,
    checkpoints,
    components,
    contract_fit,
    cost,
    criteria,
    cutover,
    delivery,
    deprecation,
    duties,
    event_time,
    facts,
    fed_plans,
    files,
    ordering,
    parallelism,
    reconciliation,
    recovery_targets,
    resilience,
    retention,
    revisions,
    schedule,
    schema_evidence,
    schema_evolution,
    sizing,
    slo,
    state,
    time_limits,
    tuning,
)
from pipelineplan.rules.accepting import LIVING
from pipelineplan.rules.policies import judge_policies, policies_of, policy_page
from pipelineplan.rules.registry import RULES, Rule, apply
from pipelineplan.rules.revisions import judge_revision
from pipelineplan.rules.suppressions import with_comments
from pipelineplan.rules.validity import depends_on_day, with_day
from pipelineplan.verdicts import Finding

__all__ = [
    "RULES",
    "Rule",
    "apply",
    "depends_on_day",
    "judge",
    "judge_revision",
    "judged_with_comments",
    "rule_codes",
    "rule_page",
    "schema_evidence",
    "schema_evolution",
    "with_day",
]


def judge(
    plan: Plan, select: Iterable[str] = (), ignore: Iterable[str] = (), *, holding: bool = True
) -> tuple[Finding, ...]:
    """Every verdict on `plan`: of the inequalities, of the criteria, of the organisation's policies.

    `select` keeps the codes that start with one of its entries, `ignore` leaves such codes out. Without
    `holding`, what holds is only counted: its findings say no more than their codes.
    """
    policies = policies_of(plan.root.folder, frozenset(_built_in_codes()))
    findings = [finding for _, one in sorted(RULES.items()) for finding in apply(one, plan, holding=holding)]
    findings += criteria.judge(plan, holding=holding)
    findings += judge_policies(plan, policies)
    return selected(findings, tuple(select), tuple(ignore))


def judged_with_comments(
    plan: Plan,
    findings: Sequence[Finding],
    as_of: date,
    select: Iterable[str] = (),
    ignore: Iterable[str] = (),
) -> tuple[Finding, ...]:
    """`findings` with those accepted that a comment in the plan lets pass on the day `as_of`.

    What is wrong with comments is among them, as far as `select` and `ignore` want it.
    """
    if not comments_in(plan.own_lines):
        return tuple(findings)
    wanted, unwanted = tuple(select), tuple(ignore)
    own = policies_of(plan.root.folder, frozenset(_built_in_codes()))
    known = [*rule_codes(), *(policy.code for policy in own)]
    complete = not wanted and not unwanted
    return selected(with_comments(plan, findings, as_of, known, complete=complete), wanted, unwanted)


def selected(
    findings: Iterable[Finding], select: tuple[str, ...], ignore: tuple[str, ...]
) -> tuple[Finding, ...]:
    """The findings whose codes start with one of `select` (all, if empty) and with none of `ignore`."""
    wanted = select or ("",)
    return tuple(
        finding
        for finding in findings
        if finding.code.startswith(wanted) and not (ignore and finding.code.startswith(ignore))
    )


def _built_in_codes() -> list[str]:
    return [*RULES, *LIVING, *criteria.codes()]


def rule_codes() -> list[str]:
    """The codes of every rule and of every criterion that is judged, sorted."""
    return sorted({*RULES, *LIVING, *criteria.codes()})


def rule_page(code: str, root: Path | None = None) -> Mapping[str, str] | None:
    """What a rule says about itself, by the names of its fields; None for an unknown code.

    With the `root` folder of a plan, the policies configured there are known too.
    """
    one = RULES.get(code) or LIVING.get(code)
    if one is None:
        own = policies_of(root, frozenset(_built_in_codes())) if root is not None else ()
        pages = {policy.code: policy_page(policy) for policy in own}
        return criteria.page(code) or pages.get(code)
    words = ("title", "why", "formula", "bad", "good", "fix", "source", "status")
    return {"code": one.code, **{word: str(getattr(one, word)) for word in words}}
