"""report.html: one page that opens offline, says the verdict first, and shows what it rests on.

No script, nothing from outside (a strict content security policy says so), light and dark, printable,
usable with the keyboard; whatever came from the plan is escaped.
"""

from __future__ import annotations

from importlib.resources import files
from typing import TYPE_CHECKING

from pipelineplan.bundle.as_markdown import VERDICT_WORDS
from pipelineplan.bundle.design_sections import completeness
from pipelineplan.bundle.diagram import as_diagram
from pipelineplan.bundle.escaping import html
from pipelineplan.bundle.html_findings import (
    findings,
    gate_details,
    gate_strip,
    section,
)
from pipelineplan.bundle.html_parts import mark
from pipelineplan.bundle.html_runs import quality, reconciled, runbook, simulation
from pipelineplan.bundle.html_what_if import what_if_part
from pipelineplan.bundle.report_section import ReportSection
from pipelineplan.gates import GateState
from pipelineplan.verdicts import Severity, Verdict

if TYPE_CHECKING:
    from pipelineplan.bundle.contents import Contents

POLICY = "default-src 'none'; style-src 'unsafe-inline'; base-uri 'none'; form-action 'none'"
_LEGEND = (
    '<p class="quiet">Filled with a heavy border: a finding on it counts as an error. '
    "Dashed: it may yet, once what is unknown is settled.</p>"
)
_RUNBOOKS = {"cutover": "Cutover", "rollback": "Rollback", "launch": "Launch"}


def as_html(contents: Contents) -> str:
    """The whole report as one HTML document."""
    held = contents.sections
    style = files("pipelineplan.bundle").joinpath("report.css").read_text(encoding="utf-8")
    name = html(contents.plan.name)
    return (
        '<!doctype html>\n<html lang="en">\n<head>\n<meta charset="utf-8">\n'
        f'<meta http-equiv="Content-Security-Policy" content="{POLICY}">\n'
        '<meta name="viewport" content="width=device-width, initial-scale=1">\n'
        '<meta name="referrer" content="no-referrer">\n'
        f"<title>{name}: {html(VERDICT_WORDS[contents.verdict].lower())}</title>\n"
        f"<style>\n{style}</style>\n</head>\n"
        f'<body>\n<a class="skip" href="#verdict">Skip to the verdict</a>\n'
        f'<div class="frame">\n{_nav(contents, held)}\n'
        f"<main>\n{_top(contents)}\n{_body(contents, held)}\n"
        f"{_foot(contents)}\n</main>\n</div>\n</body>\n</html>\n"
    )


def _nav(contents: Contents, held: tuple[ReportSection, ...]) -> str:
    links = [
        ("verdict", "Verdict"),
        ("gates", "Gates"),
        ("flow", "Data flow"),
        ("findings", "Findings"),
    ]
    links += [
        ("simulation", "Simulation"),
        ("what-if", "What if"),
        ("quality", "Quality"),
        ("sections", "The plan, section by section"),
    ]
    links += [(each.kind, _RUNBOOKS[each.kind]) for each in contents.checklists]
    within = "".join(
        f'<li class="within"><a href="#section-{s.number}">{s.number} {html(s.title)}</a></li>' for s in held
    )
    entries = [
        f'<li><a href="#{name}">{html(title)}</a></li>' + (within if name == "sections" else "")
        for name, title in links
    ]
    return f'<nav aria-label="Contents"><ol>{"".join(entries)}</ol></nav>'


def _top(contents: Contents) -> str:
    meta = contents.plan.model.metadata
    version = f" {html(meta.version)}" if meta.version else ""
    level = f"{html(meta.quality_level)} plan{version} of {html(meta.owner or 'nobody stated')}"
    as_of = f", judged as of {html(contents.as_of)}" if contents.as_of else ""
    return (
        f'<header id="verdict" class="verdict {contents.verdict.value}">'
        f'<p class="eyebrow">{html(contents.plan.name)} · '
        f"{level}{as_of}</p><h1>{VERDICT_WORDS[contents.verdict]}</h1>"
        f'<p class="lede">{html(_summary(contents))}</p>{mark(contents.verdict.value)}</header>'
        f"{gate_strip(contents.gates)}"
    )


def _summary(contents: Contents) -> str:
    required = [gate for gate in contents.gates if gate.required]
    passed = sum(1 for gate in required if gate.state is GateState.PASS)
    failed = [f"{gate.gate} {gate.title}" for gate in required if gate.state is GateState.FAIL]
    wanting, errors = len(contents.wanting), len(contents.failing)
    parts = [f"{passed} of {len(required)} required gates pass."]
    if failed:
        parts.append(f"What fails: {'; '.join(failed)}.")
    parts.append(
        f"{wanting} of the rules' {len(contents.findings)} verdicts do not hold"
        + (f", {errors} of them as {Severity.ERROR.value}." if errors else ".")
        if wanting
        else f"All {len(contents.findings)} verdicts of the rules hold."
    )
    return " ".join(parts)


def _body(contents: Contents, held: tuple[ReportSection, ...]) -> str:
    diagram = as_diagram(contents.plan, _states(contents))
    parts = [
        part("gates", "Gates by stage", gate_details(contents.gates)),
        part(
            "flow",
            "Data flow",
            f'<div class="card flow-frame" tabindex="0">{diagram}</div>{_LEGEND}',
        ),
        part("findings", "Findings", findings(contents)),
        part("simulation", "Simulation", simulation(contents.simulated)),
        part("what-if", "What if", what_if_part(contents)),
        part("quality", "Quality", quality(contents.quality) + reconciled(contents.reconciled)),
        part(
            "sections",
            "The plan, section by section",
            f'{_complete(contents, held)}<div class="stack">{"".join(section(one) for one in held)}</div>',
        ),
        *(part(each.kind, each.title, runbook(each)) for each in contents.checklists),
    ]
    return "\n".join(parts)


def _complete(contents: Contents, held: tuple[ReportSection, ...]) -> str:
    """What a design still lacks, above its sections."""
    if contents.rendering == "data-plan":
        return ""
    return f'<p class="quiet">{html(contents.rendering)}: {html(completeness(held))}</p>'


def part(name: str, title: str, inside: str) -> str:
    """A part of a page under its heading, which links of the contents lead to."""
    heading = f'<h2 id="{name}-title">{html(title)}</h2>'
    return f'<section id="{name}" aria-labelledby="{name}-title">{heading}\n{inside}</section>'


def _states(contents: Contents) -> dict[str, str]:
    """What is marked on the flow: nodes with a finding that counts as an error, or that may yet."""
    model = contents.plan.model
    paths = {f"$.sources[{index}]": source.id for index, source in enumerate(model.sources)}
    paths |= {f"$.stages[{index}]": stage.id for index, stage in enumerate(model.stages)}
    paths |= {f"$.sinks[{index}]": sink.id for index, sink in enumerate(model.sinks)}
    states: dict[str, str] = {}
    for finding in contents.wanting:
        node = next((paths[p] for p in paths if finding.path.startswith(p)), "")
        node = node or next(
            (part for part in finding.subject.split() if part in contents.plan.graph.kinds), ""
        )
        if node and finding in contents.failing:
            states[node] = Verdict.FAILS.value
        elif node and finding.severity is Severity.ERROR and finding.verdict is Verdict.UNKNOWN:
            states.setdefault(node, Verdict.UNKNOWN.value)
    return states


def _foot(contents: Contents) -> str:
    seed = f", seed {contents.seed}" if contents.seed is not None else ""
    return (
        f"<footer><p>Compiled by pipelineplan {html(contents.version)} "
        f"from {html(contents.plan.file)}{seed}. "
        "The same plan, evidence and version give this page byte for byte; "
        "manifest.json holds its SHA-256.</p></footer>"
    )
