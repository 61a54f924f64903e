"""What the plan promises, and what it claims to survive."""

from __future__ import annotations

from typing import Literal

from pydantic import Field, model_validator

from pipelineplan.plan.section import Duration, Flag, Name, Section, Share, Text


class Freshness(Section):
    """Time from a record's event time, or its window's end, until a reader sees it."""

    p50: Duration | None = None
    p95: Duration | None = None
    p99: Duration | None = None
    measured_from: Literal["record", "window_end"] = Field("record", alias="from")
    until: Literal["emitted", "committed_visible"] = "committed_visible"
    over: Literal["records", "time"] = "records"

    @model_validator(mode="after")
    def _has_a_target(self) -> Freshness:
        if not self.targets():
            raise ValueError("no target, wanted at least one of p50, p95, p99")
        return self

    def targets(self) -> tuple[tuple[str, float, Duration], ...]:
        """The targets given: name, probability and duration."""
        given = (("p50", 0.50, self.p50), ("p95", 0.95, self.p95), ("p99", 0.99, self.p99))
        return tuple((name, p, target) for name, p, target in given if target is not None)


class Completeness(Section):
    """The share of records, or of windows, that is in the result."""

    share: Share
    at: Literal["first", "final"] = "final"
    of: Literal["records", "windows"] = "records"


OutageOf = Literal["source", "broker", "job", "worker", "zone", "sink"]


class Slo(Section):
    """A promise about one sink or stage."""

    subject: Name = Field(alias="for", description="The sink or stage that it is about.")
    freshness: Freshness | None = None
    completeness: Completeness | None = None
    latency: Freshness | None = None
    availability: Share | None = None
    durability: Share | None = None
    window: Duration | None = Field(None, description="The window over which it is judged.")
    error_budget: Share | None = None
    counts: tuple[OutageOf, ...] | None = Field(
        None, description="Outages during which it is not available, of those that are claimed: [sink, job]."
    )


class Outage(Section):
    """Something that breaks, in four phases: detection, repair, restart, drain."""

    of: OutageOf
    id: Name | None = Field(None, description="A name, when one kind of outage is claimed twice.")
    detect: Duration
    repair: Duration
    mean_time_between: Duration | None = None
    accepts_writes: Flag = Field(default=True, description="Whether producers can write meanwhile.")
    drain_target: Duration | None = Field(None, description="By when the backlog must be gone.")
    during: Literal["average", "peak"] = Field("peak", description="The load while it lasts and drains.")
    because: Text | None = None
