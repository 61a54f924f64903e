"""CAP4: does state fit, is it remembered long enough, and does a join stay bounded?

|-- W --|-- B --|-- L --|-- unread for T --|     what a window or a join may still need
|----------------- ttl -------------------|
"""

from __future__ import annotations

import math
from collections.abc import Iterator

from pipelineplan.documents import Path
from pipelineplan.plan import Plan
from pipelineplan.plan.jobs import stopped_readers, stops
from pipelineplan.plan.load import Values, arrivals
from pipelineplan.plan.objectives import Outage
from pipelineplan.plan.recovery import Downtime, downtime, slowest_downtime
from pipelineplan.plan.semantics import sources_above
from pipelineplan.plan.source import Source
from pipelineplan.plan.stage import Stage
from pipelineplan.plan.state_size import each_operand, keys_operand
from pipelineplan.quantities import Dimension, say_seconds
from pipelineplan.rules.claim import Change, Claim, Evaluation
from pipelineplan.rules.inequality import inequality
from pipelineplan.rules.registry import BY_LEVEL, rule
from pipelineplan.verdicts import Operand

_STOPS_THE_STAGE = {"job", "worker", "zone", "sink"}


@rule(
    "CAP401",
    title="State fits its budget",
    why="State that outgrows its disk or memory stops the job, and every restart stops again.",
    formula="keys * bytes per key * amplification <= budget   (or lambda * new keys * T of them)",
    bad="40 M keys of 2 KB at 1.2: 96 GB against 60 GB; or new keys that are never forgotten",
    good="40 M keys of 420 B at 1.2: 20 GB against 60 GB",
    fix="shorten the time to live, store less per key, or raise state.budget",
    source="keys times bytes per key, times what the backend writes on top",
    severity=BY_LEVEL,
)
def state_fits(plan: Plan) -> Iterator[Claim]:
    """`keys * bytes * amplification <= budget` for every stage with a budget."""
    for stage in plan.model.stages:
        budget = plan.operand("budget", stage.state, "budget", "budget for state")
        if stage.state is None or budget is None:
            continue
        path = plan.path(stage.state, "budget")
        keys, each = keys_operand(plan, stage), each_operand(plan, stage)
        more = plan.operand("amp", stage.state, "amplification", "amplification")
        if keys is None or each is None:
            missing = (
                f"cannot say whether the state of {stage.id!r} fits: state its state.keys (or new_keys) "
                "and bytes_per_key"
            )
            yield Claim(path, stage.id, missing=missing)
            continue
        yield _size_claim(path, stage, (keys, each, more, budget))


def _size_claim(path: Path, stage: Stage, operands: tuple[Operand | None, ...]) -> Claim:
    stated = stage.state is not None and stage.state.keys is not None
    fewer = (Change("keys", rises=False, whole=True),) if stated else ()
    return inequality(
        path,
        stage.id,
        operands,
        lambda v: v["keys"] * v["each"] * v.get("amp", 1.0),
        lambda v: v["budget"],
        lambda e: _size_said(stage, e),
        dimension=Dimension.SIZE,
        changes=(Change("budget", rises=True), *fewer),
    )


def _size_said(stage: Stage, evaluation: Evaluation) -> str:
    if math.isinf(evaluation.values["keys"]):
        return (
            f"{stage.id!r} remembers new keys and never forgets them: state a state.ttl; its budget is "
            f"{evaluation.right_shown}"
        )
    return f"{stage.id!r} remembers {evaluation.left_shown}; its budget is {evaluation.right_shown}"


@rule(
    "CAP402",
    title="State lives as long as a window can need it",
    why="State that is forgotten before the last record of its window comes is begun anew: the window "
    "gives a second, smaller result.",
    formula="W + B + L + T <= ttl   (T: longest outage of the stage; only where ttl runs by processing time)",
    bad="ttl: 36 h (processing time) under a window of 1 d, with outages of 14 h",
    good="ttl: 3 d under the same window",
    fix="raise state.ttl, or let it run by event time",
    source="ArroyoSystems/arroyo#117; Apache Flink documentation, state time-to-live",
    severity=BY_LEVEL,
)
def state_lives(plan: Plan) -> Iterator[Claim]:
    """`W + B + L + T <= ttl` for every stage with a window and a time to live."""
    for stage in plan.model.stages:
        ttl = stage.state.ttl if stage.state is not None else None
        span = _window_operand(plan, stage)
        if ttl is None or span is None:
            continue
        for source in sources_above(plan, stage.id):
            yield _life_claim(plan, stage, source, span)


def _window_operand(plan: Plan, stage: Stage) -> Operand | None:
    names = (("fixed", "window"), ("sliding", "window"), ("session", "gap of a session"))
    found = (plan.operand("W", stage.window, field, words) for field, words in names)
    return next((operand for operand in found if operand is not None), None)


def _life_claim(plan: Plan, stage: Stage, source: Source, span: Operand) -> Claim:
    ttl = stage.state.ttl if stage.state is not None else None
    watermark = source.semantics.watermark if source.semantics is not None else None
    unread = _longest(plan, stage) if ttl is not None and ttl.clock == "processing" else None
    symbols = ("W", "B", "L")
    return inequality(
        plan.path(stage, "state", "ttl"),
        f"{stage.id} {source.id}",
        (
            span,
            plan.operand("B", watermark, "lag", "watermark lag"),
            plan.operand("L", stage.window, "allowed_lateness", "allowed lateness"),
            plan.operand("ttl", ttl, "time", "time to live"),
            *(unread.operands if unread else ()),
        ),
        lambda v: sum(v.get(symbol, 0.0) for symbol in symbols) + (unread.piled_up(v) if unread else 0.0),
        lambda v: v["ttl"],
        lambda e: (
            f"a window of {stage.id!r} may need its state for {e.left_shown}"
            f"{' with its longest outage' if unread else ''}; it is forgotten after {e.right_shown}"
        ),
        changes=(Change("ttl", rises=True), Change("L", rises=False)),
    )


def _longest(plan: Plan, stage: Stage) -> Downtime | None:
    stopping = [one for one in plan.model.outages if one.of in _STOPS_THE_STAGE and stops(plan, one, stage)]
    return max((downtime(plan, outage, stage) for outage in stopping), key=_piled_up, default=None)


def _piled_up(down: Downtime) -> float:
    return down.piled_up({operand.symbol: operand.value for operand in down.operands})


@rule(
    "CAP403",
    title="Repeats are recognised for as long as they can come",
    why="A restart reads up to a checkpoint interval again; a record that comes after its key is "
    "forgotten counts twice.",
    formula="detect + repair + restart + I_eff + d <= horizon of duplicates",
    bad="horizon: 10 min with a job outage of 20 min",
    good="horizon: 1 h with a job outage of 20 min",
    fix="raise semantics.duplicates.horizon, and the state that it needs",
    source="redelivery reaches back to the last completed checkpoint",
    severity=BY_LEVEL,
)
def repeats_recognised(plan: Plan) -> Iterator[Claim]:
    """The longest redelivery of every source whose repeats are dropped by a key."""
    for source in plan.model.sources:
        duplicates = source.semantics.duplicates if source.semantics is not None else None
        horizon = plan.operand("horizon", duplicates, "horizon", "horizon of duplicates")
        if duplicates is None or not duplicates.key or horizon is None:
            continue
        for outage in plan.model.outages:
            readers = stopped_readers(plan, source, outage)
            if outage.of in {"job", "worker", "zone"} and readers:
                yield _redelivery_claim(plan, source, outage, readers, horizon)


def _redelivery_claim(
    plan: Plan, source: Source, outage: Outage, readers: list[Stage], horizon: Operand
) -> Claim:
    down = slowest_downtime(plan, outage, readers)
    return inequality(
        plan.path(source, "semantics", "duplicates", "horizon"),
        f"{source.id} {outage.id or outage.of}",
        (*down.operands, horizon),
        down.piled_up,
        lambda v: v["horizon"],
        lambda e: (
            f"after an outage of {outage.id or outage.of} a record of {source.id!r} can come again "
            f"{e.left_shown} later; its key is remembered for {e.right_shown}"
        ),
        changes=(Change("horizon", rises=True), Change("repair", rises=False)),
    )


@rule(
    "CAP404",
    title="A join that runs ahead stays within its budget",
    why="While one input is read faster than the other, everything of the fast one waits in state; in a "
    "replay that can be the whole history.",
    formula="skew * rate of the fast input * bytes <= budget,   skew = min(alignment, retention of the join)",
    bad="two inputs, 1,000/s of 1 KB, 21.6 h apart without alignment: 77.8 GB",
    good="the same with alignment: 10 min: 0.6 GB",
    fix="set semantics.watermark.alignment on the fast source, or raise the budget",
    source="FLIP-182: watermark alignment",
    severity=BY_LEVEL,
)
def join_stays_bounded(plan: Plan) -> Iterator[Claim]:
    """`skew * rate * bytes <= budget` for every joining stage with a budget."""
    for stage in plan.model.stages:
        budget = plan.operand("budget", stage.state, "budget", "budget for state")
        if stage.join is None or budget is None:
            continue
        for source in sources_above(plan, stage.id):
            yield _join_claim(plan, stage, source, budget)


def _join_claim(plan: Plan, stage: Stage, source: Source, budget: Operand) -> Claim:
    path, subject = plan.path(stage, "join"), f"{stage.id} {source.id}"
    watermark = source.semantics.watermark if source.semantics is not None else None
    skews = [
        plan.operand("drift", watermark, "alignment", "alignment of the watermark"),
        plan.operand("kept", stage.join, "retention", "retention of the join"),
        plan.operand("R", source.retention, "time", "retention of the source"),
    ]
    own = [arrival for arrival in arrivals(plan, stage.id, peak=False) or () if arrival.source == source.id]
    size = plan.operand("size", source.record, "size", "size of a record")
    if not any(skews) or not own or size is None:
        missing = (
            f"cannot say how much of {source.id!r} waits in the join {stage.id!r}: state its rate, "
            "record.size and watermark.alignment"
        )
        return Claim(path, subject, missing=missing)
    rate = own[0]

    def waiting(values: Values) -> float:
        skew = min(values[symbol] for symbol in ("drift", "kept", "R") if symbol in values)
        return skew * values[rate.rate.symbol] * rate.factor * values["size"]

    return inequality(
        path,
        subject,
        (*skews, rate.rate, size, budget),
        waiting,
        lambda v: v["budget"],
        lambda e: (
            f"when the other input lags, {e.left_shown} of {source.id!r} wait in the join {stage.id!r}; its "
            f"budget is {e.right_shown}"
        ),
        dimension=Dimension.SIZE,
        changes=(Change("budget", rises=True), Change("drift", rises=False), Change("kept", rises=False)),
    )


@rule(
    "TMB101",
    title="Deletions are read before they are removed",
    why="A compacted topic forgets a deletion after its delete retention; a reader that comes later "
    "keeps the deleted key for ever.",
    formula="detect + repair + restart + time to read the whole topic <= delete retention",
    bad="an outage of 36 h with tombstones kept for 24 h",
    good="an outage of 2 h with tombstones kept for 24 h",
    fix="raise delete.retention.ms and state it as retention.tombstones",
    source="redpanda-data/docs#829; Apache Kafka documentation, delete.retention.ms (default 24 h)",
    severity=BY_LEVEL,
)
def deletions_are_read(plan: Plan) -> Iterator[Claim]:
    """The longest stop and a full scan against the delete retention of every compacted source."""
    for source in plan.model.sources:
        if source.retention is None or source.retention.cleanup not in {"compact", "compact_delete"}:
            continue
        for outage in plan.model.outages:
            readers = stopped_readers(plan, source, outage)
            if outage.of in {"job", "zone", "sink"} and readers:
                yield _tombstone_claim(plan, source, outage, readers)


def _tombstone_claim(plan: Plan, source: Source, outage: Outage, readers: list[Stage]) -> Claim:
    path = plan.path(source, "retention")
    kept = plan.operand("kept", source.retention, "tombstones", "delete retention")
    down = slowest_downtime(plan, outage, readers)
    scan = plan.assumed("scan", "time to read the topic", 3600.0, Dimension.DURATION, path, (60.0, 21_600.0))
    day = plan.assumed("kept", "delete retention", 86_400.0, Dimension.DURATION, path, (86_400.0, 86_400.0))
    return inequality(
        (*path, "tombstones") if kept else path,
        f"{source.id} {outage.id or outage.of}",
        (*down.operands, scan, kept or day),
        lambda v: down.down(v) + v["scan"],
        lambda v: v["kept"],
        lambda e: (
            f"after an outage of {outage.id or outage.of} of {say_seconds(down.down(e.values))} the reader "
            f"of {source.id!r} has seen every deletion after {e.left_shown}; they are "
            f"kept for {e.right_shown}"
        ),
        changes=(Change("kept", rises=True), Change("repair", rises=False)),
    )
