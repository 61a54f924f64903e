"""From segments that differ to the very keys: what is missing, extra, changed, or there too often.

Only rows of differing segments are read, a bounded number at a time, and grouped by key with the
source's rows counted up and everything else counted down: what is left differs. That takes one group
and no join, and finds both directions at once.
"""

# ruff: noqa: S608 - names and values are quoted by `sql.identifier` and `sql.literal`

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any

from pipelineplan.quality.reconciling.comparing import Compared
from pipelineplan.quality.reconciling.pair import TERMS, Pair
from pipelineplan.quality.reconciling.reading import Reading
from pipelineplan.quality.reconciling.segments import Segment, keyed
from pipelineplan.quality.reconciling.spans import spans_of

ROWS_AT_A_TIME = 1_500_000
MOST_KEYS = 10_000
_ROLES = ("source", "destination", *TERMS)


class Kind(StrEnum):
    """How a key differs."""

    MISSING = "missing"
    EXTRA = "extra"
    CHANGED = "changed"
    REPEATED = "repeated"


@dataclass(frozen=True)
class KeyDifference:
    """One key of one window: its values as text, records on each side, and what changed.

    `accounted` are records of the terms. `changes` gives column, value in the source, value in the
    destination, for keys that changed.
    """

    window: int
    key: tuple[str | None, ...]
    kind: Kind
    source: int
    destination: int
    accounted: int = 0
    changes: tuple[tuple[str, str | None, str | None], ...] = ()


@dataclass
class Drilled:
    """What was found: keys by window and kind, records that differ by window, and the first keys."""

    keys: Counter[tuple[int, Kind]] = field(default_factory=Counter)
    records: Counter[tuple[int, Kind]] = field(default_factory=Counter)
    first: list[KeyDifference] = field(default_factory=list)


def drill(pair: Pair, reading: Reading, compared: Compared, most_keys: int = MOST_KEYS) -> Drilled:
    """The keys behind every differing segment of a closed window; the first `most_keys` by name."""
    drilled = Drilled()
    for chunk in _chunks(compared):
        _ask(pair, reading, chunk)
        for window, kind, keys, records in reading.connection.execute(_COUNTED).fetchall():
            drilled.keys[int(window), Kind(kind)] += int(keys)
            drilled.records[int(window), Kind(kind)] += int(records)
        left = most_keys - len(drilled.first)
        if left > 0:
            drilled.first += _first(pair, reading, left)
    return drilled


_COUNTED = (
    "SELECT w, kind, count(*), sum(greatest(abs(s - o), 1)) FROM found GROUP BY w, kind ORDER BY w, kind"
)


def _chunks(compared: Compared) -> Iterator[list[Segment]]:
    """Differing segments, by time, with about so many rows at a time; a window is never cut."""
    chunk: list[Segment] = []
    rows = 0
    for window in compared.closed:
        own = sum(window.differing.values())
        if chunk and rows + own > ROWS_AT_A_TIME:
            yield chunk
            chunk, rows = [], 0
        chunk += window.differing
        rows += own
    if chunk:
        yield chunk


def _ask(pair: Pair, reading: Reading, chunk: Sequence[Segment]) -> None:
    """Put the rows of `chunk` into the table `looked_at`, and its differing keys into `found`."""
    slices, buckets = zip(*chunk, strict=True)
    reading.connection.execute(
        "CREATE OR REPLACE TEMP TABLE wanted AS SELECT unnest(?::BIGINT[]) AS w, unnest(?::BIGINT[]) AS b",
        [list(slices), list(buckets)],
    )
    window = f"CAST(floor(w / {pair.slices}) AS BIGINT)"
    kept = ", ".join((*_keys(reading), *_compared(reading), "n", "d"))
    among = " SEMI JOIN wanted USING (w, b)" if pair.buckets > 1 else ""
    within = spans_of(sorted(set(slices)), pair.slice_us)
    sides = [
        f"SELECT {window} AS w, {kept}, {at}::UTINYINT AS role "
        f"FROM ({keyed(pair, reading, role, 'wanted', within)}){among}"
        for at, role in enumerate(_ROLES)
        if role in reading.rows
    ]
    both = " UNION ALL ".join(sides)
    reading.connection.execute(f"CREATE OR REPLACE TEMP TABLE looked_at AS {both}")
    reading.connection.execute(f"CREATE OR REPLACE TEMP TABLE found AS {_grouped(pair, reading)}")


def _grouped(pair: Pair, reading: Reading) -> str:
    """Per window and key that differs: records of the source, the destination and the terms, and how."""
    keys = ", ".join(_keys(reading))
    counts = (
        "coalesce(sum(n) FILTER (role = 0), 0)::BIGINT AS s, "
        "coalesce(sum(n) FILTER (role = 1), 0)::BIGINT AS dn, "
        "coalesce(sum(n) FILTER (role > 1), 0)::BIGINT AS t, dn + t AS o"
    )
    balance = "sum(CASE WHEN role = 0 THEN d::HUGEINT ELSE -(d::HUGEINT) END)"
    grouped = f"SELECT w, {keys}, {counts} FROM looked_at GROUP BY w, {keys} HAVING s <> o OR {balance} <> 0"
    uneven = Kind.CHANGED if pair.added_up else Kind.REPEATED
    kind = (
        f"CASE WHEN o = 0 THEN '{Kind.MISSING}' WHEN s = 0 THEN '{Kind.EXTRA}' "
        f"WHEN s <> o THEN '{uneven}' ELSE '{Kind.CHANGED}' END"
    )
    return f"SELECT *, {kind} AS kind FROM ({grouped})"


def _compared(reading: Reading) -> list[str]:
    names = reading.names
    return [f"v{at}" for at in range(len(names.values))] + [f"m{at}" for at in range(len(names.measures))]


def _keys(reading: Reading) -> list[str]:
    return [f"k{at}" for at in range(len(reading.names.keys))]


def _first(pair: Pair, reading: Reading, most: int) -> list[KeyDifference]:
    """The first differing keys by window and key, as they are called in the data, with their values."""
    keys = _keys(reading)
    same = " AND ".join(f"l.{name} IS NOT DISTINCT FROM f.{name}" for name in ("w", *keys))
    picked = ", ".join([f"f.{key}::VARCHAR AS t{at}" for at, key in enumerate(keys)] + _values(pair, reading))
    first = f"SELECT * FROM found ORDER BY w, {', '.join(keys)} LIMIT {most}"
    own = ", ".join(f"f.{name}" for name in ("w", "kind", "s", "dn", "t", *keys))
    order = ", ".join(f"f.{name}" for name in ("w", *keys))
    sql = (
        f"SELECT f.w, f.kind, f.s, f.dn, f.t, {picked} FROM ({first}) AS f "
        f"LEFT JOIN looked_at AS l ON {same} GROUP BY {own} ORDER BY {order}"
    )
    rows = reading.connection.execute(sql).fetchall()
    return [_difference(reading, len(keys), row) for row in rows]


def _values(pair: Pair, reading: Reading) -> list[str]:
    """Compared columns and measures of a key, in the source and in the destination, as text."""
    names = reading.names
    measure = "sum" if pair.added_up else "min"
    shown = [f"min(l.v{at})" for at in range(len(names.values))]
    shown += [f"{measure}(l.m{at})" for at in range(len(names.measures))]
    return [f"({value} FILTER (l.role = {side}))::VARCHAR" for value in shown for side in (0, 1)]


def _difference(reading: Reading, width: int, row: Sequence[Any]) -> KeyDifference:
    window, kind, source, destination, terms, *values = row
    key, pairs = values[:width], values[width:]
    titles = (*reading.names.values, *reading.names.measures)
    changes = tuple(
        (title, _plain(pairs[2 * at]), _plain(pairs[2 * at + 1]))
        for at, title in enumerate(titles)
        if pairs[2 * at] != pairs[2 * at + 1]
    )
    told = changes if source and destination else ()
    return KeyDifference(window, tuple(key), Kind(kind), source, destination, terms, told)


def _plain(value: str | None) -> str | None:
    """A number without the zeros that only its type has."""
    is_decimal = value is not None and re.fullmatch(r"-?\d+\.\d+", value)
    return value.rstrip("0").rstrip(".") if value is not None and is_decimal else value
