"""DLV: is every record delivered as often as was promised, when brokers, dependencies and readers stop?

source --acks--> broker --replay--> engine --commit--> sink       the weakest link decides
attempt, wait, attempt, wait, attempt, dead letter                 what retries cost a worker
"""

from __future__ import annotations

from collections.abc import Iterator

from pipelineplan.documents import Path
from pipelineplan.plan import Plan, capacity
from pipelineplan.plan.delivery import Link, links_to, promised_at
from pipelineplan.plan.jobs import stopped_readers
from pipelineplan.plan.load import Values, arrivals, writers_of
from pipelineplan.plan.objectives import Outage
from pipelineplan.plan.recovery import slowest_downtime
from pipelineplan.plan.sink import Sink
from pipelineplan.plan.source import Source
from pipelineplan.plan.stage import Stage
from pipelineplan.quantities import Dimension, say, say_seconds, say_share
from pipelineplan.rules.capacity import Busiest, busiest_worker
from pipelineplan.rules.claim import Change, Claim
from pipelineplan.rules.inequality import at_most, inequality
from pipelineplan.rules.registry import ADVICE, BY_LEVEL, rule
from pipelineplan.verdicts import Operand

_LEVELS = ("at most once", "at least once", "exactly once")
_LOGS = {"kafka", "pulsar", "kinesis"}


@rule(
    "DLV101",
    title="The promised guarantee is no stronger than its weakest link",
    why="An engine that counts exactly once over a sink that does not, or from a source that cannot be "
    "read again, counts some records twice or loses them at the first crash.",
    formula="promised <= min(source, engine, sink)   (0 at most once, 1 at least once, 2 exactly once)",
    bad="guarantee: exactly_once at the stage, guarantee: at_least_once at its sink",
    good="guarantee: exactly_once at the stage, an idempotent sink with an idempotency_key",
    fix="promise what the weakest link gives, or strengthen that link",
    source="ClickHouse/flink-connector-clickhouse#106; apache/flink#18165; apache/flink#951",
)
def promise_is_kept(plan: Plan) -> Iterator[Claim]:
    """`promised <= weakest` for every sink that a guarantee is promised for."""
    for sink in plan.model.sinks:
        promised = promised_at(plan, sink)
        if promised is not None:
            yield _promise_claim(promised, links_to(plan, sink), sink.id)


def _promise_claim(promised: Link, links: tuple[Link, ...], sink: str) -> Claim:
    weakest = min(links, key=lambda link: link.level, default=promised)
    operands = (promised.operand("promised"), *(link.operand(f"link{i}") for i, link in enumerate(links, 1)))
    return inequality(
        promised.path,
        sink,
        operands,
        lambda v: v["promised"],
        lambda v: min((v[symbol] for symbol in v if symbol != "promised"), default=v["promised"]),
        lambda _: (
            f"{promised.name} promises {_LEVELS[promised.level]}{_where(promised, sink)}; the weakest link "
            f"is {weakest.name}: {_LEVELS[weakest.level]}"
        ),
        dimension=None,
    )


def _where(promised: Link, sink: str) -> str:
    """The sink that a stage promises for; of a sink's own promise that is said already."""
    return "" if promised.name == f"sink {sink!r}" else f" at {sink!r}"


@rule(
    "DLV102",
    title="An acknowledged record is on two brokers",
    why="A record that one broker alone has acknowledged is gone with that broker's disk.",
    formula="2 <= copies at acknowledgement   (acks all: min.insync.replicas; 1: one; 0: none)",
    bad="acks: all with min_insync_replicas: 1",
    good="acks: all with min_insync_replicas: 2 and replication: 3",
    fix="set acks: all and min_insync_replicas: 2",
    source="Apache Kafka documentation, min.insync.replicas (default 1)",
    severity=ADVICE,
)
def acknowledged_twice(plan: Plan) -> Iterator[Claim]:
    """`2 <= copies` for every Kafka source that states acks or its replicas."""
    for source in plan.model.sources:
        if source.system == "kafka" and (source.acks or source.min_insync_replicas or source.replication):
            yield _copies_claim(plan, source)


def _copies_claim(plan: Plan, source: Source) -> Claim:
    path = plan.path(source, "acks")
    replicas = plan.operand("m", source, "min_insync_replicas", "min.insync.replicas")
    replicas = replicas or plan.assumed("m", "min.insync.replicas", 1, None, path, (1, 3))
    most = {"0": 0.0, "1": 1.0}.get(source.acks or "all", float("inf"))
    return inequality(
        path,
        source.id,
        (replicas,),
        lambda _: 2.0,
        lambda v: min(most, v["m"]),
        lambda e: (
            f"a record of {source.id!r} counts as written when {e.right[0]:.0f} "
            f"broker{' has' if e.right[0] == 1 else 's have'} it"
            if e.right[0]
            else f"a record of {source.id!r} counts as written before any broker has it: 0 copies are certain"
        ),
        dimension=None,
        changes=(Change("m", rises=True, whole=True),) if most > 1 else (),
    )


@rule(
    "DLV103",
    title="Writes go on when one broker is lost",
    why="With as many replicas wanted as there are, one broker that restarts stops every producer.",
    formula="min.insync.replicas + 1 <= replication",
    bad="replication: 3 with min_insync_replicas: 3",
    good="replication: 3 with min_insync_replicas: 2",
    fix="raise replication, or lower min_insync_replicas",
    source="Apache Kafka documentation, min.insync.replicas",
    severity=ADVICE,
)
def writable_without_one(plan: Plan) -> Iterator[Claim]:
    """`m + 1 <= replication` for every source that states its replication."""
    for source in plan.model.sources:
        copies = plan.operand("n", source, "replication", "replication")
        if copies is None or source.system not in _LOGS:
            continue
        yield _writable_claim(plan, source, copies)


def _writable_claim(plan: Plan, source: Source, copies: Operand) -> Claim:
    path = plan.path(source, "replication")
    wanted = plan.operand("m", source, "min_insync_replicas", "min.insync.replicas")
    return inequality(
        path,
        source.id,
        (wanted or plan.assumed("m", "min.insync.replicas", 1, None, path, (1, 2)), copies),
        lambda v: v["m"] + 1,
        lambda v: v["n"],
        lambda e: (
            f"{source.id!r} needs {e.values['m']:.0f} of its {e.values['n']:.0f} replicas to accept a record"
        ),
        dimension=None,
        changes=(Change("n", rises=True, whole=True), Change("m", rises=False, whole=True)),
    )


@rule(
    "DLV104",
    title="Producers can hold back what the broker cannot take",
    why="A producer whose buffer is full drops records or blocks whoever calls it.",
    formula="detect + repair <= producer buffer",
    bad="a broker outage of 12 min that accepts no writes, producer_buffer: 2 min",
    good="a broker outage of 2 min, producer_buffer: 10 min",
    fix="raise producer_buffer (delivery.timeout.ms and buffer.memory), or spool to disk",
    source="Apache Kafka documentation, delivery.timeout.ms (default 2 min), buffer.memory",
)
def producers_hold(plan: Plan) -> Iterator[Claim]:
    """`detect + repair <= buffer` for every outage during which the log takes no writes."""
    for outage in plan.model.outages:
        if outage.of != "broker" and outage.accepts_writes:
            continue
        for source in plan.model.sources:
            buffer = plan.operand("buffer", source, "producer_buffer", "what producers can hold back")
            if buffer is not None:
                yield _buffer_claim(plan, outage, source, buffer)


def _buffer_claim(plan: Plan, outage: Outage, source: Source, buffer: Operand) -> Claim:
    detect = plan.operand("detect", outage, "detect", "time to detect")
    return inequality(
        plan.path(source, "producer_buffer"),
        f"{source.id} {outage.id or outage.of}",
        (detect, plan.operand("repair", outage, "repair", "time to repair"), buffer),
        lambda v: v["detect"] + v["repair"],
        lambda v: v["buffer"],
        lambda e: (
            f"producers of {source.id!r} hold back {e.right_shown}; an outage of {outage.id or outage.of} "
            f"lasts {e.left_shown}"
        ),
        changes=(Change("buffer", rises=True), Change("repair", rises=False)),
    )


@rule(
    "DLV105",
    title="The group's offsets outlive its longest stop",
    why="Offsets of a group without members expire; the group then starts where its reset says, at the "
    "beginning or at the end.",
    formula="T <= offsets retention,   T = detect + repair + restart of an outage of the job",
    bad="offsets_retention: 1 h with an outage of 2 h",
    good="offsets_retention: 14 d with an outage of 2 h",
    fix="raise offsets.retention.minutes and state it as consumer.offsets_retention",
    source="Apache Kafka documentation, offsets.retention.minutes (default 7 d)",
)
def offsets_outlive(plan: Plan) -> Iterator[Claim]:
    """`T <= offsets retention` for every consumer group and every outage that leaves it without members."""
    for source in plan.model.sources:
        kept = plan.operand("kept", source.consumer, "offsets_retention", "retention of offsets")
        if kept is None:
            continue
        for outage in plan.model.outages:
            readers = stopped_readers(plan, source, outage)
            if outage.of in {"job", "zone"} and readers:
                yield _offsets_claim(plan, source, outage, readers, kept)


def _offsets_claim(plan: Plan, source: Source, outage: Outage, readers: list[Stage], kept: Operand) -> Claim:
    down = slowest_downtime(plan, outage, readers)
    return inequality(
        plan.path(source, "consumer", "offsets_retention"),
        f"{source.id} {outage.id or outage.of}",
        (kept, *down.operands),
        down.down,
        lambda v: v["kept"],
        lambda e: (
            f"the group of {source.id!r} may be gone for {e.left_shown} in an outage of "
            f"{outage.id or outage.of}; its offsets are kept for {e.right_shown}"
        ),
        changes=(Change("kept", rises=True), Change("repair", rises=False)),
    )


@rule(
    "DLV201",
    title="The sink can take the retries of every layer",
    why="Each layer that tries again multiplies the load of the ones below it, just when they are slow.",
    formula="λ * attempts * (1 + retries of the client) <= writers * capacity",
    bad="5 attempts of a client that retries 3 times: 20 times the load",
    good="5 attempts of a client that does not retry by itself",
    fix="retry in one layer only, or cap what retries may add",
    source="the sum over attempts of λ f^i at f = 1; Cloudflare and PagerDuty incidents of 2024 and 2025",
    severity=ADVICE,
)
def retries_fit(plan: Plan) -> Iterator[Claim]:
    """`λ * attempts <= writers * capacity` for every sink whose writer retries without blocking."""
    for sink in plan.model.sinks:
        for edge in plan.graph.into(sink.id):
            stage = plan.stage(edge.upstream) if plan.graph.kinds[edge.upstream] == "stage" else None
            if stage is not None and stage.retry is not None and not stage.retry.blocking:
                yield from _storm_claim(plan, sink, stage)


def _storm_claim(plan: Plan, sink: Sink, stage: Stage) -> Iterator[Claim]:
    arriving = arrivals(plan, sink.id)
    able = plan.operand("μ", sink, "capacity", "capacity of a writer")
    if not arriving or able is None:
        return
    called = plan.model.reliability.dependencies if plan.model.reliability is not None else ()
    client = next((one for one in called if one.id == sink.id), None)
    yield inequality(
        plan.path(stage, "retry", "attempts"),
        f"{stage.id} {sink.id}",
        (
            *(arrival.rate for arrival in arriving),
            plan.operand("a", stage.retry, "attempts", "attempts"),
            plan.operand("r", client, "retries", "retries of the client"),
            writers_of(plan, sink),
            able,
        ),
        lambda v: sum(v[one.rate.symbol] * one.factor for one in arriving) * v["a"] * (1 + v.get("r", 0.0)),
        lambda v: v.get("n", 1.0) * v["μ"],
        lambda e: (
            f"when every attempt fails, {sink.id!r} is asked {e.left_shown}; it can take {e.right_shown}"
        ),
        dimension=Dimension.RATE,
        changes=(Change("a", rises=False, whole=True), Change("r", rises=False, whole=True)),
    )


@rule(
    "DLV202",
    title="Blocking retries leave enough capacity",
    why="While a record is tried again, every record behind it waits: a few that always fail can take "
    "a worker's whole time.",
    formula="s_w * λ <= 1 / (1/μ + q * (r/μ + sum of mean waits))   (q: share that fails every attempt)",
    bad="1 % that fail 5 attempts with waits of 3 s in all, at 1,000/s",
    good="the same records sent to dead letters without blocking",
    fix="retry without blocking, shorten the waits, or send failures to dead letters sooner",
    source="mean service time of a record that is tried again r times",
)
def blocking_retries(plan: Plan) -> Iterator[Claim]:
    """`s_w * λ <= slowed capacity` for every stage that blocks while it retries."""
    for stage in plan.model.stages:
        if stage.retry is None or not stage.retry.blocking or stage.retry.attempts < 2:
            continue
        worker = busiest_worker(plan, stage)
        if not isinstance(worker, str):
            yield _slowed_claim(plan, worker)


def _slowed_claim(plan: Plan, worker: Busiest) -> Claim:
    stage = worker.stage
    path = plan.path(stage, "retry")
    failing = plan.operand("q", stage.retry, "failure_share", "share that fails every attempt")
    few = plan.assumed("q", "share that fails every attempt", 0.0001, Dimension.SHARE, path, (0.0, 0.01))
    return inequality(
        path,
        stage.id,
        (*worker.operands, failing or few, plan.operand("a", stage.retry, "attempts", "attempts")),
        worker.own_rate,
        lambda v: _slowed(stage, v),
        lambda e: (
            f"with {say_share(e.values['q'])} of records failing every attempt, a worker of {stage.id!r} "
            f"manages {say(e.right[0], Dimension.RATE)} of its {say(e.values['μ'], Dimension.RATE)}; "
            f"{e.left_shown} arrive"
        ),
        dimension=Dimension.RATE,
        changes=(Change("a", rises=False, whole=True), Change("q", rises=False)),
    )


def _slowed(stage: Stage, values: Values) -> float:
    waits = mean_wait_seconds(stage, int(values["a"]))
    return capacity.capacity_with_retries(values["μ"], values["q"], int(values["a"]) - 1, waits)


def mean_wait_seconds(stage: Stage, attempts: int) -> float:
    """The mean of all waits between `attempts` attempts of `stage`, in seconds; 0 without backoff."""
    backoff = stage.retry.backoff if stage.retry is not None else None
    if backoff is None:
        return 0.0
    cap = backoff.cap.value if backoff.cap is not None else None
    waits = capacity.mean_waits(backoff.first.value, cap, backoff.factor, backoff.jitter, attempts)
    return sum(waits)


@rule(
    "DLV203",
    title="Dead letters are kept until somebody has looked",
    why="What expires before it is looked at is lost, and nobody counted it.",
    formula="triage <= retention of the dead letters",
    bad="triage: 10 d with retention: 7 d",
    good="triage: 3 d with retention: 14 d",
    fix="raise dead_letters.retention, or look sooner",
    source="confluentinc/ksql#6563; mapbox/ecs-watchbot#140",
    severity=BY_LEVEL,
)
def dead_letters_wait(plan: Plan) -> Iterator[Claim]:
    """`triage <= retention` for every stage with dead letters."""
    for stage in plan.model.stages:
        letters = stage.dead_letters
        if letters is None:
            continue
        triage = plan.operand("triage", letters, "triage", "time until somebody has looked")
        kept = plan.operand("kept", letters, "retention", "retention of dead letters")
        path = plan.path(letters, "retention")
        if triage is None or kept is None:
            missing = (
                f"cannot say whether dead letters of {stage.id!r} wait for triage: state retention and triage"
            )
            yield Claim(path, stage.id, missing=missing)
            continue
        yield _triage_claim(path, stage, triage, kept)


def _triage_claim(path: Path, stage: Stage, triage: Operand, kept: Operand) -> Claim:
    return at_most(
        path,
        stage.id,
        triage,
        kept,
        lambda e: (
            f"dead letters of {stage.id!r} are looked at within {say_seconds(e.values['triage'])} and kept "
            f"for {say_seconds(e.values['kept'])}"
        ),
    )
