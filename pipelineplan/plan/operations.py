"""How the pipeline is watched, kept up and kept safe."""

from __future__ import annotations

from typing import Literal

from pydantic import Field

from pipelineplan.plan.section import (
    AtLeastOne,
    Bandwidth,
    Count,
    Duration,
    Flag,
    Name,
    Number,
    RecordRate,
    Section,
    Share,
    Size,
    Text,
)

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
    "burn_rate",
    "saturation",
    "heartbeat",
    "cost",
]


class Telemetry(Section):
    """The three pillars, and which signals are measured."""

    signals: tuple[Signal, ...] = ()
    metrics: Text | None = None
    logs: Text | None = None
    traces: Text | None = None
    dashboards: Text | None = Field(None, description="Per service, journey and business figure.")
    probes: Text | None = Field(None, description="Synthetic probes, and from where: every minute from 3.")
    correlation: Text | None = Field(None, description="The id that links logs, metrics and traces.")
    redaction: Text | None = Field(None, description="How personal data stays out of logs.")
    logs_kept: Duration | None = Field(None, description="How long logs are kept: 30 d.")


class Alert(Section):
    """A signal, its threshold, and what the one who is called does."""

    signal: Signal
    above: Duration | Share | Text | None = Field(None, description="The threshold, with its unit.")
    lasting: Duration | None = Field(None, description="For how long it must be exceeded.")
    severity: Literal["page", "ticket"] = "page"
    runbook: Text | None = None
    objective: Name | None = Field(
        None, description="For burn_rate: the sink or stage whose availability it guards: warehouse."
    )
    burn_rate: Number | None = Field(
        None, description="How many times faster than evenly the error budget burns: 14.4."
    )
    window: Duration | None = Field(None, description="For burn_rate: the window it is taken over: 1 h.")


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
    incidents: Text | None = Field(None, description="How an incident is led, told and learnt from.")
    postmortems: Text | None = Field(None, description="Where they lie, and who follows up the actions.")
    ownership: Text | None = Field(None, description="Who owns what, and the path of escalation.")


class FailureMode(Section):
    """A way it breaks, how that is seen, and what is done."""

    mode: Text
    detection: Text | None = None
    mitigation: Text | None = None
    degrades_to: Text | None = Field(None, description="What still works meanwhile: stale reads.")


class Breaker(Section):
    """A circuit breaker: when it opens, and for how long."""

    share: Share | None = Field(None, description="Share of failed calls at which it opens: 50 %.")
    over: Duration | None = Field(None, description="The window that it counts over: 10 s.")
    least_calls: Count | None = Field(None, description="Calls in the window before it decides: 20.")
    open_for: Duration | None = Field(None, description="How long it stays open: 30 s.")


class Dependency(Section):
    """A system this one calls, and how it guards itself against it."""

    id: Name
    timeout: Duration | None = None
    retries: AtLeastOne | None = None
    circuit_breaker: Text | None = None
    impact: Text | None = Field(None, description="What stops downstream when it is down.")
    owner: Text | None = Field(None, description="Who answers for it: platform-kafka.")
    within: Duration | None = Field(
        None, description="How long the caller waits for the whole call, all attempts included: 2 s."
    )
    waits: Duration | None = Field(None, description="All waits between the attempts together: 700 ms.")
    calls: RecordRate | None = Field(None, description="Calls per second on an average day: 50/s.")
    breaker: Breaker | None = Field(None, description="The circuit breaker's own numbers.")
    availability: Share | None = Field(None, description="What it promises itself: 99.95 %.")
    copies: AtLeastOne | None = Field(None, description="Independent copies of which one is enough: 2.")
    optional: Flag = Field(default=False, description="Whether the promises are kept without it.")
    fallback: Text | None = Field(None, description="What is done without it: cached values for 5 min.")


class Backup(Section):
    """Copies that a lost store is restored from, and how that is proved."""

    of: Text = Field(description="The store or dataset that is backed up: catalogue.")
    interval: Duration | None = Field(None, description="The most that lies between two backups: 15 min.")
    data: Size | None = Field(None, description="What has to be restored: 400 GB.")
    restore_bandwidth: Bandwidth | None = Field(None, description="How fast it is restored: 200 MB/s.")
    restore_time: Duration | None = Field(None, description="How long the last drill took: 50 min.")
    retention: Duration | None = Field(None, description="How long a backup is kept: 35 d.")
    elsewhere: Text | None = Field(None, description="Another region and account that has a copy.")
    drill_every: Duration | None = Field(None, description="How often a restore is rehearsed: 90 d.")


class Reliability(Section):
    """Failure modes, guards, and what must be recoverable."""

    failure_modes: tuple[FailureMode, ...] = ()
    dependencies: tuple[Dependency, ...] = ()
    backpressure: Text | None = None
    recovery_point: Duration | None = Field(None, description="RPO: the most data that may be lost.")
    recovery_time: Duration | None = Field(None, description="RTO: the longest time to be back.")
    backups: Text | None = None
    restore_drills: Text | None = None
    backup: tuple[Backup, ...] = Field((), description="The numbers of the backups, one store at a time.")
    bulkheads: Text | None = Field(None, description="Which pools are separate: a pool per dependency.")
    degradation: Text | None = Field(None, description="What is given up first under overload.")
    rate_limits: Text | None = Field(None, description="Limits per user or tenant, and the kill switch.")
    error_budget_policy: Text | None = Field(None, description="What happens when the budget is used up.")


class Duty(Section):
    """A duty about how long data is kept: not longer than, or not shorter than."""

    data: Text = Field(description="Which data: orders of a deleted customer.")
    delete_within: Duration | None = Field(
        None, description="After which nothing of it may be left, wherever it lies: 30 d."
    )
    keep_at_least: Duration | None = Field(None, description="How long it must be kept: 400 d.")
    kept_in: tuple[Name, ...] = Field((), description="Stores of the design that must keep it: [ledger].")
    erased_in: tuple[Text, ...] = Field(
        (), description="Places that an erasure job or a thrown-away key reaches: [orders, backup]."
    )


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
    duties: tuple[Duty, ...] = Field((), description="The duties of retention and deletion as numbers.")
    privacy: Text | None = Field(None, description="How little is stored, and what is pseudonymised.")
    subject_requests: Text | None = Field(None, description="How a person's data is exported or deleted.")
    supply_chain: Text | None = Field(None, description="Scans, pinned versions, SBOM, signed artifacts.")
    network: Text | None = Field(None, description="Default deny, segments, private links.")
    key_rotation: Duration | None = Field(None, description="How often keys and secrets change: 90 d.")
    access_review: Duration | None = Field(None, description="How often access is reviewed: 90 d.")
    controls: tuple[Text, ...] = Field((), description="Requirement, control and evidence, one each.")
