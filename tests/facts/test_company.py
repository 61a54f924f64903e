"""Fifty pipelines of mixed configuration: values arrive, broken files are named, drift is seen."""

from __future__ import annotations

import importlib.util
import json
import shutil
import sys
from pathlib import Path
from typing import Any

import pytest

from pipelineplan import workflow
from pipelineplan.cli import run
from pipelineplan.errors import InputError
from pipelineplan.plan import read_plan
from pipelineplan.plan.draw_up import draw_up
from pipelineplan.verdicts import Finding, Verdict


def _company() -> Any:
    spec = importlib.util.spec_from_file_location("company", Path(__file__).with_name("company.py"))
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    sys.modules["company"] = module
    spec.loader.exec_module(module)
    return module


company = _company()


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> tuple[Any, Any]:
    """The company, and the plans that were drawn up from it."""
    folder = tmp_path_factory.mktemp("company")
    (folder / "pipelineplan.toml").write_text("")
    built = company.build(folder)
    return built, draw_up(folder / "plans", [folder])


def value_at(plan: Any, place: str) -> Any:
    """What the plan has at `place`: of its source, or of the stage, check or ingestion that is named."""
    model = plan.model
    start = {"stage": model.stages, "quality": model.quality, "ingestion": [model.ingestion]}
    section, found, path = place.rpartition(":")
    value = start[section][0] if found else model.sources[0]
    for step in path.split("."):
        value = getattr(value, step)
    return getattr(value, "value", value)


def test_there_are_fifty_pipelines_and_each_has_a_plan(made: tuple[Any, Any]) -> None:
    built, drawn = made
    assert len(built.pipelines) == 50
    assert sorted(draft.name for draft in drawn.drafts) == sorted(built.pipelines)


def test_every_value_arrives_in_its_plan_with_the_place_it_came_from(made: tuple[Any, Any]) -> None:
    built, drawn = made
    compared = 0
    for file, draft in zip(drawn.plans, drawn.drafts, strict=True):
        plan = read_plan(file)
        text = file.read_text().splitlines()
        for place, wanted in built.pipelines[draft.name].items():
            assert value_at(plan, place) == wanted, (draft.name, place)
            compared += 1
        for line in (line for line in text if "  # " in line and ":" in line.split("  # ")[1]):
            origin = line.split("  # ")[1].split(" ")[0]
            name, number, column = origin.rsplit(":", 2)
            source = (built.folder / name).read_text().splitlines()[int(number) - 1]
            assert len(source) >= int(column) - 1, line
    assert compared > 200


def test_every_broken_file_is_named_and_no_file_is_lost(made: tuple[Any, Any]) -> None:
    built, drawn = made
    named = {problem.position.file for problem in drawn.gathered.broken}
    assert named == set(built.broken)
    below = [file for file in built.folder.rglob("*") if file.is_file() and "plans" not in file.parts]
    files = {file.relative_to(built.folder).as_posix() for file in below}
    fate = [*drawn.gathered.files, *named, *drawn.gathered.unknown]
    assert len(fate) == len(set(fate))
    assert len(files) == len(fate) + drawn.gathered.passed_over
    assert set(drawn.gathered.unknown) == {"charts/values.yaml", "package.json"}


def test_what_a_variable_decides_is_said_and_not_guessed(made: tuple[Any, Any]) -> None:
    built, drawn = made
    unread = [one for reading in drawn.gathered.readings for one in reading.unread if not one.placeless]
    assert sorted(one.subject for one in unread if "var.retention" in one.why) == sorted(built.unresolved)
    for name in built.unresolved:
        plan = read_plan(built.folder / "plans" / name / "plan.yaml")
        findings = [f for f in workflow.check(plan).findings if f.code == "SYN201"]
        [unknown] = [f for f in findings if f.verdict is Verdict.UNKNOWN]
        assert "'var.retention' is decided elsewhere" in unknown.message


def test_things_that_join_a_pipeline_lie_in_its_plan(made: tuple[Any, Any]) -> None:
    _, drawn = made
    files = {file for draft in drawn.drafts for file in draft.files}
    assert [one.subject for one in drawn.left_over] == ["default_pool"]
    assert {file.split("/")[0] for file in files} == {
        "connect", "contracts", "dbt", "deploy", "exports", "services", "streams", "terraform",
    }  # fmt: skip


def test_no_secret_is_written_anywhere(made: tuple[Any, Any]) -> None:
    built, _ = made
    written = [file.read_text() for file in (built.folder / "plans").rglob("*") if file.is_file()]
    assert len(written) > 50
    assert not any("hunter2" in text for text in written)


def all_findings(plans: list[Path]) -> dict[tuple[str, str], Finding]:
    return {
        (file.parent.name, finding.fingerprint): finding
        for file in plans
        for finding in workflow.check(file).findings
        if finding.verdict is not Verdict.HOLDS
    }


def test_nothing_that_was_drawn_up_contradicts_its_facts(made: tuple[Any, Any]) -> None:
    _, drawn = made
    synced = [f for f in all_findings(list(drawn.plans)).values() if f.code.startswith("SYN")]
    assert {finding.verdict for finding in synced} == {Verdict.UNKNOWN}


def test_one_changed_retention_gives_exactly_its_finding_at_both_lines(
    made: tuple[Any, Any], tmp_path: Path
) -> None:
    built, _ = made
    folder = tmp_path / "company"
    shutil.copytree(built.folder, folder)
    plans = sorted((folder / "plans").glob("*/plan.yaml"))
    before = all_findings(plans)
    name, (file, _) = next(
        (n, p) for n, p in built.places.items() if built.pipelines[n].get("retention.time")
    )
    topics = (folder / file).read_text().splitlines()
    start = topics.index(f"  topicName: {name}")
    line = next(i for i in range(start, len(topics)) if "retention.ms" in topics[i])
    topics[line] = "    retention.ms: 7777777"
    (folder / file).write_text("\n".join(topics) + "\n")
    after = all_findings(plans)
    new = [finding for key, finding in after.items() if key not in before]
    assert set(before) <= set(after)
    [finding] = new
    plan = (folder / "plans" / name / "plan.yaml").read_text().splitlines()
    assert (finding.code, finding.position.file) == ("SYN201", f"plans/{name}/plan.yaml")
    assert plan[finding.position.line - 1].strip().startswith("time: ")
    assert f"{file}:{line + 1}:19 says 7777777 ms" in finding.message


def checked(capsys: pytest.CaptureFixture[str]) -> tuple[int, list[tuple[str, dict[str, Any]]]]:
    """The status of a check against the baseline, and what is open in it, by plan."""
    status = run(["check", "plans", "--baseline", "--no-cache", "--format", "json"])
    told = json.loads(capsys.readouterr().out)
    assert told["problems"] == []
    opened = [
        (plan["plan"], finding)
        for plan in told["plans"]
        for finding in plan["findings"]
        if finding["verdict"] == "fails" and finding["severity"] != "info" and not finding.get("accepted")
    ]
    return status, opened


def test_green_on_the_first_day_and_red_for_what_drifts(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    built = company.build(tmp_path / "etc", seed=3)
    monkeypatch.chdir(tmp_path)
    assert run(["init", "plans", "--from", "etc"]) == 0
    assert "wrote 50 plans below plans" in capsys.readouterr().out
    assert checked(capsys) == (0, [])
    name, (file, _) = next(
        (n, p) for n, p in built.places.items() if built.pipelines[n].get("retention.time")
    )
    topics = tmp_path / "etc" / file
    before, _, after = topics.read_text().partition(f"  topicName: {name}\n")
    key, _, rest = after.partition("    retention.ms: ")
    old, _, end = rest.partition("\n")
    topics.write_text(f"{before}  topicName: {name}\n{key}    retention.ms: {int(old) + 1}\n{end}")
    status, opened = checked(capsys)
    assert (status, [(plan, finding["code"]) for plan, finding in opened]) == (1, [(name, "SYN201")])
    assert f"etc/{file}:{before.count(chr(10)) + key.count(chr(10)) + 2}:19" in opened[0][1]["message"]


def test_a_second_draw_up_writes_nothing(made: tuple[Any, Any]) -> None:
    built, _ = made
    with pytest.raises(InputError, match="already there; nothing was written"):
        draw_up(built.folder / "plans", [built.folder])


def test_the_command_says_what_it_read_and_what_it_asks(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    built = company.build(tmp_path / "etc", seed=11)
    monkeypatch.chdir(tmp_path)
    assert run(["init", "plans", "--from", "etc", "--format", "json"]) == 0
    told = json.loads(capsys.readouterr().out)
    assert len(told["plans"]) == 50
    assert {problem["file"] for problem in told["broken"]} == {f"etc/{name}" for name in built.broken}
    settles = [question["settles"] for question in told["questions"]]
    assert settles == sorted(settles, reverse=True)
    assert settles[0] > 0
    assert (tmp_path / "pipelineplan.toml").is_file()


def test_things_with_the_same_plain_name_stay_apart(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Names that differ only in signs that an id may not have, in one plan and between plans."""
    channels = {name: {"address": name} for name in ("a/b", "a b", "process", "consumers")}
    operations = {
        f"{action}{number}": {"action": action, "channel": {"$ref": f"#/channels/{name.replace('/', '~1')}"}}
        for action in ("receive", "send")
        for number, name in enumerate(channels)
    }
    document = {"asyncapi": "3.0.0", "info": {"title": "x"}, "channels": channels, "operations": operations}
    for name in ("one", "two"):
        (tmp_path / name).mkdir()
        (tmp_path / name / "app.json").write_text(json.dumps(document | {"info": {"title": f"x {name[:1]}"}}))
    (tmp_path / "three.json").write_text(json.dumps(document | {"info": {"title": "X o"}}))
    monkeypatch.chdir(tmp_path)
    assert run(["init", "plans", "--from", "."]) == 0
    names = sorted(file.parent.name for file in (tmp_path / "plans").glob("*/plan.yaml"))
    assert names == ["x-o", "x-o-2", "x-t"]
    assert [s.id for s in read_plan(tmp_path / "plans/x-t").model.sources] == [
        "a-b", "a-b-2", "process-2", "consumers-2",
    ]  # fmt: skip
