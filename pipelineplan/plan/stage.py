"""What happens to records on the way: exchange, capacity, windows, state, checkpoints, retries."""

from __future__ import annotations

from typing import Any, Literal

from pydantic import Field, model_validator

from pipelineplan.plan.section import (
    AtLeastOne,
    Bandwidth,
    Count,
    Duration,
    Flag,
    Name,
    Number,
    RecordRate,
    Section,
    Share,
    Size,
    Text,
    shorthand,
)

Exchange = Literal["forward", "keyed", "rebalance"]


class Input(Section):
    """Where a stage or sink reads from, and how records are spread over its workers."""

    upstream: Name = Field(alias="from", description="A source or stage.")
    exchange: Exchange = Field("forward", description="forward keeps partitions; keyed hashes a key.")
    key: Text | None = None
    selectivity: Number = Field(
        1.0, description="Records out of the upstream that reach this input, as a factor."
    )

    @model_validator(mode="before")
    @classmethod
    def _short(cls, value: Any) -> Any:
        return shorthand(value, "from")


class Parallelism(Section):
    """Subtasks now, and the most that state can be spread over."""

    now: AtLeastOne
    max: AtLeastOne | None = Field(None, description="Key groups; unstated, Flink's default for `now`.")

    @model_validator(mode="before")
    @classmethod
    def _short(cls, value: Any) -> Any:
        return shorthand(value, "now")

    @property
    def key_groups(self) -> int:
        """The groups that keys are dealt out in: `max`, or what Flink would choose for `now`.

        The next power of two from 1.5 * now, between 128 and 32,768 (Flink documentation, "Set the
        maximum parallelism").
        """
        wanted = -(-3 * self.now // 2)
        return self.max or min(32_768, max(128, 1 << (wanted - 1).bit_length()))


class Window(Section):
    """How records are grouped by event time; exactly one of the kinds."""

    fixed: Duration | None = None
    sliding: Duration | None = Field(None, description="Length of a sliding window; give `every` too.")
    every: Duration | None = None
    session: Duration | None = Field(None, description="Gap that ends a session.")
    allowed_lateness: Duration | None = Field(None, description="How long a fired window stays open.")
    trigger: Text | None = None
    accumulation: Literal["accumulating", "discarding"] | None = None

    @model_validator(mode="after")
    def _one_kind(self) -> Window:
        given = [kind for kind in (self.fixed, self.sliding, self.session) if kind is not None]
        if len(given) != 1:
            raise ValueError("wanted exactly one of fixed, sliding, session")
        return self


class LateRoute(Section):
    """Where records go that come after their window is gone."""

    to: Literal["drop", "side_output", "correction"]
    owner: Text | None = None
    alert: Share | None = Field(None, description="The share of late records that raises an alert.")


class Join(Section):
    """A stateful join of the inputs."""

    kind: Literal["inner", "left", "interval", "temporal", "lookup"]
    retention: Duration | None = None


class State(Section):
    """What a stage remembers: how much, for how long, and how fast it is written and read back."""

    keys: Count | None = None
    bytes_per_key: Size | None = None
    amplification: Number = Field(1.0, description="Bytes stored per byte of state.")
    ttl: Ttl | None = None
    backend: Literal["heap", "rocksdb", "forst", "external"] | None = None
    changed_per_interval: Share | None = Field(None, description="The share of state a checkpoint writes.")
    bandwidth: Bandwidth | None = Field(None, description="Write bandwidth of one subtask.")
    restore_bandwidth: Bandwidth | None = Field(None, description="Read bandwidth of one subtask.")
    budget: Size | None = None


class Ttl(Section):
    """When state of a key is forgotten, and by which clock."""

    time: Duration
    clock: Literal["event", "processing"] = "processing"

    @model_validator(mode="before")
    @classmethod
    def _short(cls, value: Any) -> Any:
        return shorthand(value, "time")


class Checkpoint(Section):
    """When progress is made durable, and how long it takes to come back from it."""

    interval: Duration | None = None
    timeout: Duration | None = Field(None, description="Flink's default is 10 min.")
    min_pause: Duration | None = None
    duration: Duration | None = Field(None, description="Measured; else computed from state and bandwidth.")
    stall: Duration | None = Field(
        None, description="For how long processing stands still for one: alignment and the synchronous part."
    )
    mode: Literal["aligned", "unaligned"] = "aligned"
    incremental: Flag = Field(default=False)
    tolerable_failures: Count | None = None
    restart: Duration | None = Field(None, description="Time to be running again before state is restored.")


class Backoff(Section):
    """Waiting between attempts."""

    first: Duration
    cap: Duration | None = None
    factor: Number = 2.0
    jitter: Literal["none", "full", "decorrelated"] = "none"


class Retry(Section):
    """What happens when one record fails."""

    attempts: AtLeastOne = Field(description="Tries in all, the first one included.")
    blocking: Flag = Field(default=True, description="Whether records behind it wait.")
    backoff: Backoff | None = None
    failure_share: Share | None = Field(None, description="Records that fail every attempt.")


class DeadLetters(Section):
    """Where records go that cannot be processed."""

    topic: Text | None = None
    owner: Text | None = None
    retention: Duration | None = None
    triage: Duration | None = Field(None, description="How long until somebody has looked.")
    alert: DeadLetterAlert | None = None


class DeadLetterAlert(Section):
    """When somebody is called: by age of the oldest record, by number."""

    age: Duration | None = None
    depth: Count | None = None


class Files(Section):
    """What a stage writes to a table or lake."""

    interval: Duration | None = None
    writers: AtLeastOne | None = None
    partitions: AtLeastOne | None = None
    compaction: Text | None = None


class Autoscaling(Section):
    """When and how far parallelism follows the load."""

    minimum: AtLeastOne | None = None
    maximum: AtLeastOne | None = None
    target_utilisation: Share | None = None
    restart: Duration | None = None


class Determinism(Section):
    """What makes a replay give other results."""

    lookups: tuple[Text, ...] = ()
    processing_time: Flag = Field(default=False)


class Stage(Section):
    """One processing step."""

    id: Name
    layer: Literal["raw", "staging", "intermediate", "mart", "serving"] | None = None
    purpose: Text | None = None
    inputs: tuple[Input, ...] = Field(min_length=1)
    engine: Literal["flink", "beam", "spark", "kafka_streams", "dbt", "sql", "custom"] | None = None
    parallelism: Parallelism | None = None
    capacity: RecordRate | None = Field(
        None, description="Input records per second of one subtask, uncompressed, checkpoints on."
    )
    service_cv: Number | None = Field(None, description="Coefficient of variation of the service time.")
    buffer: Count | None = Field(None, description="Records that fit between this stage and the one before.")
    window: Window | None = None
    late: LateRoute | None = None
    join: Join | None = None
    mode: Literal["incremental", "recompute"] | None = None
    files: Files | None = None
    state: State | None = None
    checkpoint: Checkpoint | None = None
    retry: Retry | None = None
    dead_letters: DeadLetters | None = None
    guarantee: Literal["at_most_once", "at_least_once", "exactly_once"] | None = None
    determinism: Determinism | None = None
    autoscaling: Autoscaling | None = None
    operator_uids: Literal["stable", "generated"] | None = None
    cost_drivers: tuple[Text, ...] = ()


State.model_rebuild()
DeadLetters.model_rebuild()
