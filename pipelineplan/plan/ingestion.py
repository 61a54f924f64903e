"""How data comes in, and when: mode, schedule, concurrency, dependencies."""

from __future__ import annotations

from typing import Literal

from pydantic import Field

from pipelineplan.plan.section import AtLeastOne, Duration, Flag, Name, Section, Text


class Schedule(Section):
    """When batch runs start."""

    cron: Text
    zone: Text | None = Field(None, description="An IANA time zone such as Europe/Berlin.")
    catch_up: Flag | None = None
    max_catch_up_runs: AtLeastOne | None = None
    run_length: Duration | None = Field(None, description="How long a run takes.")


class Ingestion(Section):
    """Mode and orchestration."""

    mode: Literal["stream", "micro_batch", "batch", "cdc"] | None = None
    trigger_interval: Duration | None = Field(None, description="Of micro-batches.")
    schedule: Schedule | None = None
    dag: Text | None = Field(None, description="The name of the DAG in the real system.")
    concurrency: AtLeastOne | None = None
    dependencies: tuple[Name, ...] = ()
    boundaries: Text | None = Field(None, description="Where one team's responsibility ends.")
    on_violation: Literal["quarantine", "reject", "pass"] | None = None
