"""Curves of a scenario as SVG that fits both themes: lag, age and watermark delay, throughput over time.

Altair and vl-convert draw it, offline. The colours that they draw are stand-ins which no chart uses,
replaced by the page's CSS variables: one drawing is right in light and in dark.
"""

from __future__ import annotations

import math
import re
from collections.abc import Mapping
from dataclasses import dataclass
from importlib.util import find_spec
from typing import TYPE_CHECKING, Any

from pipelineplan.errors import MissingExtraError

if TYPE_CHECKING:
    from pipelineplan.simulation.result import ScenarioResult

# Stand-in colours and the CSS variables that take their place; alone, a drawing has the light theme's.
_STAND_INS = {
    "#010a01": "var(--ink, #1d2226)",
    "#010a02": "var(--muted, #5d666e)",
    "#010a03": "var(--line, #e3e0da)",
    "#010a04": "var(--curve-1, #1f5f8b)",
    "#010a05": "var(--curve-2, #b4690e)",
    "#010a06": "var(--fail, #b3261e)",
}
_MOST_POINTS = 300
_WIDTH, _HEIGHT = 560, 150


@dataclass(frozen=True)
class Panel:
    """One set of axes: which series it draws, named how, in which unit."""

    title: str
    series: tuple[tuple[str, str], ...]
    unit: str = ""


PANELS = (
    Panel("Consumer lag, records", (("lag_records", "lag"),)),
    Panel(
        "Age of the oldest unread record and watermark delay",
        (
            ("watermark_delay_seconds", "watermark delay"),
            ("oldest_unread_seconds", "oldest unread"),
        ),
        "s",
    ),
    Panel("Records per second", (("arrival_rate_per_second", "arriving"),), "/s"),
)


def can_plot() -> bool:
    """Whether the extra `report` is installed."""
    return all(find_spec(name) is not None for name in ("altair", "vl_convert"))


def as_plots(
    scenario: ScenarioResult, targets: Mapping[str, float] | None = None
) -> tuple[tuple[str, str], ...]:
    """Pairs of title and inline SVG, one for each panel that the scenario has series for.

    `targets` gives a promised number of seconds by name, drawn as a line over the delays.
    Raises `MissingExtraError` without the extra `report`.
    """
    if not can_plot():
        raise MissingExtraError("a plot in report.html", "report")
    time = scenario.series.get("time_seconds", ())
    drawn = []
    for panel in PANELS:
        known = [(name, words) for name, words in panel.series if name in scenario.series]
        if known and len(time) > 1:
            chart = _chart(panel, known, scenario.series, targets if panel.unit == "s" else None)
            drawn.append((panel.title, svg_of(chart)))
    return tuple(drawn)


def _chart(
    panel: Panel,
    known: list[tuple[str, str]],
    series: Mapping[str, tuple[float, ...]],
    targets: Mapping[str, float] | None,
) -> dict[str, Any]:
    """A Vega-Lite specification, built by Altair."""
    import altair as alt

    per_unit, per = _axis_time(series["time_seconds"][-1])
    greatest = max(value for name, _ in known for value in series[name] if math.isfinite(value))
    scale, shown = _axis_value(greatest, panel.unit)
    rows = [
        {
            "t": round(series["time_seconds"][index] / per_unit, 6),
            "v": round(series[name][index] / scale, 6),
            "what": words,
        }
        for name, words in known
        for index in _kept(series["time_seconds"], series[name])
    ]
    base = alt.Chart(alt.InlineData(values=rows)).mark_line(strokeWidth=1.8, interpolate="linear")
    chart = base.encode(**_channels(alt, [words for _, words in known], f"{per} since the start", shown))
    wanted = [{"v": seconds / scale, "what": words} for words, seconds in (targets or {}).items()]
    if wanted and max(seconds for seconds in (targets or {}).values()) < 5 * greatest:
        chart = chart + _target_line(alt, wanted)
    built: dict[str, Any] = chart.properties(width=_WIDTH, height=_HEIGHT).configure(**theme()).to_dict()
    return built


def _channels(alt: Any, names: list[str], x_title: str, y_title: str) -> dict[str, Any]:
    """Two curves differ in colour and in dashes, since colour is never the only sign."""
    legend = alt.Legend(title=None, orient="top", columnPadding=28) if len(names) > 1 else None
    colours = alt.Scale(domain=names, range=["#010a04", "#010a05"][: len(names)])
    dashes = alt.Scale(domain=names, range=[[1, 0], [5, 3]][: len(names)])
    return {
        "x": alt.X("t:Q", title=x_title, scale=alt.Scale(nice=False)),
        "y": alt.Y("v:Q", title=y_title, axis=alt.Axis(tickCount=4)),
        "color": alt.Color("what:N", scale=colours, legend=legend),
        "strokeDash": alt.StrokeDash("what:N", scale=dashes, legend=legend),
    }


def _target_line(alt: Any, wanted: list[dict[str, Any]]) -> Any:
    rule = alt.Chart(alt.InlineData(values=wanted)).mark_rule(color="#010a06", strokeDash=[2, 3])
    words = alt.Chart(alt.InlineData(values=wanted)).mark_text(
        color="#010a06", align="left", x=4, dy=-6, fontSize=12
    )
    return rule.encode(y="v:Q") + words.encode(y="v:Q", text="what:N")


def theme() -> dict[str, Any]:
    """The look of every chart, in stand-in colours."""
    axis = {
        "labelColor": "#010a02",
        "titleColor": "#010a02",
        "titleFontWeight": "normal",
        "gridColor": "#010a03",
        "domainColor": "#010a03",
        "tickColor": "#010a03",
        "labelFontSize": 12,
        "titleFontSize": 12,
    }
    return {
        "background": "transparent",
        "font": "sans-serif",
        "axis": axis,
        "view": {"stroke": "transparent"},
        "legend": {
            "labelColor": "#010a01",
            "labelFontSize": 11,
            "symbolStrokeWidth": 2,
        },
    }


def svg_of(specification: dict[str, Any]) -> str:
    """A Vega-Lite specification drawn as inline SVG, in the variables of the page's style."""
    import vl_convert

    drawn: str = vl_convert.vegalite_to_svg(specification)
    for colour, variable in _STAND_INS.items():
        drawn = drawn.replace(colour, variable)
    drawn = re.sub(r' font-family="[^"]*"', "", drawn)
    return re.sub(r"<svg ", '<svg class="plot" aria-hidden="true" ', drawn, count=1)


def _kept(time: tuple[float, ...], values: tuple[float, ...]) -> list[int]:
    """A few hundred points: of each stretch its first, lowest and highest, so that no peak is lost."""
    count = min(len(time), len(values))
    step = max(1, math.ceil(count / (_MOST_POINTS / 3)))
    kept = {0, count - 1}
    for start in range(0, count, step):
        stretch = [index for index in range(start, min(start + step, count)) if math.isfinite(values[index])]
        if stretch:
            kept |= {
                stretch[0],
                min(stretch, key=values.__getitem__),
                max(stretch, key=values.__getitem__),
            }
    return sorted(index for index in kept if math.isfinite(values[index]))


def _axis_time(seconds: float) -> tuple[float, str]:
    if seconds > 4 * 86_400:
        return 86_400.0, "days"
    return (3600.0, "hours") if seconds > 5400 else (60.0, "minutes")


def _axis_value(greatest: float, unit: str) -> tuple[float, str]:
    """The scale of an axis and its title: seconds as minutes or hours, counts in thousands or millions."""
    words = {"s": "seconds", "": "records", "/s": "records/s"}[unit]
    steps: tuple[tuple[float, float, str], ...]
    if unit == "s":
        steps = ((7200.0, 3600.0, "hours"), (180.0, 60.0, "minutes"))
    else:
        steps = (
            (2e9, 1e9, f"billion {words}"),
            (2e6, 1e6, f"million {words}"),
            (2e3, 1e3, f"thousand {words}"),
        )
    for least, scale, title in steps:
        if greatest >= least:
            return scale, title
    return 1.0, words
