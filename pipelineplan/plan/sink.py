"""Where results become visible, to whom, and with which guarantee."""

from __future__ import annotations

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

    kind: Literal["at_least_once", "idempotent", "transactional"]
    timeout: Duration | None = Field(None, description="The transaction timeout.")
    broker_max: Duration | None = Field(None, description="The largest timeout that the broker accepts.")
    two_phase_participation: Flag = Field(
        default=False, description="KIP-939: prepared transactions do not expire."
    )

    @model_validator(mode="before")
    @classmethod
    def _short(cls, value: Any) -> Any:
        return shorthand(value, "kind")


class Sink(Section):
    """A table, topic or interface that consumers read."""

    id: Name
    inputs: tuple[Input, ...] = Field(min_length=1)
    system: Text | None = None
    table: Text | None = Field(
        None, description="The table's name in the real system (dbt: source.table), where the id is another."
    )
    owner: Text | None = None
    consumers: tuple[Name, ...] = ()
    contract: Reference | None = None
    dataset: Text | None = None
    mode: Literal["append", "upsert", "changelog"] | None = None
    guarantee: SinkGuarantee | None = None
    idempotency_key: tuple[Text, ...] = ()
    capacity: RecordRate | None = Field(None, description="Records per second that one writer gets in.")
    writers: AtLeastOne | None = None
