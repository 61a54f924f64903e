"""`check --changed` reports what a full check would have reported as new: over whole histories of changes."""

from __future__ import annotations

import datetime as dt
import random
import subprocess
from collections.abc import Callable, Iterable
from pathlib import Path

import pytest

from pipelineplan.cli.discovery import plans_below
from pipelineplan.errors import InputError
from pipelineplan.fleet import Asked, Fleet, check_plans
from pipelineplan.fleet.changes import check_changed
from pipelineplan.verdicts import Finding, Verdict
from tests.fleet.conftest import FAILING, SMALL, Check
from tests.fleet.histories import Company, git

ASKED = Asked(as_of=dt.date(2026, 6, 1), holding=False)
COMMITS = 20
State = dict[str, tuple[str, tuple[Finding, ...], frozenset[str]]]


def whole(folder: Path) -> State:
    """Every plan by its file, as a full check sees it: its name, what is open, what is wrong."""
    fleet = check_plans(list(plans_below(folder)), ASKED, jobs=1)
    return {
        one.plan.relative_to(folder).as_posix(): (
            one.verdicts.about.name if one.verdicts is not None else "",
            one.verdicts.failing if one.verdicts is not None else (),
            frozenset(problem.message for problem in one.problems),
        )
        for one in fleet.judged
    }


def graver(new: Finding, old: Iterable[Finding]) -> bool:
    """Whether none of the old findings was the same one and at least as grave."""
    return not any(
        one.fingerprint == new.fingerprint
        and one.counts_as().rank >= new.counts_as().rank
        and not (one.verdict is Verdict.UNKNOWN and new.verdict is Verdict.FAILS)
        for one in old
    )


def new_in(now: State, before: State) -> set[tuple[str, str]]:
    """What full checks of both call new: a plan is itself by its file, or by its name if that is gone."""
    gone = {name: found for file, (name, found, _) in before.items() if file not in now and name}
    new: set[tuple[str, str]] = set()
    for file, (name, found, problems) in now.items():
        _, old, old_problems = before.get(file, ("", gone.get(name, ()), frozenset()))
        new |= {(file, one.fingerprint) for one in found if graver(one, old)}
        new |= {(file, message) for message in problems - old_problems}
    return new


def reported(fleet: Fleet, folder: Path) -> set[tuple[str, str]]:
    found = {
        (one.plan.relative_to(folder).as_posix(), finding.fingerprint)
        for one in fleet.judged
        if one.verdicts is not None
        for finding in one.verdicts.failing
    }
    problems = {(plan.relative_to(folder).as_posix(), problem.message) for plan, problem in fleet.problems}
    return found | problems


@pytest.mark.parametrize(
    "seed", [1, 2, *(pytest.param(seed, marks=pytest.mark.slow) for seed in range(3, 13))]
)
def test_law_of_a_history_of_twenty_commits(seed: int, tmp_path: Path) -> None:
    """The oracle is a full check of two whole trees that were written out, and uses no git at all."""
    repository, company = tmp_path / "repository", Company(random.Random(seed))
    company.start()
    company.write(repository)
    git(tmp_path, "init", "-q", "-b", "main", "repository")
    git(repository, "add", "-A")
    git(repository, "commit", "-q", "-m", "start")
    before, counted = whole(repository), 0
    assert all(name and not problems for name, _, problems in before.values()), before
    for number in range(COMMITS):
        kinds = [company.change() for _ in range(company.chance.choice([1, 1, 2]))]
        company.write(repository)
        git(repository, "add", "-A")
        git(repository, "commit", "-q", "--allow-empty", "-m", ", ".join(kinds))
        fleet = check_changed(list(plans_below(repository)), ASKED, "HEAD~1", jobs=1)
        now = whole(repository)
        wanted = new_in(now, before)
        assert reported(fleet, repository) == wanted, (seed, number, kinds)
        before, counted = now, counted + len(wanted)
    assert counted > 20  # the history did bring something


def repository_of(folder: Path, text: str = SMALL) -> Path:
    (folder / "plan.yaml").write_text(text, encoding="utf-8")
    (folder / "pipelineplan.toml").touch()
    git(folder, "init", "-q", "-b", "main")
    git(folder, "add", "-A")
    git(folder, "commit", "-q", "-m", "start")
    return folder


def test_what_is_not_committed_is_compared_with_what_is(check: Check, tmp_path: Path) -> None:
    repository_of(tmp_path)
    assert check(".", "--changed").out == ""
    (tmp_path / "plan.yaml").write_text(FAILING, encoding="utf-8")
    found = check(".", "--changed", "--format", "json")
    assert (found.status, found.open_codes()) == (1, ["CAP101"])
    there = [one for one in found.json["plans"][0]["findings"] if one["accepted"]]
    assert {one["accepted"]["by"] for one in there} == {"base"}
    assert {one["accepted"]["reason"] for one in there} == {"there at HEAD"}
    git(tmp_path, "commit", "-qam", "slower")
    assert check(".", "--changed").status == 0
    assert check(".", "--changed", "--base", "HEAD~1").status == 1
    assert check(".").status == 1


def test_an_untracked_plan_is_new_as_a_whole(check: Check, tmp_path: Path) -> None:
    repository_of(tmp_path)
    (tmp_path / "more").mkdir()
    (tmp_path / "more/plan.yaml").write_text(FAILING.replace("small", "more"), encoding="utf-8")
    found = check(".", "--changed")
    assert found.status == 1
    assert "more (more/plan.yaml)" in found.out
    assert "small (plan.yaml)" not in found.out


def test_the_branch_is_compared_with_where_it_left(check: Check, tmp_path: Path) -> None:
    """What happened on main since is not this branch's doing."""
    repository_of(tmp_path)
    git(tmp_path, "checkout", "-q", "-b", "topic")
    (tmp_path / "notes.md").write_text("words")
    git(tmp_path, "add", "-A")
    git(tmp_path, "commit", "-qm", "words")
    git(tmp_path, "checkout", "-q", "main")
    (tmp_path / "plan.yaml").write_text(FAILING, encoding="utf-8")
    git(tmp_path, "commit", "-qam", "slower on main")
    git(tmp_path, "checkout", "-q", "topic")
    assert check(".", "--changed", "--base", "main").out == ""


@pytest.mark.parametrize("base", ["main~1", "origin/other"])
def test_a_shallow_clone_says_what_it_needs(
    check: Check, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, base: str
) -> None:
    origin = tmp_path / "origin"
    origin.mkdir()
    repository_of(origin)
    git(origin, "commit", "-q", "--allow-empty", "-m", "more")
    git(tmp_path, "clone", "-q", "--depth", "1", origin.as_uri(), "shallow")
    monkeypatch.chdir(tmp_path / "shallow")
    found = check(".", "--changed", "--base", base)
    assert found.status == 2
    assert "fetch-depth: 0" in found.err


def test_a_shallow_clone_with_the_tip_of_the_base_alone(
    check: Check, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Both commits are there, and what they have in common is not."""
    origin = tmp_path / "origin"
    origin.mkdir()
    repository_of(origin)
    for branch in ("topic", "other"):
        git(origin, "checkout", "-q", "-b", branch, "main")
        git(origin, "commit", "-q", "--allow-empty", "-m", branch)
    git(tmp_path, "clone", "-q", "--depth", "1", "--no-single-branch", origin.as_uri(), "shallow")
    monkeypatch.chdir(tmp_path / "shallow")
    found = check(".", "--changed", "--base", "origin/topic")
    assert (found.status, "fetch-depth: 0" in found.err) == (2, True)


def test_without_git_it_says_so(check: Check, tmp_path: Path) -> None:
    (tmp_path / "plan.yaml").write_text(SMALL, encoding="utf-8")
    if (
        subprocess.run(["git", "-C", str(tmp_path), "rev-parse"], capture_output=True, check=False).returncode
        == 0
    ):
        pytest.skip("the temporary folder lies in a git repository")  # pragma: no cover
    found = check("plan.yaml", "--changed")
    assert (found.status, "not in a git repository" in found.err) == (2, True)


def test_a_revision_that_looks_like_an_option_is_no_option(check: Check, tmp_path: Path) -> None:
    repository_of(tmp_path)
    found = check(".", "--changed", "--base=--output=/tmp/owned")
    assert (found.status, Path("/tmp/owned").exists()) == (2, False)


@pytest.mark.parametrize(
    "options",
    [("--base", "HEAD"), ("--changed", "--write-baseline"), ("--changed", "--fix"), ("--reason", "why")],
)
def test_options_that_do_not_go_together(
    check: Check, plan: Callable[..., Path], options: tuple[str, ...]
) -> None:
    plan(SMALL)
    assert check("plan.yaml", *options).status == 2


def test_the_python_api_takes_many_plans_as_well(tmp_path: Path) -> None:
    repository_of(tmp_path)
    fleet = check_plans([tmp_path / "plan.yaml"], ASKED)
    assert (len(fleet.results), fleet.status) == (1, 0)
    with pytest.raises(InputError, match="git knows no revision"):
        check_changed([tmp_path / "plan.yaml"], ASKED, "nothing")
