"""The short facts that a production design review asks for (workflow design-spec).

users -> requests/s -> components -> stores, caches, channels -> regions
"""

from __future__ import annotations

from typing import Literal

from pydantic import Field

from pipelineplan.plan.section import (
    AtLeastOne,
    Bandwidth,
    Count,
    Duration,
    Flag,
    Growth,
    Name,
    Number,
    RecordRate,
    Section,
    Share,
    Size,
    Text,
)

Access = Literal[
    "transactions", "joins", "key_lookup", "time_range", "full_text", "documents", "graph", "blobs",
    "aggregates",
]  # fmt: skip


class Component(Section):
    """A part of the system, and what one instance of it can carry."""

    id: Name
    does: Text | None = None
    owner: Text | None = None
    kind: Literal["client", "api", "worker", "database", "cache", "broker", "external"] | None = Field(
        None, description="What it is; each kind has a load at which it is scaled out. Example: database."
    )
    instances: AtLeastOne | None = Field(None, description="Instances, or shards, that share the load: 3.")
    capacity: RecordRate | None = Field(
        None, description="What one instance carries, in requests (or messages) per second: 2_000/s."
    )
    load: RecordRate | None = Field(
        None, description="What all instances get at peak, in requests (or messages) per second: 400/s."
    )
    latency: Duration | None = Field(None, description="Mean time that it holds a request: 50 ms.")
    data: Size | None = Field(None, description="Data on all instances: 800 GB.")
    memory: Share | None = Field(None, description="Of a cache: memory in use at peak: 70 %.")
    inputs: tuple[Name, ...] = Field((), description="Components that call it, for the diagram: [api].")


class Store(Section):
    """A data store: what is asked of it, and what was chosen."""

    id: Name
    kind: Literal[
        "relational", "key_value", "document", "time_series", "search", "graph", "object", "warehouse"
    ] | None = Field(None, description="The choice: relational, key_value, time_series ...")  # fmt: skip
    product: Text | None = Field(None, description="Which product: PostgreSQL 16.")
    access: tuple[Access, ...] = Field(
        (), description="What is asked of it, the signals of the choice: [transactions, joins]."
    )
    reads: RecordRate | None = Field(None, description="Reads per second at peak: 3_000/s.")
    writes: RecordRate | None = Field(None, description="Writes per second at peak: 200/s.")
    data: Size | None = Field(None, description="Data in one copy now: 400 GB.")
    repeated_reads: Share | None = Field(
        None, description="Share of the reads that ask for what was read a moment ago: 80 %."
    )
    hottest_key: Share | None = Field(None, description="Share of the requests for the hottest key: 3 %.")
    key_aware: Flag = Field(default=False, description="Whether shards are chosen with the hot key in mind.")
    source_of_truth: Flag = Field(default=False, description="Whether the other stores are derived from it.")
    daily: Size | None = Field(None, description="New data a day in one copy, today: 5 TB.")
    growth: Growth | None = Field(
        None, description="How the daily data grows, compounding each month of 30 days: 4 %/month."
    )
    replication: AtLeastOne | None = Field(None, description="Copies of everything: 3.")
    retention: Duration | None = Field(None, description="How long data is kept; for ever if not said: 90 d.")
    first_year: Size | None = Field(
        None, description="Disk that is planned for the first year, all copies: 5.5 PB."
    )


class Cache(Section):
    """A cache in front of a store."""

    id: Name
    of: Name = Field(description="The store that it stands in front of: tracks.")
    pattern: Literal[
        "read_through", "cache_aside", "write_through", "write_behind", "materialized_view"
    ] | None = Field(None, description="How it is filled: read_through.")  # fmt: skip
    scope: Literal["local", "shared", "edge"] | None = Field(
        None, description="In the process, shared by all, or at the edge: shared."
    )
    ttl: Duration | None = Field(None, description="After which an entry is read again: 5 min.")
    invalidation: Text | None = Field(None, description="How a changed value leaves it: purge on write.")


class Flow(Section):
    """One workflow of the users, and the consistency that it gets."""

    id: Name
    does: Text | None = Field(None, description="What the user does: pays for a subscription.")
    concerns: Literal[
        "money", "identity", "inventory", "settings", "collaboration", "feed", "search", "analytics",
        "recommendations",
    ] | None = Field(None, description="What it is about, the signal of the choice: money.")  # fmt: skip
    consistency: Literal[
        "strong", "read_your_writes", "causal", "bounded_staleness", "eventual"
    ] | None = Field(None, description="What a reader may count on: strong.")  # fmt: skip
    staleness: Duration | None = Field(None, description="The oldest that a bounded read may be: 5 s.")
    writes_in: Literal["one_region", "every_region"] | None = Field(
        None, description="Where it is written: one_region."
    )
    conflicts: Text | None = Field(
        None, description="What happens when two regions write the same: the home region wins."
    )


class Channel(Section):
    """How work or events get from one component to another."""

    id: Name
    kind: Literal["queue", "log", "call"] | None = Field(
        None, description="A queue with workers, a log that keeps its records, or a call that waits: queue."
    )
    carries: Literal["tasks", "events"] | None = Field(None, description="What is on it: tasks.")
    ordered: Flag = Field(default=False, description="Whether the order of what it carries matters.")
    replayed: Flag = Field(default=False, description="Whether what was carried is read again later.")
    user_waits: Flag = Field(default=False, description="Whether a user waits for the far end.")
    bound: Count | None = Field(None, description="The most that may wait on it: 100_000.")
    load: RecordRate | None = Field(None, description="What arrives on it at peak: 5_000/s.")
    drains: RecordRate | None = Field(None, description="What its readers take: 8_000/s.")
    overflow: Text | None = Field(None, description="What happens when it is full: reject with 429.")


class Placement(Section):
    """Where the system runs: regions, what may leave them, and what is survived."""

    modes: tuple[
        Literal["single_region", "region_local", "read_replicas", "active_passive", "active_active"], ...
    ] = Field((), description="The choice, several where they work together: [read_replicas].")
    residency: tuple[Text, ...] = Field((), description="Data that may not leave its region: [EU customers].")
    readers: Literal["one_region", "worldwide"] | None = Field(
        None, description="Where those sit who read and must not wait: worldwide."
    )
    survives: Literal["instance", "zone", "region"] | None = Field(
        None, description="The largest thing whose loss the system survives: region."
    )
    zones: AtLeastOne | None = Field(None, description="Zones that each region runs in: 3.")
    replication_lag: Duration | None = Field(
        None, description="How far the other region may lie behind, at p99: 30 s."
    )


class Interface(Section):
    """An API or event that others use."""

    id: Name
    kind: Literal["api", "event", "table", "file"]
    purpose: Text | None = None
    idempotency: Text | None = None
    pagination: Text | None = None
    versioning: Text | None = None
    errors: Text | None = Field(None, description="How it says that something is wrong: problem+json.")


class Entity(Section):
    """A thing that the system knows about."""

    id: Name
    key: tuple[Text, ...] = Field((), description="The fields that name one: [track_id].")
    fields: tuple[Text, ...] = Field((), description="What is known of it: [title, artist].")
    store: Name | None = Field(None, description="The store that holds it: catalogue.")


class LoadTest(Section):
    """A test under load, and the most that it drove."""

    kind: Literal["baseline", "stress", "spike", "soak"]
    rate: RecordRate | None = Field(None, description="The most that was or will be driven: 1_200/s.")
    lasting: Duration | None = Field(None, description="For how long: 8 h.")
    result: Text | None = Field(None, description="Where the result is: results/stress.md.")


class Users(Section):
    """Who causes the load."""

    monthly: Count | None = None
    daily: Count | None = None
    requests_per_user_per_day: Count | None = None
    bytes_per_request: Size | None = None
    peak_factor: Number | None = Field(None, description="Peak over average rate; 3 to 5 is usual: 4.")
    average: RecordRate | None = Field(None, description="Requests per second that are planned for: 120/s.")
    peak: RecordRate | None = Field(None, description="The same at peak: 400/s.")
    bandwidth: Bandwidth | None = Field(None, description="Network that is planned for, at peak: 2.5 GB/s.")
    source: Name | None = Field(None, description="The source of this plan that their requests feed: plays.")
    events_per_request: Number | None = Field(
        None, description="Records in that source for each request: 1.2."
    )


class Threat(Section):
    """What an attacker could do, and what stands against it."""

    threat: Text
    kind: Literal[
        "spoofing", "tampering", "repudiation", "disclosure", "denial", "elevation"
    ] | None = Field(None, description="The letter of STRIDE that it is: tampering.")  # fmt: skip
    mitigation: Text | None = None


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
    stores: tuple[Store, ...] = Field((), description="Where data lives; `storage` says why in a sentence.")
    caches: tuple[Cache, ...] = Field((), description="Caches in front of the stores.")
    workflows: tuple[Flow, ...] = Field((), description="Consistency, one workflow at a time.")
    channels: tuple[Channel, ...] = Field((), description="Queues, logs and calls between components.")
    placement: Placement | None = Field(None, description="Regions and zones, and what is survived.")
    entities: tuple[Entity, ...] = Field((), description="The core entities with their key fields.")
    load_tests: tuple[LoadTest, ...] = Field((), description="Baseline, stress, spike and soak tests.")
    threats: tuple[Threat, ...] = Field((), description="The threat model, one threat at a time.")
    algorithms: Text | None = Field(None, description="The principal algorithms, step by step.")
    environments: Text | None = Field(None, description="How dev, staging and prod are kept alike.")
    infrastructure: Text | None = Field(None, description="Where its code lies, and who keeps its state.")
    deployment: Text | None = Field(None, description="How a release gets there: pipeline, steps, approval.")
    health_checks: Text | None = Field(None, description="Readiness, liveness, smoke tests: /ready, /live.")
