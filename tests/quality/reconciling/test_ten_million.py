"""Ten million records in a process of its own: every key that differs, in bounded memory."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest

ROWS = 10_000_000
MOST_MEGABYTES = 300

WRITE = """
import sys, duckdb
folder, rows = sys.argv[1], int(sys.argv[2])
connection = duckdb.connect(config={"memory_limit": "1GB", "temp_directory": folder})
connection.execute("SET enable_progress_bar = false")
connection.execute(f'''COPY (
    SELECT i AS order_id, (hash(i) % 1000000)::INTEGER AS customer_id,
    TIMESTAMP '2026-11-09' + to_microseconds(i * 86400000000 // {rows}) AS updated_at,
    ((hash(i + 7) % 100000) / 100.0)::DECIMAL(12,2) AS amount FROM range({rows}) t(i)
) TO '{folder}/source.parquet' (FORMAT parquet)''')
connection.execute(f'''COPY (
    SELECT * REPLACE (CASE WHEN hash(order_id + 13) % 100000 = 0 THEN amount + 0.01 ELSE amount END AS amount)
    FROM '{folder}/source.parquet' WHERE hash(order_id + 11) % 100000 <> 0
    UNION ALL SELECT * REPLACE ({rows} + order_id AS order_id)
    FROM '{folder}/source.parquet' WHERE hash(order_id + 17) % 100000 = 0
) TO '{folder}/destination.parquet' (FORMAT parquet)''')
wanted = {}
for kind, salt, moved in (("missing", 11, 0), ("changed", 13, 0), ("extra", 17, rows)):
    kept = "AND hash(order_id + 11) % 100000 <> 0" if kind == "changed" else ""
    query = f"SELECT order_id + {moved} FROM '{folder}/source.parquet' "
    query += f"WHERE hash(order_id + {salt}) % 100000 = 0"
    wanted[kind] = sorted(row[0] for row in connection.execute(f"{query} {kept}").fetchall())
import json; print(json.dumps(wanted))
"""
RECONCILE = """
import json, sys
from pathlib import Path
from pipelineplan.quality.reconciling import END, Pair, Side, reconcile_files
folder = Path(sys.argv[1])
pair = Pair("p", "s", "d", ("order_id",), Side("updated_at"), Side("updated_at"), measures=("amount",),
            columns=("customer_id",), window_us=60_000_000)
data = {role: folder / f"{role}.parquet" for role in ("source", "destination")}
result = reconcile_files(pair, data, watermark_us=END)
found = {}
for key in result.keys:
    found.setdefault(str(key.kind), []).append(int(key.key[0]))
# ru_maxrss would begin at what the parent of this process held; VmHWM begins with the process.
status = Path("/proc/self/status").read_text().splitlines()
peak = next(int(line.split()[1]) for line in status if line.startswith("VmHWM")) / 1024
print(json.dumps({"found": {kind: sorted(keys) for kind, keys in found.items()}, "megabytes": peak}))
"""


def run(script: str, *arguments: object) -> object:
    command = [sys.executable, "-c", script, *map(str, arguments)]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout)


@pytest.mark.slow
def test_exact_to_the_keys_in_both_directions_within_300_megabytes(tmp_path: Path) -> None:
    wanted = run(WRITE, tmp_path, ROWS)
    answer = run(RECONCILE, tmp_path)
    assert isinstance(wanted, dict)
    assert isinstance(answer, dict)
    assert all(len(keys) > 50 for keys in wanted.values())
    assert answer["found"] == wanted
    print(f"peak {answer['megabytes']:.0f} MB")
    assert answer["megabytes"] <= MOST_MEGABYTES


@pytest.mark.slow
def test_a_destination_in_which_everything_differs_stays_within_its_memory(tmp_path: Path) -> None:
    run(WRITE, tmp_path, 3_000_000)
    import duckdb

    (tmp_path / "destination.parquet").unlink()
    query = f"SELECT * REPLACE (amount + 1 AS amount) FROM '{tmp_path}/source.parquet'"
    duckdb.execute(f"COPY ({query}) TO '{tmp_path}/destination.parquet' (FORMAT parquet)")
    answer = run(RECONCILE, tmp_path)
    assert isinstance(answer, dict)
    # Of millions only the first ten thousand are named, and the memory is that of a few.
    assert sum(map(len, answer["found"].values())) == 10_000
    print(f"peak {answer['megabytes']:.0f} MB")
    assert answer["megabytes"] <= MOST_MEGABYTES
