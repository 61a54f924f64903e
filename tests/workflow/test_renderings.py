"""`bundle --as`: the same plan as another document, from the command line."""

from __future__ import annotations

from pathlib import Path

import pytest

import pipelineplan as pp
from pipelineplan.cli import run

DEMO = Path(__file__).parents[2] / "examples/demo-holds/plan.yaml"


@pytest.mark.parametrize(
    ("rendering", "head", "section"),
    [
        ("design-spec", "**design-spec**: 0 of 10 required", "## 7 Security and compliance"),
        ("technical-design", "**technical-design**: 0 of 10 required", "## 16 Open questions"),
        ("data-plan", "## 1 Problem and data product goals", "## 13 Open risks"),
    ],
)
def test_the_report_is_the_document_that_is_asked_for(
    rendering: str, head: str, section: str, tmp_path: Path
) -> None:
    folder = tmp_path / "out"
    status = run(["bundle", str(DEMO), "--as", rendering, "--as-of", "2026-11-09", "-o", str(folder)])
    text = (folder / "report.md").read_text(encoding="utf-8")
    assert status == 0
    assert head in text
    assert section in text
    assert section.removeprefix("## ") in (folder / "report.html").read_text(encoding="utf-8")
    assert pp.verify(folder) == ()


def test_another_document_is_refused(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as stopped:
        run(["bundle", str(DEMO), "--as", "novel", "-o", str(tmp_path / "out")])
    assert stopped.value.code == 2
    assert "invalid choice: 'novel'" in capsys.readouterr().err
