"""Segments: totals per slice of event time and bucket of keys, that add up whatever was counted first.

    slice   bucket   records   digest                  amount
       412       3     1,024   8817236418822931443     20418.50     source
       412       3     1,023   5512300912345560412     20399.50     destination: look into it

`partial` counts the rows of one shard in one pass, `merge` adds partial results, `finish` (in
`comparing`) judges them. The digest is a sum, never an exclusive or: two equal rows would cancel each
other out. It is kept modulo 2^64. Where rows are added up by key, it is linear in records and measures,
so that it does not depend on how many rows they are spread over.
"""

# ruff: noqa: S608 - names and values are quoted by `sql.identifier` and `sql.literal`

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from decimal import Context, Decimal
from functools import reduce

from pipelineplan.quality.reconciling.pair import Pair
from pipelineplan.quality.reconciling.reading import NO_WINDOW, Names, Reading
from pipelineplan.quality.reconciling.spans import Span

_DIGEST = 1 << 64
# Decimals of 38 digits: Python would round their sums to 28.
_EXACT = Context(prec=100)

Segment = tuple[int, int]


@dataclass(frozen=True, slots=True)
class Totals:
    """Of one segment of one role: records, the digest modulo 2^64, and the sum of each measure."""

    records: int
    digest: int
    sums: tuple[Decimal, ...] = ()

    def __add__(self, other: Totals) -> Totals:
        return Totals(
            self.records + other.records,
            (self.digest + other.digest) % _DIGEST,
            tuple(map(_EXACT.add, self.sums, other.sums)),
        )

    def __sub__(self, other: Totals) -> Totals:
        return Totals(
            self.records - other.records,
            (self.digest - other.digest) % _DIGEST,
            tuple(map(_EXACT.subtract, self.sums, other.sums)),
        )


def added_up(several: Sequence[Totals]) -> Totals:
    """The sum of one or more totals."""
    if len(several) == 1:
        return several[0]
    return Totals(
        sum(each.records for each in several),
        sum(each.digest for each in several) % _DIGEST,
        tuple(reduce(_EXACT.add, column) for column in zip(*(each.sums for each in several), strict=True)),
    )


@dataclass(frozen=True)
class Partial:
    """What was counted of one role: totals by segment, rows read, and the newest event time (us)."""

    role: str
    totals: Mapping[Segment, Totals] = field(default_factory=dict)
    newest_us: int | None = None


def partial(pair: Pair, reading: Reading) -> list[Partial]:
    """Count every role of `reading`, each in one pass over its rows."""
    return [counted(pair, reading, role) for role in reading.rows]


def merge(partials: Iterable[Partial]) -> dict[str, Partial]:
    """Add up partial results by role; in which order, and how they were cut, does not matter."""
    merged: dict[str, Partial] = {}
    for one in partials:
        before = merged.get(one.role)
        merged[one.role] = one if before is None else _added(before, one)
    return merged


def keyed(pair: Pair, reading: Reading, role: str, only: str = "", within: Sequence[Span] = ()) -> str:
    """The rows of `role` with their slice `w`, bucket `b` and digest `d`.

    `only` names a table of slices, and `within` are spans of time that hold these.
    """
    rows = reading.rows[role].select(pair.slice_us, only, within)
    hashed = f"SELECT *, {_hash(pair, _keys(reading.names))} AS h FROM ({rows})"
    bucket = f"(h % {pair.buckets})::BIGINT" if pair.buckets > 1 else "0::BIGINT"
    return f"SELECT *, {bucket} AS b, {_digest(pair, reading.names)} AS d FROM ({hashed})"


def counted(pair: Pair, reading: Reading, role: str) -> Partial:
    """Count one role of `reading`: the totals of its segments, and its newest event time."""
    records = "sum(n)" if pair.added_up else "count(*)"
    sums = "".join(f", sum(m{at})" for at in range(len(reading.names.measures)))
    # One bucket is no group: DuckDB would hash the constant with every row.
    bucket, by = ("b", "w, b") if pair.buckets > 1 else ("0", "w")
    rows = keyed(pair, reading, role)
    sql = f"SELECT w, {bucket}, {records}, sum(d), max(us){sums} FROM ({rows}) GROUP BY {by}"
    totals: dict[Segment, Totals] = {}
    times: list[int] = []
    for number, bucket, records, digest, latest, *summed in reading.connection.execute(sql).fetchall():
        segment = (NO_WINDOW if number is None else number, bucket)
        totals[segment] = Totals(int(records), int(digest or 0) % _DIGEST, tuple(map(_exact, summed)))
        if latest is not None:
            times.append(latest)
    return Partial(role, totals, max(times, default=None))


def _added(one: Partial, other: Partial) -> Partial:
    totals = dict(one.totals)
    for segment, found in other.totals.items():
        totals[segment] = totals[segment] + found if segment in totals else found
    times = [time for time in (one.newest_us, other.newest_us) if time is not None]
    return Partial(one.role, totals, max(times, default=None))


def _exact(value: Decimal | int | None) -> Decimal:
    return value if isinstance(value, Decimal) else Decimal(value or 0)


def _keys(names: Names) -> list[str]:
    return [f"k{at}" for at in range(len(names.keys))]


def _digest(pair: Pair, names: Names) -> str:
    """Of a whole row; or linear in what is added up: a factor by key times records and measures."""
    measures = [f"m{at}" for at in range(len(names.measures))]
    if not pair.added_up:
        return _hash(pair, ["h", *(f"v{at}" for at in range(len(names.values))), *measures])
    terms = [f"{_factor(pair, 'n')} * n"]
    for at, measure in enumerate(measures):
        scaled = f"CAST(coalesce({measure}, 0) * {10 ** names.digits[at]} AS HUGEINT)"
        terms.append(f"{_factor(pair, measure)} * {scaled}")
    return " + ".join(terms)


def _factor(pair: Pair, salt: str) -> str:
    """31 bits that depend on the key and on what they multiply."""
    return f"({_hash(pair, ['h', repr(salt)])} >> 33)::HUGEINT"


def _hash(pair: Pair, columns: list[str]) -> str:
    """DuckDB's own hash, or one that is the same in every version and on every machine."""
    if not pair.portable:
        return f"hash({', '.join(columns)})"
    texts = [f"coalesce(length({column}::VARCHAR) || ':' || {column}::VARCHAR, '-')" for column in columns]
    return f"md5_number_lower({' || '.join(texts)})"
