"""The tutorial says what the tool prints: its commands are run, all but the installation."""

from __future__ import annotations

import os
import re
import shutil
import sys
from pathlib import Path

import pytest

from tests.full.rehearse_tutorial import PAGE, Step, apply, differs, rehearse, steps_of

needs_bash = pytest.mark.skipif(shutil.which("bash") is None, reason="there is no bash on this machine")


@needs_bash
def test_the_first_five_minutes_go_as_they_are_told(tmp_path: Path) -> None:
    steps = [step for step in steps_of(PAGE.read_text(encoding="utf-8")) if "Install" not in step.section]
    assert len({step.section for step in steps}) == 6
    path = f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}"
    assert set(rehearse(steps, tmp_path, PATH=path)) == {step.section for step in steps}


@needs_bash
def test_a_page_that_says_something_else_is_found_out(tmp_path: Path) -> None:
    with pytest.raises(SystemExit, match="wanted:\nfour"):
        rehearse([Step("1", "echo three", "four\n")], tmp_path)


def test_what_is_printed_may_be_cut_and_set_otherwise() -> None:
    assert not differs("one\n...\nlast words\n", "one\ntwo\nlast\n  words\n")
    assert differs("one\n...\nlast\n", "one\ntwo\n")
    assert differs("one\n", "one\ntwo\n")


def test_a_change_is_put_where_it_belongs(tmp_path: Path) -> None:
    (tmp_path / "a.yaml").write_text("x: 1\ny: 2   # from b\nz: 3\n")
    header = "--- a.yaml\n+++ a.yaml\n@@\n"
    apply(f"{header} x: 1\n-y: 2\n+y: 4\n", tmp_path)
    assert (tmp_path / "a.yaml").read_text() == "x: 1\ny: 4\nz: 3\n"
    with pytest.raises(SystemExit, match=re.escape("found 0 times")):
        apply(f"{header}-y: 9\n", tmp_path)
