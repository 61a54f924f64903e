"""The ways that single records take: who reads a partition, and to which workers a stage hands on."""

from __future__ import annotations

from dataclasses import dataclass

from pipelineplan.simulation.flow.layout import Layout
from pipelineplan.simulation.network import Exchange, Network


@dataclass(frozen=True)
class Route:
    """Where the records of a stage go on to: by `weights`, or without any from lane to lane."""

    to: int
    selectivity: float
    weights: tuple[float, ...]


def routes_of(layout: Layout) -> list[list[Route]]:
    """Per stage: every way on. In a chain all counts are in records of the source."""
    stages = layout.network.stages
    routes: list[list[Route]] = [[] for _ in stages]
    if not layout.network.joint:
        for number in range(1, len(stages)):
            spread = [segment for segment in layout.segments if segment.stages[0] == number]
            weights = tuple(spread[0].weights.tolist()) if spread else ()
            routes[number - 1].append(Route(number, 1.0, weights))
        return routes
    numbers = {stage.name: number for number, stage in enumerate(stages)}
    for number, stage in enumerate(stages):
        for inlet in stage.inlets:
            if inlet.of in numbers:
                weights = () if inlet.exchange is Exchange.FORWARD else stage.weights_of(inlet)
                routes[numbers[inlet.of]].append(Route(number, inlet.selectivity, weights))
    return routes


def partitions_of(layout: Layout, stage: int, worker: int) -> list[int] | None:
    """The partitions that a worker reads; None for one that reads no log."""
    if stage not in layout.reading:
        return None
    before = sum(layout.network.stages[each].workers for each in layout.reading if each < stage)
    if layout.network.joint:
        names = [inlet.of for inlet in layout.network.stages[stage].inlets]
        before = 0
        for log in layout.network.logs:
            reader = next(s for s in layout.network.stages if any(i.of == log.name for i in s.inlets))
            if log.name in names:
                break
            before += reader.workers
    return [p for p, reader in enumerate(layout.worker_of) if reader == before + worker]


def backlogs_of(network: Network) -> list[list[float]]:
    """The event times of what lies in each partition from the start: evenly before it, in order."""
    backlogs = []
    for log in network.logs:
        for share in log.shares:
            count = round(log.backlog_records * share)
            backlogs.append([log.backlog_seconds * ((place + 0.5) / count - 1.0) for place in range(count)])
    return backlogs


def room_of(layout: Layout, stage: int) -> float:
    """The room before each worker, as the plan states it: a joint fluid leaves in the log what fits there."""
    return layout.network.stages[stage].buffer_records if layout.network.joint else layout.edges[stage].bound
