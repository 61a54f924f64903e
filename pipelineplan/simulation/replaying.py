"""What a replay of old records costs: how many they are, and how long it takes beside live traffic.

    live  ------------------------------------------      records per second
    old          |=========================|              as fast as the limit, or the workers, allow
    drain        |<----------------------------->|        until all is through and nothing waits

Old records come through the workers like live ones. A replay in a job of its own has workers of its own,
as many as the live job. Checkpoints are not simulated again: capacity is measured with them on.
"""

from __future__ import annotations

import math
from collections.abc import Iterable
from dataclasses import dataclass, replace

from pipelineplan.plan import Plan
from pipelineplan.plan.succession import replay_span
from pipelineplan.quantities import say_seconds
from pipelineplan.simulation.arranging import End, Inputs, Pipeline
from pipelineplan.simulation.network import Network, NotSimulated, Visible
from pipelineplan.simulation.result import Figure, ScenarioResult, SimulationResult
from pipelineplan.simulation.scenario import Scenario
from pipelineplan.simulation.simulating import run_ends

NAME = "replay"
_BEGINS_SECONDS = 60.0


@dataclass(frozen=True)
class Replay:
    """Records of `range_seconds` are read again, at most `limit_per_second` of them (inf: no limit).

    `shared` says that live records go through the same workers.
    """

    range_seconds: float
    limit_per_second: float = math.inf
    shared: bool = True


@dataclass(frozen=True)
class _Pace:
    """One end of a replay: its records, how fast they come, and what runs beside them."""

    records: float
    per_second: float
    live_per_second: float
    free_per_second: float

    @property
    def reading_seconds(self) -> float:
        """Until the last old record has been sent; infinite where live records leave no room."""
        return self.records / self.per_second if self.per_second > 0 else math.inf


def declared_replay(plan: Plan) -> Replay | None:
    """The replay that the plan declares, where its range is a pair of dates."""
    span, replay = replay_span(plan), plan.model.replay
    if span is None or replay is None:
        return None
    return replay_of(plan, span[1] - span[0])


def replay_of(plan: Plan, range_seconds: float) -> Replay:
    """A replay of `range_seconds` under the plan's own limit and isolation."""
    stated = plan.model.replay
    limit = stated.rate_limit.low if stated is not None and stated.rate_limit is not None else math.inf
    alone = stated is not None and stated.isolation in {"separate_job", "separate_group"}
    return Replay(range_seconds, limit, shared=not alone)


def with_replay(
    result: SimulationResult, replay: Replay | None, pipelines: Iterable[Pipeline]
) -> SimulationResult:
    """`result` with the scenario `replay` of every pipeline, or with the reason why there is none."""
    if replay is None:
        return result
    scenarios, refused = list(result.scenarios), list(result.not_simulated)
    for pipeline in pipelines:
        try:
            scenarios.append(replayed(pipeline, replay))
        except NotSimulated as reason:
            refused.append((f"{pipeline.name}: {NAME}", reason.reason))
    return replace(result, scenarios=tuple(scenarios), not_simulated=tuple(refused))


def replayed(pipeline: Pipeline, replay: Replay) -> ScenarioResult:
    """The scenario `replay`: `replayed_records`, and `drain_seconds` from its first record to the end.

    Raises `NotSimulated` where no capacity is stated.
    """
    if pipeline.inputs[End.LIKELY].network.then is not None:
        raise NotSimulated("a replay through several jobs is not simulated: take it to a plan of one of them")
    paces = {end: _pace(inputs, replay) for end, inputs in pipeline.inputs.items()}
    quiet = replace(pipeline, targets=())
    if any(math.isinf(pace.reading_seconds) for pace in paces.values()):
        raise NotSimulated(
            "live records alone take all that the busiest worker can: a replay would never end"
        )
    result = run_ends(quiet, lambda inputs, end: _arranged(inputs, paces[end]))
    likely = paces[End.LIKELY]
    records, reading = (
        [getattr(pace, name) for pace in paces.values()] for name in ("records", "reading_seconds")
    )
    drain = result.figures["drain_seconds"]
    figures = {
        **result.figures,
        "replayed_records": _figure(result, "replayed_records", likely.records, records),
        "drain_seconds": replace(
            drain,
            value=likely.reading_seconds + drain.value,
            low=min(reading) + drain.low,
            high=max(reading) + drain.high,
        ),
    }
    return replace(result, figures=figures, notes=(*result.notes, *_notes(replay, likely)))


def _figure(result: ScenarioResult, name: str, value: float, ends: list[float]) -> Figure:
    return replace(result.figures[name], value=value, low=min(ends), high=max(ends))


def _pace(inputs: Inputs, replay: Replay) -> _Pace:
    average = inputs.load.average_per_second
    per_record = inputs.network.utilisation(1.0)[0]
    if per_record <= 0:
        raise NotSimulated("no stage states a capacity, so nothing says how fast a replay can be")
    live = average if replay.shared else 0.0
    free = 1 / per_record - live
    # Without a limit old records come as fast as live ones leave room for.
    pace = replay.limit_per_second if math.isfinite(replay.limit_per_second) else free
    return _Pace(average * replay.range_seconds, pace if free > 0 else 0.0, live, free)


def _arranged(inputs: Inputs, pace: _Pace) -> tuple[Network, Scenario]:
    source = replace(inputs.network.source, retention_seconds=math.inf)
    usage = inputs.network.usage
    if usage is not None:
        usage = replace(usage, old_records=pace.records, own_job=pace.live_per_second == 0)
    network = replace(inputs.network, source=source, checkpoint=None, visible=Visible.ON_EMIT, usage=usage)
    end = _BEGINS_SECONDS + pace.reading_seconds
    live = pace.live_per_second
    behind = max(0.0, pace.per_second - pace.free_per_second) * pace.reading_seconds
    scenario = Scenario(
        NAME,
        ((0.0, live), (_BEGINS_SECONDS, live + pace.per_second), (end, live)),
        horizon_seconds=end + 2 * behind / pace.free_per_second + 7200,
        drain_from_seconds=(end,),
        title="The declared replay, beside live records",
    )
    return network, scenario


def _notes(replay: Replay, likely: _Pace) -> list[str]:
    beside = "beside live records at their average" if replay.shared else "in a job of its own, as large"
    notes = [f"{say_seconds(replay.range_seconds)} of records are read again, {beside}"]
    if likely.per_second > likely.free_per_second:
        notes.append("the limit is more than the workers have room for: live records wait behind old ones")
    return notes
