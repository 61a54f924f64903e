"""Reads the checkpoints of a job out of a plan: of its stages, the slowest decides."""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any

from pipelineplan.plan import Plan
from pipelineplan.plan.recovery import duration_operand, restart_operands, restore_operand
from pipelineplan.plan.stage import Stage
from pipelineplan.simulation.memory import Memory
from pipelineplan.simulation.network import Checkpoint, NotSimulated
from pipelineplan.simulation.reading.inflow import Read


def checkpoint_of(
    plan: Plan,
    job: tuple[Stage, ...],
    memories: Mapping[str, Memory | None],
    read: Read,
    slow: Read,
) -> Checkpoint | None:
    """The checkpoints of a job at one end of its inputs; None where no stage states an interval.

    `read` gives an operand where more of it hurts, `slow` where less does.
    """
    stages = [stage for stage in job if stage.checkpoint and stage.checkpoint.interval]
    if not stages:
        return None
    intervals = [plan.operand("I", stage.checkpoint, "interval", "checkpoint interval") for stage in stages]
    if len({(each.value, each.low, each.high) for each in intervals if each is not None}) > 1:
        raise NotSimulated(
            f"the stages {', '.join(stage.id for stage in stages)} of one job state different checkpoint "
            "intervals: give them one interval, or name their jobs in stages[].job"
        )
    pauses = [plan.operand("pause", stage.checkpoint, "min_pause", "minimum pause") for stage in stages]
    return Checkpoint(
        interval_seconds=read(intervals[0]),
        min_pause_seconds=max(read(each) for each in pauses),
        **_lasting(plan, stages, memories, read),
        **_given_up(plan, stages, slow),
    )


def _lasting(
    plan: Plan, stages: list[Stage], memories: Mapping[str, Memory | None], read: Read
) -> dict[str, Any]:
    """How long checkpoints and restarts take, and what of that does not follow the size of state."""
    remembering = [(stage, memories[stage.id]) for stage in stages]
    durations = [
        (read(duration_operand(plan, stage)), memory is not None and memory.paces_checkpoints)
        for stage, memory in remembering
    ]
    restarts = [
        (
            sum(read(each) for each in restart_operands(plan, stage)),
            read(restore_operand(plan, stage)),
            memory is not None and memory.paces_restores,
        )
        for stage, memory in remembering
    ]
    restart = max(base + restore for base, restore, _ in restarts)
    fixed = max((seconds for seconds, paced in durations if not paced), default=0.0)
    return {
        "duration_seconds": max(seconds for seconds, _ in durations),
        "fixed_seconds": fixed if any(paced for _, paced in durations) else None,
        "restart_seconds": restart,
        "restore_seconds": restart - max(base + (0.0 if own else back) for base, back, own in restarts),
    }


def _given_up(plan: Plan, stages: list[Stage], slow: Read) -> dict[str, Any]:
    """When a checkpoint is given up and how many of them the job bears, and what it keeps.

    Where no timeout is stated none is given up. Flink bears no failure where the plan states none.
    """
    stated = [stage.checkpoint for stage in stages if stage.checkpoint is not None]
    timeouts = [plan.operand("timeout", each, "timeout", "checkpoint timeout") for each in stated]
    known = [slow(each) for each in timeouts if each is not None]
    borne = [each.tolerable_failures or 0 for each in stated]
    return {
        "timeout_seconds": min(known, default=math.inf),
        "tolerable_failures": min(borne) if known else None,
        "unaligned": any(each.mode == "unaligned" for each in stated),
    }
