"""Comments that let findings pass: where they reach, when they end, and what is wrong with some."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from pipelineplan.documents.comments import comments_in
from tests.fleet.conftest import FAILING, SMALL, Check

Write = Callable[..., Path]
WHY = "-- more workers come in January"


def with_comment(line: str, comment: str, text: str = FAILING) -> str:
    assert line in text
    return text.replace(line, f"{line}  # pipelineplan: {comment}")


@pytest.mark.parametrize(
    "line",
    ["    capacity: 100/s", "  - id: count", "stages:", "apiVersion: pipelineplan/v1"],
    ids=["the value", "the entry", "the section", "the whole plan"],
)
def test_a_comment_reaches_what_begins_on_its_line_and_all_in_it(
    check: Check, plan: Write, line: str
) -> None:
    plan(FAILING)
    assert check("plan.yaml").status == 1
    plan(with_comment(line, f"ignore CAP101, CAP102 {WHY}"))
    found = check("plan.yaml", "--format", "json")
    (accepted,) = {
        (one["accepted"]["by"], one["accepted"]["reason"], one["accepted"]["line"])
        for one in found.json["plans"][0]["findings"]
        if one["accepted"]
    }
    assert (found.status, accepted[:2]) == (0, ("comment", "more workers come in January"))


@pytest.mark.parametrize("line", ["    partitions: 12", "  - {id: board, inputs: [count]}", "sinks:"])
def test_a_comment_reaches_nothing_else(check: Check, plan: Write, line: str) -> None:
    plan(with_comment(line, f"ignore CAP101 {WHY}"))
    found = check("plan.yaml", "--format", "json")
    assert found.status == 1
    assert "CAP101" in found.open_codes()
    assert "SUP102" in found.open_codes("warning")


def test_a_comment_above_speaks_of_the_next_line_that_says_something(check: Check, plan: Write) -> None:
    plan(FAILING.replace("  - id: count", f"  # pipelineplan: ignore CAP {WHY}\n\n  # words\n  - id: count"))
    assert check("plan.yaml").status == 0


def test_a_finding_is_reached_on_the_line_where_it_is_printed(check: Check, plan: Write) -> None:
    plan(FAILING)
    line = check("plan.yaml", "--format", "json").json["plans"][0]["findings"]
    where = next(one["line"] for one in line if one["code"] == "CAP101" and one["verdict"] == "fails")
    lines = FAILING.splitlines()
    lines[where - 1] += f"  # pipelineplan: ignore CAP101 {WHY}"
    plan("\n".join(lines))
    assert check("plan.yaml").status == 0


@pytest.mark.parametrize(
    ("comment", "code", "says"),
    [
        (f"ignore CAP101 until 2026-01-31 {WHY}", "SUP101", "until 2026-01-31"),
        (f"ignore CHK101 {WHY}", "SUP102", "nothing to ignore"),
        ("ignore CAP101", "SUP103", "without a reason"),
        ("ignore CAP101 --", "SUP103", "without a reason"),
        (f"ignore CAP991 {WHY}", "SUP104", "there is no rule CAP991"),
        (f"ignore cap101 {WHY}", "SUP104", "is no code"),
        (f"ignore CAP101 until tomorrow {WHY}", "SUP104", "no day of the calendar"),
        (f"ignore CAP101 until 2026-02-30 {WHY}", "SUP104", "no day of the calendar"),
        (f"ignroe CAP101 {WHY}", "SUP104", "wanted: ignore CODE"),
    ],
)
def test_what_is_wrong_with_a_comment_is_a_finding_and_it_lets_nothing_pass(
    check: Check, plan: Write, comment: str, code: str, says: str
) -> None:
    plan(with_comment("    capacity: 100/s", comment))
    found = check("plan.yaml", "--format", "json", "--as-of", "2026-06-01")
    (told,) = [one for one in found.json["plans"][0]["findings"] if one["code"].startswith("SUP")]
    assert (told["code"], told["severity"], told["line"]) == (code, "warning", 12)
    assert says in told["message"]
    assert told["message"].endswith(told["fix"])
    assert (found.status, "CAP101" in found.open_codes()) == (1, True)


def test_the_last_day_counts(check: Check, plan: Write) -> None:
    plan(with_comment("    capacity: 100/s", f"ignore CAP101 until 2026-06-30 {WHY}"))
    assert check("plan.yaml", "--as-of", "2026-06-30").status == 0
    assert check("plan.yaml", "--as-of", "2026-07-01").status == 1  # and what was kept does not count


def test_a_run_of_some_rules_cannot_tell_what_is_unused(check: Check, plan: Write) -> None:
    plan(with_comment("    capacity: 100/s", f"ignore CHK101 {WHY}"))
    assert "SUP102" in check("plan.yaml", "--format", "json").open_codes("warning")
    assert check("plan.yaml", "--format", "json", "--select", "CAP,SUP").open_codes("warning") == []
    assert "SUP102" not in check("plan.yaml", "--format", "json", "--ignore", "SUP").open_codes("warning")


def test_text_that_looks_like_a_comment_is_none() -> None:
    lines = (
        'a: "x # pipelineplan: ignore CAP101 -- in quotes"',
        "b: |",
        "  # pipelineplan: ignore CAP101 -- in a block",
        "  more",
        "c: 1#pipelineplan:ignore CAP101 -- no comment in YAML either",
        "d: 2 # pipelineplan: ignore CAP101 -- a comment",
        'e: "# pipelineplan: ignore CAP102 -- not this" # pipelineplan: ignore CAP103 -- this',
    )
    found = comments_in({"plan.yaml": lines})
    assert [(one.position.line, one.codes) for one in found] == [(6, ("CAP101",)), (7, ("CAP103",))]


def test_a_comment_in_a_base_may_be_used_by_another_plan(check: Check, plan: Write) -> None:
    base = with_comment("    capacity: 100/s", f"ignore CAP101 {WHY}")
    plan(base, "base.yaml")
    plan("extends: base.yaml\nmetadata: {name: slow}\n", "slow.yaml")
    plan("extends: base.yaml\nstages: [{id: count, capacity: 9_000/s}]\n", "fast.yaml")
    assert check("slow.yaml").status == 0  # inherited with the value that it stands at
    assert check("fast.yaml", "--format", "json").open_codes("warning").count("SUP102") == 0


def test_a_hostile_comment_costs_no_time_and_drives_no_terminal(check: Check, plan: Write) -> None:
    long = "ignore " + "A " * 20_000 + " " * 20_000 + "!"
    assert len(comments_in({"p": (f"a: 1 # pipelineplan: {long}",)})) == 1
    plan(with_comment("    capacity: 100/s", f"ignore CAP101 -- {'why ' * 100}"))
    assert check("plan.yaml", "--verbose").status == 0


def test_every_rule_of_the_family_explains_itself(capsys: pytest.CaptureFixture[str]) -> None:
    from pipelineplan.cli import run
    from pipelineplan.rules import rule_codes, rule_page

    family = [code for code in rule_codes() if code.startswith("SUP")]
    assert family == ["SUP101", "SUP102", "SUP103", "SUP104", "SUP201", "SUP202", "SUP203"]
    for code in family:
        page = rule_page(code)
        assert page is not None
        assert all(page[word] for word in ("title", "why", "formula", "bad", "good", "fix", "source"))
    assert run(["explain", "SUP101"]) == 0
    assert "A suppression has not expired" in capsys.readouterr().out


def test_a_plan_without_comments_says_nothing_of_them(check: Check, plan: Write) -> None:
    plan(SMALL)
    found = check("plan.yaml", "--format", "json").json["plans"][0]["findings"]
    assert [one["code"] for one in found if one["code"].startswith("SUP")] == []
