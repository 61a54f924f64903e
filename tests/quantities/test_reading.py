"""Units that trip people, intervals, and what is said about text that is no quantity."""

from __future__ import annotations

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from pipelineplan.quantities import Dimension, Quantity, QuantityError, parse
from pipelineplan.quantities.units import EXAMPLES, UNITS

DURATION, RATE, SIZE = Dimension.DURATION, Dimension.RATE, Dimension.SIZE
BANDWIDTH, SHARE, GROWTH = Dimension.BANDWIDTH, Dimension.SHARE, Dimension.GROWTH


@pytest.mark.parametrize(
    ("text", "dimension", "value"),
    [
        # per second, per minute, per hour
        ("45_000/s", RATE, 45_000),
        ("2.7M/min", RATE, 45_000),
        ("162M/h", RATE, 45_000),
        ("60 records/min", RATE, 1),
        ("86_400 events/day", RATE, 1),
        ("1k / s", RATE, 1000),
        ("1e3/s", RATE, 1000),
        # decimal and binary bytes; bits are not bytes
        ("1 GB", SIZE, 10**9),
        ("1 GiB", SIZE, 2**30),
        ("1 kB", SIZE, 1000),
        ("1 KB", SIZE, 1000),
        ("1 KiB", SIZE, 1024),
        ("8 Mbit", SIZE, 10**6),
        ("780 B", SIZE, 780),
        ("22 GB/h", BANDWIDTH, 22e9 / 3600),
        ("8 Mbit/s", BANDWIDTH, 10**6),
        ("15 MiB/s", BANDWIDTH, 15 * 2**20),
        # a month is 30 days, a year 365
        ("1 month", DURATION, 30 * 86_400),
        ("1 year", DURATION, 365 * 86_400),
        ("8 %/month", GROWTH, 0.08 / 30),
        ("1 %/week", GROWTH, 0.01 / 7),
        # ISO 8601, where M before T would be months and is refused
        ("PT15M", DURATION, 900),
        ("PT1.5S", DURATION, 1.5),
        ("P1DT2H3M4S", DURATION, 93_784),
        ("P2W", DURATION, 14 * 86_400),
        (" PT1H ", DURATION, 3600),
        # exact: no binary dust
        ("0.1 s", DURATION, 0.1),
        ("3 ms", DURATION, 0.003),
        ("2.1 %", SHARE, 0.021),
        (0.021, SHARE, 0.021),
        (1, SHARE, 1),
        ("250 ppm", SHARE, 0.00025),
        ("15min", DURATION, 900),
        ("15 minutes", DURATION, 900),
        ("-0 s", DURATION, 0),
    ],
)
def test_a_quantity_is_its_value_in_the_base_unit(text: object, dimension: Dimension, value: float) -> None:
    found = parse(text, dimension)
    assert (found.low, found.value, found.high) == (value, value, value)
    assert not found.uncertain


@pytest.mark.parametrize(
    ("text", "dimension", "low", "value", "high"),
    [
        ("60_000/s ± 5 %", RATE, 57_000, 60_000, 63_000),
        ("60_000/s ± 3_000/s", RATE, 57_000, 60_000, 63_000),
        ("60_000/s +- 5 %", RATE, 57_000, 60_000, 63_000),
        ("60_000/s +/- 5%", RATE, 57_000, 60_000, 63_000),
        ("2 min ± 15 s", DURATION, 105, 120, 135),
        ("2 h .. 3 h", DURATION, 7200, 9000, 10_800),
        ("PT15M .. 20 min", DURATION, 900, 1050, 1200),
        ("0 s .. 0 s", DURATION, 0, 0, 0),
        # of a share, a spread in percent is percentage points
        ("5 % ± 1 %", SHARE, 0.04, 0.05, 0.06),
        ("1 GiB ± 100 %", SIZE, 0, 2**30, 2**31),
    ],
)
def test_an_interval_has_two_ends_and_a_middle(
    text: str, dimension: Dimension, low: float, value: float, high: float
) -> None:
    found = parse(text, dimension)
    assert (found.low, found.value, found.high) == (low, value, high)
    assert found.uncertain is (low < high)
    assert found.text == text


@pytest.mark.parametrize(
    ("text", "dimension", "said"),
    [
        ("5 m", DURATION, "did you mean 'min'?"),
        ("5 Min", DURATION, "did you mean 'min'?"),
        ("5 MIN", DURATION, "did you mean 'min'?"),
        ("5 mim", DURATION, "did you mean 'min'?"),
        ("5 gb", SIZE, "did you mean 'GB'?"),
        ("5 Mb", SIZE, "did you mean 'Mbit'?"),
        ("1000 rps", RATE, "did you mean '/s'?"),
        ("1000 per second", RATE, "did you mean '/s'?"),
        ("15 GB", BANDWIDTH, "did you mean 'GB/s'?"),
        ("11 m", RATE, "the unit 'm', wanted"),
        ("15", DURATION, "without a unit, wanted a duration such as 15 min"),
        (15, DURATION, "without a unit, wanted a duration such as 15 min"),
        ("11_000", RATE, "without a unit, wanted a rate such as 45_000/s"),
        ("20 GB", DURATION, "the unit 'GB'"),
        ("P1M", DURATION, "wanted an ISO 8601 duration"),
        ("PT", DURATION, "wanted an ISO 8601 duration"),
        ("-5 min", DURATION, "wanted a value that is not negative"),
        ("10 s ± 20 s", DURATION, "wanted a value that is not negative"),
        ("10 s ± -5 s", DURATION, "the spread '-5 s', wanted one that is not negative"),
        ("3 h .. 2 h", DURATION, "wanted the lower end first"),
        ("5 s ± 1 % ± 2 %", DURATION, "wanted a share"),
        ("1e999 s", DURATION, "beyond anything a pipeline can hold"),
        (float("nan"), SHARE, "wanted a share"),
        (float("inf"), SHARE, "wanted a share"),
        pytest.param(10**5000, SHARE, "too many digits", id="thousands of digits"),
        (True, SHARE, "found True"),
        (None, DURATION, "found None"),
        (["5 s"], DURATION, "found ['5 s']"),
        ("", DURATION, "wanted a duration"),
        ("soon", DURATION, "found 'soon'"),
        ("9" * 201, RATE, "found 201 characters"),
        ("1.5.5 s", DURATION, "wanted a duration"),
        ("0x10 s", DURATION, "wanted a duration"),
    ],
)
def test_what_is_no_quantity_says_what_is_wanted(text: object, dimension: Dimension, said: str) -> None:
    with pytest.raises(QuantityError) as caught:
        parse(text, dimension)
    assert said in str(caught.value)
    assert "\n" not in str(caught.value)


def test_bits_and_bytes_differ_by_eight() -> None:
    assert parse("8 Gbit/s", BANDWIDTH).value == parse("1 GB/s", BANDWIDTH).value


def test_every_example_of_a_dimension_can_be_read() -> None:
    for dimension, examples in EXAMPLES.items():
        assert all(parse(text, dimension).value > 0 for text in examples)


def test_a_quantity_of_the_same_dimension_is_itself_and_of_another_is_refused() -> None:
    minute = parse("1 min", DURATION)
    assert parse(minute, DURATION) is minute
    with pytest.raises(QuantityError):
        parse(minute, RATE)


UNIT_OF_DIMENSION = st.sampled_from([(d, unit) for d, units in UNITS.items() for unit in units])
AMOUNTS = st.decimals(0, 10**9, places=3, allow_nan=False)


@given(UNIT_OF_DIMENSION, AMOUNTS)
def test_law_reading_what_was_written_scales_by_the_unit(
    unit_of: tuple[Dimension, str], amount: object
) -> None:
    dimension, unit = unit_of
    found = parse(f"{amount} {unit}", dimension)
    assert found.value == pytest.approx(float(str(amount)) * float(UNITS[dimension][unit]), rel=1e-15)
    assert parse(found.text, dimension) == found


@given(UNIT_OF_DIMENSION, AMOUNTS, st.integers(0, 100))
def test_law_a_relative_spread_lies_evenly_around_its_middle(
    unit_of: tuple[Dimension, str], amount: object, percent: int
) -> None:
    dimension, unit = unit_of
    if dimension in {SHARE, GROWTH}:
        return
    found = parse(f"{amount} {unit} ± {percent} %", dimension)
    assert found.low <= found.value <= found.high
    assert found.high - found.value == pytest.approx(found.value - found.low, rel=1e-9)
    assert found.high == pytest.approx(found.value * (1 + percent / 100))


@given(st.one_of(st.text(), st.integers(), st.floats(), st.none(), st.lists(st.text(), max_size=2)))
@example("1" * 200)
@example("1e-999 s")
@example("± ± ..")
def test_law_anything_is_a_quantity_or_a_quantity_error(found: object) -> None:
    for dimension in Dimension:
        try:
            quantity = parse(found, dimension)
        except QuantityError:
            continue
        assert isinstance(quantity, Quantity)
        assert 0 <= quantity.low <= quantity.value <= quantity.high < float("inf")
