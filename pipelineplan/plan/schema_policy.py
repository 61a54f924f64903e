"""How the schemas of a plan's datasets may change: the section `contracts`.

contracts:
  orders:                                     a source, a sink, or a dataset of a contract
    compatibility: FULL_TRANSITIVE
    versions: contracts/orders                dated versions: a folder, or a history file
    consumers: {loader: 1.0.0, fraud: {reads: 1.0.0, needs: [order_id], upgrade: 14 d}}
  rollout: [{at: 0 h, upgrade: loader, to: 1.1.0}, {at: 24 h, upgrade: checkout, to: 1.1.0}]
"""

from typing import Any, Literal, Self

from pydantic import Field, model_validator

from pipelineplan.contracts.evolution.rollout import MOST_STEPS
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

    field: Text | None = Field(
        None, description="A field that will no longer be written.", examples=["legacy_status"]
    )
    version: Text | None = Field(
        None, description="A version that readers will no longer read.", examples=["1.0.0"]
    )
    announced: Day | None = Field(None, description="When readers were told.", examples=["2026-11-01"])
    removed: Day | None = Field(None, description="When it is gone.", examples=["2027-03-01"])
    last_written: Day | None = Field(
        None,
        description="When the last producer stops writing it; else when the next version begins.",
        examples=["2027-02-01"],
    )

    @model_validator(mode="after")
    def _is_one(self) -> Self:
        if (self.field is None) == (self.version is None):
            raise ValueError("wanted either a field or a version that goes")
        return self


class Reader(Section):
    """A consumer: the version that it reads today, the fields that it needs."""

    reads: Text = Field(description="The version that it reads today.", examples=["1.0.0"])
    needs: tuple[Text, ...] = Field(
        (), description="Fields without which it cannot do its work.", examples=[["order_id"]]
    )
    upgrade: Duration | None = Field(
        None, description="From the announcement until it runs a new version.", examples=["14 d"]
    )

    @model_validator(mode="before")
    @classmethod
    def _short(cls, value: Any) -> Any:
        return shorthand(value, "reads")


class ContractPolicy(Section):
    """How the schema of one dataset may change."""

    compatibility: CompatibilityMode | None = Field(
        None, description="The mode that every new version keeps, as schema registries name it."
    )
    versions: Reference | None = Field(
        None, description="Dated versions: a folder, or a history file.", examples=["contracts/orders"]
    )
    versioning: Text | None = Field(
        None, description="How versions are named, in words.", examples=["semantic, with a file per version"]
    )
    deprecations: tuple[Deprecation, ...] = Field(
        (), description="Fields and versions that go, with their days."
    )
    deprecation_window: Duration | None = Field(
        None, description="How long what is announced is still written.", examples=["120 d"]
    )
    breaking_changes: Text | None = Field(
        None,
        description="How a breaking change is made.",
        examples=["A new field beside the old one, for the deprecation window"],
    )
    consumers: dict[str, Reader] = Field(
        default_factory=dict,
        description="Consumer and the version it reads.",
        examples=[{"billing": "1.0.0"}],
    )
    producers: dict[str, Text] = Field(
        default_factory=dict,
        description="Producer and the version it writes; else the source's owner.",
        examples=[{"checkout": "1.0.0"}],
    )
    producer_drain: Duration | None = Field(
        None, description="For how long old producers go on once a new version has begun.", examples=["1 h"]
    )
    retention: Duration | None = Field(
        None, description="How long records are kept, where no source of this name says so.", examples=["7 d"]
    )
    logs: dict[str, Duration] = Field(
        default_factory=dict,
        description="Other places that records wait in: savepoints, snapshots.",
        examples=[{"snapshots": "30 d"}],
    )
    allow: tuple[Text, ...] = Field((), description="Policies of `compat` that let a change pass.")
    refuse: tuple[Text, ...] = Field((), description="Policies of `compat` that do not.")

    @model_validator(mode="before")
    @classmethod
    def _short(cls, value: Any) -> Any:
        return shorthand(value, "compatibility")


class RolloutStep(Section):
    """One deployment of a schema rollout."""

    at: Duration = Field(description="When, counted from the beginning of the rollout.", examples=["24 h"])
    upgrade: Name = Field(description="The consumer or producer that is deployed.", examples=["loader"])
    to: Text | AtLeastOne = Field(description="The version that it goes to.", examples=["1.1.0"])
    of: Text | None = Field(
        None, description="The dataset, where one name serves several.", examples=["orders"]
    )
    canary: Flag = Field(default=False, description="The old version goes on beside the new one.")


class Contracts(Section):
    """Policies by dataset, and the rollout of the next version."""

    policies: dict[str, ContractPolicy] = Field(default_factory=dict)
    rollout: tuple[RolloutStep, ...] = Field(
        (), max_length=MOST_STEPS, description="The next version, step by step."
    )
    rollback: tuple[RolloutStep, ...] = Field(
        (), max_length=MOST_STEPS, description="The way back, step by step."
    )
    migration: Text | None = Field(
        None,
        description="How consumers are moved, in words.",
        examples=["One by one in the deprecation window"],
    )

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
