"""`test --on beam`: whole runs on Apache Beam; a wrong prediction is found; what is refused, and why."""

from __future__ import annotations

import json
import random
import socket
import sys
from collections.abc import Iterator, Sequence
from dataclasses import replace
from pathlib import Path

import pytest

from pipelineplan.cli import run
from pipelineplan.engines import beam_pipeline
from pipelineplan.engines.beam import preview_of
from pipelineplan.engines.beam_plan import Case, cases_of
from pipelineplan.engines.beam_records import Row, read_rows
from pipelineplan.errors import InputError
from pipelineplan.eventtime import EngineRule
from pipelineplan.plan import read_plan

SHARED = Path(__file__).parents[3] / "../shared/data/out-of-order"
PLAN = """\
apiVersion: pipelineplan/v1
kind: DataPlan
metadata: {{name: clicks, owner: web, quality_level: prototype}}
sources:
  - id: clicks
    system: kafka
    partitions: 2
    retention: 1 d
    rate: {{average: 5/s, peak: 9/s}}
    keys: {{field: user}}
    semantics: {{event_time: at, {semantics}}}
stages:
  - id: count
    inputs: [clicks]
    capacity: 100/s
    window: {{{window}}}
    {stage}
sinks:
  - {{id: board, inputs: [count], mode: upsert}}
"""


def plan_file(
    folder: Path,
    window: str,
    semantics: str = "watermark: {lag: 2 s}, duplicates: {key: [id], horizon: 1 h}",
    stage: str = "",
) -> Path:
    file = folder / "plan.yaml"
    file.write_text(PLAN.format(window=window, semantics=semantics, stage=stage))
    return file


def data_file(folder: Path, rows: Sequence[tuple[object, ...]]) -> Path:
    file = folder / "clicks.csv"
    file.write_text("\n".join(["at,user,id", *(",".join(map(str, row)) for row in rows)]) + "\n")
    return file


def case_of(folder: Path, window: str, semantics: str = "watermark: {lag: 2 s}") -> Case:
    return cases_of(read_plan(plan_file(folder, window, semantics)), {"clicks": folder / "clicks.csv"})[0]


# Event times in ms (of 2001): the window [0, 10 s) closes under Beam Python after 12 s + 5 s.
START = 1_000_000_000_000
BY_HAND = [
    (START + 5_000, "a", 1),
    (START + 12_000, "a", 2),  # the watermark comes to 10 s: [0, 10 s) fires
    (START + 9_999, "a", 3),  # late
    ("never", "a", 4),  # a dead letter
    (START + 5_000, "a", 1),  # a repeat
    (START + 17_000, "b", 5),  # the watermark comes to 15 s, the end and the allowed lateness
    (START + 1_000, "a", 6),  # late for Beam Python alone
    (START + 17_001, "b", 7),
    (START + 1_000, "a", 8),  # dropped by everyone
]


def test_a_run_by_hand(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    plan = plan_file(tmp_path, "fixed: 10 s, allowed_lateness: 5 s")
    data = data_file(tmp_path, BY_HAND)
    assert run(["test", str(plan), "--data", f"clicks={data}", "--on", "beam", "--format", "json"]) == 0
    answer = json.loads(capsys.readouterr().out)
    assert (answer["schema"], answer["exit_status"]) == ("pipelineplan/test/v1", 0)
    (case,) = answer["report"]["cases"]
    assert case["predicted"] == {"on_time": 4, "late": 2, "dropped": 1}
    assert (case["rows"], case["dead_letters"], case["repeats"]) == (9, 1, 1)
    assert case["elsewhere"]["beam-model"] == {"dropped": 2, "late": 1, "on_time": 4}
    assert case["differences"] == []


def test_a_wrong_prediction_is_found(tmp_path: Path) -> None:
    """The rule of Beam's model drops row 7, which Beam Python keeps: the comparison must say so."""
    data_file(tmp_path, BY_HAND)
    case = case_of(tmp_path, "fixed: 10 s, allowed_lateness: 5 s", "watermark: {lag: 2 s}")
    rows = read_rows(case)
    assert preview_of(case, rows).agrees
    wrong = replace(case, paning=replace(case.paning, rule=EngineRule.BEAM_MODEL))
    found = preview_of(wrong, rows)
    assert not found.agrees
    (difference,) = found.differences
    assert (difference.key, difference.start_ms) == ("a", START)
    assert (difference.predicted, difference.found) == ((1, 3), (1, 4))


def test_a_difference_exits_1_and_is_named(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    plan = plan_file(tmp_path, "fixed: 10 s, allowed_lateness: 5 s")
    data = data_file(tmp_path, BY_HAND)
    monkeypatch.setattr(
        "pipelineplan.engines.beam.run_beam",
        lambda *_: beam_pipeline.BeamAnswer("0", (), (3,), ()),
    )
    assert run(["test", str(plan), "--data", f"clicks={data}", "--on", "beam"]) == 1
    out = capsys.readouterr().out
    assert f"[{START}, {START + 10_000}) of 'a': predicted 1 on time, 3 in the end; Beam no window" in out
    assert "dead letters or repeats, rows 5" in out
    assert "beam differs" in out


def crowded(seed: int, count: int = 60) -> list[tuple[object, ...]]:
    """Records at and around every deciding instant of windows of 1 s, lag 2 s, lateness 3 s."""
    rng = random.Random(seed)
    now, rows = START, []
    for number in range(count):
        now += rng.choice([0, 1, 500, 1000, 1000])
        edge = now - now % 1000 + rng.choice([0, 2000, 5000]) + rng.choice([-1, 0, 1])
        back = edge - rng.choice([0, 2000, 3000, 5000, 6000]) if rng.random() < 0.6 else edge
        rows.append((back, rng.choice("abc"), rng.randrange(count * 2) if rng.random() < 0.9 else number))
    return rows


WINDOWS = [
    "fixed: 1 s, allowed_lateness: 3 s",
    "fixed: 1 s, allowed_lateness: 3 s, accumulation: discarding",
    "fixed: 1 s",
    "sliding: 2 s, every: 500 ms, allowed_lateness: 3 s",
    "sliding: 2 s, every: 700 ms, accumulation: discarding",
]


@pytest.mark.parametrize("window", WINDOWS)
def test_records_around_every_deadline_are_counted_as_predicted(tmp_path: Path, window: str) -> None:
    data_file(tmp_path, crowded(1))
    case = case_of(tmp_path, window, "watermark: {lag: 2 s}, duplicates: {key: [id, user]}")
    found = preview_of(case, read_rows(case))
    assert found.agrees, found.differences
    assert found.repeats > 0
    assert min(found.timeliness["on_time"], found.timeliness["dropped"]) > 0


def one_by_one(case: Case, rows: tuple[Row, ...]) -> Iterator[tuple[list[Row], int | None]]:
    before = None
    for row, after in zip(rows, beam_pipeline.watermarks_after(case, rows), strict=True):
        yield [row], after if after != before else None
        before = after


@pytest.mark.parametrize("window", [WINDOWS[0], WINDOWS[4], "session: 1 s"])
def test_sharing_bundles_changes_no_count(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, window: str
) -> None:
    sessions = "session" in window
    data_file(tmp_path, [(START + 700 * n, "a", n) for n in range(40)] if sessions else crowded(2))
    case = case_of(tmp_path, window)
    rows = read_rows(case)
    together = preview_of(case, rows)
    shared = list(beam_pipeline.bundles(case, rows))
    assert len(shared) < len(rows)
    assert [row for bundle, _ in shared for row in bundle] == list(rows)
    monkeypatch.setattr(beam_pipeline, "bundles", one_by_one)
    assert preview_of(case, rows) == together
    assert together.agrees


@pytest.mark.parametrize(
    ("window", "semantics", "stage", "wanted"),
    [
        ("sliding: 1 s, every: 2 s", "watermark: {lag: 2 s}", "", "windows with gaps between them"),
        ("sliding: 1 s", "watermark: {lag: 2 s}", "", "sliding without every"),
        ("fixed: 1 s", "watermark: {lag: 2 s}", "join: {kind: inner}", "found a join"),
        ("fixed: 1 s", "ordering: none", "", "no watermark lag"),
        (
            "fixed: 1 s",
            "watermark: {lag: 2 s, strategy: punctuated}",
            "",
            "the watermark strategy 'punctuated'",
        ),
        ("fixed: 0.5 ms", "watermark: {lag: 2 s}", "", "no whole number of milliseconds"),
    ],
)
def test_what_beam_cannot_show_truly_is_refused(
    tmp_path: Path, window: str, semantics: str, stage: str, wanted: str
) -> None:
    plan = read_plan(plan_file(tmp_path, window, semantics, stage))
    with pytest.raises(InputError, match=wanted) as refused:
        cases_of(plan, {"clicks": tmp_path / "clicks.csv"})
    assert refused.value.problems[0].position.line > 0


def test_a_reopened_session_is_refused_with_its_row(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    plan = plan_file(tmp_path, "session: 10 s, allowed_lateness: 5 s", "watermark: {lag: 0 s}")
    data = data_file(tmp_path, [(START, "a", 1), (START + 11_000, "b", 2), (START + 9_000, "a", 3)])
    assert run(["test", str(plan), "--data", f"clicks={data}", "--on", "beam"]) == 2
    message = capsys.readouterr().err
    assert "1 records that extend a session which has fired, the first in row 3" in message
    assert "plan.yaml:" in message


def test_names_without_a_source_and_files_without_times_are_refused(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    plan = plan_file(tmp_path, "fixed: 1 s")
    data = data_file(tmp_path, [("never", "a", 1)])
    assert run(["test", str(plan), "--data", f"click={data}", "--on", "beam"]) == 2
    assert "no source is called 'click'; known are: clicks" in capsys.readouterr().err
    assert run(["test", str(plan), "--data", f"clicks={data}", "--on", "beam"]) == 2
    assert "found no row with a readable time in 'at'" in capsys.readouterr().err
    other = tmp_path / "other"
    other.mkdir()
    data.rename(other / "board.csv")
    assert run(["test", str(plan), "--data-dir", str(other), "--on", "beam"]) == 2
    assert "no data for a source of the plan" in capsys.readouterr().err


def test_it_needs_no_network(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def refused(*_: object) -> None:
        raise AssertionError("something reached for the network")

    monkeypatch.setattr(socket.socket, "connect", refused)
    monkeypatch.setattr(socket, "getaddrinfo", refused)
    data_file(tmp_path, BY_HAND)
    case = case_of(tmp_path, "fixed: 10 s, allowed_lateness: 5 s")
    assert preview_of(case, read_rows(case)).agrees


def test_without_the_extra_it_says_which(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setitem(sys.modules, "apache_beam", None)
    plan = plan_file(tmp_path, "fixed: 10 s")
    data = data_file(tmp_path, BY_HAND)
    assert run(["test", str(plan), "--data", f"clicks={data}", "--on", "beam"]) == 2
    assert "needs the extra 'beam'" in capsys.readouterr().err


@pytest.mark.slow
@pytest.mark.parametrize("session", ["d-1", "d-2", "d-3"])
def test_recorded_phones_are_dropped_as_predicted(tmp_path: Path, session: str) -> None:
    """Real disorder; tests/full/beam.py plays more of it, with more lags."""
    file = SHARED / f"{session}.csv"
    if not file.is_file():
        pytest.skip(f"{file} is not there: the recorded streams lie beside the repository")
    (tmp_path / "clicks.csv").write_bytes(file.read_bytes())
    dropped = []
    for lag, window in [("0 s", "1 s"), ("1 s", "1 s"), ("0 s", "1 min")]:
        case = case_of(tmp_path, f"fixed: {window}", f"watermark: {{lag: {lag}}}")
        case = replace(case, event_time="S.Client.Detection.Time", key=None)
        found = preview_of(case, read_rows(case, most=1500))
        assert found.agrees, found.differences[:3]
        dropped.append(found.timeliness["dropped"])
    assert dropped[0] > dropped[1]
