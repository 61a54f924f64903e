"""Rules about data, and what people decided, risk and vouch for."""

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

    min: float | Text | None = Field(
        None, description="The least value that is allowed: a number, or a date as text.", examples=[0]
    )
    max: float | Text | None = Field(
        None,
        description="The greatest value that is allowed: a number, or a date as text.",
        examples=[5000000],
    )


class QualityCheck(Section):
    """One check of one dataset, with its threshold."""

    id: Name | None = Field(
        None,
        description="The check's name; unstated, made of the dataset and the check.",
        examples=["order-id-present"],
    )
    dataset: Text = Field(
        description="A source's or sink's id, or a dataset of its contract.", examples=["orders"]
    )
    check: Literal[
        "freshness", "null", "unique", "referential", "domain", "range", "regex", "volume",
        "duplicate", "out_of_order", "drift", "sql",
    ] = Field(description="What is checked; which of the other keys it needs follows from it.")  # fmt: skip
    fields: tuple[Text, ...] = Field((), description="The fields that it looks at.", examples=[["order_id"]])
    threshold: Share | None = Field(
        None, description="The largest share of rows that may break it.", examples=["0.1 %"]
    )
    between: Between | None = None
    values: tuple[Text | float | int, ...] = Field(
        (), description="For domain: the values that are allowed.", examples=[["EUR", "GBP"]]
    )
    pattern: Text | None = Field(
        None,
        description="For regex: what a value must match; anchor it with ^ and $.",
        examples=["^[A-Z]{2}[0-9]{6}$"],
    )
    shares: dict[str, Share] | None = Field(
        None,
        description="For drift: the share of each value that is usual; together 100 %.",
        examples=[{"EUR": "70 %", "GBP": "30 %"}],
    )
    within: Duration | None = Field(
        None, description="For freshness: the greatest age of the newest row.", examples=["8 min"]
    )
    references: Text | None = Field(
        None, description="For referential: dataset.field", examples=["orders.store_id"]
    )
    sql: Text | None = Field(
        None,
        description="A SELECT of the rows that break the rule; {table} is the dataset.",
        examples=["SELECT * FROM {table} WHERE arrived_at < updated_at"],
    )
    severity: Literal["error", "warning", "info"] = Field("error", description="How much a breach weighs.")
    owner: Text | None = Field(None, description="Who is asked when it breaks.", examples=["checkout"])
    on_fail: Text | None = Field(
        None, description="What happens to the data, and who is told.", examples=["quarantine"]
    )

    @model_validator(mode="before")
    @classmethod
    def _one_field(cls, value: Any) -> Any:
        if isinstance(value, dict) and isinstance(value.get("fields"), str):
            return {**value, "fields": (value["fields"],)}
        return value


class Escalation(Section):
    """Who hears of drift, and after how long."""

    after_windows: AtLeastOne = Field(1, description="Windows in a row that must differ.", examples=[2])
    to: Text = Field(description="Who is told.", examples=["team-orders"])
    severity: Literal["error", "warning", "info"] = Field("error", description="How much it weighs.")


class EventTimeFields(Section):
    """The field with the event time on each side."""

    source: Text | None = Field(
        None, description="Default: the source's semantics.event_time.", examples=["updated_at"]
    )
    destination: Text | None = Field(
        None, description="Default: the same field as in the source.", examples=["minute"]
    )


class Latest(Section):
    """The source holds every version of its rows, and only the newest of each counts."""

    of: tuple[Text, ...] = Field(
        min_length=1, description="The fields that name a row.", examples=[["order_id"]]
    )
    by: Text = Field(description="The field whose highest value is the newest version.", examples=["lsn"])


class Balance(Section):
    """What the pipeline leaves out on purpose: datasets with the source's fields, by their --data name."""

    late_dropped: Text | None = Field(
        None, description="Records that came after their window was gone.", examples=["orders-too-late"]
    )
    dead_lettered: Text | None = Field(
        None, description="Records that could not be processed.", examples=["orders-dlq"]
    )
    filtered: Text | None = Field(
        None, description="Records that a stage leaves out by its own rule.", examples=["orders-filtered"]
    )


class Reconciliation(Section):
    """A source and a destination that must agree: source = destination + what the balance names."""

    id: Name | None = Field(None, description="The pair's name.", examples=["sales-in-equals-sales-out"])
    source: Name = Field(description="The source, stage or sink that is counted first.", examples=["orders"])
    destination: Name = Field(description="The stage or sink that must agree.", examples=["warehouse"])
    keys: tuple[Text, ...] = Field(
        (), description="The fields by which rows are matched.", examples=[["store_id", "minute"]]
    )
    measures: tuple[Text, ...] = Field(
        (), description="The fields that are added up and compared.", examples=[["amount_cents"]]
    )
    window: Duration | None = Field(
        None, description="The span of event time that is compared at one time.", examples=["5 min"]
    )
    event_time: EventTimeFields | None = None
    records: Text | None = Field(
        None,
        description="The destination's field that says how many of the source's records a row stands for.",
        examples=["changes"],
    )
    latest: Latest | None = None
    closes_after: Duration | None = Field(
        None,
        description="How long after its end, on the destination's committed watermark, a window may still "
        "change. Default: the allowed lateness on the way.",
        examples=["10 min"],
    )
    balance: Balance | None = None
    tolerance: Share | None = Field(
        None, description="The share by which the sides may differ.", examples=["0 %"]
    )
    direction: Literal["both", "source_to_destination"] = Field(
        "both", description="Whether what the destination has too much counts as well."
    )
    escalation: Escalation | None = None


class Decision(Section):
    """An architecture decision: what was chosen, over what, and why."""

    id: Name = Field(description="The decision's name.", examples=["ADR-7"])
    choice: Text = Field(
        description="What was chosen.", examples=["Tight watermark with a correction stream"]
    )
    because: Text | None = Field(None, description="Why it was chosen.", examples=["Payouts need the minute"])
    departs_from: Text | None = Field(
        None, description="The decision table it departs from, e.g. W-D3.", examples=["W-D3"]
    )
    alternatives: tuple[Text, ...] = Field(
        (), description="What was not chosen.", examples=[["A watermark lag of six minutes"]]
    )
    tradeoff: Text | None = Field(
        None,
        description="What is given up, and what it buys.",
        examples=["Some minutes are written twice, for an answer six minutes earlier"],
    )
    reviewed: Day | None = Field(
        None, description="The day on which it was last looked at.", examples=["2026-11-10"]
    )
    context: Text | None = Field(
        None,
        description="The problem and the constraints that it answers.",
        examples=["the nightly load ends after the payouts"],
    )
    consequences: Text | None = Field(
        None,
        description="What follows, good and bad, and what is left to do.",
        examples=["the database keeps its log for a slot"],
    )
    reversible: Flag | None = Field(None, description="Whether it can be taken back at little cost: false.")


class Risk(Section):
    """What may still go wrong, and whose it is."""

    id: Name | None = Field(None, description="The risk's name.", examples=["R-1"])
    risk: Text = Field(
        description="What may go wrong.", examples=["A new hot key that the salting does not know"]
    )
    likelihood: Literal["low", "medium", "high"] | None = Field(None, description="How likely it is.")
    impact: Literal["low", "medium", "high"] | None = Field(None, description="How bad it would be.")
    mitigation: Text | None = Field(
        None, description="What is done against it.", examples=["Skew alert, list of salted stores"]
    )
    owner: Text | None = Field(None, description="Whose it is.", examples=["team-orders"])
    residual: Text | None = Field(
        None, description="What is left of it then.", examples=["An hour of lag for one store"]
    )
    follow_up: Text | None = Field(
        None, description="What comes next, and when.", examples=["Salt by measured share in 2027"]
    )
    status: Literal["open", "mitigated", "accepted", "closed"] | None = Field(
        None, description="Where it stands: mitigated."
    )


class Attestation(Section):
    """What only a person can assert, with its date of expiry."""

    criterion: Text = Field(
        description="The criterion that is vouched for, as `contracts/criteria.yaml` numbers it.",
        examples=["S10.3"],
    )
    by: Text = Field(description="Who asserts it.", examples=["jane.doe"])
    at: Day = Field(description="The day on which it was asserted.", examples=["2026-11-01"])
    ref: Text | None = Field(
        None, description="Where it can be looked up.", examples=["https://wiki.example.org/drill-7"]
    )
    valid_for: Duration | None = Field(
        None, description="For how long it counts from that day.", examples=["180 d"]
    )


class Scan(Section):
    """Queries that somebody runs on the result, and what each reads."""

    of: Text = Field(description="What is queried.", examples=["warehouse"])
    queries: RecordRate | None = Field(None, description="How often it is queried.", examples=["60/min"])
    bytes: Size | None = Field(None, description="What one query reads after pruning.", examples=["75 GiB"])


class CapacityPolicy(Section):
    """How full the system may be, and the way to ten times the load."""

    growth_horizon: Duration | None = Field(
        None, description="How far ahead growth is reckoned.", examples=["180 d"]
    )
    max_utilisation: Share | None = Field(
        None, description="Of the busiest worker at peak.", examples=["70 %"]
    )
    failure_domains: Count | None = Field(
        None, description="Zones or racks that the workers are spread over.", examples=[3]
    )
    ten_times: Text | None = Field(
        None,
        description="The path to ten times the load.",
        examples=["240 partitions, and 120 subtasks over 120 key groups"],
    )
    price_file: Reference | None = Field(
        None, description="Prices of workers, storage and transfer.", examples=["prices.yaml"]
    )
    headroom: Number | None = Field(
        None, description="The share of capacity that is kept free, as a factor from 0 to 1.", examples=[0.3]
    )
    workers: AtLeastOne | None = Field(
        None,
        description="Workers that are paid for, where stages share them; else all subtasks.",
        examples=[18],
    )
    readers: Count | None = Field(
        None,
        description="Groups that read each log from its leader, this one too, for traffic.",
        examples=[2],
    )
    scans: tuple[Scan, ...] = Field((), description="Queries on the results, which are paid by bytes.")
    egress: Bandwidth | None = Field(
        None, description="What leaves the cloud or region.", examples=["2 MB/s"]
    )
    cost_alert: Text | None = Field(
        None, description="At which spending somebody hears of it.", examples=["80 %"]
    )
    idle_clean_up: Text | None = Field(
        None,
        description="How unused resources are found and removed.",
        examples=["unused disks are removed each week"],
    )
    autoscaling: Text | None = Field(
        None, description="By which signal, within which limits.", examples=["by lag, from 6 to 24 workers"]
    )
