"""CAP: does every stage keep up, and does it catch up in time after what the plan claims to survive?

s_w * lambda <= mu_w                                 keeps up
s_w * lambda * T / (mu_w - s_w * lambda) <= target   catches up
"""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass

from pipelineplan.documents import Path
from pipelineplan.plan import Plan, capacity
from pipelineplan.plan.load import Arrival, Values, WorkerShare, arrivals, worker_share
from pipelineplan.plan.objectives import Outage
from pipelineplan.plan.plan import once
from pipelineplan.plan.recovery import Downtime, downtime_before
from pipelineplan.plan.stage import Stage
from pipelineplan.quantities import Dimension, say, say_apart, say_seconds
from pipelineplan.rules.claim import Bounds, Change, Claim, Evaluation
from pipelineplan.rules.registry import ADVICE, ALWAYS_ERROR, rule
from pipelineplan.verdicts import Operand, Verdict


@dataclass(frozen=True)
class Busiest:
    """The busiest worker of a stage: what arrives at it and what it can do."""

    stage: Stage
    arriving: tuple[Arrival, ...]
    share: WorkerShare
    workers: Operand
    capacity: Operand

    @property
    def operands(self) -> tuple[Operand, ...]:
        """All that its load and its capacity are computed from."""
        rates = tuple(arrival.rate for arrival in self.arriving)
        return (*rates, *self.share.operands, self.workers, self.capacity)

    def rate(self, values: Values) -> float:
        """Records per second that arrive at the whole stage."""
        return sum(values[arrival.rate.symbol] * arrival.factor for arrival in self.arriving)

    def own_rate(self, values: Values) -> float:
        """Records per second that arrive at this worker."""
        return self.rate(values) * self.share.of_busiest(values)

    def utilisation(self, values: Values) -> float:
        """Its own rate over its capacity."""
        return capacity.utilisation(self.rate(values), self.share.of_busiest(values), values["μ"])

    def changes(self) -> tuple[Change, ...]:
        """What could be changed so that it keeps up: parallelism, capacity, the rates."""
        limit = self.share.channels.value if self.share.channels is not None else float("inf")
        return (
            Change("p", rises=True, whole=True, limit=limit),
            Change("μ", rises=True),
            *(Change(arrival.rate.symbol, rises=False) for arrival in self.arriving),
        )


@once
def busiest_worker(plan: Plan, stage: Stage) -> Busiest | str:
    """The busiest worker of `stage`, or what the plan must state before one can be named."""
    arriving, share = arrivals(plan, stage.id), worker_share(plan, stage.id)
    workers = plan.operand("p", stage.parallelism, "now", "parallelism")
    able = plan.operand("μ", stage, "capacity", "capacity of a worker")
    lacking = [
        what
        for what, found in (
            ("a rate for every source above it (sources[].rate)", arriving),
            ("the partitions of its source (sources[].partitions)", share),
            ("its parallelism (stages[].parallelism)", workers),
            ("the capacity of one worker (stages[].capacity)", able),
        )
        if found is None
    ]
    if arriving is None or share is None or workers is None or able is None:
        return f"cannot say whether stage {stage.id!r} keeps up: state {' and '.join(lacking)}"
    return Busiest(stage, arriving, share, workers, able)


def _exact(value: float) -> Bounds:
    return (value, value)


def _spread(worker: Busiest, values: Values) -> str:
    """Why the busiest worker has more than the mean, in words."""
    count, channels = int(values["p"]), worker.share.channels
    if channels is None or int(channels.value) % count == 0:
        return ""
    each = -(-int(channels.value) // count)
    kind = "partitions" if worker.share.kind == "forward" else "key groups"
    return f" ({int(channels.value)} {kind} over {count} workers leave some with {each})"


@rule(
    "CAP101",
    title="The busiest worker keeps up at peak",
    why="A worker that gets more than it can do falls behind for as long as the peak lasts; the mean "
    "over all workers hides it, because partitions and key groups are dealt out whole.",
    formula="s_w * λ <= μ   (s_w: the busiest worker's share of all records)",
    bad="12 partitions on 8 workers of 1_500/s at a peak of 11_000/s: 1,833/s on the busiest",
    good="12 partitions on 12 workers of 1_500/s at a peak of 11_000/s: 917/s on each",
    fix="raise parallelism to a divisor of the partitions, or the capacity of a worker",
    source="a queue is stable below one; partitions and key groups are dealt out whole: "
    "apache/flink-kubernetes-operator#597",
    severity=ALWAYS_ERROR,
)
def keeps_up(plan: Plan) -> Iterator[Claim]:
    """`s_w * λ <= μ` for every stage."""
    for stage in plan.model.stages:
        worker = busiest_worker(plan, stage)
        path = plan.path(stage)
        if isinstance(worker, str):
            yield Claim(path, stage.id, missing=worker)
            continue
        yield _stability_claim((*path, "capacity"), worker)


def _stability_claim(path: Path, worker: Busiest) -> Claim:
    return Claim(
        path,
        worker.stage.id,
        worker.operands,
        left=lambda v: _exact(worker.own_rate(v)),
        right=lambda v: _exact(v["μ"]),
        dimension=Dimension.RATE,
        says=lambda e: _load_said(worker, e),
        changes=worker.changes(),
    )


def _load_said(worker: Busiest, evaluation: Evaluation) -> str:
    values = evaluation.values
    mean = worker.rate(values) / values["p"] / values["μ"]
    return (
        f"the busiest worker of {worker.stage.id!r} carries {say(worker.own_rate(values), Dimension.RATE)} "
        f"of {say(values['μ'], Dimension.RATE)} at peak, {_percent(worker.utilisation(values), evaluation)} "
        f"(the mean says {_whole(mean)}){_spread(worker, values)}"
    )


def _percent(utilised: float, evaluation: Evaluation) -> str:
    """As few digits as tell it from the limit that it is compared with."""
    limit = 1.0 if evaluation.claim.dimension is Dimension.RATE else evaluation.right[0]
    near = _whole(utilised) == _whole(limit)
    return say_apart(utilised, limit, Dimension.SHARE)[0] if near else _whole(utilised)


def _whole(share: float) -> str:
    return f"{share * 100:.0f} %"


@rule(
    "CAP102",
    title="The busiest worker has headroom at peak",
    why="Above 60 to 70 % a worker has little left to catch up with, and queues grow steeply.",
    formula="s_w * λ <= max_utilisation * μ",
    bad="92 % of the busiest worker at peak, with max_utilisation: 70 %",
    good="46 % of the busiest worker at peak",
    fix="raise parallelism to a divisor of the partitions, raise capacity, or state capacity.max_utilisation",
    source="design playbook: 60-70 % at peak; Kingman 1961 for the growth of queues",
    severity=ADVICE,
)
def has_headroom(plan: Plan) -> Iterator[Claim]:
    """`s_w * λ <= u * μ` for every stage."""
    policy = plan.model.capacity
    limit = plan.operand("u", policy, "max_utilisation", "highest utilisation allowed") or plan.assumed(
        "u", "highest utilisation allowed", 0.7, Dimension.SHARE, ("capacity",), (0.5, 0.9)
    )
    for stage in plan.model.stages:
        worker = busiest_worker(plan, stage)
        if isinstance(worker, str):
            continue  # CAP101 says what is missing
        yield _headroom_claim((*plan.path(stage), "capacity"), worker, limit)


def _headroom_claim(path: Path, worker: Busiest, limit: Operand) -> Claim:
    return Claim(
        path,
        worker.stage.id,
        (*worker.operands, limit),
        left=lambda v: _exact(worker.utilisation(v)),
        right=lambda v: _exact(v["u"]),
        dimension=Dimension.SHARE,
        says=lambda e: f"{_load_said(worker, e)}; allowed are {e.right_shown}",
        changes=worker.changes(),
    )


@rule(
    "CAP201",
    title="The backlog of an outage drains in time",
    why="After an outage the busiest worker works off its own share with what it has to spare; that "
    "can take ten times longer than the mean over all workers says, or for ever.",
    formula="s_w * λ * T / (μ - s_w * λ) <= drain target, T = detect + repair (+ restart + I_eff + d where "
    "the job restarts); where checkpoints fail in a sink's outage, that restart is waited for too",
    bad="92 % utilised, an hour down: 11 hours to drain against a target of 2 h",
    good="46 % utilised, an hour down: 51 minutes to drain",
    fix="raise parallelism or capacity, or state a drain target that can be met",
    source="a backlog B drains in B / (μ - λ), here on the busiest worker; apache/spark#10089",
    severity=ALWAYS_ERROR,
)
def drains(plan: Plan) -> Iterator[Claim]:
    """`s_w * λ * T / (μ - s_w * λ) <= target` for every outage with a target and every stage."""
    for outage in plan.model.outages:
        if outage.drain_target is None:
            continue
        for stage in plan.model.stages:
            worker, down = busiest_worker(plan, stage), downtime_before(plan, outage, stage)
            if not isinstance(worker, str) and down is not None:
                yield _drain_claim(plan, outage, worker, down)


def _drain_claim(plan: Plan, outage: Outage, worker: Busiest, down: Downtime) -> Claim:
    target = plan.operand("target", outage, "drain_target", "drain target")
    operands = (*worker.operands, *down.operands, *((target,) if target else ()))

    def left(values: Values) -> Bounds:
        rate, share = worker.rate(values), worker.share.of_busiest(values)
        drained = capacity.drain_seconds(rate, share, values["μ"], down.piled_up(values))
        return _exact(drained + _begun_late(down, values))

    return Claim(
        plan.path(outage, "drain_target"),
        f"{outage.id or outage.of} {worker.stage.id}",
        operands,
        left=left,
        right=lambda v: _exact(v["target"]),
        dimension=Dimension.DURATION,
        says=lambda e: _drain_said(outage, worker, down, e),
        changes=(*worker.changes(), *(Change(o.symbol, rises=False) for o in down.operands[:2])),
    )


def _begun_late(down: Downtime, values: Values) -> float:
    """Seconds after the sink's repair that the job may still be restarting, before it drains anything."""
    return down.restarting(values) if down.outage.of == "sink" else 0.0


def _drain_said(outage: Outage, worker: Busiest, down: Downtime, evaluation: Evaluation) -> str:
    values = evaluation.values
    rate, share = worker.rate(values), worker.share.of_busiest(values)
    outage_only = capacity.drain_seconds(rate, share, values["μ"], down.down(values))
    mean = capacity.drain_seconds(rate, 1 / values["p"], values["μ"], down.down(values))
    late = _begun_late(down, values)
    if math.isinf(outage_only):
        return (
            f"after an outage of {outage.id or outage.of} of {say_seconds(down.down(values))} stage "
            f"{worker.stage.id!r} never catches up at peak, as its busiest worker is full (the mean over "
            f"workers says {say_seconds(mean)}); the target is {evaluation.right_shown}"
            f"{_plateau(worker, down, evaluation)}"
        )
    replay = f", {evaluation.left_shown} with the replay" if down.replayed(values) else ""
    if late:
        replay += f" and {say_seconds(late)} of restart, as checkpoints fail meanwhile"
    return (
        f"an outage of {outage.id or outage.of} of {say_seconds(down.down(values))} at peak takes stage "
        f"{worker.stage.id!r} {say_seconds(outage_only)} to drain{replay} (the mean over workers says "
        f"{say_seconds(mean)}); the target is {evaluation.right_shown}{_plateau(worker, down, evaluation)}"
    )


def _plateau(worker: Busiest, down: Downtime, evaluation: Evaluation) -> str:
    """Which parallelism would change nothing, and how long the next better one would take."""
    channels, values = worker.share.channels, evaluation.values
    now = int(values["p"])
    if evaluation.verdict is Verdict.HOLDS or channels is None or now >= int(channels.value):
        return ""
    total = int(channels.value)
    most = -(-total // now)
    same = [p for p in range(now, total) if -(-total // p) == most]
    plateau = f"; {same[0]} to {same[-1]} workers are one plateau" if len(same) > 1 else ""
    better = same[-1] + 1
    then = {**values, "p": float(better)}
    rate, share = worker.rate(then), worker.share.of_busiest(then)
    took, took_all = (
        say_seconds(capacity.drain_seconds(rate, share, then["μ"], seconds))
        for seconds in (down.down(then), down.piled_up(then))
    )
    replay = f", {took_all} with the replay" if took_all != took else ""
    return f"{plateau}; {better} would take {took}{replay}"
