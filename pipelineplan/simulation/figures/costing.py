"""What a run uses, and what that costs by the plan's own prices: worker-hours, bytes moved, kept, read again.

    autoscale-oscillation: 20 h of workers      2.40 EUR
                           40 GB between zones  0.80 EUR   0.35 EUR added by rescaling and reading again

The quantities are counted as a month's are in `plan.cost`, and prices are per the same units. What a price
file does not price is not in the sum. Logs and stages that several pipelines share count in each.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import TYPE_CHECKING

import numpy as np

from pipelineplan.plan.cost import MONTH_SECONDS

if TYPE_CHECKING:
    from pipelineplan.simulation.control import Run
    from pipelineplan.simulation.remembering import Remembered
    from pipelineplan.simulation.usage import Usage


def usage_figures(run: Run, states: Mapping[str, Remembered], more: Mapping[str, float]) -> dict[str, float]:
    """Quantities and money of a run with these `states`; `more` are its other figures.

    Empty where the plan states nothing.
    """
    usage = run.network.usage
    if usage is None:
        return {}
    used = _used(run, usage, states, more)
    found = {}
    if usage.record_bytes:
        found["replayed_bytes"] = used["replay_read"]
    if usage.crossing_bytes:
        found["cross_zone_bytes"] = used["cross_zone"]
    if usage.prices:
        found["cost"] = _money(usage, used)
        undisturbed = _undisturbed(run, usage, used)
        added = _money(usage, {kind: used[kind] - undisturbed[kind] for kind in used})
        # The mean of what does not change is it up to rounding.
        found["added_cost"] = added if abs(added) > 1e-9 * found["cost"] else 0.0
    return found


def _used(
    run: Run, usage: Usage, states: Mapping[str, Remembered], more: Mapping[str, float]
) -> dict[str, float]:
    """By kind of price: worker-hours, bytes, and bytes times months."""
    arrived, again = _arrived_and_again(run, usage, more)
    return {
        "compute": _worker_hours(run, usage, more),
        "cross_zone": arrived * usage.crossing_bytes + again * usage.reread_bytes,
        "log_storage": arrived * usage.kept_byte_seconds / MONTH_SECONDS,
        "state_storage": _mean_state_bytes(run, states) * run.fluid.now / MONTH_SECONDS,
        "replay_read": again * usage.record_bytes,
    }


def _arrived_and_again(run: Run, usage: Usage, more: Mapping[str, float]) -> tuple[float, float]:
    """Records that came anew, and reads of those that had been read, or had lain there, before."""
    come = float(np.interp(run.fluid.now, *run.appended))
    read = run.fluid.departed[run.fluid.log]
    again = max(more["read_records"] - float(read.sum() - run.lost.sum()), 0.0)
    backlog = float(read[run.fluid.shares <= 0].sum())
    return max(come - usage.old_records, 0.0), again + backlog + min(usage.old_records, come)


def _undisturbed(run: Run, usage: Usage, used: Mapping[str, float]) -> dict[str, float]:
    """The same records in the same time: nothing read again, nobody rescaled, state at rest.

    Runs by schedule take what they took; a job of its own would not be there.
    """
    memories = [stage.memory.at_rest_bytes for stage in run.network.stages if stage.memory is not None]
    planned = 0.0 if usage.own_job else usage.workers * run.fluid.now / 3600.0
    again = used["replay_read"] / usage.record_bytes if usage.record_bytes else 0.0
    return {
        **used,
        "compute": used["compute"] if run.network.runs is not None else planned,
        "cross_zone": used["cross_zone"] - again * usage.reread_bytes,
        "state_storage": sum(memories) * run.fluid.now / MONTH_SECONDS,
        "replay_read": 0.0,
    }


def _worker_hours(run: Run, usage: Usage, more: Mapping[str, float]) -> float:
    """The paid workers all the time, of runs while they last, and what an autoscaler adds or saves."""
    if run.network.runs is not None:
        return usage.workers * sum(each.ended - each.begun for each in run.runs) / 3600.0
    hours = run.fluid.now / 3600.0
    if "scaled_worker_hours" not in more:
        return usage.workers * hours
    scaled = {getattr(act, "stage", "") for act in run.scenario.acts}
    before = sum(stage.workers for stage in run.network.stages if stage.name in scaled)
    return usage.workers * hours + more["scaled_worker_hours"] - before * hours


def _mean_state_bytes(run: Run, states: Mapping[str, Remembered]) -> float:
    """The mean over time of what all stages remember."""
    time = np.linspace(0.0, run.fluid.now, 1001)
    return float(np.mean(np.sum([each.bytes_at(time) for each in states.values()], axis=0)))


def _money(usage: Usage, used: Mapping[str, float]) -> float:
    return math.fsum(price * used[kind] for kind, price in usage.prices if kind in used)
