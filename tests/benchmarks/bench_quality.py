"""Twenty checks on many rows: this package on DuckDB, beside bare DuckDB and Great Expectations on pandas.

    uv run python tests/benchmarks/bench_quality.py [millions of rows] [runs]

Each runs in a process of its own, in turn, over the same Parquet file. Seconds are without imports, which are
told apart; of several runs the median. Seconds of the processor are what a machine that does other things at
the same time leaves comparable. Bare DuckDB asks the same of the rows in three queries of its own.
"""

from __future__ import annotations

import json
import resource
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

CURRENCIES = ("EUR", "GBP", "SEK", "USD")
STATES = ("new", "paid", "sent")
MADE = """
    COPY (
        SELECT i AS id, 'O' || lpad((i % 1000000)::VARCHAR, 6, '0') AS order_id,
            (i * 7919 % 50000)::INT AS customer,
            ((i * 104729 % 100000) / 100.0)::DECIMAL(12, 2) AS amount, (i % 97) / 97.0 AS rate,
            CASE WHEN i % 50 = 0 THEN NULL ELSE ['EUR', 'GBP', 'SEK', 'USD'][1 + i % 4] END AS currency,
            TIMESTAMP '2026-01-01' + INTERVAL (i) MILLISECOND AS made_at, (i % 1000)::SMALLINT AS store,
            DATE '2026-01-01' + (i % 30)::INT AS day, i % 3 = 0 AS active,
            ['new', 'paid', 'sent'][1 + i % 3] AS state
        FROM range({rows}) AS made(i)
    ) TO '{file}' (FORMAT parquet)
"""
# Twenty questions; how bare DuckDB asks for what breaks them.
CHECKS: list[tuple[dict[str, Any], str]] = [
    *[
        ({"check": "null", "fields": (c,)}, f"{c} IS NULL")
        for c in ("id", "order_id", "customer", "amount", "made_at")
    ],
    ({"check": "null", "fields": ("currency",), "at_most_share": 0.05}, "currency IS NULL"),
    ({"check": "range", "fields": ("amount",), "low": 0, "high": 1000}, "NOT amount BETWEEN 0 AND 1000"),
    ({"check": "range", "fields": ("rate",), "low": 0, "high": 1}, "NOT rate BETWEEN 0 AND 1"),
    ({"check": "range", "fields": ("customer",), "low": 0}, "customer < 0"),
    ({"check": "range", "fields": ("store",), "low": 0, "high": 999}, "NOT store BETWEEN 0 AND 999"),
    ({"check": "range", "fields": ("id",), "low": 0}, "id < 0"),
    ({"check": "domain", "fields": ("currency",), "values": CURRENCIES}, f"currency NOT IN {CURRENCIES}"),
    ({"check": "domain", "fields": ("state",), "values": STATES}, f"state NOT IN {STATES}"),
    ({"check": "regex", "fields": ("order_id",), "pattern": "^O[0-9]{6}$"}, "NOT order_id ~ '^O[0-9]{6}$'"),
    ({"check": "range", "fields": ("amount",), "low": 1, "at_most_share": 0.1}, "amount < 1"),
    ({"check": "null", "fields": ("day",)}, "day IS NULL"),
    ({"check": "null", "fields": ("active",)}, "active IS NULL"),
    ({"check": "volume", "low": 1}, "FALSE"),
    ({"check": "unique", "fields": ("id",)}, ""),
    ({"check": "unique", "fields": ("order_id", "made_at")}, ""),
]


def bare(file: Path) -> dict[str, float]:
    import duckdb

    start, before = time.perf_counter(), time.process_time()
    connection = duckdb.connect()
    connection.execute("SET memory_limit = '1GB'")
    view = f"read_parquet('{file}')"
    asked = ", ".join(f"COUNT(*) FILTER (WHERE {bad})" for _, bad in CHECKS if bad)
    connection.execute(f"SELECT COUNT(*), {asked} FROM {view}").fetchall()
    for key in ("id", "order_id, made_at"):
        repeated = f"SELECT {key} FROM {view} GROUP BY {key} HAVING COUNT(*) > 1"
        assert connection.execute(f"SELECT COUNT(*) FROM ({repeated})").fetchall() == [(0,)]
    return {"seconds": time.perf_counter() - start, "cpu": time.process_time() - before}


def ours(file: Path) -> dict[str, float]:
    from pipelineplan.quality import CheckVerdict, QualityRule, compile_suites, run_suites
    from pipelineplan.quality.great_expectations_run import require

    start = time.perf_counter()
    require()
    imported, before = time.perf_counter(), time.process_time()
    suites = compile_suites([], [QualityRule("orders", **rule) for rule, _ in CHECKS])
    report = run_suites(suites, {"orders": file})
    done, cpu = time.perf_counter(), time.process_time() - before
    assert report.count(CheckVerdict.PASS) == len(CHECKS), report.to_rows()
    return {"seconds": done - imported, "cpu": cpu, "import": imported - start}


def on_pandas(file: Path) -> dict[str, float]:
    """The same suite as any user would run it on a data frame, but for the checks in SQL."""
    start = time.perf_counter()
    import great_expectations as gx
    import pandas as pd

    from pipelineplan.quality import QualityRule, compile_suites
    from pipelineplan.quality.project import suite_json

    imported, before = time.perf_counter(), time.process_time()
    suites = compile_suites([], [QualityRule("orders", **rule) for rule, _ in CHECKS])
    written = suite_json(suites.suites[0], "orders", [])
    written["expectations"] = [e for e in written["expectations"] if not e["type"].startswith("unexpected")]
    context = gx.get_context(mode="ephemeral")
    context.variables.progress_bars = {"globally": False, "metric_calculations": False}
    batch = context.data_sources.pandas_default.read_dataframe(pd.read_parquet(file))
    result = batch.validate(gx.ExpectationSuite(**written), result_format="SUMMARY")
    assert result.success, result
    cpu = time.process_time() - before
    return {"seconds": time.perf_counter() - imported, "cpu": cpu, "import": imported - start}


WAYS = {"bare DuckDB": bare, "this package on DuckDB": ours, "Great Expectations on pandas": on_pandas}


def alone(way: str, file: str) -> None:
    figures = WAYS[way](Path(file))
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    print(json.dumps(figures | {"peak_mb": peak}))


def measured(way: str, file: Path) -> dict[str, float]:
    done = subprocess.run(
        [sys.executable, __file__, "--alone", way, str(file)], stdout=subprocess.PIPE, text=True, check=True
    )
    found: dict[str, float] = json.loads(done.stdout.strip().splitlines()[-1])
    return found


def main() -> None:
    rows = int(float(sys.argv[1]) * 1e6) if len(sys.argv) > 1 else 1_000_000
    runs = int(sys.argv[2]) if len(sys.argv) > 2 else 3
    import duckdb

    with tempfile.TemporaryDirectory() as folder:
        file = Path(folder) / "orders.parquet"
        duckdb.connect().execute(MADE.format(rows=rows, file=file))
        found: dict[str, list[dict[str, float]]] = {way: [] for way in WAYS}
        for number in range(runs):
            for way in WAYS:
                if number == 0 or way != "Great Expectations on pandas":
                    found[way].append(measured(way, file))
    print(f"{len(CHECKS)} checks on {rows:,} rows, median of {runs} (pandas: one run)")
    medians = {
        way: {
            name: statistics.median(each[name] for each in figures) for name in ("seconds", "cpu", "peak_mb")
        }
        for way, figures in found.items()
    }
    base = medians["bare DuckDB"]
    for way, of in medians.items():
        wall = f"{of['seconds']:7.2f} s {of['seconds'] / base['seconds']:5.2f} x"
        cpu = f"{of['cpu']:7.2f} s of processor {of['cpu'] / base['cpu']:5.2f} x"
        imported = found[way][0].get("import", 0.0)
        print(f"{way:30} {wall}  {cpu}  {of['peak_mb']:6.0f} MB  imports {imported:.1f} s")


if __name__ == "__main__":
    if sys.argv[1:2] == ["--alone"]:
        alone(*sys.argv[2:])
    else:
        main()
