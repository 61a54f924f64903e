"""A recorded rate over time, read from CSV: what really arrived, interval by interval.

    timestamp,value                          interval: 5 min (the value counts what came in it)
    2015-02-26 21:42:53,104          ->      0 s to 300 s:     0.3467 records/s
    2015-02-26 21:47:53,100                  300 s to 600 s:   0.3333 records/s

A column of rates (`rate_per_second`) needs no interval: each rate holds until the next row.
"""

from __future__ import annotations

import csv
import math
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from difflib import get_close_matches
from itertools import pairwise
from pathlib import Path

from pipelineplan.documents.reads import bytes_of
from pipelineplan.errors import InputError, Position, Problem

MOST_BYTES = 64 * 1024 * 1024
MOST_PROBLEMS = 20

_TIMES = ("timestamp", "time", "start_seconds", "seconds", "datetime", "date", "ts")
_RATES = ("rate_per_second", "records_per_second", "events_per_second", "per_second", "rate")
_COUNTS = ("value", "count", "records", "events", "requests", "messages")
# Numbers beyond this are milliseconds since 1970, not seconds: it is the year 5138.
_LATEST_SECONDS = 1e11


@dataclass(frozen=True)
class RateTrace:
    """Piecewise constant arrivals: `steps` of `(start_seconds, rate_per_second)`, from 0, rising.

    The last step ends at `length_seconds`. `starts_at` is the first time as it is written.
    """

    steps: tuple[tuple[float, float], ...]
    length_seconds: float
    starts_at: str = ""

    @property
    def average_per_second(self) -> float:
        """Records over the whole trace by its length."""
        ends = [start for start, _ in self.steps[1:]] + [self.length_seconds]
        held = zip(self.steps, ends, strict=True)
        return math.fsum(rate * (end - start) for (start, rate), end in held) / self.length_seconds

    @property
    def peak_per_second(self) -> float:
        """The highest rate of any step."""
        return max(rate for _, rate in self.steps)


@dataclass(frozen=True)
class _Row:
    line: int
    seconds: float
    value: float
    written: str


def read_trace(
    file: Path,
    shown_as: str | None = None,
    interval_seconds: float | None = None,
    *,
    time: str | None = None,
    value: str | None = None,
) -> RateTrace:
    """Read a rate trace from the CSV `file`; `time` and `value` name columns that cannot be guessed.

    With `interval_seconds` each value counts the records of the interval that begins at its
    time, and an interval without a row counted none; without it the values are rates. Raises
    `InputError` with the line of every problem: unreadable, no such columns, values that are no
    numbers or negative, times that do not rise, counts without an interval.
    """
    name = shown_as or str(file)
    problems: list[Problem] = []
    lines = list(csv.reader(_text(file, name).splitlines(), delimiter=_delimiter(file)))
    if not lines:
        raise InputError([Problem("the file is empty, wanted a header and rows", Position(name, 1, 1))])
    at, of, counts = _columns(lines[0], name, time, value, interval_seconds)
    rows = list(_rows(lines, at, of, name, problems))
    _require_rising(rows, interval_seconds if counts else None, name, problems)
    if not problems and len(rows) < (1 if counts else 2):
        problems.append(Problem(f"found {len(rows)} rows, wanted at least two", Position(name)))
    if problems:
        raise InputError(problems[:MOST_PROBLEMS])
    return _counted(rows, interval_seconds) if counts and interval_seconds else _held(rows)


def _text(file: Path, name: str) -> str:
    try:
        content = bytes_of(file, MOST_BYTES + 1)
        if len(content) > MOST_BYTES:
            size = f"larger than {MOST_BYTES // 1024**2} MiB, wanted a trace of steps and not of records"
            raise InputError([Problem(size, Position(name))])
        return content.decode("utf-8-sig")
    except OSError as error:
        reason = (error.strerror or str(error)).lower()
        raise InputError([Problem(f"cannot be read: {reason}", Position(name))]) from error
    except UnicodeDecodeError as error:
        raise InputError([Problem("is not UTF-8 text, wanted CSV", Position(name))]) from error


def _delimiter(file: Path) -> str:
    with file.open(encoding="utf-8-sig") as stream:
        header = stream.readline(10_000)
    return max(",;\t", key=header.count)


def _columns(
    header: list[str], name: str, time: str | None, value: str | None, interval: float | None
) -> tuple[int, int, bool]:
    """The columns of time and value, and whether the values are counts."""
    columns = [column.strip() for column in header]
    at = _column(columns, name, time, _TIMES, "times")
    wanted = _RATES if interval is None else (*_COUNTS, *_RATES)
    of = _column(columns, name, value, (*wanted, *_COUNTS), "values")
    is_rate = columns[of].lower() in _RATES
    if interval is None and value is None and not is_rate:
        found = f"the column {columns[of]!r} counts records, but over which interval is not said"
        fix = "declare the interval beside the trace, or name the column rate_per_second"
        raise InputError([Problem(found, Position(name, 1, 1), fix=fix)])
    if interval is not None and is_rate:
        found = f"the column {columns[of]!r} is per second, but an interval is declared as for counts"
        raise InputError([Problem(found, Position(name, 1, 1), fix="leave one of them out")])
    return at, of, interval is not None


def _column(columns: list[str], name: str, asked: str | None, known: tuple[str, ...], what: str) -> int:
    if asked is not None and asked in columns:
        return columns.index(asked)
    lowered = [column.lower() for column in columns]
    found = [lowered.index(word) for word in known if word in lowered]
    if asked is None and found:
        return found[0]
    close = get_close_matches(asked, columns, n=1) if asked else []
    wanted = repr(asked) if asked else f"one of {', '.join(known)}"
    fix = f"did you mean {close[0]!r}?" if close else "name the column"
    message = f"found the columns {', '.join(columns)[:200]}, wanted {what} in {wanted}"
    raise InputError([Problem(message, Position(name, 1, 1), fix=fix)])


def _rows(lines: list[list[str]], at: int, of: int, name: str, problems: list[Problem]) -> Iterator[_Row]:
    for line, cells in enumerate(lines[1:], start=2):
        if not cells:
            continue
        if len(cells) <= max(at, of):
            problems.append(
                Problem(f"found {len(cells)} columns, wanted {len(lines[0])}", Position(name, line))
            )
            continue
        seconds = _read(cells[at], _seconds, "a time such as 2026-01-31 12:00:00", name, line, problems)
        value = _read(cells[of], _amount, "a number of 0 or more", name, line, problems)
        if seconds is not None and value is not None:
            yield _Row(line, seconds, value, cells[at].strip())


def _read(
    text: str, read: Callable[[str], float], wanted: str, name: str, line: int, problems: list[Problem]
) -> float | None:
    try:
        return read(text.strip())
    except ValueError:
        problems.append(Problem(f"found {text[:60]!r}, wanted {wanted}", Position(name, line)))
        return None


def _amount(text: str) -> float:
    number = float(text)
    if not 0 <= number < math.inf:
        raise ValueError(text)
    return number


def _seconds(text: str) -> float:
    """Seconds since 1970, or since anything if the text is a small number; zoneless is UTC."""
    try:
        number = float(text)
    except ValueError:
        moment = datetime.fromisoformat(text)
        return (moment if moment.tzinfo else moment.replace(tzinfo=UTC)).timestamp()
    if not math.isfinite(number):
        raise ValueError(text)
    return number / 1000 if abs(number) > _LATEST_SECONDS else number


def _require_rising(rows: list[_Row], interval: float | None, name: str, problems: list[Problem]) -> None:
    for row, later in pairwise(rows):
        apart = later.seconds - row.seconds
        if apart <= 0:
            message = f"found {later.written} after {row.written}, wanted times that rise"
            problems.append(Problem(message, Position(name, later.line)))
        elif interval is not None and apart < interval * (1 - 1e-9):
            message = f"found rows {apart:g} s apart, wanted at least the interval of {interval:g} s"
            fix = "declare the interval that each value really counts"
            problems.append(Problem(message, Position(name, later.line), fix=fix))


def _counted(rows: list[_Row], interval: float) -> RateTrace:
    """Counts by their interval; a step of zero where an interval has no row."""
    first = rows[0].seconds
    steps: list[tuple[float, float]] = []
    end = 0.0
    for row in rows:
        start = row.seconds - first
        if start > end + interval * 1e-9:
            steps.append((end, 0.0))
        steps.append((start, row.value / interval))
        end = start + interval
    return RateTrace(tuple(steps), end, rows[0].written)


def _held(rows: list[_Row]) -> RateTrace:
    """Rates that hold until the next row, the last as long as the one before it."""
    first = rows[0].seconds
    starts = [row.seconds - first for row in rows]
    length = starts[-1] + (starts[-1] - starts[-2])
    return RateTrace(
        tuple((start, row.value) for start, row in zip(starts, rows, strict=True)), length, rows[0].written
    )
