"""Recorded phones through Apache Beam: what is dropped is what was predicted, window by window.

    uv run python tests/full/beam.py

Streams d-1, d-2, d-3 of ../shared/data/out-of-order, lags of 0, 0.5, 1 and 2 s, windows of 1 s (the
first 3,000 records: a TestStream's time grows with the square of its length), 10 s and 1 min (all).
For the whole recordings the trade-off table of `profile` has to say what Beam then did, too.
"""

from __future__ import annotations

import sys
import time
from itertools import product
from pathlib import Path

from pipelineplan.engines.beam import preview_of
from pipelineplan.engines.beam_plan import Case
from pipelineplan.engines.beam_records import read_rows
from pipelineplan.errors import Position
from pipelineplan.eventtime import EngineRule
from pipelineplan.eventtime.panes import Paning
from pipelineplan.eventtime.timeliness import FixedWindows
from pipelineplan.eventtime.watermarks import Watermark
from pipelineplan.profiling import Choices, tradeoff

DATA = Path(__file__).parents[2] / "../shared/data/out-of-order"
MOST = {1_000: 3_000, 10_000: 100_000, 60_000: 100_000}
NAMES = ("d-1", "d-2", "d-3")
LAGS_MS = (0, 500, 1_000, 2_000)
COLUMN = "S.Client.Detection.Time"


def table(name: str, size_ms: int) -> dict[int, tuple[int, int]]:
    """By lag: how many records the trade-off table of `profile` has at first firing, and dropped."""
    lags = tuple(lag / 1000 for lag in LAGS_MS)
    choices = Choices(size_ms / 1000, lags, rule=EngineRule.BEAM_PYTHON)
    tried = tradeoff([DATA / f"{name}.csv"], choices, event_time=COLUMN)
    return {
        round(row.lag_seconds * 1000): (
            round(row.at_first_firing * tried.events),
            round(row.dropped * tried.events),
        )
        for row in tried.rows
    }


def main() -> int:
    """Play every combination; 1 if one differs."""
    if not DATA.is_dir():
        print(f"skipped: {DATA} is not there; the recorded streams lie beside the repository")
        return 0
    agree = True
    tables = {size: {name: table(name, size) for name in NAMES} for size in MOST if MOST[size] > 10_000}
    for name, lag, size in product(NAMES, LAGS_MS, MOST):
        paning = Paning(FixedWindows(size), EngineRule.BEAM_PYTHON)
        case = Case(
            name, "count", DATA / f"{name}.csv", COLUMN, None, (), Watermark(lag), paning, Position(""), "$"
        )
        started = time.monotonic()
        found = preview_of(case, read_rows(case, MOST[size]))
        agree &= found.agrees
        if size in tables:
            foretold = tables[size][name][lag]
            told = (found.timeliness["on_time"], found.timeliness["dropped"])
            agree &= foretold == told
            verdict = "as Beam did" if foretold == told else f"Beam had {told}"
            print(f"{name}  the table: {foretold[0]:,} at first firing, {foretold[1]:,} dropped: {verdict}")
        verdict = "agrees" if found.agrees else f"DIFFERS in {len(found.differences)} windows"
        dropped = f"{found.timeliness['dropped']:>5,} of {found.rows:,} dropped in {found.windows} windows"
        seconds = time.monotonic() - started
        print(
            f"{name}  lag {lag:>5} ms  window {size:>6} ms  {dropped}: {verdict} ({seconds:.0f} s)",
            flush=True,
        )
    return 0 if agree else 1


if __name__ == "__main__":
    sys.exit(main())
