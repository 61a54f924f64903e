"""A recorded stream becomes a profile, and a plan that references it gets its disorder from it."""

from __future__ import annotations

from pathlib import Path

import pytest

import pipelineplan as pp
from pipelineplan.cli import run
from pipelineplan.verdicts import Basis

ROOT = Path(__file__).parents[2]
RECORDED = ROOT.parent / "shared/data/out-of-order"
PLAN = """\
apiVersion: pipelineplan/v1
kind: DataPlan
metadata: {name: measured}
sources:
  - id: phones
    partitions: 1
    rate: {profile: phones.yaml}
    semantics: {disorder: {profile: phones.yaml}, watermark: {lag: 100 ms}}
stages:
  - id: count
    inputs: [phones]
    parallelism: 1
    capacity: 100/s
    window: {fixed: 10 s}
sinks: [{id: board, inputs: [count]}]
slos: [{for: board, completeness: {share: 99.9 %, at: final, of: records}}]
"""


@pytest.mark.parametrize(("name", "events", "out_of_order"), [("d-1", 9600, 1544), ("d-2", 10800, 3666)])
def test_disorder_and_rate_come_from_the_profile(
    name: str, events: int, out_of_order: int, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    if not RECORDED.is_dir():
        pytest.skip("the recorded streams are not beside the repository")
    columns = ["--event-time", "S.Client.Detection.Time", "--arrival-time", "S.Message.received.time.ms"]
    assert run(["profile", str(RECORDED / f"{name}.csv"), *columns, "-o", str(tmp_path / "phones.yaml")]) == 0
    assert f"{out_of_order:,}" in capsys.readouterr().out
    (tmp_path / "plan.yaml").write_text(PLAN, encoding="utf-8")
    plan = pp.read_plan(tmp_path / "plan.yaml")
    assert plan.profiles["phones.yaml"].events == events

    complete = next(f for f in pp.check(plan).findings if f.code == "EVT101")
    disorder = next(operand for operand in complete.operands if operand.symbol == "disorder")
    assert disorder.basis is Basis.MEASURED
    assert "between" not in complete.message  # a measured curve is a point and no interval
    keeps_up = next(f for f in pp.check(plan).findings if f.code == "CAP101")
    assert {o.basis for o in keeps_up.operands if o.symbol == "λ"} == {Basis.MEASURED}
