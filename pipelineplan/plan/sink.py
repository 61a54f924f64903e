"""Where results become visible, to whom, and with which guarantee."""

from typing import Any, Literal

from pydantic import Field, model_validator

from pipelineplan.plan.section import (
    AtLeastOne,
    Duration,
    Flag,
    Name,
    RecordRate,
    Reference,
    Section,
    Text,
    shorthand,
)
from pipelineplan.plan.stage import Input


class SinkGuarantee(Section):
    """How results are made visible exactly once, or not."""

    kind: Literal["at_least_once", "idempotent", "transactional"] = Field(
        description="at_least_once repeats; idempotent overwrites; transactional shows what is committed."
    )
    timeout: Duration | None = Field(None, description="The transaction timeout.", examples=["15 min"])
    broker_max: Duration | None = Field(
        None, description="The largest timeout that the broker accepts.", examples=["15 min"]
    )
    two_phase_participation: Flag = Field(
        default=False, description="KIP-939: prepared transactions do not expire."
    )

    @model_validator(mode="before")
    @classmethod
    def _short(cls, value: Any) -> Any:
        return shorthand(value, "kind")


class Sink(Section):
    """A table, topic or interface that consumers read."""

    id: Name = Field(description="The sink's name, which SLOs refer to.", examples=["warehouse"])
    inputs: tuple[Input, ...] = Field(
        min_length=1, description="What it takes: stages or sources.", examples=[["count"]]
    )
    system: Text | None = Field(None, description="What kind of system, in words.", examples=["postgres"])
    table: Text | None = Field(
        None,
        description="The table's name in the real system (dbt: source.table), where the id is another.",
        examples=["raw.orders"],
    )
    owner: Text | None = Field(
        None, description="The team that answers for what is in it.", examples=["team-orders"]
    )
    consumers: tuple[Name, ...] = Field(
        (), description="Who reads it, by the names in context.consumers.", examples=[["finance-close"]]
    )
    contract: Reference | None = Field(
        None, description="The data contract of what is in it.", examples=["contracts/minute_sales.odcs.yaml"]
    )
    dataset: Text | None = Field(
        None, description="Which dataset of the contract, if it has several.", examples=["minute_sales"]
    )
    mode: Literal["append", "upsert", "changelog"] | None = Field(
        None, description="append adds rows; upsert replaces by key; changelog writes changes."
    )
    guarantee: SinkGuarantee | None = None
    idempotency_key: tuple[Text, ...] = Field(
        (),
        description="The fields by which a repeat overwrites what it wrote before.",
        examples=[["store_id", "minute"]],
    )
    capacity: RecordRate | None = Field(
        None, description="Records per second that one writer gets in.", examples=["200/s"]
    )
    writers: AtLeastOne | None = Field(
        None, description="Writers at one time; unstated, the subtasks of its input.", examples=[18]
    )
