"""CAP103, CAP104, CAP105, CAP501: who carries the load when a worker is gone, and what breaks first.

12 partitions on 8 workers: 2 on the busiest      one zone of three lost: 5 workers, 3 on the busiest
"""

from __future__ import annotations

import math
from collections.abc import Iterator

from pipelineplan.documents import Path
from pipelineplan.plan import Plan
from pipelineplan.plan.load import Values, arrivals, writers_of
from pipelineplan.plan.objectives import Outage
from pipelineplan.plan.sink import Sink
from pipelineplan.plan.stage import Stage
from pipelineplan.quantities import Dimension, say, say_share
from pipelineplan.rules.capacity import Busiest, busiest_worker
from pipelineplan.rules.claim import Change, Claim, Evaluation
from pipelineplan.rules.inequality import at_most, inequality
from pipelineplan.rules.registry import ADVICE, ALWAYS_ERROR, rule
from pipelineplan.verdicts import Operand, Severity

_ZONES = 3.0


@rule(
    "CAP103",
    title="The survivors keep up when a worker or a zone is lost",
    why="What the lost workers did is dealt out whole to those that are left: the busiest of them may get "
    "another whole partition, which is more than n / (n - 1) of what it had.",
    formula="s(p - lost) * λ <= μ   (lost: one worker, or ceil(p / zones); where nothing replaces them)",
    bad="75 % utilised, one zone of three lost: 112 %",
    good="45 % utilised, one zone of three lost: 68 %",
    fix="add workers, or let spare ones take over (autoscaling), and state capacity.failure_domains",
    source="Honeycomb incident review, postmortems.info; partitions are dealt out whole",
    severity=ADVICE,
)
def survivors_keep_up(plan: Plan) -> Iterator[Claim]:
    """`s(survivors) * λ <= μ` for every stage and every outage of a worker or a zone."""
    for outage in plan.model.outages:
        if outage.of not in {"worker", "zone"}:
            continue
        for stage in plan.model.stages:
            worker = busiest_worker(plan, stage)
            if not isinstance(worker, str) and stage.autoscaling is None:
                yield _survivor_claim(plan, outage, worker)


def _survivor_claim(plan: Plan, outage: Outage, worker: Busiest) -> Claim:
    zones = _zones(plan) if outage.of == "zone" else None

    def left_over(values: Values) -> dict[str, float]:
        lost = math.ceil(values["p"] / values["zones"]) if zones is not None else 1
        return {**values, "p": max(1.0, values["p"] - lost)}

    return inequality(
        (*plan.path(worker.stage), "parallelism"),
        f"{outage.id or outage.of} {worker.stage.id}",
        (*worker.operands, zones),
        lambda v: math.inf if v["p"] <= 1 else worker.own_rate(left_over(v)),
        lambda v: v["μ"],
        lambda e: _survivors_said(outage, worker, left_over(e.values), e),
        dimension=Dimension.RATE,
        changes=worker.changes(),
    )


def _zones(plan: Plan) -> Operand:
    stated = plan.operand("zones", plan.model.capacity, "failure_domains", "failure domains")
    if stated is not None and stated.value >= 1:
        return stated
    return plan.assumed("zones", "failure domains", _ZONES, None, ("capacity",), (2.0, 3.0))


def _survivors_said(outage: Outage, worker: Busiest, left: Values, evaluation: Evaluation) -> str:
    if evaluation.values["p"] <= 1:
        return f"{worker.stage.id!r} has 1 worker: with the {outage.of} nothing is left"
    return (
        f"with a {outage.of} lost, {left['p']:.0f} of {evaluation.values['p']:.0f} workers of "
        f"{worker.stage.id!r} are left and the busiest carries {evaluation.left_shown} of "
        f"{evaluation.right_shown} at peak, {say_share(worker.utilisation(left))}"
    )


@rule(
    "CAP104",
    title="More workers than partitions do nothing",
    why="A partition has one reader: workers beyond the partitions are paid for and idle, and the plan's "
    "arithmetic counts on them.",
    formula="parallelism <= partitions (fed forward), parallelism <= max (keyed)",
    bad="parallelism: 16 forward from 12 partitions",
    good="parallelism: 12 forward from 12 partitions",
    fix="lower the parallelism, add partitions, or spread records by exchange: rebalance or keyed",
    source="apache/flink-kubernetes-operator#597; FLINK-27327 for max parallelism",
    severity=ADVICE,
)
def workers_have_work(plan: Plan) -> Iterator[Claim]:
    """`p <= channels` for every stage whose input has a fixed number of channels."""
    for stage in plan.model.stages:
        worker = busiest_worker(plan, stage)
        if not isinstance(worker, str) and worker.share.channels is not None:
            yield _idle_claim((*plan.path(stage), "parallelism"), worker, worker.share.channels)


def _idle_claim(path: Path, worker: Busiest, channels: Operand) -> Claim:
    what = "partitions" if worker.share.kind == "forward" else "key groups"
    return at_most(
        path,
        worker.stage.id,
        worker.workers,
        channels,
        lambda e: f"{worker.stage.id!r} has {e.left[0]:.0f} workers for {e.right[0]:.0f} {what}",
        changes=(Change("p", rises=False, whole=True),),
    )


@rule(
    "CAP501",
    title="The way to ten times the load is known, and its first limit",
    why="The limit that breaks first decides what has to be built before growth comes, and it is rarely "
    "the one that is watched.",
    formula="10 * λ * s(p_max) <= μ,   p_max = partitions (forward) or key groups (keyed)",
    bad="24 partitions of 3,000/s at a peak of 50,000/s: seven partitions' worth is missing at ten times",
    good="240 partitions of 3,000/s at a peak of 50,000/s",
    fix="add partitions or key groups before the state is large, or state capacity.ten_times",
    source="the largest parallelism that partitions and key groups allow",
    severity=dict.fromkeys(ADVICE, Severity.INFO),
)
def ten_times(plan: Plan) -> Iterator[Claim]:
    """Ten times the peak at the largest useful parallelism, for every stage, then for every sink."""
    if plan.model.capacity is None or plan.model.capacity.ten_times is None:
        return
    for stage in plan.model.stages:
        worker = busiest_worker(plan, stage)
        if not isinstance(worker, str) and worker.share.channels is not None:
            yield _ten_claim((*plan.path(stage), "parallelism"), worker, stage)
    for sink in plan.model.sinks:
        yield from _at_sink(plan, sink, 10, "at ten times the peak")


def _ten_claim(path: Path, worker: Busiest, stage: Stage) -> Claim:
    channels = worker.share.channels
    symbol = channels.symbol if channels is not None else "p"

    def widest(values: Values) -> dict[str, float]:
        return {**values, "p": values[symbol]}

    return inequality(
        path,
        stage.id,
        worker.operands,
        lambda v: 10 * worker.own_rate(widest(v)),
        lambda v: v["μ"],
        lambda e: (
            f"at ten times the peak and {e.values[symbol]:.0f} workers, the most that can share it, the "
            f"busiest of {stage.id!r} carries {e.left_shown} of {e.right_shown}: it holds up to "
            f"{10 * e.values['μ'] / e.left[0] if e.left[0] else math.inf:.1f} times the peak"
        ),
        dimension=Dimension.RATE,
        changes=(Change(symbol, rises=True, whole=True, steady=True), Change("μ", rises=True)),
    )


@rule(
    "CAP105",
    title="Every sink takes what comes to it at peak",
    why="A sink that takes less than it gets holds up every stage before it: workers with room to spare "
    "wait, and the lag grows for as long as the peak lasts.",
    formula="λ <= n * μ   (n: writers, or the subtasks of its input where none are stated)",
    bad="18 writers of 50/s for 1_800/s at peak: 900/s",
    good="18 writers of 200/s for 1_800/s at peak: 3,600/s",
    fix="add writers, or write in larger batches so that each takes more",
    source="the slowest step bounds the flow; T1, where a sink's capacity divided by 60 held up every stage",
    severity=ALWAYS_ERROR,
)
def sinks_keep_up(plan: Plan) -> Iterator[Claim]:
    """`λ <= n * μ` for every sink that states what one writer takes."""
    for sink in plan.model.sinks:
        yield from _at_sink(plan, sink, 1, "at peak")


def _at_sink(plan: Plan, sink: Sink, times: int, when: str) -> Iterator[Claim]:
    arriving = arrivals(plan, sink.id)
    able = plan.operand("μ", sink, "capacity", "capacity of a writer")
    writers = writers_of(plan, sink)
    if not arriving or able is None:
        return
    yield inequality(
        (*plan.path(sink), "capacity"),
        sink.id,
        (*(one.rate for one in arriving), able, writers),
        lambda v: times * sum(v[one.rate.symbol] * one.factor for one in arriving),
        lambda v: v["μ"] * v.get("n", 1.0),
        lambda e: f"{when} {sink.id!r} gets {e.left_shown}; it can take {say(e.right[0], Dimension.RATE)}",
        dimension=Dimension.RATE,
        changes=(Change("n", rises=True, whole=True, steady=True), Change("μ", rises=True)),
    )
