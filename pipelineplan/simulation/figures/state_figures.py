"""What a run says of state: how large it became, what checkpoints wrote, how long a restore takes.

steady, two days, new keys at 300/s of 420 B, no time to live
  peak 21.8 GB, full after 5.5 d of 60 GB, a restore of the largest task 4.3 min by then
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

import numpy as np

from pipelineplan.quantities import say_seconds
from pipelineplan.simulation.remembering import Remembered, remembered
from pipelineplan.simulation.result import FLUID, Figure, StageState

if TYPE_CHECKING:
    from pipelineplan.simulation.control import Run
    from pipelineplan.simulation.sharing import Floats

EXACT_STATE = "exact fluid; keys are new or not as the plan says, and state is what it says they take"


def states_of(run: Run) -> dict[str, Remembered]:
    """What each stage of a run remembered, of all its jobs."""
    if run.jobs:
        return {name: each for job in run.jobs for name, each in states_of(job).items()}
    return remembered(run.fluid, run.appended)


def state_figures(run: Run, states: Mapping[str, Remembered]) -> Mapping[str, float]:
    """The figures of all `states` of a run together; empty where no stage says what it remembers."""
    if not states:
        return {}
    end = np.array([run.fluid.now])
    found = {
        "peak_state_bytes": _peak_of_all(states),
        "end_state_bytes": sum(float(each.bytes_at(end)[0]) for each in states.values()),
        "restore_seconds": max(each.memory.restore_seconds(each.peak_bytes()) for each in states.values()),
    }
    full = [
        each.seconds_to(each.memory.budget_bytes)
        for each in states.values()
        if math.isfinite(each.memory.budget_bytes)
    ]
    if full:
        found["seconds_to_full_state"] = min(full)
    if len(run.cuts) > 1:
        found["checkpoint_bytes"] = sum(_written(run, each) for each in states.values())
        found["longest_checkpoint_seconds"] = max(cut.completed - cut.begun for cut in run.cuts[1:])
    return found


def _written(run: Run, state: Remembered) -> float:
    """What all completed checkpoints have written of one stage's state; runs by schedule write all of it."""
    plan = run.network.checkpoint
    begun = np.array([cut.begun for cut in run.cuts])
    shares = [
        state.memory.written_share(1.0 if plan is None else plan.intervals(seconds))
        for seconds in np.diff(begun)
    ]
    return float((state.bytes_at(begun[1:]) * shares).sum())


def _peak_of_all(states: Mapping[str, Remembered]) -> float:
    """The most that all stages remembered at one time."""
    if len(states) == 1:
        return next(iter(states.values())).peak_bytes()
    when = np.unique(np.concatenate([each.turns() for each in states.values()]))
    return float(np.max(np.sum([each.bytes_before(when) for each in states.values()], axis=0)))


def stage_states(runs: Sequence[Run]) -> tuple[StageState, ...]:
    """Each stage's state over the runs at all ends of the inputs, of which the first is the likely one."""
    known = [states_of(run) for run in runs]
    found = []
    for name, first in known[0].items():
        same = [each[name] for each in known]
        ends = [float(each.bytes_at(each.time[-1:])[0]) for each in same]
        budget = first.memory.budget_bytes
        full = [each.seconds_to(each.memory.budget_bytes) for each in same] if math.isfinite(budget) else []
        peaks = _figure([each.peak_bytes() for each in same], "bytes")
        found.append(StageState(name, peaks, _figure(ends, "bytes"), _figure(full, "s") if full else None))
    return tuple(found)


def _figure(values: list[float], unit: str) -> Figure:
    return Figure(values[0], min(values), max(values), unit, FLUID, EXACT_STATE)


def state_curves(run: Run, time: Floats) -> dict[str, Floats]:
    """The bytes of all stages together over time, and of each where there are several."""
    states = {name: each.bytes_at(time) for name, each in states_of(run).items()}
    if not states:
        return {}
    each = {f"state_bytes_{name}": values for name, values in states.items()} if len(states) > 1 else {}
    return {"state_bytes": np.sum(list(states.values()), axis=0), **each}


def full_notes(states: Sequence[StageState]) -> list[str]:
    """What a reader must know: state that passes its budget, within the run or some time after it."""
    return [
        f"the state of {each.stage} passes its budget after {say_seconds(each.seconds_to_budget.value)}"
        for each in states
        if each.seconds_to_budget is not None and math.isfinite(each.seconds_to_budget.value)
    ]
