"""References stay inside the root: no way out by dots, links, drives or the network."""

from __future__ import annotations

from pathlib import Path

import pytest

from pipelineplan.documents import Root, dotted, find_root


@pytest.fixture
def root(tmp_path: Path) -> Root:
    (tmp_path / "repo/plans").mkdir(parents=True)
    (tmp_path / "repo/pipelineplan.toml").touch()
    (tmp_path / "repo/contracts").mkdir()
    (tmp_path / "repo/contracts/a.yaml").touch()
    (tmp_path / "secret.yaml").touch()
    return Root(tmp_path / "repo", tmp_path / "repo/plans")


def test_a_reference_may_climb_inside_the_root(root: Root) -> None:
    assert root.resolve("../contracts/a.yaml").is_file()
    assert root.resolve("./x/../not-there.yaml") == (root.base / "not-there.yaml").resolve()


@pytest.mark.parametrize(
    ("reference", "said"),
    [
        ("../../secret.yaml", "leaves the root"),
        ("../contracts/../../secret.yaml", "leaves the root"),
        ("/etc/passwd", "an absolute path"),
        ("C:\\Windows\\win.ini", "an absolute path"),
        ("C:/Windows/win.ini", "an absolute path"),
        ("\\\\server\\share\\x", "an absolute path"),
        ("//server/share/x", "a URL"),
        ("https://example.com/a.yaml", "a URL"),
        ("file:///etc/passwd", "a URL"),
        ("", "not a file name"),
        ("a\0b", "not a file name"),
        ("a/" * 501, "not a file name"),
        ("a" * 256, "not a file name"),
    ],
)
def test_what_leads_out_is_refused(root: Root, reference: str, said: str) -> None:
    with pytest.raises(ValueError, match=said):
        root.resolve(reference)


def test_a_link_out_of_the_root_is_refused_and_one_inside_is_followed(root: Root, tmp_path: Path) -> None:
    (root.base / "out.yaml").symlink_to(tmp_path / "secret.yaml")
    (root.base / "in.yaml").symlink_to(root.folder / "contracts/a.yaml")
    (root.base / "up").symlink_to(tmp_path)
    (root.base / "circle").symlink_to(root.base / "circle")
    assert root.resolve("in.yaml").name == "a.yaml"
    for reference in ("out.yaml", "up/secret.yaml", "circle"):
        with pytest.raises(ValueError, match=r"leaves the root|a circle of links"):
            root.resolve(reference)


def test_the_nearest_marker_is_the_root_else_git_else_the_plans_folder(root: Root, tmp_path: Path) -> None:
    plan = root.base / "plan.yaml"
    assert find_root(plan) == root.folder
    (root.folder / "pipelineplan.toml").unlink()
    (root.folder / ".git").mkdir()
    assert find_root(plan) == root.folder
    (root.folder / ".git").rmdir()
    assert find_root(plan) == root.base
    assert find_root(root.base) == root.base


def test_a_path_is_written_so_that_it_can_be_found() -> None:
    assert dotted(("stages", 2, "window")) == "$.stages[2].window"
    assert dotted(("labels", "a.b", "x-y")) == "$.labels['a.b'].x-y"
