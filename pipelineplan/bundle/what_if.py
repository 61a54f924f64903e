"""The what-if grid of a bundle, and the sentences that every page says of it."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from pipelineplan.bundle.contents import Contents
    from pipelineplan.simulation.questions.what_if import WhatIf

KEPT = (
    "Everything else stays as the plan says it, at its likely values: intervals, chance, rules and data "
    "are not judged again in a cell, so a value that looks good here is checked by putting it into the plan."
)
NO_GRID = (
    "Nothing is promised that could be simulated, or fewer than two numbers of the plan move the worst "
    "promise by a thousandth of it when they change by a tenth."
)


def grid_of(contents: Contents) -> WhatIf | None:
    """The grid over the two numbers that move the worst promise most; worked out once for each plan."""
    from pipelineplan.simulation.questions.what_if import what_if

    return what_if(contents.plan) if contents.simulated is not None else None


def chosen_of(grid: WhatIf) -> str:
    """Which two numbers these are, and out of how many."""
    return (
        f"Of {grid.candidates} numbers that can be turned, each moved by a tenth alone (whole ones by one at "
        f"least), {grid.across.path} and {grid.down.path} move the worst promise most."
    )
