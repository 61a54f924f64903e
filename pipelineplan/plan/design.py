"""The short facts that a production design review asks for (workflow design-spec)."""

from __future__ import annotations

from typing import Literal

from pydantic import Field

from pipelineplan.plan.section import Count, Name, Section, Size, Text


class Component(Section):
    """A part of the system."""

    id: Name
    does: Text | None = None
    owner: Text | None = None


class Interface(Section):
    """An API or event that others use."""

    id: Name
    kind: Literal["api", "event", "table", "file"]
    purpose: Text | None = None
    idempotency: Text | None = None
    pagination: Text | None = None
    versioning: Text | None = None


class Users(Section):
    """Who causes the load."""

    monthly: Count | None = None
    daily: Count | None = None
    requests_per_user_per_day: Count | None = None
    bytes_per_request: Size | None = None


class Design(Section):
    """Components, paths, regions, interfaces and the five platform choices."""

    components: tuple[Component, ...] = ()
    read_path: Text | None = None
    write_path: Text | None = None
    regions: tuple[Text, ...] = ()
    interfaces: tuple[Interface, ...] = ()
    users: Users | None = None
    storage: Text | None = None
    caching: Text | None = None
    consistency: Text | None = None
    async_backbone: Text | None = None
    multi_region: Text | None = None
    data_model: Text | None = None
    configuration: Text | None = None
    test_plan: tuple[Text, ...] = Field((), description="Kinds of test: unit, integration, load, failure.")
