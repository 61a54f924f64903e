"""Who runs which version of a dataset while it changes, and for how long its records may still be read.

contracts.orders.consumers: {loader: 1.0.0}          before    consumers loader at 1.0.0
contracts.rollout: [{at: 0 h, upgrade: loader, ...}] steps     loader to 1.1.0, wait 24 h, checkout ...
sources.orders.retention: {time: 7 d, segment: 1 d}  waiting   R 7 d, segment 1 d
"""

from __future__ import annotations

import math
import re
from collections.abc import Iterator
from dataclasses import dataclass, replace

from pipelineplan.contracts.evolution.history import ages, instant_of
from pipelineplan.contracts.evolution.recorded import Recorded, index_of
from pipelineplan.contracts.evolution.rollout import Rollout, Side, Step, Upgrade, Wait
from pipelineplan.documents import Path, dotted
from pipelineplan.plan.load import Values
from pipelineplan.plan.plan import Plan, once
from pipelineplan.plan.schema_policy import ContractPolicy, RolloutStep
from pipelineplan.plan.sink import Sink
from pipelineplan.plan.source import Source
from pipelineplan.quantities import Dimension
from pipelineplan.verdicts import Basis, Operand

_LOG = ("R", "segment")


@dataclass(frozen=True)
class Succession:
    """The versions of `dataset`, oldest first, as its `policy` and the plan's rollout speak of them.

    `kept` are operands: how long records wait in each place that they may be read from.
    """

    plan: Plan
    dataset: str
    policy: ContractPolicy
    recorded: Recorded
    names: tuple[str, ...]
    kept: tuple[Operand, ...]
    source: Source | None = None
    sink: Sink | None = None

    def path(self, *fields: str) -> Path:
        """Where the policy, or a field of it, stands in the plan."""
        return self.plan.path(self.policy, *fields)

    def kept_seconds(self, values: Values) -> float:
        """The longest that a record may wait: `max(R + segment, each other place)`."""
        log = sum(values.get(symbol, 0.0) for symbol in _LOG)
        return max([log, *(values[one.symbol] for one in self.kept if one.symbol not in _LOG)])

    @property
    def horizon_seconds(self) -> float:
        """`kept_seconds` at the long ends of the plan's own values."""
        return self.kept_seconds({one.symbol: one.high for one in self.kept})

    @property
    def drain_seconds(self) -> float:
        """For how long old producers go on once a new version has begun."""
        return self.policy.producer_drain.high if self.policy.producer_drain else 0.0

    def index(self, name: str) -> int | None:
        """The number of the version that the plan calls `name`."""
        return index_of(str(name), self.names)


@once
def successions(plan: Plan) -> tuple[Succession, ...]:
    """One for every dataset with a policy."""
    contracts = plan.model.contracts
    if contracts is None:
        return ()
    return tuple(_succession(plan, dataset, policy) for dataset, policy in contracts.policies.items())


def _succession(plan: Plan, dataset: str, policy: ContractPolicy) -> Succession:
    source = next((one for one in plan.model.sources if dataset in {one.id, one.dataset}), None)
    sink = next((one for one in plan.model.sinks if dataset in {one.id, one.dataset}), None)
    recorded = plan.versions.get(policy.versions or "", Recorded())
    found = Succession(plan, dataset, policy, recorded, recorded.names, (), source, sink)
    if not recorded.names:
        found = replace(found, names=_mentioned(found))
    return replace(found, kept=tuple(_kept(found)))


def _mentioned(one: Succession) -> tuple[str, ...]:
    """Every version that the plan names, in the order of the numbers in the names."""
    named = [reader.reads for reader in one.policy.consumers.values()]
    named += [*one.policy.producers.values()]
    named += [str(step.to) for step in _steps_of(one, "rollout") + _steps_of(one, "rollback")]
    return tuple(sorted(set(named), key=_natural))


def _natural(name: str) -> tuple[tuple[int, ...], str]:
    return tuple(int(number) for number in re.findall(r"\d+", name)), name


def _kept(one: Succession) -> Iterator[Operand]:
    """Log, dead letters, savepoints, the lake that is replayed, and what the policy adds."""
    source = one.source
    operands = [*_log(one)]
    if source is not None:
        operands += [_dead_letters(one.plan, source), _savepoint(one.plan), replay_operand(one.plan)]
    yield from (operand for operand in operands if operand is not None)
    for name, duration in one.policy.logs.items():
        path, words = one.path("logs", name), name.replace("_", " ")
        yield _operand(one.plan, name, words, (duration.value, duration.low, duration.high), path)


def _log(one: Succession) -> list[Operand | None]:
    plan, policy = one.plan, one.policy
    retention = one.source.retention if one.source is not None else None
    if retention is None:
        return [plan.operand("R", policy, "retention")]
    if retention.cleanup == "compact":
        path = plan.path(retention, "cleanup")
        return [_operand(plan, "R", "compacted, so kept for ever", (math.inf,) * 3, path)]
    return [
        plan.operand("R", retention, "time", "retention"),
        plan.operand("segment", retention, "segment", "segment time"),
    ]


def _dead_letters(plan: Plan, source: Source) -> Operand | None:
    """The longest retention of dead letters of a stage that the source's own records reach."""
    stages = [stage for stage in plan.model.stages if source.id in plan.graph.above(stage.id)]
    found = [
        operand
        for stage in stages
        if (operand := plan.operand("dead_letters", stage.dead_letters, "retention", "dead letters"))
    ]
    return max(found, key=lambda operand: operand.high, default=None)


def _savepoint(plan: Plan) -> Operand | None:
    return plan.operand("savepoint", plan.model.rollback, "savepoint_age", "savepoint age")


def replay_operand(plan: Plan) -> Operand | None:
    """How much time the declared replay reads again, of a lake; a topic is bounded by its retention."""
    replay, span = plan.model.replay, replay_span(plan)
    if replay is None or replay.input != "lake" or span is None:
        return None
    seconds = span[1] - span[0]
    return _operand(plan, "replay", "replay range", (seconds,) * 3, plan.path(replay, "from"))


def replay_span(plan: Plan) -> tuple[float, float] | None:
    """From when to when the declared replay reads, since the epoch; None unless both are dates."""
    replay = plan.model.replay
    if replay is None or replay.start is None or replay.end is None:
        return None
    try:
        start, end = instant_of(replay.start), instant_of(replay.end)
    except ValueError:
        return None
    return (start, end) if start < end else None


def _operand(plan: Plan, symbol: str, name: str, ends: tuple[float, float, float], path: Path) -> Operand:
    value, low, high = ends
    place = plan.position(path)
    return Operand(symbol, name, value, low, high, Basis.DECLARED, dotted(path), place, Dimension.DURATION)


def rollout_of(one: Succession) -> Rollout | None:
    """The declared rollout of this dataset, with the way back; None where it does not take part.

    Readers that are not upgraded stay at the version that they read; producers that the plan does not
    place run the version that the way back returns them to, else the one before their next.
    """
    steps = _moves(one, "rollout")
    if not any(isinstance(step, Upgrade) for step in steps):
        return None
    back = _moves(one, "rollback")
    before: dict[tuple[Side, str], int | None] = {
        ("consumers", name): one.index(reader.reads) for name, reader in one.policy.consumers.items()
    }
    before |= {("producers", name): one.index(version) for name, version in one.policy.producers.items()}
    for step in (step for step in steps if isinstance(step, Upgrade)):
        returned = [move.to for move in back if isinstance(move, Upgrade) and move.key == step.key]
        before.setdefault(step.key, returned[-1] if returned else max(step.to - 1, 0))
    if not any(side == "producers" for side, _ in before):
        lowest = min(step.to for step in steps if isinstance(step, Upgrade))
        before["producers", one.source.owner or one.dataset if one.source else one.dataset] = max(
            lowest - 1, 0
        )
    waiting = ages(one.recorded.spans(one.drain_seconds), None) if one.recorded.dated else {}
    known = {key: version for key, version in before.items() if version is not None}
    return Rollout(known, steps, one.horizon_seconds, back=back or None, waiting=waiting)


def strangers(one: Succession) -> list[str]:
    """What keeps a rollout from being followed: versions that are not recorded, names that nobody has."""
    versions = [(name, reader.reads) for name, reader in one.policy.consumers.items()]
    versions += list(one.policy.producers.items())
    found = [f"the version {to!r} of {name}" for name, to in versions if one.index(to) is None]
    steps = (*_steps_of(one, "rollout"), *_steps_of(one, "rollback"))
    found += [
        f"the version '{step.to}' of {step.upgrade}" for step in steps if one.index(str(step.to)) is None
    ]
    return list(dict.fromkeys(found))


def nobodies(plan: Plan) -> list[tuple[Path, str]]:
    """Steps of the rollout or the way back that upgrade something no dataset knows, by place."""
    known = successions(plan)
    contracts = plan.model.contracts
    steps = (*contracts.rollout, *contracts.rollback) if contracts is not None else ()
    return [
        (plan.path(step, "upgrade"), step.upgrade)
        for step in steps
        if all(_side(one, step) is None for one in known)
    ]


def _moves(one: Succession, which: str) -> tuple[Step, ...]:
    """The steps of this dataset in order, with the waits between them."""
    moves: list[Step] = []
    now = 0.0
    for step in _steps_of(one, which):
        side, to = _side(one, step), one.index(str(step.to))
        if side is None or to is None:
            continue
        if moves and step.at.low > now:
            moves.append(Wait(step.at.low - now))
        now = max(now, step.at.low)
        moves.append(Upgrade(side, step.upgrade, to, step.canary))
    return tuple(moves)


def _steps_of(one: Succession, which: str) -> list[RolloutStep]:
    contracts = one.plan.model.contracts
    steps: tuple[RolloutStep, ...] = getattr(contracts, which) if contracts is not None else ()
    mine = [step for step in steps if _side(one, step) is not None]
    return sorted(mine, key=lambda step: step.at.value)


def _side(one: Succession, step: RolloutStep) -> Side | None:
    """Whether the step upgrades a reader or a writer of this dataset; None when it is another's."""
    if step.of not in {None, one.dataset}:
        return None
    if step.upgrade in one.policy.consumers:
        return "consumers"
    writers: set[str | None] = set(one.policy.producers)
    if not writers and one.source is not None:
        writers = {one.source.owner, one.source.version_owner, one.source.id}
    return "producers" if step.upgrade in writers or step.of is not None else None
