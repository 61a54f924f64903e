"""How the pipeline is watched, kept up and kept safe."""

from __future__ import annotations

from typing import Literal

from pydantic import Field

from pipelineplan.plan.section import AtLeastOne, Duration, Name, Section, Share, Text

Signal = Literal[
    "lag",
    "watermark_lag",
    "error_rate",
    "throughput",
    "checkpoint",
    "state",
    "skew",
    "dead_letters",
    "freshness",
]


class Telemetry(Section):
    """The three pillars, and which signals are measured."""

    signals: tuple[Signal, ...] = Field((), description="The signals that are measured.")
    metrics: Text | None = Field(
        None, description="Where metrics are.", examples=["Prometheus, from Flink and the consumer group"]
    )
    logs: Text | None = Field(
        None, description="Where logs are, and for how long.", examples=["structured, 14 days"]
    )
    traces: Text | None = Field(
        None, description="Which records are traced.", examples=["1 of 10_000, from connector to warehouse"]
    )


class Alert(Section):
    """A signal, its threshold, and what the one who is called does."""

    signal: Signal = Field(description="What is measured.")
    above: Duration | Share | Text | None = Field(
        None, description="The threshold, with its unit.", examples=["10 min", "0.1 %"]
    )
    lasting: Duration | None = Field(
        None, description="For how long it must be exceeded.", examples=["5 min"]
    )
    severity: Literal["page", "ticket"] = Field(
        "page", description="Whether somebody is woken, or finds a ticket."
    )
    runbook: Text | None = Field(
        None, description="What the one who is called does.", examples=["runbooks/lag.md"]
    )


class OnCall(Section):
    """Who is called, and how fast they answer."""

    team: Text = Field(description="Who is called.", examples=["team-orders"])
    respond_within: Duration | None = Field(
        None, description="Until somebody has answered.", examples=["15 min"]
    )
    escalation: Text | None = Field(
        None, description="Who is called next, and when.", examples=["head-of-data after 30 min"]
    )


class Operations(Section):
    """Telemetry, alerts, on-call, limits."""

    telemetry: Telemetry | None = None
    alerts: tuple[Alert, ...] = Field((), description="The alerts, each with a threshold and a runbook.")
    on_call: OnCall | None = None
    limits: tuple[Text, ...] = Field(
        (), description="Bounds that nobody may cross.", examples=[["At most 24 task slots"]]
    )
    break_glass: Text | None = Field(
        None,
        description="Who may act outside of the rules, and how that is recorded.",
        examples=["Two of team-orders, audited"],
    )
    game_days: Text | None = Field(
        None, description="When failure is practised.", examples=["A zone is taken away every quarter"]
    )


class FailureMode(Section):
    """A way it breaks, how that is seen, and what is done."""

    mode: Text = Field(description="What breaks.", examples=["A zone is lost"])
    detection: Text | None = Field(
        None, description="How it is seen, and how fast.", examples=["task managers missing for 2 min"]
    )
    mitigation: Text | None = Field(
        None, description="What is done.", examples=["the job restarts on the other two zones"]
    )


class Dependency(Section):
    """A system this one calls, and how it guards itself against it."""

    id: Name = Field(description="The system's name.", examples=["schema-registry"])
    timeout: Duration | None = Field(None, description="How long a call may take.", examples=["5 s"])
    retries: AtLeastOne | None = Field(None, description="Attempts in all.", examples=[5])
    circuit_breaker: Text | None = Field(
        None, description="When calls stop, and what is done instead.", examples=["cached schemas are used"]
    )
    impact: Text | None = Field(
        None, description="What stops downstream when it is down.", examples=["new schema versions wait"]
    )


class Reliability(Section):
    """Failure modes, guards, and what must be recoverable."""

    failure_modes: tuple[FailureMode, ...] = Field((), description="The ways it breaks; three or more.")
    dependencies: tuple[Dependency, ...] = Field((), description="The systems that it calls.")
    backpressure: Text | None = Field(
        None,
        description="What slows down first when a stage cannot follow.",
        examples=["credit-based flow control up to the topic"],
    )
    recovery_point: Duration | None = Field(
        None, description="RPO: the most data that may be lost.", examples=["0 s"]
    )
    recovery_time: Duration | None = Field(
        None, description="RTO: the longest time to be back.", examples=["60 min"]
    )
    backups: Text | None = Field(
        None,
        description="What is kept, where, and for how long.",
        examples=["raw changes, 400 days in the lake"],
    )
    restore_drills: Text | None = Field(
        None, description="When a restore is practised.", examples=["twice a year into an empty table"]
    )


class Security(Section):
    """Classification, boundaries, access, duties."""

    classification: Literal["public", "internal", "confidential", "restricted"] | None = Field(
        None, description="The class of the most sensitive data in it."
    )
    trust_boundaries: tuple[Text, ...] = Field(
        (),
        description="Where data goes from one zone of trust to another.",
        examples=[["checkout network to the brokers"]],
    )
    authentication: Text | None = Field(
        None, description="How systems prove who they are.", examples=["mTLS"]
    )
    authorisation: Text | None = Field(
        None, description="Who may do what.", examples=["ACL per topic, grants per role"]
    )
    encryption: Text | None = Field(
        None, description="How data is encrypted, on the way and at rest.", examples=["TLS, disk encryption"]
    )
    secrets: Text | None = Field(
        None,
        description="Where secrets are kept; never the secrets themselves.",
        examples=["Vault, rotated every 90 days"],
    )
    audit: Text | None = Field(
        None, description="What is recorded of accesses.", examples=["reads of the warehouse table"]
    )
    retention: Text | None = Field(
        None, description="How long data is kept, by layer.", examples=["400 days raw, 7 years marts"]
    )
    deletion: Text | None = Field(
        None, description="How and by when a person's data is deleted.", examples=["from raw within 30 days"]
    )
