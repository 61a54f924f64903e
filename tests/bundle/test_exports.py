import json
from xml.etree import ElementTree as ET

import pytest

from pipelineplan.bundle import Contents, as_json, as_junit, as_sarif
from pipelineplan.bundle.as_json import SCHEMA
from pipelineplan.errors import Position
from pipelineplan.verdicts import Finding, Severity, Verdict


def finding(verdict: Verdict, *rests_on: str, line: int = 4, file: str = "my plans/plan.yaml") -> Finding:
    place = Position(file, line, 7 if line else 0)
    return Finding(
        "CAP101", verdict, Severity.ERROR, "t", "m", "$.a", place, fingerprint="f" * 16, rests_on=rests_on
    )


def test_sarif_has_a_result_for_what_fails_or_is_unknown_and_none_for_what_holds(demo: Contents) -> None:
    log = as_sarif(demo.findings, version="9.9.9")
    assert log["version"] == "2.1.0"
    results = log["runs"][0]["results"]
    assert len(results) == len(demo.wanting)
    rules = log["runs"][0]["tool"]["driver"]["rules"]
    for result in results:
        assert rules[result["ruleIndex"]]["id"] == result["ruleId"]
        assert result["properties"]["verdict"] in {"fails", "unknown"}
        assert set(result["partialFingerprints"]) == {"pipelineplanFinding/v1"}
        place = result["locations"][0]["physicalLocation"]
        assert place["artifactLocation"]["uri"] == "examples/demo-fails/plan.yaml"
        assert place["region"]["startLine"] >= 1
    assert len({rule["id"] for rule in rules}) == len(rules)
    assert all(rule["help"]["text"] for rule in rules)


@pytest.mark.parametrize(
    ("one", "strict", "level"),
    [
        (finding(Verdict.FAILS), False, "error"),
        (finding(Verdict.UNKNOWN), False, "note"),
        (finding(Verdict.UNKNOWN), True, "error"),
        (finding(Verdict.FAILS, "d"), False, "note"),
    ],
)
def test_the_level_is_what_the_finding_counts_as(one: Finding, *, strict: bool, level: str) -> None:
    assert as_sarif([one], strict=strict)["runs"][0]["results"][0]["level"] == level


def test_sarif_uris_are_relative_and_encoded_and_regions_start_at_one() -> None:
    placed = as_sarif([finding(Verdict.FAILS)])["runs"][0]["results"][0]["locations"][0]["physicalLocation"]
    assert placed == {
        "artifactLocation": {"uri": "my%20plans/plan.yaml"},
        "region": {"startLine": 4, "startColumn": 7},
    }
    whole = as_sarif([finding(Verdict.FAILS, line=0)])["runs"][0]["results"][0]["locations"][0][
        "physicalLocation"
    ]
    assert "region" not in whole


def test_junit_counts_failures_and_skips(demo: Contents) -> None:
    root = ET.fromstring(as_junit(demo.findings))
    cases = root.findall("./testsuite/testcase")
    assert len(cases) == len(demo.findings) == int(root.attrib["tests"])
    failures = root.findall("./testsuite/testcase/failure")
    assert len(failures) == len(demo.failing) == sum(int(s.attrib["failures"]) for s in root)
    skipped = root.findall("./testsuite/testcase/skipped")
    assert len(skipped) == len(demo.wanting) - len(demo.failing)


def test_junit_fails_what_counts_at_least_as_asked(demo: Contents) -> None:
    root = ET.fromstring(as_junit(demo.findings, fail_on=Severity.INFO))
    assert len(root.findall("./testsuite/testcase/failure")) == len(demo.wanting)


def test_hostile_text_stays_text_in_xml(hostile: Contents) -> None:
    bad = Finding(
        "CAP101",
        Verdict.FAILS,
        Severity.ERROR,
        '"><x>',
        "]]>\x1b[31m<b>\x00",
        '$.a["<c>"]',
        Position("p.yaml", 1, 1),
    )
    root = ET.fromstring(as_junit([bad, *hostile.findings]))
    failure = root.find("./testsuite/testcase/failure")
    assert failure is not None
    assert failure.attrib["message"] == "]]><b>"


def test_bundle_json_says_everything_in_a_versioned_envelope(orders: Contents) -> None:
    data = json.loads(as_json(orders), parse_constant=lambda name: pytest.fail(f"{name} is no JSON"))
    assert data["schema"] == SCHEMA == "pipelineplan/bundle/v1"
    assert data["verdict"] == orders.verdict.value
    assert len(data["gates"]) == 12
    assert len(data["findings"]) == len(orders.findings)
    assert [each["kind"] for each in data["checklists"]] == ["cutover", "rollback", "launch"]
    drains = [each["drain_seconds"]["value"] for each in data["simulation"]["scenarios"]]
    assert orders.simulated is not None
    assert drains == [each.figures["drain_seconds"].value for each in orders.simulated.scenarios]
    interval = data["plan"]["facts"]["stages"][0]["checkpoint"]["interval"]
    assert interval == {"value": 60.0, "low": 60.0, "high": 60.0, "dimension": "s", "text": "60 s"}


def test_a_bundle_without_simulation_or_data_says_null(silent: Contents) -> None:
    data = json.loads(as_json(silent))
    assert data["simulation"] is None
    assert data["quality"] is None
