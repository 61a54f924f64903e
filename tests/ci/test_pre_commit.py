"""The pre-commit hooks, on a clean repository: installed by pre-commit from nothing, then asked."""

from __future__ import annotations

import os
import shutil
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest
import yaml

ROOT = Path(__file__).parents[2]
PRE_COMMIT = ["uvx", "pre-commit@4.3.0"]
PARTS = ("pyproject.toml", "README.md", "LICENSE", ".pre-commit-hooks.yaml")
FOLDERS = ("pipelineplan", "contracts", "simulations", "expectations", "examples")
HOOKS = {hook["id"]: hook for hook in yaml.safe_load((ROOT / ".pre-commit-hooks.yaml").read_text("utf-8"))}


def git(folder: Path, *arguments: str) -> str:
    identity = ["-c", "user.name=somebody", "-c", "user.email=somebody@example.org"]
    done = subprocess.run(
        ["git", *identity, *arguments], cwd=folder, check=True, capture_output=True, text=True
    )
    return done.stdout


def test_the_hooks_say_what_pre_commit_needs() -> None:
    assert set(HOOKS) == {"pipelineplan-check", "pipelineplan-changed"}
    for hook in HOOKS.values():
        assert {"id", "name", "description", "entry", "language", "files"} <= set(hook)


class Tried:
    """A repository whose plans the hooks look at, and the hooks' own repository beside it."""

    def __init__(self, folder: Path) -> None:
        self.hooks, self.plans = folder / "hooks", folder / "plans"
        self.environment = {**os.environ, "PRE_COMMIT_HOME": str(folder / "cache")}
        self.hooks.mkdir()
        for name in PARTS:
            shutil.copy(ROOT / name, self.hooks)
        for name in FOLDERS:
            shutil.copytree(
                ROOT / name, self.hooks / name, ignore=shutil.ignore_patterns("__pycache__", "golden")
            )
        shutil.copytree(ROOT / "examples/demo-holds", self.plans / "holds")
        (self.plans / "README.md").write_text("Our plans.\n")
        for repository in (self.hooks, self.plans):
            git(repository, "init", "-q")
            git(repository, "add", ".")
            git(repository, "commit", "-qm", "first")

        hooks = [{"id": name} for name in HOOKS]
        revision = git(self.hooks, "rev-parse", "HEAD").strip()
        config = {"repos": [{"repo": self.hooks.as_posix(), "rev": revision, "hooks": hooks}]}
        (self.plans / ".git/config.yaml").write_text(yaml.safe_dump(config), encoding="utf-8")

    def try_repo(self, name: str) -> tuple[int, str]:
        """What `pre-commit try-repo` says of one hook on what is staged; it installs the hook each time."""
        return self._ran("try-repo", str(self.hooks), name)

    def hook(self, name: str) -> tuple[int, str]:
        """The same by a configuration, which keeps what it installed."""
        return self._ran("run", "--config", ".git/config.yaml", name)

    def _ran(self, *arguments: str) -> tuple[int, str]:
        command = [*PRE_COMMIT, *arguments, "--color=never"]
        done = subprocess.run(
            command, cwd=self.plans, env=self.environment, capture_output=True, text=True, check=False
        )
        text = done.stdout + done.stderr
        if "error sending request" in text or "name resolution" in text:
            pytest.skip("PyPI cannot be reached")
        return done.returncode, text

    def stage(self, path: str, old: str, new: str) -> None:
        file = self.plans / path
        text = file.read_text(encoding="utf-8")
        assert old in text
        file.write_text(text.replace(old, new, 1), encoding="utf-8")
        git(self.plans, "add", path)


@pytest.fixture(scope="module")
def tried(tmp_path_factory: pytest.TempPathFactory) -> Tried:
    if shutil.which("uvx") is None or shutil.which("git") is None:
        pytest.skip("there is no uv with git on this machine")
    return Tried(tmp_path_factory.mktemp("pre-commit"))


@pytest.fixture(autouse=True)
def _as_committed(request: pytest.FixtureRequest) -> Iterator[None]:
    yield
    if "tried" in request.fixturenames:
        git(request.getfixturevalue("tried").plans, "reset", "-q", "--hard", "HEAD")


@pytest.mark.slow
def test_try_repo_passes_and_fails_rightly(tried: Tried) -> None:
    tried.stage("holds/plan.yaml", "name: clicks-per-minute", "name: clicks-by-minute")
    status, said = tried.try_repo("pipelineplan-check")
    assert (status, "Passed" in said) == (0, True), said
    tried.stage("holds/plan.yaml", "parallelism: 12", "parallelism: 5")
    status, said = tried.try_repo("pipelineplan-check")
    assert (status, "Failed" in said) == (1, True), said


@pytest.mark.slow
@pytest.mark.parametrize("name", sorted(HOOKS))
def test_a_plan_that_still_holds_passes(tried: Tried, name: str) -> None:
    tried.stage("holds/plan.yaml", "name: clicks-per-minute", "name: clicks-by-minute")
    status, said = tried.hook(name)
    assert (status, "Passed" in said) == (0, True), said


@pytest.mark.slow
@pytest.mark.parametrize("name", sorted(HOOKS))
def test_a_plan_that_no_longer_holds_fails_with_the_line(tried: Tried, name: str) -> None:
    tried.stage("holds/plan.yaml", "parallelism: 12", "parallelism: 5")
    status, said = tried.hook(name)
    assert (status, "Failed" in said) == (1, True), said
    assert "holds/plan.yaml:" in said
    assert "CAP" in said


@pytest.mark.slow
def test_what_is_no_plan_is_not_looked_at(tried: Tried) -> None:
    tried.stage("README.md", "Our", "All our")
    status, said = tried.hook("pipelineplan-check")
    assert (status, "(no files to check)Skipped" in said) == (0, True), said


@pytest.mark.slow
def test_an_old_failure_elsewhere_does_not_stop_a_change(tried: Tried) -> None:
    shutil.copytree(ROOT / "examples/demo-fails", tried.plans / "fails", dirs_exist_ok=True)
    git(tried.plans, "add", ".")
    git(tried.plans, "commit", "-qm", "one that fails")
    tried.stage("holds/plan.yaml", "name: clicks-per-minute", "name: clicks-by-minute")
    for name in sorted(HOOKS):
        status, said = tried.hook(name)
        assert (status, "Passed" in said) == (0, True), said
