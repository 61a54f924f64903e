"""Where a runbook stands: what a record closes, what reopens it, and what the gates are told."""

from __future__ import annotations

import datetime as dt
from dataclasses import replace

import pytest

from pipelineplan.bundle import Contents, as_checklist_md, as_html, as_json
from pipelineplan.bundle.checklist import Checklist
from pipelineplan.bundle.contents import compile_contents
from pipelineplan.bundle.evidence import Entry, Evidence
from pipelineplan.bundle.standing import (
    Day,
    Progress,
    Standing,
    StepState,
    counted,
    progress_of,
    still_wanted,
)
from pipelineplan.errors import Position, Problem
from pipelineplan.gates import GateState
from pipelineplan.verdicts import Verdict

PARITY = Entry(
    "2026-12-01T10:00:00Z", "cutover", "parity", "0 rows", "at most 0 rows", "0 rows", "holds", "finance-ops"
)
NOW = dt.datetime(2026, 12, 5, 12, tzinfo=dt.UTC)


@pytest.fixture(scope="module")
def cutover(orders: Contents) -> Checklist:
    found = orders.checklist("cutover")
    assert found is not None
    return found


def stands(checklist: Checklist, *entries: Entry, as_of: dt.datetime | None = NOW, **day: str) -> Progress:
    ordered = tuple(sorted(entries, key=lambda entry: entry.at))
    return progress_of(checklist, Evidence("plan.evidence.jsonl", ordered), Day(as_of, **day))


def parity(checklist: Checklist, *entries: Entry, as_of: dt.datetime | None = NOW, **day: str) -> Standing:
    return stands(checklist, *entries, as_of=as_of, **day).of("parity")


def test_nothing_recorded_is_open_and_has_not_begun(cutover: Checklist) -> None:
    progress = stands(cutover)
    assert {each.state for each in progress.standings} == {StepState.OPEN}
    assert not progress.is_begun
    assert counted(progress) == "18 open"


def test_a_value_within_the_threshold_closes_its_step(cutover: Checklist) -> None:
    found = parity(cutover, PARITY)
    assert (found.state, found.verdict) == (StepState.DONE, Verdict.HOLDS)


def test_a_value_beyond_the_threshold_fails_its_step_whatever_the_record_says(cutover: Checklist) -> None:
    found = parity(cutover, replace(PARITY, measured="3 rows", verdict="holds"))
    assert (found.state, found.verdict) == (StepState.FAILED, Verdict.FAILS)
    assert found.reason == "3 rows, wanted at most 0 rows"


def test_the_newest_record_counts_in_whatever_order_they_were_merged(cutover: Checklist) -> None:
    failed = replace(PARITY, measured="3 rows", at="2026-12-01T09:00:00Z")
    assert parity(cutover, PARITY, failed).state is StepState.DONE
    later = replace(failed, at="2026-12-01T11:00:00Z")
    assert parity(cutover, later, PARITY).state is StepState.FAILED
    assert len(parity(cutover, later, PARITY).entries) == 2


@pytest.mark.parametrize(
    ("day", "state"),
    [
        (dt.datetime(2026, 12, 2, 10, 0, 0, tzinfo=dt.UTC), StepState.DONE),  # the last instant
        (dt.datetime(2026, 12, 2, 10, 0, 1, tzinfo=dt.UTC), StepState.EXPIRED),
    ],
)
@pytest.mark.parametrize("whose", ["the record's", "the plan's"])
def test_evidence_older_than_its_validity_is_open_again(
    cutover: Checklist, day: dt.datetime, state: StepState, whose: str
) -> None:
    mine, plans = ("24 h", "") if whose == "the record's" else ("30 d", "24 h")
    steps = tuple(replace(step, valid_for=plans) for step in cutover.steps)
    found = parity(replace(cutover, steps=steps), replace(PARITY, valid_for=mine), as_of=day)
    assert found.state is state


def test_a_validity_that_ends_is_not_judged_without_a_day(cutover: Checklist) -> None:
    found = parity(cutover, replace(PARITY, valid_for="24 h"), as_of=None)
    assert (found.state, "--as-of" in found.reason) == (StepState.OPEN, True)
    assert parity(cutover, PARITY, as_of=None).state is StepState.DONE


def test_what_failed_stays_failed_when_it_is_old(cutover: Checklist) -> None:
    assert parity(cutover, replace(PARITY, measured="3 rows", valid_for="1 h")).state is StepState.FAILED


def test_a_record_against_another_threshold_is_open_again(cutover: Checklist) -> None:
    old = replace(PARITY, limit="at most 5 rows", threshold="5 rows", measured="4 rows")
    found = parity(cutover, old)
    assert (found.state, found.reason) == (
        StepState.OPEN,
        "recorded against at most 5 rows, now it is at most 0 rows",
    )
    catch_up = replace(PARITY, step="catch-up", limit="at most 600 s", measured="8 min")
    assert stands(cutover, catch_up).of("catch-up").state is StepState.DONE, "600 s are 10 min"


def test_another_text_of_the_plan_with_the_same_threshold_is_only_said(cutover: Checklist) -> None:
    found = parity(cutover, replace(PARITY, plan="old"), plan="new")
    assert (found.state, "have changed since" in found.reason) == (StepState.DONE, True)


def test_a_record_of_a_time_to_come_or_of_another_environment_does_not_count(cutover: Checklist) -> None:
    assert parity(cutover, replace(PARITY, at="2026-12-05T12:00:01Z")).state is StepState.OPEN
    assert parity(cutover, replace(PARITY, env="staging")).state is StepState.OPEN
    assert parity(cutover, replace(PARITY, env="staging"), env="staging").state is StepState.DONE


def test_without_a_value_a_number_is_not_kept(cutover: Checklist) -> None:
    found = parity(cutover, replace(PARITY, measured=""))
    assert (found.state, found.reason) == (
        StepState.OPEN,
        "recorded without a measured value, wanted at most 0 rows",
    )


def test_an_interval_across_the_threshold_leaves_it_open(cutover: Checklist) -> None:
    across = replace(PARITY, step="catch-up", limit="at most 10 min", measured="9 min ± 2 min")
    assert stands(cutover, across).of("catch-up").state is StepState.OPEN


def test_words_are_closed_by_a_persons_word(orders: Contents) -> None:
    rollback = orders.checklist("rollback")
    assert rollback is not None
    told = replace(PARITY, kind="rollback", step="planned-1", measured="", limit="", threshold="done")
    found = stands(rollback, told).of("planned-1")
    assert (found.state, found.verdict) == (StepState.VOUCHED, Verdict.UNKNOWN)
    assert "on the word of finance-ops" in found.reason


def test_a_step_without_a_threshold_cannot_be_closed(silent: Contents) -> None:
    cutover = silent.checklist("cutover")
    assert cutover is not None
    step = next(step for step in cutover.steps if step.threshold.is_open)
    found = stands(cutover, replace(PARITY, step=step.id, limit="", threshold="")).of(step.id)
    assert (found.state, found.reason[:21]) == (StepState.OPEN, "there is no threshold")


def test_a_go_rests_on_the_steps_before_it_until_it_is_acted_upon(cutover: Checklist) -> None:
    before = [
        replace(PARITY, step=step.id, limit="", threshold=step.threshold.text, measured="")
        for step in cutover.steps[:9]
    ]
    told = [_within(entry) for entry in before]
    go = replace(
        PARITY, step="go-no-go", at="2026-12-02T00:00:00Z", measured="0 open", limit="at most 0 open"
    )
    assert stands(cutover, *told, go).of("go-no-go").state is StepState.DONE
    told[7] = replace(told[7], valid_for="1 d")
    found = stands(cutover, *told, go).of("go-no-go")
    assert (found.state, found.reason) == (
        StepState.OPEN,
        "open again, since it rests on: parity expired",
    )
    acted = replace(
        PARITY, step="reads-1", at="2026-12-02T01:00:00Z", limit="at most 4 min", measured="2 min"
    )
    assert stands(cutover, *told, go, acted).of("go-no-go").state is StepState.DONE
    progress = stands(cutover, *told, go)
    assert still_wanted(replace(cutover, progress=progress)) == ("parity expired",)


def _within(entry: Entry) -> Entry:
    """The record of that step with a value that keeps its threshold."""
    from pipelineplan.bundle.limit import limit_in

    limit = limit_in(entry.threshold)
    assert limit is not None
    return replace(entry, limit=limit.said(), measured=limit.text if limit.relation != "<" else "0 B")


def test_records_that_belong_nowhere_and_lines_that_are_none_are_said(cutover: Checklist) -> None:
    gone = replace(PARITY, step="gone", position=Position("plan.evidence.jsonl", 3, 1))
    torn = Problem("no record: torn", Position("plan.evidence.jsonl", 4, 1))
    progress = progress_of(cutover, Evidence("plan.evidence.jsonl", (gone,), (torn,)), Day(NOW))
    page = as_checklist_md(replace(cutover, progress=progress))
    assert "not counted: gone is no step of this runbook any more (plan.evidence.jsonl:3:1)" in page
    assert "not counted: plan.evidence.jsonl:4:1: no record: torn" in page


def compiled(orders: Contents, *entries: Entry, as_of: dt.datetime = NOW) -> Contents:
    evidence = Evidence("plan.evidence.jsonl", entries)
    return compile_contents(
        orders.plan, orders.findings, orders.simulated, evidence=evidence, day=Day(as_of), version="9.9.9"
    )


def gate(contents: Contents, name: str) -> tuple[GateState, tuple[str, ...]]:
    found = next(each for each in contents.gates if each.gate == name)
    return found.state, (*found.reasons, *found.evidence)


def test_the_gate_of_the_cutover_is_told(orders: Contents) -> None:
    assert gate(compiled(orders), "W10")[0] is GateState.PASS
    state, said = gate(compiled(orders, PARITY), "W10")
    assert state is GateState.PASS
    assert any(text.startswith("recorded parity done: 0 rows") for text in said)
    state, said = gate(compiled(orders, replace(PARITY, measured="3 rows")), "W10")
    assert state is GateState.FAIL
    assert any("3 rows, wanted at most 0 rows" in text for text in said)


def test_a_gate_whose_evidence_is_older_than_its_validity_is_open_again(orders: Contents) -> None:
    brief = replace(PARITY, valid_for="2 d")
    day_before, day_after = NOW - dt.timedelta(days=3), NOW
    assert gate(compiled(orders, brief, as_of=day_before), "W10")[0] is GateState.PASS
    state, said = gate(compiled(orders, brief, as_of=day_after), "W10")
    assert state is GateState.UNKNOWN
    assert any("was valid until 2026-12-03T10:00:00Z, open again" in text for text in said)


def test_a_decision_that_was_no_go_closes_no_gate_for_good(orders: Contents) -> None:
    """Else the gate would count as open in the next decision, and no go could ever follow."""
    no_go = replace(PARITY, step="go-no-go", measured="2 open", limit="at most 0 open")
    assert gate(compiled(orders, no_go), "W10")[0] is GateState.PASS


def test_the_pages_say_where_the_runbook_stands_and_escape_it(orders: Contents) -> None:
    hostile = replace(
        PARITY, by="<script>alert(1)</script>", note="| `x` [a](javascript:b)", ref="password=hunter2hunter2"
    )
    contents = compiled(orders, hostile)
    cutover = contents.checklist("cutover")
    assert cutover is not None
    pages = (as_checklist_md(cutover), as_html(contents), as_json(contents))
    assert "1 done, 17 open as of 2026-12-05T12:00:00Z" in pages[0]
    assert "- [x] Compare old and new marts over one full day" in pages[0]
    assert "<script" not in pages[0] + pages[1]
    assert not [page for page in pages if "hunter2hunter2" in page]
    assert '"state": "done"' in pages[2]
    assert 'class="mark done"' in pages[1]
