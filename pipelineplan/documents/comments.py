"""Comments of a plan file that speak to the tool: findings that somebody lives with, why, and until when.

    capacity: 2_000/s    # pipelineplan: ignore CAP101 until 2027-01-31 -- more workers come in January

A comment on a line of its own speaks of the next line that says something. Text that only looks like a
comment, inside a quoted or a folded value, is no comment: that is asked of the YAML parser.
"""

from __future__ import annotations

import datetime as dt
import re
from bisect import bisect
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import yaml

from pipelineplan.errors import Position

_LOADER: Any = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
_MARK = re.compile(r"(?:^|(?<=\s))#\s*pipelineplan\s*:\s*(?P<says>.*)$")
_SAYS = re.compile(
    r"ignore\s+(?P<codes>[\w, ]+?)(?:\s+until\s+(?P<until>\S+))?\s*(?:--\s*(?P<reason>.*?)\s*)?\Z"
)
_CODE = re.compile(r"[A-Z]{3}(?:\d{3})?\Z")
_WANTED = "wanted: ignore CODE[, CODE] [until YYYY-MM-DD] -- reason"
MOST_COMMENTS = 1000
_LONGEST = 1000


@dataclass(frozen=True)
class Ignoring:
    """One comment: the codes (or families) that it lets pass on line `of_line`, until which day, and why.

    `fault` says what keeps it from being understood; then it lets nothing pass.
    """

    position: Position
    of_line: int
    codes: tuple[str, ...] = ()
    until: str = ""
    reason: str = ""
    fault: str = ""
    source_line: str = ""


def comments_in(lines_by_file: Mapping[str, Sequence[str]]) -> tuple[Ignoring, ...]:
    """Every comment to the tool in the files of a plan, in the order of their places."""
    return tuple(
        one
        for file, lines in lines_by_file.items()
        if any("pipelineplan" in line and _MARK.search(line) for line in lines)
        for one in _in_file(file, lines)
    )


def _in_file(file: str, lines: Sequence[str]) -> Iterator[Ignoring]:
    values = _values("\n".join(lines))
    found = 0
    for number, line in enumerate(lines, 1):
        mark = _MARK.search(line)
        while mark is not None and _inside((number - 1, mark.start()), values):
            mark = _MARK.search(line, mark.start() + 1)
        if mark is None or found >= MOST_COMMENTS:
            continue
        found += 1
        own_line = not line[: mark.start()].strip()
        of_line = _next_said(lines, number) if own_line else number
        yield _read(mark["says"], Position(file, number, mark.start() + 1), of_line, line)


def _values(text: str) -> list[tuple[tuple[int, int], tuple[int, int]]]:
    """Where every scalar begins and ends, as (line, column) from 0."""
    events = yaml.parse(text, Loader=_LOADER)
    scalars: list[Any] = [event for event in events if isinstance(event, yaml.ScalarEvent)]
    marks = [(scalar.start_mark, scalar.end_mark) for scalar in scalars]
    return [((start.line, start.column), (end.line, end.column)) for start, end in marks]


def _inside(place: tuple[int, int], values: list[tuple[tuple[int, int], tuple[int, int]]]) -> bool:
    before = bisect(values, place, key=lambda value: value[0]) - 1
    return before >= 0 and place < values[before][1]


def _next_said(lines: Sequence[str], number: int) -> int:
    """The number of the next line that is neither empty nor a comment; that of the comment if none is."""
    for later in range(number, len(lines)):
        text = lines[later].strip()
        if text and not text.startswith("#") and text != "---":
            return later + 1
    return number


def _read(says: str, position: Position, of_line: int, line: str) -> Ignoring:
    match = _SAYS.match(says.strip()) if len(says) <= _LONGEST else None
    if match is None:
        return Ignoring(position, of_line, fault=f"found {says.strip()[:80]!r}, {_WANTED}", source_line=line)
    codes = tuple(code for code in re.split(r"[,\s]+", match["codes"]) if code)
    strange = [code for code in codes if not _CODE.match(code)]
    until = match["until"] or ""
    fault = f"{', '.join(strange)!r} is no code, {_WANTED}" if strange or not codes else day_fault(until)
    return Ignoring(position, of_line, codes, until, match["reason"] or "", fault, line)


def day_fault(day: str) -> str:
    """What is wrong with a day written as text; empty where nothing is, or where none is written."""
    try:
        written = bool(day) and dt.date.fromisoformat(day).isoformat() != day
    except ValueError:
        written = True
    return f"{day!r} is no day of the calendar, wanted YYYY-MM-DD" if written else ""


def has_passed(until: str, as_of: dt.date) -> bool:
    """Whether the last day `until`, if there is one, lies before `as_of`."""
    return bool(until) and dt.date.fromisoformat(until) < as_of
