"""Reconciling ten million records down to the keys, beside a full outer join of raw DuckDB.

    python tests/benchmarks/bench_reconcile.py [ROUNDS]

Each round runs both in processes of their own, one after the other, so that the load of the machine falls on
both; the join finds the same keys in the whole tables at once. Each opens its own database, the join with all
the memory that there is. Read the ratio of the medians.
"""

from __future__ import annotations

import json
import subprocess
import sys
import tempfile
from statistics import median

SIZES = (100_000, 1_000_000, 10_000_000)

WRITE = """
import sys, duckdb
folder, rows = sys.argv[1], int(sys.argv[2])
c = duckdb.connect(config={"memory_limit": "1GB", "temp_directory": folder})
c.execute("SET enable_progress_bar = false")
c.execute(f'''COPY (SELECT i AS order_id, (hash(i) % 1000000)::INTEGER AS customer_id,
    TIMESTAMP '2026-11-09' + to_microseconds(i * 86400000000 // {rows}) AS updated_at,
    ((hash(i + 7) % 100000) / 100.0)::DECIMAL(12,2) AS amount FROM range({rows}) t(i)
) TO '{folder}/source.parquet' (FORMAT parquet)''')
c.execute(f'''COPY (SELECT * REPLACE (
    CASE WHEN hash(order_id + 13) % 100000 = 0 THEN amount + 0.01 ELSE amount END AS amount)
    FROM '{folder}/source.parquet' WHERE hash(order_id + 11) % 100000 <> 0
) TO '{folder}/destination.parquet' (FORMAT parquet)''')
"""
MEASURE = """
import json, resource, sys, time
folder = sys.argv[1]
{work}
began, cpu = time.perf_counter(), time.process_time()
keys = run()
print(json.dumps({{"seconds": time.perf_counter() - began, "cpu": time.process_time() - cpu, "keys": keys,
    "megabytes": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024}}))
"""
RECONCILE = """
from pathlib import Path
import duckdb, pyarrow
from pipelineplan.quality.reconciling import END, Pair, Side, reconcile_files
pair = Pair("p", "s", "d", ("order_id",), Side("updated_at"), Side("updated_at"), measures=("amount",),
            columns=("customer_id", "updated_at"), window_us=60_000_000)
data = {{role: Path(folder) / f"{{role}}.parquet" for role in ("source", "destination")}}
run = lambda: sum(reconcile_files(pair, data, watermark_us=END).differing_keys.values())
"""
JOIN = """
import duckdb, pyarrow
sql = f'''SELECT coalesce(s.order_id, d.order_id) FROM '{{folder}}/source.parquet' s
    FULL OUTER JOIN '{{folder}}/destination.parquet' d ON s.order_id = d.order_id
    WHERE s.order_id IS NULL OR d.order_id IS NULL OR s.amount <> d.amount
    OR s.customer_id <> d.customer_id OR s.updated_at <> d.updated_at'''
def run():
    c = duckdb.connect()
    c.execute("SET enable_progress_bar = false")
    return len(c.execute(sql).fetchall())
"""


def python(script: str, *arguments: object) -> str:
    command = [sys.executable, "-c", script, *map(str, arguments)]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    if done.returncode:
        raise RuntimeError(done.stderr)
    return done.stdout


def main() -> None:
    rounds = int(sys.argv[1]) if len(sys.argv) > 1 else 5
    scripts = {
        name: MEASURE.format(work=work.format()) for name, work in (("reconcile", RECONCILE), ("join", JOIN))
    }
    print(f"{'records':>10}  {'':9}  {'seconds':>8}  {'CPU s':>6}  {'peak MB':>7}  {'keys':>5}  of {rounds}")
    for rows in SIZES:
        with tempfile.TemporaryDirectory() as folder:
            python(WRITE, folder, rows)
            found: dict[str, list[dict[str, float]]] = {name: [] for name in scripts}
            for _ in range(rounds):
                for name, script in scripts.items():
                    found[name].append(json.loads(python(script, folder)))
        middle = {
            name: {what: median(run[what] for run in runs) for what in runs[0]}
            for name, runs in found.items()
        }
        for name, run in middle.items():
            print(
                f"{rows:>10,}  {name:9}  {run['seconds']:8.2f}  {run['cpu']:6.2f}  {run['megabytes']:7.0f}  "
                f"{run['keys']:5.0f}"
            )
        ratios = {
            what: middle["reconcile"][what] / middle["join"][what] for what in ("seconds", "cpu", "megabytes")
        }
        print(
            f"{'':10}  ratio      {ratios['seconds']:8.2f}  {ratios['cpu']:6.2f}  {ratios['megabytes']:7.2f}"
        )


if __name__ == "__main__":
    main()
