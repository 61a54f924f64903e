"""A recipe meets a plan: which network runs, at which rates, and when things break.

    recipe "sink-outage" + the plan's peak, its own sink outage, its checkpoints
      -> rates ((0, 11_000/s),), the sink stands still from 3 checkpoints on

Where an input is an interval, three runs are arranged: the likely, and the two ends at which
everything goes well or badly at once. Load, outage, restart and interval between checkpoints
hurt when they are long or large and capacity helps, so these ends enclose what the inputs
allow. When within its interval a job fails is chance, and is treated the same: right after a
checkpoint, in the middle, right before the next one.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, field, replace
from enum import StrEnum

from pipelineplan.simulation.acts.happenings import HAPPENINGS
from pipelineplan.simulation.acts.library import Recipe
from pipelineplan.simulation.network import Exchange, Network
from pipelineplan.simulation.reading.facts import Facts
from pipelineplan.simulation.result import FreshnessTarget, Uncertain
from pipelineplan.simulation.scenario import Breaks, Burst, Outage, Scenario
from pipelineplan.simulation.setting import Setting

_SHORTEST_RUN_SECONDS = 3600.0
_LONGEST_RUN_SECONDS = 172_800.0
# A drain may take longer than that; a run of this many checkpoints takes some seconds.
_CHECKPOINTS_IN_A_DRAIN = 50_000
_FIRST_OUTAGE_SECONDS = 60.0
_CHECKPOINTS_BEFORE = 3
_CHECKPOINTS_IN_A_RUN = 20
_MARGIN_SECONDS = 0.001


class End(StrEnum):
    """Which values of the plan's intervals a run takes."""

    LIKELY = "likely"
    OPTIMISTIC = "optimistic"
    PESSIMISTIC = "pessimistic"


@dataclass(frozen=True)
class DeclaredOutage:
    """An outage that the plan claims to survive, `at_peak` or at the average rate."""

    of: Breaks
    detect_seconds: float
    repair_seconds: float
    drain_target_seconds: float | None = None
    at_peak: bool = True
    name: str = ""
    path: str = ""


@dataclass(frozen=True)
class Load:
    """Rates in records per second; `trace` are steps `(start_seconds, rate)` of a recorded load."""

    average_per_second: float
    peak_per_second: float
    burst: Burst | None = None
    trace: tuple[tuple[float, float], ...] = ()
    trace_seconds: float = 0.0


@dataclass(frozen=True)
class Inputs:
    """One pipeline of a plan at one end of its intervals."""

    network: Network
    load: Load
    outages: tuple[DeclaredOutage, ...] = ()
    facts: Facts = field(default_factory=Facts)


@dataclass(frozen=True)
class Pipeline:
    """One pipeline of a plan: its inputs at every end, its promises, and what it leaves open.

    With `horizon_seconds` a run lasts that long, whether everything has drained or not.
    """

    name: str
    inputs: dict[End, Inputs]
    targets: tuple[FreshnessTarget, ...] = ()
    uncertain: tuple[Uncertain, ...] = ()
    assumptions: tuple[str, ...] = ()
    horizon_seconds: float | None = None


def arrange(recipe: Recipe, inputs: Inputs, end: End) -> tuple[Network, Scenario]:
    """The network and scenario that `recipe` means for these inputs.

    Raises `NotSimulated` where it needs what the plan does not state, naming the field.
    """
    network, scenario = _plain(recipe, inputs, end)
    base = inputs.load.peak_per_second if recipe.level == "peak" else inputs.load.average_per_second
    start = scenario.outages[0].start_seconds if scenario.outages else _failure_seconds(network, End.LIKELY)
    setting = Setting(network, scenario, inputs.facts, base, start)
    for name, values in recipe.happenings:
        setting = HAPPENINGS[name].arrange(dict(values), setting)
    return setting.network, setting.scenario


def _plain(recipe: Recipe, inputs: Inputs, end: End) -> tuple[Network, Scenario]:
    """Load and outage alone."""
    network = _heated(inputs.network, recipe.hottest_key)
    average, peak = inputs.load.average_per_second, inputs.load.peak_per_second
    base = peak if recipe.level == "peak" else average
    if recipe.burst is not None:
        return network, _burst(recipe, network, base, inputs.load.burst or recipe.burst)
    if recipe.broken is not None:
        own = [each for each in inputs.outages if each.of is recipe.broken.of]
        declared = (
            own[0]
            if own
            else DeclaredOutage(recipe.broken.of, recipe.broken.detect_seconds, recipe.broken.repair_seconds)
        )
        return network, outage_scenario(recipe.name, recipe.title, network, base, declared, end)
    return network, _quiet(recipe.name, recipe.title, network, ((0.0, base),))


def outage_scenario(
    name: str, title: str, network: Network, rate: float, declared: DeclaredOutage, end: End
) -> Scenario:
    """One outage at a constant rate, begun at the end's place between two checkpoints."""
    outage = Outage(
        of=declared.of,
        start_seconds=_failure_seconds(network, end, declared.of),
        detect_seconds=declared.detect_seconds,
        repair_seconds=declared.repair_seconds,
        restart_seconds=network.checkpoint.restart_seconds if network.checkpoint else 0.0,
        drain_target_seconds=declared.drain_target_seconds,
        path=declared.path,
    )
    checkpoint = network.checkpoint
    again = checkpoint.effective_interval_seconds + checkpoint.duration_seconds if checkpoint else 0.0
    back = outage.start_seconds + outage.down_seconds
    longest = _longest_seconds(network, rate, back, outage.down_seconds + again)
    return Scenario(
        name,
        ((0.0, rate),),
        (outage,),
        horizon_seconds=longest,
        settle_seconds=_settle_seconds(network),
        title=title,
    )


def _longest_seconds(network: Network, rate: float, since: float, behind_seconds: float) -> float:
    """Two days, and time to drain from `since` on what came in `behind_seconds`; of a schedule all its runs.

    A backlog that never drains, or takes too many checkpoints to wait for, is still there at the end.
    """
    if network.runs is not None:
        return max(_LONGEST_RUN_SECONDS, network.runs.horizon_seconds)
    load = network.utilisation(rate)[0]
    drain = 1.5 * behind_seconds * load / (1.0 - load) if load < 1 else 0.0
    if network.checkpoint is not None:
        drain = min(drain, _CHECKPOINTS_IN_A_DRAIN * network.checkpoint.effective_interval_seconds)
    return max(_LONGEST_RUN_SECONDS, since + drain + _settle_seconds(network))


def trace_scenario(load: Load) -> Scenario:
    """The recorded load, once from its beginning to its end."""
    scenario = Scenario(
        "recorded",
        load.trace,
        horizon_seconds=load.trace_seconds,
        settle_seconds=load.trace_seconds,
        title="The recorded load",
    )
    records = math.fsum(rate * seconds for rate, seconds in scenario.spells)
    return replace(scenario, mean_rate=records / load.trace_seconds)


def _quiet(name: str, title: str, network: Network, rates: tuple[tuple[float, float], ...]) -> Scenario:
    checkpoint = network.checkpoint
    if network.runs is not None:
        length = network.runs.horizon_seconds
        return Scenario(name, rates, horizon_seconds=length, settle_seconds=length, title=title)
    cycles = _CHECKPOINTS_IN_A_RUN * checkpoint.effective_interval_seconds if checkpoint else 0.0
    length = max(_SHORTEST_RUN_SECONDS, cycles, 3 * _settle_seconds(network))
    return Scenario(name, rates, horizon_seconds=length, settle_seconds=length, title=title)


def _burst(recipe: Recipe, network: Network, base: float, burst: Burst) -> Scenario:
    start = _failure_seconds(network, End.LIKELY)
    end = start + burst.length_seconds
    return Scenario(
        recipe.name,
        ((0.0, base), (start, base * burst.factor), (end, base)),
        horizon_seconds=_longest_seconds(network, base, end, burst.factor * burst.length_seconds),
        settle_seconds=_settle_seconds(network),
        drain_from_seconds=(end,),
        title=recipe.title,
    )


def _failure_seconds(network: Network, end: End, of: Breaks = Breaks.JOB) -> float:
    """When something breaks: just after a checkpoint completed, half-way, or just before the next.

    Of runs: after the third has ended, half-way through it, or right before its end; what is not
    the job hurts most at its beginning.
    """
    checkpoint, runs = network.checkpoint, network.runs
    if runs is not None:
        begun = runs.starts[2] if runs.starts else 3 * runs.every_seconds
        length = max(runs.least_seconds, _FIRST_OUTAGE_SECONDS)
        restores = of in {Breaks.JOB, Breaks.WORKER}
        inside = {
            End.OPTIMISTIC: 2 * length,
            End.LIKELY: length / 2 if restores else _MARGIN_SECONDS,
            End.PESSIMISTIC: length - _MARGIN_SECONDS if restores else _MARGIN_SECONDS,
        }
        return begun + inside[end]
    if checkpoint is None:
        return _FIRST_OUTAGE_SECONDS
    interval = checkpoint.effective_interval_seconds
    completed = (
        checkpoint.interval_seconds + (_CHECKPOINTS_BEFORE - 1) * interval + checkpoint.duration_seconds
    )
    place = {
        End.OPTIMISTIC: _MARGIN_SECONDS,
        End.LIKELY: interval / 2,
        End.PESSIMISTIC: interval - _MARGIN_SECONDS,
    }
    return completed + place[end]


def _settle_seconds(network: Network) -> float:
    """Long enough that what arrives at the end of the drain is seen at the sink."""
    event_time = network.event_time
    if network.runs is not None:
        return network.runs.horizon_seconds
    tail = event_time.window_seconds + event_time.watermark_lag_seconds
    if network.checkpoint:
        tail += 3 * (network.checkpoint.effective_interval_seconds + network.checkpoint.duration_seconds)
    return max(600.0, 2 * tail)


def _heated(network: Network, hottest_key: float) -> Network:
    """The same network with a hottest key of at least that share, in the log and at keyed stages."""
    if hottest_key <= 0:
        return network
    source = replace(network.source, hottest_key=max(network.source.hottest_key, hottest_key))
    stages = tuple(
        replace(stage, hottest_key=max(stage.hottest_key, hottest_key))
        if stage.exchange is Exchange.KEYED
        else stage
        for stage in network.stages
    )
    return replace(network, source=source, stages=stages)
