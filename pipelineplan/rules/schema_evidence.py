"""SCH: what a change of a schema costs, as far as only a simulation can say it.

lag at its longest      |<------ unread records of the old version ------>|   <= time until it goes
forced replay           records that the newest version cannot read, run through again, beside live ones

The claims are written here; `gates` puts the simulated figures in. Without them the verdict is unknown.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace

from pipelineplan.contracts.evolution import Choices
from pipelineplan.contracts.evolution.replay import Log, judge_replay, live
from pipelineplan.documents import dotted
from pipelineplan.plan import Plan
from pipelineplan.plan.load import Values
from pipelineplan.plan.succession import Succession, replay_span, successions
from pipelineplan.quantities import Dimension, say_seconds
from pipelineplan.rules.claim import Bounds, Change, Claim, Evaluation
from pipelineplan.rules.deprecation import subject_of, window_operand
from pipelineplan.rules.registry import BY_LEVEL, rule
from pipelineplan.verdicts import Basis, Operand

TO_SIMULATE = "it has to be simulated, as `pipelineplan bundle PLAN -o DIR` and `pipelineplan diff` do"

Lag = Callable[[Succession], Operand | None]
Cost = Callable[["Forced"], tuple[Operand, float] | None]


@dataclass(frozen=True)
class Forced:
    """A replay that a change forces: of `range_seconds`, because the newest version cannot read `versions`.

    `versions` are empty where the plan declares the replay and nothing forces it.
    """

    one: Succession
    range_seconds: float
    versions: tuple[str, ...]


@rule(
    "SCH401",
    title="A deprecation outlives the longest lag",
    why="A record that waited through an outage is read after the field or version that it needs is gone.",
    formula="oldest unread record over all simulated scenarios <= removed - announced",
    bad="a lag of 3 d after an outage, and a field that goes 2 d after it is announced",
    good="the same lag, and a field that goes after 30 d",
    fix="remove it later, or drain faster",
    source="computed by the simulation of the plan's own outages",
    severity=BY_LEVEL,
)
def window_outlives_lag(plan: Plan) -> Iterator[Claim]:
    """For every dated deprecation: unknown, as long as nothing is simulated."""
    return lag_claims(plan, lambda _: None)


def lag_claims(plan: Plan, lag: Lag) -> Iterator[Claim]:
    """For every dated deprecation: the longest lag in a simulation against the time until it goes."""
    for one in successions(plan):
        for gone in one.policy.deprecations if one.source is not None else ():
            window = window_operand(one, gone)
            if window is None:
                continue
            path, subject, longest = plan.path(gone, "removed"), subject_of(one, gone), lag(one)
            if longest is None:
                missing = f"nobody knows yet how far lag grows before {subject} goes: {TO_SIMULATE}"
                yield Claim(path, subject, missing=missing)
                continue
            yield Claim(
                path,
                subject,
                (longest, window),
                left=lambda v: _twice(v["lag"]),
                right=lambda v: _twice(v["window"]),
                dimension=Dimension.DURATION,
                says=_lag_says(subject, longest),
                changes=(Change("window", rises=True),),
            )


def _lag_says(subject: str, lag: Operand) -> Callable[[Evaluation], str]:
    return lambda e: (
        f"{subject} goes {e.right_shown} after it is announced; a record may wait unread for "
        f"{e.left_shown} ({lag.name})"
    )


@rule(
    "SCH402",
    title="The replay that a change forces ends in time",
    why="Records that the newest version cannot read have to be converted before they expire, and before "
    "the last reader of the old version is gone.",
    formula="simulated time of the replay beside live traffic <= min(retention of its input, "
    "removed - announced)",
    bad="30 d of records that take 40 d to run through, from a topic that keeps them for 30 d",
    good="the same records in 12 d",
    fix="raise the limit or the parallelism of the replay, replay from the lake, or announce earlier",
    source="computed by the simulation of the plan's own rates and capacities",
    severity=BY_LEVEL,
)
def replay_ends_in_time(plan: Plan) -> Iterator[Claim]:
    """For every forced or declared replay: unknown, as long as nothing is simulated."""
    return replay_claims(plan, lambda _: None)


def replay_claims(plan: Plan, cost: Cost) -> Iterator[Claim]:
    """For every forced or declared replay: how long it takes, and what it has to end before."""
    for forced in forced_replays(plan):
        one = forced.one
        path, limits, found = one.path(), _limits(forced), cost(forced)
        if not forced.versions and not limits:
            continue
        if found is None:
            missing = f"nobody knows yet how long {_what(forced)} takes: {TO_SIMULATE}"
            yield Claim(path, one.dataset, missing=missing)
            continue
        seconds, records = found
        yield Claim(
            path,
            one.dataset,
            (seconds, *limits),
            left=lambda v: _twice(v["time"]),
            right=_least(limits),
            dimension=Dimension.DURATION,
            says=_replay_says(forced, records, limits),
        )


def _replay_says(forced: Forced, records: float, limits: tuple[Operand, ...]) -> Callable[[Evaluation], str]:
    def says(e: Evaluation) -> str:
        least = min(limits, key=lambda o: o.low, default=None)
        end = f"; it has to end within {e.right_shown} ({least.name})" if least is not None else ""
        return f"{_what(forced)} is {_millions(records)} records and takes {e.left_shown}{end}"

    return says


def _least(limits: tuple[Operand, ...]) -> Callable[[Values], Bounds]:
    return lambda values: _twice(min((values[o.symbol] for o in limits), default=math.inf))


def _what(forced: Forced) -> str:
    why = f", which {forced.one.names[-1]} cannot read," if forced.versions else ""
    of = f" of {', '.join(forced.versions)}" if forced.versions else ""
    return f"the replay of {say_seconds(forced.range_seconds)} of {forced.one.dataset!r}{of}{why}"


def forced_replays(plan: Plan) -> list[Forced]:
    """For every source with a policy: the replay that its newest version forces, else the declared one."""
    found = []
    for one in successions(plan):
        if one.source is None:
            continue
        versions, seconds = _unreadable(one)
        span = replay_span(plan)
        if versions:
            found.append(Forced(one, seconds, versions))
        elif span is not None:
            found.append(Forced(one, span[1] - span[0], ()))
    return found


def _unreadable(one: Succession) -> tuple[tuple[str, ...], float]:
    """Live versions that the newest cannot read as it begins, and how far back their oldest record lies."""
    form = one.recorded.form
    if form is None or len(one.names) < 2 or not one.recorded.dated:
        return (), 0.0
    spans, versions = one.recorded.spans(one.drain_seconds), one.recorded.versions
    begins, horizon = spans[-1].start_seconds, one.horizon_seconds
    alive = live(spans, [Log("kept", horizon)], begins, math.inf)
    choices = Choices(one.policy.allow, one.policy.refuse)
    result = judge_replay(versions[-1], [versions[i] for i in alive], form.reads, choices)
    broken = [i for i, pair in zip(alive, result.pairs, strict=True) if not pair.passes]
    oldest = min((max(spans[i].start_seconds, begins - horizon) for i in broken), default=begins)
    return tuple(one.names[i] for i in broken), begins - oldest


def _limits(forced: Forced) -> tuple[Operand, ...]:
    """What a replay has to end before: the expiry of what it reads, and of the old version."""
    one, replay = forced.one, forced.one.plan.model.replay
    found = [o for o in one.kept if o.symbol == "R" and math.isfinite(o.high)]
    if replay is not None and replay.input == "lake":
        found = []
    windows = [
        replace(window, symbol=f"window{number}", name=f"until {subject_of(one, gone)} goes")
        for number, gone in enumerate(one.policy.deprecations)
        if gone.version is not None
        and one.index(gone.version) in {one.index(name) for name in forced.versions}
        and (window := window_operand(one, gone)) is not None
    ]
    return (*found, *windows)


def simulated_operand(one: Succession, symbol: str, name: str, ends: tuple[float, float, float]) -> Operand:
    """A simulated duration in seconds as an operand: it follows from what the plan declares."""
    value, low, high = ends
    path = one.path()
    place = one.plan.position(path)
    return Operand(symbol, name, value, low, high, Basis.DECLARED, dotted(path), place, Dimension.DURATION)


def _millions(records: float) -> str:
    return f"{records / 1e6:,.4g} M" if records >= 1e6 else f"{records:,.0f}"


def _twice(value: float) -> Bounds:
    return (value, value)
