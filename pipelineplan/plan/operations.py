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

    signals: tuple[Signal, ...] = ()
    metrics: Text | None = None
    logs: Text | None = None
    traces: Text | None = None


class Alert(Section):
    """A signal, its threshold, and what the one who is called does."""

    signal: Signal
    above: Duration | Share | Text | None = Field(None, description="The threshold, with its unit.")
    lasting: Duration | None = Field(None, description="For how long it must be exceeded.")
    severity: Literal["page", "ticket"] = "page"
    runbook: Text | None = None


class OnCall(Section):
    """Who is called, and how fast they answer."""

    team: Text
    respond_within: Duration | None = None
    escalation: Text | None = None


class Operations(Section):
    """Telemetry, alerts, on-call, limits."""

    telemetry: Telemetry | None = None
    alerts: tuple[Alert, ...] = ()
    on_call: OnCall | None = None
    limits: tuple[Text, ...] = ()
    break_glass: Text | None = None
    game_days: Text | None = None


class FailureMode(Section):
    """A way it breaks, how that is seen, and what is done."""

    mode: Text
    detection: Text | None = None
    mitigation: Text | None = None


class Dependency(Section):
    """A system this one calls, and how it guards itself against it."""

    id: Name
    timeout: Duration | None = None
    retries: AtLeastOne | None = None
    circuit_breaker: Text | None = None
    impact: Text | None = Field(None, description="What stops downstream when it is down.")


class Reliability(Section):
    """Failure modes, guards, and what must be recoverable."""

    failure_modes: tuple[FailureMode, ...] = ()
    dependencies: tuple[Dependency, ...] = ()
    backpressure: Text | None = None
    recovery_point: Duration | None = Field(None, description="RPO: the most data that may be lost.")
    recovery_time: Duration | None = Field(None, description="RTO: the longest time to be back.")
    backups: Text | None = None
    restore_drills: Text | None = None


class Security(Section):
    """Classification, boundaries, access, duties."""

    classification: Literal["public", "internal", "confidential", "restricted"] | None = None
    trust_boundaries: tuple[Text, ...] = ()
    authentication: Text | None = None
    authorisation: Text | None = None
    encryption: Text | None = None
    secrets: Text | None = None
    audit: Text | None = None
    retention: Text | None = None
    deletion: Text | None = None
