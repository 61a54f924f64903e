"""BKF: does a replay fit beside the live load, and does its input outlive it?

|<--- range --->|        now
|-- topic, R ----------|           read from its start, at the rate limit, while live records arrive
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime

from pipelineplan.documents import Path
from pipelineplan.plan import Plan
from pipelineplan.plan.change import Replay
from pipelineplan.plan.load import average_rate
from pipelineplan.plan.source import Source
from pipelineplan.quantities import Dimension, say, say_seconds
from pipelineplan.rules.capacity import Busiest, busiest_worker
from pipelineplan.rules.claim import Change, Claim
from pipelineplan.rules.inequality import inequality
from pipelineplan.rules.registry import BY_LEVEL, rule
from pipelineplan.verdicts import Basis, Operand


@rule(
    "BKF101",
    title="The replay leaves the live load its room",
    why="A replay that shares workers with live records takes what it is given: live lag grows for as "
    "long as it lasts.",
    formula="s_w * (λ + rate limit) <= u * μ,   where the replay runs in the live job",
    bad="a limit of 50,000/s beside a peak of 60,000/s on workers of 100,000/s in all",
    good="a limit of 10,000/s beside the same peak, or isolation: separate_job",
    fix="lower replay.rate_limit, or run the replay in a job of its own",
    source="apache/airflow#18501; PostHog/posthog#33181",
    severity=BY_LEVEL,
)
def replay_fits(plan: Plan) -> Iterator[Claim]:
    """`s_w * (λ + limit) <= u * μ` for every stage that a shared replay goes through."""
    replay = plan.model.replay
    if replay is None or replay.isolation == "separate_job":
        return
    limit = plan.operand("limit", replay, "rate_limit", "rate limit of the replay")
    path: Path = ("replay", "rate_limit")
    if limit is None:
        missing = "cannot say whether live records keep up during a replay: state replay.rate_limit"
        yield Claim(("replay",), "replay", missing=missing)
        return
    most = plan.operand("u", plan.model.capacity, "max_utilisation", "highest utilisation allowed")
    allowed = most or plan.assumed(
        "u", "highest utilisation allowed", 0.7, Dimension.SHARE, ("capacity",), (0.5, 0.9)
    )
    for stage in plan.model.stages:
        worker = busiest_worker(plan, stage)
        if not isinstance(worker, str):
            yield _beside_claim(path, worker, limit, allowed)


def _beside_claim(path: Path, worker: Busiest, limit: Operand, allowed: Operand) -> Claim:
    """A replay multiplies what the sources send, so the stage gets its limit in the same proportion."""
    factor = max((arrival.factor for arrival in worker.arriving), default=1.0)
    return inequality(
        path,
        worker.stage.id,
        (*worker.operands, limit, allowed),
        lambda v: (worker.rate(v) + v["limit"] * factor) * worker.share.of_busiest(v),
        lambda v: v["u"] * v["μ"],
        lambda e: (
            f"with {say(e.values['limit'], Dimension.RATE)} of replay beside the peak, the busiest worker of "
            f"{worker.stage.id!r} carries {e.left_shown}; allowed are {e.right_shown}"
        ),
        dimension=Dimension.RATE,
        changes=(Change("limit", rises=False), Change("p", rises=True, whole=True)),
    )


@rule(
    "BKF102",
    title="The topic still holds what is replayed",
    why="A replay reads its range from the oldest record on, and the log expires from there too: what "
    "it has not reached in time is gone.",
    formula="range * max(1, λ / rate limit) <= R,   begun when the range ends;  where the input is the topic",
    bad="a range of 10 d from a topic that keeps 7 d, or one of 5 d read at half the rate it came at",
    good="a range of 3 d at five times the rate from a topic that keeps 7 d",
    fix="replay from the lake, raise the retention, or replay a shorter range",
    source="retention counts from the record's time; apache/pinot#19359",
    severity=BY_LEVEL,
)
def input_outlives(plan: Plan) -> Iterator[Claim]:
    """`range * max(1, λ / limit) <= R` for every source of a replay that reads the topic."""
    replay = plan.model.replay
    if replay is None or replay.input != "topic":
        return
    for source in plan.model.sources:
        kept = plan.operand("R", source.retention, "time", "retention")
        span = _range_operand(plan, replay)
        if kept is None or span is None:
            continue
        yield _range_claim(plan, replay, source, kept, span)


def _range_operand(plan: Plan, replay: Replay) -> Operand | None:
    start, end = _instant(replay.start), _instant(replay.end)
    if start is None or end is None or end <= start:
        return None
    seconds = (end - start).total_seconds()
    path: Path = ("replay", "from")
    position = plan.position(path)
    name = "range of the replay"
    return Operand(
        "range",
        name,
        seconds,
        seconds,
        seconds,
        Basis.DECLARED,
        "$.replay.from",
        position,
        Dimension.DURATION,
    )


def _instant(text: str | None) -> datetime | None:
    """The instant that `text` writes, in UTC where it names no offset; None for anything else."""
    try:
        found = datetime.fromisoformat(text) if text else None
    except ValueError:
        return None
    return found.replace(tzinfo=found.tzinfo or UTC) if found is not None else None


def _range_claim(plan: Plan, replay: Replay, source: Source, kept: Operand, span: Operand) -> Claim:
    """A record x seconds into the range is read x * λ / limit after the start, when it is
    `range - x + x * λ / limit` old: the oldest is the first record or the last.
    """
    rate = average_rate(plan, source)
    limit = plan.operand("limit", replay, "rate_limit", "rate limit of the replay")
    known = rate is not None and limit is not None and limit.value > 0
    symbol = rate.symbol if rate is not None else ""
    return inequality(
        plan.path(source, "retention"),
        source.id,
        (span, *((rate, limit) if known else ()), kept),
        lambda v: v["range"] * max(1.0, v[symbol] / v["limit"] if known else 1.0),
        lambda v: v["R"],
        lambda e: (
            f"reading {say_seconds(e.values['range'])} of {source.id!r} again meets records that are up to "
            f"{e.left_shown} old; the topic keeps {e.right_shown}"
        ),
        changes=(Change("R", rises=True), Change("limit", rises=True)),
    )
