import csv
import json
import math
import subprocess
import sys
from pathlib import Path

import pytest

from pipelineplan.plan import Plan, capacity, read_plan
from pipelineplan.plan.freshness import waits
from pipelineplan.simulation import (
    ScenarioResult,
    SimulationResult,
    pipelines_of,
    read_library,
    simulate,
    write_csv,
    write_parquet,
)
from pipelineplan.simulation.arranging import End
from pipelineplan.simulation.figures.measures import FIGURES
from pipelineplan.verdicts import Verdict

SKETCH = """
apiVersion: pipelineplan/v1
kind: DataPlan
metadata: {name: clicks-per-minute, owner: web-data, quality_level: prototype}
sources:
  - id: clicks
    system: kafka
    partitions: 12
    retention: 3 d
    rate: {average: 4_000/s, peak: 11_000/s}
    semantics:
      event_time: occurred_at
      disorder: {p50: 1 s, p99: 40 s, p99.9: 10 min}
      watermark: {lag: 30 s, idle_timeout: 60 s, interval: 200 ms}
stages:
  - id: count
    inputs: [{from: clicks, exchange: forward}]
    engine: flink
    parallelism: 8
    capacity: 2_000/s
    window: {fixed: 1 min, allowed_lateness: 5 min}
    checkpoint: {interval: 60 s, restart: 1 min, duration: 0 s}
sinks:
  - {id: dashboard, inputs: [count], mode: upsert}
slos:
  - {for: dashboard, freshness: {p95: 3 min, from: window_end}}
outages:
  - {of: job, detect: 5 min, repair: 54 min, drain_target: 2 h}
"""


def plan_of(tmp_path: Path, text: str) -> Plan:
    file = tmp_path / "plan.yaml"
    file.write_text(text, encoding="utf-8")
    return read_plan(file)


def scenario(result: SimulationResult, name: str) -> ScenarioResult:
    return next(each for each in result.scenarios if each.name == name)


@pytest.fixture(scope="module")
def sketch(tmp_path_factory: pytest.TempPathFactory) -> SimulationResult:
    return simulate(plan_of(tmp_path_factory.mktemp("plan"), SKETCH))


def test_the_sketch_drains_for_eleven_hours_and_twelve_workers_for_51_minutes(
    sketch: SimulationResult, tmp_path: Path
) -> None:
    eight = scenario(sketch, "job-outage").figures["drain_seconds"]
    # One hour down, and up to one interval read again.
    assert eight.low == pytest.approx(capacity.drain_seconds(11_000, 1 / 6, 2000, 3600), rel=1e-5)
    assert eight.high == pytest.approx(capacity.drain_seconds(11_000, 1 / 6, 2000, 3660), rel=1e-5)
    assert eight.value == pytest.approx(capacity.drain_seconds(11_000, 1 / 6, 2000, 3630), rel=1e-9)
    twelve = simulate(plan_of(tmp_path, SKETCH.replace("parallelism: 8", "parallelism: 12")))
    drain = scenario(twelve, "job-outage").figures["drain_seconds"]
    assert drain.low == pytest.approx(capacity.drain_seconds(11_000, 1 / 12, 2000, 3600), rel=1e-5)


@pytest.mark.parametrize("workers", [8, 9, 10, 11])
def test_eight_to_eleven_workers_are_one_plateau(
    workers: int, sketch: SimulationResult, tmp_path: Path
) -> None:
    result = simulate(plan_of(tmp_path, SKETCH.replace("parallelism: 8", f"parallelism: {workers}")))
    same = scenario(sketch, "job-outage").figures["drain_seconds"]
    assert scenario(result, "job-outage").figures["drain_seconds"].value == pytest.approx(same.value)


def test_default_scenarios_and_verdicts(sketch: SimulationResult) -> None:
    assert [each.name for each in sketch.scenarios] == ["steady", "peak", "job-outage"]
    verdicts = {
        (each.name, one.objective): one.verdict for each in sketch.scenarios for one in each.slo_verdicts
    }
    assert verdicts == {
        ("steady", "freshness p95"): Verdict.HOLDS,
        ("peak", "freshness p95"): Verdict.HOLDS,
        ("job-outage", "drain"): Verdict.FAILS,
    }
    assert sketch.verdict is Verdict.FAILS


def test_json_has_every_figure_with_interval_and_tier(sketch: SimulationResult) -> None:
    data = json.loads(json.dumps(sketch.to_json_dict(), allow_nan=False))
    for each in data["scenarios"]:
        for name in FIGURES:
            figure = each[name]
            assert set(figure) == {"value", "low", "high", "unit", "tier", "error_class"}
            assert figure["tier"] == "T1"
            if None not in (figure["low"], figure["high"], figure["value"]):
                assert figure["low"] <= figure["value"] <= figure["high"]


def test_late_and_dropped_are_bounds_of_the_records_that_arrived(sketch: SimulationResult) -> None:
    steady = scenario(sketch, "steady").figures
    arrived = steady["arrived_records"].value
    # P(disorder > 30 s + u) over a minute, from p50 1 s, p99 40 s, p99.9 600 s: 1 % up to the 10 s
    # before 40 s where it may be a half; beyond 330 s between 0.1 % and 1 %.
    assert steady["dropped_records"].low == pytest.approx(0.001 * arrived)
    assert steady["dropped_records"].high == pytest.approx(0.01 * arrived)
    assert steady["late_records"].high == pytest.approx((0.5 * 10 + 0.01 * 50) / 60 * arrived)


def test_an_uncertain_capacity_straddles_a_target_and_says_what_to_measure(tmp_path: Path) -> None:
    text = SKETCH.replace("2_000/s", "2_000/s ± 8 %").replace("target: 2 h", "target: 11 h")
    result = simulate(plan_of(tmp_path, text))
    (verdict,) = scenario(result, "job-outage").slo_verdicts
    assert verdict.verdict is Verdict.UNKNOWN
    assert "$.stages[0].capacity" in verdict.message
    figures = scenario(result, "job-outage").figures
    # 2,160/s drains in 5.6 h; 1,840/s is just above the busiest worker's load: it takes twelve days.
    least = capacity.drain_seconds(11_000, 1 / 6, 2160, 3600)
    assert figures["drain_seconds"].low == pytest.approx(least, rel=1e-5)
    most = capacity.drain_seconds(11_000, 1 / 6, 1840, 3660)
    assert figures["drain_seconds"].high == pytest.approx(most, rel=1e-5)


def test_a_transactional_sink_waits_for_its_checkpoint(tmp_path: Path) -> None:
    text = SKETCH.replace("mode: upsert}", "mode: append, guarantee: transactional}")
    result = simulate(plan_of(tmp_path, text))
    freshness = scenario(result, "steady").slo_verdicts[0].figure
    assert freshness.value == pytest.approx(30.2 + 0.95 * 60, rel=2e-3)
    assert scenario(result, "job-outage").figures["duplicate_records"].high == 0


def test_an_at_least_once_sink_writes_the_replay_twice(tmp_path: Path) -> None:
    result = simulate(plan_of(tmp_path, SKETCH.replace("mode: upsert}", "mode: append}")))
    figures = scenario(result, "job-outage").figures
    assert figures["duplicate_records"].value == pytest.approx(figures["replayed_records"].value)
    assert figures["replayed_records"].value == pytest.approx(11_000 * 30)


def test_a_burst_of_the_plan_stands_above_the_library_s(tmp_path: Path) -> None:
    text = SKETCH.replace("peak: 11_000/s", "peak: 11_000/s, burst: {factor: 5, length: 10 min}")
    burst = [recipe for recipe in read_library() if recipe.name == "burst"]
    figures = scenario(simulate(plan_of(tmp_path, text), burst), "burst").figures
    # 20,000/s: four workers have two partitions and take 2,000/s of their 3,333/s.
    spare = 20_000 / 6 - 2000
    assert figures["peak_lag_records"].value == pytest.approx(600 * spare * 4, rel=1e-9)
    assert figures["drain_seconds"].value == pytest.approx(600 * spare / (2000 - 4000 / 6), rel=1e-9)


@pytest.mark.parametrize(
    ("change", "reason"),
    [
        (("stages:", "ingestion: {mode: batch}\nstages:"), "batch"),
        (("    partitions: 12\n", ""), "partitions"),
        (("rate: {average: 4_000/s, peak: 11_000/s}", "record: {size: 1 kB}"), "no rate"),
        (("    capacity: 2_000/s\n", ""), "capacity"),
    ],
)
def test_what_is_not_simulated_is_refused_with_its_reason(
    change: tuple[str, str], reason: str, tmp_path: Path
) -> None:
    result = simulate(plan_of(tmp_path, SKETCH.replace(*change)))
    assert any(reason in why for _, why in result.not_simulated)
    assert result.scenarios == ()
    assert result.verdict is Verdict.UNKNOWN


def test_a_lost_zone_is_simulated_at_worst_as_a_lost_job(tmp_path: Path) -> None:
    job, zone = (
        simulate(plan_of(tmp_path, SKETCH.replace("of: job", f"of: {of}"))) for of in ("job", "zone")
    )
    assert zone.scenarios[-1].name == "zone-outage"
    assert zone.scenarios[-1].figures == job.scenarios[-1].figures
    assert any("zone-outage" in assumed for assumed in zone.assumptions)


def test_a_job_without_checkpoints_is_not_restored(tmp_path: Path) -> None:
    checkpoint = "    checkpoint: {interval: 60 s, restart: 1 min, duration: 0 s}\n"
    result = simulate(plan_of(tmp_path, SKETCH.replace(checkpoint, "")))
    assert [each.name for each in result.scenarios] == ["steady", "peak"]
    assert any("without checkpoints" in why for _, why in result.not_simulated)


def test_the_ends_enclose_the_likely(tmp_path: Path) -> None:
    (pipeline,), _ = pipelines_of(plan_of(tmp_path, SKETCH.replace("2_000/s", "2_000/s ± 5 %")))
    taken = [pipeline.inputs[end].network.stages[0].capacity_per_second for end in End]
    assert taken == pytest.approx([2000, 2100, 1900])


def test_files_are_the_same_bytes_each_time(sketch: SimulationResult, tmp_path: Path) -> None:
    again = simulate(plan_of(tmp_path, SKETCH))
    written = [write_csv(each, tmp_path / str(index)) for index, each in enumerate((sketch, again))]
    for first, second in zip(*written, strict=True):
        assert first.read_bytes() == second.read_bytes()
    with written[0][0].open(encoding="utf-8") as stream:
        rows = list(csv.DictReader(stream))
    assert {row["figure"] for row in rows} >= set(FIGURES)
    parquet = pytest.importorskip("pyarrow.parquet")
    files = write_parquet(sketch, tmp_path / "parquet")
    assert parquet.read_table(files[0]).num_rows == len(rows)
    curves = parquet.read_table(files[1]).to_pydict()
    peak = scenario(sketch, "job-outage").figures["peak_lag_records"].value
    assert max(curves["lag_records"]) == pytest.approx(peak)
    assert json.dumps(sketch.to_json_dict()) == json.dumps(again.to_json_dict())


def test_importing_the_room_is_light() -> None:
    code = "import sys, pipelineplan.simulation; sys.exit(bool({'numpy', 'simpy'} & set(sys.modules)))"
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0


@pytest.mark.parametrize("example", ["demo-holds", "demo-fails"])
def test_the_demos_do_what_their_names_say(example: str) -> None:
    result = simulate(read_plan(Path(__file__).parents[2] / "examples" / example))
    wanted = Verdict.HOLDS if example == "demo-holds" else Verdict.FAILS
    assert result.verdict is wanted


def test_freshness_lies_within_the_bounds_of_the_static_rule(tmp_path: Path) -> None:
    """Two ways to the same quantile: bounds from the waits alone, and the simulated commits."""
    text = SKETCH.replace("mode: upsert}", "mode: append, guarantee: transactional}")
    for since in ("record", "window_end"):
        plan = plan_of(tmp_path, text.replace("from: window_end", f"from: {since}"))
        (slo,) = plan.model.slos
        rule = waits(plan, slo, plan.source("clicks"))
        assert not isinstance(rule, str)
        low, high = rule.quantile({each.symbol: each.value for each in rule.operands}, 0.95)
        (verdict,) = scenario(simulate(plan), "steady").slo_verdicts
        assert low * 0.999 <= verdict.figure.value <= high


def test_a_recorded_load_is_run_from_its_beginning_to_its_end(tmp_path: Path) -> None:
    rows = "\n".join(
        f"{second},{rate}" for second, rate in ((0, 9000), (600, 30_000), (1200, 3000), (4800, 3000))
    )
    (tmp_path / "load.csv").write_text(f"seconds,rate_per_second\n{rows}\n", encoding="utf-8")
    rate = "rate: {average: 4_000/s, peak: 11_000/s}"
    result = simulate(plan_of(tmp_path, SKETCH.replace(rate, "rate: {profile: load.csv}")))
    figures = scenario(result, "recorded").figures
    # Ten minutes at 5,000/s on workers of two partitions that take 2,000/s; then 500/s of theirs.
    assert figures["peak_lag_records"].value == pytest.approx(4 * 600 * 3000 + 4 * 600 * 500)
    assert figures["drain_seconds"].value == pytest.approx(600 * 3000 / (2000 - 500))
    assert figures["arrived_records"].value >= 600 * 9000 + 600 * 30_000 + 3600 * 3000


def recorded(tmp_path: Path, *steps: tuple[float, int], target: str = "1 h") -> ScenarioResult:
    """One partition and one worker of 100/s, by the record, with a load as it was recorded."""
    rows = "\n".join(f"{second},{rate}" for second, rate in steps)
    (tmp_path / "load.csv").write_text(f"seconds,rate_per_second\n{rows}\n", encoding="utf-8")
    return scenario(simulate(plan_of(tmp_path, RECORDED.replace("TARGET", target))), "recorded")


RECORDED = """
apiVersion: pipelineplan/v1
kind: DataPlan
metadata: {name: one, owner: web-data, quality_level: prototype}
sources:
  - {id: log, system: kafka, partitions: 1, rate: {profile: load.csv}}
stages:
  - {id: job, inputs: [log], parallelism: 1, capacity: 100/s, checkpoint: {interval: 60 s, duration: 1 s}}
sinks:
  - {id: out, inputs: [job], mode: append}
slos:
  - {for: out, freshness: {from: record, until: emitted, p95: TARGET}}
"""


def test_the_stall_of_a_checkpoint_keeps_records_waiting_and_takes_no_capacity(tmp_path: Path) -> None:
    """80/s by 100/s with checkpoints on: 2 s of standing still keep 160 records, the last of them for 2 s.

    In between 100/s * 60/58 are taken, so an outage drains as the plan says, but for the phase of the stalls.
    """
    text = RECORDED.replace("profile: load.csv", "average: 80/s, peak: 80/s").replace("TARGET", "1 s")
    text += "outages:\n  - {of: sink, detect: 1 min, repair: 9 min}\n"
    stalled = text.replace("duration: 1 s", "duration: 1 s, stall: 2 s")
    (without, of), (found, with_) = (
        (scenario(result, "steady"), scenario(result, "sink-outage"))
        for result in (simulate(plan_of(tmp_path, each)) for each in (text, stalled))
    )
    assert without.figures["peak_lag_records"].value == 0
    assert found.figures["peak_lag_records"].value == pytest.approx(160)
    assert found.figures["oldest_unread_seconds"].value == pytest.approx(2.0)
    assert found.figures["peak_utilisation_worst_worker"].value == pytest.approx(0.8)
    # What comes in the stall, and until 160 records are made up for at 23.4/s, waits: 8.8 of 60 s.
    waits = 2 + 160 / (6000 / 58 - 80)
    assert found.figures["freshness_p99_seconds"].value == pytest.approx(2 * (1 - 0.6 / waits), rel=0.05)
    assert found.figures["freshness_p50_seconds"].value == 0
    drains = [each.figures["drain_seconds"].value for each in (of, with_)]
    assert drains[1] == pytest.approx(drains[0], rel=0.01)
    refused = simulate(plan_of(tmp_path, text.replace("duration: 1 s", "stall: 2 min")))
    assert not refused.scenarios
    assert "leaves no time to work" in refused.not_simulated[0][1]


def test_an_overload_before_the_end_of_a_recording_is_seen_in_its_mean(tmp_path: Path) -> None:
    """120/s for 20 h, 40/s for 4 h: the last hours hide that 107/s come in the mean, of 100/s that go.

    After 20 h 1,440,000 wait, of which 864,000 are made up for. The last row holds as long as the one before.
    """
    found = recorded(tmp_path, (0, 120), (72_000, 40), (79_200, 40), target="12 h")
    figures = found.figures
    assert figures["peak_lag_records"].value == pytest.approx(20 * 72_000)
    assert math.isinf(figures["peak_lag_records"].high)
    assert math.isinf(figures["drain_seconds"].low)
    assert found.slo_verdicts[0].verdict is Verdict.UNKNOWN
    assert any("in the mean: lag grows" in note for note in found.notes)
    assert any(note.startswith("576,000 records still wait") for note in found.notes)


def test_an_overload_that_is_made_up_for_has_an_end(tmp_path: Path) -> None:
    """150/s for 2 h on 100/s, then 20/s: 360,000 wait, up to an hour, and are gone after 4,500 s more."""
    steps = ((0, 150), (7200, 20), (36_000, 20))
    found = recorded(tmp_path, *steps, target="90 min")
    figures = found.figures
    assert figures["peak_lag_records"].high == pytest.approx(360_000)
    assert figures["drain_seconds"].high == pytest.approx(360_000 / 80)
    assert figures["oldest_unread_seconds"].high == pytest.approx(3600, rel=1e-3)
    # Of the first two hours the last to come wait longest, which is below the worst of all, 3600 s.
    assert 2000 < found.slo_verdicts[0].figure.low <= found.slo_verdicts[0].figure.high < 3600
    assert found.slo_verdicts[0].verdict is Verdict.HOLDS
    assert any("more than it can take for 2 h, 150% at most" in note for note in found.notes)
    assert recorded(tmp_path, *steps, target="30 min").slo_verdicts[0].verdict is Verdict.FAILS


def test_a_recording_that_ends_in_a_peak_is_judged_by_what_it_shows(tmp_path: Path) -> None:
    """Half load for 10 h and two minutes of 150/s: lag is a few thousand, and not without end."""
    found = recorded(tmp_path, (0, 50), (36_000, 150), (36_060, 150), target="2 min")
    assert found.figures["peak_lag_records"].high < 10_000
    assert found.slo_verdicts[0].verdict is Verdict.HOLDS


def test_what_a_recording_ends_before_has_waited_until_then(tmp_path: Path) -> None:
    """100 of 200/s are taken in the last hour, and what waits then has waited for half an hour at most."""
    steps = ((0, 30), (10_800, 200), (12_600, 200))
    freshness = recorded(tmp_path, *steps).slo_verdicts[0].figure
    assert math.isinf(freshness.high)
    assert 1500 < freshness.low < 1800
    assert recorded(tmp_path, *steps, target="40 min").slo_verdicts[0].verdict is Verdict.UNKNOWN
    assert recorded(tmp_path, *steps, target="20 min").slo_verdicts[0].verdict is Verdict.FAILS


def test_an_uncertain_watermark_lag_widens_lateness_and_freshness(tmp_path: Path) -> None:
    text = SKETCH.replace("{lag: 30 s", "{lag: 10 s .. 50 s")
    figures = scenario(simulate(plan_of(tmp_path, text)), "steady").figures
    late, fresh = figures["late_records"], figures["freshness_p50_seconds"]
    # With 10 s of patience half may be late for 30 s of each minute, with 50 s none can be of that half.
    assert late.high == pytest.approx((0.5 * 30 + 0.01 * 30) / 60 * 4000 * 3600)
    assert late.low == pytest.approx(0.001 * 4000 * 3600)
    assert fresh.low == pytest.approx(10.2)
    assert fresh.high == pytest.approx(50.2, abs=0.1)


JOINED = """
apiVersion: pipelineplan/v1
kind: DataPlan
metadata: {name: joined, owner: web-data, quality_level: prototype}
sources:
  - {id: orders, partitions: 6, retention: 3 d, rate: 800/s}
  - {id: clicks, partitions: 2, retention: 3 d, rate: 200/s}
stages:
  - id: parse
    inputs: [orders]
    parallelism: 3
    capacity: 400/s
    checkpoint: {interval: 60 s, restart: 1 min, duration: 0 s}
  - id: join
    inputs: [{from: parse, exchange: keyed}, {from: clicks, exchange: keyed}]
    parallelism: 4
    capacity: 320/s
  - {id: audit, inputs: [clicks], parallelism: 1, capacity: 150/s}
sinks:
  - {id: warehouse, inputs: [{from: join, exchange: keyed}], writers: 2, capacity: 700/s}
  - {id: archive, inputs: [{from: join, exchange: rebalance}], writers: 2, capacity: 550/s, mode: upsert}
  - {id: trail, inputs: [audit]}
outages:
  - {of: job, detect: 5 min, repair: 54 min, drain_target: 12 h}
"""


def test_ways_that_join_and_part_are_one_whole(tmp_path: Path) -> None:
    """The archive takes 1,100/s, which holds up the warehouse too: both drain at 100/s."""
    result = simulate(plan_of(tmp_path, JOINED))
    assert [each.pipeline for each in result.scenarios if each.name == "peak"] == [
        "orders + clicks -> warehouse",
        "orders + clicks -> archive",
        "clicks -> trail",
    ]
    outages = [each for each in result.scenarios if each.name == "job-outage"]
    assert len(outages) == 2
    for each in outages:
        assert each.figures["peak_lag_records"].value == pytest.approx(1000 * (3600 + 30))
        assert each.figures["drain_seconds"].value == pytest.approx(1000 * 3630 / 100, rel=1e-9)
    # What a lagging audit of its own job does is its own: 150/s for 200/s.
    trail = next(
        each for each in result.scenarios if each.pipeline == "clicks -> trail" and each.name == "peak"
    )
    assert trail.figures["peak_utilisation_worst_worker"].value == pytest.approx(200 / 150)
    assert any("in the logs" in each for each in result.assumptions)
