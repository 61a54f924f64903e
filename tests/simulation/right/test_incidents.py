"""Incidents seen elsewhere have the sizes that were stated: the commands of examples/incidents/README.md."""

import json
import re
import shlex
from pathlib import Path
from typing import Any

import pytest

from pipelineplan.cli import run

ROOT = Path(__file__).parents[3]
README = (ROOT / "examples/incidents/README.md").read_text(encoding="utf-8")
COMMANDS = re.findall(r"`pipelineplan (simulate [^`]+)`", README)
HOUR, DAY = 3600.0, 86_400.0
# By the last words of a command: what is looked at, its stated size, and how closely.
SIZES: dict[str, tuple[tuple[str, float | None, float], ...]] = {
    "long-drain.yaml": (("peak_lag_records", 360e6, 1e-9), ("drain_seconds", 10 * HOUR, 1e-9)),
    "away-at-night.yaml": (("drain_seconds", 17.9 * HOUR, 0.005),),
    "away-in-the-morning.yaml": (("oldest_unread_seconds", 2.88 * HOUR, 0.005),),
    "away-in-the-evening.yaml": (("drain_seconds", 2.1 * HOUR, 0.025),),
    "--horizon 219h": (("lost_records", 0.0, 0.0),),
    "--horizon 225h": (("lost_records", 54e6, 0.03),),
    "a-day-again-merged.yaml": (("dropped_records", 0.248 * 4 * DAY, 0.002),),
    "a-day-again-per-partition.yaml": (("dropped_records", 0.0, 0.0),),
    "idle-partition.yaml --scenario idle-partition": (
        ("watermark_delay_seconds", 3010.0, 1e-6),
        ("buffered_records", 21e6, 1e-6),
    ),
    "idle-partition-left-out.yaml --scenario idle-partition": (("watermark_delay_seconds", 70.6, 1e-6),),
    "even-partitions.yaml": (("drain_seconds", 4.5 * HOUR, 0.011),),
    "hot-partition.yaml": (("drain_seconds", 22 * HOUR, 0.005),),
    "partition-never-drains.yaml": (("drain_seconds", None, 0.0),),
    "join-drifts.yaml --scenario examples/incidents/a-day-behind.yaml": (
        ("join_drift_seconds", 21.6 * HOUR, 0.011),
        ("join_state_bytes", 77.8e9, 0.011),
    ),
    "join-aligned.yaml --scenario examples/incidents/a-day-behind.yaml": (("join_state_bytes", 0.6e9, 0.02),),
}
SIMULATED = [command for command in COMMANDS if "--solve" not in command]


def printed(
    command: str, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> dict[str, Any]:
    monkeypatch.chdir(ROOT)
    run([*shlex.split(command), "--format", "json"])
    found: dict[str, Any] = json.loads(capsys.readouterr().out)
    return found


def sizes_of(command: str) -> tuple[tuple[str, float | None, float], ...]:
    (sizes,) = [sizes for end, sizes in SIZES.items() if command.endswith((f"/{end}", f" {end}"))]
    return sizes


@pytest.mark.parametrize("command", SIMULATED)
def test_an_incident_has_its_size(
    command: str, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    incident = printed(command, capsys, monkeypatch)["scenarios"][-1]
    for name, stated, within in sizes_of(command):
        found = incident[name]["value"]
        assert found == (stated if stated is None else pytest.approx(stated, rel=within)), name


def test_the_capacity_for_four_hours(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    (command,) = [command for command in COMMANDS if "--solve" in command]
    found = printed(command, capsys, monkeypatch)["solution"]["found"]
    assert float(found.removesuffix("/s")) == pytest.approx(75_000, rel=0.006)


def test_every_incident_is_in_the_list() -> None:
    assert len(SIMULATED) == len(SIZES)
    files = {file.name for file in (ROOT / "examples/incidents").glob("*.yaml")}
    assert files == {
        Path(word).name for command in COMMANDS for word in command.split() if word.endswith(".yaml")
    }
