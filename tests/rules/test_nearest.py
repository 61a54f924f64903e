"""The nearest value that would hold is searched for within bounds, whatever a plan says."""

from __future__ import annotations

import pytest

from pipelineplan.errors import Position
from pipelineplan.rules.claim import Change, nearest
from pipelineplan.rules.inequality import inequality
from pipelineplan.verdicts import Basis, Operand

HUGE = 1e9


@pytest.mark.parametrize("rises", [True, False])
def test_a_huge_whole_number_is_not_counted_through(rises: bool) -> None:  # noqa: FBT001
    tried = []

    def left(values: dict[str, float]) -> float:
        tried.append(values["n"])
        return 1.0

    operand = Operand("n", "instances", HUGE, HUGE, HUGE, Basis.DECLARED, "$.n", Position("plan.yaml"))
    changes = (Change("n", rises=rises, whole=True),)
    claim = inequality((), "x", (operand,), left, lambda _: 0.0, lambda _: "", changes=changes)  # type: ignore[arg-type]
    assert list(nearest(claim)) == []
    assert len(tried) <= 20_000


def test_a_near_one_is_found() -> None:
    operand = Operand("n", "instances", 3.0, 3.0, 3.0, Basis.DECLARED, "$.n", Position("plan.yaml"))
    changes = (Change("n", rises=True, whole=True),)
    claim = inequality((), "x", (operand,), lambda _: 7.0, lambda v: v["n"], lambda _: "", changes=changes)
    assert [value for _, value in nearest(claim)] == [7.0]
