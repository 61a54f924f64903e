"""What it takes: the least value, confirmed, with one less failing; plateaus; what is not monotone."""

from collections.abc import Callable
from pathlib import Path

import pytest

from pipelineplan import workflow
from pipelineplan.cli import run
from pipelineplan.errors import InputError
from pipelineplan.plan import Plan, read_plan
from pipelineplan.plan.changing import path_named, with_value
from pipelineplan.simulation.questions.condition import Condition, read_condition
from pipelineplan.simulation.questions.solving import Solution, Trial, solve
from pipelineplan.verdicts import Verdict

HOLDS = Path(__file__).parents[2] / "examples" / "demo-holds" / "plan.yaml"
UNITS = {"drain_seconds": "s", "peak_lag_records": "records", "throughput_per_second": "records/s"}
KEYED = """
apiVersion: pipelineplan/v1
kind: DataPlan
metadata: {name: keyed, owner: web-data, quality_level: prototype}
sources:
  - {id: log, system: kafka, owner: web, partitions: 4, rate: {average: 4_000/s, peak: 4_000/s}}
stages:
  - id: count
    inputs: [{from: log, exchange: keyed, key: user}]
    engine: flink
    parallelism: {now: 5, max: 12}
    capacity: 1_000/s
    checkpoint: {interval: 60 s, restart: 10 s, duration: 5 s}
sinks:
  - {id: out, inputs: [count], mode: upsert}
outages:
  - {of: job, detect: 1 min, repair: 4 min}
"""


def drain_of(plan: Plan) -> float:
    return max(each.figures["drain_seconds"].high for each in workflow.simulate(plan).scenarios)


@pytest.mark.slow
def test_the_least_parallelism_is_confirmed_and_one_less_fails() -> None:
    found = workflow.solve(HOLDS, "stages.count.parallelism", "drain_time <= 70 min")
    assert (found.found, found.now, found.monotone) == ("12", "12", True)
    plan = read_plan(HOLDS)
    path = path_named(plan, "stages.count.parallelism")
    assert drain_of(with_value(plan, path, 12)) <= 70 * 60 < drain_of(with_value(plan, path, 11))


def test_with_a_probability_the_replications_decide() -> None:
    found = workflow.solve(HOLDS, "stages.count.parallelism", "drain_time <= 53 min @ 90 %", replications=40)
    assert found.found == "12"
    assert found.at_found is not None
    assert found.at_found.why == "kept in 40 of 40 replications"
    assert found.before is not None
    assert found.before.value == "11"
    with pytest.raises(InputError, match="at least 72 replications"):
        workflow.solve(HOLDS, "stages.count.parallelism", "drain_time <= 53 min @ 95 %", replications=20)


@pytest.mark.slow
def test_simulate_confirms_at_95_percent_what_solve_finds_and_one_less_fails() -> None:
    """The drain of the plan's own outage as its promise: judged by replications of another seed."""
    found = workflow.solve(HOLDS, "stages.count.parallelism", "drain_time <= 53 min @ 95 %", replications=80)
    assert found.found == "12"
    plan = read_plan(HOLDS)
    promised = with_value(plan, path_named(plan, "outages.0.drain_target"), "53 min")
    path = path_named(plan, "stages.count.parallelism")
    verdicts = {}
    for workers in (12, 11):
        result = workflow.simulate(with_value(promised, path, workers), replications=80, seed=77)
        (drain,) = [each for each in result.scenarios[-1].slo_verdicts if each.objective == "drain"]
        verdicts[workers] = (drain.verdict, drain.chances["likely"].kept)
    assert verdicts == {12: (Verdict.HOLDS, 80), 11: (Verdict.FAILS, 0)}


def test_key_groups_make_plateaus(tmp_path: Path) -> None:
    """12 key groups: with 6 to 11 workers the busiest has two, so 7 to 11 are no better than 6."""
    file = tmp_path / "plan.yaml"
    file.write_text(KEYED, encoding="utf-8")
    plan = read_plan(file)
    path = (*path_named(plan, "stages.count.parallelism"), "now")
    drains = {workers: drain_of(with_value(plan, path, workers)) for workers in (5, 6, 7, 11, 12)}
    assert drains[6] == pytest.approx(drains[7], rel=1e-9)
    assert drains[6] == pytest.approx(drains[11], rel=1e-9)
    assert drains[5] > drains[6] > drains[12]
    bound = (drains[6] + drains[12]) / 2
    found = workflow.solve(plan, "stages.count.parallelism", f"drain_time <= {bound:.0f} s")
    assert found.found == "12"
    assert [trial.met for trial in found.trials[:12]] == [False] * 11 + [True]


@pytest.mark.slow
def test_a_quantity_is_bisected_and_keeps_its_unit() -> None:
    """51.3 min at 2,000/s: the drain is 12 lanes' backlog over what they can do beyond 11,000/s."""
    found = workflow.solve(HOLDS, "stages.count.capacity", "drain_time <= 30 min")
    assert found.found is not None
    assert found.found.endswith("/s")
    capacity = float(found.found.removesuffix("/s"))
    # The worst: a job that dies right before a checkpoint, 60 min down and 65 s to read again.
    least = 11_000 / 12 * (1 + (3600 + 65) / 1800)
    assert capacity == pytest.approx(least, rel=0.01)


def searched(now: int, holds: Callable[[int], bool]) -> Solution:
    """Solve with a made-up answer for each parallelism."""
    plan = with_value(read_plan(HOLDS), path_named(read_plan(HOLDS), "stages.count.parallelism"), now)

    def made_up(one: Plan) -> Trial:
        (stage,) = one.model.stages
        assert stage.parallelism is not None
        return Trial("", 0.0, 0.0, holds(stage.parallelism.now))

    asked = Condition("drain_seconds", at_most=True, bound=1.0, probability=None, text="", unit="s")
    return solve(plan, path_named(plan, "stages.count.parallelism"), asked, made_up, made_up)


def test_what_is_not_monotone_is_scanned_and_said() -> None:
    found = searched(4, lambda workers: workers in {3, 6, 7, 8, 9})
    assert (found.found, found.monotone) == ("3", False)
    assert searched(4, lambda workers: workers >= 5).monotone
    assert searched(4, lambda _: False).found is None
    assert searched(4, lambda _: True).found == "1"


def test_a_long_range_is_bisected_to_the_very_number() -> None:
    found = searched(100, lambda workers: workers >= 137)
    assert found.found == "137"
    assert found.before is not None
    assert found.before.value == "136"


def test_conditions_are_read_as_people_write_them() -> None:
    asked = read_condition("drain_time <= 30 min @ 95 %", UNITS)
    assert (asked.figure, asked.at_most, asked.bound, asked.probability) == (
        "drain_seconds",
        True,
        1800.0,
        0.95,
    )
    assert read_condition("throughput >= 1_000", UNITS).at_most is False
    assert read_condition("peak_lag<=5000", UNITS).figure == "peak_lag_records"


@pytest.mark.parametrize(
    "text",
    ["", "drain_time", "drain_time < 3 min", "fresh <= 3 s", "drain_time <= 3 kg", "peak_lag <= many",
     "peak_lag <= -1", "drain_time <= 3 s @ 100 %", "drain_time <= 3 s @ often", "a" * 9999,
     "peak_lag <= nan"],
)  # fmt: skip
def test_a_condition_that_cannot_be_read_says_why(text: str) -> None:
    with pytest.raises(InputError):
        read_condition(text, UNITS)


def test_the_command_line(capsys: pytest.CaptureFixture[str]) -> None:
    solved = ["simulate", str(HOLDS), "--solve", "stages.count.parallelism", "--until"]
    assert run([*solved, "drain_time <= 70 min"]) == 0
    text = capsys.readouterr().out
    assert "12 is the least with drain_time <= 70 min" in text
    assert "1 to 11 (11 values) not met; 12 to 48 (37 values) met" in text
    assert run(["simulate", str(HOLDS), "--until", "drain_time <= 1 min"]) == 2
    assert (
        run(["simulate", str(HOLDS), "--solve", "stages.count.engine", "--until", "drain_time <= 1 s"]) == 2
    )
    assert run(["simulate", str(HOLDS), "--solve", "stages.nobody", "--until", "drain_time <= 1 s"]) == 2
