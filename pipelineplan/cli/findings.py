"""How `check` prints what it found: one function for each of its formats."""

from __future__ import annotations

import argparse
import datetime as dt
import json
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from pipelineplan import __version__
from pipelineplan.cli.output import (
    coloured,
    envelope,
    finding_text,
    from_here,
    placed,
    problem_json,
    safe,
    say,
    show_problems,
)
from pipelineplan.errors import Position, Problem
from pipelineplan.verdicts import Finding, Severity, Verdict
from pipelineplan.verdicts.of_plan import PlanVerdicts
from pipelineplan.verdicts.plain import finding_json


@dataclass(frozen=True)
class Found:
    """What is printed: the verdicts, the problems, the exit status, and the day they are for."""

    results: Sequence[PlanVerdicts]
    problems: Sequence[Problem]
    status: int
    as_of: dt.date


def show(found: Found, options: argparse.Namespace) -> None:
    """Print `found` in the format asked for; problems go to stderr where it has no place for them."""
    _FORMATS[options.format](found, options)
    if found.problems and options.format not in {"json", "html", "markdown"}:
        show_problems(found.problems, "text", "check")


def _json(found: Found, _options: argparse.Namespace) -> None:
    plans = [_result_json(result) for result in found.results]
    problems = [problem_json(problem) for problem in found.problems]
    day = found.as_of.isoformat()
    say(envelope("check", found.status, as_of=day, plans=plans, problems=problems))


def _sarif(found: Found, options: argparse.Namespace) -> None:
    from pipelineplan.bundle.as_sarif import as_sarif

    log = as_sarif(_from_the_top(found.results), version=__version__, strict=options.strict)
    say(json.dumps(log, indent=2, ensure_ascii=False))


def _junit(found: Found, options: argparse.Namespace) -> None:
    from pipelineplan.bundle.as_junit import as_junit

    fail_on = Severity(options.fail_on or "error")
    say(as_junit(_from_the_top(found.results), strict=options.strict, fail_on=fail_on).rstrip("\n"))


def _github(found: Found, _options: argparse.Namespace) -> None:
    from pipelineplan.bundle.as_github import as_github

    commands = as_github(_placed_from_the_top(found.results), found.problems)
    if commands:
        say(commands)
    for result in found.results:
        say(_last_line(result))


def _markdown(found: Found, _options: argparse.Namespace) -> None:
    from pipelineplan.bundle.as_fleet_md import as_fleet_md

    say(as_fleet_md(_placed_from_the_top(found.results), found.problems).rstrip("\n"))


def _html(found: Found, _options: argparse.Namespace) -> None:
    from pipelineplan.bundle.as_fleet_html import as_fleet_html

    page = as_fleet_html(_placed_from_the_top(found.results), found.problems, found.as_of, __version__)
    say(page.rstrip("\n"))


def _text(found: Found, options: argparse.Namespace) -> None:
    for result in found.results:
        _one_as_text(result, options)


_FORMATS: Mapping[str, Callable[[Found, argparse.Namespace], None]] = {
    "text": _text,
    "json": _json,
    "sarif": _sarif,
    "junit": _junit,
    "github": _github,
    "markdown": _markdown,
    "html": _html,
}
FORMATS = tuple(_FORMATS)


def _from_the_top(results: Iterable[PlanVerdicts]) -> list[Finding]:
    return [finding for result in _placed_from_the_top(results) for finding in result.findings]


def _placed_from_the_top(results: Iterable[PlanVerdicts]) -> list[PlanVerdicts]:
    """Files named from the top of the git repository, as code hosts know them."""
    return [_placed(result, _above(result.about.root)) for result in results]


def _above(root: Path) -> str:
    """The way down to `root` from the top of its repository, or without one from where we are."""
    tops = [folder for folder in (root, *root.parents) if (folder / ".git").exists()]
    top = tops[0] if tops else Path.cwd()
    way = root.relative_to(top).as_posix() if root.is_relative_to(top) else "."
    return "" if way == "." else f"{way}/"


def _placed(result: PlanVerdicts, above: str) -> PlanVerdicts:
    if not above:
        return result

    def lower(place: Position) -> Position:
        return place._replace(file=f"{above}{place.file}")

    findings = tuple(
        replace(
            one,
            position=lower(one.position),
            operands=tuple(replace(each, position=lower(each.position)) for each in one.operands),
        )
        for one in result.findings
    )
    return replace(result, about=replace(result.about, file=f"{above}{result.about.file}"), findings=findings)


def _result_json(result: PlanVerdicts) -> dict[str, Any]:
    counts = {verdict.value: result.count(verdict) for verdict in Verdict}
    return {
        "plan": result.about.name,
        "file": result.about.file,
        "owner": result.about.owner,
        "quality_level": result.about.quality_level,
        "counts": {**counts, "accepted": len(result.accepted)},
        "findings": [finding_json(finding, strict=result.strict) for finding in result.findings],
    }


def _one_as_text(result: PlanVerdicts, options: argparse.Namespace) -> None:
    root = result.about.root
    brief = [] if options.verbose else [one for one in result.failing if _only_advises(one, result)]
    for finding in result.failing:
        if finding not in brief:
            say(finding_text(finding, strict=result.strict, root=root))
            say()
    if brief:
        codes = ", ".join(sorted({finding.code for finding in brief}))
        level = result.about.quality_level
        say(f"open, and not required at the level {level!r} (--verbose lists them): {codes}\n")
    if options.verbose:
        _lived_with_and_holding(result, root)
    say(_last_line(result))


def _lived_with_and_holding(result: PlanVerdicts, root: Path) -> None:
    for finding in result.accepted:
        if finding.accepted is not None:
            until = f", until {finding.accepted.until}" if finding.accepted.until else ""
            why = safe(f"{finding.accepted.reason}{until}")
            say(f"{placed(finding.position, root)}: {finding.code} accepted: {why}")
    for finding in result.findings:
        if finding.verdict is Verdict.HOLDS:
            place, message = placed(finding.position, root), safe(finding.message)
            say(f"{place}: {finding.code} {coloured('holds', 'holds')}: {message}")


def _last_line(result: PlanVerdicts) -> str:
    file = safe(from_here(result.about.file, result.about.root))
    return f"{result.about.name} ({file}): {_summary(result)}"


def _only_advises(finding: Finding, result: PlanVerdicts) -> bool:
    """A criterion that this quality level does not require: named, not spelled out."""
    informs = finding.counts_as(strict=result.strict) is Severity.INFO
    return informs and finding.verdict is Verdict.FAILS and not finding.operands


def _summary(result: PlanVerdicts) -> str:
    fails = [f.counts_as(strict=result.strict) for f in result.failing if f.verdict is Verdict.FAILS]
    errors, warnings, informing = (fails.count(severity) for severity in Severity)
    parts = [
        f"{errors} error{'' if errors == 1 else 's'}",
        f"{warnings} warning{'' if warnings == 1 else 's'}",
        f"{informing} for information",
        f"{result.count(Verdict.UNKNOWN)} unknown",
        f"{result.count(Verdict.HOLDS)} hold",
    ]
    before = sum(one.accepted is not None and one.accepted.by == "base" for one in result.accepted)
    if before:
        parts.append(f"{before} there before")
    if len(result.accepted) > before:
        parts.append(f"{len(result.accepted) - before} accepted")
    return ", ".join(parts)
