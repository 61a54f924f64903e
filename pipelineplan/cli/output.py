"""What commands print: text for people, one JSON envelope for machines, and nothing that bites.

Results go to stdout and everything else to stderr. Text that came from a plan is stripped of
control characters before it reaches a terminal. Colour is used on a terminal, unless NO_COLOR;
FORCE_COLOR asks for it anywhere.
"""

from __future__ import annotations

import json
import os
import sys
from collections.abc import Iterable
from dataclasses import replace
from pathlib import Path
from typing import Any

from pipelineplan import __version__
from pipelineplan.documents.root import find_root
from pipelineplan.errors import Position, Problem
from pipelineplan.verdicts import Finding, Severity, Verdict

_COLOURS = {
    "fails": "31",
    "unknown": "33",
    "holds": "32",
    "dim": "2",
    "bold": "1",
    "error": "31",
    "warning": "33",
}


def say(text: str = "") -> None:
    """One line of the result, on stdout."""
    print(text)


def note(text: str) -> None:
    """One line beside the result, on stderr."""
    print(text, file=sys.stderr)


def safe(text: str) -> str:
    """`text` without control characters, so that a plan cannot drive somebody's terminal."""
    return "".join(c if c.isprintable() or c in "\n\t" else "\N{REPLACEMENT CHARACTER}" for c in text)


def from_here(file: str, root: Path | None) -> str:
    """`file`, which is named relative to `root`, as it is called from the working directory.

    A name that cannot be found that way is left as it is.
    """
    if root is None or not (root / file).exists():
        return file
    try:
        return Path(os.path.relpath(root / file)).as_posix()
    except ValueError:  # another drive
        return file


def placed(position: Position, root: Path | None) -> str:
    """A position whose file can be opened from the working directory, safe for a terminal."""
    return safe(str(position._replace(file=from_here(position.file, root))))


def coloured(text: str, meaning: str) -> str:
    """`text` in the colour that `meaning` has, where colour is wanted."""
    code = _COLOURS.get(meaning)
    if code is None or not _colour_is_wanted():
        return text
    return f"\033[{code}m{text}\033[0m"


def _colour_is_wanted() -> bool:
    """On a terminal that can; never with NO_COLOR, always with FORCE_COLOR, as a log of a CI run may want."""
    if os.environ.get("NO_COLOR"):
        return False
    if os.environ.get("FORCE_COLOR"):
        return True
    return sys.stdout.isatty() and os.environ.get("TERM") != "dumb"


def envelope(command: str, status: int, **content: Any) -> str:
    """The one JSON document that a command prints: schema, tool, status, and its own content."""
    whole = {
        "schema": f"pipelineplan/{command}/v1",
        "tool": {"name": "pipelineplan", "version": __version__},
        "exit_status": status,
        **content,
    }
    return json.dumps(whole, indent=2, ensure_ascii=False, allow_nan=False)


def seen_from_here(problems: Iterable[Problem], plan: Path) -> list[Problem]:
    """The problems of `plan` with files named from the working directory and not from its root."""
    root = find_root(plan) if plan.exists() else None
    return [
        replace(one, position=one.position._replace(file=from_here(one.position.file, root)))
        for one in problems
    ]


def show_problems(problems: Iterable[Problem], chosen_format: str, command: str) -> None:
    """Every problem of an input: with the line and a caret as text, or in the envelope."""
    found = list(problems)
    if chosen_format == "json":
        say(envelope(command, 2, problems=[problem_json(problem) for problem in found]))
        return
    for problem in found:
        note(coloured(safe(str(problem)), "bold") if sys.stderr.isatty() else safe(str(problem)))
        if problem.source_line:
            note(_caret(problem.source_line, problem.position.line, problem.position.column))
    many = f"{len(found)} problems keep" if len(found) != 1 else "1 problem keeps"
    note(f"{many} this input from being used")


def problem_json(problem: Problem) -> dict[str, Any]:
    """A problem as plain data."""
    place = problem.position
    return {
        "message": problem.message,
        "path": problem.path,
        "file": place.file,
        "line": place.line,
        "column": place.column,
        "fix": problem.fix,
    }


def finding_text(finding: Finding, *, strict: bool, root: Path | None = None) -> str:
    """A finding as text: where, what, the line with a caret, what would make it hold."""
    severity = finding.counts_as(strict=strict)
    verdict = coloured(finding.verdict.value, finding.verdict.value)
    weight = (
        "" if severity is Severity.INFO and finding.verdict is Verdict.UNKNOWN else f" ({severity.value})"
    )
    place = placed(finding.position, root)
    lines = [f"{place}: {finding.code} {verdict}{weight}: {safe(finding.title)}"]
    if finding.source_line:
        lines.append(_caret(finding.source_line, finding.position.line, finding.position.column))
    lines.append(f"  {safe(finding.message)}")
    if finding.rests_on:
        lines.append(f"  rests on an assumption: {', '.join(_assumed(finding))}")
    if finding.nearest:
        lines += ["  any one of these would hold:", *(f"    - {safe(change)}" for change in finding.nearest)]
    elif _adds(finding):
        lines.append(f"  fix: {safe(finding.fix)}")
    return "\n".join(lines)


def _adds(finding: Finding) -> bool:
    """Whether the fix says what the message has not said already."""
    judged = bool(finding.operands) or finding.verdict is Verdict.FAILS
    return judged and bool(finding.fix) and finding.fix not in finding.message


def _assumed(finding: Finding) -> list[str]:
    named = {operand.symbol: operand for operand in finding.operands}
    return [f"{named[symbol].name} {named[symbol].shown}" for symbol in finding.rests_on if symbol in named]


def _caret(line: str, number: int, column: int) -> str:
    """The source line, cut to a window around the column, and a caret under it."""
    start = max(0, column - 61)
    shown = safe(line[start : start + 100]).replace("\t", " ")
    return f"  {number:>4} | {shown}\n       | {' ' * (column - 1 - start)}^"
