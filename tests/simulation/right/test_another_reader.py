"""What another implementation can read: the JSON by its printed schema, and its figures out of the curves.

Nothing of the simulator is imported: the reader has the documented files and the rules of the page alone.
"""

import csv
import json
import math
from bisect import bisect_left
from itertools import accumulate, pairwise
from pathlib import Path
from typing import Any

import pytest

from pipelineplan.cli import run

PLAN = """
apiVersion: pipelineplan/v1
kind: DataPlan
metadata: {name: read, owner: me, quality_level: prototype}
sources:
  - {id: log, system: kafka, owner: web, partitions: 1, rate: {average: 60/s, peak: 80/s}}
stages:
  - id: job
    inputs: [log]
    engine: flink
    parallelism: 1
    capacity: 100/s
    checkpoint: {interval: 60 s, restart: 10 s, duration: 5 s}
sinks:
  - {id: out, inputs: [job], mode: append}
outages:
  - {of: job, detect: 1 min, repair: 4 min}
  - {of: sink, detect: 1 min, repair: 9 min}
"""


class Reading:
    """One scenario: its object in the JSON, and its rows of `curves.csv` as columns."""

    def __init__(self, scenario: dict[str, Any], rows: list[dict[str, str]]) -> None:
        self.scenario = scenario
        self.time, self.rate, self.lag, self.read_rate = (
            [float(row[name]) for row in rows]
            for name in ("time_seconds", "arrival_rate_per_second", "lag_records", "read_rate_per_second")
        )
        steps = [rate * (b - a) for rate, (a, b) in zip(self.rate, pairwise(self.time), strict=False)]
        self.arrived = [0.0, *accumulate(steps)]
        self.position = [came - waits for came, waits in zip(self.arrived, self.lag, strict=True)]
        # A sink that shows results at once shows a record when the position first comes past it.
        self.seen = list(accumulate(self.position, max))

    def value(self, name: str) -> float:
        found = self.scenario[name]["value"]
        return math.inf if found is None else float(found)

    def when(self, counts: list[float], count: float) -> float:
        """When a rising count first came to `count`, straight between the rows."""
        after = min(bisect_left(counts, count), len(counts) - 1)
        if after == 0 or counts[after] == counts[after - 1]:
            return self.time[after]
        part = (count - counts[after - 1]) / (counts[after] - counts[after - 1])
        return self.time[after - 1] + part * (self.time[after] - self.time[after - 1])

    def delays(self) -> list[float]:
        """How long each of a thousand records, evenly taken, waited until it was first read."""
        counts = [(number + 0.5) / 1000 * self.seen[-1] for number in range(1000)]
        return sorted(self.when(self.seen, count) - self.when(self.arrived, count) for count in counts)

    def drain(self) -> float:
        """From the restart to the first row without lag, along the line that leads there."""
        (phase,) = self.scenario["phases"]
        back: float = phase["restarted_seconds"]
        empty = next(row for row, at in enumerate(self.time) if at > back and self.lag[row] == 0)
        a, b = self.time[empty - 2], self.time[empty - 1]
        fall = (self.lag[empty - 2] - self.lag[empty - 1]) / (b - a)
        return b + self.lag[empty - 1] / fall - back


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("read")


@pytest.fixture(scope="module")
def readings(folder: Path) -> dict[str, Reading]:
    import contextlib
    import io

    (folder / "plan.yaml").write_text(PLAN, encoding="utf-8")
    text = io.StringIO()
    with contextlib.redirect_stdout(text):
        assert (
            run(["simulate", str(folder / "plan.yaml"), "-o", str(folder / "out"), "--format", "json"]) == 0
        )
    (folder / "simulated.json").write_text(text.getvalue(), encoding="utf-8")
    with (folder / "out" / "curves.csv").open(encoding="utf-8", newline="") as file:
        rows = list(csv.DictReader(file))
    return {
        each["name"]: Reading(each, [row for row in rows if row["scenario"] == each["name"]])
        for each in json.loads(text.getvalue())["scenarios"]
    }


def test_the_document_meets_the_schema_that_is_printed(
    readings: dict[str, Reading], folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    jsonschema = pytest.importorskip("jsonschema")
    assert readings
    assert run(["schema", "--for", "simulate"]) == 0
    schema = json.loads(capsys.readouterr().out)
    jsonschema.validate(json.loads((folder / "simulated.json").read_text(encoding="utf-8")), schema)


@pytest.mark.parametrize("name", ["steady", "peak", "job-outage", "sink-outage"])
def test_lag_and_counts_follow_from_the_curves(name: str, readings: dict[str, Reading]) -> None:
    one = readings[name]
    end = one.time[-1]
    assert one.value("peak_lag_records") == pytest.approx(max(one.lag), rel=1e-6)
    assert one.value("arrived_records") == pytest.approx(one.arrived[-1], rel=1e-6)
    assert one.value("throughput_per_second") == pytest.approx(one.position[-1] / end, rel=1e-6)
    ages = [at - one.when(one.arrived, count) for at, count in zip(one.time, one.position, strict=True)]
    assert one.value("oldest_unread_seconds") == pytest.approx(max(0.0, *ages), abs=2 * end / 1000)


@pytest.mark.parametrize("name", ["job-outage", "sink-outage"])
def test_drain_replay_and_delays_follow_from_the_curves(name: str, readings: dict[str, Reading]) -> None:
    one = readings[name]
    assert one.value("drain_seconds") == pytest.approx(one.drain(), rel=1e-4)
    reads = sum(rate * (b - a) for rate, (a, b) in zip(one.read_rate[1:], pairwise(one.time), strict=True))
    assert one.value("replayed_records") == pytest.approx(
        reads - one.position[-1], abs=1e-3 * one.position[-1]
    )
    delays = one.delays()
    for percent in (50, 95, 99):
        expected = delays[round(percent / 100 * len(delays))]
        found = one.value(f"freshness_p{percent}_seconds")
        assert found == pytest.approx(expected, rel=0.01, abs=2 * one.time[-1] / 1000), percent


def test_the_columns_of_the_files_are_those_of_the_page(readings: dict[str, Reading], folder: Path) -> None:
    assert readings
    page = (Path(__file__).parents[3] / "docs/reference/simulate-json.md").read_text(encoding="utf-8")
    files = page.split("\n## The files of `-o`\n")[1].split("\n## ")[0]
    for name in ("figures", "curves"):
        with (folder / "out" / f"{name}.csv").open(encoding="utf-8", newline="") as file:
            header = next(csv.reader(file))
        missing = [column for column in header if f"`{column}`" not in files]
        assert not missing, name
