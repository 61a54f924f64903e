"""Reconciles a pair over files: count segments, compare the closed windows, drill into those that differ.

files -> partial -> merge -> finish -> drill -> escalation -> Reconciled
"""

# ruff: noqa: S608 - names and values are quoted by `sql.identifier` and `sql.literal`

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import replace
from decimal import Decimal
from pathlib import Path

from pipelineplan.errors import InputError, Position, Problem
from pipelineplan.quality.reconciling.comparing import Compared, WindowTotals, finish
from pipelineplan.quality.reconciling.drilling import Drilled, Kind, drill
from pipelineplan.quality.reconciling.escalating import Level, Observed, Step, escalation
from pipelineplan.quality.reconciling.pair import Pair
from pipelineplan.quality.reconciling.reading import Reading, open_pair
from pipelineplan.quality.reconciling.report import Reconciled, WindowResult, window_start
from pipelineplan.quality.reconciling.segments import Totals, merge, partial
from pipelineplan.quality.reconciling.unread import unread

# Counts the segments of a pair over files by role, and compares them under a watermark.
Compare = Callable[[Pair, Mapping[str, Path], int | None], Compared]

# Segments of about so many rows, and no more than so many segments: their totals are held in memory.
ROWS_OF_A_SEGMENT = 2_000
MOST_SEGMENTS = 25_000
_LOST = (Kind.MISSING, Kind.CHANGED, Kind.REPEATED)


def reconcile_files(
    pair: Pair,
    data: Mapping[str, Path],
    *,
    watermark_us: int | None = None,
    text: Mapping[str, tuple[str, ...]] | None = None,
    compare: Compare | None = None,
) -> Reconciled:
    """Reconcile `pair` over `data`, files by role (source, destination and the terms that have data).

    `watermark_us` is the destination's committed watermark; without it the newest event time less the
    lag stands for it. `text` gives the columns by role that are declared to be text. `compare` counts and
    compares somewhere else, and only the differing segments are read here. Raises `InputError`
    for files and columns that cannot be used, `MissingExtraError` without duckdb.
    """
    reading = open_pair(pair, data, text)
    import duckdb

    try:
        pair = sized(pair, reading)
        if compare is None:
            compared = finish(pair, merge(partial(pair, reading)), watermark_us)
        else:
            pair = replace(pair, portable=True)
            compared = compare(pair, data, watermark_us)
        drilled = drill(pair, reading, compared)
        return judged(
            pair,
            compared,
            drilled,
            repeats=_repeats(pair, reading),
            unread=unread(reading),
            notes=_notes(pair, reading),
        )
    except duckdb.InternalError:  # a fault, and not of the data
        raise
    except duckdb.Error as error:
        raise InputError([_unusable(pair, error)]) from error
    finally:
        reading.connection.close()


def _unusable(pair: Pair, error: Exception) -> Problem:
    """What only reading every row brings to light: a damaged file, a sum beyond 38 digits."""
    found = f"{pair.name}: the data cannot be counted: {str(error).strip().splitlines()[0]}"
    return Problem(
        found, Position(pair.position or pair.name), pair.path, fix="mend or leave out these values"
    )


def sized(pair: Pair, reading: Reading) -> Pair:
    """`pair` with slices and buckets that suit the data: fine enough to read little twice, and not finer."""
    windows = _windows(pair, reading)
    wanted = min(MOST_SEGMENTS, sum(reading.counts.values()) // ROWS_OF_A_SEGMENT) // windows
    slices = _power_of_two(wanted, 64 if pair.source_side.event_time is not None else 1)
    while pair.window_us % slices:
        slices //= 2
    return replace(pair, slices=slices, buckets=_power_of_two(wanted // slices, 256))


def _windows(pair: Pair, reading: Reading) -> int:
    """How many windows the source spans, at least 1."""
    rows = reading.rows["source"]
    read = f"min({rows.time}), max({rows.time})"
    # What a file knows of its times is free, but an infinite one hides the others.
    for extremes in (rows.clock.extremes, read) if rows.clock is not None else (read,):
        found = reading.connection.execute(f"SELECT {extremes} FROM {rows.table}").fetchone()
        if found is not None and None not in found:
            return int(found[1] - found[0]) // pair.window_us + 1
    return 1


def _power_of_two(at_most: int, limit: int) -> int:
    """The largest power of two that is no more than either, at least 1."""
    return 1 << (max(1, min(at_most, limit)).bit_length() - 1)


def judged(
    pair: Pair,
    compared: Compared,
    drilled: Drilled,
    *,
    repeats: int = 0,
    unread: tuple[str, ...] = (),
    notes: tuple[str, ...] = (),
) -> Reconciled:
    """The result from what was compared and what was drilled out of it."""
    steps = list(
        escalation(_observed(pair, compared, drilled), pair.tolerance, pair.escalation.after_windows)
    )
    windows = tuple(
        _window(pair, window, drilled, step)
        for window, step in zip(compared.closed, steps, strict=True)
        if window.differing
    )
    by_kind = {kind: sum(n for (_, each), n in drilled.keys.items() if each is kind) for kind in Kind}
    without = compared.without_time
    return Reconciled(
        pair,
        compared.watermark_us,
        len(compared.closed),
        len(compared.windows) - len(compared.closed),
        _totals(pair, compared),
        windows,
        tuple(drilled.first),
        by_kind,
        last=steps[-1] if steps else None,
        escalated_at=_since(steps),
        repeats=repeats,
        unplaced=_unplaced(without),
        unread=unread,
        notes=notes,
    )


def _observed(pair: Pair, compared: Compared, drilled: Drilled) -> Iterator[Observed]:
    for window in compared.closed:
        net = _share(window.net_records, window.records("source"))
        kept = net if pair.both_directions else max(0.0, net)
        yield Observed(window.number, _difference(pair, window, drilled), kept)


def _difference(pair: Pair, window: WindowTotals, drilled: Drilled) -> float:
    """The largest of: records of differing keys as a share of the source's, and each sum's own share."""
    if not window.differing:
        return 0.0
    judged_kinds = tuple(Kind) if pair.both_directions else _LOST
    rows = sum(drilled.records[window.number, kind] for kind in judged_kinds)
    shares = [_share(rows, window.records("source"))]
    if rows:
        sums = window.roles["source"].sums if "source" in window.roles else ()
        shares += [_share(net, whole) for net, whole in zip(window.net_sums, sums, strict=False)]
    return max(abs(share) for share in shares)


def _share(part: Decimal | int, whole: Decimal | int) -> float:
    """`part` of `whole`; of nothing, something is more than all."""
    if not part:
        return 0.0
    return float(part) / abs(float(whole)) if whole else (1.0 if part > 0 else -1.0)


def _window(pair: Pair, window: WindowTotals, drilled: Drilled, step: Step) -> WindowResult:
    share = _difference(pair, window, drilled)
    return WindowResult(
        window.number,
        window_start(pair, window.number),
        {role: totals.records for role, totals in window.roles.items()},
        {kind: drilled.keys[window.number, kind] for kind in Kind},
        share,
        window.net_records,
        window.net_sums,
        share > pair.tolerance,
        step,
    )


def _totals(pair: Pair, compared: Compared) -> dict[str, int]:
    return {role: sum(window.records(role) for window in compared.closed) for role, _, _ in pair.roles}


def _since(steps: list[Step]) -> Step | None:
    """The step at which the present escalation began."""
    began: Step | None = None
    for step in steps:
        if step.level is not Level.ESCALATED:
            began = None
        elif began is None:
            began = step
    return began


def _unplaced(without: WindowTotals | None) -> int:
    if without is None or not without.differing:
        return 0
    return max(totals.records for totals in (*without.roles.values(), Totals(1, 0)))


def _repeats(pair: Pair, reading: Reading) -> int:
    if not pair.source_side.once_by:
        return 0
    found = reading.connection.execute(f"SELECT count(*) FROM {reading.rows['source'].table}").fetchone()
    return reading.counts["source"] - int(found[0] if found else 0)


def _notes(pair: Pair, reading: Reading) -> tuple[str, ...]:
    notes = [
        f"no data was given for {term} ({name}): counted as none"
        for term, name in pair.terms
        if term not in reading.rows
    ]
    if reading.unmatched:
        notes.append(f"only one side has {', '.join(reading.unmatched)}: not compared")
    return tuple(notes)
