"""Reads out of a plan when its runs begin, for pipelines that do not work all the time."""

from __future__ import annotations

from typing import TYPE_CHECKING

from pipelineplan.plan import Plan
from pipelineplan.simulation.network import NotSimulated
from pipelineplan.simulation.runs import Runs
from pipelineplan.simulation.schedule import starts_of

if TYPE_CHECKING:
    from pipelineplan.simulation.reading.inflow import Read


def runs_of(plan: Plan, read: Read) -> Runs | None:
    """The runs of a plan by schedule or trigger; None for one that works all the time."""
    ingestion = plan.model.ingestion
    if ingestion is None or ingestion.mode not in {"batch", "micro_batch"}:
        return None
    if ingestion.mode == "micro_batch":
        trigger = plan.operand("trigger", ingestion, "trigger_interval", "trigger interval")
        if trigger is None:
            raise NotSimulated(
                "ingestion mode 'micro_batch' states no trigger: add ingestion.trigger_interval"
            )
        every = read(trigger)
        return Runs(every_seconds=every, horizon_seconds=max(3600.0, 20 * every))
    schedule = ingestion.schedule
    if schedule is None:
        raise NotSimulated("ingestion mode 'batch' states no schedule: add ingestion.schedule.cron")
    length = plan.operand("run", schedule, "run_length", "length of a run")
    starts, horizon = starts_of(schedule.cron, schedule.zone or "UTC")
    return Runs(
        starts,
        horizon_seconds=horizon,
        least_seconds=0.0 if length is None else read(length),
        catch_up=bool(schedule.catch_up),
    )
