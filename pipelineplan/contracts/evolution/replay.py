"""Which versions of a schema are still live: a record of theirs may be read when a replay begins.

    v1 |=======|  v2 |==============|  v3 |====>          written
                    v1's last record expires  |           + retention + segment
    replay at                        ^  reads v1, v2, v3
    replay at                                        ^  reads v2, v3

A version is live at `at` in a log of horizon H exactly when some instant t has
    start <= t < end,   t <= at,   t + H > at   and   t >= at - range
A compacted log keeps records for ever. Savepoints, dead letters and snapshots are logs of their own.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

from pipelineplan.contracts.evolution.change import Choices
from pipelineplan.contracts.evolution.modes import CompatResult, Reads, Schema, Version, judge_pair


@dataclass(frozen=True)
class Log:
    """A place that records wait in; `horizon_seconds` is infinite where they are kept for ever."""

    name: str
    horizon_seconds: float


@dataclass(frozen=True)
class Written:
    """When a version may have been written: [`start_seconds`, `end_seconds`), since the epoch."""

    start_seconds: float
    end_seconds: float


def written(starts: Sequence[float], drain_seconds: float, until: Sequence[float | None]) -> list[Written]:
    """The interval of each version: up to the next one's start and the drain of producers.

    `until` says of a version that it was written again, by a rollback, up to then. The latest version
    never ends. All in seconds.
    """
    ends = [start + drain_seconds for start in starts[1:]] + [math.inf]
    again = [-math.inf if one is None else one for one in until]
    return [Written(*one) for one in zip(starts, map(max, ends, again), strict=True)]


def live(versions: Sequence[Written], logs: Sequence[Log], at: float, range_seconds: float) -> list[int]:
    """The indexes of the versions that a replay at `at` may meet, reading `range_seconds` back."""
    horizon = max((log.horizon_seconds for log in logs), default=0.0)
    if horizon <= 0:
        return []
    return [
        index
        for index, one in enumerate(versions)
        if one.start_seconds <= at and one.end_seconds > at - horizon and one.end_seconds > at - range_seconds
    ]


def judge_replay(
    reader: Version[Schema], alive: Sequence[Version[Schema]], reads: Reads[Schema], choices: Choices
) -> CompatResult:
    """Whether `reader` reads every version that is still live."""
    pairs = tuple(judge_pair(reader, one, reads, choices, "a replay") for one in alive)
    return CompatResult("REPLAY", pairs, f"still live: {', '.join(one.name for one in alive)}")
