"""The replay as a command: what a shell hands to Airflow is what the plan says, whatever it is called."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from exporting import EXAMPLES, small

from pipelineplan import InputError, export
from pipelineplan.plan import Plan

LEDGER = EXAMPLES / "ledger-batch"
REPLAY = {"from": "2026-10-01", "to": "2026-10-08", "rate_limit": "100/s"}


def handed_over(folder: Path, plan: Plan | Path, **settings: str) -> list[str]:
    """The arguments that a program called airflow gets when the script runs."""
    folder.mkdir(exist_ok=True)
    (script,) = export(plan, "airflow", settings=settings).write(folder / "backfill.sh")
    airflow = folder / "airflow"
    program = f"#!{sys.executable}\nimport json, sys\nprint(json.dumps(sys.argv[1:]))\n"
    airflow.write_text(program, encoding="utf-8")
    airflow.chmod(0o755)
    environment = {**os.environ, "PATH": f"{folder}:{os.environ['PATH']}"}
    done = subprocess.run(
        ["sh", script], env=environment, capture_output=True, text=True, check=True, cwd=folder
    )
    found: list[str] = json.loads(done.stdout)
    return found


def options(arguments: list[str]) -> dict[str, str]:
    assert arguments[:2] == ["backfill", "create"]
    return dict(zip(arguments[2::2], arguments[3::2], strict=True))


def test_the_runs_are_those_whose_date_lies_in_the_range(tmp_path: Path) -> None:
    found = options(handed_over(tmp_path, LEDGER))
    assert found["--dag-id"] == "ledger-batch"
    assert datetime.fromisoformat(found["--from-date"]) == datetime(2026, 10, 1, tzinfo=UTC)
    assert datetime.fromisoformat(found["--to-date"]) == datetime(2026, 11, 14, 23, 59, 59, tzinfo=UTC)
    assert (found["--max-active-runs"], found["--reprocess-behavior"]) == ("1", "completed")


@pytest.mark.parametrize("name", ["orders; touch gone", "$(touch gone)", "a'b\"c", "--dry-run x", "a\nb"])
def test_a_name_is_never_a_command(tmp_path: Path, name: str) -> None:
    ingestion = {"mode": "batch", "dag": name}
    plan = small(tmp_path / "plan", ingestion=ingestion, replay=REPLAY)
    found = options(handed_over(tmp_path / "run", plan))
    assert found["--dag-id"] == " ".join(name.split())
    assert sorted(p.name for p in (tmp_path / "run").iterdir()) == ["airflow", "backfill.sh"]


def test_what_airflow_has_no_option_for_is_left_out_and_said(tmp_path: Path) -> None:
    plan = small(tmp_path, ingestion={"dag": "daily"}, replay=REPLAY)
    made = export(plan, "airflow")
    assert [one.what for one in made.dropped] == ["$.replay.rate_limit"]
    assert made.files[0].text.count("rate_limit") == 1


@pytest.mark.parametrize(
    "parts",
    [
        {"replay": REPLAY},
        {"ingestion": {"dag": "daily"}},
        {"ingestion": {"dag": "daily"}, "replay": {"input": "lake"}},
    ],
    ids=["a stream", "no replay", "no range"],
)
def test_without_runs_or_a_range_there_is_none(tmp_path: Path, parts: dict[str, Any]) -> None:
    with pytest.raises(InputError, match="states nothing"):
        export(small(tmp_path, **parts), "airflow")
