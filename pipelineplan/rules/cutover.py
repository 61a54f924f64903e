"""CUT: can the switch be judged, and is there a way back for as long as the plan says?

switch |------------- way back -------------| deadline
       |-- old records, the slot, savepoints --|         each must last at least as long
"""

from __future__ import annotations

import re
from collections.abc import Iterator

from pipelineplan.documents import Path
from pipelineplan.plan import Plan
from pipelineplan.plan.source import Source
from pipelineplan.rules.claim import Claim
from pipelineplan.rules.inequality import at_most, statement
from pipelineplan.rules.registry import BY_LEVEL, rule
from pipelineplan.verdicts import Operand

_MEASURABLE = re.compile(r"[<>=]|\d")
_BEFORE = re.compile(r"parity|compar|reconcil", re.IGNORECASE)
_SWITCH = re.compile(r"switch|move[- _]?(reads|writes|traffic)|cut[- _]?over|promote|flip", re.IGNORECASE)


def _deadline(plan: Plan) -> Operand | None:
    return plan.operand("deadline", plan.model.rollback, "deadline", "deadline of the rollback")


@rule(
    "CUT201",
    title="The way back is shorter than the retention it needs",
    why="Whoever goes back reads from where the old pipeline stopped; when that has expired there is "
    "nothing to go back to.",
    formula="deadline <= retention of every source that the old pipeline reads",
    bad="deadline: 10 d with retention: 7 d",
    good="deadline: 5 d with retention: 7 d",
    fix="raise the retention for the time of the switch, or set an earlier deadline",
    source="cutover practice: old-source retention covers backfill, soak and rollback",
    severity=BY_LEVEL,
)
def retention_covers(plan: Plan) -> Iterator[Claim]:
    """`deadline <= R` for every source with a retention."""
    deadline = _deadline(plan)
    for source in plan.model.sources:
        kept = plan.operand("R", source.retention, "time", "retention")
        if deadline is not None and kept is not None:
            yield _covered_claim(source, deadline, kept, plan.path(source, "retention"))


def _covered_claim(source: Source, deadline: Operand, kept: Operand, path: Path) -> Claim:
    return at_most(
        path,
        source.id,
        deadline,
        kept,
        lambda e: (
            f"going back is possible for {e.left_shown} after the switch; {source.id!r} keeps {e.right_shown}"
        ),
    )


@rule(
    "CUT202",
    title="The savepoint can still be restored at the deadline",
    why="The old version restores from the savepoint of the switch, and then reads on from there: the "
    "log must reach back to it.",
    formula="savepoint age <= R, and deadline <= savepoint age",
    bad="deadline: 5 d with savepoint_age: 2 d",
    good="deadline: 5 d with savepoint_age: 5 d and retention: 7 d",
    fix="keep savepoints until the deadline (savepoint_age), and the log as long",
    source="apache/streampark#2172; apache/flink#27991",
    severity=BY_LEVEL,
)
def savepoint_covers(plan: Plan) -> Iterator[Claim]:
    """The savepoint against the deadline, then against every source's retention."""
    deadline = _deadline(plan)
    age = plan.operand("age", plan.model.rollback, "savepoint_age", "how long savepoints are kept")
    if age is None:
        return
    path = ("rollback", "savepoint_age")
    if deadline is not None:
        yield at_most(
            path,
            "deadline",
            deadline,
            age,
            lambda e: f"going back is possible for {e.left_shown}; savepoints are kept for {e.right_shown}",
        )
    for source in plan.model.sources:
        kept = plan.operand("R", source.retention, "time", "retention")
        if kept is not None:
            yield _read_on_claim(source, path, age, kept)


def _read_on_claim(source: Source, path: Path, age: Operand, kept: Operand) -> Claim:
    return at_most(
        path,
        source.id,
        age,
        kept,
        lambda e: (
            f"a savepoint may be {e.left_shown} old; to read on from it {source.id!r} keeps {e.right_shown}"
        ),
    )


@rule(
    "CUT203",
    title="The old state can be restored",
    why="Operators without an id of their own get one from the shape of the job: after any change "
    "their state is not found.",
    formula="operator_uids: stable at every stage with state, in a plan that can be rolled back",
    bad="operator_uids: generated at a stage with state",
    good="operator_uids: stable",
    fix="give every operator an id and state operator_uids: stable",
    source="Apache Flink documentation, assigning operator ids; apache/streampark#2172",
    severity=BY_LEVEL,
)
def state_is_found(plan: Plan) -> Iterator[Claim]:
    """The ids of every stage with state on Flink."""
    if plan.model.rollback is None:
        return
    for stage in plan.model.stages:
        if stage.state is None or stage.engine != "flink":
            continue
        path = plan.path(stage, "operator_uids")
        if stage.operator_uids is None:
            missing = f"cannot say whether the state of {stage.id!r} is found again: state operator_uids"
            yield Claim(path, stage.id, missing=missing)
            continue
        found = stage.operator_uids == "stable"
        what = f"{stage.id!r} has {stage.operator_uids} operator ids"
        what += "" if found else ": after a change of the job its state is not found"
        yield statement(path, stage.id, what, true=found)


@rule(
    "CUT204",
    title="Every trigger of the rollback can be measured",
    why="A trigger that is a matter of opinion is argued about while the harm grows.",
    formula="a number or a comparison in every trigger",
    bad="triggers: [when users complain]",
    good="triggers: [freshness > 8 min for 10 min]",
    fix="write each trigger as a measurement with a threshold",
    source="cutover practice: triggers are objective",
    severity=BY_LEVEL,
)
def triggers_are_measured(plan: Plan) -> Iterator[Claim]:
    """Every trigger that the plan states."""
    rollback = plan.model.rollback
    for place, trigger in enumerate(rollback.triggers if rollback is not None else ()):
        measured = _MEASURABLE.search(trigger) is not None
        what = f"the trigger {trigger!r} {'has' if measured else 'has no'} threshold"
        yield statement(("rollback", "triggers", place), str(place), what, true=measured)


@rule(
    "CUT205",
    title="Parity is proved before reads move",
    why="What differs is found either before the switch, by those who look, or after it, by those who "
    "rely on it.",
    formula="a step that compares stands before the first one that switches",
    bad="steps: move-reads, then parity",
    good="steps: parity, then move-reads",
    fix="put the comparison before the switch, with both directions and a threshold",
    source="two-way comparison before the switch: C - M and M - C both empty",
    severity=BY_LEVEL,
)
def parity_comes_first(plan: Plan) -> Iterator[Claim]:
    """The order of the plan's own steps, where one of them switches."""
    steps = plan.model.cutover.steps if plan.model.cutover is not None else ()
    switching = [place for place, step in enumerate(steps) if _SWITCH.search(f"{step.id} {step.does}")]
    comparing = [place for place, step in enumerate(steps) if _BEFORE.search(f"{step.id} {step.does}")]
    if not switching:
        return
    first = switching[0]
    proved = any(place < first for place in comparing)
    what = f"the step {steps[first].id!r} switches {'after' if proved else 'without'} a comparison before it"
    yield statement(("cutover", "steps", first), steps[first].id, what, true=proved)
