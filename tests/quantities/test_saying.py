"""Base units, said as people say them; and read back, they are what was said."""

from __future__ import annotations

import math

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from pipelineplan.quantities import Dimension, parse, say, say_seconds, say_share


@pytest.mark.parametrize(
    ("seconds", "said"),
    [
        (39_600, "11 h"),
        (3046.15, "50.8 min"),
        (3600, "1 h"),
        (60, "1 min"),
        (90, "1.5 min"),
        (61, "61 s"),
        (5000, "83.3 min"),
        (86_400, "1 d"),
        (100_000, "27.8 h"),
        (259_200, "3 d"),
        (0.2, "200 ms"),
        (0, "0 s"),
        (0.0004, "0.0004 s"),
        (math.inf, "never"),
    ],
)
def test_durations(seconds: float, said: str) -> None:
    assert say_seconds(seconds) == said


@pytest.mark.parametrize(
    ("share", "said"),
    [
        (0.9167, "91.7 %"),
        (0.995, "99.5 %"),
        (0.9995, "99.95 %"),
        (0.99999, "99.999 %"),
        (1, "100 %"),
        (0, "0 %"),
        (0.021, "2.1 %"),
        (0.0005, "0.05 %"),
        (1.5, "150 %"),
    ],
)
def test_shares_keep_the_digits_that_tell_them_from_all_and_nothing(share: float, said: str) -> None:
    assert say_share(share) == said


@pytest.mark.parametrize(
    ("value", "dimension", "said"),
    [
        (1833.33, Dimension.RATE, "1,833/s"),
        (12.34, Dimension.RATE, "12.3/s"),
        (780, Dimension.SIZE, "780 B"),
        (600e9, Dimension.SIZE, "600 GB"),
        (2**30, Dimension.SIZE, "1.07 GB"),
        (15e6, Dimension.BANDWIDTH, "15 MB/s"),
        (0.08 / 30, Dimension.GROWTH, "8 %/month"),
        (math.inf, Dimension.RATE, "unbounded/s"),
    ],
)
def test_other_dimensions(value: float, dimension: Dimension, said: str) -> None:
    assert say(value, dimension) == said


@given(st.sampled_from(Dimension), st.one_of(st.floats(1e-3, 1e15), st.floats(1e-5, 1.0)))
@example(Dimension.SHARE, 0.001953125)
def test_law_what_is_said_can_be_read_and_is_right_to_three_digits(
    dimension: Dimension, value: float
) -> None:
    if dimension in {Dimension.SHARE, Dimension.GROWTH}:
        value = min(value, 1.0)
    read = parse(say(value, dimension).replace(",", ""), dimension)
    assert read.value == pytest.approx(value, rel=6e-3)


@given(st.floats(0.98, 1.0, exclude_max=True))
def test_law_only_a_whole_is_said_to_be_all_of_it(share: float) -> None:
    if 1 - share > 1e-8:
        assert say_share(share) != "100 %"
