"""report.md: the bundle for a pull request or a wiki, with the verdict on top and the flow as Mermaid."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import astuple
from typing import TYPE_CHECKING

from pipelineplan.bundle.design_sections import completeness
from pipelineplan.bundle.escaping import code, markdown, mermaid
from pipelineplan.bundle.noticing import NOTICED_HEAD, noticed, summary
from pipelineplan.bundle.reconciled import RECONCILED, reconciled_rows
from pipelineplan.bundle.report_section import ReportSection
from pipelineplan.bundle.saying import say_figure, say_margin, say_name
from pipelineplan.bundle.sections import QUALITY
from pipelineplan.bundle.what_if import KEPT, chosen_of, grid_of
from pipelineplan.plan import Plan
from pipelineplan.verdicts import Finding, Verdict

if TYPE_CHECKING:
    from pipelineplan.bundle.contents import Contents
    from pipelineplan.quality.reconciling.report import ReconciliationReport
    from pipelineplan.quality.report import QualityReport
    from pipelineplan.simulation.result import ScenarioResult, SimulationResult

VERDICT_WORDS = {
    Verdict.HOLDS: "The plan holds",
    Verdict.FAILS: "The plan does not hold",
    Verdict.UNKNOWN: "Not known yet whether the plan holds",
}
# What a scenario table shows, of the figures that there are.
SHOWN_FIGURES = (
    "peak_lag_records",
    "oldest_unread_seconds",
    "drain_seconds",
    "freshness_p95_seconds",
    "replayed_records",
    "duplicate_records",
    "lost_records",
    "dropped_records",
    "peak_utilisation_worst_worker",
    "peak_state_bytes",
    "restore_seconds",
    "added_cost",
)


def as_markdown(contents: Contents) -> str:
    """The whole report as Markdown; nothing that came from the plan is markup in it."""
    return "\n".join(_lines(contents)) + "\n"


def _lines(contents: Contents) -> Iterator[str]:
    plan = contents.plan
    meta = plan.model.metadata
    yield f"# {markdown(plan.name)}: {VERDICT_WORDS[contents.verdict].lower()}"
    yield ""
    yield (
        f"{markdown(meta.quality_level)} plan"
        f"{f' {markdown(meta.version)}' if meta.version else ''} "
        f"of {markdown(meta.owner or 'nobody stated')}, "
        f"{code(plan.file)}, judged as of {markdown(contents.as_of or 'no date')}."
    )
    yield from _gates(contents)
    yield from _findings(contents)
    yield from _simulation(contents.simulated)
    yield from _what_if(contents)
    yield from _quality(contents.quality)
    yield from _reconciled(contents.reconciled)
    yield from ("", "## Data flow", "", "```mermaid", *flowchart(plan), "```")
    yield from _component_chart(plan)
    held = contents.sections
    if contents.rendering != "data-plan":
        yield from ("", f"**{contents.rendering}**: {markdown(completeness(held))}")
    for section in held:
        yield from _section(section)
        if section.title == QUALITY and contents.quality is not None:
            yield from _mutation(contents.quality)
    yield from _open(contents)


def table(head: Iterable[str], rows: Iterable[Iterable[str]]) -> Iterator[str]:
    """A Markdown table; its cells are escaped already."""
    titles = list(head)
    yield f"| {' | '.join(titles)} |"
    yield f"|{'---|' * len(titles)}"
    yield from (f"| {' | '.join(row)} |" for row in rows)


def _gates(contents: Contents) -> Iterator[str]:
    yield from ("", "## Gates", "")
    rows = (
        (
            gate.gate,
            markdown(gate.title),
            f"**{gate.state.value.replace('_', ' ')}**",
            _first(gate.reasons),
        )
        for gate in contents.gates
    )
    yield from table(("gate", "stage", "state", "because"), rows)


def _first(reasons: tuple[str, ...]) -> str:
    more = f" (and {len(reasons) - 1} more)" if len(reasons) > 1 else ""
    return f"{markdown(reasons[0])}{more}" if reasons else ""


def _findings(contents: Contents) -> Iterator[str]:
    wanting = contents.wanting
    yield from (
        "",
        f"## Findings ({len(wanting)} of {len(contents.findings)} verdicts do not hold)",
        "",
    )
    if not wanting:
        yield "Every rule that applies holds."
    for finding in wanting:
        yield from _finding(finding, finding.counts_as(strict=contents.strict).value)


def _finding(finding: Finding, weight: str) -> Iterator[str]:
    yield f"- **{finding.code} {finding.verdict.value}** ({weight}): {markdown(finding.message)}"
    yield f"  - {code(f'{finding.path} ({finding.position})')}"
    if finding.operands:
        values = "; ".join(f"{operand.symbol} = {operand.shown}" for operand in finding.operands)
        yield f"  - {code(finding.formula)} with {markdown(values)}"
    yield from (f"  - would hold with {markdown(change)}" for change in finding.nearest)
    if finding.fix:
        yield f"  - {markdown(finding.fix)}"


def _simulation(simulated: SimulationResult | None) -> Iterator[str]:
    yield from ("", "## Simulation", "")
    if simulated is None:
        yield "Nothing was simulated: `pipelineplan simulate PLAN` says what happens under load and outage."
        return
    names = [name for name in SHOWN_FIGURES if any(name in each.figures for each in simulated.scenarios)]
    head = ("scenario", "tier", *(say_name(name) for name in names))
    yield from table(head, (_scenario(each, names) for each in simulated.scenarios))
    yield from ("", *_promises(simulated))
    yield from (
        f"- not simulated: {markdown(what)}, {markdown(why)}" for what, why in simulated.not_simulated
    )
    yield from (f"- assumed: {markdown(assumption)}" for assumption in simulated.assumptions)


def _what_if(contents: Contents) -> Iterator[str]:
    """The grid over the two numbers that move the worst promise most, where there is one."""
    grid = grid_of(contents)
    if grid is None:
        return
    yield from ("", "## What if", "", f"{markdown(chosen_of(grid))} {KEPT}", "")
    rows = (
        (
            f"**{markdown(grid.down.values[number])}**",
            *(f"{cell.verdict.value}, {say_margin(cell.margin)}" for cell in line),
        )
        for number, line in enumerate(grid.cells)
    )
    corner = f"{code(grid.down.path)} by {code(grid.across.path)}"
    yield from table((corner, *map(markdown, grid.across.values)), rows)


def _scenario(scenario: ScenarioResult, names: list[str]) -> Iterator[str]:
    yield markdown(scenario.title or scenario.name)
    yield markdown(scenario.tier)
    for name in names:
        yield (markdown(say_figure(scenario.figures[name])) if name in scenario.figures else "")


def _promises(simulated: SimulationResult) -> Iterator[str]:
    rows = [
        (
            markdown(slo.subject),
            markdown(slo.objective),
            f"**{slo.verdict.value}**",
            markdown(scenario.name),
            markdown(slo.message),
            code(slo.path),
        )
        for scenario in simulated.scenarios
        for slo in scenario.slo_verdicts
    ]
    if rows:
        yield from table(("promise of", "what", "verdict", "scenario", "numbers", "where"), rows)
        yield ""


def _quality(quality: QualityReport | None) -> Iterator[str]:
    yield from ("", "## Quality", "")
    if quality is None:
        yield "No data was checked: `pipelineplan test PLAN --data NAME=PATH` runs the compiled suites."
        return
    rows = (
        (
            markdown(check.dataset),
            markdown(check.title),
            check.severity.value,
            f"**{check.verdict.value}**",
            markdown(check.reason or check.observed),
            f"{check.unexpected_count:,} of {check.row_count:,}"
            if check.unexpected_count and check.row_count
            else "",
        )
        for check in quality.checks
    )
    yield from table(("dataset", "check", "severity", "verdict", "found", "rows that break it"), rows)
    yield ""
    yield from (
        f"- not executable: {markdown(e.dataset)} {markdown(e.rule)}, {markdown(e.reason)}"
        for e in quality.not_executable
    )


def _reconciled(report: ReconciliationReport | None) -> Iterator[str]:
    if report:
        yield ""
        yield from table(RECONCILED, (tuple(map(markdown, row)) for row in reconciled_rows(report)))


def _mutation(quality: QualityReport) -> Iterator[str]:
    if quality.mutation is None:
        return
    yield from ("", f"**Which faults the checks notice.** {markdown(summary(quality.mutation))}", "")
    yield from table(NOTICED_HEAD, (map(markdown, astuple(row)) for row in noticed(quality.mutation)))


def flowchart(plan: Plan) -> Iterator[str]:
    """The data flow as a Mermaid flowchart; nodes are numbered, so that no id is syntax."""
    numbers = {node: f"n{number}" for number, node in enumerate(plan.graph.order)}
    shapes = {"source": '{}[("{}")]', "stage": '{}["{}"]', "sink": '{}[["{}"]]'}
    yield "flowchart LR"
    for node, number in numbers.items():
        yield f"  {shapes[plan.graph.kinds[node]].format(number, mermaid(node))}"
    for edge in plan.graph.edges:
        words = f"{edge.exchange} {edge.key}" if edge.key else edge.exchange
        yield f'  {numbers[edge.upstream]} -- "{mermaid(words)}" --> {numbers[edge.downstream]}'


def _component_chart(plan: Plan) -> Iterator[str]:
    """The components and who calls whom, where the plan states it: a container diagram as code."""
    components = plan.model.design.components if plan.model.design is not None else ()
    if not any(one.inputs for one in components):
        return
    numbers = {one.id: f"c{number}" for number, one in enumerate(components)}
    shapes = {"client": '{}(["{}"])', "database": '{}[("{}")]', "cache": '{}[("{}")]', "broker": '{}[["{}"]]'}
    yield from ("", "## Components", "", "```mermaid", "flowchart LR")
    for one in components:
        words = f"{one.id}: {one.does}" if one.does else one.id
        shape = shapes.get(one.kind or "", '{}["{}"]')
        yield f"  {shape.format(numbers[one.id], mermaid(words))}"
    for one in components:
        for caller in one.inputs:
            if caller in numbers:
                yield f"  {numbers[caller]} --> {numbers[one.id]}"
    yield "```"


def _section(section: ReportSection) -> Iterator[str]:
    level = "" if section.required else " (not required at this level)"
    yield from ("", f"## {section.number} {section.title}{level}", "")
    stated = [fact for fact in section.facts if not fact.said.is_open]
    silent = section.silent
    if stated:
        rows = ((markdown(f.label), markdown(f.said.text), code(f.said.origin)) for f in stated)
        yield from table(("what", "the plan says", "where"), rows)
        yield ""
    if silent:
        yield f"Not stated: {', '.join(f'{markdown(f.label)} ({code(f.said.text)})' for f in silent)}."
    yield from (f"- {f.code} {f.verdict.value}: {markdown(f.message)}" for f in section.wanting)
    if section.holding:
        yield f"- hold: {markdown(section.holding)}"


def _open(contents: Contents) -> Iterator[str]:
    yield from ("", "## Open points", "")
    points = [
        f"{gate.gate}: {point}" for gate in contents.gates if gate.required for point in gate.open_points
    ]
    points += [f"{each.kind}: {point}" for each in contents.checklists for point in each.open_points]
    yield from [f"- [ ] {markdown(point)}" for point in dict.fromkeys(points)] or ["None."]
