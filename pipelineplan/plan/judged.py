"""A plan with every verdict on it."""

from __future__ import annotations

from dataclasses import dataclass, field

from pipelineplan.plan.plan import Plan
from pipelineplan.verdicts.of_plan import About, PlanVerdicts


@dataclass(frozen=True)
class CheckResult(PlanVerdicts):
    """The verdicts on one plan, those that hold among them, with the plan itself."""

    plan: Plan = field(kw_only=True)


def about_of(plan: Plan) -> About:
    """What reports say of `plan` itself."""
    metadata = plan.model.metadata
    return About(plan.name, plan.file, plan.root.folder, metadata.owner or "", metadata.quality_level)
