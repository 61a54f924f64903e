# ruff: noqa: S608 -- every identifier and literal in SQL goes through quoted() or literal()
"""What needs the records grouped: skew over keys and partitions, clocks that differ, duplicates.

The database groups, exactly, and writes what does not fit into memory to a temporary folder.

A clock that is ahead makes records look fresh: the least lateness that any record of a device or
partition had is the way there plus how far that clock is behind. Held against the median over all of
them, what is left is the clock, or a way that is always longer (minimum filtering; D. Mills, Internet
Time Synchronization: the Network Time Protocol, IEEE Transactions on Communications 39, 1991).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from pipelineplan.profiling.files import quoted
from pipelineplan.profiling.partials import SECOND_US
from pipelineplan.profiling.recording import Recording
from pipelineplan.sources import ClockSkew, Duplicates, Split

_LARGEST_SHARES = 20
# With fewer records the least lateness says more about chance than about the clock.
ENOUGH_RECORDS = 30


@dataclass(frozen=True)
class Groups:
    """How records spread over the values of one column, and how the clocks of these values differ."""

    split: Split
    skew: ClockSkew | None


def groups_by(recording: Recording, column: str | None) -> Groups | None:
    """The groups of `column`; None without a column or without records."""
    if column is None:
        return None
    name = quoted(column)
    late = "min(arrival_us - event_us)" if recording.arrival is not None else "NULL::BIGINT"
    figures = f"coalesce({name}::VARCHAR, '') AS v, count(*) AS n, {late} AS least"
    grouped = f"SELECT {figures} FROM readable GROUP BY {name}"
    enough = f"FILTER (WHERE n >= {ENOUGH_RECORDS})"
    figures = ", ".join(
        [
            f"count(*), sum(n), max(n, {_LARGEST_SHARES}), count(least) {enough}, median(least) {enough}",
            f"min(least) {enough}, arg_min(v, (least, v)) {enough}",
            f"max(least) {enough}, arg_max(v, (least, v)) {enough}",
        ]
    )
    row = recording.aggregate(f"SELECT {figures} FROM ({grouped})", [column])[0]
    values, events, largest, compared, middle, least, ahead, most, behind = row
    if not values:
        return None
    shares = tuple(int(count) / int(events) for count in largest)
    skew = None
    if compared > 1:
        skew = clock_skew(column, int(compared), float(middle), (int(least), ahead), (int(most), behind))
    return Groups(Split(column, int(values), shares[0], shares), skew)


def clock_skew(
    column: str,
    compared: int,
    middle_us: float,
    least: tuple[int, str],
    most: tuple[int, str],
) -> ClockSkew:
    """Clocks held against the median: the value with the least and the most of least latenesses."""
    return ClockSkew(
        column,
        compared,
        least[1],
        (middle_us - least[0]) / SECOND_US,
        most[1],
        (most[0] - middle_us) / SECOND_US,
    )


def duplicates_by(recording: Recording, columns: Sequence[str]) -> Duplicates | None:
    """Events beyond the first with the same values of `columns`, and how far apart such events came."""
    if not columns:
        return None
    names = ", ".join(quoted(column) for column in columns)
    clock = "arrival_us" if recording.arrival is not None else "event_us"
    grouped = f"SELECT count(*) AS n, max({clock}) - min({clock}) AS apart FROM readable GROUP BY {names}"
    figures = "sum(n), coalesce(sum(n - 1), 0), max(apart) FILTER (WHERE n > 1)"
    events, count, apart = recording.aggregate(f"SELECT {figures} FROM ({grouped})", columns)[0]
    if not events:
        return None
    return Duplicates(tuple(columns), int(count), int(count) / int(events), (apart or 0) / SECOND_US)
