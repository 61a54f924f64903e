"""Two numbers that a verdict compares are said so that the reader sees which is larger."""

from __future__ import annotations

import math

import pytest

from pipelineplan.quantities import Dimension, say_apart, say_between


@pytest.mark.parametrize(
    ("one", "other", "dimension", "said"),
    [
        (2010.5, 2010.0, Dimension.DURATION, ("33.51 min", "33.5 min")),
        (3601.0, 3600.0, Dimension.DURATION, ("60.02 min", "1 h")),
        (60_000_002_000.0, 60e9, Dimension.SIZE, ("60.000002 GB", "60 GB")),
        (0.7008, 0.7, Dimension.SHARE, ("70.1 %", "70 %")),
        (40_000.0, 7200.0, Dimension.DURATION, ("11.1 h", "2 h")),
        (90.0, 90.0, Dimension.DURATION, ("1.5 min", "1.5 min")),
        (math.inf, 60.0, Dimension.DURATION, ("never", "1 min")),
    ],
)
def test_as_many_digits_as_it_takes(
    one: float, other: float, dimension: Dimension, said: tuple[str, str]
) -> None:
    assert say_apart(one, other, dimension) == said


@pytest.mark.parametrize(
    ("low", "high", "said"),
    [
        (102_240.0, 188_000.0, "28.4 h to 52.2 h"),
        (92.0, 153.0, "1.53 min to 2.55 min"),
        (30.0, 188_000.0, "30 s to 2.18 d"),
        (250.0, math.inf, "4.17 min to never"),
        (0.0, 60.0, "0 s to 1 min"),
    ],
)
def test_ends_of_like_size_have_one_unit(low: float, high: float, said: str) -> None:
    assert say_between(low, high, Dimension.DURATION) == said


def test_a_rate_needs_no_unit_of_its_own() -> None:
    assert say_between(3325.0, 3675.0, Dimension.RATE) == "3,325/s to 3,675/s"


def test_what_no_plan_can_hold_is_said_all_the_same() -> None:
    one, other = say_apart(1.1e30, 1.2e30, Dimension.DURATION)
    assert one.endswith(" d")
    assert one != other
