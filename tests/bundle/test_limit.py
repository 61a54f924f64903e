"""A threshold in words, and what a measured value says to it."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pipelineplan.bundle.limit import limit_in, measured_as
from pipelineplan.quantities import Dimension

LIMITS = {
    "lag at most 10 min": ("<=", 600.0),
    "0 rows": ("<=", 0.0),
    "70 %": ("<=", 0.7),
    "slot lag below 1 GB": ("<", 1e9),
    "the anchored offset is younger than 7 d": ("<", 604_800.0),
    "exactly 24 partitions, as planned": ("==", 24.0),
    "freshness > 8 min for 10 min": (">", 480.0),
    "checkpoint_failures >= 3 in 15 min": (">=", 3.0),
    "Freshness p95 at most 4 min over 14 days": ("<=", 240.0),
    "no more than 1,000 rows": ("<=", 1000.0),
    "<=0.5%": ("<=", 0.005),
    "at most 10_000/s beside live traffic": ("<=", 10_000.0),
    "at most 2 incidents: freshness > 8 min, any difference over 2 windows": ("<=", 2.0),
    "within 9.09 h of the start, 2026-12-06T04:00 Europe/Berlin: the slot is full": ("<=", 32_724.0),
}
NO_LIMIT = [
    "done",
    "all of them",
    "",
    "p95 < 4 min and p99 < 8 min",  # two limits
    "at most 10_000/s beside live traffic, 0 duplicates",
    "at most 60 % below the same hour last week",
    "2.5 h .. 3 h",
    "4 min ± 3 s",
    "none of: freshness over 8 min",  # the number is what must not be
    "never over 3 min",
    "at most 10 m",  # metres, minutes, months?
    "at most 5:30",
    "done by 2026-12-06",
    "at most 3 errors per hour",
    "busiest worker at twice the mean",
    "error rate 0.1 %",  # of which side?
]


@pytest.mark.parametrize("text", LIMITS)
def test_one_limit_is_found_in_words(text: str) -> None:
    found = limit_in(text)
    assert found is not None
    assert (found.relation, found.value) == pytest.approx(LIMITS[text])


@pytest.mark.parametrize("text", NO_LIMIT)
def test_words_without_one_clear_number_are_compared_with_nothing(text: str) -> None:
    assert limit_in(text) is None


@pytest.mark.parametrize("text", LIMITS)
def test_a_limit_reads_as_itself_from_what_evidence_keeps(text: str) -> None:
    found = limit_in(text)
    assert found is not None
    assert limit_in(found.said()) == found


@pytest.mark.parametrize(
    ("threshold", "measured", "verdict"),
    [
        ("at most 10 min", "10 min", "holds"),
        ("at most 10 min", "600_001 ms", "fails"),
        ("at most 10 min", "9 min ± 30 s", "holds"),
        ("at most 10 min", "9 min ± 2 min", "unknown"),
        ("below 1 GB", "1 GB", "fails"),
        ("below 1 GB", "953 MiB", "holds"),
        ("at least 99.95 %", "99.9 %", "fails"),
        ("0 rows", "0", "holds"),
        ("0 rows", "1 row", "fails"),
        ("exactly 24 partitions", "23 partitions", "fails"),
        ("exactly 24 partitions", "24", "holds"),
        ("at most 4 min", "3 min .. 5 min", "unknown"),
        ("above 8 min", "9 min", "holds"),
    ],
)
def test_the_tool_decides_and_nobody_else(threshold: str, measured: str, verdict: str) -> None:
    limit = limit_in(threshold)
    assert limit is not None
    assert limit.verdict(measured_as(measured, limit)).value == verdict


@pytest.mark.parametrize(
    ("threshold", "measured", "wanted"),
    [
        ("at most 10 min", "12 rows", "did you mean|unit"),
        ("at most 10 min", "12", "without a unit"),
        ("0 rows", "12 min", "a number of rows"),
        ("at most 0.1 %", "5", "share without a unit"),
        ("0 rows", "none", "a number of rows"),
    ],
)
def test_a_value_in_another_unit_is_refused(threshold: str, measured: str, wanted: str) -> None:
    limit = limit_in(threshold)
    assert limit is not None
    with pytest.raises(ValueError, match=wanted):
        measured_as(measured, limit)


@given(st.floats(min_value=0, max_value=1e6), st.floats(min_value=0, max_value=1e6))
def test_at_most_and_above_are_opposites(value: float, bound: float) -> None:
    most, above = limit_in(f"at most {bound:.6f} s"), limit_in(f"above {bound:.6f} s")
    assert most is not None
    assert above is not None
    assert most.dimension is Dimension.DURATION
    told = measured_as(f"{value:.6f} s", most)
    assert {most.verdict(told).value, above.verdict(told).value} == {"holds", "fails"}


@given(st.text(max_size=300))
def test_any_words_are_read_or_left_alone(text: str) -> None:
    found = limit_in(text)
    if found is not None:
        assert limit_in(found.said()) == found


@pytest.mark.parametrize("text", ["at most " * 125, "1" * 1000, "1," * 500, "1_" * 499 + "x", "< " * 500])
def test_hostile_words_state_no_limit(text: str) -> None:
    assert limit_in(text) is None
