"""Curves of a scenario as SVG that fits both themes: lag, delays, throughput, buffers, checkpoints, state.

Where there are replications, the band between the 5th and the 95th percentile lies behind the curve.
Altair and vl-convert draw it, offline. The colours that they draw are stand-ins which no chart uses,
replaced by the page's CSS variables: one drawing is right in light and in dark.
"""

from __future__ import annotations

import math
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING, Any

from pipelineplan.errors import MissingExtraError

if TYPE_CHECKING:
    from pipelineplan.simulation.result import ScenarioResult, SimulationResult

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
    """One set of axes: which series it draws, named how, in which unit, and which of them as a band."""

    title: str
    series: tuple[tuple[str, str], ...]
    unit: str = ""
    banded: str = ""


PANELS = (
    Panel("Consumer lag, records", (("lag_records", "lag"),), banded="lag_records"),
    Panel(
        "Age of the oldest unread record and watermark delay",
        (
            ("watermark_delay_seconds", "watermark delay"),
            ("oldest_unread_seconds", "oldest unread"),
        ),
        "s",
        "watermark_delay_seconds",
    ),
    Panel(
        "Records per second",
        (("read_rate_per_second", "read"), ("arrival_rate_per_second", "arriving")),
        "/s",
        "read_rate_per_second",
    ),
    Panel("Records that wait between stages", (("buffered_records", "waiting"),), banded="buffered_records"),
    Panel(
        "Duration of the last completed checkpoint",
        (("checkpoint_seconds", "checkpoint"),),
        "s",
        "checkpoint_seconds",
    ),
    Panel("State of all stages", (("state_bytes", "state"),), "B", "state_bytes"),
)
# What most plans do not have is drawn only where there is something of it.
_WHERE_ANY = ("buffered_records", "checkpoint_seconds", "state_bytes")
Columns = tuple[tuple[str, tuple[float, ...]], ...]


def can_plot() -> bool:
    """Whether the extra `report` is installed."""
    return all(find_spec(name) is not None for name in ("altair", "vl_convert"))


def targets_of(scenario: ScenarioResult) -> dict[str, float]:
    """The promised seconds that are drawn as lines over the delays, by name."""
    return {
        f"{slo.subject} {slo.objective}": slo.target_seconds
        for slo in scenario.slo_verdicts
        if "freshness" in slo.objective
    }


def as_plots(scenario: ScenarioResult) -> tuple[tuple[str, str], ...]:
    """Pairs of title and inline SVG, one for each panel that the scenario has series for.

    What is promised of freshness is a line over the delays. The same curves are drawn once, however
    often they are asked for. Raises `MissingExtraError` without the extra `report`.
    """
    if not can_plot():
        raise MissingExtraError("a plot in report.html", "report")
    bands = scenario.replications.bands if scenario.replications is not None else {}
    return _drawn(tuple(scenario.series.items()), tuple(bands.items()), tuple(targets_of(scenario).items()))


@lru_cache(maxsize=64)
def _drawn(
    series: Columns, bands: Columns, targets: tuple[tuple[str, float], ...]
) -> tuple[tuple[str, str], ...]:
    from altair.utils.schemapi import debug_mode

    with debug_mode(arg=False):  # our own charts are valid, which a test sees to; to check each costs a fifth
        return tuple(_panels(dict(series), dict(bands), dict(targets)))


def _panels(
    columns: Mapping[str, tuple[float, ...]],
    banded: Mapping[str, tuple[float, ...]],
    targets: Mapping[str, float],
) -> Iterator[tuple[str, str]]:
    for panel in PANELS:
        known = [(name, words) for name, words in panel.series if name in columns]
        empty = known and known[0][0] in _WHERE_ANY and not any(columns[known[0][0]])
        if known and not empty and len(columns.get("time_seconds", ())) > 1:
            chart = _chart(panel, known, columns, banded, targets if panel.unit == "s" else None)
            yield panel.title, svg_of(chart)


def as_comparison(
    named: Sequence[tuple[str, ScenarioResult]],
) -> tuple[tuple[str, str], ...]:
    """Pairs of title and SVG: each panel of the same scenario in several plans, side by side.

    All have the same axes, so that heights compare. Raises `MissingExtraError` without the extra `report`.
    """
    if not can_plot():
        raise MissingExtraError("a plot of a comparison", "report")
    drawn = []
    for panel in PANELS:
        name, words = panel.series[0]
        shown = [(plan, each.series) for plan, each in named if any(each.series.get(name, ()))]
        if shown and len(named) > 1:
            every = [(plan, each.series) for plan, each in named if name in each.series]
            drawn.append((panel.title, svg_of(_side_by_side(panel, (name, words), every))))
    return tuple(drawn)


def write_plots(results: Mapping[str, SimulationResult], folder: Path) -> tuple[Path, ...]:
    """Write the curves as SVG into `folder`: of one plan each scenario, of several those that all have.

    Returns the paths. Raises `MissingExtraError` without the extra `report`.
    """
    (_, first), *others = results.items()
    written = []
    for scenario in first.scenarios:
        same = [
            (plan, each)
            for plan, result in results.items()
            for each in result.scenarios
            if each.name == scenario.name
        ]
        drawn = as_comparison(same) if others else as_plots(scenario)
        for title, svg in drawn:
            file = folder / f"{plot_name(scenario, title)}.svg"
            file.write_bytes(svg.encode())
            written.append(file)
    return tuple(written)


def plot_name(scenario: ScenarioResult, title: str) -> str:
    """A file name for a drawing: pipeline, scenario and panel, in letters and digits."""
    parts = (scenario.pipeline, scenario.name, title)
    return "-".join(re.sub(r"[^a-z0-9]+", "-", part.lower()).strip("-")[:60] for part in parts)


def _side_by_side(
    panel: Panel, drawn: tuple[str, str], plans: Sequence[tuple[str, Mapping[str, tuple[float, ...]]]]
) -> dict[str, Any]:
    import altair as alt

    name, words = drawn
    per_unit, per = _axis_time(max(series["time_seconds"][-1] for _, series in plans))
    greatest = max(value for _, series in plans for value in series[name] if math.isfinite(value))
    scale, shown = _axis_value(greatest, panel.unit)
    rows = [
        {**row, "plan": plan}
        for plan, series in plans
        for row in _rows([(name, words)], series, per_unit, scale)
    ]
    line = alt.Chart(alt.InlineData(values=rows)).mark_line(strokeWidth=1.8, color="#010a04")
    encoded = line.encode(
        x=alt.X("t:Q", title=f"{per} since the start", scale=alt.Scale(nice=False)),
        y=alt.Y("v:Q", title=shown, axis=alt.Axis(tickCount=4)),
    ).properties(width=_WIDTH / 2, height=_HEIGHT)
    header = alt.Header(title=None, labelColor="#010a01", labelFontSize=12)
    order = [plan for plan, _ in plans]
    side = encoded.facet(column=alt.Column("plan:N", header=header, sort=order))
    built: dict[str, Any] = side.configure(**theme()).to_dict()
    return built


def _rows(
    known: list[tuple[str, str]], series: Mapping[str, tuple[float, ...]], per_unit: float, scale: float
) -> list[dict[str, Any]]:
    """What Vega-Lite draws: time, value, and of which curve."""
    return [
        {
            "t": round(series["time_seconds"][index] / per_unit, 6),
            "v": round(series[name][index] / scale, 6),
            "what": words,
        }
        for name, words in known
        for index in _kept(series["time_seconds"], series[name])
    ]


def _chart(
    panel: Panel,
    known: list[tuple[str, str]],
    series: Mapping[str, tuple[float, ...]],
    bands: Mapping[str, tuple[float, ...]],
    targets: Mapping[str, float] | None,
) -> dict[str, Any]:
    """A Vega-Lite specification, built by Altair."""
    import altair as alt

    per_unit, per = _axis_time(series["time_seconds"][-1])
    tops = [series[name] for name, _ in known] + [bands.get(f"{panel.banded}_p95", ())]
    greatest = max(value for column in tops for value in column if math.isfinite(value))
    scale, shown = _axis_value(greatest, panel.unit)
    base = alt.Chart(alt.InlineData(values=_rows(known, series, per_unit, scale)))
    line = base.mark_line(strokeWidth=1.8, interpolate="linear")
    chart = line.encode(**_channels(alt, [words for _, words in known], f"{per} since the start", shown))
    behind = _band(alt, panel.banded, bands, per_unit, scale)
    if behind is not None:
        chart = behind + chart
    wanted = [{"v": seconds / scale, "what": words} for words, seconds in (targets or {}).items()]
    if wanted and max(seconds for seconds in (targets or {}).values()) < 5 * greatest:
        chart = chart + _target_line(alt, wanted)
    whole = chart.properties(width=_WIDTH, height=_HEIGHT).configure(**theme())
    built: dict[str, Any] = whole.to_dict(validate=False)
    return built


def _band(alt: Any, name: str, bands: Mapping[str, tuple[float, ...]], per_unit: float, scale: float) -> Any:
    """Where nine of ten replications lie, as an area; None without replications or where they all agree."""
    low, high = bands.get(f"{name}_p05", ()), bands.get(f"{name}_p95", ())
    if low == high:
        return None
    rows = [
        {"t": round(time / per_unit, 6), "low": round(bottom / scale, 6), "high": round(top / scale, 6)}
        for time, bottom, top in zip(bands["time_seconds"], low, high, strict=True)
        if math.isfinite(bottom) and math.isfinite(top)
    ]
    area = alt.Chart(alt.InlineData(values=rows)).mark_area(color="#010a04", opacity=0.22)
    return area.encode(x=alt.X("t:Q", scale=alt.Scale(nice=False)), y="low:Q", y2="high:Q")


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
        "header": {"labelColor": "#010a01"},
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
    words = {"s": "seconds", "": "records", "/s": "records/s", "B": "bytes"}[unit]
    steps: tuple[tuple[float, float, str], ...]
    if unit == "s":
        steps = ((7200.0, 3600.0, "hours"), (180.0, 60.0, "minutes"))
    elif unit == "B":
        steps = ((2e12, 1e12, "TB"), (2e9, 1e9, "GB"), (2e6, 1e6, "MB"), (2e3, 1e3, "kB"))
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
