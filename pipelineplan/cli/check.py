"""Judge one or many plans by every static rule.

    pipelineplan check plan.yaml
    pipelineplan check plans/ --format sarif > findings.sarif
    pipelineplan check plan.yaml --select CAP,EVT --strict

A folder is one plan when its files are parts of one, else every plan below it is checked.
"""

from __future__ import annotations

import argparse
import json
from collections.abc import Iterable, Iterator
from pathlib import Path

from pipelineplan.cli.discovery import plans_below
from pipelineplan.cli.output import (
    coloured,
    envelope,
    finding_json,
    finding_text,
    from_here,
    placed,
    problem_json,
    safe,
    say,
    seen_from_here,
    show_problems,
)
from pipelineplan.errors import InputError, Problem
from pipelineplan.plan.judged import CheckResult
from pipelineplan.verdicts import Finding, Severity, Verdict
from pipelineplan.workflow import check

FORMATS = ("text", "json", "sarif", "junit")


def add_options(parser: argparse.ArgumentParser) -> None:
    """The options of `check`."""
    parser.add_argument("paths", nargs="+", metavar="PATH", help="plan files or folders")
    parser.add_argument("--format", choices=FORMATS, default="text")
    parser.add_argument(
        "--select", default="", metavar="CODES", help="only rules that start with these, by comma"
    )
    parser.add_argument(
        "--ignore", default="", metavar="CODES", help="no rules that start with these, by comma"
    )
    parser.add_argument(
        "--fail-on", choices=[s.value for s in Severity], default="error", help="default: error"
    )
    parser.add_argument(
        "--strict", action="store_true", help="unknown verdicts and assumptions count in full"
    )
    parser.add_argument("--env", metavar="NAME", help="lay the overlay of this environment over each plan")
    parser.add_argument("-v", "--verbose", action="store_true", help="also what holds and what only informs")


def run(options: argparse.Namespace) -> int:
    """Check every plan; what is wrong with one does not hide the others."""
    results: list[CheckResult] = []
    problems: list[Problem] = []
    for plan in _plans(options.paths, problems):
        try:
            results.append(_check(plan, options))
        except InputError as error:
            problems += seen_from_here(error.problems, plan)
    failed = any(result.at_least(Severity(options.fail_on)) for result in results)
    status = 2 if problems else int(failed)
    _print(results, problems, status, options)
    return status


def _plans(paths: Iterable[str], problems: list[Problem]) -> Iterator[Path]:
    for path in paths:
        try:
            yield from plans_below(Path(path))
        except InputError as error:
            problems += error.problems


def _check(plan: Path, options: argparse.Namespace) -> CheckResult:
    return check(
        plan,
        select=_codes(options.select),
        ignore=_codes(options.ignore),
        strict=options.strict,
        env=options.env,
    )


def _codes(text: str) -> list[str]:
    return [code.strip() for code in text.split(",") if code.strip()]


def _print(
    results: list[CheckResult], problems: list[Problem], status: int, options: argparse.Namespace
) -> None:
    match options.format:
        case "json":
            plans = [_result_json(result) for result in results]
            say(envelope("check", status, plans=plans, problems=[problem_json(p) for p in problems]))
        case "sarif":
            from pipelineplan import __version__
            from pipelineplan.bundle.as_sarif import as_sarif

            log = as_sarif(_all_findings(results), version=__version__, strict=options.strict)
            say(json.dumps(log, indent=2, ensure_ascii=False))
        case "junit":
            from pipelineplan.bundle.as_junit import as_junit

            fail_on = Severity(options.fail_on)
            say(as_junit(_all_findings(results), strict=options.strict, fail_on=fail_on).rstrip("\n"))
        case _:
            for result in results:
                _print_text(result, options)
    if problems and options.format != "json":
        show_problems(problems, "text", "check")


def _all_findings(results: list[CheckResult]) -> list[Finding]:
    return [finding for result in results for finding in result.findings]


def _result_json(result: CheckResult) -> dict[str, object]:
    findings = [finding_json(finding, strict=result.strict) for finding in result.findings]
    counts = {verdict.value: result.count(verdict) for verdict in Verdict}
    return {"plan": result.plan.name, "file": result.plan.file, "counts": counts, "findings": findings}


def _print_text(result: CheckResult, options: argparse.Namespace) -> None:
    root = result.plan.root.folder
    brief = (
        [] if options.verbose else [finding for finding in result.failing if _only_advises(finding, result)]
    )
    for finding in result.failing:
        if finding not in brief:
            say(finding_text(finding, strict=result.strict, root=root))
            say()
    if brief:
        codes = ", ".join(sorted({finding.code for finding in brief}))
        level = result.plan.model.metadata.quality_level
        say(f"open, and not required at the level {level!r} (--verbose lists them): {codes}\n")
    if options.verbose:
        for finding in result.findings:
            if finding.verdict is Verdict.HOLDS:
                place, message = placed(finding.position, root), safe(finding.message)
                say(f"{place}: {finding.code} {coloured('holds', 'holds')}: {message}")
    say(f"{result.plan.name} ({safe(from_here(result.plan.file, root))}): {_summary(result)}")


def _only_advises(finding: Finding, result: CheckResult) -> bool:
    """A criterion that this quality level does not require: named, not spelled out."""
    informs = finding.counts_as(strict=result.strict) is Severity.INFO
    return informs and finding.verdict is Verdict.FAILS and not finding.operands


def _summary(result: CheckResult) -> str:
    fails = [f.counts_as(strict=result.strict) for f in result.failing if f.verdict is Verdict.FAILS]
    errors, warnings, informing = (fails.count(severity) for severity in Severity)
    parts = (
        f"{errors} error{'' if errors == 1 else 's'}",
        f"{warnings} warning{'' if warnings == 1 else 's'}",
        f"{informing} for information",
        f"{result.count(Verdict.UNKNOWN)} unknown",
        f"{result.count(Verdict.HOLDS)} hold",
    )
    return ", ".join(parts)
