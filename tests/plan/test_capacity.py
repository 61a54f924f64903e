"""The closed forms against brute force: dealing channels out, stepping a queue, worked arithmetic."""

from __future__ import annotations

import math
from collections.abc import Callable

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pipelineplan.plan import Plan, capacity
from pipelineplan.plan.load import arrivals, average_rate, peak_rate, worker_share
from pipelineplan.plan.recovery import downtime, duration_operand, restore_operand
from pipelineplan.plan.state_size import keys_operand, state_bytes


def dealt_in_turn(partitions: int, workers: int) -> list[int]:
    """How many partitions each worker has when they are dealt out one by one."""
    hands = [0] * workers
    for partition in range(partitions):
        hands[partition % workers] += 1
    return hands


def dealt_in_ranges(key_groups: int, workers: int) -> list[int]:
    """Flink's KeyGroupRangeAssignment: group g goes to worker g * workers // key_groups."""
    hands = [0] * workers
    for group in range(key_groups):
        hands[group * workers // key_groups] += 1
    return hands


@given(st.integers(1, 300), st.integers(1, 80))
def test_law_the_forward_share_is_that_of_the_worker_with_most_partitions(p: int, w: int) -> None:
    assert capacity.forward_share(p, w) == pytest.approx(max(dealt_in_turn(p, w)) / p)


@given(st.integers(1, 300), st.integers(1, 80))
def test_law_the_keyed_share_is_that_of_the_longest_range_of_key_groups(groups: int, w: int) -> None:
    if w <= groups:  # Flink refuses more workers than key groups
        assert capacity.keyed_share(groups, w) == pytest.approx(max(dealt_in_ranges(groups, w)) / groups)


@given(st.integers(1, 60), st.integers(1, 60), st.floats(0, 1))
def test_law_the_hottest_key_lies_on_top_of_the_busiest_workers_part_of_the_rest(
    p: int, w: int, hot: float
) -> None:
    loads = [(1 - hot) / p] * p
    loads[0] += hot  # the hottest key is in one partition
    hands = [0.0] * w
    for partition, load in enumerate(loads):
        hands[partition % w] += load
    assert capacity.forward_share(p, w, hot) == pytest.approx(max(hands))


@given(st.integers(1, 60), st.integers(1, 60))
def test_law_more_workers_never_have_a_busier_one(p: int, w: int) -> None:
    assert capacity.forward_share(p, w + 1) <= capacity.forward_share(p, w)
    assert 1 / min(w, p) <= capacity.forward_share(p, w) + 1e-12


def test_the_sketch_plan() -> None:
    """12 partitions on 8 workers of 2,000/s at 11,000/s: 1,833/s on the busiest, 11 h after an hour."""
    share = capacity.forward_share(12, 8)
    assert share == pytest.approx(2 / 12)
    assert 11_000 * share == pytest.approx(1833.33, abs=0.01)
    assert capacity.utilisation(11_000, share, 2000) == pytest.approx(0.91667, abs=1e-5)
    assert capacity.drain_seconds(11_000, share, 2000, 3600) == pytest.approx(39_600)  # 11 h
    assert capacity.drain_seconds(11_000, 1 / 8, 2000, 3600) == pytest.approx(7920)  # the mean: 2.2 h
    assert capacity.drain_seconds(11_000, 1 / 12, 2000, 3600) == pytest.approx(3046.15, abs=0.01)
    assert len({capacity.forward_share(12, w) for w in range(8, 12)} | {capacity.forward_share(12, 6)}) == 1


def stepped_drain(rate: float, able: float, piled_up: float, step: float = 0.25) -> float:
    """A queue that grows for `piled_up` seconds and is then worked off, step by step."""
    queue, clock = rate * piled_up, 0.0
    while queue > 0:
        queue += (rate - able) * step
        clock += step
    return clock


@pytest.mark.parametrize(
    ("rate", "share", "able", "piled_up"),
    [
        (1000, 0.5, 600, 60),
        (1000, 0.25, 1000, 600),
        (11_000, 1 / 6, 2000, 300),
        (10, 1, 11, 30),
        (7, 0.3, 4, 0),
    ],
)
def test_drain_against_a_queue_that_is_stepped(
    rate: float, share: float, able: float, piled_up: float
) -> None:
    drained = capacity.drain_seconds(rate, share, able, piled_up)
    assert drained == pytest.approx(stepped_drain(rate * share, able, piled_up), abs=0.5)


@pytest.mark.parametrize(
    ("rate", "share", "able", "piled_up", "drained"),
    [
        (100, 1, 100, 60, math.inf),  # full without the backlog
        (100, 1, 50, 60, math.inf),
        (0, 1, 100, 60, 0),
        (100, 1, 0, 60, math.inf),
        (100, 1, 100, 0, 0),
    ],
)
def test_drain_at_its_edges(rate: float, share: float, able: float, piled_up: float, drained: float) -> None:
    assert capacity.drain_seconds(rate, share, able, piled_up) == drained


def stepped_loss(retention: float, piled_up: float, utilised: float) -> float:
    """The reader stands at `read` and moves at 1/utilised of the speed of the log's end."""
    clock, step, read = piled_up, 0.05, 0.0
    while clock - read < retention:
        clock += step
        read += step / utilised
    return clock - piled_up


@pytest.mark.parametrize(("retention", "piled_up", "utilised"), [(3600, 600, 2), (600, 0, 1.1), (100, 90, 5)])
def test_time_to_loss_against_a_reader_that_is_stepped(
    retention: float, piled_up: float, utilised: float
) -> None:
    found = capacity.seconds_to_loss(retention, piled_up, utilised)
    assert found == pytest.approx(stepped_loss(retention, piled_up, utilised), abs=1)


def test_a_reader_exactly_as_fast_as_the_log_never_loses_and_never_catches_up() -> None:
    assert capacity.seconds_to_loss(3600, 600, 1.0) == math.inf
    assert capacity.oldest_unread_seconds(1.0, 600) == 600
    assert capacity.oldest_unread_seconds(1.0001, 600) == math.inf
    assert capacity.seconds_to_loss(60, 600, 2) == 0


@pytest.mark.parametrize(
    ("interval", "duration", "pause", "effective"), [(60, 5, 0, 60), (60, 50, 30, 80), (60, 30, 30, 60)]
)
def test_the_interval_that_checkpoints_have(
    interval: float, duration: float, pause: float, effective: float
) -> None:
    assert capacity.effective_interval_seconds(interval, duration, pause) == effective


def test_checkpoints_restores_and_transactions_by_hand() -> None:
    # 600 GB over 64 tasks, 2 % changed, 15 MB/s: 600e9 * 0.02 / 64 / 15e6 = 12.5 s; all of it takes 625 s
    assert capacity.checkpoint_seconds(600e9, 0.02, 1 / 64, 15e6) == pytest.approx(12.5)
    assert capacity.checkpoint_seconds(600e9, 1, 1 / 64, 15e6) == pytest.approx(625)
    assert capacity.restore_seconds(600e9, 1 / 64, 40e6) == pytest.approx(234.375)
    # (1 + 2) * max(60, 180 + 30) + 180 + 1200 = 2010
    assert capacity.transaction_span_seconds(60, 180, 30, 2, 1200) == 2010
    # an interval longer than the timeout: (1 + 0) * 600 + 180 + 0
    assert capacity.transaction_span_seconds(600, 180, 0, 0, 0) == 780


FAN_IN = """\
apiVersion: pipelineplan/v1
kind: DataPlan
metadata: {name: fan-in}
sources:
  - {id: a, partitions: 12, rate: {average: 1_000/s, peak: 3_000/s}, keys: {field: user, hottest_key: 10 %}}
  - {id: b, partitions: 4, rate: {average: 200/s, burst: {factor: 5, length: 1 min}}}
stages:
  - {id: clean, inputs: [{from: a, selectivity: 0.5}], parallelism: 6}
  - id: join
    inputs:
      - {from: clean, exchange: keyed, key: user}
      - {from: b, exchange: keyed, key: item}
      - {from: a, selectivity: 2}
    parallelism: {now: 7, max: 120}
  - {id: spread, inputs: [{from: join, exchange: rebalance, selectivity: 0.1}], parallelism: 5}
  - {id: tail, inputs: [spread], parallelism: 5}
sinks: [{id: out, inputs: [tail]}]
"""


def test_arrivals_add_up_over_every_way_to_a_stage(read: Callable[..., Plan]) -> None:
    plan = read(FAN_IN)
    found = {one.source: (one.rate.value, one.factor) for one in arrivals(plan, "join")}
    # a comes through clean (half of it) and directly (twice); b bursts to five times its average
    assert found == {"a": (3000, 2.5), "b": (1000, 1.0)}
    assert {one.source: one.rate.value for one in arrivals(plan, "join", peak=False)} == {"a": 1000, "b": 200}
    assert {one.source: one.factor for one in arrivals(plan, "tail")} == {"a": pytest.approx(0.25), "b": 0.1}
    assert [one.rate.symbol for one in arrivals(plan, "join")] == ["λ_a", "λ_b"]


def test_of_several_inputs_the_worst_spread_counts(read: Callable[..., Plan]) -> None:
    plan = read(FAN_IN)
    at = {"p": 7.0, "P": 12.0, "G": 120.0, "h": 0.1}
    # forward from a: 0.1 + 0.9 * ceil(12/7)/12 = 0.25; keyed by user: 0.1 + 0.9 * ceil(120/7)/120 = 0.235
    share = worker_share(plan, "join")
    assert (share.kind, share.of_busiest(at)) == ("forward", pytest.approx(0.25))
    assert worker_share(plan, "spread").of_busiest({"p": 5.0}) == pytest.approx(0.2)
    assert worker_share(plan, "tail").kind == "rebalance"  # fed forward by a stage: its spread


def test_a_source_without_rate_or_partitions_leaves_the_load_unknown(read: Callable[..., Plan]) -> None:
    plan = read(FAN_IN.replace("rate: {average: 200/s, burst: {factor: 5, length: 1 min}}", "system: kafka"))
    assert arrivals(plan, "join") is None
    assert peak_rate(plan, plan.source("b")) is None
    assert average_rate(plan, plan.source("b")) is None
    plan = read(FAN_IN.replace("partitions: 12, ", ""))
    assert worker_share(plan, "clean") is None
    assert worker_share(plan, "join") is None


def test_key_groups_that_the_plan_does_not_state_are_an_assumption_with_a_range(
    read: Callable[..., Plan],
) -> None:
    plan = read(
        FAN_IN.replace("parallelism: {now: 7, max: 120}", "parallelism: 7").replace("- {from: a, sel", "#")
    )
    groups = worker_share(plan, "join").channels
    assert (groups.symbol, groups.basis, groups.value) == ("G", "assumed", 128)
    assert (groups.low, groups.high) == (128, 32_768)


STATEFUL = """\
apiVersion: pipelineplan/v1
kind: DataPlan
metadata: {name: stateful}
sources: [{id: a, partitions: 64, rate: 1_000/s}]
stages:
  - id: agg
    inputs: [{from: a, exchange: keyed}]
    parallelism: {now: 50, max: 128}
    state: {keys: 1_000_000_000, bytes_per_key: 300 B, amplification: 2, changed_per_interval: 2 % .. 4 %,
      bandwidth: 15 MB/s ± 20 %, restore_bandwidth: 40 MB/s}
    checkpoint: {interval: 60 s, min_pause: 30 s, incremental: true, restart: 30 s}
sinks: [{id: out, inputs: [agg]}]
outages:
  - {of: job, detect: 2 min, repair: 10 min}
  - {of: sink, detect: 2 min, repair: 10 min}
"""


def test_state_gives_the_duration_of_checkpoints_and_restores_of_the_largest_task(
    read: Callable[..., Plan],
) -> None:
    plan = read(STATEFUL)
    stage = plan.stage("agg")
    assert state_bytes(plan, stage) == 600e9
    # ceil(128/50) = 3 of 128 key groups; 600 GB * 3/128 = 14.0625 GB on the largest task
    duration = duration_operand(plan, stage)
    assert duration.value == pytest.approx(14.0625e9 * 0.03 / 15e6)
    assert (duration.low, duration.high) == (
        pytest.approx(14.0625e9 * 0.02 / 18e6),
        pytest.approx(14.0625e9 * 0.04 / 12e6),
    )
    assert restore_operand(plan, stage).value == pytest.approx(14.0625e9 / 40e6)


def test_keys_that_records_bring_are_remembered_for_their_time_to_live(read: Callable[..., Plan]) -> None:
    text = STATEFUL.replace("keys: 1_000_000_000,", "new_keys: 2 %, ttl: 36 h,")
    plan = read(text)
    stage, rate = plan.stage("agg"), average_rate(plan, plan.source("a"))
    assert rate is not None
    assert keys_operand(plan, stage).value == pytest.approx(rate.value * 0.02 * 129_600)
    assert state_bytes(plan, stage) == pytest.approx(rate.value * 0.02 * 129_600 * 600)
    assert duration_operand(plan, stage).value == pytest.approx(
        state_bytes(plan, stage) * 3 / 128 * 0.03 / 15e6
    )
    for_ever = read(text.replace("ttl: 36 h,", ""))
    assert math.isinf(keys_operand(for_ever, for_ever.stage("agg")).value)
    assert state_bytes(for_ever, for_ever.stage("agg")) == 0.0


def test_a_job_that_restarts_adds_restart_restore_and_what_it_reads_again(read: Callable[..., Plan]) -> None:
    plan = read(STATEFUL)
    stage = plan.stage("agg")
    job, sink = (downtime(plan, outage, stage) for outage in plan.model.outages)
    at = {operand.symbol: operand.value for operand in job.operands}
    d, restore = 14.0625e9 * 0.03 / 15e6, 14.0625e9 / 40e6
    assert job.down(at) == pytest.approx(120 + 600 + 30 + restore)
    assert job.replayed(at) == pytest.approx(max(60, d + 30) + d)
    assert job.piled_up(at) == pytest.approx(750 + restore + max(60, d + 30) + d)
    at = {operand.symbol: operand.value for operand in sink.operands}
    assert (sink.down(at), sink.replayed(at)) == (720, 0)
