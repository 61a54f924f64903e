"""What a plan will do under load, outage and replay: lag, drain, loss, freshness, and verdicts.

Importing this room loads neither numpy nor simpy: they come with the first simulation.
"""

from __future__ import annotations

from pipelineplan.simulation.comparing import Difference, compare
from pipelineplan.simulation.from_plan import pipelines_of, simulate
from pipelineplan.simulation.library import LAWS, Recipe, read_library, read_recipe, recipes_named
from pipelineplan.simulation.network import NotSimulated
from pipelineplan.simulation.result import Figure, ScenarioResult, SimulationResult, SloVerdict
from pipelineplan.simulation.writing import write_csv, write_parquet

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
