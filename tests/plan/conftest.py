"""A small plan on disk, changed as a test wants it."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from pipelineplan.errors import InputError, Problem
from pipelineplan.plan import Plan, read_plan

SMALL = """\
apiVersion: pipelineplan/v1
kind: DataPlan
metadata: {name: small}
sources:
  - id: clicks
    partitions: 12
    rate: {average: 4_000/s, peak: 11_000/s}
stages:
  - {id: count, inputs: [clicks], parallelism: 8, capacity: 2_000/s}
sinks:
  - {id: board, inputs: [count]}
"""


@pytest.fixture
def small() -> str:
    return SMALL


@pytest.fixture
def read(tmp_path: Path) -> Callable[..., Plan]:
    """Writes `files` beside the plan and reads the plan."""

    def write_and_read(text: str = SMALL, env: str | None = None, **files: str) -> Plan:
        (tmp_path / "plan.yaml").write_text(text, encoding="utf-8")
        for name, content in files.items():
            (tmp_path / f"{name}.yaml").write_text(content, encoding="utf-8")
        return read_plan(tmp_path / "plan.yaml", env)

    return write_and_read


@pytest.fixture
def problems(read: Callable[..., Plan]) -> Callable[..., tuple[Problem, ...]]:
    """The problems of a plan that cannot be read."""

    def problems_of(*args: str, **files: str) -> tuple[Problem, ...]:
        with pytest.raises(InputError) as caught:
            read(*args, **files)
        return caught.value.problems

    return problems_of
