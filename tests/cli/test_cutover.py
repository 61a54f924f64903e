"""`cutover`: the runbook, and the evidence that is recorded against it."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

import pipelineplan as pp
from pipelineplan.cli import run

PLAN = """\
apiVersion: pipelineplan/v1
kind: DataPlan
metadata: {name: small, owner: us, quality_level: experiment}
sources: [{id: orders, rate: {average: 100/s}, partitions: 4}]
sinks: [{id: out, inputs: [orders]}]
cutover:
  decider: {primary: head, backup: deputy}
  steps:
    - {id: parity, does: Compare, threshold: 0 rows, valid_for: 2 d}
    - {id: catch-up, does: Wait, threshold: at most 10 min}
    - {id: look-at-the-log, does: Read the log, threshold: nothing unusual}
"""


@pytest.fixture
def plan(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    (tmp_path / "pipelineplan.toml").touch()
    (tmp_path / "plan.yaml").write_text(PLAN, encoding="utf-8")
    monkeypatch.chdir(tmp_path)
    return Path("plan.yaml")


def cutover(plan: Path, *more: str) -> int:
    return run(["cutover", str(plan), *more])


def record(plan: Path, step: str, *more: str) -> int:
    return cutover(plan, "--record", step, "--by", "jane", *more)


def printed(capsys: pytest.CaptureFixture[str]) -> dict[str, object]:
    found: dict[str, object] = json.loads(capsys.readouterr().out)
    return found


def states(plan: Path, capsys: pytest.CaptureFixture[str], *more: str) -> dict[str, str]:
    capsys.readouterr()
    cutover(plan, "--format", "json", *more)
    progress = printed(capsys)["checklist"]["progress"]  # type: ignore[index]
    return {each["step"]: each["state"] for each in progress["standings"]}


def test_a_value_within_its_threshold_is_done(plan: Path, capsys: pytest.CaptureFixture[str]) -> None:
    when = ("--at", "2026-11-01T10:00Z", "--as-of", "2026-11-02")
    assert record(plan, "parity", "--measured", "0 rows", *when) == 0
    told = capsys.readouterr()
    assert told.out.startswith("parity: done: 0 rows, wanted at most 0 rows\n  threshold: 0 rows ($.cutover")
    assert "recorded by jane at 2026-11-01T10:00:00Z in plan.evidence.jsonl" in told.out
    assert "not closed before it: " in told.err
    (line,) = Path("plan.evidence.jsonl").read_text(encoding="utf-8").splitlines()
    assert json.loads(line)["verdict"] == "holds"


def test_a_value_beyond_its_threshold_exits_1_and_stays_so(
    plan: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert record(plan, "catch-up", "--measured", "12 min") == 1
    assert "catch-up: failed: 12 min, wanted at most 10 min" in capsys.readouterr().out
    assert cutover(plan) == 1
    assert "| `catch-up` | failed |" in capsys.readouterr().out
    assert record(plan, "catch-up", "--measured", "8 min") == 0
    assert cutover(plan) == 0


def test_an_unknown_step_exits_2_with_the_nearest_names(
    plan: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert record(plan, "paritty", "--measured", "0 rows") == 2
    assert "no step 'paritty'; did you mean parity" in capsys.readouterr().err
    assert not Path("plan.evidence.jsonl").exists()


@pytest.mark.parametrize(
    ("more", "said"),
    [
        (["--measured", "12 min"], "--measured: found '12 min', wanted a number of rows"),
        (["--measured", "0 rows", "--valid-for", "soon"], "--valid-for: found 'soon', wanted a duration"),
        (["--measured", "0 rows", "--note", "x" * 2001], "--note: longer than 2,000 characters"),
        (["--at", "2126-11-01"], "--at: 2126-11-01T00:00:00Z is still to come"),
    ],
)
def test_what_does_not_fit_is_refused_and_nothing_is_written(
    plan: Path, capsys: pytest.CaptureFixture[str], more: list[str], said: str
) -> None:
    assert record(plan, "parity", *more) == 2
    assert said in capsys.readouterr().err
    assert not Path("plan.evidence.jsonl").exists()


def test_a_value_without_a_step_is_refused(plan: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert cutover(plan, "--measured", "0 rows") == 2
    assert "add --record STEP" in capsys.readouterr().err


def test_evidence_beyond_its_validity_is_open_again(plan: Path, capsys: pytest.CaptureFixture[str]) -> None:
    record(plan, "parity", "--measured", "0 rows", "--at", "2026-11-01T10:00Z")
    assert states(plan, capsys, "--as-of", "2026-11-03T10:00Z")["parity"] == "done"
    assert states(plan, capsys, "--as-of", "2026-11-03T10:01Z")["parity"] == "expired"
    assert cutover(plan, "--as-of", "2026-11-03T10:01Z") == 0
    assert cutover(plan, "--as-of", "2026-11-03T10:01Z", "--strict") == 1


def test_a_date_counts_to_its_end(plan: Path, capsys: pytest.CaptureFixture[str]) -> None:
    record(plan, "parity", "--measured", "0 rows", "--at", "2026-11-01T10:00Z")
    assert states(plan, capsys, "--as-of", "2026-11-01")["parity"] == "done"
    assert states(plan, capsys, "--as-of", "2026-10-31")["parity"] == "open"


def test_evidence_for_another_threshold_is_open_again(plan: Path, capsys: pytest.CaptureFixture[str]) -> None:
    record(plan, "catch-up", "--measured", "8 min")
    plan.write_text(PLAN.replace("at most 10 min", "at most 5 min"), encoding="utf-8")
    assert states(plan, capsys)["catch-up"] == "open"
    cutover(plan)
    assert "recorded against at most 10 min, now it is at most 5 min" in capsys.readouterr().out


def test_words_are_vouched_for_and_strict_wants_more(plan: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert record(plan, "look-at-the-log", "--note", "two restarts, both planned") == 0
    assert "look-at-the-log: vouched: on the word of jane: nothing unusual" in capsys.readouterr().out
    assert record(plan, "look-at-the-log", "--strict") == 1


def test_a_decision_is_counted_and_given_by_the_one_who_decides(
    plan: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert record(plan, "go-no-go") == 2
    assert "found 'jane', but the plan lets head or deputy decide" in capsys.readouterr().err
    assert cutover(plan, "--record", "go-no-go", "--by", "head", "--measured", "0 open") == 2
    assert "what is open is counted, not said" in capsys.readouterr().err
    assert cutover(plan, "--record", "go-no-go", "--by", "Jo (deputy)", "--format", "json") == 1
    recorded = printed(capsys)["recorded"]
    assert int(recorded["measured"].removesuffix(" open")) >= 9  # type: ignore[index]


def test_the_evidence_may_lie_elsewhere(plan: Path, capsys: pytest.CaptureFixture[str]) -> None:
    Path("records").mkdir()
    more = ("--evidence", "records/day.jsonl")
    assert record(plan, "parity", "--measured", "0 rows", *more) == 0
    assert not Path("plan.evidence.jsonl").exists()
    assert states(plan, capsys, *more)["parity"] == "done"
    cutover(plan, "--format", "json")
    assert '"progress": null' in capsys.readouterr().out


def test_a_torn_line_is_said_and_is_not_fatal(plan: Path, capsys: pytest.CaptureFixture[str]) -> None:
    record(plan, "parity", "--measured", "0 rows")
    with Path("plan.evidence.jsonl").open("a", encoding="utf-8") as file:
        file.write('{"at": "2026')
    capsys.readouterr()
    assert cutover(plan) == 0
    assert "plan.evidence.jsonl:2:1: no record: this line is torn" in capsys.readouterr().err


def test_staging_says_nothing_of_prod(plan: Path, capsys: pytest.CaptureFixture[str]) -> None:
    for env in ("staging", "prod"):
        Path(f"plan.{env}.yaml").write_text("metadata: {name: small}\n", encoding="utf-8")
    assert record(plan, "parity", "--measured", "0 rows", "--env", "staging") == 0
    assert states(plan, capsys, "--env", "staging")["parity"] == "done"
    assert states(plan, capsys, "--env", "prod")["parity"] == "open"


def test_the_same_from_python_and_in_the_bundle(plan: Path, tmp_path: Path) -> None:
    made = pp.record(plan, "parity", pp.Observation(measured="0 rows", by="jane"))
    assert (made.standing.state.value, made.entry.by) == ("done", "jane")
    contents = pp.compile_plan(plan, as_of=None)
    found = contents.checklist("cutover")
    assert found is not None
    assert found.progress is not None
    assert found.progress.of("parity").newest == made.checklist.progress.of("parity").newest  # type: ignore[union-attr]
