"""What `diff` says of two revisions: keys that move, and state that no savepoint brings back."""

from __future__ import annotations

import os
from pathlib import Path

import pipelineplan as pp
from pipelineplan.cli import run

PLAN = """\
apiVersion: pipelineplan/v1
kind: DataPlan
metadata: {name: clicks, quality_level: production}
sources:
  - id: clicks
    partitions: 24
    rate: {peak: 6_000/s}
    keys: {field: user_id}
    semantics: {ordering: per_key, watermark: {lag: 10 s}}
stages:
  - id: count
    engine: flink
    inputs: [{from: clicks, exchange: keyed, key: user_id}]
    parallelism: {now: 12, max: 120}
    capacity: 2_000/s
    window: {fixed: 1 min}
sinks: [{id: board, inputs: [count]}]
"""


def test_diff_says_which_keys_move_and_which_state_is_lost(tmp_path: Path) -> None:
    (tmp_path / "old.yaml").write_text(PLAN)
    (tmp_path / "new.yaml").write_text(PLAN.replace("24", "36").replace("120", "128"))
    found = pp.diff(pp.read_plan(tmp_path / "old.yaml"), pp.read_plan(tmp_path / "new.yaml"))
    text = found.to_text()
    assert "new ORD105 fails: 'clicks' goes from 24 to 36 partitions: 66.7 % of its keys move" in text
    assert "new CHK203 fails: 'count' goes from 120 to 128 key groups" in text
    assert found.worse


def test_more_workers_over_the_same_key_groups_break_nothing(tmp_path: Path) -> None:
    (tmp_path / "old.yaml").write_text(PLAN)
    (tmp_path / "new.yaml").write_text(PLAN.replace("now: 12", "now: 24"))
    found = pp.diff(pp.read_plan(tmp_path / "old.yaml"), pp.read_plan(tmp_path / "new.yaml"))
    assert not {finding.code for finding in found.new} & {"ORD105", "CHK203"}


def test_the_command_fails_on_it(tmp_path: Path) -> None:
    (tmp_path / "old.yaml").write_text(PLAN)
    (tmp_path / "new.yaml").write_text(PLAN.replace("partitions: 24", "partitions: 48"))
    here = Path.cwd()
    os.chdir(tmp_path)
    try:
        assert run(["diff", "old.yaml", "new.yaml"]) == 1
        assert run(["explain", "ORD105"]) == 0
    finally:
        os.chdir(here)
