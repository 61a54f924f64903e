"""What rules ask a plan again and again is worked out once, and never for another plan."""

from __future__ import annotations

from pathlib import Path

from pipelineplan.plan import Plan, read_plan
from pipelineplan.plan.changing import path_named, with_value
from pipelineplan.plan.load import arrivals, worker_share
from pipelineplan.plan.plan import once
from pipelineplan.plan.stage import Stage

PLAN = Path(__file__).parents[2] / "examples" / "demo-fails"


def test_a_question_about_the_same_section_is_asked_once() -> None:
    asked: list[str] = []

    @once
    def capacity(plan: Plan, stage: Stage, *, times: float = 1.0) -> float:
        asked.append(f"{plan.name} {stage.id} {times}")
        return float(stage.capacity.value if stage.capacity else 0) * times

    plan = read_plan(PLAN)
    first = capacity(plan, plan.model.stages[0])
    assert capacity(plan, plan.model.stages[0]) == first
    assert capacity(plan, plan.model.stages[0], times=2.0) == 2 * first
    assert capacity(read_plan(PLAN), plan.model.stages[0]) == first
    assert len(asked) == 3  # another factor is another question, and another plan is asked anew


def test_a_changed_plan_gives_its_own_answers() -> None:
    plan = read_plan(PLAN)
    stage = plan.model.stages[0].id
    before = worker_share(plan, stage)
    assert before is not None
    path = path_named(plan, f"sources.{plan.model.sources[0].id}.partitions")
    after = worker_share(with_value(plan, path, 64), stage)
    assert after is not None
    assert after.channels is not None
    assert before.channels is not None
    assert (before.channels.value, after.channels.value) == (plan.model.sources[0].partitions, 64)
    assert arrivals(plan, stage) == arrivals(with_value(plan, path, 64), stage)
