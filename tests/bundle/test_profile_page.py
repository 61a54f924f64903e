"""A profile drawn as a page: every part, no request, and names are data."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from pipelineplan.bundle import profile_page
from pipelineplan.bundle.profile_page import as_profile_page
from pipelineplan.cli import run
from pipelineplan.errors import MissingExtraError
from pipelineplan.profiling import Choices, measure, tradeoff


def recorded(folder: Path) -> Path:
    """Every seventh record is between 0.01 and 4 s behind; the file's name is hostile."""
    file = folder / "a<b>&.csv"
    rows = (f"{1_700_000_000 + n / 10 - (n % 400 + 1) / 100 * (n % 7 == 0):.3f}" for n in range(4000))
    file.write_text("t\n" + "\n".join(rows) + "\n")
    return file


def test_each_part_is_drawn_and_nothing_is_fetched(tmp_path: Path) -> None:
    file = recorded(tmp_path)
    profile = measure([file], event_time="t")
    table = tradeoff([file], Choices(10.0), event_time="t")
    page = as_profile_page(profile, table)
    assert page.count("<svg ") == 3
    assert page == as_profile_page(profile, table)
    assert "a&lt;b&gt;&amp;.csv" in page
    assert "Disorder comes closest to" in page
    assert "The knee is at a lag of" in page
    assert not re.search(r"(src|href)=|<script|url\(", page)
    assert "#010a0" not in page
    assert as_profile_page(profile).count("<svg ") == 2


def test_the_command_writes_it(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    page = tmp_path / "out" / "delays.html"
    command = ["profile", str(recorded(tmp_path)), "--event-time", "t", "--window", "10 s"]
    assert run([*command, "--page", str(page)]) == 0
    assert "<svg " in page.read_text()
    assert "closest to" in capsys.readouterr().out
    assert run([*command, "--page", str(tmp_path)]) == 2


def test_without_the_extra_it_is_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    profile = measure([recorded(tmp_path)], event_time="t")
    monkeypatch.setattr(profile_page, "can_plot", lambda: False)
    with pytest.raises(MissingExtraError, match="report"):
        as_profile_page(profile)
