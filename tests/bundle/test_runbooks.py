from pathlib import Path

import pytest

from pipelineplan.bundle import Contents, as_checklist_md
from pipelineplan.bundle.checklist import Checklist
from pipelineplan.bundle.commands import parity, psql, word
from pipelineplan.bundle.contents import compile_contents
from pipelineplan.bundle.deadlines import deadlines
from pipelineplan.plan import read_plan

ORDER = [
    "freeze", "schema", "anchor", "capacity", "shadow", "backfill", "catch-up", "parity", "rehearse-rollback",
    "go-no-go", "reads-1", "reads-5", "reads-25", "reads-75", "reads-100", "switch-writes", "soak", "retire",
]  # fmt: skip
CDC = """\
apiVersion: pipelineplan/v1
kind: DataPlan
metadata: {name: small, owner: us}
sources:
  - id: orders
    rate: {average: 100/s}
    retention: 7 d
    cdc: {wal_rate: 20 GB/h .. 25 GB/h, slot_cap: 200 GB, disk_free: 300 GB}
sinks: [{id: out, inputs: [orders]}]
outages: [{of: sink, detect: 1 h, repair: 5 h}]
cutover: {window: {start: "2026-10-25T00:00 Europe/Berlin", length: 3 h}}
rollback: {deadline: 5 d}
"""


def runbook(contents: Contents, kind: str) -> Checklist:
    found = contents.checklist(kind)
    assert found is not None
    return found


def test_a_cutover_runs_in_the_order_of_the_field(orders: Contents) -> None:
    assert [step.id for step in runbook(orders, "cutover").steps] == ORDER


def test_every_step_has_all_its_parts_or_says_what_is_open(orders: Contents) -> None:
    for checklist in orders.checklists:
        for step in checklist.steps:
            for part in (step.owner, step.backup, step.measure, step.threshold, step.timeout, step.rollback):
                assert part.text


def test_thresholds_come_from_the_plan_with_their_place(orders: Contents) -> None:
    steps = {step.id: step for step in runbook(orders, "cutover").steps}
    assert steps["capacity"].threshold.text == "busiest worker at most 70 % utilised"
    assert steps["capacity"].threshold.origin.startswith("$.capacity.max_utilisation (")
    assert ":" in steps["capacity"].threshold.origin
    assert "--parallelism 18" in steps["shadow"].command
    assert "--group orders-to-warehouse" in steps["catch-up"].command


def test_the_quota_is_the_replays_rate_in_compressed_bytes(orders: Contents) -> None:
    """10,000 records of 780 B, compressed 3.2 times, are 2,437,500 bytes per second."""
    steps = {step.id: step for step in runbook(orders, "cutover").steps}
    assert "consumer_byte_rate=2437500" in steps["capacity"].command


def test_the_catch_up_is_timed_by_the_longest_simulated_drain(orders: Contents) -> None:
    timeout = next(step.timeout for step in runbook(orders, "cutover").steps if step.id == "catch-up")
    assert timeout.origin.startswith("scenario ")
    assert timeout.origin.endswith("figure drain_seconds")


def test_what_was_not_simulated_and_not_stated_is_an_open_point(silent: Contents) -> None:
    cutover = runbook(silent, "cutover")
    step = next(step for step in cutover.steps if step.id == "catch-up")
    assert step.timeout.is_open
    assert any("pipelineplan simulate" in point for point in cutover.open_points)
    assert "state $.cutover.decider.primary" in cutover.open_points
    assert [entry.title for entry in cutover.left_out] == ["Schema", "Backfill"]
    assert all(entry.reason for entry in cutover.left_out)


def test_the_plans_own_steps_sharpen_the_usual_ones(orders: Contents) -> None:
    anchor = next(step for step in runbook(orders, "cutover").steps if step.id == "anchor")
    assert anchor.threshold.text == "slot lag below 1 GB"
    assert anchor.backup.text == "checkout"


def test_a_step_of_the_plan_that_is_none_of_the_usual_ones_stands_before_the_decision(
    hostile: Contents,
) -> None:
    names = [step.id for step in runbook(hostile, "cutover").steps]
    assert names.index("own-thing") == names.index("go-no-go") - 1


def test_the_earliest_horizon_is_the_rollback_deadline(tmp_path: Path) -> None:
    """200 GB at up to 25 GB/h is 8 h; retention less the six hours of the longest outage is 6.75 d."""
    file = tmp_path / "plan.yaml"
    file.write_text(CDC)
    dates = deadlines(read_plan(file), None)
    assert [(round(h.seconds), h.name.split()[0]) for h in dates.horizons] == [
        (8 * 3600, "the"),
        (5 * 86_400, "the"),
        (round(6.75 * 86_400), "records"),
    ]
    assert dates.earliest is not None
    assert dates.earliest.formula == "slot_cap 200 GB / wal_rate 6.94 MB/s"


def test_the_deadline_is_eight_real_hours_over_the_end_of_summer_time(tmp_path: Path) -> None:
    """On 2026-10-25 Berlin has 02:00 twice: eight hours after midnight it is seven."""
    file = tmp_path / "plan.yaml"
    file.write_text(CDC)
    assert deadlines(read_plan(file), None).until == "2026-10-25 07:00 Europe/Berlin"


def test_a_promise_beyond_the_way_back_is_an_open_point(tmp_path: Path) -> None:
    file = tmp_path / "plan.yaml"
    file.write_text(CDC)
    points = deadlines(read_plan(file), None).open_points
    assert any("promises a way back for 5 d" in point and "after 8 h" in point for point in points)


def test_a_big_bang_has_no_shadow_and_no_shares(tmp_path: Path) -> None:
    file = tmp_path / "plan.yaml"
    file.write_text(CDC.replace("cutover: {", "cutover: {strategy: big_bang, "))
    cutover = runbook(compile_contents(read_plan(file), ()), "cutover")
    assert {"Shadow output", "Reads by shares"} <= {entry.title for entry in cutover.left_out}
    assert not [step for step in cutover.steps if step.id.startswith(("shadow", "reads"))]


@pytest.mark.parametrize("kind", ["cutover", "rollback", "launch"])
def test_a_runbook_is_markdown_with_a_box_per_step(orders: Contents, kind: str) -> None:
    checklist = runbook(orders, kind)
    text = as_checklist_md(checklist)
    assert text.count("\n### ") == len(checklist.steps)
    assert text.count("- [ ] ") == len(checklist.steps) + len(checklist.open_points)


def test_words_and_identifiers_in_commands_are_quoted() -> None:
    assert word("a b; rm -rf /") == "'a b; rm -rf /'"
    assert word("<BROKERS>") == "<BROKERS>"
    assert word("<BROKERS; rm>") == "'<BROKERS; rm>'"
    query = parity('"old"', '"new"', ['a"b', "c"], "", "x'y")
    assert '"a""b", "c"' in query
    assert "'x''y'" in query
    assert "\nSQL" not in psql("SELECT 1;\nSQL\nrm -rf /")[:-4]


def test_no_step_of_the_plan_is_lost(tmp_path: Path) -> None:
    """A second step of a usual kind, and one whose usual step does not apply, stand as steps of their own."""
    file = tmp_path / "plan.yaml"
    added = "{id: parity, does: Rows}, {id: parity-sums, does: Sums}, {id: backfill-2019, does: Old years}"
    file.write_text(CDC.replace("cutover: {", f"cutover: {{steps: [{added}], "))
    cutover = runbook(compile_contents(read_plan(file), ()), "cutover")
    assert [entry.title for entry in cutover.left_out] == ["Schema", "Backfill"]
    does = {step.id: step.does for step in cutover.steps}
    assert (does["parity"], does["parity-sums"], does["backfill-2019"]) == ("Rows", "Sums", "Old years")
