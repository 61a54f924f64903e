"""How the schemas of a plan's datasets may change: the section `contracts`.

contracts:
  orders:                                     a source, a sink, or a dataset of a contract
    compatibility: FULL_TRANSITIVE
    versions: contracts/orders                dated versions: a folder, or a history file
    consumers: {loader: 1.0.0, fraud: {reads: 1.0.0, needs: [order_id], upgrade: 14 d}}
  rollout: [{at: 0 h, upgrade: loader, to: 1.1.0}, {at: 24 h, upgrade: checkout, to: 1.1.0}]
"""

from __future__ import annotations

from typing import Any, Literal

from pydantic import Field, model_validator

from pipelineplan.plan.section import (
    AtLeastOne,
    Day,
    Duration,
    Flag,
    Name,
    Reference,
    Section,
    Text,
    shorthand,
)

CompatibilityMode = Literal[
    "BACKWARD", "FORWARD", "FULL", "BACKWARD_TRANSITIVE", "FORWARD_TRANSITIVE", "FULL_TRANSITIVE", "NONE"
]


class Deprecation(Section):
    """A field or a version that goes away, and when."""

    field: Text | None = None
    version: Text | None = Field(None, description="A version that readers will no longer read.")
    announced: Day | None = None
    removed: Day | None = None
    last_written: Day | None = Field(
        None, description="When the last producer stops writing it; else when the next version begins."
    )

    @model_validator(mode="after")
    def _is_one(self) -> Deprecation:
        if (self.field is None) == (self.version is None):
            raise ValueError("wanted either a field or a version that goes")
        return self


class Reader(Section):
    """A consumer: the version that it reads today, the fields that it needs."""

    reads: Text
    needs: tuple[Text, ...] = Field((), description="Fields without which it cannot do its work.")
    upgrade: Duration | None = Field(None, description="From the announcement until it runs a new version.")

    @model_validator(mode="before")
    @classmethod
    def _short(cls, value: Any) -> Any:
        return shorthand(value, "reads")


class ContractPolicy(Section):
    """How the schema of one dataset may change."""

    compatibility: CompatibilityMode | None = None
    versions: Reference | None = Field(None, description="Dated versions: a folder, or a history file.")
    versioning: Text | None = None
    deprecations: tuple[Deprecation, ...] = ()
    deprecation_window: Duration | None = None
    breaking_changes: Text | None = Field(None, description="How a breaking change is made.")
    consumers: dict[str, Reader] = Field(
        default_factory=dict, description="Consumer and the version it reads."
    )
    producers: dict[str, Text] = Field(
        default_factory=dict, description="Producer and the version it writes; else the source's owner."
    )
    producer_drain: Duration | None = Field(
        None, description="For how long old producers go on once a new version has begun."
    )
    retention: Duration | None = Field(
        None, description="How long records are kept, where no source of this name says so."
    )
    logs: dict[str, Duration] = Field(
        default_factory=dict, description="Other places that records wait in: savepoints, snapshots."
    )
    allow: tuple[Text, ...] = Field((), description="Policies of `compat` that let a change pass.")
    refuse: tuple[Text, ...] = Field((), description="Policies of `compat` that do not.")

    @model_validator(mode="before")
    @classmethod
    def _short(cls, value: Any) -> Any:
        return shorthand(value, "compatibility")


class RolloutStep(Section):
    """One deployment of a schema rollout."""

    at: Duration
    upgrade: Name
    to: Text | AtLeastOne
    of: Text | None = Field(None, description="The dataset, where one name serves several.")
    canary: Flag = Field(default=False, description="The old version goes on beside the new one.")


class Contracts(Section):
    """Policies by dataset, and the rollout of the next version."""

    policies: dict[str, ContractPolicy] = Field(default_factory=dict)
    rollout: tuple[RolloutStep, ...] = ()
    rollback: tuple[RolloutStep, ...] = ()
    migration: Text | None = None

    @model_validator(mode="before")
    @classmethod
    def _by_dataset(cls, value: Any) -> Any:
        """Datasets stand beside `rollout` in the file; here they are gathered in `policies`."""
        if not isinstance(value, dict) or "policies" in value:
            return value
        own = {"rollout", "rollback", "migration", "notes"}
        return {
            **{key: value[key] for key in value if key in own},
            "policies": {key: value[key] for key in value if key not in own},
        }
