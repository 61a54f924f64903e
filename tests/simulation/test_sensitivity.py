"""What moving one number does, against closed forms; Sobol indices against a case with known ones."""

import math
from pathlib import Path

import pytest

from pipelineplan import InputError, read_plan, sensitivity
from pipelineplan.plan import Plan
from pipelineplan.simulation.questions.sensitivity import Swing, numbers_of

PLAN = """apiVersion: pipelineplan/v1
kind: DataPlan
metadata: {name: drains, owner: team, quality_level: prototype}
sources:
  - {id: log, system: kafka, owner: team, partitions: 4, retention: 7 d, rate: {average: 50/s, peak: 300/s}}
stages:
  - {id: job, inputs: [{from: log, exchange: forward}], parallelism: 4, capacity: 100/s ± 5 %}
sinks:
  - {id: out, inputs: [job], mode: upsert}
outages:
  - {id: away, of: sink, detect: 1 min, repair: 9 min .. 11 min, drain_target: 32 min}
"""


@pytest.fixture
def plan(tmp_path: Path) -> Plan:
    file = tmp_path / "plan.yaml"
    file.write_text(PLAN, encoding="utf-8")
    return read_plan(file)


def by_path(plan: Plan, **options: object) -> dict[str, Swing]:
    return {each.path: each for each in sensitivity(plan, **options).swings}


def drain_margin(rate: float = 300.0, capacity: float = 400.0, minutes: float = 11.0) -> float:
    return rate * minutes * 60 / (capacity - rate) / (32 * 60)


def test_each_end_is_the_closed_form(plan: Plan) -> None:
    swings = by_path(plan)
    capacity = swings["$.stages[0].capacity"]
    assert capacity.stated
    assert capacity.base == pytest.approx(drain_margin())
    assert capacity.low == pytest.approx(drain_margin(capacity=380.0))
    assert capacity.high == pytest.approx(drain_margin(capacity=420.0))
    assert capacity.turns
    repair = swings["$.outages[0].repair"]
    assert (repair.at_low, repair.at_high) == ("9 min", "11 min")
    assert repair.low == pytest.approx(drain_margin(minutes=10.0))
    assert repair.high == pytest.approx(drain_margin(minutes=12.0))
    peak = swings["$.sources[0].rate.peak"]
    assert not peak.stated
    assert (peak.low, peak.high) == pytest.approx((drain_margin(270.0), drain_margin(330.0)))
    assert swings["$.sources[0].retention"].width == 0


def test_the_widest_comes_first_and_targets_are_not_moved(plan: Plan) -> None:
    found = sensitivity(plan).swings
    widths = [each.width for each in found]
    assert widths == sorted(widths, reverse=True)
    assert not any("drain_target" in each.path for each in found)
    assert {each.path for each in found[:4]} >= {"$.stages[0].capacity", "$.sources[0].rate.peak"}


def test_a_figure_may_be_the_outcome(plan: Plan) -> None:
    found = sensitivity(plan, "peak_lag_records", vary=0.2)
    assert found.base == pytest.approx(300 * 11 * 60)
    assert found.unit == "records"
    repair = next(each for each in found.swings if each.path == "$.outages[0].repair")
    assert (repair.low, repair.high) == pytest.approx((300 * 600, 300 * 720))


def test_an_unknown_outcome_is_refused(plan: Plan) -> None:
    with pytest.raises(InputError, match="there is no outcome"):
        sensitivity(plan, "nonsense")


def test_a_value_that_is_no_plan_is_said_and_not_counted(plan: Plan) -> None:
    found = by_path(plan, vary=0.5)
    assert all(math.isfinite(each.width) for each in found.values())
    assert all(each.why or math.isfinite(each.low) for each in found.values())


def test_numbers_are_read_as_they_are_written(plan: Plan) -> None:
    found = {each.path: each for each in numbers_of(plan, 0.1)}
    capacity = found["stages", 0, "capacity"]
    assert (capacity.number, capacity.unit, capacity.low, capacity.high) == (100.0, "/s", 0.95, 1.05)
    workers = found["stages", 0, "parallelism"]
    assert [workers.at(factor) for factor in (workers.low, 1.0, workers.high)] == [3, 4, 5]


@pytest.mark.slow
def test_sobol_indices_sum_to_one_where_nothing_interacts(plan: Plan) -> None:
    """Peak lag is rate times time away: nearly additive in small ranges, so shares of variance are known."""
    pytest.importorskip("SALib")
    found = {
        each.path: each
        for each in sensitivity(plan, "peak_lag_records", vary=0.02, samples=64, seed=1).swings
        if each.total is not None
    }
    rate, repair = found["$.sources[0].rate.peak"], found["$.outages[0].repair"]
    # A uniform range of half-width h has a variance of h^2 / 3: 2 % of the rate, 1 of 11 min of the time.
    expected = (1 / 11) ** 2 / ((1 / 11) ** 2 + 0.02**2 + (0.02 / 11) ** 2)
    assert repair.total == pytest.approx(expected, abs=0.05)
    assert rate.total == pytest.approx(1 - expected, abs=0.05)
