"""How data comes in, and when: mode, schedule, concurrency, dependencies."""

from typing import Literal

from pydantic import Field

from pipelineplan.plan.section import AtLeastOne, Duration, Flag, Name, Section, Text


class Schedule(Section):
    """When batch runs start."""

    cron: Text = Field(description="When runs start: five fields, minute first.", examples=["15 4 * * *"])
    zone: Text | None = Field(
        None, description="An IANA time zone such as Europe/Berlin.", examples=["Europe/Berlin"]
    )
    catch_up: Flag | None = Field(None, description="Whether runs that were missed are made up for.")
    max_catch_up_runs: AtLeastOne | None = Field(
        None, description="The most runs that are made up for at one time.", examples=[48]
    )
    run_length: Duration | None = Field(None, description="How long a run takes.", examples=["25 min"])


class Ingestion(Section):
    """Mode and orchestration."""

    mode: Literal["stream", "micro_batch", "batch", "cdc"] | None = Field(
        None, description="How data comes in; compared with what latency class and source call for."
    )
    trigger_interval: Duration | None = Field(None, description="Of micro-batches.", examples=["1 min"])
    schedule: Schedule | None = None
    dag: Text | None = Field(
        None, description="The name of the DAG in the real system.", examples=["orders_daily"]
    )
    concurrency: AtLeastOne | None = Field(None, description="Runs, or readers, at one time.", examples=[4])
    dependencies: tuple[Name, ...] = Field(
        (),
        description="Systems that must be there before it starts.",
        examples=[["kafka", "schema-registry"]],
    )
    boundaries: Text | None = Field(
        None,
        description="Where one team's responsibility ends.",
        examples=["checkout up to the topic, team-orders from the consumer group on"],
    )
    on_violation: Literal["quarantine", "reject", "pass"] | None = Field(
        None, description="What happens to a record that breaks its contract."
    )
