"""The plan file, whole: every section that a plan may have.

`DataPlan` is the file's model and nothing more; `pipelineplan.plan.Plan` is the plan that the
judges get, with positions, references and the graph beside it.
"""

from typing import Literal

from pydantic import Field

from pipelineplan.plan.change import Acceptance, Cutover, Replay, Rollback
from pipelineplan.plan.context import Context, Metadata
from pipelineplan.plan.design import Design
from pipelineplan.plan.fact_files import FactFiles
from pipelineplan.plan.governance import (
    Attestation,
    CapacityPolicy,
    Decision,
    QualityCheck,
    Reconciliation,
    Risk,
)
from pipelineplan.plan.ingestion import Ingestion
from pipelineplan.plan.objectives import Outage, Slo
from pipelineplan.plan.operations import Operations, Reliability, Security
from pipelineplan.plan.schema_policy import Contracts
from pipelineplan.plan.section import Reference, Section
from pipelineplan.plan.sink import Sink
from pipelineplan.plan.source import Source
from pipelineplan.plan.stage import Stage

API_VERSION = "pipelineplan/v1"


class DataPlan(Section):
    """A declarative data-pipeline plan."""

    api_version: Literal["pipelineplan/v1"] = Field(
        alias="apiVersion", description="The version of the plan language."
    )
    kind: Literal["DataPlan"] = Field(description="What this document is.")
    extends: Reference | None = Field(
        None, description="A plan that this one changes; read first.", examples=["base.yaml"]
    )
    metadata: Metadata
    context: Context | None = None
    facts: FactFiles | None = Field(
        None, description="Files of the real system, read at each check.", examples=[["kafka/topics.yaml"]]
    )
    sources: tuple[Source, ...] = Field(
        min_length=1, description="The systems that records come from; at least one."
    )
    ingestion: Ingestion | None = None
    stages: tuple[Stage, ...] = Field(
        (), description="The processing steps; their inputs say in which order."
    )
    sinks: tuple[Sink, ...] = Field(
        min_length=1, description="The tables, topics and interfaces that consumers read; at least one."
    )
    slos: tuple[Slo, ...] = Field((), description="What the pipeline promises about its sinks and stages.")
    outages: tuple[Outage, ...] = Field(
        (), description="What the plan claims to survive; each is checked and simulated."
    )
    contracts: Contracts | None = None
    quality: tuple[QualityCheck, ...] = Field(
        (), description="Checks of the data, compiled to a Great Expectations suite."
    )
    reconciliation: tuple[Reconciliation, ...] = Field(
        (), description="Sources and destinations that must agree."
    )
    operations: Operations | None = None
    capacity: CapacityPolicy | None = None
    reliability: Reliability | None = None
    security: Security | None = None
    design: Design | None = None
    replay: Replay | None = None
    cutover: Cutover | None = None
    rollback: Rollback | None = None
    acceptance: Acceptance | None = None
    decisions: tuple[Decision, ...] = Field((), description="Architecture decisions with their trade-offs.")
    risks: tuple[Risk, ...] = Field((), description="What may still go wrong, and whose it is.")
    attestations: tuple[Attestation, ...] = Field(
        (), description="What only a person can assert, each with its date of expiry."
    )
