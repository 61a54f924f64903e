"""An organisation's own rules: the example of the guide as it stands, and all that can be wrong with one."""

from __future__ import annotations

import re
import sys
from pathlib import Path
from typing import Any

import pytest
import yaml

from pipelineplan.cli import run
from pipelineplan.plan import read_plan
from pipelineplan.rules import RULES, judge, rule_page
from pipelineplan.rules import policies as room

pytest.importorskip("cel", reason="the extra `policies` is not installed")
GUIDE = Path(__file__).parents[2] / "docs/guides/policies.md"
_FILE = re.compile(r"<!-- file: (\S+) -->\n```\w+\n(.*?)```", re.DOTALL)
_OUTPUT = re.compile(r"<!-- output: (.*?) -->\n```text\n(.*?)```", re.DOTALL)


@pytest.fixture
def guide(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder with the files of the guide, as the working directory."""
    for name, content in _FILE.findall(GUIDE.read_text()):
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).write_text(content)
    monkeypatch.chdir(tmp_path)
    return tmp_path


def test_the_guide_shows_what_is_printed(guide: Path, capsys: pytest.CaptureFixture[str]) -> None:
    [(command, shown)] = _OUTPUT.findall(GUIDE.read_text())
    assert run(command.split()) == 1
    assert capsys.readouterr().out == shown


def test_a_policy_is_explained(guide: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["explain", "ORG101", "plan.yaml"]) == 0
    out = capsys.readouterr().out
    assert "ORG101: Logs keep at least three days" in out
    assert "it.retention.time >= 3.0 * 86400.0" in out
    assert "looked at on Monday morning" in out
    assert "fails  $.sources[0]" in out


def test_a_plan_that_keeps_them_holds(guide: Path) -> None:
    text = (guide / "plan.yaml").read_text().replace("retention: 1 d", "retention: 3 d")
    (guide / "plan.yaml").write_text(text + "security: {deletion: within 30 days by web}\n")
    verdicts = {f.code: f.verdict for f in judge(read_plan(guide / "plan.yaml"), ["ORG"])}
    assert verdicts == {"ORG101": "holds", "ORG102": "holds", "ORG103": "holds"}


def test_what_cannot_be_evaluated_is_unknown(guide: Path) -> None:
    policy = {"code": "ORG201", "title": "t", "about": "sources", "must": "it.replication >= 3"}
    (guide / "policies/platform.yaml").write_text(yaml.safe_dump({"policies": [policy]}))
    [found] = judge(read_plan(guide / "plan.yaml"), ["ORG"])
    assert found.verdict == "unknown"
    assert "cannot be evaluated: 'replication'" in found.message


WRONG = [
    ({"code": "CAP101"}, "'CAP101' is taken"),
    ({"code": "org1"}, "is no code"),
    ({"must": "it.x >"}, "no expression: "),
    ({"must": "it.x > limit"}, "unknown name limit, known are it, plan, written"),
    ({"must": ""}, "'must' is missing"),
    ({"about": "tables"}, "found 'tables', wanted one of plan, sources"),
    ({"severity": "fatal"}, "wanted one of error, warning, info"),
    ({"run": "rm"}, "unknown key 'run'"),
    ({"must": 3}, "wanted text"),
    ({"must": "x" * 3000}, "at most 2,000 characters"),
]


@pytest.mark.parametrize(("change", "said"), WRONG, ids=[said for _, said in WRONG])
def test_what_is_wrong_with_a_policy_is_said_with_its_place(
    guide: Path, change: dict[str, Any], said: str, capsys: pytest.CaptureFixture[str]
) -> None:
    policy = {"code": "ORG201", "title": "t", "about": "sources", "must": "true", **change}
    (guide / "policies/platform.yaml").write_text(yaml.safe_dump({"policies": [policy]}))
    assert run(["check", "plan.yaml"]) == 2
    err = capsys.readouterr().err
    assert said in err
    assert "policies/platform.yaml:" in err


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("[policy]\nfiles = []\n", "did you mean policies?"),
        ("[policies]\nfile = []\n", "did you mean files?"),
        ("[policies]\nfiles = 'x'\n", "wanted a list of texts"),
        ("[policies]\nfiles = ['../*.yaml']\n", "leaves the root folder"),
        ("[policies]\nfiles = ['/etc/*.yaml']\n", "an absolute path"),
        ("[policies]\nfiles = ['none/*.yaml']\n", "names no file"),
        ("policies = 3\n", "is no table"),
        ("[policies\n", "cannot be read"),
    ],
)
def test_what_is_wrong_with_the_settings_is_said(
    guide: Path, text: str, said: str, capsys: pytest.CaptureFixture[str]
) -> None:
    (guide / "pipelineplan.toml").write_text(text)
    assert run(["check", "plan.yaml"]) == 2
    assert said in capsys.readouterr().err


def test_python_rules_of_installed_packages_are_off_until_they_are_wanted(
    guide: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    module = guide / "acme_rules.py"
    module.write_text(
        "from pipelineplan.rules.inequality import statement\n"
        "from pipelineplan.rules.registry import rule\n\n"
        "@rule('ACM101', title='t', why='w', formula='f', bad='b', good='g', fix='x', source='s')\n"
        "def judge(plan):\n"
        "    yield statement((), plan.name, 'seen', true=False)\n"
    )
    (guide / "acme-1.dist-info").mkdir()
    (guide / "acme-1.dist-info/METADATA").write_text("Metadata-Version: 2.1\nName: acme\nVersion: 1\n")
    (guide / "acme-1.dist-info/entry_points.txt").write_text("[pipelineplan.rules]\nacme = acme_rules\n")
    monkeypatch.syspath_prepend(str(guide))
    room._load_installed.cache_clear()
    try:
        assert not judge(read_plan(guide / "plan.yaml"), ["ACM"])
        (guide / "pipelineplan.toml").write_text("[policies]\npython = true\n")
        [found] = judge(read_plan(guide / "plan.yaml"), ["ACM"])
        assert (found.verdict, found.message) == ("fails", "seen")
        assert (rule_page("ACM101") or {})["formula"] == "f"
    finally:
        RULES.pop("ACM101", None)
        sys.modules.pop("acme_rules", None)
        room._load_installed.cache_clear()
