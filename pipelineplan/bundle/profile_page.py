"""A measured stream as one HTML page: how late records come, how fast, and what each lag would cost.

Drawn as the report of a plan is (see `plots`): inline SVG, right in light and in dark, no script and no
request. Delays are drawn on two logarithmic axes as the share of events that come later than x, because
what matters is in the tail.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from importlib.resources import files
from typing import TYPE_CHECKING, Any

from pipelineplan.bundle.escaping import html
from pipelineplan.bundle.plots import can_plot, svg_of, theme
from pipelineplan.errors import MissingExtraError
from pipelineplan.quantities import say_seconds, say_share

if TYPE_CHECKING:
    from pipelineplan.profiling import Tradeoff
    from pipelineplan.sources import Fit, StreamProfile

_WIDTH, _HEIGHT = 620, 240
_COLOURS = ["#010a04", "#010a05"]
_DASHES = [[1, 0], [5, 3]]
Points = Sequence[tuple[float, float]]


def as_profile_page(profile: StreamProfile, tradeoff: Tradeoff | None = None) -> str:
    """The page; raises `MissingExtraError` without the extra `report`."""
    if not can_plot():
        raise MissingExtraError("drawing a profile", "report")
    style = files("pipelineplan.bundle").joinpath("report.css").read_text(encoding="utf-8")
    title = f"{profile.events:,} events, {profile.first_event_time} to {profile.last_event_time}"
    parts = [
        f"<h2>{html(head)}</h2>\n<p>{html(words)}</p>\n{svg}"
        for head, words, svg in _parts(profile, tradeoff)
    ]
    return (
        '<!DOCTYPE html>\n<html lang="en">\n<head>\n<meta charset="utf-8">\n'
        '<meta name="viewport" content="width=device-width, initial-scale=1">\n'
        f"<title>A measured stream</title>\n<style>\n{style}</style>\n</head>\n"
        '<body>\n<main style="max-width: 62rem; margin: 0 auto; padding: 2rem">\n'
        "<h1>A measured stream</h1>\n"
        f'<p class="lede">{html(title)}; from {html(", ".join(profile.files))}</p>\n'
        f"{''.join(parts)}\n</main>\n</body>\n</html>\n"
    )


def _parts(profile: StreamProfile, tradeoff: Tradeoff | None) -> Iterator[tuple[str, str, str]]:
    """Title, words and drawing of each part."""
    delays = {"behind the newest event": _later_than(profile.disorder_seconds.curve)}
    fits = [("Disorder", profile.disorder_fit)]
    if profile.lateness_seconds is not None:
        delays["late by the arrival clock"] = _later_than(profile.lateness_seconds.curve)
        fits.append(("Lateness", profile.lateness_fit))
    share = say_share(profile.out_of_order.share)
    words = (
        f"{share} are out of order. {' '.join(_fitted(name, fit) for name, fit in fits if fit is not None)}"
    )
    axes = ("seconds", "share of events later than this")
    yield "How late events come", words, _lines(delays, axes, logarithmic=True)
    rate = profile.rate
    steps = [*rate.steps, (rate.length_seconds, rate.steps[-1][1])]
    words = f"{rate.average_per_second:,.4g}/s on average, at most {rate.peak_per_second:,.4g}/s."
    drawn = _lines({"events": steps}, (f"seconds, by {rate.clock} time", "events per second"), steps=True)
    yield "How fast", words, drawn
    if tradeoff is not None and len({row.lag_seconds for row in tradeoff.rows}) > 1:
        yield _tradeoff(tradeoff)


def _fitted(name: str, fit: Fit) -> str:
    wrong = (
        f"its shares are wrong by up to {say_share(fit.misfit)}, its p99 by {fit.quantile_errors['p99']:+.0%}"
    )
    return f"{name} comes closest to the family {fit.family}: {wrong}."


def _tradeoff(tradeoff: Tradeoff) -> tuple[str, str, str]:
    least = min(row.allowed_lateness_seconds for row in tradeoff.rows)
    rows = [row for row in tradeoff.rows if row.allowed_lateness_seconds == least]
    curves: dict[str, Points] = {
        "in the first firing": [(row.lag_seconds, row.at_first_firing) for row in rows]
    }
    if least > 0:
        curves["in the end"] = [(row.lag_seconds, row.final) for row in rows]
    knee = next((row.lag_seconds for row in rows if row.knee), None)
    words = f"Windows of {say_seconds(tradeoff.window_seconds)}, by the rule of {tradeoff.rule.value}."
    if knee is not None:
        words += f" The knee is at a lag of {say_seconds(knee)}: beyond it waiting buys least."
    drawn = _lines(curves, ("watermark lag, seconds", "share of events counted"), mark=knee)
    return "What each watermark lag counts", words, drawn


def _later_than(curve: Points) -> Points:
    """The share above each value; what cannot stand on a logarithmic axis is left out."""
    return [(seconds, 1 - share) for seconds, share in curve if seconds > 0 and share < 1]


def _lines(
    curves: dict[str, Points],
    axes: tuple[str, str],
    *,
    logarithmic: bool = False,
    steps: bool = False,
    mark: float | None = None,
) -> str:
    """Curves over one pair of axes; they differ in colour and in dashes."""
    import altair as alt

    names = list(curves)
    scale = {"type": "log"} if logarithmic else {"zero": False}
    legend = alt.Legend(title=None, orient="top", columnPadding=28) if len(names) > 1 else None
    colours = alt.Scale(domain=names, range=_COLOURS[: len(names)])
    dashes = alt.Scale(domain=names, range=_DASHES[: len(names)])
    line = alt.Chart(alt.InlineData(values=list(_rows(curves)))).mark_line(
        strokeWidth=1.8, interpolate="step-after" if steps else "linear"
    )
    chart: Any = line.encode(
        x=alt.X("x:Q", title=axes[0], scale=alt.Scale(**scale, nice=False)),
        y=alt.Y("y:Q", title=axes[1], scale=alt.Scale(**scale)),
        color=alt.Color("what:N", scale=colours, legend=legend),
        strokeDash=alt.StrokeDash("what:N", scale=dashes, legend=legend),
    )
    if mark is not None:
        rule = alt.Chart(alt.InlineData(values=[{"x": mark}])).mark_rule(color="#010a06", strokeDash=[2, 3])
        chart += rule.encode(x="x:Q")
    return svg_of(chart.properties(width=_WIDTH, height=_HEIGHT).configure(**theme()).to_dict())


def _rows(curves: dict[str, Points]) -> Iterable[dict[str, Any]]:
    for name, points in curves.items():
        for x, y in points:
            yield {"x": float(f"{x:.9g}"), "y": float(f"{y:.9g}"), "what": name}
