"""A newcomer's first mistakes: every help has an example, every option words, every slip a suggestion."""

from __future__ import annotations

import argparse
import re
import tomllib
from importlib import import_module
from pathlib import Path

import pytest

from pipelineplan.cli import VERBS, doctor, output, run
from pipelineplan.cli.parsing import Parser, explain_the_rest

ROOT = Path(__file__).parents[2]


@pytest.mark.parametrize("verb", VERBS)
def test_every_help_has_an_example_and_words_for_each_option(verb: str) -> None:
    module = import_module(f"pipelineplan.cli.{verb}")
    parser = Parser(prog=verb)
    module.add_options(parser)
    explain_the_rest(parser)
    assert re.search(rf"^ *pipelineplan {verb}\b", module.__doc__ or "", re.MULTILINE)
    assert [action.dest for action in parser._actions if not action.help] == []


def test_the_first_help_says_how_to_begin(capsys: pytest.CaptureFixture[str]) -> None:
    assert run([]) == 2
    said = capsys.readouterr().out
    for line in re.findall(r"^  pipelineplan (\w+) ", said, re.MULTILINE):
        assert line in {*VERBS, "COMMAND"}
    assert "pipelineplan init my-plans --demo" in said


@pytest.mark.parametrize(
    ("arguments", "meant"),
    [
        (["chekc", "plan.yaml"], "'check'"),
        (["simulte"], "'simulate'"),
        (["check", "plan.yaml", "--formt", "json"], "--format"),
        (["check", "plan.yaml", "--format", "jsn"], "'json'"),
        (["cutover", "plan.yaml", "--kind", "rolback"], "'rollback'"),
        (["doctor", "--install", "flnk"], "'flink'"),
    ],
)
def test_a_slip_is_met_with_a_suggestion(
    capsys: pytest.CaptureFixture[str], arguments: list[str], meant: str
) -> None:
    with pytest.raises(SystemExit) as ended:
        run(arguments)
    assert ended.value.code == 2
    assert capsys.readouterr().err.rstrip().endswith(f"did you mean {meant}?")


def test_what_is_far_from_everything_gets_no_suggestion(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit):
        run(["zzzz"])
    assert "did you mean" not in capsys.readouterr().err


def test_words_that_are_there_stay() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("--format", help="its own words")
    parser.add_argument("--env")
    explain_the_rest(parser)
    assert [action.help for action in parser._actions[1:]] == ["its own words", None]


def test_doctor_knows_every_extra_and_what_it_brings() -> None:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    wanted = {"": project["dependencies"], **project["optional-dependencies"]}
    del wanted["all"]

    def names(lines: list[str]) -> set[str]:
        found = {re.split(r"[\[>=<;]", line)[0].strip().lower() for line in lines}
        return found - {"pipelineplan", "tzdata"}  # an extra of its own, and Windows

    stated = {extra: {name.lower() for name in packages} for extra, (packages, _) in doctor.EXTRAS.items()}
    assert stated == {extra: names(lines) for extra, lines in wanted.items()}


def test_a_plan_without_datasets_says_how_it_gets_some(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "clicks.csv").write_text("a\n1\n")
    plan = str(ROOT / "examples/demo-holds")
    assert run(["test", plan, "--data", f"clicks={tmp_path}/clicks.csv"]) == 2
    assert "name a contract at a source or sink" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("environment", "terminal", "wanted"),
    [
        ({}, True, True),
        ({}, False, False),
        ({"NO_COLOR": "1"}, True, False),
        ({"NO_COLOR": "", "TERM": "xterm"}, True, True),
        ({"FORCE_COLOR": "1"}, False, True),
        ({"FORCE_COLOR": "1", "NO_COLOR": "1"}, True, False),
        ({"TERM": "dumb"}, True, False),
    ],
)
def test_colour_can_be_had_and_left_out(
    monkeypatch: pytest.MonkeyPatch,
    environment: dict[str, str],
    terminal: bool,  # noqa: FBT001
    wanted: bool,  # noqa: FBT001
) -> None:
    for name in ("NO_COLOR", "FORCE_COLOR", "TERM"):
        monkeypatch.delenv(name, raising=False)
    for name, value in environment.items():
        monkeypatch.setenv(name, value)
    monkeypatch.setattr("sys.stdout.isatty", lambda: terminal)
    assert (output.coloured("fails", "fails") != "fails") == wanted


def test_a_fix_is_said_once(capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    plan = (ROOT / "examples/demo-holds/plan.yaml").read_text(encoding="utf-8")
    (tmp_path / "plan.yaml").write_text(plan.replace("quality_level: prototype", "quality_level: production"))
    assert run(["check", str(tmp_path), "--select", "RSK101"]) == 1
    said = capsys.readouterr().out
    assert said.count("add risks: with risk:, mitigation:, owner: and residual: each") == 1
