"""Every criterion has one home, and every presence rule and anti-pattern tells bad from good."""

from __future__ import annotations

import json
import os
import re
from pathlib import Path
from typing import Any, get_args

import pytest

from pipelineplan import catalogue
from pipelineplan.documents import read_document
from pipelineplan.plan import Plan, read_plan
from pipelineplan.plan.context import QualityLevel
from pipelineplan.rules import RULES
from pipelineplan.rules.antipatterns import ANTI_PATTERNS
from pipelineplan.rules.criteria import (
    Attested,
    OutOfScope,
    Presence,
    RuleHome,
    criteria,
    criterion_of,
    judge,
)
from pipelineplan.rules.decisions import DECISION_TABLES
from pipelineplan.rules.design_choices import DESIGN_TABLES
from pipelineplan.rules.presence import applies, gaps
from pipelineplan.verdicts import Severity, Verdict

PATTERNS = (*ANTI_PATTERNS, *DECISION_TABLES, *DESIGN_TABLES)
HERE = Path(__file__).parent
LEVELS = get_args(QualityLevel)
HOMES = {"present", "rule", "attestation", "out_of_scope"}
MINIMAL: dict[str, Any] = {
    "apiVersion": "pipelineplan/v1",
    "kind": "DataPlan",
    "metadata": {"name": "minimal", "quality_level": "production"},
    "sources": [{"id": "in"}],
    "stages": [{"id": "work", "inputs": ["in"]}],
    "sinks": [{"id": "out", "inputs": ["work"]}],
}
LEAST = {"P": 40, "D": 40, "B": 60, "T": 20}  # items of the four documents beside the workflow's own
CONTRACT = """
apiVersion: v3.1.0
kind: DataContract
id: entries
version: 1.0.0
status: active
schema: [{name: entries, properties: [{name: k, logicalType: string}]}]
"""


def cases() -> list[dict[str, Any]]:
    files = sorted(HERE.glob("*.yaml"))
    return [{**case, "file": file.name} for file in files for case in read_document(file).data]


CASES = cases()


def laid_over(under: Any, over: Any) -> Any:
    """Mappings merge by key, lists of things with ids by id; anything else is replaced."""
    if isinstance(under, dict) and isinstance(over, dict):
        return {**under, **{key: laid_over(under.get(key), value) for key, value in over.items()}}
    if isinstance(under, list) and isinstance(over, list) and all(isinstance(x, dict) for x in under):
        by_id = {entry.get("id"): entry for entry in under}
        return [laid_over(by_id.get(entry.get("id")), entry) for entry in over]
    return over


def plan_of(folder: Path, *fragments: Any, level: str = "production") -> Plan:
    data: Any = {**MINIMAL, "metadata": {"name": "minimal", "quality_level": level}}
    for fragment in fragments:
        data = laid_over(data, fragment)
    (folder / "entries.odcs.yaml").write_text(CONTRACT, encoding="utf-8")
    file = folder / "plan.yaml"
    file.write_text(json.dumps(data), encoding="utf-8")
    return read_plan(file)


def name(case: dict[str, Any]) -> str:
    return f"{case['code']}-{case['at']}"


@pytest.mark.parametrize("case", CASES, ids=name)
def test_bad_fails_and_says_where_and_how_to_mend_it(case: dict[str, Any], tmp_path: Path) -> None:
    plan = plan_of(tmp_path, case.get("given", {}), case["bad"])
    found = [one for one in judge(plan) if one.code == case["code"]]
    assert [one.verdict for one in found] == [Verdict.FAILS]
    assert found[0].path == case["at"]
    assert found[0].message.endswith(found[0].fix)
    assert re.search(r"\b(add|state|record)\b.*:", found[0].fix), "a repair names the key"
    assert found[0].severity is criterion_of(case["code"]).severity["production"]  # type: ignore[union-attr]


@pytest.mark.parametrize("file", sorted(HERE.glob("*.yaml")), ids=lambda file: file.stem)
def test_messages_are_as_they_were_read(file: Path, tmp_path: Path) -> None:
    """REWRITE_GOLDEN=1 writes them anew; then read the difference."""
    golden = HERE / f"messages/{file.stem}.txt"
    said = []
    for case in CASES:
        if case["file"] == file.name:
            plan = plan_of(tmp_path, case.get("given", {}), case["bad"])
            (found,) = (one for one in judge(plan) if one.code == case["code"])
            said.append(f"{found.code} {found.severity} at {found.path}: {found.message}\n")
    if os.environ.get("REWRITE_GOLDEN"):
        golden.parent.mkdir(exist_ok=True)
        golden.write_text("".join(said), encoding="utf-8")
    assert golden.read_text(encoding="utf-8") == "".join(said)


@pytest.mark.parametrize("case", CASES, ids=name)
def test_good_holds(case: dict[str, Any], tmp_path: Path) -> None:
    plan = plan_of(tmp_path, case.get("given", {}), case["good"])
    assert [one.verdict for one in judge(plan) if one.code == case["code"]] == [Verdict.HOLDS]


def test_every_code_has_a_case_and_no_case_is_of_an_unknown_code() -> None:
    presence = {one.home.code for one in criteria() if isinstance(one.home, Presence)}
    patterns = {pattern.code for pattern in PATTERNS}
    assert {case["code"] for case in CASES} == presence | patterns


def test_every_criterion_has_exactly_one_home_and_a_severity_at_every_level() -> None:
    data = read_document(catalogue.folder("contracts") / "criteria.yaml").data
    assert all(set(by_level) == set(LEVELS) for by_level in data["levels"].values())
    for one in data["criteria"]:
        assert len(HOMES & set(one["home"])) == 1, one["id"]
        assert set(one) == {"id", "text", "stage", "severity", "home"}, one["id"]
        assert one["severity"] in data["levels"], one["id"]


def test_ids_and_codes_are_used_once_and_codes_are_of_their_stage() -> None:
    ids = [one.id for one in criteria()]
    codes = [one.home.code for one in criteria() if isinstance(one.home, Presence)]
    assert len(set(ids)) == len(ids)
    assert len(set(codes)) == len(codes)
    assert not set(codes) & set(RULES)
    assert all(re.fullmatch(r"[A-Z]{3}\d{3}", code) for code in codes)
    families = {1: "CTX", 2: "SRC", 3: "SEM", 4: "VOL", 5: "ING", 6: "PRC", 7: "SCH", 8: "QUA"}
    families |= {9: "OPS", 10: "CUT", 11: "ACC", 12: "RSK"}
    by_seed = {"P": "DSN", "D": "CKL", "B": "CKL", "T": "TEC"}
    for one in criteria():
        family = by_seed.get(one.id[0], families[one.stage])
        assert not isinstance(one.home, Presence) or one.home.code.startswith(family), one.id


def test_every_exit_criterion_of_the_eleven_stages_is_there() -> None:
    counts = {1: 4, 2: 3, 3: 4, 4: 4, 5: 3, 6: 3, 7: 3, 8: 3, 9: 3, 10: 3, 11: 3}
    ids = {one.id for one in criteria()}
    assert {f"W{stage}.{n}" for stage, count in counts.items() for n in range(1, count + 1)} <= ids
    assert {f"W-AP.{n}" for n in range(1, 11)} | {f"W-D{n}" for n in range(1, 5)} <= ids


def test_every_exit_criterion_of_the_production_flow_and_every_checklist_is_there() -> None:
    ids = {one.id for one in criteria()}
    counts = {1: 3, 2: 3, 3: 5, 4: 4, 5: 3, 6: 4, 7: 4, 8: 4, 9: 3, 10: 1}
    assert {f"P{stage}.{n}" for stage, count in counts.items() for n in range(1, count + 1)} <= ids
    assert {f"P-D{n}" for n in range(1, 6)} <= ids
    assert all(sum(one.startswith(seed) for one in ids) >= least for seed, least in LEAST.items())


def test_a_rule_that_several_criteria_rest_on_speaks_once(tmp_path: Path) -> None:
    plan = plan_of(tmp_path, {"metadata": {"workflow": "both"}})
    codes = [(one.code, one.path) for one in judge(plan)]
    assert len(codes) == len(set(codes))
    shared = [one.home.code for one in criteria() if isinstance(one.home, RuleHome)]
    assert len(shared) > len(set(shared))


def test_the_design_criteria_are_asked_of_designs_only(tmp_path: Path) -> None:
    said = {
        workflow: {one.code[:3] for one in judge(plan_of(tmp_path, {"metadata": {"workflow": workflow}}))}
        for workflow in ("data-plan", "design-spec", "both")
    }
    assert not {"DSN", "CKL", "TEC"} & said["data-plan"]
    assert {"DSN", "CKL", "TEC"} <= said["design-spec"] == said["both"]


def test_rules_that_are_named_exist() -> None:
    presence = {one.home.code for one in criteria() if isinstance(one.home, Presence)}
    known = set(RULES) | presence | {pattern.code for pattern in PATTERNS}
    named = [one.home.code for one in criteria() if isinstance(one.home, RuleHome)]
    assert {code for code in named if code is not None} <= known
    assert {pattern.code for pattern in PATTERNS} <= set(named)


def test_reasons_are_given_for_what_is_out_of_scope() -> None:
    assert all(len(one.home.reason) > 20 for one in criteria() if isinstance(one.home, OutOfScope))
    assert any(isinstance(one.home, Attested) for one in criteria())


def test_what_a_level_does_not_require_is_not_said(tmp_path: Path) -> None:
    said = {level: {one.code for one in judge(plan_of(tmp_path, level=level))} for level in LEVELS}
    assert said["experiment"] < said["prototype"] < said["production"] == said["secure"]
    prototype = judge(plan_of(tmp_path, level="prototype"))
    assert {one.severity for one in prototype if one.verdict is Verdict.FAILS} == {
        Severity.INFO,
        Severity.WARNING,
    }


def test_fingerprints_name_the_object_and_survive_edits_above_it(tmp_path: Path) -> None:
    bare = judge(plan_of(tmp_path))
    assert len({one.fingerprint for one in bare}) == len(bare)
    more = {"context": {"problem": "late"}, "sources": [{"id": "in", "system": "files"}]}
    fuller = judge(plan_of(tmp_path, more))
    before = {one.code: one.fingerprint for one in bare if one.code == "SRC101"}
    after = {one.code: one.fingerprint for one in fuller if one.code == "SRC101"}
    assert before == after


def test_conditions_keep_rules_off_plans_that_they_do_not_apply_to(tmp_path: Path) -> None:
    batch = plan_of(tmp_path, {"ingestion": {"mode": "batch"}})
    assert not {"SEM110", "QUA102", "ING104", "OPS102"} & {one.code for one in judge(batch)}
    assert applies(batch, "batch")
    assert not applies(batch, "streaming")


@pytest.mark.parametrize("wanted", ["context.problem", "$.sources[odd].owner", "$.sources[*", "$.Sources"])
def test_a_text_that_is_no_path_of_presence_is_refused(wanted: str, tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="wanted"):
        gaps(plan_of(tmp_path), wanted)
