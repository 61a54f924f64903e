"""What was run, as HTML: scenarios with their curves, quality checks, and the runbooks of the day."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import astuple
from typing import TYPE_CHECKING

from pipelineplan.bundle.as_markdown import SHOWN_FIGURES
from pipelineplan.bundle.checklist import Checklist, Step
from pipelineplan.bundle.escaping import html
from pipelineplan.bundle.html_parts import (
    facts,
    folded,
    listed,
    mark,
    said,
    table,
    where,
)
from pipelineplan.bundle.noticing import NOTICED_HEAD, noticed, summary
from pipelineplan.bundle.plots import as_plots, can_plot
from pipelineplan.bundle.reconciled import RECONCILED, reconciled_rows
from pipelineplan.bundle.saying import say_figure, say_name, say_number, worst
from pipelineplan.bundle.standing import Progress, Standing, counted
from pipelineplan.quantities import say_seconds
from pipelineplan.verdicts import Verdict

if TYPE_CHECKING:
    from pipelineplan.quality.reconciling.report import ReconciliationReport
    from pipelineplan.quality.report import QualityReport
    from pipelineplan.simulation.result import Figure, ScenarioResult, SimulationResult


def simulation(simulated: SimulationResult | None) -> str:
    """The scenarios side by side, the promises, and each scenario's curves."""
    if simulated is None:
        return (
            "<p>Nothing was simulated: <code>pipelineplan simulate PLAN</code> says what happens under load, "
            "outage and late data.</p>"
        )
    parts = [_comparison(simulated), _promises(simulated)]
    shown = _shown_open(simulated)
    parts += [_scenario(scenario, is_open=scenario.name in shown) for scenario in simulated.scenarios]
    parts.append(
        listed(f"<b>Not simulated:</b> {html(what)}: {html(why)}" for what, why in simulated.not_simulated)
    )
    parts.append(listed(f"<b>Assumed:</b> {html(assumption)}" for assumption in simulated.assumptions))
    return "\n".join(parts)


def _comparison(simulated: SimulationResult) -> str:
    names = [
        name for name in SHOWN_FIGURES if any(_says_something(each, name) for each in simulated.scenarios)
    ]
    rows = [
        [
            html(each.name),
            *(_number(each.figures.get(name)) for name in names),
        ]
        for each in simulated.scenarios
    ]
    head = ("scenario", *(say_name(name) for name in names))
    return table(
        "Scenarios compared; intervals are what the plan's own intervals allow",
        head,
        rows,
    )


def _says_something(scenario: ScenarioResult, name: str) -> bool:
    """A column of nothing but zeros is left out."""
    return name in scenario.figures and scenario.figures[name].high != 0


def _number(figure: Figure | None) -> str:
    if figure is None:
        return ""
    text, low, high = (say_number(value, figure.unit) for value in (figure.value, figure.low, figure.high))
    unit = high.partition(" ")[2]
    short = low.removesuffix(f" {unit}") if unit else low
    band = f'<span class="band">{html(short)} to {html(high)}</span>' if low != high else ""
    return f'<span class="n">{html(text)}</span>{band}'


def _promises(simulated: SimulationResult) -> str:
    order = {Verdict.FAILS: 0, Verdict.UNKNOWN: 1, Verdict.HOLDS: 2}
    found = [(scenario, slo) for scenario in simulated.scenarios for slo in scenario.slo_verdicts]
    found.sort(key=lambda pair: order[pair[1].verdict])
    rows = [
        [
            html(f"{slo.subject}: {slo.objective}"),
            mark(slo.verdict.value),
            html(scenario.name),
            html(slo.message),
            where(slo.path),
        ]
        for scenario, slo in found
    ]
    head = ("promise", "verdict", "scenario", "numbers", "where it is promised")
    return table("The plan's promises, as simulated", head, rows) if rows else ""


def _shown_open(simulated: SimulationResult) -> set[str]:
    """The scenarios that break a promise, or else the one with the longest drain."""
    broken = {
        scenario.name
        for scenario in simulated.scenarios
        if any(slo.verdict is Verdict.FAILS for slo in scenario.slo_verdicts)
    }
    longest = worst(simulated, "drain_seconds")
    return broken or ({longest[0]} if longest is not None else set())


def _scenario(scenario: ScenarioResult, *, is_open: bool) -> str:
    if not scenario.series:
        drawn = ""
    elif can_plot():
        figures = "".join(
            f"<figure><figcaption>{html(title)}</figcaption>{svg}</figure>"
            for title, svg in as_plots(scenario)
        )
        drawn = f'<div class="plots">{figures}</div>'
    else:
        drawn = "<p>No curves: drawing them needs <code>pip install 'pipelineplan[report]'</code>.</p>"
    every = facts((say_name(name), html(say_figure(figure))) for name, figure in scenario.figures.items())
    if scenario.replications is not None:
        runs = f"{scenario.replications.runs:,} replications ({scenario.replications.tier})"
        drawn += f"<p>Shaded: where nine of ten of {html(runs)} lie.</p>"
    classes = sorted({f"{figure.tier}: {figure.error_class}" for figure in scenario.figures.values()})
    notes = listed(html(note) for note in (*scenario.notes, *classes))
    verdicts = [slo.verdict for slo in scenario.slo_verdicts]
    state = next(
        (v.value for v in (Verdict.FAILS, Verdict.UNKNOWN, Verdict.HOLDS) if v in verdicts),
        "",
    )
    return folded(
        scenario.title or scenario.name,
        state,
        drawn + every + notes,
        is_open=is_open,
    )


def quality(report: QualityReport | None) -> str:
    """Every check of real data, and the rules that nothing checks."""
    if report is None:
        run = "<code>pipelineplan test PLAN --data NAME=PATH</code>"
        return f"<p>No data was checked: {run} runs the compiled suites.</p>"
    rows = [
        [
            html(check.title),
            html(check.dataset),
            mark(check.verdict.value),
            html(check.severity.value),
            html(check.reason or check.observed),
            f"{check.unexpected_count:,} of {check.row_count:,}"
            if check.unexpected_count and check.row_count
            else "",
        ]
        for check in report.checks
    ]
    head = ("check", "dataset", "verdict", "severity", "found", "rows that break it")
    silent = listed(f"{html(e.dataset)} {html(e.rule)}: {html(e.reason)}" for e in report.not_executable)
    rest = (
        folded(f"{len(report.not_executable)} rules that nothing checks", "unknown", silent) if silent else ""
    )
    return table("Checks of the data that was given", head, rows) + rest + _mutation(report)


def _mutation(report: QualityReport) -> str:
    """Which faults the checks notice, where they were put in."""
    if report.mutation is None:
        return ""
    rows = [[html(cell) for cell in astuple(row)] for row in noticed(report.mutation)]
    sentence = f"<p>{html(summary(report.mutation))}</p>"
    return table("Which faults the checks notice (section 8)", NOTICED_HEAD, rows) + sentence


def reconciled(report: ReconciliationReport | None) -> str:
    """Every reconciliation with its balance; nothing where none was run."""
    rows = [
        [html(name), mark(verdict), *map(html, rest)]
        for name, verdict, *rest in (reconciled_rows(report) if report else ())
    ]
    return table("Reconciliation over closed windows", RECONCILED, rows) if rows else ""


def runbook(checklist: Checklist) -> str:
    """A runbook: deadline and triggers on top, then the steps, each folded."""
    progress = checklist.progress if checklist.progress is not None and checklist.progress.is_begun else None
    standings = [progress.of(step.id) if progress is not None else None for step in checklist.steps]
    steps = "".join(
        f"<li>{_step(step, standing)}</li>" for step, standing in zip(checklist.steps, standings, strict=True)
    )
    left_out = listed(
        f"<b>{html(entry.title)}</b> is left out: {html(entry.reason)}" for entry in checklist.left_out
    )
    triggers = listed(said(trigger) for trigger in checklist.triggers)
    open_points = listed(html(point) for point in checklist.open_points)
    return (
        f'<div class="card">{"".join(_deadline(checklist))}<h3>What makes us go back</h3>{triggers}</div>'
        f"{_progress(progress)}"
        f'<div class="stack"><ol class="steps">{steps}</ol></div>{left_out}'
        + (folded(f"{len(checklist.open_points)} open points", "open", open_points) if open_points else "")
    )


def _deadline(checklist: Checklist) -> Iterator[str]:
    dates = checklist.deadlines
    first = dates.earliest
    if first is None:
        yield f"<p>{mark('open')} No rollback deadline follows from this plan.</p>"
    else:
        until = f" (<b>{html(dates.until)}</b>)" if dates.until else ""
        yield (
            f'<p class="lede">Going back is possible for <b>{say_seconds(first.seconds)}</b>{until} from '
            f"{html(dates.anchor)}: then {html(first.name)}.</p>"
        )
    yield f"<p>Point of no return: {said(dates.point_of_no_return)}</p>"
    if dates.horizons:
        rows = (
            [
                html(each.name),
                say_seconds(each.seconds),
                html(each.formula),
                where(each.origin),
            ]
            for each in dates.horizons
        )
        yield table(
            "What ends the way back, earliest first",
            ("what", "after", "from", "where"),
            rows,
        )


def _progress(progress: Progress | None) -> str:
    """How many steps are in which state, and what of the evidence counts as nothing."""
    if progress is None:
        return ""
    as_of = f" as of {html(progress.as_of)}" if progress.as_of else ""
    loose = [*progress.others, *(str(problem) for problem in progress.unread)]
    not_counted = listed(f"<b>Not counted:</b> {html(text)}" for text in loose)
    return f"<p>{html(counted(progress))}{as_of}, by {html(progress.file)}.</p>{not_counted}"


def _standing(standing: Standing | None) -> tuple[tuple[str, str], ...]:
    """Where a step stands, and its records, newest first."""
    if standing is None or not standing.entries:
        return ()
    records = (
        html(f"{entry.measured or 'nothing measured'}, {entry.by}, {entry.at} {entry.note} {entry.ref}")
        + where(str(entry.position))
        for entry in reversed(standing.entries)
    )
    return (("stands", html(standing.reason)), *(("recorded", record) for record in records))


def _step(step: Step, standing: Standing | None) -> str:
    rows = (
        ("who", f"{said(step.owner)}"),
        ("backup", said(step.backup)),
        ("measure", said(step.measure)),
        ("threshold", said(step.threshold)),
        ("timeout", said(step.timeout)),
        ("way back", said(step.rollback)),
        *_standing(standing),
    )
    command = f"<pre><code>{html(step.command)}</code></pre>" if step.command else ""
    expect = f"<p>Expected: {html(step.expect)}</p>" if step.expect else ""
    state = mark("open") if step.open_points else ""
    state = mark(standing.state.value) if standing is not None else state
    return (
        f"<details><summary><h4>{html(step.title)}</h4>{state}</summary>"
        f'<div class="inside"><p>{html(step.does)}</p>{command}{expect}{facts(rows)}</div></details>'
    )
