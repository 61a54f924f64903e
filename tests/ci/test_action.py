"""The composite GitHub Action: its scripts, run as a runner would, with friendly and hostile inputs."""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
import sys
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path

import pytest
import yaml

ROOT = Path(__file__).parents[2]
ACTION = yaml.safe_load((ROOT / "action.yml").read_text(encoding="utf-8"))
STEPS = ACTION["runs"]["steps"]
INPUT = re.compile(r"\$\{\{ inputs\.([a-z-]+) \}\}")
INSTALL, CHECK = (step for step in STEPS if "run" in step)

pytestmark = pytest.mark.skipif(shutil.which("bash") is None, reason="there is no bash on this machine")


@dataclass(frozen=True)
class Ran:
    """What a step did: its exit status, its log, and what it wrote for the runner."""

    status: int
    log: str
    outputs: Mapping[str, str]
    summary: str


class Runner:
    """A checkout with a plan, and the files by which a step and the runner speak."""

    def __init__(self, folder: Path) -> None:
        self.folder, self.checkout, self.temp = folder, folder / "checkout", folder / "temp"
        self.temp.mkdir()
        (self.checkout / ".git").mkdir(parents=True)
        shutil.copytree(ROOT / "examples/demo-fails", self.checkout / "plans/fails")
        shutil.copytree(ROOT / "examples/demo-holds", self.checkout / "plans/holds")

    def step(self, step: Mapping[str, object], **inputs: str) -> Ran:
        """Run the script of `step` as the runner runs `shell: bash`, with `inputs` over the defaults."""
        output, summary = self.temp / "output", self.temp / "summary"
        output.write_text("")
        summary.write_text("")
        given = {name: str(one.get("default", "")) for name, one in ACTION["inputs"].items()}
        given |= {name.replace("_", "-"): value for name, value in inputs.items()}
        environment = {
            **{key: os.environ[key] for key in ("PATH", "HOME") if key in os.environ},
            **{name: self._value(str(value), given) for name, value in step["env"].items()},  # type: ignore[attr-defined]
            "RUNNER_TEMP": str(self.temp),
            "GITHUB_OUTPUT": str(output),
            "GITHUB_STEP_SUMMARY": str(summary),
        }
        script = self.temp / "script.sh"
        script.write_text(str(step["run"]))
        command = ["bash", "--noprofile", "--norc", "-e", "-o", "pipefail", str(script)]
        done = subprocess.run(
            command, cwd=self.checkout, env=environment, capture_output=True, text=True, check=False
        )
        pairs = (line.partition("=")[::2] for line in output.read_text().splitlines())
        return Ran(done.returncode, done.stdout + done.stderr, dict(pairs), summary.read_text())

    def with_python(self) -> Runner:
        """The tool of this environment, where the first step would have installed it."""
        python = self.temp / "pipelineplan/bin/python"
        python.parent.mkdir(parents=True)
        python.write_text(f'#!/bin/sh\nexec "{sys.executable}" "$@"\n')
        python.chmod(0o755)
        return self

    def stub_python(self) -> Callable[[], str]:
        """In the tool's place, what writes its arguments down; returns what reads those of the first call."""
        python, called = self.temp / "pipelineplan/bin/python", self.temp / "called"
        python.parent.mkdir(parents=True)
        writes = f'if [ ! -e "{called}" ]; then for one; do printf "%s\\0" "$one"; done >"{called}"; fi\n'
        python.write_text(f"#!/bin/sh\n{writes}")
        python.chmod(0o755)
        return called.read_text

    @staticmethod
    def _value(value: str, given: Mapping[str, str]) -> str:
        value = INPUT.sub(lambda match: given[match[1]], value)
        return value.replace("${{ github.action_path }}", str(ROOT))


@pytest.fixture
def runner(tmp_path: Path) -> Runner:
    return Runner(tmp_path).with_python()


def test_no_script_has_an_expression_in_it() -> None:
    """`${{ inputs.x }}` in a script would be code; in `env` it is a value."""
    assert [step["name"] for step in STEPS if "${{" in step.get("run", "")] == []
    used = set(INPUT.findall(json.dumps([step.get("env", {}) for step in STEPS])))
    assert used | {"upload-sarif"} == set(ACTION["inputs"]), "every input is used, and none is made up"


def test_what_holds_passes(runner: Runner) -> None:
    ran = runner.step(CHECK, paths="plans/holds")
    assert (ran.status, ran.outputs["status"]) == (0, "0"), ran.log
    assert "::error" not in ran.log


def test_what_fails_is_annotated_summed_up_and_written_as_sarif(runner: Runner) -> None:
    ran = runner.step(CHECK, paths="plans/holds\n\nplans/fails\n")
    assert (ran.status, ran.outputs["status"]) == (1, "1"), ran.log
    assert re.search(
        r"^::error file=plans/fails/plan.yaml,line=33,col=60,title=CAP201 .*::", ran.log, re.MULTILINE
    )
    assert "CAP201" in ran.summary
    sarif = json.loads(Path(ran.outputs["sarif-file"]).read_text())
    assert {"CAP201"} <= {result["ruleId"] for result in sarif["runs"][0]["results"]}


def test_annotations_and_summary_can_be_left_out(runner: Runner) -> None:
    ran = runner.step(CHECK, paths="plans/fails", annotations="false", summary="false")
    assert (ran.status, ran.summary, "::error" in ran.log) == (1, "", False)


def test_what_cannot_be_used_ends_with_2_and_says_why(runner: Runner) -> None:
    (runner.checkout / "plans/fails/plan.yaml").write_text("kind: DataPlan\nmetadata: [\n")
    ran = runner.step(CHECK, paths="plans")
    assert ran.status == 2
    assert re.search(r"^\| plans/fails/plan.yaml:\d+:\d+: ", ran.log, re.MULTILINE)


HOSTILE = [
    "; touch pwned",
    "$(touch pwned)",
    "`touch pwned`",
    '" && touch pwned #',
    "' ; touch pwned #",
    "plans/holds\n$(touch pwned)",
    "-o/pwned",
    "--format=json",
    "--write-baseline",
    "a\x1b[2Jb",
    "::add-mask::plans",
    "../../../../etc",
]


@pytest.mark.parametrize("name", ["paths", "fail_on", "strict", "base", "annotations", "summary"])
@pytest.mark.parametrize("value", HOSTILE)
def test_a_hostile_input_is_a_value_and_nothing_else(tmp_path: Path, name: str, value: str) -> None:
    """In place of the tool stands what writes its arguments down: whatever is given arrives whole."""
    runner = Runner(tmp_path)
    called = runner.stub_python()
    before = set(runner.folder.rglob("*"))
    ran = runner.step(CHECK, **{"paths": "plans/holds", name: value})
    made = {path.relative_to(runner.temp).as_posix() for path in set(runner.folder.rglob("*")) - before}
    assert made <= {
        "output",
        "summary",
        "script.sh",
        "pipelineplan.sarif",
        "pipelineplan.sarif.log",
        "called",
    }
    assert ran.status == 0, ran.log
    options, _, paths = called().partition("\0--\0")
    wanted = {"fail_on": f"--fail-on={value}", "base": f"--base={value}"}
    assert name not in wanted or wanted[name] in options.split("\0")
    assert paths.split("\0")[:-1] == (value.split("\n") if name == "paths" else ["plans/holds"])


def test_the_tool_takes_hostile_paths_for_paths(runner: Runner) -> None:
    ran = runner.step(CHECK, paths="\n".join(HOSTILE))
    assert ran.status == 2, ran.log
    assert re.findall(r"^\s*::(?!error|warning|notice).*", ran.log, re.MULTILINE) == []


def test_a_repository_cannot_put_its_own_module_in_the_way(runner: Runner) -> None:
    for name in ("yaml.py", "pipelineplan.py", "sitecustomize.py", "argparse.py"):
        (runner.checkout / name).write_text("open('pwned', 'w')\n")
    ran = runner.step(CHECK, paths="plans/holds")
    assert ran.status == 0, ran.log
    assert not (runner.checkout / "pwned").exists()


def test_a_file_s_name_cannot_speak_to_the_runner(runner: Runner) -> None:
    (runner.checkout / "plans/::add-mask::a.yaml").write_text("apiVersion: pipelineplan/v1\nkind: [\n")
    ran = runner.step(CHECK, paths="plans/::add-mask::a.yaml")
    assert ran.status == 2
    assert re.search(r"^\s*::add-mask", ran.log, re.MULTILINE) is None


@pytest.mark.slow
def test_it_installs_itself_pinned_and_alone(tmp_path: Path) -> None:
    """Into an environment of its own, from PyPI, with the package run from the action's own folder."""
    runner = Runner(tmp_path)
    ran = runner.step(INSTALL, python=sys.executable)
    if "Temporary failure in name resolution" in ran.log or "No matching distribution" in ran.log:
        pytest.skip("PyPI cannot be reached")
    assert ran.status == 0, ran.log
    (runner.checkout / "pipelineplan.py").write_text("open('pwned', 'w')\n")
    ran = runner.step(CHECK, paths="plans/fails")
    assert ran.status == 1, ran.log
    assert "CAP201" in Path(ran.outputs["sarif-file"]).read_text()
    assert not (runner.checkout / "pwned").exists()


def test_the_pinned_requirements_are_those_of_the_lock() -> None:
    if shutil.which("uv") is None:
        pytest.skip("there is no uv on this machine")
    options = ["--quiet", "--locked", "--no-dev", "--no-emit-project", "--no-annotate", "--no-header"]
    done = subprocess.run(["uv", "export", *options], cwd=ROOT, capture_output=True, text=True, check=False)
    if done.returncode != 0:
        pytest.skip(f"uv cannot read the lock here: {done.stderr.strip()[-200:]}")
    written = (ROOT / "ci/requirements.txt").read_text(encoding="utf-8")
    assert done.stdout == written, f"run: uv export {' '.join(options)} -o ci/requirements.txt"
