"""Reads out of a plan what a stage remembers: keys that stay, or what records bring until it is forgotten."""

from __future__ import annotations

import math
from dataclasses import replace
from typing import Any

from pipelineplan.plan import Plan
from pipelineplan.plan.load import arrivals
from pipelineplan.plan.recovery import state_share
from pipelineplan.plan.stage import Stage
from pipelineplan.plan.state_size import each_operand, lag_operand, life_operands, new_keys_operand
from pipelineplan.simulation.memory import Clock, Memory
from pipelineplan.simulation.reading.inflow import Read
from pipelineplan.verdicts import Operand


def memory_of(plan: Plan, stage: Stage, read: Read, slow: Read) -> Memory | None:
    """What a stage remembers at one end of the inputs, or None where the plan does not say.

    `read` gives an operand where more of it hurts, `slow` where less does.
    """
    each, state = each_operand(plan, stage), stage.state
    new = new_keys_operand(plan, stage)
    keys = plan.operand("keys", state, "keys", "keys")
    if each is None or (new is None and keys is None):
        return None
    amplification = state.amplification if state is not None else 1.0
    size = read(each) * amplification
    pace = _pace(plan, stage, slow)
    if new is None:
        return Memory(always_bytes=_or_nothing(read, keys) * size, entries_per_record=0.0, **pace)
    lives = _life(plan, stage, read)
    memory = Memory(entry_bytes=size, entries_per_record=read(new), **lives, **pace)
    return _with_past(memory, _or_nothing(read, keys), _average(plan, stage, read))


def _or_nothing(read: Read, operand: Operand | None) -> float:
    return 0.0 if operand is None else read(operand)


def _pace(plan: Plan, stage: Stage, slow: Read) -> dict[str, Any]:
    """How fast state is written and read back; a stated duration of checkpoints stands above it."""
    state = stage.state
    stated = stage.checkpoint is not None and stage.checkpoint.duration is not None
    writes = None if stated else plan.operand("w", state, "bandwidth", "write bandwidth")
    reads = plan.operand("r", state, "restore_bandwidth", "read bandwidth")
    budget = plan.operand("budget", state, "budget", "budget for state")
    changed = plan.operand("changed", state, "changed_per_interval", "share changed")
    incremental = stage.checkpoint is not None and stage.checkpoint.incremental
    return {
        "bandwidth": math.inf if writes is None else slow(writes),
        "restore_bandwidth": math.inf if reads is None else slow(reads),
        "budget_bytes": math.inf if budget is None else slow(budget),
        "changed_share": 1.0 if changed is None or not incremental else changed.value,
        "largest_share": state_share(stage),
    }


def _life(plan: Plan, stage: Stage, read: Read) -> dict[str, Any]:
    """By which clock, and how long after what; empty for what is never forgotten."""
    window, lag = stage.window, _or_nothing(read, lag_operand(plan, stage))
    late = _or_nothing(read, plan.operand("L", window, "allowed_lateness", "allowed lateness"))
    if window is not None and window.session is not None:
        gap = _or_nothing(read, plan.operand("W", window, "session", "gap of a session"))
        return {"life_seconds": gap + late, "clock": Clock.EVENT, "watermark_lag_seconds": lag}
    if window is not None:
        length = plan.operand("W", window, "fixed") or plan.operand("W", window, "sliding")
        return {
            "window_seconds": _or_nothing(read, length),
            "slide_seconds": _or_nothing(read, plan.operand("every", window, "every")),
            "life_seconds": late,
            "clock": Clock.EVENT,
            "watermark_lag_seconds": lag,
        }
    kept = life_operands(plan, stage)
    if not kept:
        return {}
    ttl, join = stage.state.ttl if stage.state is not None else None, stage.join
    by_event = ttl.clock == "event" if ttl is not None else join is not None and join.kind == "interval"
    clock = Clock.EVENT if by_event else Clock.PROCESSING
    return {"life_seconds": read(kept[0]), "clock": clock, "watermark_lag_seconds": lag}


def _average(plan: Plan, stage: Stage, read: Read) -> float:
    """Records a second that come to a stage on average."""
    flows = arrivals(plan, stage.id, peak=False) or arrivals(plan, stage.id) or ()
    return math.fsum(read(flow.rate) * flow.factor for flow in flows)


def _with_past(memory: Memory, keys: float, average_per_second: float) -> Memory:
    """What is there when the run begins: the keys that are stated, else what is at rest at the average rate.

    What is never forgotten and not counted begins with nothing.
    """
    if math.isinf(memory.life_seconds) or not memory.grows:
        return replace(memory, always_bytes=keys * memory.entry_bytes)
    each_second = replace(memory, history_per_second=1.0).at_rest_bytes / memory.entry_bytes
    if keys and each_second > 0:
        average_per_second = keys / each_second
    return replace(memory, history_per_second=average_per_second)
