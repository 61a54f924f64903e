"""How the pipeline is watched, kept up and kept safe."""

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
    dashboards: Text | None = Field(
        None, description="Per service, journey and business figure.", examples=["per stage and per consumer"]
    )
    probes: Text | None = Field(
        None, description="Synthetic probes, and from where.", examples=["every minute from 3"]
    )
    correlation: Text | None = Field(
        None,
        description="The id that links logs, metrics and traces.",
        examples=["order_id in logs, metrics and traces"],
    )
    redaction: Text | None = Field(
        None,
        description="How personal data stays out of logs.",
        examples=["names are dropped by the logging library"],
    )
    logs_kept: Duration | None = Field(None, description="How long logs are kept.", examples=["30 d"])


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
    objective: Name | None = Field(
        None,
        description="For burn_rate: the sink or stage whose availability it guards.",
        examples=["warehouse"],
    )
    burn_rate: Number | None = Field(
        None, description="How many times faster than evenly the error budget burns.", examples=[14.4]
    )
    window: Duration | None = Field(
        None, description="For burn_rate: the window it is taken over.", examples=["1 h"]
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
    incidents: Text | None = Field(
        None,
        description="How an incident is led, told and learnt from.",
        examples=["the one on call leads, retail is told within 30 min"],
    )
    postmortems: Text | None = Field(
        None,
        description="Where they lie, and who follows up the actions.",
        examples=["handbook, within five days"],
    )
    ownership: Text | None = Field(
        None,
        description="Who owns what, and the path of escalation.",
        examples=["checkout owns the topic, team-orders the rest"],
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
    degrades_to: Text | None = Field(
        None, description="What still works meanwhile.", examples=["stale reads"]
    )


class Breaker(Section):
    """A circuit breaker: when it opens, and for how long."""

    share: Share | None = Field(
        None, description="Share of failed calls at which it opens.", examples=["50 %"]
    )
    over: Duration | None = Field(None, description="The window that it counts over.", examples=["10 s"])
    least_calls: Count | None = Field(
        None, description="Calls in the window before it decides.", examples=[20]
    )
    open_for: Duration | None = Field(None, description="How long it stays open.", examples=["30 s"])


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
    owner: Text | None = Field(None, description="Who answers for it.", examples=["platform-kafka"])
    within: Duration | None = Field(
        None,
        description="How long the caller waits for the whole call, all attempts included.",
        examples=["2 s"],
    )
    waits: Duration | None = Field(
        None, description="All waits between the attempts together.", examples=["700 ms"]
    )
    calls: RecordRate | None = Field(
        None, description="Calls per second on an average day.", examples=["50/s"]
    )
    breaker: Breaker | None = None
    availability: Share | None = Field(None, description="What it promises itself.", examples=["99.95 %"])
    copies: AtLeastOne | None = Field(
        None, description="Independent copies of which one is enough.", examples=[2]
    )
    optional: Flag = Field(default=False, description="Whether the promises are kept without it.")
    fallback: Text | None = Field(
        None, description="What is done without it.", examples=["cached values for 5 min"]
    )


class Backup(Section):
    """Copies that a lost store is restored from, and how that is proved."""

    of: Text = Field(description="The store or dataset that is backed up.", examples=["catalogue"])
    interval: Duration | None = Field(
        None, description="The most that lies between two backups.", examples=["15 min"]
    )
    data: Size | None = Field(None, description="What has to be restored.", examples=["400 GB"])
    restore_bandwidth: Bandwidth | None = Field(
        None, description="How fast it is restored.", examples=["200 MB/s"]
    )
    restore_time: Duration | None = Field(
        None, description="How long the last drill took.", examples=["50 min"]
    )
    retention: Duration | None = Field(None, description="How long a backup is kept.", examples=["35 d"])
    elsewhere: Text | None = Field(
        None,
        description="Another region and account that has a copy.",
        examples=["a second region and account"],
    )
    drill_every: Duration | None = Field(
        None, description="How often a restore is rehearsed.", examples=["90 d"]
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
    backup: tuple[Backup, ...] = Field((), description="The numbers of the backups, one store at a time.")
    bulkheads: Text | None = Field(
        None, description="Which pools are separate.", examples=["a pool per dependency"]
    )
    degradation: Text | None = Field(
        None,
        description="What is given up first under overload.",
        examples=["dashboards show the last good minute"],
    )
    rate_limits: Text | None = Field(
        None,
        description="Limits per user or tenant, and the kill switch.",
        examples=["20 reads a second per user, a switch for all"],
    )
    error_budget_policy: Text | None = Field(
        None,
        description="What happens when the budget is used up.",
        examples=["only fixes until the window has moved on"],
    )


class Duty(Section):
    """A duty about how long data is kept: not longer than, or not shorter than."""

    data: Text = Field(description="Which data.", examples=["orders of a deleted customer"])
    delete_within: Duration | None = Field(
        None, description="After which nothing of it may be left, wherever it lies.", examples=["30 d"]
    )
    keep_at_least: Duration | None = Field(None, description="How long it must be kept.", examples=["400 d"])
    kept_in: tuple[Name, ...] = Field(
        (), description="Stores of the design that must keep it.", examples=[["ledger"]]
    )
    erased_in: tuple[Text, ...] = Field(
        (),
        description="Places that an erasure job or a thrown-away key reaches.",
        examples=[["orders", "backup"]],
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
    duties: tuple[Duty, ...] = Field((), description="The duties of retention and deletion as numbers.")
    privacy: Text | None = Field(
        None,
        description="How little is stored, and what is pseudonymised.",
        examples=["customer ids are pseudonyms"],
    )
    subject_requests: Text | None = Field(
        None,
        description="How a person's data is exported or deleted.",
        examples=["a ticket starts the erasure job"],
    )
    supply_chain: Text | None = Field(
        None,
        description="Scans, pinned versions, SBOM, signed artifacts.",
        examples=["pinned, scanned, SBOM and signature"],
    )
    network: Text | None = Field(
        None, description="Default deny, segments, private links.", examples=["default deny, private links"]
    )
    key_rotation: Duration | None = Field(
        None, description="How often keys and secrets change.", examples=["90 d"]
    )
    access_review: Duration | None = Field(
        None, description="How often access is reviewed.", examples=["90 d"]
    )
    controls: tuple[Text, ...] = Field(
        (),
        description="Requirement, control and evidence, one each.",
        examples=[["GDPR article 17 - erasure job - its log"]],
    )
