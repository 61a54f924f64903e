"""What happens to records on the way: exchange, capacity, windows, state, checkpoints, retries."""

from typing import Any, Literal, Self

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

    upstream: Name = Field(alias="from", description="A source or stage.", examples=["clicks"])
    exchange: Exchange = Field("forward", description="forward keeps partitions; keyed hashes a key.")
    key: Text | None = Field(
        None,
        description="The field whose hash decides the worker, for a keyed exchange.",
        examples=["customer_id"],
    )
    selectivity: Number = Field(
        1.0, description="Records out of the upstream that reach this input, as a factor.", examples=[0.05]
    )

    @model_validator(mode="before")
    @classmethod
    def _short(cls, value: Any) -> Any:
        return shorthand(value, "from")


class Parallelism(Section):
    """Subtasks now, and the most that state can be spread over."""

    now: AtLeastOne = Field(description="Subtasks that run today.", examples=[8])
    max: AtLeastOne | None = Field(
        None, description="Key groups; unstated, Flink's default for `now`.", examples=[120]
    )

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

    fixed: Duration | None = Field(
        None, description="The length of windows that do not overlap.", examples=["1 min"]
    )
    sliding: Duration | None = Field(
        None, description="Length of a sliding window; give `every` too.", examples=["10 min"]
    )
    every: Duration | None = Field(None, description="How often a sliding window begins.", examples=["1 min"])
    session: Duration | None = Field(None, description="Gap that ends a session.", examples=["30 min"])
    allowed_lateness: Duration | None = Field(
        None, description="How long a fired window stays open.", examples=["5 min"]
    )
    trigger: Text | None = Field(
        None,
        description="When a window fires, in words, beside its end.",
        examples=["at the watermark and again for late records"],
    )
    accumulation: Literal["accumulating", "discarding"] | None = Field(
        None, description="accumulating: each firing has everything so far; discarding: only what is new."
    )

    @model_validator(mode="after")
    def _one_kind(self) -> Self:
        given = [kind for kind in (self.fixed, self.sliding, self.session) if kind is not None]
        if len(given) != 1:
            raise ValueError("wanted exactly one of fixed, sliding, session")
        return self


class LateRoute(Section):
    """Where records go that come after their window is gone."""

    to: Literal["drop", "side_output", "correction"] = Field(
        description="drop: gone; side_output: kept apart; correction: results are changed."
    )
    owner: Text | None = Field(None, description="Who looks after late records.", examples=["team-orders"])
    alert: Share | None = Field(
        None, description="The share of late records that raises an alert.", examples=["0.5 %"]
    )


class Join(Section):
    """A stateful join of the inputs."""

    kind: Literal["inner", "left", "interval", "temporal", "lookup"] = Field(
        description="interval, temporal: bounded state; inner, left: kept for `retention`; lookup asks."
    )
    retention: Duration | None = Field(
        None, description="How long each side waits for the other.", examples=["1 h"]
    )


class Ttl(Section):
    """When state of a key is forgotten, and by which clock."""

    time: Duration = Field(
        description="How long state of a key lives after it was last written.", examples=["36 h"]
    )
    clock: Literal["event", "processing"] = Field(
        "processing", description="By which clock: of events, or of the machine (as in Flink)."
    )

    @model_validator(mode="before")
    @classmethod
    def _short(cls, value: Any) -> Any:
        return shorthand(value, "time")


class State(Section):
    """What a stage remembers: how much, for how long, and how fast it is written and read back."""

    keys: Count | None = Field(None, description="Keys that are remembered at one time.", examples=[40000000])
    bytes_per_key: Size | None = Field(None, description="State of one key.", examples=["420 B"])
    new_keys: Share | None = Field(
        None,
        description="The share of records that bring a key which is not remembered yet: state then grows "
        "with them until it is forgotten. Unstated, it stays at `keys`; of a join every record is new.",
        examples=["100 %"],
    )
    amplification: Number = Field(1.0, description="Bytes stored per byte of state.", examples=[1.2])
    ttl: Ttl | None = None
    backend: Literal["heap", "rocksdb", "forst", "external"] | None = Field(
        None,
        description="Where state lives: heap in memory, rocksdb on local disk, forst or external elsewhere.",
    )
    changed_per_interval: Share | None = Field(
        None, description="The share of state a checkpoint writes.", examples=["3 %"]
    )
    bandwidth: Bandwidth | None = Field(
        None, description="Write bandwidth of one subtask.", examples=["15 MB/s"]
    )
    restore_bandwidth: Bandwidth | None = Field(
        None, description="Read bandwidth of one subtask.", examples=["40 MB/s"]
    )
    budget: Size | None = Field(
        None, description="The most that state may take, over all subtasks.", examples=["60 GB"]
    )


class Checkpoint(Section):
    """When progress is made durable, and how long it takes to come back from it."""

    interval: Duration | None = Field(
        None,
        description="How often a checkpoint begins (execution.checkpointing.interval).",
        examples=["60 s"],
    )
    timeout: Duration | None = Field(None, description="Flink's default is 10 min.", examples=["3 min"])
    min_pause: Duration | None = Field(
        None,
        description="The least time between the end of one and the beginning of the next.",
        examples=["30 s"],
    )
    duration: Duration | None = Field(
        None, description="Measured; else computed from state and bandwidth.", examples=["8 s"]
    )
    stall: Duration | None = Field(
        None,
        description="For how long processing stands still for one: alignment and the synchronous part.",
        examples=["500 ms"],
    )
    mode: Literal["aligned", "unaligned"] = Field(
        "aligned",
        description="aligned waits for barriers of all inputs; unaligned writes what is on the way too.",
    )
    incremental: Flag = Field(default=False, description="Whether only what changed is written.")
    tolerable_failures: Count | None = Field(
        None, description="Failed checkpoints in a row that the job survives.", examples=[2]
    )
    restart: Duration | None = Field(
        None, description="Time to be running again before state is restored.", examples=["30 s"]
    )


class Backoff(Section):
    """Waiting between attempts."""

    first: Duration = Field(description="The wait before the second attempt.", examples=["200 ms"])
    cap: Duration | None = Field(None, description="The longest wait.", examples=["30 s"])
    factor: Number = Field(2.0, description="By how much each wait grows.", examples=[2.0])
    jitter: Literal["none", "full", "decorrelated"] = Field(
        "none", description="How waits are spread by chance: none, full (0 to the wait), or decorrelated."
    )


class Retry(Section):
    """What happens when one record fails."""

    attempts: AtLeastOne = Field(description="Tries in all, the first one included.", examples=[3])
    blocking: Flag = Field(default=True, description="Whether records behind it wait.")
    backoff: Backoff | None = None
    failure_share: Share | None = Field(
        None, description="Records that fail every attempt.", examples=["0.001 %"]
    )


class DeadLetterAlert(Section):
    """When somebody is called: by age of the oldest record, by number."""

    age: Duration | None = Field(
        None, description="The age of the oldest that calls somebody.", examples=["1 h"]
    )
    depth: Count | None = Field(None, description="The number that calls somebody.", examples=[500])


class DeadLetters(Section):
    """Where records go that cannot be processed."""

    topic: Text | None = Field(
        None, description="The topic or table that takes them.", examples=["orders-dlq"]
    )
    owner: Text | None = Field(None, description="Who looks after them.", examples=["team-orders"])
    retention: Duration | None = Field(None, description="How long they are kept.", examples=["14 d"])
    triage: Duration | None = Field(None, description="How long until somebody has looked.", examples=["3 d"])
    alert: DeadLetterAlert | None = None


class Files(Section):
    """What a stage writes to a table or lake."""

    interval: Duration | None = Field(None, description="How often files are written.", examples=["1 min"])
    writers: AtLeastOne | None = Field(
        None, description="Subtasks that write files at one time.", examples=[8]
    )
    partitions: AtLeastOne | None = Field(
        None, description="Partitions of the table that each writes to.", examples=[24]
    )
    compaction: Text | None = Field(
        None, description="What puts small files together, and when.", examples=["hourly, to 512 MB"]
    )


class Autoscaling(Section):
    """When and how far parallelism follows the load."""

    minimum: AtLeastOne | None = Field(None, description="Fewest subtasks.", examples=[4])
    maximum: AtLeastOne | None = Field(None, description="Most subtasks.", examples=[32])
    target_utilisation: Share | None = Field(
        None, description="The utilisation it aims at.", examples=["70 %"]
    )
    restart: Duration | None = Field(
        None, description="How long a change of parallelism stops the job.", examples=["1 min"]
    )


class Determinism(Section):
    """What makes a replay give other results."""

    lookups: tuple[Text, ...] = Field(
        (),
        description="Systems that are asked, whose answers change over time.",
        examples=[["exchange-rates"]],
    )
    processing_time: Flag = Field(default=False, description="Whether results depend on the machine's clock.")


class Stage(Section):
    """One processing step."""

    id: Name = Field(description="The stage's name, which inputs refer to.", examples=["count"])
    layer: Literal["raw", "staging", "intermediate", "mart", "serving"] | None = Field(
        None, description="Which layer of the data model it writes."
    )
    purpose: Text | None = Field(
        None, description="What it does, in a sentence.", examples=["Sales per minute and store"]
    )
    inputs: tuple[Input, ...] = Field(
        min_length=1, description="What it reads: sources or stages.", examples=[["clicks"]]
    )
    job: Text | None = Field(
        None,
        description="The job's or model's name in the real system, where the id is another. Stages of one "
        "job share checkpoints, failure and restart; one without a name is of the job before it. Between two "
        "jobs records rest in a log with room for all of them, which outlives a restart and is read again "
        "from the reader's own last completed checkpoint.",
        examples=["orders-enrichment"],
    )
    engine: Literal["flink", "beam", "spark", "kafka_streams", "dbt", "sql", "custom"] | None = Field(
        None, description="What runs it; rules and simulation take its defaults."
    )
    parallelism: Parallelism | None = None
    capacity: RecordRate | None = Field(
        None,
        description="Input records per second of one subtask, uncompressed, checkpoints on.",
        examples=["2_000/s"],
    )
    service_cv: Number | None = Field(
        None, description="Coefficient of variation of the service time.", examples=[1.2]
    )
    buffer: Count | None = Field(
        None, description="Records that fit between this stage and the one before.", examples=[10000]
    )
    window: Window | None = None
    late: LateRoute | None = None
    join: Join | None = None
    mode: Literal["incremental", "recompute"] | None = Field(
        None, description="incremental updates what changed; recompute makes everything anew."
    )
    files: Files | None = None
    state: State | None = None
    checkpoint: Checkpoint | None = None
    retry: Retry | None = None
    dead_letters: DeadLetters | None = None
    guarantee: Literal["at_most_once", "at_least_once", "exactly_once"] | None = Field(
        None,
        description="How often a record counts when the stage fails and goes on. What is written for another "
        "job is seen there at the checkpoint if exactly_once, else at once, and again after a failure.",
    )
    determinism: Determinism | None = None
    autoscaling: Autoscaling | None = None
    operator_uids: Literal["stable", "generated"] | None = Field(
        None, description="Whether state finds its operator again after a change of the job."
    )
    cost_drivers: tuple[Text, ...] = Field(
        (), description="What its cost grows with.", examples=[["18 task slots around the clock"]]
    )
