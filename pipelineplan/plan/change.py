"""How the pipeline is switched over, run again over old data, and switched back."""

from typing import Literal

from pydantic import Field

from pipelineplan.plan.section import Count, Duration, Name, RecordRate, Section, Share, Text

Instant = Text


class Replay(Section):
    """Running old records again."""

    input: Literal["topic", "lake"] | None = Field(None, description="Where old records are read from.")
    start: Instant | None = Field(
        None,
        alias="from",
        description="The first event time that is read again: a date, or an instant with a zone.",
        examples=["2026-11-08"],
    )
    end: Instant | None = Field(
        None, alias="to", description="The event time at which it stops.", examples=["2026-11-15"]
    )
    rate_limit: RecordRate | None = Field(
        None, description="How fast it may read, beside live traffic.", examples=["10_000/s"]
    )
    idempotent_by: tuple[Text, ...] = Field(
        (),
        description="The fields by which a record that comes again changes nothing.",
        examples=[["order_id", "lsn"]],
    )
    isolation: Literal["separate_group", "separate_job", "shared"] | None = Field(
        None, description="Whether live results can be disturbed."
    )
    boundaries: Text | None = Field(
        None, description="What is exactly in the range, in words.", examples=["whole event-time days"]
    )


class CutoverWindow(Section):
    """When the switch happens."""

    start: Instant = Field(
        description="When it begins: an instant with a zone.", examples=["2026-12-06T04:00 Europe/Berlin"]
    )
    length: Duration = Field(description="How long it is.", examples=["3 h"])


class Decider(Section):
    """Who says go, and who does when they cannot."""

    primary: Text = Field(description="Who says go.", examples=["head-of-data"])
    backup: Text | None = Field(
        None, description="Who says it when they cannot.", examples=["team-orders-lead"]
    )


class Step(Section):
    """One step of a runbook that the plan adds or sharpens."""

    id: Name = Field(description="The step's name.", examples=["move-reads"])
    does: Text = Field(description="What is done.", examples=["Move reads in 1, 5, 25, 75 and 100 %"])
    owner: Text | None = Field(None, description="Who does it.", examples=["team-orders"])
    backup: Text | None = Field(
        None, description="Who does it when they cannot.", examples=["warehouse-platform"]
    )
    command: Text | None = Field(
        None, description="What is typed; nothing is run.", examples=["make move-reads SHARE=5"]
    )
    expect: Text | None = Field(
        None, description="What is then seen.", examples=["5 % of queries on the new view"]
    )
    measure: Text | None = Field(None, description="What is measured.", examples=["freshness p95"])
    threshold: Text | None = Field(
        None, description="Up to which value it is a go.", examples=["at most 4 min"]
    )
    timeout: Duration | None = Field(None, description="How long it may take.", examples=["2 h"])
    rollback: Text | None = Field(
        None, description="What is done when it is a no-go.", examples=["point the view at the old table"]
    )
    valid_for: Duration | None = Field(
        None, description="For how long its evidence counts; then it is open again.", examples=["14 d"]
    )


class ReverseSync(Section):
    """Changes that flow back to the old side after the switch, so that a rollback loses nothing."""

    capacity: RecordRate = Field(
        description="Changes per second that the old side takes.", examples=["2_000/s"]
    )


class Cutover(Section):
    """The switch: when, how, who decides, which steps."""

    window: CutoverWindow | None = None
    strategy: Literal["shadow", "canary", "blue_green", "flag", "big_bang"] | None = Field(
        None, description="How users are moved from old to new."
    )
    decider: Decider | None = None
    communication: Text | None = Field(
        None, description="Who is told what, and when.", examples=["Finance, a week and an hour before"]
    )
    steps: tuple[Step, ...] = Field((), description="Steps that the runbook adds, or sharpens by their id.")
    point_of_no_return: Text | None = Field(
        None, description="After what there is no way back.", examples=["The old loader is switched off"]
    )
    reverse_sync: ReverseSync | None = None
    parity: Text | None = Field(
        None,
        description="How old and new output are compared, and where it is frozen.",
        examples=["Sales per minute, both directions, frozen at 2026-12-06T00:00"],
    )


class Rollback(Section):
    """The way back."""

    deadline: Duration | None = Field(
        None, description="Until when going back is possible.", examples=["5 d"]
    )
    triggers: tuple[Text, ...] = Field(
        (),
        description="What makes you go back, each with a number.",
        examples=[["freshness > 8 min for 10 min"]],
    )
    steps: tuple[Text, ...] = Field(
        (), description="What is done, in order.", examples=[["Point the view at the old table"]]
    )
    fallback: Text | None = Field(
        None, description="What goes on meanwhile.", examples=["The nightly load writes the old table"]
    )
    savepoint_age: Duration | None = Field(
        None, description="How long savepoints are kept.", examples=["5 d"]
    )


class Validation(Section):
    """What is tested in one phase."""

    phase: Literal["before_launch", "parallel_run", "after_cutover", "recovery", "stabilisation"] = Field(
        description="When it is done."
    )
    covers: tuple[Literal["correctness", "freshness", "latency", "recovery"], ...] = Field(
        (), description="What it shows."
    )
    how: Text | None = Field(
        None,
        description="How it is shown.",
        examples=["A recorded day gives the results of the nightly load"],
    )


class Acceptance(Section):
    """When it counts as done."""

    validation: tuple[Validation, ...] = Field((), description="What is tested, phase by phase.")
    release_gates: tuple[Text, ...] = Field(
        (), description="What must be true before it goes live.", examples=[["Rollback rehearsed once"]]
    )
    success: tuple[Text, ...] = Field(
        (),
        description="What must be true afterwards, with numbers.",
        examples=[["Freshness p95 at most 4 min over 14 days"]],
    )
    post_launch_window: Duration | None = Field(
        None, description="How long it is watched more closely.", examples=["14 d"]
    )
    incident_thresholds: tuple[Text, ...] = Field(
        (),
        description="What counts as an incident, each with a number.",
        examples=[["Freshness over 8 min for 10 min"]],
    )
    most_incidents: Count | None = Field(None, description="The most incidents in that window.", examples=[2])
    parity_tolerance: Share | None = Field(
        None, description="The share by which old and new may differ.", examples=["0 %"]
    )
