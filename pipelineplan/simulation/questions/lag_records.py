"""Recorded lag as exporters write it: offsets of each partition over time, from a CSV.

What the columns mean, and the names of metrics, `pipelineplan.facts.lag_rows` knows. Two of read
position, end of the log and lag give the third.
"""

from __future__ import annotations

import csv
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from pipelineplan.errors import InputError, Position, Problem
from pipelineplan.facts.lag_rows import END, LAG, READ, LagColumns, columns_of, group_of
from pipelineplan.simulation.sharing import Floats

_MOST_BYTES = 500_000_000


@dataclass(frozen=True)
class LagRecord:
    """Counts of each partition `[partition, time]`: `read` and `end`; seconds since the first in `time`."""

    time: Floats
    read: Floats
    end: Floats


def read_lag(file: Path, topic: str | None = None, group: str | None = None) -> LagRecord:
    """Read a CSV of recorded lag; with `topic` and `group`, only their rows.

    Raises `InputError` for a file that is none, and where more than one topic or group is in it and
    none is named.
    """
    if not file.is_file() or file.stat().st_size > _MOST_BYTES:
        raise _wrong(file, "found no file of at most 500 MB, wanted a CSV of recorded lag")
    found: dict[tuple[str, int], dict[float, float]] = {}
    with file.open(encoding="utf-8-sig", errors="replace", newline="") as text:
        reader = csv.DictReader(text)
        columns = _columns(file, [name or "" for name in reader.fieldnames or ()])
        seen: set[tuple[str, str]] = set()
        for number, row in enumerate(reader, start=2):
            plain = columns.plain(row)
            own = (plain.get("topic", ""), group_of(plain))
            if (topic is not None and own[0] != topic) or (group is not None and own[1] not in {group, ""}):
                continue
            try:
                for role, partition, when, value in columns.numbers(plain):
                    found.setdefault((role, partition), {})[when] = value
                    seen.add(own)
            except ValueError as error:
                raise _wrong(file, str(error), number) from None
    _one_reader(file, seen)
    return _aligned(file, found)


def _columns(file: Path, names: Sequence[str]) -> LagColumns:
    columns = columns_of(names)
    if columns is None:
        found = ", ".join(name.strip().lower().replace("-", "_") for name in names) or "none"
        wanted = "time, partition, and metric with value, or columns as lag, current_offset, log_end_offset"
        raise _wrong(file, f"found the columns {found}; wanted {wanted}")
    return columns


def _one_reader(file: Path, seen: set[tuple[str, str]]) -> None:
    for place, what in enumerate(("topic", "group")):
        names = sorted({own[place] for own in seen} - {""})
        if len(names) > 1:
            raise _wrong(file, f"found more than one {what} ({', '.join(names[:5])}): name one with --{what}")


def _aligned(file: Path, found: dict[tuple[str, int], dict[float, float]]) -> LagRecord:
    """All partitions at the times that all of them have, the missing one of three from the others."""
    partitions = sorted({partition for _, partition in found})
    roles = {role for role, _ in found}
    if not partitions or len(roles) < 2:
        had = ", ".join(sorted(roles)) or "nothing known"
        raise _wrong(file, f"found {had}; wanted two of read position, end of the log and lag")
    two = (END, READ) if {END, READ} <= roles else tuple(sorted(roles))
    times = sorted(
        set.intersection(*(set(found.get((role, each), {})) for role in two for each in partitions))
    )
    if len(times) < 3:
        raise _wrong(
            file, f"found {len(times)} times at which all partitions are recorded, wanted at least 3"
        )
    counts = {
        role: np.array([[found[role, each][when] for when in times] for each in partitions]) for role in two
    }
    end = counts[END] if END in counts else counts[READ] + counts[LAG]
    read = counts[READ] if READ in counts else end - counts[LAG]
    return LagRecord(np.array(times) - times[0], read, end)


def _wrong(file: Path, message: str, line: int = 1) -> InputError:
    return InputError([Problem(message, Position(str(file), line))])
