"""Other tools' formats, written from a plan: every value with the place that says it, nothing invented.

export(plan, "strimzi")     Export(files, dropped)     what is left out is listed with the reason

Adding a format is a module with `TITLE`, `ASKS` and `export(plan, settings)`, and one line in `EXPORTS`.
"""

from __future__ import annotations

from collections.abc import Mapping
from difflib import get_close_matches
from importlib import import_module
from types import ModuleType
from typing import TYPE_CHECKING

from pipelineplan.errors import InputError, Position, Problem
from pipelineplan.exchange.exported import Dropped, Export, File
from pipelineplan.exchange.settings import read_settings
from pipelineplan.exchange.traced import Place, Traced
from pipelineplan.plan import Plan

if TYPE_CHECKING:
    from pipelineplan.simulation.result import SimulationResult

# The format's name, and its module; imported when it is asked for.
EXPORTS: Mapping[str, str] = {
    "strimzi": "strimzi",
    "flink": "flink",
    "prometheus": "prometheus",
    "openslo": "openslo",
    "odcs": "odcs",
    "dbt": "dbt_sources",
    "focus": "focus",
    "openlineage": "openlineage",
    "airflow": "airflow",
}
# Formats that take thresholds from a simulation of the plan.
SIMULATED = frozenset({"prometheus"})


def export(
    plan: Plan,
    name: str,
    settings: Mapping[str, str] | None = None,
    simulated: SimulationResult | None = None,
) -> Export:
    """The plan in the format `name`; `settings` are what that format asks for and no plan says.

    `simulated` is what thresholds that only a simulation gives are taken from.

    Raises `InputError` for an unknown format or setting, and for a plan that has nothing of the format.
    """
    module = format_of(name)
    asked = read_settings(settings or {}, module.ASKS, name, simulated)
    made: Export | None = module.export(plan, asked)
    if made is None:
        message = f"states nothing that {name} has a place for: {module.TITLE}"
        raise InputError([Problem(message, Position(plan.file))])
    return made


def format_of(name: str) -> ModuleType:
    """The module that writes the format `name`; raises `InputError` when there is none."""
    if name not in EXPORTS:
        close = get_close_matches(name, list(EXPORTS), n=1)
        hint = f" (did you mean {close[0]!r}?)" if close else ""
        raise InputError(
            [Problem(f"no format {name!r}{hint}, wanted one of {', '.join(EXPORTS)}", Position("FORMAT"))]
        )
    return import_module(f"{__name__}.{EXPORTS[name]}")


__all__ = ["EXPORTS", "SIMULATED", "Dropped", "Export", "File", "Place", "Traced", "export", "format_of"]
