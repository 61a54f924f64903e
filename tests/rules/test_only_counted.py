"""A run that only counts what holds says of the rest, to the letter, what a run of everything says."""

from __future__ import annotations

import datetime as dt
from pathlib import Path

import pytest

from pipelineplan.verdicts import Verdict
from pipelineplan.workflow import check

EXAMPLES = sorted(
    file.parent for file in (Path(__file__).parents[2] / "examples").glob("*/plan.yaml") if file.is_file()
)
DAY = dt.date(2026, 11, 20)


@pytest.mark.parametrize("example", EXAMPLES, ids=lambda example: example.name)
def test_what_does_not_hold_is_told_the_same(example: Path) -> None:
    everything, brief = check(example, as_of=DAY), check(example, as_of=DAY, holding=False)
    wanting = tuple(one for one in everything.findings if one.verdict is not Verdict.HOLDS)
    assert brief.findings == wanting
    assert brief.held == everything.held > 0
    assert brief.about == everything.about
