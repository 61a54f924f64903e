"""The examples' own checks notice at least nine tenths of the faults put into the examples' data."""

from __future__ import annotations

import importlib.util
from pathlib import Path

import pytest

import pipelineplan as pp
from pipelineplan.quality.faults import FAULT_CLASSES

pytest.importorskip("great_expectations", reason="great_expectations is not installed")

_spec = importlib.util.spec_from_file_location("bundling", Path(__file__).with_name("bundling.py"))
assert _spec is not None
assert _spec.loader is not None
bundling = importlib.util.module_from_spec(_spec)
_spec.loader.exec_module(bundling)


@pytest.mark.slow
@pytest.mark.parametrize("name", [name for name in sorted(bundling.DATA) if bundling.data_of(name)])
def test_nine_tenths_of_the_faults_are_noticed_and_the_rest_are_named(name: str) -> None:
    report = pp.mutate(bundling.EXAMPLES / name, bundling.data_of(name), as_of=bundling.AS_OF[name])
    assert report.score >= 0.9, [mutant for mutant in report.mutants if not mutant.killed_by]
    assert (report.useless, report.failing_before) == ((), ())
    for dataset in report.datasets:
        holes = {hole.kind: hole.reason for hole in report.holes if hole.dataset == dataset}
        for kind in FAULT_CLASSES:
            killed = any(mutant.killed_by for mutant in report.of(dataset, kind))
            assert killed != (kind in holes), (dataset, kind)
        assert set(holes) <= {"reorder"}


@pytest.mark.slow
def test_a_bundle_tells_in_section_8_which_faults_are_noticed(tmp_path: Path) -> None:
    plan = pp.read_plan(bundling.EXAMPLES / "ledger-batch")
    data = {"daily-balances": bundling.data_of("ledger-batch")["daily-balances"]}
    contents = pp.write(plan, tmp_path / "b", data, as_of=bundling.AS_OF["ledger-batch"], mutation=True)
    assert contents.quality is not None
    text = (tmp_path / "b/report.md").read_text(encoding="utf-8")
    section = text[text.index("## 8 Data quality") : text.index("## 9 ")]
    assert "faults that were put into the data are noticed." in section
    assert "account_id, booking_day is unique" in section
    assert "Which faults the checks notice" in (tmp_path / "b/report.html").read_text(encoding="utf-8")
    assert '"mutation"' in (tmp_path / "b/quality/results.json").read_text(encoding="utf-8")
