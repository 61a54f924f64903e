"""How many records a second: judging, counting by window, measuring; beside bare DuckDB.

    uv run python tests/benchmarks/event_time_speed.py [millions of records]

DuckDB answers less: the out-of-order count and six quantiles of disorder and lateness, without
curves, rates, gaps and skew.
"""

from __future__ import annotations

import resource
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import duckdb
import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

from pipelineplan.eventtime.timeliness import FixedWindows, Judgement, classified_in_chunks
from pipelineplan.eventtime.watermarks import Scope, Watermark
from pipelineplan.eventtime.windows import count_windows
from pipelineplan.profiling import Choices, measure, tradeoff

BARE = """
    WITH d AS (
        SELECT "at" - t AS late, max(t) OVER (ORDER BY "at", n ROWS UNBOUNDED PRECEDING) - t AS disorder
        FROM (SELECT t, "at", file_row_number AS n FROM read_parquet('{file}', file_row_number=true))
    )
    SELECT count(*), count(*) FILTER (disorder > 0), min(late), max(late), max(disorder),
        quantile_cont(late, [.5, .95, .99]), quantile_cont(disorder, [.5, .95, .99]) FROM d
"""


def timed(what: str, records: int, run: Callable[[], Any]) -> Any:
    start = time.perf_counter()
    result = run()
    seconds = time.perf_counter() - start
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    print(f"{what:44} {records / seconds / 1e6:8.2f} M records/s {seconds:7.2f} s {peak:7.0f} MB so far")
    return result


def main() -> None:
    records = int(float(sys.argv[1]) * 1e6) if len(sys.argv) > 1 else 5_000_000
    rng = np.random.default_rng(1)
    arrival = 1_767_225_600_000 + np.cumsum(rng.integers(0, 3, records))
    event = arrival - rng.exponential(20_000, records).astype(np.int64)
    partition = rng.integers(0, 8, records).astype(np.int32)
    with tempfile.TemporaryDirectory() as folder:
        file = Path(folder) / "events.parquet"
        pq.write_table(pa.table({"t": event, "at": arrival, "p": partition}), file)
        profile = timed(
            "measure, Parquet", records, lambda: measure([file], event_time="t", arrival_time="at")
        )
        timed(
            "measure with partition shares", records, lambda: measure([file], event_time="t", partition="p")
        )
        bare = timed("bare DuckDB", records, lambda: duckdb.sql(BARE.format(file=file)).fetchall())
        assert bare[0][1] == profile.out_of_order.count
        choices = Choices(60.0, (0.0, 10.0, 60.0), (0.0, 60.0))
        timed("tradeoff, 6 choices", records, lambda: tradeoff([file], choices, event_time="t"))
        csv = Path(folder) / "events.csv"
        duckdb.sql(f"COPY (FROM '{file}') TO '{csv}'")
        timed("measure, CSV", records, lambda: measure([csv], event_time="t", arrival_time="at"))
    windows = FixedWindows(60_000, 60_000)
    for watermark in (Watermark(30_000), Watermark(30_000, Scope.PER_PARTITION, 8)):
        judgement = Judgement(watermark, windows)
        own = partition if watermark.followed > 1 else None
        what = f"{watermark.followed} watermark(s)"
        timed(
            f"judge, {what}",
            records,
            lambda j=judgement, p=own: [0 for _ in classified_in_chunks(j, event, p)],
        )
        timed(
            f"judge and count windows, {what}", records, lambda j=judgement, p=own: count_windows(j, event, p)
        )


if __name__ == "__main__":
    main()
