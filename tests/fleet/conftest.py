"""Plans on disk, and the command line run in this process: what it prints and its exit status."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from pipelineplan.cli import run

SMALL = """\
apiVersion: pipelineplan/v1
kind: DataPlan
metadata: {name: small, owner: web}
sources:
  - id: clicks
    partitions: 12
    rate: {average: 4_000/s, peak: 11_000/s}
stages:
  - id: count
    inputs: [clicks]
    parallelism: 8
    capacity: 2_000/s
sinks:
  - {id: board, inputs: [count]}
"""
FAILING = SMALL.replace("2_000/s", "100/s")  # CAP101: an error at every quality level


@dataclass(frozen=True)
class Printed:
    status: int
    out: str
    err: str

    @property
    def json(self) -> Any:
        return json.loads(self.out)

    def open_codes(self, severity: str = "error") -> list[str]:
        return [
            one["code"]
            for plan in self.json["plans"]
            for one in plan["findings"]
            if one["verdict"] == "fails" and one["severity"] == severity and one["accepted"] is None
        ]


Check = Callable[..., Printed]


@pytest.fixture
def check(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Check:
    """Runs `check` with these options in the test's own folder, which is a root."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("PIPELINEPLAN_CACHE", str(tmp_path.parent / f"{tmp_path.name}-cache"))
    (tmp_path / "pipelineplan.toml").touch()

    def print_it(*options: object) -> Printed:
        capsys.readouterr()
        status = run(["check", *map(str, options)])
        printed = capsys.readouterr()
        return Printed(status, printed.out, printed.err)

    return print_it


@pytest.fixture
def plan(tmp_path: Path) -> Callable[..., Path]:
    """Writes a plan, and other files beside it by name."""

    def write(text: str = SMALL, name: str = "plan.yaml", **files: str) -> Path:
        file = tmp_path / name
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(text, encoding="utf-8")
        for other, content in files.items():
            (tmp_path / other.replace("__", ".")).write_text(content, encoding="utf-8")
        return file

    return write
