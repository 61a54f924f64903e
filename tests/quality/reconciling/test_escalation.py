"""Drift over closed windows: when it escalates, when it does not, and when it is over."""

from __future__ import annotations

from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pipelineplan.quality.reconciling.escalating import Level, Observed, Step, escalation


def steps(nets: list[float], tolerance: float, after: int) -> list[Step]:
    return list(escalation([Observed(i, abs(n), n) for i, n in enumerate(nets)], tolerance, after))


def levels(nets: list[float], tolerance: float, after: int) -> str:
    return "".join(str(step.level)[0] for step in steps(nets, tolerance, after))


@pytest.mark.parametrize("after", [3, 4, 6, 8])
def test_a_slow_drift_within_tolerance_escalates_after_k_windows(after: int) -> None:
    # 0.1 % a window, and every window within the tolerance, which k windows together pass.
    found = levels([0.001] * 10, tolerance=(after - 0.5) * 0.001, after=after)
    assert found == "q" * (after - 1) + "e" * (11 - after)


def test_a_gain_is_a_drift_as_well_as_a_loss() -> None:
    assert levels([-0.001] * 6, 0.0035, 4) == "qqqeee"


def test_what_swings_does_not_add_up() -> None:
    assert levels([0.001, -0.001] * 20, 0.0015, 4) == "q" * 40


def test_a_single_window_beyond_tolerance_is_noticed_and_k_in_a_row_escalate() -> None:
    assert levels([0, 0.02, 0, 0, 0.02, 0.02, 0.02], 0.03, 3)[:4] == "qqqq"
    # Each jump is undone by the next window, so that only the run of windows can escalate.
    swings = [0.02, -0.02, 0.02]
    assert levels([0, *swings, 0, 0, 0], 0.01, 3) == "qnneeeq"


def test_a_difference_that_swings_around_the_tolerance_calls_once() -> None:
    near = [0.0101, -0.0099, 0.0101, -0.0099] * 10
    found = levels([0.02, -0.02, 0.02, *near], 0.01, 2)
    assert found.strip("n").strip("e") == ""
    assert sum(a != b for a, b in pairwise(found)) == 1


def test_it_is_over_after_k_windows_that_agree() -> None:
    assert levels([0.02, -0.02, 0, 0, 0, 0], 0.01, 2) == "neeqqq"
    assert steps([0.02, -0.02, 0, 0], 0.01, 2)[-1].drift == 0


def test_with_no_tolerance_one_difference_in_k_equals_one_window_escalates() -> None:
    assert levels([0, 0, 0.0001, 0], 0.0, 1) == "qqeq"


@given(st.lists(st.sampled_from([0.0, 0.001, -0.001, 0.02, -0.02]), max_size=40), st.integers(1, 6))
def test_laws(nets: list[float], after: int) -> None:
    found = steps(nets, 0.01, after)
    assert len(found) == len(nets)
    for number, step in enumerate(found):
        # Nobody is called before k windows, and who is called is told why in that window.
        if step.level is Level.ESCALATED and (number == 0 or found[number - 1].level is not Level.ESCALATED):
            assert step.reason
            assert number + 1 >= after
    assert all(step.level is Level.QUIET for step in steps([0.0] * 20, 0.0, after))
