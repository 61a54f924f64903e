"""CHK: do checkpoints complete, and do transactions outlive the longest gap between them?

|-- I --|-- checkpoint, d --|     d < timeout / 2
|------------- transaction -------------|-- downtime --| commit     span <= tau <= broker's maximum
"""

from __future__ import annotations

from collections.abc import Iterator

from pipelineplan.plan import Plan, capacity
from pipelineplan.plan.jobs import stops
from pipelineplan.plan.load import Values
from pipelineplan.plan.recovery import committing_stage, duration_operand, restart_operands, restore_operand
from pipelineplan.plan.sink import Sink
from pipelineplan.plan.stage import Stage
from pipelineplan.quantities import Dimension
from pipelineplan.rules.claim import Bounds, Change, Claim
from pipelineplan.rules.inequality import at_most
from pipelineplan.rules.registry import ADVICE, ALWAYS_ERROR, BY_LEVEL, rule
from pipelineplan.verdicts import Basis, Operand

_FLINK_TIMEOUT_SECONDS = 600.0


def _timeout(plan: Plan, stage: Stage) -> Operand:
    stated = plan.operand("timeout", stage.checkpoint, "timeout", "checkpoint timeout")
    path = plan.path(stage, "checkpoint")
    return stated or plan.assumed(
        "timeout", "checkpoint timeout", _FLINK_TIMEOUT_SECONDS, Dimension.DURATION, path, (60.0, 600.0)
    )


@rule(
    "CHK101",
    title="Checkpoints complete with room to spare",
    why="A checkpoint that takes longer than its timeout never completes, and every restart goes back "
    "further; under backpressure it takes several times as long as on a quiet day.",
    formula="d <= timeout / 2, d = state of the largest task * share changed / write bandwidth",
    bad="600 GB over 64 tasks at 15 MB/s, not incremental: 625 s against a timeout of 10 min",
    good="the same, incremental with 2 % changed: 12.5 s",
    fix="make checkpoints incremental, raise parallelism or bandwidth, or the timeout",
    source="apache/hudi#8276; apache/flink-cdc#2592",
    severity=BY_LEVEL,
)
def checkpoints_complete(plan: Plan) -> Iterator[Claim]:
    """`d <= timeout / 2` for every stage whose checkpoint duration can be known."""
    for stage in plan.model.stages:
        duration = duration_operand(plan, stage)
        if stage.checkpoint is None or duration is None:
            continue
        if duration.basis is Basis.ASSUMED:
            missing = (
                f"cannot say how long a checkpoint of {stage.id!r} takes: state checkpoint.duration, or "
                "state.keys, bytes_per_key and bandwidth"
            )
            yield Claim(plan.path(stage.checkpoint), stage.id, missing=missing)
            continue
        yield _duration_claim(plan, stage, duration)


def _duration_claim(plan: Plan, stage: Stage, duration: Operand) -> Claim:
    return Claim(
        plan.path(stage, "checkpoint"),
        stage.id,
        (duration, _timeout(plan, stage)),
        left=lambda v: (v["d"], v["d"]),
        right=lambda v: (v["timeout"] / 2, v["timeout"] / 2),
        dimension=Dimension.DURATION,
        says=lambda e: (
            f"a checkpoint of {stage.id!r} takes {e.left_shown} for the largest task; half its timeout is "
            f"{e.right_shown}"
        ),
        changes=(Change("timeout", rises=True),),
    )


@rule(
    "CHK102",
    title="One failed checkpoint does not fail the job",
    why="With no tolerable failure one slow checkpoint restarts the job, which makes the next one slower.",
    formula="tolerable_failures >= 1",
    bad="tolerable_failures: 0",
    good="tolerable_failures: 2",
    fix="set stages[].checkpoint.tolerable_failures to 1 or more",
    source="apache/flink#16147: the default is 0",
    severity=ADVICE,
)
def tolerates_failures(plan: Plan) -> Iterator[Claim]:
    """`1 <= tolerable_failures` for every stage with checkpoints."""
    for stage in plan.model.stages:
        if stage.checkpoint is None or stage.checkpoint.interval is None:
            continue
        yield _tolerance_claim(plan, stage)


def _tolerance_claim(plan: Plan, stage: Stage) -> Claim:
    path = (*plan.path(stage, "checkpoint"), "tolerable_failures")
    stated = plan.operand("k", stage.checkpoint, "tolerable_failures", "tolerable failures")
    return Claim(
        path,
        stage.id,
        (stated or plan.assumed("k", "tolerable failures", 0, None, path, (0, 3)),),
        left=lambda _: (1.0, 1.0),
        right=lambda v: (v["k"], v["k"]),
        says=lambda e: _tolerance_said(stage, int(e.values["k"])),
        changes=(Change("k", rises=True, whole=True),),
    )


def _tolerance_said(stage: Stage, borne: int) -> str:
    if not borne:
        return f"{stage.id!r} restarts at the 1st checkpoint that fails"
    return f"{stage.id!r} tolerates {borne} failed checkpoint{'s' if borne > 1 else ''} before it restarts"


@rule(
    "CHK201",
    title="A transaction outlives the longest gap between checkpoints",
    why="A transaction that the broker aborts while the job is down was already counted as written: its "
    "records are lost, or the job restarts for ever.",
    formula="(1 + k) * max(I, timeout + pause) + timeout + downtime <= tau",
    bad="interval 10 min, timeout 3 min, downtime 5 min, tau 15 min",
    good="interval 1 min, timeout 3 min, two tolerable failures, downtime 20 min, tau 1 h",
    fix="raise the transaction timeout (and the broker's maximum), or shorten interval and downtime",
    source="FLINK-30419; apache/flink-connector-kafka#225; KIP-939 exempts prepared transactions",
    severity=BY_LEVEL,
)
def transactions_outlive(plan: Plan) -> Iterator[Claim]:
    """The longest span of a transaction against its timeout, for every transactional sink."""
    for sink in plan.model.sinks:
        guarantee = sink.guarantee
        if guarantee is None or guarantee.kind != "transactional" or guarantee.two_phase_participation:
            continue
        path = plan.path(guarantee, "timeout")
        tau = plan.operand("tau", guarantee, "timeout", "transaction timeout")
        stage = committing_stage(plan, sink.id)
        if tau is None or stage is None:
            missing = (
                f"{sink.id!r} is transactional: state its guarantee.timeout and the checkpoint before it"
            )
            yield Claim(path, sink.id, missing=missing)
            continue
        yield _transaction_claim(plan, sink, stage, tau)


def _transaction_claim(plan: Plan, sink: Sink, stage: Stage, tau: Operand) -> Claim:
    checkpoint = stage.checkpoint
    interval = plan.operand("I", checkpoint, "interval", "checkpoint interval")
    pause = plan.operand("pause", checkpoint, "min_pause", "minimum pause")
    k = plan.operand("k", checkpoint, "tolerable_failures", "tolerable failures") or plan.assumed(
        "k", "tolerable failures", 0, None, plan.path(stage, "checkpoint"), (0, 3)
    )
    operands = (interval, _timeout(plan, stage), pause, k, *_longest_downtime(plan, stage), tau)

    def left(values: Values) -> Bounds:
        down = sum(values.get(symbol, 0.0) for symbol in ("detect", "repair", "restart", "restore"))
        span = capacity.transaction_span_seconds(
            values["I"], values["timeout"], values.get("pause", 0.0), int(values["k"]), down
        )
        return (span, span)

    return Claim(
        plan.path(sink, "guarantee", "timeout"),
        sink.id,
        tuple(operand for operand in operands if operand is not None),
        left=left,
        right=lambda v: (v["tau"], v["tau"]),
        dimension=Dimension.DURATION,
        says=lambda e: (
            f"a transaction of {sink.id!r} may stay open for {e.left_shown} through {int(e.values['k'])} "
            f"failed checkpoint{'s' if e.values['k'] != 1 else ''} and a restart; it expires after "
            f"{e.right_shown}"
        ),
        changes=(Change("tau", rises=True), Change("I", rises=False), Change("timeout", rises=False)),
    )


def _longest_downtime(plan: Plan, stage: Stage) -> tuple[Operand | None, ...]:
    """Detect, repair and restart of the longest declared outage that takes the job down."""
    restarting = [one for one in plan.model.outages if one.of in {"job", "worker", "zone"}]
    down = [outage for outage in restarting if stops(plan, outage, stage)]
    restart = (*restart_operands(plan, stage), restore_operand(plan, stage))
    if not down:
        return restart
    longest = max(down, key=lambda outage: outage.detect.value + outage.repair.value)
    detect = plan.operand("detect", longest, "detect", "time to detect")
    return (detect, plan.operand("repair", longest, "repair", "time to repair"), *restart)


@rule(
    "CHK202",
    title="The broker accepts the transaction timeout",
    why="A producer that asks for more than transaction.max.timeout.ms does not start.",
    formula="tau <= broker maximum",
    bad="timeout: 1 h with a broker maximum of 15 min",
    good="timeout: 1 h with broker_max: 1 h",
    fix="raise transaction.max.timeout.ms on the broker and state it as guarantee.broker_max",
    source="FLINK-30419: 1 h against the broker's default of 15 min",
    severity=ALWAYS_ERROR,
)
def broker_accepts(plan: Plan) -> Iterator[Claim]:
    """`tau <= broker_max` for every transactional sink."""
    for sink in plan.model.sinks:
        tau = plan.operand("tau", sink.guarantee, "timeout", "transaction timeout")
        if sink.guarantee is not None and sink.guarantee.kind == "transactional" and tau is not None:
            yield _broker_claim(plan, sink, tau)


def _broker_claim(plan: Plan, sink: Sink, tau: Operand) -> Claim:
    path = plan.path(sink, "guarantee")
    most = plan.operand("most", sink.guarantee, "broker_max", "broker's maximum") or plan.assumed(
        "most", "broker's maximum", 900.0, Dimension.DURATION, path, (900.0, 86_400.0)
    )
    return at_most(
        (*path, "timeout"),
        sink.id,
        tau,
        most,
        lambda e: (
            f"{sink.id!r} asks for transactions of {e.left_shown}; the broker accepts up to {e.right_shown}"
        ),
        changes=(Change("tau", rises=False), Change("most", rises=True)),
    )
