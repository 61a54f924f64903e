"""`test --backend` in a process of its own: the same printed verdicts, whichever engine gives them."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from pipelineplan import catalogue
from pipelineplan.quality import BACKENDS

pytest.importorskip("great_expectations", reason="great_expectations is not installed")

EXAMPLE = catalogue.folder("examples") / "orders-to-warehouse"
NOW = "2026-11-09T10:30:20"


def run(*arguments: object, **variables: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "pipelineplan", "test", *map(str, arguments)],
        capture_output=True,
        text=True,
        encoding="utf-8",
        timeout=300,
        check=False,
        env=os.environ | {"PIPELINEPLAN_DATABASE": "", **variables},
    )


@pytest.mark.slow
def test_an_example_prints_the_same_on_every_engine(database: str, tmp_path: Path) -> None:
    orders = (EXAMPLE / "data/orders.csv").read_text(encoding="utf-8").splitlines()
    (tmp_path / "orders.csv").write_text("\n".join([*orders, orders[5]]), encoding="utf-8")
    (tmp_path / "minute_sales.csv").write_bytes((EXAMPLE / "data/minute_sales.csv").read_bytes())
    printed = {
        run(
            EXAMPLE,
            "--data-dir",
            tmp_path,
            "--as-of",
            NOW,
            "--backend",
            backend,
            PIPELINEPLAN_DATABASE=database,
        ).stdout
        for backend in BACKENDS
    }
    assert len(printed) == 1
    assert "0 could not evaluate" in next(iter(printed))


def test_a_backend_without_its_database_is_unusable_input() -> None:
    found = run(EXAMPLE, "--data-dir", EXAMPLE / "data", "--backend", "postgresql")
    assert (found.returncode, found.stdout) == (2, "")
    assert "PIPELINEPLAN_DATABASE is not set; set PIPELINEPLAN_DATABASE=postgresql://" in found.stderr


def test_a_backend_has_no_say_in_an_engine_run() -> None:
    found = run(EXAMPLE, "--data-dir", EXAMPLE / "data", "--backend", "sqlite", "--on", "beam")
    assert found.returncode == 2
    assert "--backend sqlite answers quality checks, and --on beam runs none" in found.stderr
