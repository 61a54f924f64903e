"""Recorded lag gives back the truth that it was made from, with intervals that contain it."""

import csv
import json
from pathlib import Path

import numpy as np
import pytest

from pipelineplan import InputError, calibrate
from pipelineplan.cli import run as main
from pipelineplan.simulation.control import run_scenario
from pipelineplan.simulation.figures.curves import Curves
from pipelineplan.simulation.flow.journal import value_at
from pipelineplan.simulation.network import Checkpoint, Network, SourceLog, Stage
from pipelineplan.simulation.questions.lag_records import read_lag
from pipelineplan.simulation.scenario import Breaks, Outage, Scenario
from tests.simulation import lag_recording

PLAN = """apiVersion: pipelineplan/v1
kind: DataPlan
metadata: {name: lagging, owner: team, quality_level: prototype}
sources:
  - {id: log, system: kafka, owner: team, partitions: 8, rate: {average: 2_400/s, peak: 3_000/s}}
stages:
  - id: job
    inputs: [{from: log, exchange: forward}]
    parallelism: 4
    capacity: 1_500/s
    checkpoint: {interval: 60 s, duration: 2 s, restart: 90 s}
sinks:
  - {id: out, inputs: [job], mode: upsert}
"""
CAPACITY, HOTTEST, STANDSTILL = 1200.0, 0.05, 240.0


def recording(seed: int, step: float = 15.0) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Times, positions and ends `[partition, time]` of a run in which the job dies, with noise."""
    network = Network(SourceLog("log", 8, HOTTEST), (Stage("job", 4, CAPACITY),), Checkpoint(60.0, 2.0))
    outage = Outage(Breaks.JOB, 1807.0 + 3 * seed, 0.0, STANDSTILL)
    scenario = Scenario("truth", ((0.0, 2400.0),), (outage,), horizon_seconds=7200.0, settle_seconds=7200.0)
    curves = Curves(run_scenario(network, scenario))
    time = np.arange(0.0, curves.run.fluid.now, step)
    read = np.array([value_at(curves.time, curves.read(each), time) for each in range(8)])
    end = np.outer(curves.shares, curves.appended_at(time))
    noise = np.random.default_rng(seed)
    return time, read + noise.normal(0.0, 60.0, read.shape), end + noise.normal(0.0, 60.0, end.shape)


def write_long(file: Path, names: tuple[str, str], seed: int = 0) -> Path:
    """One number a row, as a Prometheus export has it; lag in place of the position where it is asked for."""
    time, read, end = recording(seed)
    with file.open("w", newline="") as text:
        rows = csv.writer(text)
        rows.writerow(["time", "metric", "topic", "partition", "consumergroup", "value"])
        for name in names:
            counts = end - read if "lag" in name else read if "group" in name or "consumer" in name else end
            group = "" if counts is end else "readers"
            for partition in range(8):
                for place, when in enumerate(time):
                    value = max(0.0, round(float(counts[partition, place])))
                    rows.writerow([1.8e9 + when, name, "orders", partition, group, value])
    return file


def write_wide(file: Path, seed: int = 0) -> Path:
    time, read, end = recording(seed)
    with file.open("w", newline="") as text:
        rows = csv.writer(text)
        rows.writerow(["timestamp", "topic", "partition", "CURRENT-OFFSET", "LOG-END-OFFSET", "LAG"])
        for partition in range(8):
            for place, when in enumerate(time):
                counts = (max(0.0, float(each[partition, place])) for each in (read, end))
                moment = np.datetime64("2026-11-09T00:00:00") + np.timedelta64(round(when), "s")
                rows.writerow([f"{moment}Z", "orders", partition, *counts, 0])
    return file


@pytest.fixture
def plan(tmp_path: Path) -> Path:
    file = tmp_path / "plan.yaml"
    file.write_text(PLAN, encoding="utf-8")
    return file


SHAPES = {
    "kafka_exporter": ("kafka_topic_partition_current_offset", "kafka_consumergroup_lag"),
    "kafka_exporter offsets": ("kafka_topic_partition_current_offset", "kafka_consumergroup_current_offset"),
    "kafka-lag-exporter": ("kafka_partition_latest_offset", "kafka_consumergroup_group_lag"),
    "burrow": ("burrow_kafka_topic_partition_offset", "burrow_kafka_consumer_partition_lag"),
}


@pytest.mark.parametrize("shape", [*SHAPES, "wide"])
def test_the_truth_is_found_again(plan: Path, tmp_path: Path, shape: str) -> None:
    file = tmp_path / "lag.csv"
    recorded = write_wide(file) if shape == "wide" else write_long(file, SHAPES[shape])
    found = {each.name: each for each in calibrate(plan, recorded)}
    capacity = found["capacity of a worker"]
    assert capacity.low <= CAPACITY <= capacity.high
    assert capacity.value == pytest.approx(CAPACITY, rel=0.02)
    assert capacity.agrees is False
    rate = found["arrival rate"]
    assert rate.value == pytest.approx(2400.0, rel=0.01)
    assert rate.low <= 2400.0 <= rate.high
    assert rate.agrees
    hottest = found["share of the hottest key"]
    assert hottest.low <= HOTTEST <= hottest.high
    assert hottest.value == pytest.approx(HOTTEST, abs=0.003)
    standstill = found["standstill"]
    assert standstill.low <= STANDSTILL <= standstill.high
    assert standstill.high - standstill.low <= 60.0


def test_intervals_contain_the_truth_about_as_often_as_they_say(plan: Path, tmp_path: Path) -> None:
    inside = 0
    for seed in range(20):
        found = calibrate(plan, write_long(tmp_path / "lag.csv", SHAPES["kafka_exporter offsets"], seed))
        capacity = next(each for each in found if each.name == "capacity of a worker")
        inside += capacity.low <= CAPACITY <= capacity.high
    assert inside >= 16


def test_without_a_drain_capacity_is_unknown_and_why(plan: Path, tmp_path: Path) -> None:
    file = tmp_path / "lag.csv"
    rows = [
        f"{when},{partition},{when * 100},{when * 100 + 5}"
        for partition in range(8)
        for when in range(0, 900, 15)
    ]
    file.write_text("time,partition,current_offset,log_end_offset\n" + "\n".join(rows), encoding="utf-8")
    found = {each.name: each for each in calibrate(plan, file)}
    assert np.isnan(found["capacity of a worker"].value)
    assert "record a drain" in found["capacity of a worker"].why
    assert "no restart" in found["standstill"].why


BROKEN = {
    "empty": ("", "found the columns none"),
    "no counts": ("time,partition\n1,2\n", "wanted time, partition"),
    "one count": ("time,partition,lag\n1,0,3\n2,0,3\n3,0,3\n", "wanted two of"),
    "text": ("time,partition,lag,log_end_offset\n1,0,many,3\n", "many"),
    "infinite": ("time,partition,lag,log_end_offset\n1,0,inf,3\n", "wanted a count"),
    "partition": ("time,partition,lag,log_end_offset\n1,-1,1,3\n", "found partition -1"),
    "time": ("time,partition,lag,log_end_offset\nyesterday,0,1,3\n", "yesterday"),
    "short": ("time,partition,lag,log_end_offset\n1,0,1,3\n", "wanted at least 3"),
    "groups": ("time,topic,partition,lag,log_end_offset\n1,a,0,1,3\n1,b,0,1,3\n", "name one with --topic"),
    "nul": ("time,partition,lag,log_end_offset\n1,0,\0,3\n", "lag.csv"),
}


@pytest.mark.parametrize("name", BROKEN)
def test_a_file_that_is_none_is_refused_where_it_is_wrong(tmp_path: Path, name: str) -> None:
    text, said = BROKEN[name]
    file = tmp_path / "lag.csv"
    file.write_text(text, encoding="utf-8")
    with pytest.raises(InputError) as refused:
        read_lag(file)
    assert said in str(refused.value)
    assert str(file) in str(refused.value)


def test_another_number_of_partitions_is_refused(plan: Path, tmp_path: Path) -> None:
    file = tmp_path / "lag.csv"
    rows = "\n".join(f"{when},0,{when},{when + 1}" for when in range(9))
    file.write_text(f"time,partition,current_offset,log_end_offset\n{rows}", encoding="utf-8")
    with pytest.raises(InputError, match="1 partitions, the plan 8 partitions"):
        calibrate(plan, file)


def test_the_command_says_it(plan: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    file = write_wide(tmp_path / "lag.csv")
    assert main(["profile", "--metrics", str(file), "--for", str(plan)]) == 0
    said = capsys.readouterr().out
    assert "capacity of a worker: 1,2" in said
    assert "the plan says 1,500/s, outside" in said
    assert main(["profile", "--metrics", str(file), "--for", str(plan), "--format", "json"]) == 0
    assert json.loads(capsys.readouterr().out)["calibration"][1]["agrees"] is False
    assert main(["profile", "--metrics", str(file)]) == 2
    assert main(["profile"]) == 2


def test_the_recording_of_the_guide_is_what_its_script_writes() -> None:
    examples = Path(__file__).parents[2] / "examples"
    assert (examples / "demo-holds/lag.csv").read_text(encoding="utf-8") == lag_recording.recording()
