"""The main job end to end: what a bundle holds, that it can be trusted, and what a reviewer is told."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

import pipelineplan as pp

ROOT = Path(__file__).parents[2]
ORDERS = ROOT / "examples" / "orders-to-warehouse"
BUNDLE = [sys.executable, "-m", "pipelineplan", "bundle", str(ORDERS), "--as-of", "2026-11-09T10:30:20"]


def files(folder: Path) -> dict[str, bytes]:
    return {str(f.relative_to(folder)): f.read_bytes() for f in sorted(folder.rglob("*")) if f.is_file()}


def test_the_bundle_holds_everything_and_is_unaltered(bundle_of: Callable[[str], Path]) -> None:
    folder = bundle_of("orders-to-warehouse")
    for name in (
        "report.html",
        "report.md",
        "bundle.json",
        "plan.resolved.yaml",
        "findings.sarif",
        "junit.xml",
    ):
        assert (folder / name).stat().st_size > 100, name
    for name in ("checklists/cutover.md", "simulation/curves.parquet", "quality/gx/great_expectations.yml"):
        assert (folder / name).is_file(), name
    assert pp.verify(folder) == ()


def test_an_altered_a_missing_and_an_extra_file_are_named(
    bundle_of: Callable[[str], Path], tmp_path: Path
) -> None:
    folder = tmp_path / "bundle"
    shutil.copytree(bundle_of("orders-to-warehouse"), folder)
    report = folder / "report.md"
    report.write_text(report.read_text(encoding="utf-8").replace("holds", "fails", 1), encoding="utf-8")
    (folder / "junit.xml").unlink()
    (folder / "extra.txt").write_text("new", encoding="utf-8")
    named = " ".join(str(problem) for problem in pp.verify(folder))
    assert all(name in named for name in ("report.md", "junit.xml", "extra.txt"))


def test_the_main_example_holds(bundle_of: Callable[[str], Path]) -> None:
    data = json.loads((bundle_of("orders-to-warehouse") / "bundle.json").read_text(encoding="utf-8"))
    assert {gate["state"] for gate in data["gates"]} == {"pass"}


@pytest.mark.slow
def test_built_twice_elsewhere_and_in_another_locale_it_is_byte_identical(tmp_path: Path) -> None:
    variants = {
        "one": {"PYTHONHASHSEED": "1", "LC_ALL": "C.UTF-8", "TZ": "UTC"},
        "two": {"PYTHONHASHSEED": "2", "LC_ALL": "C", "TZ": "Asia/Tokyo"},
    }
    for name, env in variants.items():
        (tmp_path / f"from-{name}").mkdir()
        subprocess.run(
            [*BUNDLE, "-o", str(tmp_path / name)],
            cwd=tmp_path / f"from-{name}",
            env=os.environ | env,
            check=True,
            capture_output=True,
        )
    assert files(tmp_path / "one") == files(tmp_path / "two")


@pytest.mark.slow
def test_no_network_is_needed(tmp_path: Path) -> None:
    """The main job with the network taken away, if this machine lets us take it away."""
    unshare = shutil.which("unshare")
    if (
        unshare is None
        or subprocess.run([unshare, "-n", "true"], capture_output=True, check=False).returncode
    ):
        pytest.skip("the network cannot be taken away here: unshare -n is refused")
    data = ["--data-dir", str(ORDERS / "data")]
    done = subprocess.run(
        [unshare, "-n", *BUNDLE, *data, "-o", str(tmp_path / "b")],
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    assert "holds" in done.stdout


def test_one_changed_line_gives_a_difference_that_decides(tmp_path: Path) -> None:
    """The checkpoint interval from 60 s to 10 min, as a reviewer sees it; nothing changed says nothing."""
    repository = tmp_path / "repository"
    shutil.copytree(ORDERS, repository / "orders", ignore=shutil.ignore_patterns("data", "golden"))
    git = ["git", "-C", str(repository), "-c", "user.name=t", "-c", "user.email=t@example.org"]
    for arguments in (["init", "-q"], ["add", "-A"], ["commit", "-q", "-m", "the plan"]):
        subprocess.run([*git, *arguments], check=True, capture_output=True)
    diff = [
        sys.executable,
        "-m",
        "pipelineplan",
        "diff",
        str(repository / "orders" / "plan.yaml"),
        "--base",
        "HEAD",
    ]
    unchanged = subprocess.run(diff, capture_output=True, text=True, check=False)
    assert (unchanged.returncode, unchanged.stdout) == (0, "")

    plan = repository / "orders" / "plan.yaml"
    text = plan.read_text(encoding="utf-8")
    assert text.count("interval: 60 s\n") == 1
    plan.write_text(text.replace("interval: 60 s\n", "interval: 10 min\n"), encoding="utf-8")
    changed = subprocess.run(diff, capture_output=True, text=True, check=False)
    assert changed.returncode == 1, changed.stderr
    golden = Path(__file__).with_name("checkpoint-10-min.diff.txt")
    if os.environ.get("UPDATE_GOLDEN"):
        golden.write_text(changed.stdout, encoding="utf-8")
    assert changed.stdout == golden.read_text(encoding="utf-8")
    for said in ("60 s -> 10 min", "orders/plan.yaml:", "EVT201 holds -> fails", "drain"):
        assert said in changed.stdout


def test_an_unknown_revision_says_what_to_do() -> None:
    command = [sys.executable, "-m", "pipelineplan", "diff", str(ORDERS / "plan.yaml"), "--base", "no-such"]
    done = subprocess.run(command, capture_output=True, text=True, check=False, cwd=ROOT)
    assert done.returncode == 2
    assert "fetch-depth: 0" in done.stderr
