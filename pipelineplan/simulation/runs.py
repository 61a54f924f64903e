"""The runs of a pipeline that works by schedule or trigger: when they are due, and how they went."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from itertools import pairwise


@dataclass(frozen=True)
class Runs:
    """When runs begin, and what delays them. Seconds.

    `starts` are those of a schedule up to `horizon_seconds`; empty for micro-batches, which begin
    every `every_seconds`. A run takes `startup_seconds` and at least `least_seconds`. The input of
    run number `late_run` comes `late_seconds` late. Nothing runs before `held_until_seconds`; what
    was due until then is worked off one by one where `catch_up`, else as one.
    """

    starts: tuple[float, ...] = ()
    every_seconds: float = 0.0
    horizon_seconds: float = 0.0
    startup_seconds: float = 0.0
    least_seconds: float = 0.0
    late_run: int = -1
    late_seconds: float = 0.0
    held_until_seconds: float = 0.0
    catch_up: bool = True


@dataclass(frozen=True)
class RunOf:
    """One run: due, ready (its input had come), begun and ended, in seconds; `records` that it read."""

    due: float
    ready: float
    begun: float
    ended: float
    records: float


def run_figures(done: tuple[RunOf, ...]) -> Mapping[str, float]:
    """How many runs there were, how long and how late they were, and what the largest and smallest read."""
    late = [one for one, following in pairwise(done) if one.ended > following.due]
    return {
        "runs": float(len(done)),
        "runs_beyond_next": float(len(late)),
        "longest_run_seconds": max((each.ended - each.begun for each in done), default=0.0),
        "latest_result_seconds": max((each.ended - each.due for each in done), default=math.inf),
        "largest_run_records": max((each.records for each in done), default=0.0),
        "smallest_run_records": min((each.records for each in done[1:] or done), default=0.0),
    }


def behind_schedule_seconds(done: tuple[RunOf, ...]) -> float:
    """The longest time from when a run could begin until runs ended before the next again; inf if never."""
    longest, since = 0.0, math.nan
    for one, following in pairwise(done):
        if one.ended > following.due and math.isnan(since):
            since = one.ready
        if one.ended <= following.due and not math.isnan(since):
            longest, since = max(longest, one.ended - since), math.nan
    return longest if math.isnan(since) else math.inf
