"""Who the plan is for and what they decide with it: metadata and context."""

from __future__ import annotations

from typing import Annotated, Any, Literal

from pydantic import Field

from pipelineplan.plan.section import AtLeastOne, Name, Section, Text

QualityLevel = Literal["experiment", "prototype", "production", "secure"]
Workflow = Literal["data-plan", "design-spec", "both"]
LatencyClass = Literal["sub-second", "sub-minute", "near-real-time", "hourly", "daily"]


class Metadata(Section):
    """The plan's own name, owner and level."""

    name: Name = Field(description="The plan's name, unique in its repository.")
    version: Text | None = Field(None, description="The plan's version, as text.")
    owner: Text | None = Field(None, description="The team that answers for the plan.")
    labels: dict[str, Any] = Field(default_factory=dict, description="Open for organisations.")
    quality_level: QualityLevel = Field("prototype", description="Decides which gates are required.")
    workflow: Workflow = Field("data-plan", description="Which bundle the plan is written for.")
    sequence: tuple[Text, ...] | None = Field(
        None, description="The stage gates in another order than the usual one."
    )


class Consumer(Section):
    """Somebody who decides something on the pipeline's output."""

    id: Name
    decision: Text | None = Field(None, description="What they decide on the data.")
    owner: Text | None = None
    latency_class: LatencyClass | None = None


class Constraints(Section):
    """What bounds the design from outside."""

    budget: Text | None = Field(None, description="Money per time, as text: 4_000 EUR/month.")
    team: Annotated[AtLeastOne | None, Field(description="People who build and run it.")] = None
    timeline: Text | None = None
    compliance: tuple[Text, ...] = ()
    dependencies: tuple[Text, ...] = ()


class Context(Section):
    """The first gate: problem, consumers, scope, latency class."""

    problem: Text | None = Field(None, description="The problem in one or two sentences.")
    goals: tuple[Text, ...] = ()
    non_goals: tuple[Text, ...] = ()
    consumers: tuple[Consumer, ...] = ()
    workloads: tuple[Text, ...] = ()
    in_scope: tuple[Text, ...] = ()
    out_of_scope: tuple[Text, ...] = ()
    latency_class: LatencyClass | None = None
    assumptions: tuple[Text, ...] = ()
    constraints: Constraints | None = None
    open_questions: tuple[Text, ...] = ()
