import json
import shutil
import subprocess
from pathlib import Path
from typing import Any

import pytest

from pipelineplan.bundle import Contents, as_html, as_markdown, compile_contents
from pipelineplan.bundle.diagram import layout
from pipelineplan.bundle.plots import _kept
from pipelineplan.bundle.sections import sections
from pipelineplan.errors import Position
from pipelineplan.plan import read_plan
from pipelineplan.quality.report import CheckResult, CheckVerdict, NotExecuted, QualityReport
from pipelineplan.verdicts import Severity, Verdict

BROWSERS = ("chromium", "chromium-browser", "google-chrome")


def test_all_thirteen_sections_are_explicit(silent: Contents, orders: Contents) -> None:
    for contents in (silent, orders):
        made = sections(contents.plan, contents.findings)
        assert [section.number for section in made] == list(range(1, 14))
        assert all(section.facts for section in made)
        for text in (as_markdown(contents), as_html(contents)):
            assert all(f"{section.number} {section.title}" in text for section in made)


def test_every_finding_stands_in_exactly_one_section(orders: Contents) -> None:
    told = [finding for section in sections(orders.plan, orders.findings) for finding in section.findings]
    assert sorted(f.fingerprint for f in told) == sorted(f.fingerprint for f in orders.findings)


def test_what_the_plan_does_not_say_is_said_to_be_missing(silent: Contents) -> None:
    text = as_markdown(silent)
    assert "Not stated: problem (`state $.context.problem`)" in text
    assert "Nothing was simulated" in text
    assert "No data was checked" in text


def test_the_verdict_stands_first_and_every_gate_is_named(demo: Contents) -> None:
    text = as_html(demo)
    assert demo.verdict is Verdict.FAILS
    assert text.index("The plan does not hold") < text.index("W1")
    for gate in demo.gates:
        assert f'id="gate-{gate.gate.lower()}"' in text


def test_the_plans_own_numbers_stand_in_the_formula(demo: Contents) -> None:
    text = as_html(demo)
    finding = next(f for f in demo.wanting if f.code == "CAP201")
    for operand in finding.operands:
        assert f"<b>{operand.symbol}</b> = {operand.shown}" in text


def test_each_scenario_has_its_figures_and_curves(demo: Contents) -> None:
    pytest.importorskip("vl_convert", reason="the extra `report` is not installed: no curves")
    text = as_html(demo)
    assert demo.simulated is not None
    assert text.count('<svg class="plot"') == 3 * len([s for s in demo.simulated.scenarios if s.series])
    assert "#010a0" not in text
    assert 'stroke="var(--curve-1, ' in text


def test_without_the_extra_the_page_says_what_to_install(
    demo: Contents, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("pipelineplan.bundle.html_runs.can_plot", lambda: False)
    assert "pipelineplan[report]" in as_html(demo)


def test_thinning_a_curve_keeps_its_peak_and_its_ends() -> None:
    time = tuple(float(i) for i in range(5000))
    values = tuple(1e6 if i == 3333 else float(i % 7) for i in range(5000))
    kept = _kept(time, values)
    assert {0, 3333, 4999} <= set(kept)
    assert len(kept) <= 302


def test_no_two_boxes_overlap_and_records_flow_to_the_right(orders: Contents, tmp_path: Path) -> None:
    fan = "apiVersion: pipelineplan/v1\nkind: DataPlan\nmetadata: {name: fan}\n"
    fan += "sources: [{id: a}, {id: b}, {id: c}]\n"
    fan += "stages: [{id: j, inputs: [a, b]}, {id: k, inputs: [j, c]}, {id: l, inputs: [a]}]\n"
    fan += "sinks: [{id: u, inputs: [k]}, {id: v, inputs: [l]}, {id: w, inputs: [a]}]\n"
    (tmp_path / "plan.yaml").write_text(fan)
    for plan in (orders.plan, read_plan(tmp_path / "plan.yaml")):
        boxes = layout(plan)
        assert len({(box.x, box.y) for box in boxes.values()}) == len(boxes) == len(plan.graph.order)
        assert all(boxes[edge.upstream].x < boxes[edge.downstream].x for edge in plan.graph.edges)
        by_column: dict[float, list[float]] = {}
        for box in boxes.values():
            by_column.setdefault(box.x, []).append(box.y)
        for heights in by_column.values():
            assert all(b - a >= 56 for a, b in zip(sorted(heights), sorted(heights)[1:], strict=False))


def opened(text: str, folder: Path) -> tuple[list[str], list[str], str]:
    """Open a page in a browser: console messages, what the page asked the network for, its body."""
    browser = next((found for name in BROWSERS if (found := shutil.which(name))), None)
    if browser is None:
        pytest.skip(f"no browser: none of {', '.join(BROWSERS)} is installed")
    page, log = folder / "report.html", folder / "net.json"
    page.write_text(text, encoding="utf-8")
    flags = [
        "--headless",
        "--no-sandbox",
        "--disable-gpu",
        "--no-first-run",
        "--disable-background-networking",
        "--host-resolver-rules=MAP * ~NOTFOUND",
        "--enable-logging=stderr",
        f"--user-data-dir={folder / 'profile'}",
        f"--log-net-log={log}",
        "--dump-dom",
    ]
    done = subprocess.run(
        [browser, *flags, page.as_uri()], capture_output=True, text=True, timeout=120, check=True
    )
    console = [line for line in done.stderr.splitlines() if "CONSOLE" in line]
    written = json.loads(log.read_text(encoding="utf-8"))
    kind = written["constants"]["logEventTypes"]["URL_REQUEST_START_JOB"]
    asked = [event.get("params", {}) for event in written["events"] if event["type"] == kind]
    # What the browser asks for on its own account has no page as its initiator.
    of_page = [ask["url"] for ask in asked if ask.get("initiator", "not an origin") != "not an origin"]
    return console, [url for url in of_page if not url.startswith("file:")], done.stdout


@pytest.mark.slow
@pytest.mark.parametrize("which", ["orders", "hostile"])
def test_a_browser_opens_the_page_without_errors_or_requests(
    which: str, request: pytest.FixtureRequest, tmp_path: Path
) -> None:
    console, asked, body = opened(as_html(request.getfixturevalue(which)), tmp_path)
    assert "<main" in body
    assert console == []
    assert asked == []


@pytest.mark.slow
def test_the_browser_test_would_see_a_request_and_the_policy_stops_one(
    silent: Contents, tmp_path: Path
) -> None:
    image = '<img src="http://outside.example/x.png">'
    _, asked, _ = opened(f"<!doctype html><body>{image}", tmp_path)
    assert asked == ["http://outside.example/x.png"]
    console, asked, _ = opened(as_html(silent).replace("<main>", f"<main>{image}"), tmp_path)
    assert asked == []
    assert any("Content Security Policy" in line for line in console)


def test_a_failed_check_and_one_that_could_not_run_are_told_apart(silent: Contents) -> None:
    place = Position("orders.odcs.yaml", 4, 7)

    def check(title: str, verdict: CheckVerdict, **found: Any) -> CheckResult:
        return CheckResult(
            "orders", title, "validity", Severity.ERROR, verdict, "range", "$", place, "gx", "e", **found
        )

    report = QualityReport(
        {"orders": 1000},
        (
            check("amount <b> is at least 0", CheckVerdict.FAIL, unexpected_count=3, row_count=1000),
            check("currency is known", CheckVerdict.NOT_EVALUATED, reason="no column | currency"),
        ),
        (NotExecuted("orders", "slaProperties", "$.sla", place, "nothing to run it on"),),
    )
    contents = compile_contents(silent.plan, silent.findings, quality=report)
    page, text = as_html(contents), as_markdown(contents)
    assert "amount &lt;b&gt; is at least 0" in page
    assert "3 of 1,000" in page
    assert "could not evaluate" in page
    assert "1 rules that nothing checks" in page
    assert "| orders | amount &lt;b&gt; is at least 0 | error | **fail** |  | 3 of 1,000 |" in text
    assert "no column \\| currency" in text
    assert "not executable: orders slaProperties" in text


def test_compiling_asks_for_nothing_but_the_plan_and_findings(silent: Contents) -> None:
    contents = compile_contents(silent.plan, silent.findings)
    assert len(contents.gates) == 12
    assert len(contents.checklists) == 3
