"""Writes what the nightly load of the orders example would have shown: it does not know event time.

    uv run python tests/examples/old_minute_sales.py > examples/orders-to-warehouse/old/minute_sales.csv

It counts a repeated change twice, and misses the changes that reached it more than ten seconds late.
"""

from __future__ import annotations

from pathlib import Path

import duckdb

ROOT = Path(__file__).parents[2] / "examples/orders-to-warehouse"

QUERY = """
SELECT store_id, strftime(date_trunc('minute', updated_at), '%Y-%m-%dT%H:%M:%S.000Z') AS minute,
count(*) AS changes, sum(amount_cents) AS amount_cents
FROM read_csv(?) WHERE arrived_at - updated_at <= INTERVAL 10 SECONDS GROUP BY ALL ORDER BY minute, store_id
"""


def old_minute_sales() -> str:
    connection = duckdb.connect()
    connection.execute("SET TimeZone = 'UTC'")
    rows = connection.execute(QUERY, [str(ROOT / "data/orders.csv")]).fetchall()
    lines = [",".join(map(str, row)) for row in rows]
    return "\n".join(["store_id,minute,changes,amount_cents", *lines, ""])


if __name__ == "__main__":
    print(old_minute_sales(), end="")
