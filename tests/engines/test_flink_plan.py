"""From plans and files to runs on Flink: which windows, which columns, and what is refused."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from pipelineplan.cli import run as main
from pipelineplan.engines.flink_answer import Route, Run, compare
from pipelineplan.engines.flink_plan import MOST_BY_RECORD, Case, FlinkReport, cases_of, read_records, runs_of
from pipelineplan.errors import InputError
from pipelineplan.eventtime.timeliness import FixedWindows
from pipelineplan.eventtime.watermarks import Watermark
from pipelineplan.plan import Plan, read_plan

PLAN = """\
apiVersion: pipelineplan/v1
kind: DataPlan
metadata: {name: clicks, owner: web-data, quality_level: prototype}
sources:
  - id: clicks
    dataset: click_events
    system: kafka
    rate: {average: 10/s}
    keys: {field: user}
    semantics:
      event_time: at
      watermark: {lag: 1500 ms}
stages:
  - id: count
    inputs: [clicks]
    window: {fixed: 10 s, allowed_lateness: 5 s}
sinks:
  - {id: board, inputs: [count]}
"""
CSV = "at;user\n1000;ann\n12000;bob\n3500;ann\n"


def plan(folder: Path, *changes: tuple[str, str]) -> Plan:
    text = PLAN
    for old, new in changes:
        assert old in text
        text = text.replace(old, new)
    (folder / "plan.yaml").write_text(text, encoding="utf-8")
    return read_plan(folder / "plan.yaml")


def data(folder: Path, text: str = CSV) -> dict[str, Path]:
    (folder / "clicks.csv").write_text(text, encoding="utf-8")
    return {"clicks": folder / "clicks.csv"}


def test_a_case_has_the_plan_s_windows_watermark_and_columns(tmp_path: Path) -> None:
    (case,) = cases_of(plan(tmp_path), data(tmp_path))
    assert case == Case(
        "clicks", "count", tmp_path / "clicks.csv", "at", "user", Watermark(1500), FixedWindows(10_000, 5000)
    )


def test_a_source_is_also_known_by_its_dataset_and_an_input_s_key_comes_first(tmp_path: Path) -> None:
    keyed = plan(tmp_path, ("inputs: [clicks]", "inputs: [{from: clicks, exchange: keyed, key: page}]"))
    (case,) = cases_of(keyed, {"click_events": tmp_path / "x.csv"})
    assert (case.source, case.key) == ("clicks", "page")


def test_a_watermark_per_partition_is_said_to_be_merged(tmp_path: Path) -> None:
    each = plan(tmp_path, ("{lag: 1500 ms}", "{lag: 1500 ms, scope: per_partition}"))
    (case,) = cases_of(each, data(tmp_path))
    assert "one merged stream" in case.notes[0]


@pytest.mark.parametrize(
    ("change", "says"),
    [
        (("      event_time: at\n", ""), "no event_time"),
        (("{lag: 1500 ms}", "{idle_timeout: 1 s}"), "no watermark lag"),
        (("{lag: 1500 ms}", "{lag: 1500 ms, strategy: punctuated}"), "only 'bounded' is run"),
        (("fixed: 10 s", "session: 10 s"), "only fixed windows are run"),
        (("    window: {fixed: 10 s, allowed_lateness: 5 s}\n", ""), "no stage below 'clicks' has a window"),
        (("{lag: 1500 ms}", "{lag: 1500 us}"), "wanted whole milliseconds"),
        (
            ("    inputs: [clicks]\n    w", "    inputs: [clicks]\n    join: {kind: left}\n    w"),
            "a join; on Flink",
        ),
        (("fixed: 10 s", "fixed: 100 d"), "wanted at most 99 days"),
    ],
)
def test_what_flink_cannot_be_given_is_refused_with_its_place(
    tmp_path: Path, change: tuple[str, str], says: str
) -> None:
    with pytest.raises(InputError, match=says) as raised:
        cases_of(plan(tmp_path, change), data(tmp_path))
    assert raised.value.problems[0].position.line > 0


def test_all_problems_are_said_at_once(tmp_path: Path) -> None:
    bare = plan(tmp_path, ("      event_time: at\n", ""), ("fixed: 10 s", "session: 10 s"))
    with pytest.raises(InputError) as raised:
        cases_of(bare, {**data(tmp_path), "klicks": tmp_path / "clicks.csv"})
    assert len(raised.value.problems) == 3
    assert "known are: clicks, click_events" in str(raised.value)


def test_no_data_is_no_agreement(tmp_path: Path) -> None:
    with pytest.raises(InputError, match=r"no data for a source of the plan.*clicks, click_events"):
        cases_of(plan(tmp_path), {})
    assert not FlinkReport(()).agrees


def test_without_flink_the_command_ends_with_2_and_says_how_to_get_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    plan(tmp_path)
    given = f"clicks={data(tmp_path)['clicks']}"
    assert main(["test", str(tmp_path / "plan.yaml"), "--data", given, "--on", "flink"]) == 2
    said = capsys.readouterr()
    assert said.out == ""
    assert "install it with: pipelineplan doctor --install flink" in said.err


def test_records_keep_their_order_and_keys_become_numbers(tmp_path: Path) -> None:
    (case,) = cases_of(plan(tmp_path), data(tmp_path))
    records = read_records(case)
    # Numbers of this size are taken for seconds.
    assert records.event_time_ms.tolist() == [1_000_000, 12_000_000, 3_500_000]
    assert records.key.tolist() == [0, 1, 0]
    assert records.event_time_ms.dtype == records.key.dtype == np.int64


def test_rows_without_a_time_are_refused(tmp_path: Path) -> None:
    (case,) = cases_of(plan(tmp_path), data(tmp_path, CSV + "soon;ann\n"))
    with pytest.raises(InputError, match="1 of 4 rows have no readable time in 'at'"):
        read_records(case)
    (case,) = cases_of(plan(tmp_path), data(tmp_path, "at;user\nsoon;ann\n"))
    with pytest.raises(InputError, match="no row with a readable time"):
        read_records(case)


def test_without_a_key_all_records_have_the_same(tmp_path: Path) -> None:
    (case,) = cases_of(plan(tmp_path, ("    keys: {field: user}\n", "")), data(tmp_path))
    assert read_records(case).key.tolist() == [0, 0, 0]


def test_all_records_go_by_window_and_the_first_thousand_one_by_one(tmp_path: Path) -> None:
    rows = "".join(f"{1_700_000_000 + n};ann\n" for n in range(1200))
    (case,) = cases_of(plan(tmp_path), data(tmp_path, "at;user\n" + rows))
    by_window, by_record = runs_of(case)
    assert [len(run.records.key) for run in (by_window, by_record)] == [1200, MOST_BY_RECORD]
    assert [run.route for run in (by_window, by_record)] == [Route.SQL, Route.DATASTREAM]


def report(case: Case, answers: dict[Route, list[list[int]]]) -> FlinkReport:
    runs: list[Run] = list(runs_of(case))
    return FlinkReport(((case, tuple(compare(run, answers[run.route]) for run in runs)),))


def test_the_report_says_both_sides_and_the_first_difference(tmp_path: Path) -> None:
    (case,) = cases_of(plan(tmp_path), data(tmp_path))
    # One late by days at a watermark of 11,998,500 ms: dropped, by either rule.
    right = {Route.SQL: [[0, 1_000_000, 1, 1], [1, 12_000_000, 1, 1]], Route.DATASTREAM: [[2, 2]]}
    agreed = report(case, right)
    assert agreed.agrees
    assert agreed.lines()[0] == (
        "count over clicks on Flink 2.2.1: windows of 10 s, lag 1.5 s, allowed lateness 5 s"
    )
    wrong = report(case, {**right, Route.DATASTREAM: [[2, 1]]})
    assert not wrong.agrees
    text = "\n".join(wrong.lines())
    assert "differs in 1: datastream, 3 records one by one, by the rule of flink-datastream" in text
    assert "record 2: predicted 0 on time, 0 late, 1 dropped; Flink 0 on time, 1 late, 0 dropped" in text
    assert wrong.to_json_dict()["cases"][0]["runs"][1]["measured"] == {"on_time": 2, "late": 1, "dropped": 0}
