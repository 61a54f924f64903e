"""What the plan promises, and what it claims to survive."""

from typing import Literal, Self

from pydantic import Field, model_validator

from pipelineplan.plan.section import Duration, Flag, Name, Section, Share, Text


class Freshness(Section):
    """Time from a record's event time, or its window's end, until a reader sees it."""

    p50: Duration | None = Field(
        None, description="For half of the records, or of the time.", examples=["60 s"]
    )
    p95: Duration | None = Field(
        None, description="For 95 % of the records, or of the time.", examples=["3 min"]
    )
    p99: Duration | None = Field(
        None, description="For 99 % of the records, or of the time.", examples=["8 min"]
    )
    measured_from: Literal["record", "window_end"] = Field(
        "record",
        alias="from",
        description="Where the clock starts: at the record's event time, or at the end of its window.",
    )
    until: Literal["emitted", "committed_visible"] = Field(
        "committed_visible",
        description="Where it stops: when a result is emitted, or committed and visible to a reader.",
    )
    over: Literal["records", "time"] = Field(
        "records", description="Of what it is a quantile: of records, or of time."
    )

    @model_validator(mode="after")
    def _has_a_target(self) -> Self:
        if not self.targets():
            raise ValueError("no target, wanted at least one of p50, p95, p99")
        return self

    def targets(self) -> tuple[tuple[str, float, Duration], ...]:
        """The targets given: name, probability and duration."""
        given = (("p50", 0.50, self.p50), ("p95", 0.95, self.p95), ("p99", 0.99, self.p99))
        return tuple((name, p, target) for name, p, target in given if target is not None)


class Completeness(Section):
    """The share of records, or of windows, that is in the result."""

    share: Share = Field(description="The least share that must be in the result.", examples=["99.5 %"])
    at: Literal["first", "final"] = Field("final", description="At the first firing of a window, or finally.")
    of: Literal["records", "windows"] = Field("records", description="Counted in records, or in windows.")


OutageOf = Literal["source", "broker", "job", "worker", "zone", "sink"]


class Slo(Section):
    """A promise about one sink or stage."""

    subject: Name = Field(
        alias="for", description="The sink or stage that it is about.", examples=["dashboard"]
    )
    freshness: Freshness | None = None
    completeness: Completeness | None = None
    latency: Freshness | None = None
    availability: Share | None = Field(
        None, description="The share of the time in which it answers.", examples=["99.5 %"]
    )
    durability: Share | None = Field(
        None, description="The share of records that is never lost.", examples=["99.999 %"]
    )
    window: Duration | None = Field(
        None, description="The window over which it is judged.", examples=["30 d"]
    )
    error_budget: Share | None = Field(
        None, description="The share of the window in which the promise may be broken.", examples=["0.5 %"]
    )
    counts: tuple[OutageOf, ...] | None = Field(
        None, description="Outages during which it is not available, of those that are claimed: [sink, job]."
    )


class Outage(Section):
    """Something that breaks, in four phases: detection, repair, restart, drain."""

    of: OutageOf = Field(
        description="What breaks: a job, worker or zone restarts; a source, broker or sink only blocks."
    )
    id: Name | None = Field(
        None, description="A name, when one kind of outage is claimed twice.", examples=["sink-at-night"]
    )
    job: Text | None = Field(
        None,
        description="Which job fails, or loses a worker, by its name in `stages[].job`; unstated, every one.",
        examples=["orders-mart"],
    )
    detect: Duration = Field(description="Until somebody, or something, has seen it.", examples=["5 min"])
    repair: Duration = Field(description="From there until it could run again.", examples=["54 min"])
    mean_time_between: Duration | None = Field(
        None, description="How often: the mean time from one to the next.", examples=["60 d"]
    )
    accepts_writes: Flag = Field(default=True, description="Whether producers can write meanwhile.")
    drain_target: Duration | None = Field(
        None, description="By when the backlog must be gone.", examples=["2 h"]
    )
    during: Literal["average", "peak"] = Field("peak", description="The load while it lasts and drains.")
    because: Text | None = Field(None, description="What happens, in words.", examples=["Debezium stops"])

    @model_validator(mode="after")
    def _of_a_job(self) -> Self:
        if self.job is not None and self.of not in {"job", "worker"}:
            raise ValueError(
                f"an outage of the {self.of} names a job, wanted `of: job` or `of: worker` for it"
            )
        return self
