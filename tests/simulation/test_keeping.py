"""Replications that were killed and go on, and what they say of chance and of the inputs."""

import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from pipelineplan import InputError, simulate
from pipelineplan.simulation.chance.keeping import Kept, Sample, name_of
from pipelineplan.verdicts import Verdict

PLAN = """apiVersion: pipelineplan/v1
kind: DataPlan
metadata: {{name: drains, owner: team, quality_level: prototype}}
sources:
  - {{id: log, system: kafka, owner: team, partitions: 1, rate: {{average: 16_748/s, peak: 16_748/s}}}}
stages:
  - {{id: job, inputs: [{{from: log, exchange: forward}}], parallelism: 1, capacity: {capacity}}}
sinks:
  - {{id: out, inputs: [job], mode: upsert}}
outages:
  - {{id: away, of: sink, detect: 1 min, repair: 115.5 min, drain_target: {target}}}
"""


def plan_of(folder: Path, capacity: str = "20_000/s", target: str = "11 h") -> Path:
    file = folder / "plan.yaml"
    file.write_text(PLAN.format(capacity=capacity, target=target), encoding="utf-8")
    return file


def command(plan: Path, *more: str) -> list[str]:
    options = ["--replications", "150", "--seed", "5", "--format", "json", *more]
    return [sys.executable, "-m", "pipelineplan", "simulate", str(plan), *options]


@pytest.mark.slow
def test_killed_and_resumed_gives_the_same_bytes(tmp_path: Path) -> None:
    plan, kept = plan_of(tmp_path), tmp_path / "kept.jsonl"
    whole = subprocess.run(command(plan), capture_output=True, check=False)
    running = subprocess.Popen(
        command(plan, "--resume", str(kept)), stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
    )
    deadline = time.monotonic() + 60
    while time.monotonic() < deadline and (not kept.exists() or kept.read_bytes().count(b"\n") < 20):
        time.sleep(0.02)
    os.kill(running.pid, signal.SIGKILL)
    running.wait()
    done = kept.read_bytes().count(b"\n")
    assert 20 <= done < 3 * 150
    with kept.open("ab") as file:
        file.write(b'{"of": "cut sho')
    resumed = subprocess.run(command(plan, "--resume", str(kept)), capture_output=True, check=False)
    assert resumed.stdout == whole.stdout
    assert resumed.returncode == whole.returncode
    lines = kept.read_text(encoding="utf-8").splitlines()
    assert len(lines) == 3 * 150
    assert len({(json.loads(line)["of"], json.loads(line)["number"]) for line in lines}) == 3 * 150


def test_what_was_kept_of_another_plan_is_left_alone(tmp_path: Path) -> None:
    kept = tmp_path / "kept.jsonl"
    one = simulate(plan_of(tmp_path), scenarios=["steady"], replications=4, resume=kept)
    plain = simulate(plan_of(tmp_path, "30_000/s"), scenarios=["steady"], replications=4)
    other = simulate(plan_of(tmp_path, "30_000/s"), scenarios=["steady"], replications=4, resume=kept)
    assert other.to_json_dict() == plain.to_json_dict() != one.to_json_dict()
    assert len(kept.read_text(encoding="utf-8").splitlines()) == 8


@pytest.mark.parametrize("text", ["no json\n", "[1]\n", '{"of": "x"}\n' * 2 + '{"of": 3, "x": 1}\n', "7\n"])
def test_another_file_is_refused_and_not_written_to(tmp_path: Path, text: str) -> None:
    kept = tmp_path / "kept.jsonl"
    kept.write_text(text, encoding="utf-8")
    if "of" in text:
        assert Kept(kept).read("y") == {}
        return
    with pytest.raises(InputError, match="finished replication"):
        Kept(kept).read("x")
    assert kept.read_text(encoding="utf-8") == text


def test_numbers_come_back_as_they_were(tmp_path: Path) -> None:
    kept = Kept(tmp_path / "new" / "kept.jsonl")
    sample = Sample({"a": 0.1 + 0.2, "b": float("inf")}, (1e-300,), "T3")
    kept.write("x", 7, sample)
    assert kept.read("x") == {7: sample}
    assert name_of(sample) == name_of(Sample(dict(sample.figures), sample.fresh_seconds, "T3"))


@pytest.mark.slow
def test_inputs_move_a_drain_by_hours_and_arrivals_by_seconds(tmp_path: Path) -> None:
    """Two hours away leave ten hours of work; 2 % of capacity move that to 8.9 or 11.4 h."""
    exact = simulate(plan_of(tmp_path, "20_000/s"), replications=40).scenarios[-1]
    drain, spread = exact.figures["drain_seconds"], exact.replications.figures["drain_seconds"]
    assert drain.value / 3600 == pytest.approx(10.0, rel=0.01)
    assert 5.0 < spread.p95 - spread.p05 < 90.0
    assert exact.slo_verdicts[0].verdict is Verdict.UNKNOWN  # 40 runs are too few for 95 %
    assert "would decide" in exact.slo_verdicts[0].message

    wide = simulate(plan_of(tmp_path, "20_000/s ± 2 %"), replications=80).scenarios[-1]
    drain = wide.figures["drain_seconds"]
    assert drain.low / 3600 == pytest.approx(8.9, abs=0.05)
    assert drain.high / 3600 == pytest.approx(11.4, abs=0.05)
    spread = wide.replications.figures["drain_seconds"]
    assert spread.p95 - spread.p05 < 90.0
    verdict = wide.slo_verdicts[0]
    assert verdict.verdict is Verdict.UNKNOWN
    assert verdict.chances["likely"].kept == 80
    assert verdict.chances["pessimistic"].kept == 0
    assert "not chance but the inputs decide" in verdict.message
    assert "capacity" in verdict.message
