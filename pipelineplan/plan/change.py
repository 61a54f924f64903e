"""How the pipeline is switched over, run again over old data, and switched back."""

from __future__ import annotations

from typing import Literal

from pydantic import Field

from pipelineplan.plan.section import Count, Duration, Name, RecordRate, Section, Share, Text

Instant = Text


class Replay(Section):
    """Running old records again."""

    input: Literal["topic", "lake"] | None = None
    start: Instant | None = Field(None, alias="from")
    end: Instant | None = Field(None, alias="to")
    rate_limit: RecordRate | None = None
    idempotent_by: tuple[Text, ...] = ()
    isolation: Literal["separate_group", "separate_job", "shared"] | None = None
    boundaries: Text | None = None


class CutoverWindow(Section):
    """When the switch happens."""

    start: Instant
    length: Duration


class Decider(Section):
    """Who says go, and who does when they cannot."""

    primary: Text
    backup: Text | None = None


class Step(Section):
    """One step of a runbook that the plan adds or sharpens."""

    id: Name
    does: Text
    owner: Text | None = None
    backup: Text | None = None
    command: Text | None = None
    expect: Text | None = None
    measure: Text | None = None
    threshold: Text | None = None
    timeout: Duration | None = None
    rollback: Text | None = None


class ReverseSync(Section):
    """Changes that flow back to the old side after the switch, so that a rollback loses nothing."""

    capacity: RecordRate = Field(description="Changes per second that the old side takes.")


class Cutover(Section):
    """The switch: when, how, who decides, which steps."""

    window: CutoverWindow | None = None
    strategy: Literal["shadow", "canary", "blue_green", "flag", "big_bang"] | None = None
    decider: Decider | None = None
    communication: Text | None = None
    steps: tuple[Step, ...] = ()
    point_of_no_return: Text | None = None
    reverse_sync: ReverseSync | None = None
    parity: Text | None = Field(
        None, description="How old and new output are compared, and where it is frozen."
    )


class Rollback(Section):
    """The way back."""

    deadline: Duration | None = Field(None, description="Until when going back is possible.")
    triggers: tuple[Text, ...] = ()
    steps: tuple[Text, ...] = ()
    fallback: Text | None = None
    savepoint_age: Duration | None = None


class Validation(Section):
    """What is tested in one phase."""

    phase: Literal["before_launch", "parallel_run", "after_cutover", "recovery", "stabilisation"]
    covers: tuple[Literal["correctness", "freshness", "latency", "recovery"], ...] = ()
    how: Text | None = None


class Acceptance(Section):
    """When it counts as done."""

    validation: tuple[Validation, ...] = ()
    release_gates: tuple[Text, ...] = ()
    success: tuple[Text, ...] = ()
    post_launch_window: Duration | None = None
    incident_thresholds: tuple[Text, ...] = ()
    most_incidents: Count | None = None
    parity_tolerance: Share | None = None
