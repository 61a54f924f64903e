"""The gate on what comes with the tool notices a licence that is not allowed and a part that is missing."""

from __future__ import annotations

import importlib.util
import json
import os
import shutil
import subprocess
import tomllib
from pathlib import Path
from types import ModuleType

import pytest

ROOT = Path(__file__).parents[2]
RULES = tomllib.loads((ROOT / ".ci/licences.toml").read_text(encoding="utf-8"))


def script(name: str) -> ModuleType:
    spec = importlib.util.spec_from_file_location(name, ROOT / f".ci/{name}.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


@pytest.mark.parametrize(
    ("name", "licence", "allowed"),
    [
        ("one", "MIT", True),
        ("both", "BSD-3-Clause AND Zlib", True),
        ("either", "Apache-2.0 OR GPL-2.0-only", True),
        ("with an exception", "BSD-2-Clause AND Apache-2.0 WITH LLVM-exception", True),
        ("two words of old", "Apache Software License; BSD License", True),
        ("copyleft", "GPL-3.0-only", False),
        ("half copyleft", "MIT AND AGPL-3.0-only", False),
        ("unknown", "UNKNOWN", False),
        ("psycopg", "LGPL-3.0-only", True),
        ("psycopg", "GPL-3.0-only", False),
        ("another", "LGPL-3.0-only", False),
    ],
)
def test_a_licence_is_allowed_by_name_or_for_one_package(name: str, licence: str, allowed: bool) -> None:  # noqa: FBT001
    packages = [{"Name": name, "Version": "1", "License": licence}]
    assert (script("licences").refused(packages, RULES) == []) == allowed


def test_an_exception_has_a_reason() -> None:
    assert all(len(one["because"]) > 8 for one in RULES["exceptions"].values())


def test_the_list_of_parts_is_whole_and_a_hole_is_named(tmp_path: Path) -> None:
    if shutil.which("uv") is None:
        pytest.skip("there is no uv on this machine")
    export = ["uv", "export", "--quiet", "--locked", "--no-dev", "--all-extras"]
    listed, locked = (
        subprocess.run([*export, *more], cwd=ROOT, capture_output=True, text=True, check=False)
        for more in (["--format", "cyclonedx1.5"], ["--no-emit-project"])
    )
    if listed.returncode != 0 or locked.returncode != 0:
        pytest.skip(f"uv cannot read the lock here: {(listed.stderr + locked.stderr).strip()[-200:]}")
    parts = json.loads(listed.stdout)
    assert (parts["bomFormat"], parts["specVersion"]) == ("CycloneDX", "1.5")
    assert len(parts["components"]) > 50
    missing = script("parts").missing
    assert missing(parts, locked.stdout) == []
    parts["components"] = [one for one in parts["components"] if one["name"] != "numpy"]
    assert any("numpy" in line for line in missing(parts, locked.stdout))


@pytest.mark.slow
def test_the_workflows_and_the_action_are_what_github_reads(tmp_path: Path) -> None:
    """By actionlint, which follows `uses: ./` into the action's own metadata."""
    tool = shutil.which("actionlint") or _built_actionlint()
    done = subprocess.run([tool, "-no-color"], cwd=ROOT, capture_output=True, text=True, check=False)
    assert (done.returncode, done.stdout) == (0, "")
    (tmp_path / ".git").mkdir()  # by which actionlint knows where a project begins
    for name in (".github", "action.yml"):
        copy = shutil.copytree if (ROOT / name).is_dir() else shutil.copy
        copy(ROOT / name, tmp_path / name)
    workflow = tmp_path / ".github/workflows/ci.yml"
    workflow.write_text(workflow.read_text().replace("paths: |", "path: |"))
    done = subprocess.run(
        [tool, "-no-color", workflow], capture_output=True, text=True, check=False, cwd=tmp_path
    )
    assert 'input "path" is not defined' in done.stdout, "and it would notice"


def _built_actionlint() -> str:
    go, folder = shutil.which("go"), Path.home() / ".cache/pipelineplan/actionlint-1.7.12"
    if not (folder / "actionlint").exists():
        if go is None:
            pytest.skip("there is neither actionlint nor Go on this machine")
        module = "github.com/rhysd/actionlint/cmd/actionlint@v1.7.12"
        environment = {**os.environ, "GOBIN": str(folder)}
        done = subprocess.run(
            [go, "install", module], env=environment, capture_output=True, text=True, check=False
        )
        if done.returncode != 0:
            pytest.skip(f"actionlint cannot be built here: {done.stderr.strip()[-200:]}")
    return str(folder / "actionlint")
