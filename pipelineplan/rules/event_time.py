"""EVT: does the watermark wait long enough for the data, and not too long for its readers?

event time ->      W              B          L
|------- window -------|--- lag ---|--- allowed lateness ---|
                                   ^ first firing           ^ later records are dropped
"""

from __future__ import annotations

from collections.abc import Iterator

from pipelineplan.eventtime import Disorder, share_within
from pipelineplan.plan import Plan
from pipelineplan.plan.freshness import Waits, waits
from pipelineplan.plan.load import Values
from pipelineplan.plan.objectives import Slo
from pipelineplan.plan.semantics import (
    EventTime,
    disorder_of,
    disorder_operand,
    event_time,
    sources_above,
    windowed_above,
)
from pipelineplan.plan.source import Source
from pipelineplan.plan.stage import Stage
from pipelineplan.quantities import Dimension, say_seconds, say_share
from pipelineplan.rules.claim import Bounds, Change, Claim, Evaluation
from pipelineplan.rules.registry import ALWAYS_ERROR, BY_LEVEL, rule
from pipelineplan.verdicts import Verdict


@rule(
    "EVT101",
    title="The watermark leaves as much as was promised",
    why="A record whose window has fired, and whose allowed lateness has passed, is dropped without a "
    "word; how many that are follows from how far out of order records arrive.",
    formula="share <= (1/W) * integral_0^W P(disorder <= B + L + u) du   (L = 0 at the first firing)",
    bad="disorder p99 40 s, p99.9 10 min; lag 30 s, allowed lateness 0 s; completeness 99.5 %",
    good="disorder p99 40 s, p99.9 2 min; lag 30 s, allowed lateness 5 min; completeness 99.5 %",
    fix="widen watermark.lag or window.allowed_lateness, or promise less; profile the stream to know more",
    source="Akidau et al., The Dataflow Model, PVLDB 8(12), 2015; the share is the mean over a window",
    severity=ALWAYS_ERROR,
)
def complete_enough(plan: Plan) -> Iterator[Claim]:
    """The promised completeness against the disorder of every source before the SLO's subject."""
    for slo in plan.model.slos:
        if slo.completeness is None:
            continue
        if slo.completeness.of == "windows":
            missing = "completeness of windows needs the records themselves: run `pipelineplan profile`"
            yield Claim(plan.path(slo, "completeness"), slo.subject, missing=missing)
            continue
        for stage in windowed_above(plan, slo.subject):
            for source in sources_above(plan, stage.id):
                yield _completeness_claim(plan, slo, source, stage)


def _completeness_claim(plan: Plan, slo: Slo, source: Source, stage: Stage) -> Claim:
    path, subject = plan.path(slo, "completeness"), f"{slo.subject} {source.id}"
    stated, disorder = event_time(plan, source, stage), disorder_of(plan, source)
    if stated is None or disorder is None:
        missing = f"cannot say what of {source.id!r} is late in {stage.id!r}: {_lacking(stated, disorder)}"
        return Claim(path, subject, missing=missing)
    target = plan.operand("share", slo.completeness, "share", "promised completeness")
    known = disorder_operand(plan, source)
    final = slo.completeness is not None and slo.completeness.at == "final"
    operands = (stated.window, stated.lag, *((stated.lateness,) if final else ()), known, target)
    patience = ("B", "L") if final else ("B",)
    return Claim(
        path,
        subject,
        tuple(operand for operand in operands if operand is not None),
        left=lambda v: (v["share"], v["share"]),
        right=lambda v: share_within(disorder, v["W"], sum(v[symbol] for symbol in patience)),
        dimension=Dimension.SHARE,
        says=lambda e: _completeness_said(slo, stated, e, final=final),
        changes=tuple(Change(symbol, rises=True) for symbol in reversed(patience)),
    )


def _lacking(stated: EventTime | None, disorder: Disorder | None) -> str:
    lacking = []
    if stated is None:
        lacking.append("state semantics.watermark.lag and a fixed window")
    if disorder is None:
        lacking.append("state semantics.disorder by quantiles, or profile the stream")
    return " and ".join(lacking)


def _completeness_said(slo: Slo, stated: EventTime, evaluation: Evaluation, *, final: bool) -> str:
    low, high = evaluation.right
    share = say_share(low) if low == high else f"between {say_share(low)} and {say_share(high)}"
    when = "in the end" if final else "at the first firing"
    patience = f"{say_seconds(stated.lag.value)} lag"
    if final:
        patience += f" and {say_seconds(stated.lateness.value)} allowed lateness"
    settle = ""
    if low < evaluation.left[0] <= high:
        settle = ": the quantiles say no more; profile the stream to settle it"
    return (
        f"{share} of the records of {stated.source.id!r} are counted {when}, with {patience}; "
        f"{slo.subject!r} promises {evaluation.left_shown}{settle}"
    )


@rule(
    "EVT201",
    title="Results can be as fresh as promised",
    why="A record waits for its window to end, for the watermark to pass it, and for the checkpoint that "
    "commits it; the waits add up whatever the load is.",
    formula="B + w + d + min(W, I_eff) + p * max(W, I_eff) <= F from a record, until committed "
    "(at least B + d + p * max(W, I_eff)); B + w + I_eff + d <= F from the window's end",
    bad="window 1 min, lag 45 s, checkpoint 10 min, transactional: p95 10.4 min and more, against 4 min",
    good="window 1 min, lag 45 s, checkpoint 1 min, transactional: p95 at most 2.8 min",
    fix="shorten the checkpoint interval, the watermark lag or the window, or promise less",
    source="the sum of two waits, each uniform over its period, at the best and the worst phase",
    severity=ALWAYS_ERROR,
)
def fresh_enough(plan: Plan) -> Iterator[Claim]:
    """Every freshness target against the waits that no capacity removes.

    Each job before the last that shows what it writes at checkpoints adds its I_eff and d: to the most in
    full, to the least as far as it is the longest.
    """
    for slo in plan.model.slos:
        if slo.freshness is None:
            continue
        for source in sources_above(plan, slo.subject):
            chain = waits(plan, slo, source)
            for name, probability, _ in slo.freshness.targets():
                path = plan.path(slo.freshness, name)
                if isinstance(chain, str):
                    yield Claim(path, f"{slo.subject} {source.id}", missing=chain)
                    continue
                yield _freshness_claim(plan, slo, source, chain, (name, probability))


def _freshness_claim(
    plan: Plan, slo: Slo, source: Source, chain: Waits, quantile: tuple[str, float]
) -> Claim:
    name, probability = quantile
    target = plan.operand("F", slo.freshness, name, f"freshness target {name}")
    return Claim(
        plan.path(slo, "freshness", name),
        f"{slo.subject} {source.id} {name}",
        (*chain.operands, *((target,) if target else ())),
        left=lambda v: chain.quantile(v, probability),
        right=lambda v: (v["F"], v["F"]),
        dimension=Dimension.DURATION,
        says=lambda e: _freshness_said(slo, name, e, chain.independent_quantile(e.values, probability)),
        changes=tuple(Change(symbol, rises=False) for symbol in _shorter(chain)),
    )


def _shorter(chain: Waits) -> list[str]:
    """What may be shortened: checkpoint intervals, the watermark lag, the window."""
    intervals = [f"I_{number}" for number in range(1, chain.handovers + 1)]
    return [symbol for symbol in ("I", *intervals, "B", "W") if symbol in chain.symbols]


def _freshness_said(slo: Slo, quantile: str, evaluation: Evaluation, drifting: float | None) -> str:
    freshness = slo.freshness
    since = "the window's end" if freshness and freshness.measured_from == "window_end" else "the event time"
    settle = (
        ", and `pipelineplan simulate` says where between" if evaluation.verdict is Verdict.UNKNOWN else ""
    )
    between = "" if drifting is None else f", {say_seconds(drifting)} where the jobs' checkpoints drift"
    return (
        f"{quantile} of freshness at {slo.subject!r} is {evaluation.left_shown} from {since} on without any "
        f"backlog{between}; the target is {evaluation.right_shown}{settle}"
    )


@rule(
    "EVT301",
    title="A silent partition does not hold back the watermark for longer than promised",
    why="The watermark is the minimum over partitions: one that falls silent stops every window until it "
    "counts as idle, and without an idle timeout for ever.",
    formula="idle_timeout + 3 * w + B + I_eff + d <= F   (+ W when measured from the record)",
    bad="12 partitions, a freshness target, and no idle_timeout",
    good="idle_timeout: 60 s, lag 30 s, freshness p95 3 min",
    fix="set semantics.watermark.idle_timeout, longer than the normal gap and short of the target",
    source="apache/beam#31085; FLINK-40503 for the three probes; FLIP-471",
    severity=BY_LEVEL,
)
def idle_partitions(plan: Plan) -> Iterator[Claim]:
    """The idle timeout of every source with several partitions against the loosest freshness target."""
    for slo in plan.model.slos:
        if slo.freshness is None or not windowed_above(plan, slo.subject):
            continue
        for source in sources_above(plan, slo.subject):
            windowed = any(source.id in plan.graph.above(s.id) for s in windowed_above(plan, slo.subject))
            if windowed and (source.partitions or 1) > 1:
                yield _idle_claim(plan, slo, source, waits(plan, slo, source))


def _idle_claim(plan: Plan, slo: Slo, source: Source, chain: Waits | str) -> Claim:
    path, subject = plan.path(source, "semantics", "watermark"), f"{slo.subject} {source.id}"
    watermark = source.semantics.watermark if source.semantics is not None else None
    idle = plan.operand("idle", watermark, "idle_timeout", "idle timeout")
    name = slo.freshness.targets()[-1][0] if slo.freshness else "p95"
    target = plan.operand("F", slo.freshness, name, f"freshness target {name}")
    if isinstance(chain, str):
        return Claim(path, subject, missing=chain)
    if idle is None or target is None:
        missing = (
            f"one silent partition of {source.id!r} stops every window: state "
            "semantics.watermark.idle_timeout, longer than its normal gap"
        )
        return Claim(path, subject, missing=missing)

    def left(values: Values) -> Bounds:
        longest = chain.longest(values) + values["idle"] + 3 * values["w"]
        return (longest, longest)

    return Claim(
        (*path, "idle_timeout"),
        subject,
        (idle, *chain.operands, target),
        left=left,
        right=lambda v: (v["F"], v["F"]),
        dimension=Dimension.DURATION,
        says=lambda e: (
            f"when a partition of {source.id!r} falls silent, results at {slo.subject!r} are up to "
            f"{e.left_shown} old; the target {name} is {e.right_shown}"
        ),
        changes=(Change("idle", rises=False),),
    )
