"""The same plan as a design spec and as a technical design: whole, or saying what is missing."""

from __future__ import annotations

from collections import Counter
from dataclasses import replace
from pathlib import Path

import pytest

from pipelineplan.bundle import Contents, as_html, as_markdown, compile_contents
from pipelineplan.bundle.contents import Rendering
from pipelineplan.bundle.design_sections import completeness, design_spec, production_stage, technical_design
from pipelineplan.plan import read_plan
from pipelineplan.rules import judge

P_TITLES = (
    "Context",
    "Constraints and SLOs",
    "Capacity and performance estimates",
    "Architecture and dependencies",
    "Interfaces and data contracts",
    "Reliability and failure modes",
    "Security and compliance",
    "Rollout, rollback and migration",
    "Validation and success criteria",
    "Decisions, risks and open questions",
)
TEMPLATE = (
    "Overview", "Goals and non-goals", "Architecture", "Quality", "Components", "Data model", "Interfaces",
    "Configuration", "Algorithms and processing", "Error handling and resilience",
    "Performance and scalability", "Security and privacy", "Observability", "Testing strategy",
    "Rollout and migration", "Open questions",
)  # fmt: skip


def test_a_design_spec_has_the_ten_sections_and_says_that_it_is_whole(orders: Contents) -> None:
    made = design_spec(orders.plan, orders.findings)
    assert tuple(one.title for one in made) == P_TITLES
    assert [one.gate for one in made] == [f"P{number}" for number in range(1, 11)]
    assert completeness(made) == "10 of 10 required sections are complete."


def test_a_technical_design_has_the_headings_of_the_template(orders: Contents) -> None:
    made = technical_design(orders.plan, orders.findings)
    assert tuple(one.title for one in made) == TEMPLATE
    assert all(one.required for one in made)
    assert completeness(made) == "16 of 16 required sections are complete."


@pytest.mark.parametrize("rendering", ["data-plan", "design-spec", "technical-design"])
def test_every_finding_stands_in_exactly_one_section(rendering: Rendering, orders: Contents) -> None:
    contents = replace(orders, rendering=rendering)
    told = Counter(f.fingerprint for one in contents.sections for f in one.findings)
    assert told == Counter(f.fingerprint for f in orders.findings)


@pytest.mark.parametrize(
    ("code", "stage"),
    [
        ("CTX101", 1), ("EVT101", 2), ("SIZ101", 3), ("CST101", 3), ("DEC201", 4), ("SCH101", 5),
        ("DSN503", 5), ("SLO102", 6), ("RES101", 6), ("SEC101", 7), ("CKL220", 7), ("CUT201", 8),
        ("ACC103", 9), ("RSK101", 10),
    ],
)  # fmt: skip
def test_findings_belong_to_the_stage_of_their_subject(code: str, stage: int) -> None:
    assert production_stage(code) == stage


def test_what_is_not_stated_is_counted_and_named(silent: Contents) -> None:
    spec = replace(silent, rendering="design-spec")
    text = as_markdown(spec)
    assert "**design-spec**: 0 of 10 required sections are complete; the others: 1 Context (6 things" in text
    assert "Not stated: problem (`state $.context.problem`)" in text
    assert "7 Security and compliance" in as_html(spec)


def test_the_level_decides_which_headings_are_required(tmp_path: Path) -> None:
    def required(level: str) -> int:
        file = tmp_path / "plan.yaml"
        file.write_text(
            "apiVersion: pipelineplan/v1\nkind: DataPlan\n"
            f"metadata: {{name: a, quality_level: {level}}}\n"
            "sources: [{id: b}]\nsinks: [{id: c, inputs: [b]}]\n",
            encoding="utf-8",
        )
        plan = read_plan(file)
        contents = replace(compile_contents(plan, judge(plan)), rendering="technical-design")
        assert as_markdown(contents).count("(not required at this level)") == sum(
            not one.required for one in contents.sections
        )
        return sum(one.required for one in contents.sections)

    counts = [required(level) for level in ("experiment", "prototype", "production", "secure")]
    assert counts == [4, 10, 16, 16]


def test_components_are_drawn_from_who_calls_whom(orders: Contents, demo: Contents) -> None:
    text = as_markdown(orders)
    assert '  c0(["shop: Places and refunds orders"])' in text
    assert "  c5 --> c4" in text
    assert "## Components" not in as_markdown(demo)


def test_nothing_from_a_plan_is_markup_in_the_other_renderings(hostile: Contents) -> None:
    for rendering in ("design-spec", "technical-design"):
        contents = replace(hostile, rendering=rendering)  # type: ignore[arg-type]
        assert "<script>alert" not in as_html(contents)
        assert "<script>alert" not in as_markdown(contents)
