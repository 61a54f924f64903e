r"""The fluid beside single records: how far apart lag, drain and what acts counted are.

T1  lag  /\___      the same network and scenario, computed twice; of several seeds the mean counts,
T0  lag  /\__.      since a drain in a random world has a spread of its own
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass, replace

import numpy as np

from pipelineplan.quantities import Dimension
from pipelineplan.simulation.acts.happenings import HAPPENINGS
from pipelineplan.simulation.acts.library import Recipe
from pipelineplan.simulation.control import Run, run_scenario
from pipelineplan.simulation.figures.curves import Curves
from pipelineplan.simulation.figures.state_figures import states_of
from pipelineplan.simulation.flow.journal import value_at
from pipelineplan.simulation.network import Network
from pipelineplan.simulation.reading.facts import Facts
from pipelineplan.simulation.records.per_record import PerRecordRun, run_per_record
from pipelineplan.simulation.records.record_flow import Service
from pipelineplan.simulation.scenario import Scenario
from pipelineplan.simulation.sharing import Floats


@dataclass(frozen=True)
class SideBySide:
    """Both runs, and their distance: `lag_error` as a share of the fluid's peak (root mean square).

    `state_errors` are the same of the bytes that each stage remembers, by its name.

    `drains` and `replays` pair what the fluid says with the mean of the others, by outage; `seen`
    pairs what acts noted, added up by name.
    """

    run: Run
    records: tuple[PerRecordRun, ...]
    peak_lag: float
    lag_error: float
    drains: tuple[tuple[float, float], ...]
    replays: tuple[tuple[float, float], ...]
    seen: Mapping[str, tuple[float, float]]
    state_errors: Mapping[str, float]


def side_by_side(
    network: Network, scenario: Scenario, *, service: Service = "deterministic", seeds: tuple[int, ...] = (1,)
) -> SideBySide:
    """Run `scenario` as a fluid, and once for each seed record by record, up to the same end."""
    run = run_scenario(network, scenario)
    records = tuple(
        run_per_record(network, scenario, run.fluid.now, service=service, seed=seed) for seed in seeds
    )
    lag = Curves(run).lag
    fluid = value_at(lag.time, lag.records, records[0].time)
    peak = float(fluid.max())
    restores = [phase.replayed_records for phase in run.phases if phase.of in {"job", "worker"}]
    return SideBySide(
        run,
        records,
        peak,
        _apart(fluid, [each.lag for each in records]),
        _pairs([phase.drain_seconds for phase in run.phases], [each.drains for each in records]),
        _pairs([*restores, *(back for _, back in run.restarts)], [each.replayed for each in records]),
        {name: (sum(values), _mean_seen(records, name)) for name, values in run.seen.items()},
        {
            name: _apart(each.bytes_at(records[0].time), [one.state_bytes[name] for one in records])
            for name, each in states_of(run).items()
        },
    )


def _apart(fluid: Floats, records: list[Floats]) -> float:
    """The distance of a curve to the mean of others, root mean square, as a share of its own peak."""
    # The run of single records ends right before its last look.
    apart = (fluid - np.mean(records, axis=0))[:-1]
    return math.sqrt(float(np.mean(apart**2))) / max(float(fluid.max()), 1.0)


def _pairs(fluid: list[float], records: list[list[float]]) -> tuple[tuple[float, float], ...]:
    return tuple(
        (value, float(np.mean([each[number] for each in records if number < len(each)] or [math.nan])))
        for number, value in enumerate(fluid)
    )


def _mean_seen(records: tuple[PerRecordRun, ...], name: str) -> float:
    return float(np.mean([sum(each.seen.get(name, ())) for each in records]))


def shortened(recipe: Recipe, factor: float) -> Recipe:
    """The same with every duration of its happenings times `factor`: single records cannot last for days."""
    happenings = tuple(
        (name, tuple((key, _shorter(name, key, value, factor)) for key, value in values))
        for name, values in recipe.happenings
    )
    return replace(recipe, happenings=happenings)


def _shorter(name: str, key: str, value: float, factor: float) -> float:
    return value * factor if HAPPENINGS[name].fields[key] is Dimension.DURATION else value


def _is_duration(name: str) -> bool:
    return name.endswith("_seconds") and name != "retry_waits_seconds"


def shortened_facts(facts: Facts, factor: float) -> Facts:
    """The same with every duration times `factor`."""
    seconds = [name for name in Facts.__dataclass_fields__ if _is_duration(name)]
    known = {name: getattr(facts, name) for name in seconds}
    return replace(facts, **{name: value * factor for name, value in known.items() if value is not None})
