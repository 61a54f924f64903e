"""What a plan will do under load, outage and replay: lag, drain, loss, freshness, and verdicts.

    reading     a plan's chains and stages, as networks in base units
    acts        what may happen, and the library of it
    flow        the fluid (T1), numpy and numba
    records     the same record by record (T0, T2)
    chance      replications, and a scan for many of them (T3)
    figures     what is read off a run
    questions   solve, sensitivity, calibration

What all of them share lies here: the network, the scenario, the run and its result. Importing this room
loads neither numpy nor simpy: they come with the first simulation.
"""

from __future__ import annotations

from pipelineplan.simulation.acts.library import LAWS, Recipe, read_library, read_recipe, recipes_named
from pipelineplan.simulation.chance.comparing import Difference, compare
from pipelineplan.simulation.figures.writing import write_csv, write_parquet
from pipelineplan.simulation.from_plan import pipelines_of, simulate
from pipelineplan.simulation.network import NotSimulated
from pipelineplan.simulation.result import Figure, ScenarioResult, SimulationResult, SloVerdict

__all__ = [
    "LAWS",
    "Difference",
    "Figure",
    "NotSimulated",
    "Recipe",
    "ScenarioResult",
    "SimulationResult",
    "SloVerdict",
    "compare",
    "pipelines_of",
    "read_library",
    "read_recipe",
    "recipes_named",
    "simulate",
    "write_csv",
    "write_parquet",
]
