"""Plans of several jobs: which stage is of which, whom an outage stops, and how their commits add up."""

from __future__ import annotations

import math
from collections.abc import Callable

import numpy as np
import pytest

from pipelineplan.errors import InputError
from pipelineplan.plan import Plan
from pipelineplan.plan.freshness import quantile_of_uniform_sum, waits
from pipelineplan.plan.jobs import crosses, handing_over, job_names, jobs_of, stopped_readers, stops
from pipelineplan.plan.recovery import committing_stage, downtime_before

PLAN = """\
apiVersion: pipelineplan/v1
kind: DataPlan
metadata: {name: two-jobs}
sources: [{id: orders, partitions: 4, semantics: {watermark: {lag: 30 s}}}]
stages:
  - {id: read, inputs: [orders]}
  - {id: clean, job: staging, inputs: [read], guarantee: exactly_once,
     checkpoint: {interval: 1 min, duration: 5 s, restart: 20 s}}
  - {id: sums, job: mart, inputs: [clean], engine: spark, window: {fixed: 2 min},
     checkpoint: {interval: 5 min, duration: 10 s, restart: 40 s}}
  - {id: serve, inputs: [sums]}
sinks: [{id: out, inputs: [serve], guarantee: transactional}]
slos: [{for: out, freshness: {p95: 10 min}}]
outages:
  - {of: job, job: staging, detect: 1 min, repair: 4 min}
  - {of: job, job: mart, detect: 1 min, repair: 9 min}
  - {of: job, id: both, detect: 1 min, repair: 1 min}
  - {of: sink, detect: 1 min, repair: 1 min}
  - {of: source, detect: 1 min, repair: 1 min}
"""


def test_a_stage_without_a_name_is_of_the_job_before_it_and_at_the_start_of_the_one_after(
    read: Callable[..., Plan],
) -> None:
    plan = read(PLAN)
    assert jobs_of(plan) == {"read": "staging", "clean": "staging", "sums": "mart", "serve": "mart"}
    assert job_names(plan) == ("staging", "mart")
    assert [(e.upstream, e.downstream) for e in plan.graph.edges if crosses(plan, e)] == [("clean", "sums")]
    assert [stage.id for stage in handing_over(plan, "out")] == ["clean"]


@pytest.mark.parametrize(
    "change", [("job: staging, ", ""), ("job: mart, ", ""), ("engine: spark", "engine: dbt")]
)
def test_one_name_or_none_is_one_job_and_a_model_is_no_job(
    change: tuple[str, str], read: Callable[..., Plan]
) -> None:
    plan = read(
        PLAN.replace(*change).replace("job: staging, detect", "detect").replace("job: mart, detect", "detect")
    )
    assert len(job_names(plan)) == 1
    assert not [edge for edge in plan.graph.edges if crosses(plan, edge)]


def test_an_outage_stops_the_job_that_it_names_and_one_without_a_name_all(read: Callable[..., Plan]) -> None:
    plan = read(PLAN)
    stopped = [
        [stage.id for stage in plan.model.stages if stops(plan, outage, stage)]
        for outage in plan.model.outages
    ]
    every, first, last = ["read", "clean", "sums", "serve"], ["read", "clean"], ["sums", "serve"]
    assert stopped == [first, last, every, last, first]
    # The offsets, retention and slot of the source are of the job that reads it.
    of = [[s.id for s in stopped_readers(plan, plan.source("orders"), o)] for o in plan.model.outages]
    assert of == [first, [], first, [], first]


def test_an_outage_keeps_records_from_the_jobs_after_it_and_not_from_those_before(
    read: Callable[..., Plan],
) -> None:
    plan = read(PLAN)
    first, last = plan.model.outages[:2]
    down = downtime_before(plan, first, plan.stage("sums"))
    assert down is not None
    values = {operand.symbol: operand.value for operand in down.operands}
    assert (values["restart"], values["I"]) == (20, 60)
    assert downtime_before(plan, last, plan.stage("clean")) is None


def test_an_outage_must_name_a_job_that_is_there_and_only_one_of_a_job_has_a_name(
    read: Callable[..., Plan],
) -> None:
    with pytest.raises(InputError, match=r"nothing here is called 'marts'.*did you mean 'mart'"):
        read(PLAN.replace("job: mart, detect", "job: marts, detect"))
    with pytest.raises(InputError, match="an outage of the sink names a job"):
        read(PLAN.replace("{of: sink, ", "{of: sink, job: mart, "))


def test_the_sink_commits_with_the_checkpoints_of_its_own_job(read: Callable[..., Plan]) -> None:
    stage = committing_stage(read(PLAN), "out")
    assert stage is not None
    assert stage.id == "sums"
    alone = PLAN.replace("\n     checkpoint: {interval: 5 min, duration: 10 s, restart: 40 s}", "")
    assert committing_stage(read(alone.replace("{fixed: 2 min},", "{fixed: 2 min}")), "out") is None


def test_the_commits_of_all_jobs_add_up(read: Callable[..., Plan]) -> None:
    """W 120, B 30, w 0.2 (assumed), d 10 + 5, I 300 and 60."""
    plan = read(PLAN)
    chain = waits(plan, plan.model.slos[0], plan.source("orders"))
    assert not isinstance(chain, str)
    values = {operand.symbol: operand.value for operand in chain.operands}
    assert (values["I"], values["I_1"], values["d"], values["d_1"]) == (300, 60, 10, 5)
    assert chain.quantile(values, 0.95) == pytest.approx((45 + 0.95 * 300, 45 + 0.95 * 300 + 0.2 + 120 + 60))
    assert chain.longest(values) == pytest.approx(45 + 0.2 + 120 + 300 + 60)
    between = chain.independent_quantile(values, 0.95)
    assert between == pytest.approx(45.2 + quantile_of_uniform_sum((120, 300, 60), 0.95))


def test_what_is_written_at_least_once_is_seen_at_once(read: Callable[..., Plan]) -> None:
    plan = read(PLAN.replace("guarantee: exactly_once", "guarantee: at_least_once"))
    chain = waits(plan, plan.model.slos[0], plan.source("orders"))
    assert not isinstance(chain, str)
    assert "I_1" not in chain.symbols
    assert chain.handovers == 0


@pytest.mark.parametrize(
    ("periods", "probability", "wanted"),
    [
        ((60.0,), 0.95, 57.0),
        # Two equal ones are a triangle: 1 - (2 - x)^2 / 2.
        ((60.0, 60.0), 0.95, 60.0 * (2 - math.sqrt(0.1))),
        # Irwin-Hall of three: 1 - (3 - x)^3 / 6 above 2.
        ((60.0,) * 3, 0.95, 60.0 * (3 - 0.3 ** (1 / 3))),
        # A trapezium: the last tenth of both corners.
        ((60.0, 300.0), 0.95, 360.0 - math.sqrt(2 * 0.05 * 60 * 300)),
        ((60.0, 300.0), 0.5, 180.0),
    ],
)
def test_the_quantile_of_a_sum_of_uniform_waits(
    periods: tuple[float, ...], probability: float, wanted: float
) -> None:
    assert quantile_of_uniform_sum(periods, probability) == pytest.approx(wanted, rel=1e-9)


ALIGNED = [(60.0, 300.0), (60.0, 60.0), (300.0, 60.0)]
DRIFTING = [(60.0, 60.0 * math.sqrt(2)), (100.0 * math.sqrt(3), 60.0), (47.0, 47 * math.pi, 47 * math.e)]


@pytest.mark.parametrize("intervals", [*ALIGNED, *DRIFTING], ids=str)
def test_law_commits_one_after_the_other_lie_within_the_bounds_at_every_phase(
    intervals: tuple[float, ...],
) -> None:
    """The next tick after a tick, nothing else; where ticks drift the closed form is met."""
    rng = np.random.default_rng(7)
    longest, whole = max(intervals), sum(intervals)
    for _ in range(30):
        born = np.sort(rng.uniform(0, 5000 * whole, 40_000))
        seen = born
        for interval in intervals:
            phase = rng.uniform(0, interval)
            seen = phase + np.ceil((seen - phase) / interval) * interval
        for probability in (0.5, 0.95, 0.99):
            found = float(np.quantile(seen - born, probability))
            noise = 4 * whole * math.sqrt(probability * (1 - probability) / len(born))
            assert probability * longest - noise <= found
            assert found <= probability * longest + whole - longest + noise
            if intervals in DRIFTING:
                reached = float(np.mean(seen - born <= quantile_of_uniform_sum(intervals, probability)))
                assert reached == pytest.approx(
                    probability, abs=5 * math.sqrt(probability * (1 - probability) / len(born))
                )
