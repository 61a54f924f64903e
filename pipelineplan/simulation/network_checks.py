"""What no network can be: numbers and names that contradict each other."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from pipelineplan.simulation.network import Network, SourceLog, Stage

_SUM_TOLERANCE = 1e-9
# More partitions or workers than this would take more memory than a laptop has.
MOST_CHANNELS = 5000


def problems_of(network: Network) -> list[str]:
    """Everything that is wrong with a network, as sentences."""
    return [
        *_source_problems(network.source),
        *_stage_problems(network.stages),
        *_checkpoint_problems(network),
        *_joint_problems(network),
    ]


def _source_problems(source: SourceLog) -> list[str]:
    problems = []
    if not 1 <= source.partitions <= MOST_CHANNELS:
        problems.append(f"{source.name}: {source.partitions:,} partitions, wanted 1 to {MOST_CHANNELS:,}")
        return problems
    if not 0 <= source.hottest_key <= 1:
        problems.append(f"{source.name}: hottest key {source.hottest_key}, wanted a share")
    else:
        problems.extend(_share_problems(source.name, source.shares, source.partitions))
    return problems


def _stage_problems(stages: tuple[Stage, ...]) -> list[str]:
    problems = [] if stages else ["no stage, wanted at least the sink"]
    joint = any(stage.inlets for stage in stages)
    for number, stage in enumerate(stages):
        if not 1 <= stage.workers <= MOST_CHANNELS:
            problems.append(f"{stage.name}: {stage.workers:,} workers, wanted 1 to {MOST_CHANNELS:,}")
            continue
        if not stage.capacity_per_second > 0 or stage.buffer_records < 0 or stage.selectivity < 0:
            problems.append(f"{stage.name}: capacity must be above 0, buffer and selectivity not below")
        problems += _memory_problems(stage)
        if not 0 <= stage.hottest_key <= 1:
            problems.append(f"{stage.name}: hottest key {stage.hottest_key}, wanted a share")
            continue
        if (
            number
            and not joint
            and stage.exchange.value == "forward"
            and stage.workers != stages[number - 1].workers
        ):
            problems.append(
                f"{stage.name}: forward from {stages[number - 1].workers} to {stage.workers} workers"
            )
        problems.extend(_share_problems(stage.name, stage.weights, stage.workers))
    return problems


def _memory_problems(stage: Stage) -> list[str]:
    memory = stage.memory
    if memory is None:
        return []
    least = min(memory.always_bytes, memory.entry_bytes, memory.entries_per_record, memory.life_seconds)
    if least < 0 or min(memory.window_seconds, memory.slide_seconds, memory.history_per_second) < 0:
        return [f"{stage.name}: state of a negative size or life"]
    if not min(memory.bandwidth, memory.restore_bandwidth) > 0 or not 0 <= memory.changed_share <= 1:
        return [f"{stage.name}: bandwidths of state must be above 0, and what is changed a share of it"]
    return []


def _share_problems(name: str, shares: tuple[float, ...], count: int) -> list[str]:
    if len(shares) != count or min(shares) < 0 or abs(sum(shares) - 1.0) > _SUM_TOLERANCE:
        return [f"{name}: wanted {count} shares that are not negative and sum to 1"]
    return []


def _checkpoint_problems(network: Network) -> list[str]:
    checkpoint = network.checkpoint
    if checkpoint is None:
        if network.visible.value == "checkpoint" and network.runs is None:
            return ["visible at checkpoint, but there is no checkpoint"]
        return []
    if not checkpoint.interval_seconds > 0 or checkpoint.sync_stall_seconds > checkpoint.duration_seconds:
        return ["checkpoint: wanted an interval above 0 and a stall within the duration"]
    return []


def _joint_problems(network: Network) -> list[str]:
    """A joint network names every inlet, each before what reads it, and reads each log once."""
    if not network.joint:
        return []
    known = {log.name for log in network.logs}
    problems = [*(each for log in network.beside for each in _source_problems(log))]
    read: list[str] = []
    for stage in network.stages:
        of = [inlet.of for inlet in stage.inlets]
        problems += [
            f"{stage.name}: reads {name!r}, which is not before it" for name in of if name not in known
        ]
        if not of or stage.name in known:
            problems.append(f"{stage.name}: wanted a name of its own and at least one inlet")
        read += of
        known.add(stage.name)
    for log in network.logs:
        if read.count(log.name) != 1 or log.part < 0 or log.backlog_records < 0:
            problems.append(f"{log.name}: wanted one reader, and a part and a backlog that are not negative")
    if abs(math.fsum(log.part for log in network.logs) - 1.0) > _SUM_TOLERANCE:
        problems.append("the parts of the logs must sum to 1")
    return problems
