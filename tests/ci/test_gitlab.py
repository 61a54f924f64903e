"""The GitLab component: read as GitLab reads it, and its script run here."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path
from xml.etree import ElementTree as ET

import pytest
import yaml

from pipelineplan import __version__
from tests.npm_tools import NoToolError, installed

ROOT = Path(__file__).parents[2]
TEMPLATE = ROOT / "templates/check.yml"
SPEC, JOBS = yaml.safe_load_all(TEMPLATE.read_text(encoding="utf-8"))
JOB = JOBS["pipelineplan"]


def git(folder: Path, *arguments: str) -> None:
    identity = ["-c", "user.name=somebody", "-c", "user.email=somebody@example.org"]
    subprocess.run(["git", *identity, *arguments], cwd=folder, check=True, capture_output=True)


def test_inputs_are_variables_and_never_text_of_the_script() -> None:
    assert "$[[" not in yaml.safe_dump([JOB["script"], JOB["artifacts"]])
    assert {"paths", "fail-on", "version"} <= set(SPEC["spec"]["inputs"])


def test_it_is_pinned_to_this_version() -> None:
    assert SPEC["spec"]["inputs"]["version"]["default"] == __version__


@pytest.mark.slow
@pytest.mark.parametrize(("fail_on", "says"), [("error", "stage: test"), ("nothing", "not in the list")])
def test_it_meets_the_published_schema_of_gitlab(tmp_path: Path, fail_on: str, says: str) -> None:
    """gitlab-ci-local fills the inputs in and holds the result against GitLab's own schema."""
    try:
        tool = installed(Path(__file__).parent, ".bin/gitlab-ci-local")
    except NoToolError as reason:
        pytest.skip(str(reason))
    shutil.copytree(ROOT / "templates", tmp_path / "templates")
    inputs = {"paths": "plans", "fail-on": fail_on}
    include = {"include": [{"local": "templates/check.yml", "inputs": inputs}]}
    (tmp_path / ".gitlab-ci.yml").write_text(yaml.safe_dump(include))
    git(tmp_path, "init", "-q")
    git(tmp_path, "add", ".")
    git(tmp_path, "commit", "-qm", "plans")
    git(tmp_path, "remote", "add", "origin", "git@gitlab.com:group/project.git")
    done = subprocess.run([tool, "--preview"], cwd=tmp_path, capture_output=True, text=True, check=False)
    assert says in done.stdout + done.stderr
    assert ("json schema validated" in done.stdout + done.stderr) == (fail_on == "error")


def run_script(folder: Path, paths: str) -> subprocess.CompletedProcess[str]:
    """The job's script in a checkout; instead of making an environment, `python -m venv` finds this one."""
    stubs = folder.parent / "stubs"
    stubs.mkdir()
    tool = f'printf "#!/bin/sh\\nexec {sys.executable} -I -m pipelineplan \\"\\$@\\"" >"$3/bin/pipelineplan"'
    pip = 'printf "#!/bin/sh\\necho \\"\\$@\\" >pip.txt" >"$3/bin/pip"'
    (stubs / "python").write_text(f'#!/bin/sh\nmkdir -p "$3/bin"\n{tool}\n{pip}\nchmod +x "$3/bin/"*\n')
    (stubs / "python").chmod(0o755)
    variables = {"PIPELINEPLAN_PATHS": paths, "PIPELINEPLAN_FAIL_ON": "error", "PIPELINEPLAN_VERSION": "1.2"}
    environment = {"PATH": f"{stubs}:{os.environ['PATH']}", **variables}
    script = "set -eo pipefail\n" + "\n".join(JOB["script"])
    return subprocess.run(
        ["bash", "-c", script], cwd=folder, env=environment, capture_output=True, text=True, check=False
    )


@pytest.mark.skipif(shutil.which("bash") is None, reason="there is no bash on this machine")
@pytest.mark.parametrize(
    ("paths", "status", "failures"),
    [("plans/holds", 0, 0), ("plans/holds\nplans/fails", 1, 1), ("$(touch pwned); touch pwned", 2, None)],
)
def test_the_script_reports_and_ends_with_the_status(
    tmp_path: Path, paths: str, status: int, failures: int | None
) -> None:
    checkout = tmp_path / "checkout"
    for name in ("holds", "fails"):
        shutil.copytree(ROOT / f"examples/demo-{name}", checkout / "plans" / name)
    done = run_script(checkout, paths)
    assert done.returncode == status, done.stdout + done.stderr
    assert (checkout / "pip.txt").read_text() == "install --quiet pipelineplan==1.2\n"
    assert not (checkout / "pwned").exists()
    report = checkout / JOB["artifacts"]["reports"]["junit"]
    if failures is not None:
        suites = ET.parse(report).getroot()
        assert (len(suites.findall(".//failure")) >= 1) == (failures > 0)
        assert ("CAP201" in done.stdout) == (failures > 0), "the log says it too"
