"""The plan file, whole: every section that a plan may have.

`DataPlan` is the file's model and nothing more; `pipelineplan.plan.Plan` is the plan that the
judges get, with positions, references and the graph beside it.
"""

from __future__ import annotations

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

    api_version: Literal["pipelineplan/v1"] = Field(alias="apiVersion")
    kind: Literal["DataPlan"]
    extends: Reference | None = Field(None, description="A plan that this one changes; read first.")
    metadata: Metadata
    context: Context | None = None
    facts: FactFiles | None = Field(None, description="Files of the real system, read at each check.")
    sources: tuple[Source, ...] = Field(min_length=1)
    ingestion: Ingestion | None = None
    stages: tuple[Stage, ...] = ()
    sinks: tuple[Sink, ...] = Field(min_length=1)
    slos: tuple[Slo, ...] = ()
    outages: tuple[Outage, ...] = ()
    contracts: Contracts | None = None
    quality: tuple[QualityCheck, ...] = ()
    reconciliation: tuple[Reconciliation, ...] = ()
    operations: Operations | None = None
    capacity: CapacityPolicy | None = None
    reliability: Reliability | None = None
    security: Security | None = None
    design: Design | None = None
    replay: Replay | None = None
    cutover: Cutover | None = None
    rollback: Rollback | None = None
    acceptance: Acceptance | None = None
    decisions: tuple[Decision, ...] = ()
    risks: tuple[Risk, ...] = ()
    attestations: tuple[Attestation, ...] = ()
