"""A judged plan leaves nothing behind that only a search for cycles of objects would free."""

from __future__ import annotations

import gc
from pathlib import Path

from pipelineplan.fleet.checking import Asked, check_one, check_plans
from pipelineplan.plan import Plan

EXAMPLES = Path(__file__).parents[2] / "examples"


def plans_in_memory() -> int:
    return sum(isinstance(one, Plan) for one in gc.get_objects())


def test_a_judged_plan_is_gone_without_a_search_for_cycles() -> None:
    plans = sorted(EXAMPLES.glob("*/plan.yaml"))
    gc.collect()
    gc.disable()
    try:
        before = plans_in_memory()
        for plan in plans:
            check_one(plan, Asked())
        assert len(plans) >= 5
        assert plans_in_memory() <= before
    finally:
        gc.enable()


def test_the_search_for_cycles_goes_on_after_a_check() -> None:
    check_plans([EXAMPLES / "orders-to-warehouse" / "plan.yaml"], Asked())
    assert gc.isenabled()
