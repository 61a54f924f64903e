"""What may happen to pipelines that run by schedule."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

from pipelineplan.quantities import Dimension
from pipelineplan.simulation.network import NotSimulated
from pipelineplan.simulation.setting import NUMBER, Happening, Setting, Values


def _with_runs(setting: Setting, **changed: float | tuple[float, ...]) -> Setting:
    """The same with other runs; raises `NotSimulated` where the plan has no schedule."""
    runs = setting.network.runs
    if runs is None or not runs.starts:
        raise NotSimulated("the plan does not run by schedule: this needs `ingestion.schedule.cron`")
    own = replace(runs, **changed)  # type: ignore[arg-type]
    length = max(own.horizon_seconds, setting.scenario.horizon_seconds)
    scenario = replace(setting.scenario, horizon_seconds=length, settle_seconds=length)
    return replace(setting, network=replace(setting.network, runs=own), scenario=scenario)


def _late_upstream(values: Values, setting: Setting) -> Setting:
    """The third run finds its file that much later; those behind it wait."""
    return _with_runs(setting, late_run=2, late_seconds=values["late"])


def _run_overrun(values: Values, setting: Setting) -> Setting:
    """Every run takes that many times the gap between two."""
    changed = _with_runs(setting)
    runs = changed.network.runs
    gap = runs.starts[1] - runs.starts[0] if runs is not None else 0.0
    return _with_runs(setting, least_seconds=values["of_the_gap"] * gap)


def _catch_up_flood(values: Values, setting: Setting) -> Setting:
    """The pipeline is switched on when so many of its runs have been due already."""
    from pipelineplan.simulation.schedule import starts_of

    changed = _with_runs(setting)
    starts, horizon = starts_of(setting.facts.cron, setting.facts.zone, int(values["runs"]) + 8)
    held = starts[int(values["runs"]) - 1] + 1.0
    return _with_runs(changed, starts=starts, horizon_seconds=horizon, held_until_seconds=held)


def _clock_change(_: Values, setting: Setting) -> Setting:
    """From two days before the clocks go forward to two days after they go back."""
    from pipelineplan.simulation.schedule import over_clock_changes

    changed = _with_runs(setting)
    starts, horizon = over_clock_changes(setting.facts.cron, setting.facts.zone)
    return _with_runs(changed, starts=starts, horizon_seconds=horizon)


RUN_HAPPENINGS: Mapping[str, Happening] = {
    "late_upstream": Happening({"late": Dimension.DURATION}, _late_upstream, {}),
    "run_overrun": Happening({"of_the_gap": NUMBER}, _run_overrun, {}),
    "catch_up_flood": Happening({"runs": NUMBER}, _catch_up_flood, {}),
    "clock_change": Happening({}, _clock_change, {}),
}
