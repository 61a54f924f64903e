"""Reads out of a plan when its runs begin, for pipelines that do not work all the time."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from itertools import pairwise
from typing import TYPE_CHECKING

from pipelineplan.plan import Plan
from pipelineplan.simulation.network import NotSimulated
from pipelineplan.simulation.runs import Runs
from pipelineplan.simulation.schedule import run_times

if TYPE_CHECKING:
    from pipelineplan.simulation.inflow import Read

# A week that begins on a Monday, in a month in which no clock changes.
_FIRST = datetime(2026, 1, 5, tzinfo=UTC)
_FEWEST_RUNS = 8
_LONGEST_DAYS = 400


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


def starts_of(cron: str, zone: str, fewest: int = _FEWEST_RUNS) -> tuple[tuple[float, ...], float]:
    """The first runs, seconds since the beginning, and up to when they reach.

    They are `fewest`, or those of eight days where these are more.
    """
    days = 8
    while True:
        starts = run_times(cron, zone, _FIRST, _FIRST + timedelta(days=days))
        if len(starts) >= fewest:
            break
        if days > _LONGEST_DAYS * fewest:
            raise NotSimulated(f"ingestion.schedule.cron {cron!r} runs less than {_FEWEST_RUNS} times a year")
        days *= 2
    gap = max(b - a for a, b in pairwise(starts))
    most = max(fewest, int(8 * 86_400 / gap))
    return starts[:most], starts[:most][-1] + gap
