"""`test --on beam --batch DIR`: a plan's windows as a batch, its dead letters, and what it refuses."""

from __future__ import annotations

import json
import random
from pathlib import Path

import duckdb
import pyarrow.parquet as pq
import pytest

from pipelineplan.cli import run
from pipelineplan.contracts import read_contract
from pipelineplan.engines.beam_batch import _compared, batch_report
from pipelineplan.engines.beam_batch_steps import Reading, records_of
from pipelineplan.engines.beam_plan import cases_of
from pipelineplan.engines.beam_profile_steps import stretches_of
from pipelineplan.engines.record_checks import reasons
from pipelineplan.plan import read_plan
from pipelineplan.profiling.recording import open_recording

PLAN = """\
apiVersion: pipelineplan/v1
kind: DataPlan
metadata: {{name: clicks, owner: web, quality_level: prototype}}
sources:
  - id: clicks
    system: kafka
    contract: clicks.odcs.yaml
    partitions: 2
    retention: 1 d
    rate: {{average: 5/s, peak: 9/s}}
    keys: {{field: user}}
    semantics: {{event_time: at, watermark: {{lag: 2 s}}, duplicates: {{key: [id], horizon: 1 h}}}}
stages:
  - id: count
    inputs: [clicks]
    capacity: 100/s
    window: {{{window}}}
sinks:
  - {{id: board, inputs: [count], mode: upsert}}
"""
CONTRACT = """\
apiVersion: v3.1.0
kind: DataContract
id: clicks
name: Clicks
version: 1.0.0
status: active
schema:
  - name: clicks
    properties:
      - {name: at, logicalType: timestamp, required: true}
      - {name: user, logicalType: string, required: true, logicalTypeOptions: {pattern: '^u[0-9]+$'}}
      - {name: id, logicalType: integer, required: true}
      - {name: amount, logicalType: number, logicalTypeOptions: {minimum: 0, exclusiveMaximum: 100}}
      - {name: note, logicalType: string, logicalTypeOptions: {maxLength: 5}}
"""
START = 1_000_000_000
HEADER = "at,user,id,amount,note\n"
# The second is a repeat of the first; then one dead letter for each reason, and one for two.
BY_HAND = [
    f"{START + 1},u1,1,5,ok",
    f"{START + 1},u1,1,5,ok",
    f"{START + 9},u1,2,0,",
    f"{START + 11},u2,3,99.5,ok",
    "soon,u1,4,1,ok",
    f"{START + 2},,5,1,ok",
    f"{START + 2},x1,6,1,ok",
    f"{START + 2},u1,seven,1,ok",
    f"{START + 2},u1,8,-1,ok",
    f"{START + 2},u1,9,100,ok",
    f"{START + 2},u1,10,1,longer",
    f"{START + 2},u1,11,much,longer",
]
WHY = {
    "amount is below 0": 1,
    "amount is not a number; note is longer than 5": 1,
    "amount is not below 100": 1,
    "id is not an integer": 1,
    "no readable time in at": 1,
    "note is longer than 5": 1,
    "user does not match ^u[0-9]+$": 1,
    "user is null": 1,
}


@pytest.fixture
def plan(tmp_path: Path) -> Path:
    (tmp_path / "clicks.odcs.yaml").write_text(CONTRACT, "utf-8")
    (tmp_path / "clicks.csv").write_text(HEADER + "\n".join(BY_HAND) + "\n", encoding="utf-8")
    file = tmp_path / "plan.yaml"
    file.write_text(PLAN.format(window="fixed: 10 s, allowed_lateness: 5 s"), encoding="utf-8")
    return file


def test_a_batch_by_hand(plan: Path, capsys: pytest.CaptureFixture[str]) -> None:
    out = plan.parent / "out"
    command = ["test", str(plan), "--data", f"clicks={plan.parent / 'clicks.csv'}", "--on", "beam"]
    assert run([*command, "--batch", str(out), "--format", "json"]) == 0
    (batch,) = json.loads(capsys.readouterr().out)["report"]["batches"]
    assert batch["reasons"] == WHY
    assert (batch["rows"], batch["dead_letters"], batch["repeats"], batch["counted"]) == (12, 8, 1, 3)
    folder = out / "clicks-count"
    rows = [row for file in folder.glob("windows-*.parquet") for row in pq.read_table(file).to_pylist()]
    start = START * 1000
    assert sorted((row["key"], row["start_ms"] - start, row["records"]) for row in rows) == [
        ("u1", 0, 2),
        ("u2", 10_000, 1),
    ]
    dead = pq.read_table(next(folder.glob("dead-letters-*.parquet"))).to_pylist()
    assert [(letter["row"], letter["file"]) for letter in dead] == [(n, "clicks.csv") for n in range(5, 13)]
    # A folder that is there is not written over.
    assert run([*command, "--batch", str(out)]) == 2
    assert "it is there already" in capsys.readouterr().err


@pytest.mark.parametrize(
    "window",
    ["fixed: 7 s", "sliding: 10 s, every: 4 s, allowed_lateness: 1 s", "session: 3 s", "fixed: 1 min"],
)
def test_every_window_of_a_batch_is_as_predicted(window: str, plan: Path) -> None:
    rng = random.Random(window)
    plan.write_text(PLAN.format(window=window), encoding="utf-8")
    data = plan.parent / "day-*.csv"
    for number in range(3):
        lines = [
            f"{START + rng.randrange(120)},u{rng.randrange(4)},{rng.randrange(150)},{rng.randrange(-2, 60)},x"
            for _ in range(80)
        ]
        (plan.parent / f"day-{number}.csv").write_text(HEADER + "\n".join(lines) + "\n", encoding="utf-8")
    report = batch_report(read_plan(plan), {"clicks": data}, plan.parent / "out")
    (batch,) = report.batches
    assert batch.agrees
    assert batch.rows == 240
    assert min(batch.repeats, batch.windows, sum(batch.reasons.values())) > 0


def test_a_window_that_was_counted_wrongly_is_found(plan: Path) -> None:
    report = batch_report(read_plan(plan), {"clicks": plan.parent / "clicks.csv"}, plan.parent / "out")
    (batch,) = report.batches
    file = next(file for file in batch.folder.glob("windows-*.parquet"))
    table = pq.read_table(file)
    column = table.schema.get_field_index("records")
    pq.write_table(table.set_column(column, "records", [[n + 1 for n in table[column].to_pylist()]]), file)
    (case,) = cases_of(read_plan(plan), {"clicks": plan.parent / "clicks.csv"})
    opened = open_recording([case.data], event_time="at", others=["user", "id", "amount", "note"])
    dataset = read_contract(plan.parent / "clicks.odcs.yaml").datasets[0]
    reading = Reading("user", ("id",), reasons(dataset, "at"))
    again = _compared(case, stretches_of(opened, 1000), reading, batch.folder)
    assert len(again.different) == table.num_rows
    assert not again.agrees


def test_records_break_the_rules_that_the_suites_say_are_broken(plan: Path) -> None:
    """The same contract over the same rows, by the quality suites: as many rows break each rule."""
    from pipelineplan.workflow import test as run_suites

    data = plan.parent / "clicks.parquet"
    columns = (
        'TRY_CAST(trim(id) AS BIGINT) AS id, TRY_CAST(trim(amount) AS DOUBLE) AS amount, note, "user", "at"'
    )
    rows = f"read_csv('{plan.parent / 'clicks.csv'}', all_varchar=true)"
    duckdb.sql(f"COPY (SELECT {columns} FROM {rows}) TO '{data}'")
    report = run_suites(plan, {"clicks": data})
    broken = {check.title: check.unexpected_count for check in report.checks if check.unexpected_count}
    dataset = read_contract(plan.parent / "clicks.odcs.yaml").datasets[0]
    opened = open_recording([data], event_time="at", others=["user", "id", "amount", "note"])
    said = [
        why
        for stretch in stretches_of(opened, 1000)
        for record in records_of(stretch, Reading(None, (), reasons(dataset, "at")))
        for why in record.wrong.split("; ")
    ]
    assert broken == {
        "user is not null": said.count("user is null"),
        "user matches ^u[0-9]+$": said.count("user does not match ^u[0-9]+$"),
        "id is not null": said.count("id is null"),
        "amount is at least 0": said.count("amount is below 0"),
        "amount is less than 100": said.count("amount is not below 100"),
        "note has at most 5 characters": said.count("note is longer than 5"),
    }


def test_what_has_no_effect_or_is_known_to_be_wrong_is_refused(
    plan: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    command = ["test", str(plan), "--data", f"clicks={plan.parent / 'clicks.csv'}"]
    out = str(plan.parent / "out")
    for given, says in (
        (["--batch", "out"], "it goes with --on beam"),
        (["--on", "beam", "--runner-options=--runner=FlinkRunner"], "a preview runs in this process"),
        (
            ["--on", "beam", "--batch", out, "--runner-options=--runner=DaskRunner"],
            "Dask",
        ),
    ):
        assert run([*command, *given]) == 2
        assert says in capsys.readouterr().err
    assert not (plan.parent / "out").exists()


def test_a_file_without_a_column_of_the_contract_is_named(
    plan: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (plan.parent / "clicks.csv").write_text("at,user,id\n1,u1,1\n", encoding="utf-8")
    command = ["test", str(plan), "--data", f"clicks={plan.parent / 'clicks.csv'}", "--on", "beam"]
    assert run([*command, "--batch", str(plan.parent / "out")]) == 2
    said = capsys.readouterr().err
    assert "'amount'" in said
    assert "'note'" in said
    assert not (plan.parent / "out").exists()
