"""A judged plan leaves nothing behind that only a search for cycles of objects would free."""

from __future__ import annotations

import gc
from pathlib import Path

from pipelineplan.fleet.checking import Asked, check_one, check_plans

EXAMPLES = Path(__file__).parents[2] / "examples"


def test_judged_plans_leave_no_cycles_behind() -> None:
    plans = sorted(EXAMPLES.glob("*/plan.yaml"))
    for plan in plans:  # what is built once for all plans stays
        check_one(plan, Asked())
    gc.collect()
    gc.disable()
    try:
        for plan in plans:
            check_one(plan, Asked())
        assert gc.collect() < 10 * len(plans)
    finally:
        gc.enable()


def test_the_search_for_cycles_goes_on_after_a_check() -> None:
    check_plans([EXAMPLES / "orders-to-warehouse" / "plan.yaml"], Asked())
    assert gc.isenabled()
