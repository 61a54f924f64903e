"""Rules about data, and what people decided, risk and vouch for."""

from __future__ import annotations

from typing import Any, Literal

from pydantic import Field, model_validator

from pipelineplan.plan.section import (
    AtLeastOne,
    Bandwidth,
    Count,
    Day,
    Duration,
    Flag,
    Name,
    Number,
    RecordRate,
    Reference,
    Section,
    Share,
    Size,
    Text,
)


class Between(Section):
    """Bounds, both inclusive; either may be left open."""

    min: float | Text | None = None
    max: float | Text | None = None


class QualityCheck(Section):
    """One check of one dataset, with its threshold."""

    id: Name | None = None
    dataset: Text = Field(description="A source's or sink's id, or a dataset of its contract.")
    check: Literal[
        "freshness", "null", "unique", "referential", "domain", "range", "regex", "volume",
        "duplicate", "out_of_order", "drift", "sql",
    ]  # fmt: skip
    fields: tuple[Text, ...] = ()
    threshold: Share | None = Field(None, description="The largest share of rows that may break it.")
    between: Between | None = None
    values: tuple[Text | float | int, ...] = ()
    pattern: Text | None = None
    shares: dict[str, Share] | None = Field(
        None, description="For drift: the share of each value that is usual; together 100 %."
    )
    within: Duration | None = Field(None, description="For freshness: the greatest age of the newest row.")
    references: Text | None = Field(None, description="For referential: dataset.field")
    sql: Text | None = Field(
        None, description="A SELECT of the rows that break the rule; {table} is the dataset."
    )
    severity: Literal["error", "warning", "info"] = "error"
    owner: Text | None = None
    on_fail: Text | None = Field(None, description="What happens to the data, and who is told.")

    @model_validator(mode="before")
    @classmethod
    def _one_field(cls, value: Any) -> Any:
        if isinstance(value, dict) and isinstance(value.get("fields"), str):
            return {**value, "fields": (value["fields"],)}
        return value


class Escalation(Section):
    """Who hears of drift, and after how long."""

    after_windows: AtLeastOne = 1
    to: Text
    severity: Literal["error", "warning", "info"] = "error"


class EventTimeFields(Section):
    """The field with the event time on each side."""

    source: Text | None = Field(None, description="Default: the source's semantics.event_time.")
    destination: Text | None = Field(None, description="Default: the same field as in the source.")


class Latest(Section):
    """The source holds every version of its rows, and only the newest of each counts."""

    of: tuple[Text, ...] = Field(min_length=1, description="The fields that name a row.")
    by: Text = Field(description="The field whose highest value is the newest version.")


class Balance(Section):
    """What the pipeline leaves out on purpose: datasets with the source's fields, by their --data name."""

    late_dropped: Text | None = Field(None, description="Records that came after their window was gone.")
    dead_lettered: Text | None = Field(None, description="Records that could not be processed.")
    filtered: Text | None = Field(None, description="Records that a stage leaves out by its own rule.")


class Reconciliation(Section):
    """A source and a destination that must agree: source = destination + what the balance names."""

    id: Name | None = None
    source: Name
    destination: Name
    keys: tuple[Text, ...] = ()
    measures: tuple[Text, ...] = ()
    window: Duration | None = None
    event_time: EventTimeFields | None = None
    records: Text | None = Field(
        None,
        description="The destination's field that says how many of the source's records a row stands for.",
    )
    latest: Latest | None = None
    closes_after: Duration | None = Field(
        None,
        description="How long after its end, on the destination's committed watermark, a window may still "
        "change. Default: the allowed lateness on the way.",
    )
    balance: Balance | None = None
    tolerance: Share | None = None
    direction: Literal["both", "source_to_destination"] = "both"
    escalation: Escalation | None = None


class Decision(Section):
    """An architecture decision: what was chosen, over what, and why."""

    id: Name
    choice: Text
    because: Text | None = None
    departs_from: Text | None = Field(None, description="The decision table it departs from, e.g. W-D3.")
    alternatives: tuple[Text, ...] = ()
    tradeoff: Text | None = None
    reviewed: Day | None = None
    context: Text | None = Field(None, description="The problem and the constraints that it answers.")
    consequences: Text | None = Field(None, description="What follows, good and bad, and what is left to do.")
    reversible: Flag | None = Field(None, description="Whether it can be taken back at little cost: false.")


class Risk(Section):
    """What may still go wrong, and whose it is."""

    id: Name | None = None
    risk: Text
    likelihood: Literal["low", "medium", "high"] | None = None
    impact: Literal["low", "medium", "high"] | None = None
    mitigation: Text | None = None
    owner: Text | None = None
    residual: Text | None = None
    follow_up: Text | None = None
    status: Literal["open", "mitigated", "accepted", "closed"] | None = Field(
        None, description="Where it stands: mitigated."
    )
    reviewed: Day | None = Field(None, description="When it was last looked at: 2026-11-10.")


class Attestation(Section):
    """What only a person can assert, with its date of expiry."""

    criterion: Text
    by: Text
    at: Day
    ref: Text | None = None
    valid_for: Duration | None = None


class Scan(Section):
    """Queries that somebody runs on the result, and what each reads."""

    of: Text = Field(description="What is queried: warehouse.")
    queries: RecordRate | None = Field(None, description="How often it is queried: 60/min.")
    bytes: Size | None = Field(None, description="What one query reads after pruning: 75 GiB.")


class CapacityPolicy(Section):
    """How full the system may be, and the way to ten times the load."""

    growth_horizon: Duration | None = None
    max_utilisation: Share | None = Field(None, description="Of the busiest worker at peak.")
    failure_domains: Count | None = Field(
        None, description="Zones or racks that the workers are spread over."
    )
    ten_times: Text | None = Field(None, description="The path to ten times the load.")
    price_file: Reference | None = Field(
        None, description="Your own prices; without one only quantities are said: prices.yaml."
    )
    headroom: Number | None = None
    workers: AtLeastOne | None = Field(
        None, description="Workers that are paid for, where stages share them; else all subtasks: 18."
    )
    readers: Count | None = Field(
        None, description="Groups that read each log from its leader, this one too, for traffic: 2."
    )
    scans: tuple[Scan, ...] = Field((), description="Queries on the results, which are paid by bytes.")
    egress: Bandwidth | None = Field(None, description="What leaves the cloud or region: 2 MB/s.")
    cost_alert: Text | None = Field(None, description="At which spending somebody hears of it: 80 %.")
    idle_clean_up: Text | None = Field(None, description="How unused resources are found and removed.")
    autoscaling: Text | None = Field(None, description="By which signal, within which limits.")
