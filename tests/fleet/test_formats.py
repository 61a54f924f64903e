"""What `check` prints for machines: valid by the schemas of others, safe with hostile text, stable."""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
from collections.abc import Callable
from html.parser import HTMLParser
from pathlib import Path
from typing import Any

import jsonschema
import pytest

from pipelineplan.bundle.as_github import as_github
from pipelineplan.cli import run
from pipelineplan.errors import Position, Problem
from pipelineplan.verdicts.schema import check_schema
from tests.fleet.conftest import FAILING, SMALL, Check

ROOT = Path(__file__).parents[2]
BROWSERS = ("chromium", "chromium-browser", "google-chrome")
SARIF = "SARIF_SCHEMA"
Write = Callable[..., Path]
SLY = FAILING.replace(
    "owner: web}", 'owner: "<script>alert(1)</script>::error::owned", labels: {a: "%0A::warning::x"}}'
)
NOTES = "| `x` <img src=x onerror=alert(1)>"
HOSTILE = SLY.replace("sinks:", f'slos: [{{for: board, freshness: {{p95: 1 ms}}, notes: "{NOTES}"}}]\nsinks:')


def valid(document: Any) -> list[str]:
    jsonschema.Draft202012Validator.check_schema(check_schema())
    return [error.message for error in jsonschema.Draft202012Validator(check_schema()).iter_errors(document)]


@pytest.mark.parametrize(
    "name", ["demo-fails", "demo-holds", "orders-to-warehouse", "ledger-batch", "mobile-telemetry"]
)
def test_json_meets_the_schema_that_is_printed(check: Check, name: str) -> None:
    assert valid(check(ROOT / "examples" / name, "--format", "json").json) == []


def test_json_of_problems_and_of_all_that_is_accepted_meets_it(check: Check, plan: Write) -> None:
    plan(
        FAILING.replace("capacity: 100/s", "capacity: 100/s  # pipelineplan: ignore CAP101 -- why"),
        "a/a.yaml",
    )
    plan(FAILING, "b/b.yaml")
    check("b", "--write-baseline", "--fail-on", "info", "--until", "2026-12-31")
    plan("a: [", "c/c.yaml")
    found = check("a", "b", "c", "c/c.yaml", "--format", "json", "--baseline", "--as-of", "2026-06-01")
    by = {
        one["accepted"]["by"] for each in found.json["plans"] for one in each["findings"] if one["accepted"]
    }
    assert (by, found.status, valid(found.json)) == ({"comment", "baseline"}, 2, [])


def test_the_schema_would_notice(check: Check, plan: Write) -> None:
    plan(FAILING)
    document = check("plan.yaml", "--format", "json").json
    del document["plans"][0]["findings"][0]["fingerprint"]
    document["plans"][0]["findings"][1]["verdict"] = "perhaps"
    assert len(valid(document)) == 2


def test_a_finding_has_one_shape_everywhere(check: Check, capsys: pytest.CaptureFixture[str]) -> None:
    shown = check(ROOT / "examples/demo-fails", "--format", "json").json["plans"][0]["findings"]
    assert run(["explain", "CAP201", str(ROOT / "examples/demo-fails"), "--format", "json"]) == 0
    explained = json.loads(capsys.readouterr().out)["findings"]
    assert explained == [one for one in shown if one["code"] == "CAP201"]
    assert run(["schema", "--for", "check"]) == 0
    assert json.loads(capsys.readouterr().out) == check_schema()


@pytest.mark.parametrize("name", ["demo-fails", "orders-to-warehouse", "ledger-batch", "mobile-telemetry"])
def test_sarif_meets_the_official_schema(check: Check, name: str) -> None:
    """OASIS's own file, schemas/sarif-schema-2.1.0.json of github.com/oasis-tcs/sarif-spec, by its path."""
    file = os.environ.get(SARIF)
    if not file:
        pytest.skip(f"{SARIF} does not name the official schema")
    schema = json.loads(Path(file).read_text(encoding="utf-8"))
    kind = jsonschema.validators.validator_for(schema)
    log = json.loads(check(ROOT / "examples" / name, "--format", "sarif", "--strict").out)
    assert list(kind(schema).iter_errors(log)) == []
    log["runs"][0]["results"].append({"message": 3})
    assert list(kind(schema).iter_errors(log)) != []


def results(check: Check) -> list[tuple[str, str, int]]:
    log = json.loads(check("plan.yaml", "--format", "sarif").out)
    return [
        (
            one["ruleId"],
            one["partialFingerprints"]["pipelineplanFinding/v1"],
            one["locations"][0]["physicalLocation"]["region"]["startLine"],
        )
        for one in log["runs"][0]["results"]
    ]


def test_sarif_fingerprints_stay_when_lines_move(check: Check, plan: Write) -> None:
    plan(FAILING)
    before = results(check)
    plan("# words\n\n" + FAILING.replace("stages:", "\n# more\nstages:"))
    after = results(check)
    assert sorted(one[:2] for one in after) == sorted(one[:2] for one in before)
    assert {one[2] for one in after}.isdisjoint({one[2] for one in before} - {one[2] for one in after})
    assert [one[2] for one in after] != [one[2] for one in before]


@pytest.mark.parametrize("chosen", ["sarif", "github", "markdown", "junit"])
def test_files_are_named_from_the_top_of_the_repository(
    check: Check, plan: Write, tmp_path: Path, chosen: str
) -> None:
    (tmp_path / "pipelineplan.toml").unlink()
    (tmp_path / ".git").mkdir()
    plan("", "data/pipelineplan.toml")
    plan(FAILING, "data/plans/plan.yaml")
    assert "data/plans/plan.yaml" in check("data", "--format", chosen).out


def commands(text: str) -> list[tuple[str, dict[str, str], str]]:
    """Read workflow commands back as the runner does: ActionCommand.TryParseV2 of actions/runner."""
    found = []
    for line in text.splitlines():
        match = re.match(r"::([a-z-]+)(?: (.*?))?::(.*)\Z", line)
        if match is None:
            continue
        pairs = dict(pair.split("=", 1) for pair in (match[2] or "").split(",") if pair)
        found.append((match[1], {key: decoded(value) for key, value in pairs.items()}, decoded(match[3])))
    return found


def decoded(text: str) -> str:
    for code, sign in (("%0D", "\r"), ("%0A", "\n"), ("%3A", ":"), ("%2C", ","), ("%25", "%")):
        text = text.replace(code, sign)
    return text


def test_annotations_are_read_back_as_they_were_meant(check: Check, plan: Write) -> None:
    plan(FAILING)
    found = check("plan.yaml", "--format", "github")
    errors = [one for one in commands(found.out) if one[0] == "error"]
    (one,) = [one for one in errors if one[1]["title"].startswith("CAP101")]
    shown = check("plan.yaml", "--format", "json").json["plans"][0]["findings"]
    finding = next(each for each in shown if each["code"] == "CAP101" and each["verdict"] == "fails")
    assert (one[1]["file"], one[1]["line"], one[1]["col"]) == (
        "plan.yaml",
        str(finding["line"]),
        str(finding["column"]),
    )
    assert one[2].startswith(f"CAP101: {finding['message']}")
    assert found.out.splitlines()[-1].startswith("small (plan.yaml): ")


def test_a_problem_is_an_annotation_as_well(check: Check, plan: Write) -> None:
    plan(SMALL.replace("partitions", "partition"))
    found = check("plan.yaml", "--format", "github")
    ((kind, where, what),) = commands(found.out)
    assert (found.status, kind, where["file"], where["line"]) == (2, "error", "plan.yaml", "6")
    assert "did you mean 'partitions'?" in what


def test_nothing_in_a_plan_becomes_a_command() -> None:
    sly = "a\n::error::owned\r\n::set-output name=x::y%0A::stop-commands::z, col=9::\N{ESCAPE}[31m"
    text = as_github([], [Problem(sly, Position("a,b:c%.yaml", 1, 2), fix=sly)])
    ((kind, where, _),) = commands(text)
    assert len(text.splitlines()) == 1
    assert (kind, where["file"], where["line"]) == ("error", "a,b:c%.yaml", "1")
    assert "\N{ESCAPE}" not in text
    assert "%0A::stop" not in text  # the runner would make a line end of it


def test_markdown_says_it_all_in_a_line_and_worst_first(check: Check, plan: Write) -> None:
    plan(SMALL.replace("small", "fine"), "fine/plan.yaml")
    plan(FAILING.replace("small", "slow"), "slow/plan.yaml")
    found = check(".", "--format", "markdown")
    assert found.out.startswith("### 1 of 2 plans does not hold\n")
    assert found.out.index("slow `slow/plan.yaml`") < found.out.index("fine `fine/plan.yaml`")
    assert "- **CAP101** (error) `slow/plan.yaml:12:" in found.out
    plan("a: [", "broken/plan.yaml")
    broken = check("broken/plan.yaml", "--format", "markdown")
    assert (broken.status, broken.err) == (2, "")
    assert "| cannot be read | what is wrong |" in broken.out


@pytest.mark.parametrize("chosen", ["markdown", "html", "github", "text", "junit", "sarif"])
def test_hostile_text_stays_text(check: Check, plan: Write, chosen: str) -> None:
    plan(HOSTILE)
    out = check("plan.yaml", "--format", chosen).out
    assert not re.search(r"^::(?!error|warning|notice)", out, re.MULTILINE)
    if chosen in {"markdown", "html"}:
        assert "<script>alert" not in out
        assert "<img src=x" not in out
        assert "&lt;script&gt;" in out


class _Page(HTMLParser):
    def __init__(self) -> None:
        super().__init__()
        self.open: list[str] = []
        self.seen: list[tuple[str, dict[str, str | None]]] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.seen.append((tag, dict(attrs)))
        if tag not in {"meta", "br", "hr", "img", "link"}:
            self.open.append(tag)

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag


def fleet_page(check: Check, plan: Write) -> str:
    plan(SMALL.replace("small", "fine"), "fine/plan.yaml")
    plan(HOSTILE.replace("small", "slow"), "slow/plan.yaml")
    plan(FAILING.replace("small", "lived").replace("owner: web", "owner: shop"), "lived/plan.yaml")
    plan("a: [", "broken/plan.yaml")
    check("lived", "--write-baseline", "--until", "2026-06-20", "--reason", "<b>as found</b>")
    options = ("--format", "html", "--baseline", "--as-of", "2026-06-01")
    found = check("fine", "slow", "lived", "broken/plan.yaml", *options)
    assert (found.status, found.err) == (2, "")
    return found.out


def test_the_fleet_page_is_by_owner_worst_first_and_well_formed(check: Check, plan: Write) -> None:
    text = fleet_page(check, plan)
    page = _Page()
    page.feed(text)
    assert page.open == []
    ids = [attributes["id"] for _, attributes in page.seen if "id" in attributes]
    assert len(ids) == len(set(ids))
    targets = [attributes["href"] or "" for tag, attributes in page.seen if tag == "a"]
    assert {target.removeprefix("#") for target in targets} <= set(ids)
    assert text.index("slow: 1 error") < text.index("lived: 0 errors")
    assert "2026-06-20" in text
    assert "&lt;b&gt;as found&lt;/b&gt;" in text
    assert "Cannot be read" in text
    assert not [tag for tag, _ in page.seen if tag in {"script", "link", "img", "iframe"}]
    assert "http" not in re.sub(r"http-equiv|https?://\S+(?=[\s<])", "", text)


@pytest.mark.slow
@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_a_browser_shows_the_fleet_page(check: Check, plan: Write, tmp_path: Path, scheme: str) -> None:
    browser = next((found for name in BROWSERS if (found := shutil.which(name))), None)
    if browser is None:
        pytest.skip(f"no browser: none of {', '.join(BROWSERS)} is installed")
    page, picture = tmp_path / "fleet.html", tmp_path / "fleet.png"
    page.write_text(fleet_page(check, plan), encoding="utf-8")
    flags = [
        "--headless",
        "--no-sandbox",
        "--disable-gpu",
        "--enable-logging=stderr",
        f"--screenshot={picture}",
    ]
    flags += [f"--user-data-dir={tmp_path / 'profile'}", "--window-size=1300,1400"]
    flags += ["--force-dark-mode", "--blink-settings=preferredColorScheme=0"] if scheme == "dark" else []
    done = subprocess.run(
        [browser, *flags, page.as_uri()], capture_output=True, text=True, timeout=120, check=True
    )
    assert [line for line in done.stderr.splitlines() if "CONSOLE" in line] == []
    assert picture.stat().st_size > 20_000
    if keep := os.environ.get("KEEP_PICTURES"):
        shutil.copy(picture, Path(keep) / f"fleet-{scheme}.png")


TOPICS = """\
apiVersion: kafka.strimzi.io/v1
kind: KafkaTopic
metadata: {name: clicks}
spec:
  partitions: 12
  config:
    retention.ms: 259200000
"""


def test_sarif_points_to_the_configuration_that_contradicts_the_plan(check: Check, plan: Write) -> None:
    text = SMALL.replace("    partitions: 12", "    partitions: 12\n    topic: clicks\n    retention: 7 d")
    plan(text + "facts: [topics.yaml]\n", **{"topics.yaml": TOPICS})
    log = json.loads(check("plan.yaml", "--format", "sarif", "--select", "SYN").out)
    (told,) = [one for one in log["runs"][0]["results"] if one["ruleId"] == "SYN201"]
    places = [
        (one["physicalLocation"]["artifactLocation"]["uri"], one["physicalLocation"]["region"]["startLine"])
        for one in (*told["locations"], *told["relatedLocations"])
    ]
    assert places == [("plan.yaml", 8), ("topics.yaml", 7)]
    assert told["relatedLocations"][0]["message"]["text"] == "real system: 3 d (imported)"


def test_sarif_points_to_another_file_on_the_very_same_line(check: Check, plan: Write) -> None:
    text = SMALL.replace("    partitions: 12", "    partitions: 12\n    topic: clicks\n    retention: 7 d")
    plan(text + "facts: [topics.yaml]\n", **{"topics.yaml": "# line 1\n" + TOPICS})
    log = json.loads(check("plan.yaml", "--format", "sarif", "--select", "SYN").out)
    (told,) = [one for one in log["runs"][0]["results"] if one["ruleId"] == "SYN201"]
    (related,) = told["relatedLocations"]
    physical = related["physicalLocation"]
    assert physical["artifactLocation"]["uri"] == "topics.yaml"
    assert physical["region"]["startLine"] == 8
