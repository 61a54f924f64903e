"""Where everything lies in a joint network: logs, and what each record of them costs every worker.

    orders  --keyed--+                        records wait in the logs only, one queue for each
                     +-> join -+-> warehouse  partition; between the logs and the sinks a network
    clicks  --keyed--+         +-> archive    is a table: row = worker, column = partition,
                                              value = records of the partition that come to it

A fan-out sends every record to each reader, and a stage that joins or merges takes them from a queue
that its inputs share, so both are sums in this table. What a bounded buffer between stages would
hold is left in the log, where it belongs to the same lag.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, field, replace
from itertools import accumulate

import numpy as np

from pipelineplan.simulation.flow.layout import READER, Edge, Layout
from pipelineplan.simulation.network import Exchange, Inlet, Network, NotSimulated, Stage
from pipelineplan.simulation.sharing import Floats

Numbers = np.ndarray[tuple[int], np.dtype[np.intp]]


@dataclass(frozen=True)
class JointLayout(Layout):
    """`costs[stage]` is `[worker, partition]`: records that come to a worker per record of a partition.

    `log_of` is the number of each partition's log.
    """

    costs: tuple[Floats, ...] = ()
    log_of: Numbers = field(default_factory=lambda: np.zeros(0, dtype=np.intp))

    @property
    def reading(self) -> tuple[int, ...]:
        """The numbers of the stages that read logs."""
        logs = {log.name for log in self.network.logs}
        stages = enumerate(self.network.stages)
        return tuple(number for number, stage in stages if logs & {inlet.of for inlet in stage.inlets})

    def capacity(self) -> list[Floats]:
        """Per stage: records per second that each worker can take, of those that come to it."""
        return [np.full(stage.workers, stage.capacity_per_second) for stage in self.network.stages]


def lay_out_joint(network: Network) -> JointLayout:
    """Give every partition of every log its place.

    Raises `NotSimulated` when nothing limits what is read from one of the logs.
    """
    explicit = with_readers(network)
    costs = _costs(explicit)
    _limited(explicit, costs)
    partitions = sum(log.partitions for log in explicit.logs)
    log_of = np.repeat(np.arange(len(explicit.logs)), [log.partitions for log in explicit.logs])
    return JointLayout(
        explicit,
        (Edge(slice(0, partitions), math.inf),),
        (),
        _readers(explicit),
        np.zeros((0, 0), dtype=np.intp),
        costs,
        log_of.astype(np.intp),
    )


def as_joint(network: Network) -> Network:
    """The same chain with its inlets named, so that logs can be put beside it."""
    if network.joint:
        return network
    before = network.source.name
    stages: list[Stage] = []
    for number, stage in enumerate(network.stages):
        name = _unused(stage.name, [network.source.name, *(each.name for each in stages)], number)
        inlet = Inlet(before, stage.exchange, stage.selectivity, stage.hottest_key, stage.explicit_weights)
        stages.append(replace(stage, name=name, inlets=(inlet,), buffer_records=0.0))
        before = name
    return replace(network, stages=tuple(stages))


def _unused(name: str, taken: list[str], number: int) -> str:
    return f"{name} ({number})" if name in taken else name


def with_readers(network: Network) -> Network:
    """A log whose reader does more than take its partitions in turn has a reader for each before that."""
    readers, stages = [], []
    logs = {log.name: log for log in network.logs}
    for stage in network.stages:
        inlets = []
        for inlet in stage.inlets:
            alone = len(stage.inlets) == 1 and inlet.exchange is Exchange.FORWARD
            if inlet.of in logs and not alone:
                name = f"{READER} {inlet.of}"
                log = logs[inlet.of]
                readers.append(Stage(name, log.partitions, math.inf, inlets=(Inlet(log.name),)))
                inlets.append(replace(inlet, of=name))
            else:
                inlets.append(inlet)
        stages.append(replace(stage, inlets=tuple(inlets)))
    return replace(network, stages=(*readers, *stages))


def first_partitions(network: Network) -> dict[str, int]:
    """Where the partitions of each log begin."""
    sizes = [log.partitions for log in network.logs]
    return dict(zip((log.name for log in network.logs), accumulate(sizes, initial=0), strict=False))


def _costs(network: Network) -> tuple[Floats, ...]:
    partitions = sum(log.partitions for log in network.logs)
    out: dict[str, Floats] = {}
    for log in network.logs:
        start = first_partitions(network)[log.name]
        out[log.name] = np.eye(partitions)[start : start + log.partitions]
    for stage in network.stages:
        come = np.zeros((stage.workers, partitions))
        for inlet in stage.inlets:
            sent = out[inlet.of] * inlet.selectivity
            if inlet.exchange is Exchange.FORWARD:
                np.add.at(come, np.arange(len(sent)) % stage.workers, sent)
            else:
                come += np.outer(stage.weights_of(inlet), sent.sum(axis=0))
        out[stage.name] = come
    return tuple(out[stage.name] for stage in network.stages)


def _limited(network: Network, costs: tuple[Floats, ...]) -> None:
    """Everything that is read costs somebody who states a capacity something, or has a limit."""
    finite = [
        cost.sum(axis=0)
        for cost, stage in zip(costs, network.stages, strict=True)
        if math.isfinite(stage.capacity_per_second)
    ]
    reached = np.sum(finite, axis=0) if finite else np.zeros(costs[0].shape[1])
    for log in network.logs:
        start = first_partitions(network)[log.name]
        if math.isinf(log.read_limit_per_second) and not (reached[start : start + log.partitions] > 0).all():
            raise NotSimulated(
                f"no stage after {log.name!r} states a capacity, so lag has no bound to be measured against: "
                "add `capacity: RECORDS/s` (per subtask) to a stage"
            )


def _readers(network: Network) -> Numbers:
    """The worker that reads each partition, counted over all stages that read logs."""
    stage_of = {inlet.of: stage for stage in network.stages for inlet in stage.inlets}
    readers, before = [], 0
    for log in network.logs:
        workers = stage_of[log.name].workers
        readers += [before + partition % workers for partition in range(log.partitions)]
        before += workers
    return np.array(readers, dtype=np.intp)
