"""A sample of tests/full/precision_recall.py: of sixty mutants none is missed, none cried wolf over."""

from __future__ import annotations

import sys
from pathlib import Path
from random import Random

import pytest

sys.path.insert(0, str(Path(__file__).parent))

from precision.bench import JUDGES
from precision.campaign import FAILS, cases, clopper_pearson, counted
from precision.mutants import mutant
from precision.plans import random_plan

from pipelineplan.rules import RULES


@pytest.mark.slow
def test_what_judges_find_out_is_what_the_rules_say() -> None:
    found = list(cases(plans=20, mutants=3, seed=2, simulated=2))
    assert [one.name for one in found if not one.where and FAILS in one.said.values()] == []
    counts = counted([one for one in found if one.where])
    assert {code: [m.name for m in one.missed] for code, one in counts.items() if one.missed} == {}
    assert {code: [m.name for m in one.alarms] for code, one in counts.items() if one.alarms} == {}
    assert sum(len(one.caught) for one in counts.values()) >= 8


def test_mutants_are_the_same_for_the_same_seed() -> None:
    def drawn() -> list[tuple[str, str]]:
        draw = Random(3)
        tree = random_plan(draw, 0)
        return [(one.where, one.how) for one in (mutant(tree, draw) for _ in range(20))]

    assert drawn() == drawn()
    assert len(set(drawn())) > 15


def test_every_judge_is_of_a_rule() -> None:
    assert set(JUDGES) <= set(RULES)


@pytest.mark.parametrize(
    ("hits", "of", "low", "high"),
    [(0, 10, 0.0, 0.3085), (10, 10, 0.6915, 1.0), (5, 10, 0.1871, 0.8129), (95, 100, 0.8872, 0.9836)],
)
def test_bounds_are_those_of_the_printed_table(hits: int, of: int, low: float, high: float) -> None:
    """Clopper and Pearson, Biometrika 26, 1934; the values as scipy's binomtest gives them."""
    assert clopper_pearson(hits, of) == pytest.approx((low, high), abs=5e-5)


@pytest.mark.parametrize(("was", "now"), [(24, 36), (18, 36), (36, 24), (7, 12), (10, 10)])
def test_the_share_of_keys_that_move_is_counted(was: int, now: int) -> None:
    """ORD105's `1 - min / lcm`, hash by hash."""
    import math

    stay = sum(hashed % was == hashed % now for hashed in range(was * now))
    assert stay / (was * now) == pytest.approx(min(was, now) / math.lcm(was, now))
