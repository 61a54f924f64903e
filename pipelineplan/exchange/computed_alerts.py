"""Alerts that no line of the plan states and that follow from it: checkpoints, and lag beyond its outages.

failed checkpoints in a row      as many as the job tolerates: the next one restarts it
no checkpoint completes          for longer than the job could go without a restart of its own
lag beyond the plan              older than in any outage that the plan claims to survive, as simulated
a series is missing              an alert on it would never fire, and nobody would know

One failed checkpoint after the other takes at most `max(interval, timeout + min_pause)` each.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Iterator
from typing import TYPE_CHECKING

from pipelineplan.exchange.alert_rule import AlertRule
from pipelineplan.exchange.measuring_by import Meters
from pipelineplan.exchange.promql import duration
from pipelineplan.exchange.traced import Place, Traced
from pipelineplan.plan.stage import Checkpoint, Stage
from pipelineplan.quantities import say_seconds

if TYPE_CHECKING:
    from pipelineplan.simulation.result import SimulationResult

_PAGE = Traced("page", (), "chosen by this export: the job is about to restart, or is not seen to")
_TICKET = Traced("ticket", (), "chosen by this export: an alert is blind")
MISSING_SECONDS = 600.0


def checkpoint_alerts(meters: Meters) -> Iterator[AlertRule]:
    """Both alerts on the checkpoints of every job that states interval, timeout and tolerable failures."""
    for job, stages in meters.jobs():
        checkpoint = _checkpoint_of(stages)
        if checkpoint is None:
            continue
        wanted = ("interval", "timeout", "tolerable_failures")
        lacking = [name for name in wanted if getattr(checkpoint, name) is None]
        if lacking:
            why = f"no alert on failed checkpoints follows without {', '.join(lacking)}"
            meters.tracer.drop(checkpoint, "", why)
        else:
            yield from _of_checkpoints(meters, job, checkpoint)


def _checkpoint_of(stages: list[Stage]) -> Checkpoint | None:
    return next((stage.checkpoint for stage in stages if stage.checkpoint is not None), None)


def _of_checkpoints(meters: Meters, job: str, checkpoint: Checkpoint) -> Iterator[AlertRule]:
    tolerable = checkpoint.tolerable_failures or 0
    each = _longest_cycle_seconds(checkpoint)
    stated = [
        n
        for n in ("interval", "timeout", "min_pause", "tolerable_failures")
        if getattr(checkpoint, n) is not None
    ]
    places = tuple(meters.tracer.place(checkpoint, name) for name in stated)
    least, about = max(1, tolerable), {"job": job}
    failed = meters.of_job("jobmanager_job_numberOfFailedCheckpoints", job)
    window = duration(least * each)
    # A gauge that counts up: the difference is exact, where increase() would extrapolate.
    since = f"{failed} offset {window}"
    expr = f"{failed} - {since} >= {least} or ({failed} unless {since}) >= {least}"
    how = f"{least} in {least} * max(interval, timeout + min_pause)"
    left = "the next one restarts the job" if tolerable else "each one restarts the job"
    says = f"{least} checkpoints of {job} failed in {say_seconds(least * each)}; {left}"
    yield AlertRule(
        "CheckpointsFail", expr, says, "checkpoint", places, how, None, _PAGE, None, about, (failed,)
    )
    completed = meters.of_job("jobmanager_job_numberOfCompletedCheckpoints", job)
    longest = (tolerable + 1) * each
    how = f"({tolerable} + 1) * max(interval, timeout + min_pause)"
    says = (
        f"{job} has completed no checkpoint for {say_seconds(longest)}: what it has read since is read again"
    )
    expr = f"{completed} - {completed} offset {duration(longest)} == 0"
    yield AlertRule(
        "NoCheckpointCompletes", expr, says, "checkpoint", places, how, None, _PAGE, None, about, (completed,)
    )


def _longest_cycle_seconds(checkpoint: Checkpoint) -> float:
    """From the start of one checkpoint that times out to the start of the next."""
    interval = checkpoint.interval.high if checkpoint.interval is not None else 0.0
    timeout = checkpoint.timeout.high if checkpoint.timeout is not None else 0.0
    pause = checkpoint.min_pause.high if checkpoint.min_pause is not None else 0.0
    return float(max(interval, timeout + pause))


def unforeseen_lag(meters: Meters, simulated: SimulationResult | None) -> Iterator[AlertRule]:
    """Lag that is older than in any simulated scenario: what the plan claims to survive is behind it."""
    topics, lag = meters.kafka(), meters.lag
    worst = _worst(simulated)
    if lag is None or worst is None:
        return
    if len(topics) != 1:
        return  # which scenario is about which topic is no longer one answer
    scenario, seconds = worst
    group, needs = meters.group_of(topics[0])
    topic = topics[0].topic or topics[0].id
    outages = tuple(meters.tracer.place(outage) for outage in meters.tracer.plan.model.outages)
    how = f"oldest_unread_seconds of the simulated scenario {scenario}, its upper end, {say_seconds(seconds)}"
    says = f"the oldest unread record of {topic} is older than in any outage that the plan claims to survive"
    watched = (lag.watched(group, topic),)
    yield AlertRule(
        "LagBeyondThePlan",
        lag.older(group, topic, seconds),
        says,
        "lag",
        outages,
        how,
        None,
        Traced("page", (), "chosen by this export: no figure of the plan holds any longer"),
        None,
        {"source": topics[0].id},
        watched,
        needs,
    )


def _worst(simulated: SimulationResult | None) -> tuple[str, float] | None:
    """The scenario with the oldest unread record, in whole seconds; None where none is known to end."""
    found = [
        (math.ceil(figure.high), scenario.name)
        for scenario in (simulated.scenarios if simulated is not None else ())
        if (figure := scenario.figures.get("oldest_unread_seconds")) is not None
    ]
    known = [(seconds, name) for seconds, name in found if math.isfinite(seconds) and seconds > 0]
    if not known or len(known) < len([one for one in found if one[0] > 0]):
        return None
    seconds, name = max(known)
    return name, float(seconds)


def missing_series(rules: Iterable[AlertRule]) -> Iterator[AlertRule]:
    """One alert for each series that a rule watches: without it that rule is blind."""
    watched: dict[str, tuple[Place, ...]] = {}
    for rule in rules:
        for series in rule.watches if not rule.needs else ():
            watched.setdefault(series, rule.threshold)
    for series, places in watched.items():
        yield AlertRule(
            "SeriesMissing",
            f"absent({series})",
            f"{series} is not there: alerts on it cannot fire",
            "heartbeat",
            places,
            "a series that the alerts are made of",
            Traced(MISSING_SECONDS, (), "ten minutes, chosen by this export"),
            _TICKET,
            about={"series": series.partition("{")[0]},
        )
