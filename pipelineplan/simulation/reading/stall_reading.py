"""Reads out of a plan for how long a checkpoint holds everybody up, and what workers take in between.

taken   ___    ______    ______      the plan's capacity is a mean with checkpoints on, so between
per s      |__|      |__|            two stalls a worker takes  capacity / (1 - stall / interval)
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace

from pipelineplan.plan import Plan
from pipelineplan.plan.stage import Stage
from pipelineplan.quantities import say_seconds
from pipelineplan.simulation.network import Network, NotSimulated
from pipelineplan.simulation.reading.inflow import Read


def stall_seconds(plan: Plan, stages: Iterable[Stage], read: Read) -> float:
    """The longest stall that a stage of the job states; 0 where none does."""
    stated = [plan.operand("s", stage.checkpoint, "stall", "stall of a checkpoint") for stage in stages]
    return max((read(each) for each in stated if each is not None), default=0.0)


def with_stalls(network: Network, seconds: float) -> Network:
    """The network whose workers all stand still for so long at each checkpoint, and take as much in the mean.

    Raises `NotSimulated` where that leaves no time to work.
    """
    plan = network.checkpoint
    if plan is None or seconds <= 0:
        return network
    fixed = None if plan.fixed_seconds is None else max(plan.fixed_seconds, seconds)
    stalling = replace(
        plan,
        sync_stall_seconds=seconds,
        duration_seconds=max(plan.duration_seconds, seconds),
        fixed_seconds=fixed,
    )
    if stalling.working_share <= 0:
        raise NotSimulated(
            f"checkpoint.stall {say_seconds(seconds)} leaves no time to work between checkpoints each "
            f"{say_seconds(stalling.effective_interval_seconds)}: raise the interval"
        )
    stages = tuple(
        replace(each, capacity_per_second=each.capacity_per_second / stalling.working_share)
        for each in network.stages
    )
    return replace(network, checkpoint=stalling, stages=stages)
