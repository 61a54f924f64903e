"""PLN: do plans that feed each other keep what the next one counts on?

producer  p95 fresh within 10 min   --->   consumer  promises 5 min          no
producer  sends 12,000/s at peak    --->   consumer  was sized for 8,000/s   no
"""

from __future__ import annotations

from collections.abc import Iterator

from pipelineplan.plan import Plan
from pipelineplan.plan.delivery import level_of
from pipelineplan.plan.load import Values, arrivals, peak_rate
from pipelineplan.plan.objectives import Slo
from pipelineplan.plan.plan import Upstream
from pipelineplan.plan.recovery import checkpoint_operands, committing_stage
from pipelineplan.plan.source import Source
from pipelineplan.quantities import Dimension, say
from pipelineplan.rules.capacity import Busiest, busiest_worker
from pipelineplan.rules.claim import Change, Claim
from pipelineplan.rules.contract_fit import dataset_of
from pipelineplan.rules.inequality import at_most, inequality, statement
from pipelineplan.rules.registry import BY_LEVEL, rule
from pipelineplan.verdicts import Operand


def _fed(plan: Plan) -> Iterator[tuple[Source, Upstream]]:
    for source in plan.model.sources:
        if source.id in plan.upstreams:
            yield source, plan.upstreams[source.id]


def _renamed(operand: Operand, symbol: str, up: Upstream) -> Operand:
    """An operand of the feeding plan, under a symbol of its own and with that plan in its name."""
    words = f"{operand.name} of {up.plan.name}"
    return Operand(
        symbol, words, operand.value, operand.low, operand.high, operand.basis, operand.path,
        operand.position, operand.dimension,
    )  # fmt: skip


@rule(
    "PLN101",
    title="A plan promises nothing fresher than what feeds it",
    why="A record is no fresher at the end than it was on the way: a promise below the producer's own "
    "cannot be kept, whatever the consumer does.",
    formula="freshness of the producer <= freshness of the consumer, at the same quantile from the record",
    bad="the producer promises p95 10 min, the consumer p95 5 min",
    good="the producer promises p95 3 min, the consumer p95 5 min",
    fix="loosen the consumer's promise, or tighten the producer's",
    source="the time until visible at the consumer contains that at the producer",
    severity=BY_LEVEL,
)
def no_fresher_than_the_producer(plan: Plan) -> Iterator[Claim]:
    """Every freshness target against the producer's at the same quantile."""
    for source, up in _fed(plan):
        for slo in plan.model.slos:
            if _from_record(slo) and source.id in plan.graph.above(slo.subject):
                yield from _fresh_claims(plan, source, up, slo)


def _from_record(slo: Slo) -> bool:
    return slo.freshness is not None and slo.freshness.measured_from == "record"


def _fresh_claims(plan: Plan, source: Source, up: Upstream, slo: Slo) -> Iterator[Claim]:
    theirs = [one for one in up.plan.model.slos if one.subject == up.sink.id and _from_record(one)]
    for name, _, _ in slo.freshness.targets() if slo.freshness is not None else ():
        own = plan.operand("F", slo.freshness, name, f"freshness target {name}")
        found = [up.plan.operand("Fp", one.freshness, name, f"freshness target {name}") for one in theirs]
        given = next((operand for operand in found if operand is not None), None)
        if own is not None and given is not None:
            yield _fresh_claim(plan, source, up, slo, (name, own, _renamed(given, "Fp", up)))


def _fresh_claim(
    plan: Plan, source: Source, up: Upstream, slo: Slo, target: tuple[str, Operand, Operand]
) -> Claim:
    name, own, given = target
    return at_most(
        plan.path(slo, "freshness", name),
        f"{slo.subject} {source.id} {name}",
        given,
        own,
        lambda e: (
            f"{slo.subject!r} promises {name} {e.right_shown}; what feeds {source.id!r}, {up.sink.id!r} of "
            f"{up.plan.name}, promises {e.left_shown}"
        ),
    )


@rule(
    "PLN102",
    title="A plan is sized for what feeds it",
    why="The consumer's arithmetic rests on a rate that somebody else decides: when the producer grows, "
    "every verdict of the consumer is about a load that is gone.",
    formula="peak rate of the producer at its sink <= peak rate that the consumer states",
    bad="the producer sends 12,000/s at peak, the consumer states a peak of 8,000/s",
    good="the consumer states a peak of 12,000/s",
    fix="state the producer's peak at the source, and look at what then fails",
    source="the producer's own arithmetic: its sources' peaks times the selectivity on the way",
    severity=BY_LEVEL,
)
def sized_for_the_producer(plan: Plan) -> Iterator[Claim]:
    """`peak of the producer <= peak of the consumer` for every fed source."""
    for source, up in _fed(plan):
        own, arriving = peak_rate(plan, source), arrivals(up.plan, up.sink.id)
        if own is None or not arriving:
            continue
        sent = [
            (_renamed(one.rate, f"sent{number}", up), one.factor) for number, one in enumerate(arriving, 1)
        ]
        yield _sized_claim(plan, source, up, own, sent)


def _sized_claim(
    plan: Plan, source: Source, up: Upstream, own: Operand, sent: list[tuple[Operand, float]]
) -> Claim:
    return inequality(
        plan.path(source, "rate"),
        source.id,
        (*(operand for operand, _ in sent), own),
        lambda v: sum(v[operand.symbol] * factor for operand, factor in sent),
        lambda v: v[own.symbol],
        lambda e: (
            f"{up.sink.id!r} of {up.plan.name} sends up to {e.left_shown}; {source.id!r} is sized for "
            f"{e.right_shown}"
        ),
        dimension=Dimension.RATE,
        changes=(Change(own.symbol, rises=True),),
    )


@rule(
    "PLN103",
    title="Both sides mean the same fields",
    why="Where the producer's contract lacks a field that the consumer's has, or has it as another type, one "
    "of the two is wrong about the same records.",
    formula="every field of the consumer's contract is in the producer's, with the same type",
    bad="the consumer's contract has amount as a number, the producer's as a string",
    good="both name the same contract",
    fix="let both name one contract, or bring the fields in line",
    source="a contract has two sides",
    severity=BY_LEVEL,
)
def the_same_fields(plan: Plan) -> Iterator[Claim]:
    """The fields of the source's contract against those of the sink that feeds it."""
    for source, up in _fed(plan):
        own, theirs = dataset_of(plan, source), dataset_of(up.plan, up.sink)
        if own is None or theirs is None:
            continue
        known = {field.name: field.logical_type for field in theirs.fields}
        lacking = [field.name for field in own.fields if field.name not in known]
        other = [
            f"{field.name} ({known[field.name]}, not {field.logical_type})"
            for field in own.fields
            if field.name in known and {known[field.name], field.logical_type} - {field.logical_type, ""}
        ]
        said = [f"lacks {', '.join(lacking)}"] * bool(lacking)
        said += [f"differs in {', '.join(other)}"] * bool(other)
        what = f"the contract of {up.sink.id!r} of {up.plan.name} {' and '.join(said) or 'has every field'}"
        path = plan.path(source, "contract")
        yield statement(path, source.id, f"{what} of {source.id!r}", true=not said)


@rule(
    "PLN104",
    title="Repeats of the producer are expected by the consumer",
    why="A producer that delivers at least once repeats after every restart; a consumer that promises "
    "exactly once from there counts them twice.",
    formula="the producer's sink repeats nothing, or the consumer drops repeats by a key",
    bad="the producer's sink is at_least_once, the consumer states no duplicates",
    good="the same with semantics.duplicates: {key: [id], horizon: 1 h}",
    fix="state semantics.duplicates with a key and a horizon, or make the producer's sink transactional",
    source="ClickHouse/flink-connector-clickhouse#106 seen from the next plan",
    severity=BY_LEVEL,
)
def repeats_are_expected(plan: Plan) -> Iterator[Claim]:
    """The guarantee of every feeding sink against what the source says about repeats."""
    for source, up in _fed(plan):
        level = level_of(up.sink)
        if level is None:
            continue
        duplicates = source.semantics.duplicates if source.semantics is not None else None
        keyed = duplicates is not None and bool(duplicates.key)
        kind = up.sink.guarantee.kind.replace("_", " ") if up.sink.guarantee is not None else ""
        what = (
            f"{up.sink.id!r} of {up.plan.name} delivers {kind}; {source.id!r} "
            f"{'drops repeats by a key' if keyed else 'expects no repeats'}"
        )
        yield statement(plan.path(source, "plan"), source.id, what, true=level == 2 or keyed)


@rule(
    "PLN105",
    title="A plan keeps up with the replay of what feeds it",
    why="What the producer runs again arrives at the consumer beside the live records.",
    formula="s_w * (λ + rate limit of the producer's replay * its selectivity) <= μ",
    bad="a replay of 50,000/s in the producer, at a consumer of 20,000/s",
    good="a replay of 5,000/s in the producer, at the same consumer",
    fix="lower the producer's replay.rate_limit, or give the consumer room",
    source="PostHog/posthog#33181 seen from the next plan",
    severity=BY_LEVEL,
)
def keeps_up_with_replays(plan: Plan) -> Iterator[Claim]:
    """The producer's replay as load of every stage that reads what it feeds."""
    for source, up in _fed(plan):
        limit = up.plan.operand("limit", up.plan.model.replay, "rate_limit", "rate limit of the replay")
        arriving = arrivals(up.plan, up.sink.id)
        if limit is None or not arriving:
            continue
        factor = max(one.factor for one in arriving)
        for stage in plan.model.stages:
            worker = busiest_worker(plan, stage)
            if not isinstance(worker, str) and source.id in plan.graph.above(stage.id):
                yield _replay_claim(plan, source, up, worker, (_renamed(limit, "limit", up), factor))


def _replay_claim(
    plan: Plan, source: Source, up: Upstream, worker: Busiest, replay: tuple[Operand, float]
) -> Claim:
    limit, factor = replay
    onward = next(one.factor for one in worker.arriving if one.source == source.id)

    def with_replay(values: Values) -> float:
        extra = values["limit"] * factor * onward
        return (worker.rate(values) + extra) * worker.share.of_busiest(values)

    return inequality(
        plan.path(source, "plan"),
        f"{source.id} {worker.stage.id}",
        (*worker.operands, limit),
        with_replay,
        lambda v: v["μ"],
        lambda e: (
            f"while {up.plan.name} replays at {say(e.values['limit'], Dimension.RATE)}, the busiest worker "
            f"of {worker.stage.id!r} gets {e.left_shown}; it can do {e.right_shown}"
        ),
        dimension=Dimension.RATE,
        changes=(Change("limit", rises=False), Change("p", rises=True, whole=True), Change("μ", rises=True)),
    )


@rule(
    "PLN106",
    title="The producer's commits are no silence",
    why="A transactional producer shows its records in lumps, one for every checkpoint: a consumer whose "
    "idle timeout is shorter counts every partition out between two of them, and the next lump is late.",
    formula="I_eff + d of the producer <= idle timeout of the consumer",
    bad="the producer commits every 10 min, the consumer's idle_timeout is 1 min",
    good="the producer commits every minute, the consumer's idle_timeout is 3 min",
    fix="raise watermark.idle_timeout above the producer's checkpoint interval",
    source="read_committed shows what is committed; Apache Flink documentation, dealing with idle sources",
    severity=BY_LEVEL,
)
def commits_are_no_silence(plan: Plan) -> Iterator[Claim]:
    """`I_eff + d <= idle timeout` for every source that a transactional sink feeds."""
    for source, up in _fed(plan):
        watermark = source.semantics.watermark if source.semantics is not None else None
        idle = plan.operand("idle", watermark, "idle_timeout", "idle timeout")
        committing = committing_stage(up.plan, up.sink.id)
        transactional = up.sink.guarantee is not None and up.sink.guarantee.kind == "transactional"
        if idle is None or committing is None or not transactional:
            continue
        theirs = [one for one in checkpoint_operands(up.plan, committing) if one is not None]
        renamed = [_renamed(one, one.symbol, up) for one in theirs]
        yield _lump_claim(plan, source, up, idle, renamed)


def _lump_claim(plan: Plan, source: Source, up: Upstream, idle: Operand, theirs: list[Operand]) -> Claim:
    return inequality(
        plan.path(source, "semantics", "watermark", "idle_timeout"),
        source.id,
        (*theirs, idle),
        lambda v: max(v["I"], v.get("d", 0.0) + v.get("pause", 0.0)) + v.get("d", 0.0),
        lambda v: v["idle"],
        lambda e: (
            f"{up.sink.id!r} of {up.plan.name} shows records every {e.left_shown}; a partition of "
            f"{source.id!r} counts as idle after {e.right_shown}"
        ),
        changes=(Change("idle", rises=True),),
    )
