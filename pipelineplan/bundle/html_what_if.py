"""The what-if explorer of the report: two numbers to choose, and what the simulation says of that plan.

    checkpoint interval  ( ) 30 s  ( ) 45 s  (o) 60 s  ( ) 90 s        chosen        the plan
    window               ( ) 30 s  (o) 1 min ( ) 2 min                 holds, 67 %   holds, 56 %

No script: every cell of the grid stands in the page, and the style sheet shows the one whose two choices are
made (`:has(:checked)`). On paper, and where the browser cannot do that, the table alone is shown.
"""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

from pipelineplan.bundle.escaping import html
from pipelineplan.bundle.html_parts import mark
from pipelineplan.bundle.saying import say_margin, say_number
from pipelineplan.bundle.what_if import KEPT, NO_GRID, chosen_of, grid_of

if TYPE_CHECKING:
    from pipelineplan.bundle.contents import Contents
    from pipelineplan.simulation.questions.what_if import Outcome, Side, WhatIf


def what_if_part(contents: Contents) -> str:
    """The explorer, or why there is none."""
    if contents.simulated is None:
        return "<p>Nothing was simulated, so nothing can be varied.</p>"
    grid = grid_of(contents)
    if grid is None:
        ask = "<code>pipelineplan simulate PLAN --sensitivity FIGURE</code> shows what moves a figure."
        return f"<p>{NO_GRID} {ask}</p>"
    turn = f"{_choices('across', grid.across)}{_choices('down', grid.down)}"
    return (
        f"<p>{html(chosen_of(grid))} {KEPT}</p>"
        f'<div class="what-if"><div class="turn">{turn}</div>'
        f'<div class="cells">{_cells(grid)}</div>{_table(grid)}</div>'
    )


def _choices(name: str, side: Side) -> str:
    """The values of one number, as buttons of which one is pressed: arrow keys move between them."""
    options = "".join(
        f'<label><input type="radio" name="what-if-{name}" class="{name}-{place}"'
        f"{' checked' if place == side.own else ''}><span>{html(value)}"
        f"{' <small>the plan</small>' if place == side.own else ''}</span></label>"
        for place, value in enumerate(side.values)
    )
    return f"<fieldset><legend><code>{html(side.path)}</code></legend>{options}</fieldset>"


def _cells(grid: WhatIf) -> str:
    return "".join(
        f'<div class="cell c{column} r{row}">{_beside(cell, grid, column, row)}</div>'
        for row, line in enumerate(grid.cells)
        for column, cell in enumerate(line)
    )


def _beside(cell: Outcome, grid: WhatIf, column: int, row: int) -> str:
    """The figures of one cell beside those of the plan as it is."""
    own = (column, row) == (grid.across.own, grid.down.own)
    chosen = f"{grid.across.values[column]}, {grid.down.values[row]}"
    head = f'<th scope="col">{html(chosen)}</th>' + ("" if own else '<th scope="col">the plan</th>')
    rows = "".join(
        f'<tr><th scope="row">{name}</th><td>{one}</td>{"" if own else f"<td>{other}</td>"}</tr>'
        for (name, one), (_, other) in zip(_figures(cell), _figures(grid.own), strict=True)
    )
    caption = "The plan as it is" if own else "With these two numbers, beside the plan as it is"
    head = f"<thead><tr><td></td>{head}</tr></thead>"
    return f"<table><caption>{caption}</caption>{head}<tbody>{rows}</tbody></table>"


def _figures(cell: Outcome) -> tuple[tuple[str, str], ...]:
    worst = f"{say_margin(cell.margin)} of it, scenario {html(cell.worst)}" if cell.worst else html(cell.why)
    return (
        ("the promises", mark(cell.verdict.value)),
        ("the worst promise takes", worst),
        ("longest drain after an outage", _seconds(cell.drain_seconds)),
        ("oldest unread record", _seconds(cell.oldest_unread_seconds)),
        ("freshness as first promised", _seconds(cell.freshness_seconds)),
    )


def _table(grid: WhatIf) -> str:
    """The whole grid: verdict and worst promise of every cell, the plan's own marked."""
    caption = f"The worst promise, as a share of it: {grid.across.path} across, {grid.down.path} down"
    head = "".join(f'<th scope="col" class="c{n}">{html(v)}</th>' for n, v in enumerate(grid.across.values))
    rows = "".join(
        f'<tr><th scope="row" class="r{row}">{html(grid.down.values[row])}</th>'
        + "".join(
            f'<td class="c{column} r{row}">{mark(cell.verdict.value)} {say_margin(cell.margin)}'
            f"{' <small>the plan</small>' if (column, row) == (grid.across.own, grid.down.own) else ''}</td>"
            for column, cell in enumerate(line)
        )
        + "</tr>"
        for row, line in enumerate(grid.cells)
    )
    return (
        f'<div class="scroll" tabindex="0" role="region" aria-label="{html(caption)}"><table class="grid">'
        f"<caption>{html(caption)}</caption><thead><tr><td></td>{head}</tr></thead><tbody>{rows}</tbody></table></div>"
    )


def _seconds(value: float) -> str:
    if math.isnan(value):
        return "–"
    return html("never" if math.isinf(value) else say_number(value, "s"))
