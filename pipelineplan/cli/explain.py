"""Explain a rule: why it is there, its formula, and with a plan that plan's own values in it.

pipelineplan explain CAP201
pipelineplan explain CAP201 plan.yaml
"""

from __future__ import annotations

import argparse
from collections.abc import Mapping
from pathlib import Path

from pipelineplan.cli.output import coloured, envelope, placed, safe, say
from pipelineplan.documents.root import find_root
from pipelineplan.errors import InputError, Position, Problem
from pipelineplan.verdicts import Finding
from pipelineplan.verdicts.plain import finding_json


def add_options(parser: argparse.ArgumentParser) -> None:
    """The options of `explain`."""
    parser.add_argument("rule", metavar="RULE", help="a code such as CAP201")
    parser.add_argument("plan", nargs="?", metavar="PLAN", type=Path)
    parser.add_argument("--env", metavar="NAME", help="lay the overlay of this environment over the plan")
    parser.add_argument("--format", choices=("text", "json"), default="text")


def run(options: argparse.Namespace) -> int:
    """Print the rule, then every verdict of it on the plan."""
    code = options.rule.upper()
    root = find_root(options.plan) if options.plan is not None else None
    page = _page(code, root)
    findings: tuple[Finding, ...] = ()
    if options.plan is not None:
        from pipelineplan.workflow import check

        findings = check(options.plan, select=[code], env=options.env).findings
    if options.format == "json":
        say(envelope("explain", 0, rule=page, findings=[finding_json(f, strict=False) for f in findings]))
        return 0
    say(f"{coloured(code, 'bold')}: {page['title']}")
    for key in ("why", "formula", "bad", "good", "fix", "source", "status"):
        if page.get(key):
            say(f"  {key + ':':<9}{page[key]}")
    for finding in findings:
        _show(finding, root)
    if options.plan is not None and not findings:
        say("\n  nothing in this plan that the rule is about")
    return 0


def _page(code: str, root: Path | None) -> Mapping[str, str]:
    from pipelineplan.rules import rule_page

    page = rule_page(code, root)
    if page is None:
        from difflib import get_close_matches

        from pipelineplan.rules import rule_codes

        close = ", ".join(get_close_matches(code, rule_codes(), n=3, cutoff=0.5))
        hint = f"did you mean {close}?" if close else "`pipelineplan check --verbose` shows codes"
        raise InputError([Problem(f"there is no rule {code!r}", Position("RULE"), fix=hint)])
    return page


def _show(finding: Finding, root: Path | None) -> None:
    place = f"{safe(finding.path)}  ({placed(finding.position, root)})"
    say(f"\n  {coloured(finding.verdict.value, finding.verdict.value)}  {place}")
    say(f"    {safe(finding.message)}")
    for operand in finding.operands:
        where = f"{operand.basis.value}, {operand.path} at {placed(operand.position, root)}"
        say(f"    {operand.symbol:<10} {operand.shown:<24} {safe(operand.name)} ({where})")
    for change in finding.nearest:
        say(f"    would hold with {safe(change)}")
