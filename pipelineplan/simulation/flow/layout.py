"""Where each queue of a network lies in the flat arrays: keyed by edge and channel.

    edge 0: the log          edge 1: before stage 1     edge 2: before stage 2
    [p0 p1 p2 p3 p4 p5]      [w0 w1]                    [w0 w1 w2]
     0  1  2  3  4  5         6  7                       8  9  10

An edge is the exchange in front of a stage and a channel one lane of it: a partition, or the
queue of one worker. Flat and keyed rather than a grid, so that edges of different widths, joins
and rescaling need no other form. All counts are in records *of the source*: the capacity and
the buffer of a stage are divided by the selectivity up to it, which leaves the flow equations
with factor 1 and is exact for a fluid.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, replace

import numpy as np

from pipelineplan.simulation.network import Exchange, Network, NotSimulated, Stage
from pipelineplan.simulation.sharing import Floats

READER = "reader"
# A stage that states no capacity may not be infinitely fast into a buffer, so it outruns by this.
_OUTRUNS = 2.0


@dataclass(frozen=True)
class Edge:
    """The queues in front of one stage: `channels` of the flat arrays, each holding up to `bound`."""

    channels: slice
    bound: float

    @property
    def stored(self) -> bool:
        """Whether records can wait here; else they wait upstream."""
        return self.bound > 0


@dataclass(frozen=True)
class Segment:
    """Stages joined by forward edges, lane by lane, behind one exchange that spreads by `weights`.

    The first segment reads the log, and its `weights` are unused.
    """

    stages: tuple[int, ...]
    weights: Floats


@dataclass(frozen=True)
class Layout:
    """`network` with its readers made explicit, and where everything of it lies.

    `worker_of` is the reading worker of each partition, `seats` `[worker, place]` the partitions
    of each worker, padded by `partitions`.
    """

    network: Network
    edges: tuple[Edge, ...]
    segments: tuple[Segment, ...]
    worker_of: np.ndarray[tuple[int], np.dtype[np.intp]]
    seats: np.ndarray[tuple[int, int], np.dtype[np.intp]]

    @property
    def reading(self) -> tuple[int, ...]:
        """The numbers of the stages that read logs."""
        return (0,)

    @property
    def channels(self) -> int:
        """The length of the flat arrays."""
        return int(self.edges[-1].channels.stop)

    def segment_of(self, edge: int) -> int:
        """The number of the segment that an edge leads into or lies in."""
        return max(number for number, segment in enumerate(self.segments) if segment.stages[0] <= edge)

    @property
    def stored_edges(self) -> tuple[int, ...]:
        """The numbers of the edges behind the log where records can wait."""
        return tuple(number for number, edge in enumerate(self.edges) if number and edge.stored)

    def capacity(self) -> list[Floats]:
        """Per stage: source records per second that each worker can take."""
        capacities = []
        for number, stage in enumerate(self.network.stages):
            scale = self.network.scale(number)
            each = stage.capacity_per_second / scale if scale else math.inf
            capacities.append(np.full(stage.workers, each))
        return capacities


def lay_out_chain(network: Network) -> Layout:
    """Give every queue of stages in a row its place.

    Raises `NotSimulated` when no stage states a capacity, since then nothing can fall behind.
    """
    if not any(_total(network, number) for number in range(len(network.stages))):
        raise NotSimulated(
            f"no stage after {network.source.name!r} states a capacity, so lag has no bound to be measured "
            "against: add `capacity: RECORDS/s` (per subtask) to a stage"
        )
    explicit = _with_finite_rates(_with_readers(network))
    worker_of = np.array(explicit.assignment(), dtype=np.intp)
    return Layout(explicit, _edges(explicit), _segments(explicit), worker_of, _seats(explicit, worker_of))


def _with_readers(network: Network) -> Network:
    """A shuffle off the log has readers before it, one per partition, that have no limit of their own."""
    if network.stages[0].exchange is Exchange.FORWARD:
        return network
    reader = Stage(READER, network.source.partitions, math.inf)
    return replace(network, stages=(reader, *network.stages))


def _with_finite_rates(network: Network) -> Network:
    """Where there is room to fill or empty, nothing is infinitely fast: it outruns all others instead."""
    if not any(stage.buffer_records > 0 for stage in network.stages[1:]):
        return network
    fastest = max(_total(network, number) for number in range(len(network.stages)))
    stages = list(network.stages)
    for number, stage in enumerate(stages):
        scale = network.scale(number)
        if math.isinf(stage.capacity_per_second) and scale > 0:
            stages[number] = replace(stage, capacity_per_second=_OUTRUNS * fastest * scale)
    return replace(network, stages=tuple(stages))


def _total(network: Network, number: int) -> float:
    """The source records per second that all workers of a stage can take; 0 where unlimited."""
    stage, scale = network.stages[number], network.scale(number)
    if math.isinf(stage.capacity_per_second) or scale == 0:
        return 0.0
    return stage.workers * stage.capacity_per_second / scale


def _edges(network: Network) -> tuple[Edge, ...]:
    edges, first = [Edge(slice(0, network.source.partitions), math.inf)], network.source.partitions
    for number, stage in enumerate(network.stages[1:], start=1):
        scale = network.scale(number)
        bound = stage.buffer_records / scale if scale else 0.0
        edges.append(Edge(slice(first, first + stage.workers), bound))
        first += stage.workers
    return tuple(edges)


def _segments(network: Network) -> tuple[Segment, ...]:
    starts = [
        number
        for number, stage in enumerate(network.stages)
        if not number or stage.exchange is not Exchange.FORWARD
    ]
    ends = [*starts[1:], len(network.stages)]
    return tuple(
        Segment(tuple(range(start, end)), np.array(network.stages[start].weights))
        for start, end in zip(starts, ends, strict=True)
    )


def _seats(
    network: Network, worker_of: np.ndarray[tuple[int], np.dtype[np.intp]]
) -> np.ndarray[tuple[int, int], np.dtype[np.intp]]:
    workers, partitions = network.stages[0].workers, network.source.partitions
    most = int(np.bincount(worker_of, minlength=workers).max())
    seats = np.full((workers, most), partitions, dtype=np.intp)
    for worker in range(workers):
        mine = np.flatnonzero(worker_of == worker)
        seats[worker, : len(mine)] = mine
    return seats
