"""Figures, promises and values as a runbook or a report says them: with unit, interval and origin.

12 min (11 min to 14 min)        from  $.outages[0].drain_target (plan.yaml:84:60)
"""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

from pipelineplan.bundle.checklist import Said
from pipelineplan.documents import Path, dotted
from pipelineplan.plan import Plan
from pipelineplan.plan.section import Section
from pipelineplan.quantities import Dimension, Quantity, say

if TYPE_CHECKING:
    from pipelineplan.simulation.result import Figure, SimulationResult

_DIMENSIONS = {
    "s": Dimension.DURATION,
    "records/s": Dimension.RATE,
    "share": Dimension.SHARE,
    "B": Dimension.SIZE,
    "bytes": Dimension.SIZE,
}


def say_number(value: float, unit: str) -> str:
    """A value of a figure with its unit: 3046 of "s" is "51 min"."""
    if math.isnan(value):
        return "unknown"
    dimension = _DIMENSIONS.get(unit)
    if dimension is not None:
        return say(value, dimension)
    if not math.isfinite(value):
        return "without bound"
    if unit.isupper():  # money
        return f"{value:,.2f} {unit}"
    number = f"{value / 1e6:,.4g} M" if abs(value) >= 1e6 else f"{value:,.0f}"
    return f"{number} {unit}".rstrip()


def say_figure(figure: Figure) -> str:
    """A figure with its unit and, where it has one, its interval."""
    text, low, high = (say_number(value, figure.unit) for value in (figure.value, figure.low, figure.high))
    return text if low == high else f"{text} ({low} to {high})"


def say_margin(margin: float) -> str:
    """How much of a promise is used: above 100 % it is broken."""
    if math.isnan(margin):
        return "–"
    return f"{margin:.0%}" if margin < 10 else "beyond ten times"


def say_name(name: str) -> str:
    """`peak_lag_records` as "peak lag": the unit stands with the number.

    Freshness as a figure is measured from the window's end (from the record where there is no window);
    a promise says itself what it is measured from.
    """
    if name.startswith("freshness_p"):
        return f"{name.removesuffix('_seconds').replace('_', ' ')} since window"
    name = name.replace("seconds_to_", "time_to_")
    for ending in ("_seconds", "_records", "_per_second", "_share"):
        name = name.removesuffix(ending)
    return name.replace("_", " ")


def say_value(value: object) -> str:
    """A value of the plan as it was written; lists joined by commas."""
    if isinstance(value, Quantity):
        return value.text
    if isinstance(value, Section):
        return _say_section(value)
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, dict):
        return ", ".join(f"{key} {say_value(entry)}" for key, entry in value.items())
    if isinstance(value, tuple):
        apart = "; " if any(isinstance(entry, Section) for entry in value) else ", "
        return apart.join(say_value(entry) for entry in value)
    return f"{value:,}" if isinstance(value, int) else str(value)


def _say_section(section: Section) -> str:
    """What is stated in a section, field by field; one field alone without its name."""
    given = [(n, getattr(section, n)) for n in type(section).model_fields if n in section.model_fields_set]
    said = [
        (name.replace("_", " "), say_value(value)) for name, value in given if value not in (None, (), {})
    ]
    if len(said) == 1:
        return said[0][1]
    return ", ".join(text if name in {"id", "kind", "quantiles"} else f"{name} {text}" for name, text in said)


def place(plan: Plan, path: Path) -> str:
    """`$.path (file:line:column)` of a value of the plan."""
    return f"{dotted(path)} ({plan.position(path)})"


def stated(plan: Plan, section: Section | None, name: str, else_path: str, words: str = "{}") -> Said:
    """The value of a field with its place; an open point that names `else_path` when it is not stated."""
    value = getattr(section, name, None) if section is not None else None
    if section is None or value is None or value == ():
        return not_stated(else_path)
    alias = type(section).model_fields[name].alias or name
    return Said(words.format(say_value(value)), place(plan, plan.path(section, alias)))


def not_stated(path: str) -> Said:
    """An open point: what would have to be stated, and where."""
    return Said(f"state {path}", "", is_open=True)


def worst(simulated: SimulationResult | None, name: str) -> tuple[str, Figure] | None:
    """The scenario in which the figure `name` is greatest, the upper end of its interval counting.

    A replay does not count: nobody waits on the day of a switch until old records have been run again.
    """
    if simulated is None:
        return None
    found = [
        (each.name, each.figures[name])
        for each in simulated.scenarios
        if name in each.figures and each.name != "replay"
    ]
    known = [(scenario, figure) for scenario, figure in found if not math.isnan(figure.high)]
    return max(known, key=lambda pair: pair[1].high, default=None)


def simulated_as(simulated: SimulationResult | None, name: str, words: str) -> Said | None:
    """The worst value of a simulated figure as something to measure against, with its scenario."""
    found = worst(simulated, name)
    if found is None:
        return None
    scenario, figure = found
    return Said(
        words.format(say_number(figure.high, figure.unit)),
        f"scenario {scenario}, figure {name}",
    )
