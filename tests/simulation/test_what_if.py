"""The what-if grid: every cell is what the simulation says of the plan with those two numbers in it."""

from __future__ import annotations

import json
import math
from pathlib import Path

import pytest

from pipelineplan import read_plan, sensitivity, what_if
from pipelineplan.plan import Plan
from pipelineplan.simulation.questions.sensitivity import outcome_of
from pipelineplan.simulation.questions.what_if import FACTORS, WhatIf, outcome
from pipelineplan.verdicts import Verdict

EXAMPLES = Path(__file__).parents[2] / "examples"
SMALL = """\
apiVersion: pipelineplan/v1
kind: DataPlan
metadata: {name: small}
sources: [{id: clicks, partitions: PARTITIONS, rate: {average: AVERAGE, peak: AVERAGE}}]
stages: [{id: count, inputs: [{from: clicks, exchange: forward}], parallelism: 1, capacity: CAPACITY}]
sinks: [{id: out, inputs: [count]}]
outages: [{of: sink, detect: 1 min, repair: 29 min, drain_target: 1 h}]
"""


def small(folder: Path, average: str = "1_000/s", capacity: str = "2_000/s") -> Plan:
    text = SMALL.replace("PARTITIONS", "1").replace("AVERAGE", average).replace("CAPACITY", capacity)
    (folder / "plan.yaml").write_text(text, encoding="utf-8")
    return read_plan(folder / "plan.yaml")


@pytest.fixture(scope="module")
def fails() -> WhatIf:
    found = what_if(EXAMPLES / "demo-fails" / "plan.yaml")
    assert found is not None
    return found


def test_the_two_are_those_of_the_tornado(fails: WhatIf) -> None:
    widest = sensitivity(EXAMPLES / "demo-fails" / "plan.yaml").swings[:2]
    assert [fails.across.path, fails.down.path] == [each.path for each in widest]


def test_the_plans_own_cell_is_the_plan(fails: WhatIf) -> None:
    plan = read_plan(EXAMPLES / "demo-fails" / "plan.yaml")
    assert fails.own.margin == outcome_of(plan, "margin")
    assert fails.across.values[fails.across.own] == "11_000/s"


def test_a_drain_in_a_cell_is_that_of_theory(tmp_path: Path) -> None:
    """What waits after 30 min is worked off by what live records leave free: rate * outage / spare."""
    grid = what_if(small(tmp_path))
    assert grid is not None
    peak, capacity = sorted((grid.across, grid.down), key=lambda side: "capacity" in side.path)
    assert (peak.path.split(".")[-2:], capacity.path) == (["rate", "peak"], "$.stages[0].capacity")
    for row, line in enumerate(grid.cells):
        for column, cell in enumerate(line):
            values = {grid.across.path: grid.across.values[column], grid.down.path: grid.down.values[row]}
            rate = float(values[peak.path].removesuffix("/s").replace("_", ""))
            spare = float(values[capacity.path].removesuffix("/s").replace("_", "")) - rate
            wanted = rate * 1800 / spare if spare > 0 else math.inf
            # A restart of the sink takes a moment in the simulation, of which the formula knows nothing.
            assert cell.drain_seconds == pytest.approx(wanted, rel=0.02), values
            assert cell.verdict is (Verdict.HOLDS if cell.drain_seconds <= 3600 else Verdict.FAILS), values


def test_every_other_cell_is_the_simulation_of_that_plan(tmp_path: Path) -> None:
    grid = what_if(small(tmp_path))
    assert grid is not None
    peak_is_across = "peak" in grid.across.path
    rate, capacity = "1500/s", "3000/s"
    (tmp_path / "other").mkdir()
    other = SMALL.replace("PARTITIONS", "1").replace("average: AVERAGE", "average: 1_000/s")
    other = other.replace("AVERAGE", rate).replace("CAPACITY", capacity)
    (tmp_path / "other/plan.yaml").write_text(other, encoding="utf-8")
    across, down = (rate, capacity) if peak_is_across else (capacity, rate)
    cell = grid.cells[grid.down.values.index(down)][grid.across.values.index(across)]
    assert cell == outcome(read_plan(tmp_path / "other/plan.yaml"))


def test_the_values_are_rising_and_the_plans_own_is_among_them(fails: WhatIf) -> None:
    for side in (fails.across, fails.down):
        numbers = [float(value.removesuffix("/s").replace("_", "")) for value in side.values]
        assert numbers == sorted(numbers)
        assert [number / numbers[side.own] for number in numbers] == pytest.approx(list(FACTORS))


def test_two_uses_of_one_value_are_one_number() -> None:
    """The stages of one job share their checkpoints: the second side is another number."""
    grid = what_if(EXAMPLES / "orders-to-warehouse" / "plan.yaml")
    assert grid is not None
    assert [grid.across.path, grid.down.path] == [
        "$.stages[0].checkpoint.interval",
        "$.stages[1].window.fixed",
    ]


def test_nothing_promised_is_nothing_to_explore(tmp_path: Path) -> None:
    text = SMALL.replace(", drain_target: 1 h", "").replace("PARTITIONS", "1")
    (tmp_path / "plan.yaml").write_text(
        text.replace("AVERAGE", "10/s").replace("CAPACITY", "9/s"), encoding="utf-8"
    )
    assert what_if(tmp_path / "plan.yaml") is None


def test_it_is_plain_data(fails: WhatIf) -> None:
    data = json.loads(json.dumps(fails.to_json_dict(), allow_nan=False))
    assert len(data["cells"]) == len(data["down"]["values"])
    assert {cell["verdict"] for row in data["cells"] for cell in row} == {"holds", "fails"}
    assert data["candidates"] >= 2
