"""Every rule on both sides of its boundary: the cases are YAML, and here is their one runner.

path: $.stages[0].capacity                     where every finding of the file points, unless a case says so
set: {...}                                     what all cases change of the plan in base.yaml
files: {versions/v1.avsc: "..."}               files beside the plan; a case may bring others,
                                               and says `with: {WORD: value}` what their words stand for
cases:
  - name: exactly at the limit
    because: 12 partitions on 8 workers: 2/12 * 12_000 = 2_000/s
    set: {sources/0/rate/peak: 12_000/s}       values by path; null removes
    as_of: 2026-11-10                          the day of judgement, for rules that need one
    simulated: true                            for rules that are unknown without a simulation
    before: {sources/0/partitions: 24}         for rules that compare two revisions: what the older one says
    verdict: holds                             of the one finding, or of `subject`
"""

from __future__ import annotations

import copy
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml

from pipelineplan.gates import with_simulated
from pipelineplan.plan import read_plan
from pipelineplan.rules import RULES, apply, judge_revision, with_day
from pipelineplan.simulation import simulate
from pipelineplan.verdicts import Finding

FOLDER = Path(__file__).parent / "cases"
FILES = {file.stem: yaml.safe_load(file.read_text()) for file in sorted(FOLDER.glob("*.yaml"))}
BASE = yaml.safe_load((FOLDER.parent / "base.yaml").read_text())
CASES = [
    pytest.param(code, case, id=f"{code}: {case['name']}") for code, f in FILES.items() for case in f["cases"]
]


def patched(tree: Any, changes: dict[str, Any]) -> Any:
    """`tree` with the values of `changes`, which are named by paths; None removes."""
    tree = copy.deepcopy(tree)
    for path, value in changes.items():
        *above, last = (int(step) if step.isdigit() else step for step in path.split("/"))
        place = tree
        for step in above:
            place = place.setdefault(step, {}) if isinstance(place, dict) else place[step]
        if value is None:
            del place[last]
        elif isinstance(place, list) and last == len(place):
            place.append(value)
        else:
            place[last] = value
    return tree


def findings_of(code: str, case: dict[str, Any], folder: Path) -> list[Finding]:
    whole = patched(patched(BASE, FILES[code].get("set", {})), case.get("set", {}))
    if "before" in case:
        return revised(code, patched(whole, case["before"]), whole, folder)
    for name, content in {**FILES[code].get("files", {}), **case.get("files", {})}.items():
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        for word, value in case.get("with", {}).items():
            content = content.replace(word, value)  # noqa: PLW2901  (the words of this case)
        (folder / name).write_text(content, encoding="utf-8")
    (folder / "plan.yaml").write_text(yaml.safe_dump(whole, sort_keys=False, allow_unicode=True))
    plan = read_plan(folder / "plan.yaml")
    findings = list(with_day(plan, apply(RULES[code], plan), case.get("as_of")))
    return list(with_simulated(plan, findings, simulate(plan))) if case.get("simulated") else findings


def revised(code: str, before: Any, after: Any, folder: Path) -> list[Finding]:
    for name, tree in (("before.yaml", before), ("plan.yaml", after)):
        (folder / name).write_text(yaml.safe_dump(tree, sort_keys=False, allow_unicode=True))
    old, new = read_plan(folder / "before.yaml"), read_plan(folder / "plan.yaml")
    return [finding for finding in judge_revision(old, new) if finding.code == code]


def the_one(findings: list[Finding], case: dict[str, Any]) -> Finding:
    wanted = [finding for finding in findings if finding.subject == case.get("subject", finding.subject)]
    assert len(wanted) == 1, [finding.subject for finding in findings]
    return wanted[0]


@pytest.mark.parametrize(("code", "case"), CASES)
def test_case(code: str, case: dict[str, Any], tmp_path: Path) -> None:
    findings = findings_of(code, case, tmp_path)
    if case["verdict"] == "silent":
        assert findings == []
        return
    found = the_one(findings, case)
    assert (found.code, found.verdict) == (code, case["verdict"]), found.message
    assert found.path == case.get("path", FILES[code]["path"])
    text = (tmp_path / "plan.yaml").read_text().splitlines()
    # What is written nowhere is placed where the plan begins, a line that says nothing of it.
    nowhere = found.source_line == "" and (found.position.line, found.position.column) == (1, 1)
    assert nowhere or found.source_line == text[found.position.line - 1]
    assert case.get("at", "") in found.source_line
    for snippet in case.get("says", []):
        assert snippet in f"{found.message}; {'; '.join(found.nearest)}"
    assert list(found.rests_on) == case.get("rests_on", [])


@pytest.mark.parametrize(("code", "case"), CASES)
def test_law_what_does_not_hold_ends_in_a_repair(code: str, case: dict[str, Any], tmp_path: Path) -> None:
    for finding in findings_of(code, case, tmp_path):
        assert finding.fix
        if finding.verdict == "unknown":
            said_below = finding.nearest or finding.operands  # the nearest values, or the rule's fix
            assert said_below or any(word in finding.message for word in ("state", "profile", "simulate"))


def every_case_of_a_rule(code: str) -> Iterator[str]:
    yield from (case["verdict"] for case in FILES[code]["cases"])


@pytest.mark.parametrize("code", sorted(RULES))
def test_every_rule_has_a_case_file_with_both_sides_and_the_unknown(code: str) -> None:
    assert {"holds", "fails"} <= set(every_case_of_a_rule(code))
    assert len(FILES[code]["cases"]) >= 3
    assert all(case.get("because") for case in FILES[code]["cases"])


def test_no_case_file_is_for_a_rule_that_is_not_there() -> None:
    assert set(FILES) <= set(RULES)
