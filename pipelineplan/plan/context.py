"""Who the plan is for and what they decide with it: metadata and context."""

from typing import Any, Literal

from pydantic import Field

from pipelineplan.plan.section import AtLeastOne, Name, Section, Text

QualityLevel = Literal["experiment", "prototype", "production", "secure"]
Workflow = Literal["data-plan", "design-spec", "both"]
LatencyClass = Literal["sub-second", "sub-minute", "near-real-time", "hourly", "daily"]


class Metadata(Section):
    """The plan's own name, owner and level."""

    name: Name = Field(
        description="The plan's name, unique in its repository.", examples=["orders-to-warehouse"]
    )
    version: Text | None = Field(None, description="The plan's version, as text.", examples=["2.3.0"])
    owner: Text | None = Field(
        None, description="The team that answers for the plan.", examples=["team-orders"]
    )
    labels: dict[str, Any] = Field(
        default_factory=dict, description="Open for organisations.", examples=[{"domain": "finance"}]
    )
    quality_level: QualityLevel = Field("prototype", description="Decides which gates are required.")
    workflow: Workflow = Field("data-plan", description="Which bundle the plan is written for.")
    sequence: tuple[Text, ...] | None = Field(
        None, description="The stage gates in another order than the usual one."
    )


class Consumer(Section):
    """Somebody who decides something on the pipeline's output."""

    id: Name = Field(description="The consumer's name, which sinks refer to.", examples=["finance-close"])
    decision: Text | None = Field(
        None, description="What they decide on the data.", examples=["Release payouts to stores"]
    )
    owner: Text | None = Field(
        None, description="The team that answers for the consumer.", examples=["finance-ops"]
    )
    latency_class: LatencyClass | None = Field(
        None, description="How fresh the data must be for that decision."
    )


class Constraints(Section):
    """What bounds the design from outside."""

    budget: Text | None = Field(
        None, description="Money per time, as text: 4_000 EUR/month.", examples=["4_000 EUR/month"]
    )
    team: AtLeastOne | None = Field(None, description="People who build and run it.", examples=[3])
    timeline: Text | None = Field(
        None, description="When it has to be live, in words.", examples=["live before 2026-12-06"]
    )
    compliance: tuple[Text, ...] = Field(
        (), description="Laws and standards that apply.", examples=[["GDPR"]]
    )
    dependencies: tuple[Text, ...] = Field(
        (), description="Teams and systems that the work waits for.", examples=[["checkout-schema"]]
    )


class Context(Section):
    """The first gate: problem, consumers, scope, latency class."""

    problem: Text | None = Field(
        None,
        description="The problem in one or two sentences.",
        examples=["Payouts leave a day late, because finance closes on numbers of the day before."],
    )
    goals: tuple[Text, ...] = Field(
        (),
        description="What will be true when it works, with a number.",
        examples=[["Sales per minute, at most four minutes behind the shop"]],
    )
    non_goals: tuple[Text, ...] = Field(
        (), description="What it will not do, so that nobody waits for it.", examples=[["Fraud scoring"]]
    )
    consumers: tuple[Consumer, ...] = Field((), description="Who decides what on the output.")
    workloads: tuple[Text, ...] = Field(
        (),
        description="What runs on the output: reports, models, services.",
        examples=[["hourly payout report"]],
    )
    in_scope: tuple[Text, ...] = Field(
        (), description="The data and functions that the plan covers.", examples=[["orders"]]
    )
    out_of_scope: tuple[Text, ...] = Field(
        (), description="What it leaves to others.", examples=[["marketplace fees"]]
    )
    latency_class: LatencyClass | None = Field(
        None, description="How soon results are needed; decides which ingestion modes fit."
    )
    assumptions: tuple[Text, ...] = Field(
        (),
        description="What is taken as given, with where it was seen.",
        examples=[["The peak is last year's sale day plus 20 %"]],
    )
    constraints: Constraints | None = None
    open_questions: tuple[Text, ...] = Field(
        (), description="What nobody knows yet, and who will.", examples=[["Whether refunds join in 2027"]]
    )
