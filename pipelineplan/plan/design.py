"""The short facts that a production design review asks for (workflow design-spec)."""

from __future__ import annotations

from typing import Literal

from pydantic import Field

from pipelineplan.plan.section import Count, Name, Section, Size, Text


class Component(Section):
    """A part of the system."""

    id: Name = Field(description="The component's name.", examples=["api"])
    does: Text | None = Field(None, description="What it does.", examples=["Takes orders"])
    owner: Text | None = Field(None, description="The team that answers for it.", examples=["checkout"])


class Interface(Section):
    """An API or event that others use."""

    id: Name = Field(description="The interface's name.", examples=["orders-api"])
    kind: Literal["api", "event", "table", "file"] = Field(description="What kind of interface it is.")
    purpose: Text | None = Field(None, description="What others use it for.", examples=["Place an order"])
    idempotency: Text | None = Field(
        None, description="What makes a repeated call harmless.", examples=["an idempotency key per order"]
    )
    pagination: Text | None = Field(
        None, description="How long lists are read.", examples=["cursor, 100 per page"]
    )
    versioning: Text | None = Field(None, description="How it changes.", examples=["version in the path"])


class Users(Section):
    """Who causes the load."""

    monthly: Count | None = Field(None, description="Users who come in a month.", examples=[2000000])
    daily: Count | None = Field(None, description="Users who come in a day.", examples=[300000])
    requests_per_user_per_day: Count | None = Field(
        None, description="Requests of one user in a day.", examples=[20]
    )
    bytes_per_request: Size | None = Field(None, description="What one request transfers.", examples=["4 kB"])


class Design(Section):
    """Components, paths, regions, interfaces and the five platform choices."""

    components: tuple[Component, ...] = Field((), description="The parts of the system.")
    read_path: Text | None = Field(
        None, description="What a read goes through.", examples=["cache, then database"]
    )
    write_path: Text | None = Field(
        None, description="What a write goes through.", examples=["API, then topic, then table"]
    )
    regions: tuple[Text, ...] = Field((), description="Where it runs.", examples=[["eu-central-1"]])
    interfaces: tuple[Interface, ...] = Field(
        (), description="APIs, events, tables and files that others use."
    )
    users: Users | None = None
    storage: Text | None = Field(None, description="Which kind of store, and why.", examples=["relational"])
    caching: Text | None = Field(
        None, description="What is cached, and until when.", examples=["read-through, 5 min"]
    )
    consistency: Text | None = Field(
        None, description="What a reader sees after a write.", examples=["read your own writes"]
    )
    async_backbone: Text | None = Field(None, description="What carries events.", examples=["Kafka"])
    multi_region: Text | None = Field(
        None, description="How regions share work.", examples=["active-passive"]
    )
    data_model: Text | None = Field(
        None, description="The main entities, and what holds between them.", examples=["order, line, refund"]
    )
    configuration: Text | None = Field(
        None,
        description="Where settings live, and how they change.",
        examples=["a file per environment, in the repository"],
    )
    test_plan: tuple[Text, ...] = Field((), description="Kinds of test: unit, integration, load, failure.")
