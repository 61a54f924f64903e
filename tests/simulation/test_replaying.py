"""A replay against its closed forms: records over what is left, and what piles up beyond it."""

from __future__ import annotations

import math
from pathlib import Path

import pytest
import yaml

from pipelineplan.plan import read_plan
from pipelineplan.simulation import NotSimulated, pipelines_of, simulate
from pipelineplan.simulation.replaying import Replay, declared_replay, replayed
from pipelineplan.simulation.result import ScenarioResult

DAY = 86_400.0
AVERAGE, CAPACITY = 1_000.0, 3_000.0  # four workers of 750/s each


def plan_file(folder: Path, **changes: object) -> Path:
    plan = {
        "apiVersion": "pipelineplan/v1",
        "kind": "DataPlan",
        "metadata": {"name": "clicks"},
        "sources": [{"id": "clicks", "partitions": 4, "rate": {"average": "1_000/s", "peak": "2_000/s"}}],
        "stages": [{"id": "count", "inputs": ["clicks"], "parallelism": 4, "capacity": "750/s"}],
        "sinks": [{"id": "board", "inputs": ["count"]}],
    }
    (folder / "plan.yaml").write_text(yaml.safe_dump(plan | changes), encoding="utf-8")
    return folder / "plan.yaml"


def run(folder: Path, replay: Replay, **changes: object) -> ScenarioResult:
    (pipeline,), _ = pipelines_of(read_plan(plan_file(folder, **changes)))
    return replayed(pipeline, replay)


@pytest.mark.parametrize(
    ("replay", "seconds"),
    [
        (Replay(DAY), AVERAGE * DAY / (CAPACITY - AVERAGE)),
        (Replay(DAY, shared=False), AVERAGE * DAY / CAPACITY),
        (Replay(DAY, 500.0), AVERAGE * DAY / 500),
        (Replay(DAY, 2_000.0), AVERAGE * DAY / 2_000),
        (Replay(30 * DAY, 1_500.0), 30 * AVERAGE * DAY / 1_500),
        # 1,000/s too many pile up for 28,800 s, and leave at 2,000/s
        (Replay(DAY, 3_000.0), AVERAGE * DAY / 3_000 + AVERAGE * DAY / 3_000 * 1_000 / 2_000),
    ],
    ids=["no limit", "a job of its own", "half the rate", "all the room", "a month", "more than the room"],
)
def test_time_and_records(tmp_path: Path, replay: Replay, seconds: float) -> None:
    found = run(tmp_path, replay)
    assert found.figures["replayed_records"].value == pytest.approx(AVERAGE * replay.range_seconds)
    assert found.figures["drain_seconds"].value == pytest.approx(seconds, rel=1e-6, abs=1.0)


def test_all_of_it_is_read_in_that_time_however_it_is_limited(tmp_path: Path) -> None:
    """A law: more than the room takes as long as all the room, since the workers are never idle."""
    times = [run(tmp_path, Replay(DAY, limit)).figures["drain_seconds"].value for limit in (2e3, 3e3, 1e4)]
    assert times == pytest.approx([times[0]] * 3, rel=1e-6)


def test_lag_of_live_records_grows_only_where_the_limit_is_more_than_the_room(tmp_path: Path) -> None:
    assert run(tmp_path, Replay(DAY, 2_000.0)).figures["peak_lag_records"].value < 1
    much = run(tmp_path, Replay(DAY, 3_000.0))
    assert much.figures["peak_lag_records"].value == pytest.approx(28_800 * 1_000)
    assert any("live records wait behind old ones" in note for note in much.notes)


def test_the_busiest_worker_decides(tmp_path: Path) -> None:
    """Three workers over four partitions: one has two, so 1,500/s are all that go through."""
    stages = [{"id": "count", "inputs": ["clicks"], "parallelism": 3, "capacity": "750/s"}]
    found = run(tmp_path, Replay(DAY), stages=stages)
    assert found.figures["drain_seconds"].value == pytest.approx(AVERAGE * DAY / 500, rel=1e-6, abs=1.0)


def test_intervals_of_the_plan_are_intervals_of_the_answer(tmp_path: Path) -> None:
    stages = [{"id": "count", "inputs": ["clicks"], "parallelism": 4, "capacity": "750/s ± 10 %"}]
    drain = run(tmp_path, Replay(DAY), stages=stages).figures["drain_seconds"]
    ends = [AVERAGE * DAY / (4 * capacity - AVERAGE) for capacity in (825, 750, 675)]
    assert [drain.low, drain.value, drain.high] == pytest.approx(ends, rel=1e-6, abs=1.0)


@pytest.mark.parametrize("capacity", ["250/s", None])
def test_what_would_never_end_or_cannot_be_said_is_refused(tmp_path: Path, capacity: str | None) -> None:
    stage = {"id": "count", "inputs": ["clicks"], "parallelism": 4} | (
        {"capacity": capacity} if capacity else {}
    )
    with pytest.raises(NotSimulated, match=r"never end|how fast"):
        run(tmp_path, Replay(DAY), stages=[stage])


def test_a_declared_range_is_simulated_with_the_plan(tmp_path: Path) -> None:
    replay = {"input": "topic", "from": "2026-01-01", "to": "2026-01-03", "rate_limit": "1_000/s"}
    plan = read_plan(plan_file(tmp_path, replay=replay))
    found = {each.name: each for each in simulate(plan).scenarios}["replay"]
    assert found.figures["drain_seconds"].value == pytest.approx(2 * DAY, abs=1.0)
    assert found.slo_verdicts == ()


@pytest.mark.parametrize("ends", [("soon", "2026-01-03"), ("2026-01-03", "2026-01-03"), ("2026-01-03", None)])
def test_a_range_that_is_no_pair_of_dates_is_not_simulated(
    tmp_path: Path, ends: tuple[str, str | None]
) -> None:
    replay = {"from": ends[0]} | ({"to": ends[1]} if ends[1] else {})
    plan = read_plan(plan_file(tmp_path, replay=replay))
    assert declared_replay(plan) is None
    assert math.isfinite(len(simulate(plan).scenarios))
    assert "replay" not in {each.name for each in simulate(plan).scenarios}
