"""How much arrives at a stage, and the share of it that its busiest worker gets.

clicks (12 partitions) -forward-> count (8 workers): four workers have two partitions each,
so the busiest one carries 2/12 of the records and not 1/8.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from pipelineplan.documents import dotted
from pipelineplan.plan import capacity
from pipelineplan.plan.graph import Edge
from pipelineplan.plan.plan import Plan, once
from pipelineplan.plan.sink import Sink
from pipelineplan.plan.source import Source
from pipelineplan.quantities import Dimension
from pipelineplan.verdicts import Basis, Operand

Values = Mapping[str, float]
_FLINK_KEY_GROUPS = (128.0, 32_768.0)  # the bounds of KeyGroupRangeAssignment.computeDefaultMaxParallelism


@dataclass(frozen=True)
class Arrival:
    """One source's part of a stage's load: `rate` records per second, times `factor`."""

    source: str
    rate: Operand
    factor: float


@dataclass(frozen=True)
class WorkerShare:
    """How an exchange deals records out: the share of the busiest of `workers` workers."""

    kind: str
    channels: Operand | None
    hottest: Operand | None

    @property
    def operands(self) -> tuple[Operand, ...]:
        """The operands that the share is computed from, without the workers themselves."""
        return tuple(operand for operand in (self.channels, self.hottest) if operand is not None)

    def of_busiest(self, values: Values) -> float:
        """The share at `values`, which hold the symbols p, P or G, and h."""
        workers = max(1, int(values["p"]))
        hottest = values.get("h", 0.0)
        if self.channels is None:
            return 1 / workers
        channels = max(1, int(values[self.channels.symbol]))
        shares = capacity.forward_share if self.kind == "forward" else capacity.keyed_share
        return shares(channels, workers, hottest)


def peak_rate(plan: Plan, source: Source) -> Operand | None:
    """The highest arrival rate of `source`: declared, from its burst, or measured; else None."""
    symbol, rate = _symbol(plan, source, "λ"), source.rate
    if rate is None:
        return None
    declared = plan.operand(symbol, rate, "peak", "peak arrival rate")
    if declared is not None:
        return declared
    average = plan.operand(symbol, rate, "average", "arrival rate")
    if average is not None and rate.burst is not None:
        factor = max(1.0, rate.burst.factor)
        return _scaled(average, factor, f"arrival rate in a burst of {factor:g} times the average")
    return _measured(plan, source, symbol, peak=True) or average


def average_rate(plan: Plan, source: Source) -> Operand | None:
    """The mean arrival rate of `source`: declared or measured; else None."""
    symbol = _symbol(plan, source, "λ")
    declared = plan.operand(symbol, source.rate, "average", "average arrival rate")
    return declared or _measured(plan, source, symbol, peak=False)


@once
def arrivals(plan: Plan, node: str, *, peak: bool = True) -> tuple[Arrival, ...] | None:
    """What arrives at `node` from every source above it; None when a source states no rate."""
    factors: dict[str, float] = {}
    _gather(plan, node, 1.0, factors)
    found: list[Arrival] = []
    for name, factor in factors.items():
        source = plan.source(name)
        rate = peak_rate(plan, source) if peak else average_rate(plan, source)
        if rate is None:
            return None
        found.append(Arrival(name, rate, factor))
    return tuple(found)


def writers_of(plan: Plan, sink: Sink) -> Operand | None:
    """How many write to `sink` at once, `n`: its writers, or the subtasks of the first stage that it reads.

    A sink that reads a source itself has a writer for each of its partitions. None: nothing says it.
    """
    stated = plan.operand("n", sink, "writers", "writers")
    inputs = plan.graph.into(sink.id)
    if stated is not None or not inputs:
        return stated
    first = inputs[0].upstream
    if plan.graph.kinds[first] == "stage":
        return plan.operand("n", plan.stage(first).parallelism, "now", "writers")
    return plan.operand("n", plan.source(first), "partitions", "partitions")


@once
def worker_share(plan: Plan, node: str) -> WorkerShare | None:
    """How records are dealt out to the workers of stage `node`; None when partitions are unknown.

    A stage that is fed forward by another one of the same parallelism inherits its spread. Of
    several inputs the one that spreads worst is taken.
    """
    shares = [_edge_share(plan, edge) for edge in plan.graph.into(node)]
    if not shares or any(share is None for share in shares):
        return None
    workers = plan.stage(node).parallelism
    values = {"p": float(workers.now if workers else 1)}
    known = [share for share in shares if share is not None]
    return max(known, key=lambda share: share.of_busiest({**values, **_values(share)}))


def _values(share: WorkerShare) -> dict[str, float]:
    return {operand.symbol: operand.value for operand in share.operands}


def _edge_share(plan: Plan, edge: Edge) -> WorkerShare | None:
    if edge.exchange == "rebalance":
        return WorkerShare("rebalance", None, None)
    if edge.exchange == "keyed":
        groups = _key_groups(plan, edge.downstream)
        return WorkerShare("keyed", groups, _hottest(plan, edge)) if groups else None
    if plan.graph.kinds[edge.upstream] == "stage":
        return worker_share(plan, edge.upstream)
    source = plan.source(edge.upstream)
    partitions = plan.operand("P", source, "partitions", "partitions")
    hottest = plan.operand("h", source.keys, "hottest_key", "share of the hottest key")
    return WorkerShare("forward", partitions, hottest) if partitions else None


def _key_groups(plan: Plan, node: str) -> Operand | None:
    """The key groups of a stage; where they are not stated, any number that Flink might choose."""
    parallelism = plan.stage(node).parallelism
    stated = plan.operand("G", parallelism, "max", "key groups (max parallelism)")
    if stated is not None or parallelism is None:
        return stated
    path = plan.path(parallelism, "max")
    groups = float(parallelism.key_groups)
    return plan.assumed("G", "key groups (max parallelism)", groups, None, path, _FLINK_KEY_GROUPS)


def _hottest(plan: Plan, edge: Edge) -> Operand | None:
    """The hottest key of a keyed exchange, when a source above states one for that key."""
    above = [name for name in plan.graph.above(edge.downstream) if plan.graph.kinds[name] == "source"]
    for name in above:
        keys = plan.source(name).keys
        if keys is not None and edge.key in {None, keys.field}:
            hottest = plan.operand("h", keys, "hottest_key", "share of the hottest key")
            if hottest is not None:
                return hottest
    return None


def _gather(plan: Plan, node: str, factor: float, factors: dict[str, float]) -> None:
    for edge in plan.graph.into(node):
        through = factor * edge.selectivity
        if plan.graph.kinds[edge.upstream] == "source":
            factors[edge.upstream] = factors.get(edge.upstream, 0.0) + through
        else:
            _gather(plan, edge.upstream, through, factors)


def _symbol(plan: Plan, source: Source, letter: str) -> str:
    return letter if len(plan.model.sources) == 1 else f"{letter}_{source.id}"


def _scaled(operand: Operand, factor: float, name: str) -> Operand:
    value, low, high = operand.value * factor, operand.low * factor, operand.high * factor
    return Operand(
        operand.symbol,
        name,
        value,
        low,
        high,
        operand.basis,
        operand.path,
        operand.position,
        operand.dimension,
    )


def _measured(plan: Plan, source: Source, symbol: str, *, peak: bool) -> Operand | None:
    """The rate that a stream profile or a recorded trace gives."""
    reference = source.rate.profile if source.rate is not None else None
    if source.rate is None or reference is None:
        return None
    if reference in plan.traces:
        trace = plan.traces[reference]
        value = trace.peak_per_second if peak else trace.average_per_second
    else:
        profile = plan.profiles[reference]
        value = profile.rate.peak_per_second if peak else profile.rate.average_per_second
    path = plan.path(source.rate, "profile")
    words = f"{'peak' if peak else 'average'} arrival rate measured in {reference}"
    return Operand(
        symbol, words, value, value, value, Basis.MEASURED, dotted(path), plan.position(path), Dimension.RATE
    )
