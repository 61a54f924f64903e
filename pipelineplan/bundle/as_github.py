"""Findings as workflow commands of GitHub Actions: an annotation at the line that is wrong.

    ::error file=plans/orders.yaml,line=12,col=5,title=CAP101 The busiest worker::CAP101: 1,833/s of 1,500/s

Whatever came from a plan is one line, and the characters that end a value or a command are encoded.
Source: GitHub Docs, Workflow commands for GitHub Actions, "Setting an error message"; the encoding is
that of actions/toolkit, packages/core/src/command.ts.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from pipelineplan.bundle.escaping import line
from pipelineplan.errors import Position, Problem
from pipelineplan.verdicts import Severity
from pipelineplan.verdicts.of_plan import PlanVerdicts

_COMMANDS = {Severity.ERROR: "error", Severity.WARNING: "warning"}


def as_github(results: Iterable[PlanVerdicts], problems: Iterable[Problem] = ()) -> str:
    """One command a line: for every problem, and for every open finding that counts as an error or a warning.

    GitHub shows ten annotations of each kind for a step, so the worst of a plan come first and what
    only informs stays out.
    """
    return "\n".join([*map(_of_problem, problems), *_of_findings(results)])


def _of_problem(problem: Problem) -> str:
    fix = f"; {problem.fix}" if problem.fix else ""
    return _command("error", problem.position, "cannot be read", f"{problem.message}{fix}")


def _of_findings(results: Iterable[PlanVerdicts]) -> Iterator[str]:
    for result in results:
        for finding in result.failing:
            severity = finding.counts_as(strict=result.strict)
            if severity is not Severity.INFO:
                title = f"{finding.code} {finding.title}"
                ending = f" -- {finding.fix}" if finding.fix and finding.fix not in finding.message else ""
                message = f"{finding.code}: {finding.message}{ending}"  # a log shows no titles
                yield _command(_COMMANDS[severity], finding.position, title, message)


def _command(kind: str, place: Position, title: str, message: str) -> str:
    pairs = [("file", place.file)]
    if place.line > 0:
        pairs += [("line", str(place.line)), ("col", str(max(1, place.column)))]
    pairs.append(("title", title))
    values = ",".join(f"{key}={_value(text)}" for key, text in pairs)
    return f"::{kind} {values}::{_message(message)}"


def _message(text: str) -> str:
    return line(text).replace("%", "%25")


def _value(text: str) -> str:
    return _message(text).replace(":", "%3A").replace(",", "%2C")
