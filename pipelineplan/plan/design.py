"""The short facts that a production design review asks for (workflow design-spec).

users -> requests/s -> components -> stores, caches, channels -> regions
"""

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
    """A part of the system."""

    id: Name = Field(description="The component's name.", examples=["api"])
    does: Text | None = Field(None, description="What it does.", examples=["Takes orders"])
    owner: Text | None = Field(None, description="The team that answers for it.", examples=["checkout"])
    kind: Literal["client", "api", "worker", "database", "cache", "broker", "external"] | None = Field(
        None, description="What it is; each kind has a load at which it is scaled out. Example: database."
    )
    instances: AtLeastOne | None = Field(
        None, description="Instances, or shards, that share the load.", examples=[3]
    )
    capacity: RecordRate | None = Field(
        None,
        description="What one instance carries, in requests (or messages) per second.",
        examples=["2_000/s"],
    )
    load: RecordRate | None = Field(
        None,
        description="What all instances get at peak, in requests (or messages) per second.",
        examples=["400/s"],
    )
    latency: Duration | None = Field(
        None, description="Mean time that it holds a request.", examples=["50 ms"]
    )
    data: Size | None = Field(None, description="Data on all instances.", examples=["800 GB"])
    memory: Share | None = Field(None, description="Of a cache: memory in use at peak.", examples=["70 %"])
    inputs: tuple[Name, ...] = Field(
        (), description="Components that call it, for the diagram.", examples=[["api"]]
    )


class Store(Section):
    """A data store: what is asked of it, and what was chosen."""

    id: Name = Field(description="The store's name.", examples=["catalogue"])
    kind: Literal[
        "relational", "key_value", "document", "time_series", "search", "graph", "object", "warehouse"
    ] | None = Field(None, description="The choice: relational, key_value, time_series ...")  # fmt: skip
    product: Text | None = Field(None, description="Which product.", examples=["PostgreSQL 16"])
    access: tuple[Access, ...] = Field(
        (), description="What is asked of it, the signals of the choice: [transactions, joins]."
    )
    reads: RecordRate | None = Field(None, description="Reads per second at peak.", examples=["3_000/s"])
    writes: RecordRate | None = Field(None, description="Writes per second at peak.", examples=["200/s"])
    data: Size | None = Field(None, description="Data in one copy now.", examples=["400 GB"])
    repeated_reads: Share | None = Field(
        None, description="Share of the reads that ask for what was read a moment ago.", examples=["80 %"]
    )
    hottest_key: Share | None = Field(
        None, description="Share of the requests for the hottest key.", examples=["3 %"]
    )
    key_aware: Flag = Field(default=False, description="Whether shards are chosen with the hot key in mind.")
    source_of_truth: Flag = Field(default=False, description="Whether the other stores are derived from it.")
    daily: Size | None = Field(None, description="New data a day in one copy, today.", examples=["5 TB"])
    growth: Growth | None = Field(
        None,
        description="How the daily data grows, compounding each month of 30 days.",
        examples=["4 %/month"],
    )
    replication: AtLeastOne | None = Field(None, description="Copies of everything.", examples=[3])
    retention: Duration | None = Field(
        None, description="How long data is kept; for ever if not said.", examples=["90 d"]
    )
    first_year: Size | None = Field(
        None, description="Disk that is planned for the first year, all copies.", examples=["5.5 PB"]
    )


class Cache(Section):
    """A cache in front of a store."""

    id: Name = Field(description="The cache's name.", examples=["catalogue-cache"])
    of: Name = Field(description="The store that it stands in front of.", examples=["tracks"])
    pattern: Literal[
        "read_through", "cache_aside", "write_through", "write_behind", "materialized_view"
    ] | None = Field(None, description="How it is filled: read_through.")  # fmt: skip
    scope: Literal["local", "shared", "edge"] | None = Field(
        None, description="In the process, shared by all, or at the edge: shared."
    )
    ttl: Duration | None = Field(None, description="After which an entry is read again.", examples=["5 min"])
    invalidation: Text | None = Field(
        None, description="How a changed value leaves it.", examples=["purge on write"]
    )


class Flow(Section):
    """One workflow of the users, and the consistency that it gets."""

    id: Name = Field(description="The workflow's name.", examples=["pay"])
    does: Text | None = Field(None, description="What the user does.", examples=["pays for a subscription"])
    concerns: Literal[
        "money", "identity", "inventory", "settings", "collaboration", "feed", "search", "analytics",
        "recommendations",
    ] | None = Field(None, description="What it is about, the signal of the choice: money.")  # fmt: skip
    consistency: Literal[
        "strong", "read_your_writes", "causal", "bounded_staleness", "eventual"
    ] | None = Field(None, description="What a reader may count on: strong.")  # fmt: skip
    staleness: Duration | None = Field(
        None, description="The oldest that a bounded read may be.", examples=["5 s"]
    )
    writes_in: Literal["one_region", "every_region"] | None = Field(
        None, description="Where it is written: one_region."
    )
    conflicts: Text | None = Field(
        None, description="What happens when two regions write the same.", examples=["the home region wins"]
    )


class Channel(Section):
    """How work or events get from one component to another."""

    id: Name = Field(description="The channel's name.", examples=["mails"])
    kind: Literal["queue", "log", "call"] | None = Field(
        None, description="A queue with workers, a log that keeps its records, or a call that waits: queue."
    )
    carries: Literal["tasks", "events"] | None = Field(None, description="What is on it: tasks.")
    ordered: Flag = Field(default=False, description="Whether the order of what it carries matters.")
    replayed: Flag = Field(default=False, description="Whether what was carried is read again later.")
    user_waits: Flag = Field(default=False, description="Whether a user waits for the far end.")
    bound: Count | None = Field(None, description="The most that may wait on it.", examples=[100000])
    load: RecordRate | None = Field(None, description="What arrives on it at peak.", examples=["5_000/s"])
    drains: RecordRate | None = Field(None, description="What its readers take.", examples=["8_000/s"])
    overflow: Text | None = Field(
        None, description="What happens when it is full.", examples=["reject with 429"]
    )


class Placement(Section):
    """Where the system runs: regions, what may leave them, and what is survived."""

    modes: tuple[
        Literal["single_region", "region_local", "read_replicas", "active_passive", "active_active"], ...
    ] = Field((), description="The choice, several where they work together: [read_replicas].")
    residency: tuple[Text, ...] = Field(
        (), description="Data that may not leave its region.", examples=[["EU customers"]]
    )
    readers: Literal["one_region", "worldwide"] | None = Field(
        None, description="Where those sit who read and must not wait: worldwide."
    )
    survives: Literal["instance", "zone", "region"] | None = Field(
        None, description="The largest thing whose loss the system survives: region."
    )
    zones: AtLeastOne | None = Field(None, description="Zones that each region runs in.", examples=[3])
    replication_lag: Duration | None = Field(
        None, description="How far the other region may lie behind, at p99.", examples=["30 s"]
    )


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
    errors: Text | None = Field(
        None, description="How it says that something is wrong.", examples=["problem+json"]
    )


class Entity(Section):
    """A thing that the system knows about."""

    id: Name = Field(description="The entity's name.", examples=["track"])
    key: tuple[Text, ...] = Field((), description="The fields that name one.", examples=[["track_id"]])
    fields: tuple[Text, ...] = Field((), description="What is known of it.", examples=[["title", "artist"]])
    store: Name | None = Field(None, description="The store that holds it.", examples=["catalogue"])


class LoadTest(Section):
    """A test under load, and the most that it drove."""

    kind: Literal["baseline", "stress", "spike", "soak"] = Field(description="What kind of load it drives.")
    rate: RecordRate | None = Field(
        None, description="The most that was or will be driven.", examples=["1_200/s"]
    )
    lasting: Duration | None = Field(None, description="For how long.", examples=["8 h"])
    result: Text | None = Field(None, description="Where the result is.", examples=["results/stress.md"])


class Users(Section):
    """Who causes the load."""

    monthly: Count | None = Field(None, description="Users who come in a month.", examples=[2000000])
    daily: Count | None = Field(None, description="Users who come in a day.", examples=[300000])
    requests_per_user_per_day: Count | None = Field(
        None, description="Requests of one user in a day.", examples=[20]
    )
    bytes_per_request: Size | None = Field(None, description="What one request transfers.", examples=["4 kB"])
    peak_factor: Number | None = Field(
        None, description="Peak over average rate; 3 to 5 is usual.", examples=[4.0]
    )
    average: RecordRate | None = Field(
        None, description="Requests per second that are planned for.", examples=["120/s"]
    )
    peak: RecordRate | None = Field(None, description="The same at peak.", examples=["400/s"])
    bandwidth: Bandwidth | None = Field(
        None, description="Network that is planned for, at peak.", examples=["2.5 GB/s"]
    )
    source: Name | None = Field(
        None, description="The source of this plan that their requests feed.", examples=["plays"]
    )
    events_per_request: Number | None = Field(
        None, description="Records in that source for each request.", examples=[1.2]
    )


class Threat(Section):
    """What an attacker could do, and what stands against it."""

    threat: Text = Field(
        description="What an attacker could do.", examples=["Writes orders that nobody placed"]
    )
    kind: Literal[
        "spoofing", "tampering", "repudiation", "disclosure", "denial", "elevation"
    ] | None = Field(None, description="The letter of STRIDE that it is: tampering.")  # fmt: skip
    mitigation: Text | None = Field(None, description="What stands against it.", examples=["mTLS and an ACL"])


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
    stores: tuple[Store, ...] = Field((), description="Where data lives; `storage` says why in a sentence.")
    caches: tuple[Cache, ...] = Field((), description="Caches in front of the stores.")
    workflows: tuple[Flow, ...] = Field((), description="Consistency, one workflow at a time.")
    channels: tuple[Channel, ...] = Field((), description="Queues, logs and calls between components.")
    placement: Placement | None = None
    entities: tuple[Entity, ...] = Field((), description="The core entities with their key fields.")
    load_tests: tuple[LoadTest, ...] = Field((), description="Baseline, stress, spike and soak tests.")
    threats: tuple[Threat, ...] = Field((), description="The threat model, one threat at a time.")
    algorithms: Text | None = Field(
        None,
        description="The principal algorithms, step by step.",
        examples=["keep the last change per order, sum the differences"],
    )
    environments: Text | None = Field(
        None,
        description="How dev, staging and prod are kept alike.",
        examples=["one module, a hundredth of the load in staging"],
    )
    infrastructure: Text | None = Field(
        None,
        description="Where its code lies, and who keeps its state.",
        examples=["Terraform in infra/, state remote and locked"],
    )
    deployment: Text | None = Field(
        None, description="How a release gets there.", examples=["pipeline, steps, approval"]
    )
    health_checks: Text | None = Field(
        None, description="Readiness, liveness, smoke tests.", examples=["/ready, /live"]
    )
