import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from pipelineplan.simulation.sharing import throttle, water_level, water_levels

amounts = st.one_of(st.floats(0.0, 1e6), st.just(math.inf))


@pytest.mark.parametrize(
    ("demands", "total", "level"),
    [
        ([1.0, 4.0, math.inf], 9.0, 4.0),
        ([5.0, 5.0], 10.0, 5.0),
        ([5.0, 5.0], 11.0, math.inf),
        ([5.0, 5.0], 0.0, 0.0),
        ([math.inf, math.inf], 7.0, 3.5),
        ([0.0, 3.0], math.inf, math.inf),
    ],
)
def test_water_level_by_hand(demands: list[float], total: float, level: float) -> None:
    assert water_level(np.array(demands), total) == pytest.approx(level)


@given(st.lists(amounts, min_size=1, max_size=9), st.floats(0.0, 1e6))
def test_a_level_uses_up_the_total(demands: list[float], total: float) -> None:
    given_out = np.minimum(demands, water_level(np.array(demands), total)).sum()
    assert given_out == pytest.approx(min(total, sum(demands)), rel=1e-9, abs=1e-9)


@given(
    st.lists(st.lists(amounts, min_size=4, max_size=4), min_size=1, max_size=5),
    st.lists(st.floats(0.0, 1e6), min_size=5, max_size=5),
)
def test_rows_are_levelled_as_single_ones_are(rows: list[list[float]], totals: list[float]) -> None:
    totals = np.array(totals[: len(rows)])
    together = water_levels(np.array(rows), totals)
    for row, total, level in zip(rows, totals, together, strict=True):
        alone = water_level(np.array(row), float(total))
        shared, single = np.minimum(row, level).sum(), np.minimum(row, alone).sum()
        assert shared == pytest.approx(single, rel=1e-9, abs=1e-9)


def test_padding_takes_nothing() -> None:
    level = water_levels(np.array([[5.0, math.inf, 0.0]]), np.array([8.0]))
    assert level[0] == pytest.approx(4.0)


@given(
    st.lists(
        st.tuples(st.floats(0.1, 1e4), st.one_of(st.just(0.0), st.floats(1e-6, 1.0))), min_size=1, max_size=8
    ),
    st.floats(0.01, 1e4),
)
def test_throttle_meets_the_total_or_never_exceeds_it(lanes: list[tuple[float, float]], total: float) -> None:
    limits, slopes = (np.array(column) for column in zip(*lanes, strict=True))
    found = throttle(limits, slopes, total)
    if math.isinf(found):
        assert limits[slopes > 0].sum() <= total * (1 + 1e-9)
    else:
        assert np.minimum(limits, slopes * found).sum() == pytest.approx(total, rel=1e-9)
