"""The trade-off table of `profile`, cell by cell, beside what real engines then do with the same records.

    uv run python tests/full/tradeoff.py [--beam-records N] [--write docs/background/tradeoff-on-engines.md]

Three recorded streams, windows of 1 s, 10 s, 1 min, watermark lags of 0 to 2 s by allowed latenesses of
0 to 10 s: the table says how many records are there at the first firing, in the end, and dropped. Flink gets
all records; Beam too, or the first N of each stream where windows are of 1 s, with a table of those. Ends
with 1 if one cell differs.

Beam's local runner copies all that it keeps for a key with every bundle, so that one key takes a time that
grows with the square of the records. Here the key is the minute of the record: every window lies in one
minute and so under one key, and what is counted per window is the same. With every bundle that runner also
looks up anew what state each step has; that is looked up once here. Both together make it five times as fast.
"""

from __future__ import annotations

import argparse
import sys
import tempfile
import time
from collections.abc import Iterator
from dataclasses import dataclass, replace
from itertools import product
from pathlib import Path
from typing import Any

from pipelineplan.engines.beam_pipeline import run_beam
from pipelineplan.engines.beam_plan import Case
from pipelineplan.engines.beam_records import Row, read_rows
from pipelineplan.engines.flink import run_flink
from pipelineplan.engines.flink_answer import Route, Run
from pipelineplan.engines.flink_environment import FLINK_VERSION, find_flink
from pipelineplan.engines.flink_plan import Case as FlinkCase
from pipelineplan.engines.flink_plan import read_records
from pipelineplan.errors import InputError, Position
from pipelineplan.eventtime import EngineRule
from pipelineplan.eventtime.panes import Paning
from pipelineplan.eventtime.timeliness import FixedWindows, Judgement
from pipelineplan.eventtime.watermarks import Watermark
from pipelineplan.profiling import Choices, tradeoff

DATA = Path(__file__).parents[2] / "../shared/data/out-of-order"
NAMES = ("d-1", "d-2", "d-3")
WINDOWS = (1.0, 10.0, 60.0)
LAGS = (0.0, 0.5, 1.0, 2.0)
ALLOWED = (0.0, 1.0, 10.0)
COLUMN = "S.Client.Detection.Time"
MINUTE_MS = 60_000

INTRODUCTION = """\
# The trade-off table, and what engines then did

Written by `tests/full/tradeoff.py`, not by hand. Each cell of the table that `pipelineplan profile --window`
prints was given to a real engine as its watermark lag and allowed lateness, with the same recorded events of
mobile devices in the order in which they arrived. Counts are records on time / late and accepted / dropped,
by the rule of that engine; `profile` says the same as shares. Flink was given every record, Beam {beam}.
"""

# On time, late and accepted, dropped.
Counts = tuple[int, int, int]


@dataclass(frozen=True)
class Cell:
    """One line of a table: how much is waited, and what of how many records came when."""

    stream: str
    window: float
    lag: float
    allowed: float
    told: Counts
    did: Counts

    @property
    def holds(self) -> bool:
        """Whether the engine did what the table says, with something to count."""
        return self.told == self.did and sum(self.told) > 0


def told(file: Path, window: float, rule: EngineRule) -> dict[tuple[float, float], Counts]:
    """The table of `profile`, as counts, by lag and allowed lateness."""
    tried = tradeoff([file], Choices(window, LAGS, ALLOWED, rule), event_time=COLUMN)
    found = {}
    for row in tried.rows:
        first, final = round(row.at_first_firing * tried.events), round(row.final * tried.events)
        found[row.lag_seconds, row.allowed_lateness_seconds] = (
            first,
            final - first,
            round(row.dropped * tried.events),
        )
    return found


def on_flink() -> Iterator[Cell]:
    """Every cell by Flink's SQL, over all records."""
    flink = find_flink()
    for name in NAMES:
        file = DATA / f"{name}.csv"
        records = read_records(FlinkCase("", "", file, COLUMN, None, Watermark(0), FixedWindows(1)))
        settings = list(product(WINDOWS, LAGS, ALLOWED))
        runs = [
            Run(Route.SQL, Judgement(Watermark(_ms(lag)), FixedWindows(_ms(size), _ms(late)), RULE), records)
            for size, lag, late in settings
        ]
        tables = {size: told(file, size, RULE) for size in WINDOWS}
        for (size, lag, late), done in zip(settings, run_flink(flink, runs), strict=True):
            yield Cell(name, size, lag, late, tables[size][lag, late], done.measured)


RULE = EngineRule.FLINK_SQL


def on_beam(folder: Path, records: int | None) -> Iterator[Cell]:
    """Every cell by Beam Python's panes; windows of 1 s over so many first `records`, None: over all."""
    look_up_state_once()
    for name, size in product(NAMES, WINDOWS):
        file = DATA / f"{name}.csv"
        if records is not None and size < min(WINDOWS[1:]):
            lines = file.read_text(encoding="utf-8").splitlines(keepends=True)[: records + 1]
            file = folder / f"{name}-first.csv"
            file.write_text("".join(lines), encoding="utf-8")
        table = told(file, size, EngineRule.BEAM_PYTHON)
        for lag, late in product(LAGS, ALLOWED):
            paning = Paning(FixedWindows(_ms(size), _ms(late)), EngineRule.BEAM_PYTHON)
            watermark = Watermark(_ms(lag))
            case = Case(name, "count", file, COLUMN, None, (), watermark, paning, Position(""), "$")
            yield Cell(name, size, lag, late, table[lag, late], played(case))
        print(f"  Beam: {name}, windows of {size:g} s, played", flush=True)


def look_up_state_once() -> None:
    """Beam asks every step for its kinds of state with each bundle; they are those of its class."""
    from apache_beam.transforms import userstate

    specs = userstate.get_dofn_specs
    known: dict[type, Any] = {}

    def once(step: Any) -> Any:
        if type(step) not in known:
            known[type(step)] = specs(step)
        return known[type(step)]

    userstate.get_dofn_specs = once


def played(case: Case) -> Counts:
    """What came out of Beam's panes: at their first firing, later; and what came out of none."""
    rows = tuple(replace(row, key=_minute(row)) for row in read_rows(case, 10**6))
    first: dict[tuple[int, int], int] = {}
    final: dict[tuple[int, int], int] = {}
    for pane in run_beam(case, rows).panes:
        at = (pane.start_ms, pane.end_ms)
        first[at] = first.get(at, 0) + (pane.count if pane.timing.value == "on_time" else 0)
        final[at] = max(final.get(at, 0), pane.count)
    on_time, kept = sum(first.values()), sum(final.values())
    return on_time, kept - on_time, len(rows) - kept


def _minute(row: Row) -> str:
    return "" if row.event_ms is None else str(row.event_ms // MINUTE_MS)


def _ms(seconds: float) -> int:
    return round(seconds * 1000)


def page(cells: dict[str, list[Cell]], records: int | None) -> str:
    """The documentation page."""
    some = f"for windows of 1 s the first {records:,} of each stream and for longer ones every record"
    lines = [INTRODUCTION.format(beam="too" if records is None else some)]
    for engine, found in cells.items():
        held = sum(cell.holds for cell in found)
        lines += [f"## {engine}", "", f"{held} of {len(found)} cells equal to the last record.", ""]
        lines += [
            "| stream | window | lag | allowed | the table says | the engine did |",
            "|---|---|---|---|---|---|",
        ]
        lines += [_row(cell) for cell in found] + [""]
    return "\n".join(lines)


def _row(cell: Cell) -> str:
    def counts(three: Counts) -> str:
        return " / ".join(f"{number:,}" for number in three)

    waits = f"{cell.window:g} s | {cell.lag:g} s | {cell.allowed:g} s"
    did = "the same" if cell.holds else f"**{counts(cell.did)}**"
    return f"| {cell.stream} | {waits} | {counts(cell.told)} | {did} |"


def main() -> int:
    """Run both engines over every cell; 1 if one differs, 2 without Flink."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--write", type=Path, metavar="FILE")
    parser.add_argument("--beam-records", type=int, metavar="N")
    given = parser.parse_args()
    if not DATA.is_dir():
        print(f"skipped: {DATA} is not there; the recorded streams lie beside the repository")
        return 0
    try:
        find_flink()
    except InputError as error:
        print(error)
        return 2
    cells: dict[str, list[Cell]] = {}
    with tempfile.TemporaryDirectory() as folder:
        engines = {
            f"Apache Flink {FLINK_VERSION}, SQL": on_flink(),
            "Apache Beam Python, TestStream": on_beam(Path(folder), given.beam_records),
        }
        for engine, run in engines.items():
            started = time.monotonic()
            cells[engine] = list(run)
            held = sum(cell.holds for cell in cells[engine])
            took = time.monotonic() - started
            print(f"{engine}: {held} of {len(cells[engine])} cells equal ({took:.0f} s)", flush=True)
            for cell in cells[engine]:
                if not cell.holds:
                    print(f"  DIFFERS: {_row(cell)}")
    if given.write:
        given.write.write_text(page(cells, given.beam_records), encoding="utf-8")
    return 0 if all(cell.holds for found in cells.values() for cell in found) else 1


if __name__ == "__main__":
    sys.exit(main())
