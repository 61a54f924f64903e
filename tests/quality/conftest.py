"""Two small datasets with a contract for them, and a PostgreSQL server for who needs one."""

from __future__ import annotations

import os
import pwd
import shutil
import socket
import subprocess
import tempfile
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

from pipelineplan.contracts import Contract, read_contract
from pipelineplan.quality import QualityReport, QualityRule, compile_suites, run_suites

AS_OF = datetime(2026, 3, 1, 12, 0, tzinfo=UTC)
NEWEST = AS_OF - timedelta(minutes=30)

SHOP = """\
apiVersion: v3.1.0
kind: DataContract
id: shop
name: shop
version: 1.0.0
status: active
schema:
  - name: orders
    properties:
      - {name: order_id, logicalType: string, required: true, primaryKey: true, primaryKeyPosition: 1,
         logicalTypeOptions: {pattern: "^o-[0-9]+$", maxLength: 8}}
      - name: customer_id
        logicalType: integer
        relationships: [{to: customers.id}]
      - {name: amount, logicalType: number, logicalTypeOptions: {minimum: 0, exclusiveMaximum: 1000}}
      - name: currency
        logicalType: string
        quality:
          - {metric: invalidValues, arguments: {validValues: [EUR, USD]}, mustBe: 0}
          - {metric: nullValues, mustBeLessOrEqualTo: 20, unit: percent, severity: warning}
      - {name: day, logicalType: date, logicalTypeOptions: {minimum: "2026-01-01"}}
      - {name: updated_at, logicalType: timestamp}
    quality:
      - {metric: rowCount, mustBeBetween: [5, 1000]}
      - {type: sql, query: "SELECT SUM(amount) FROM ${table}", mustBeGreaterThan: 1, name: total is positive}
      - {type: text, description: be kind}
  - name: customers
    properties:
      - {name: id, logicalType: integer, required: true, unique: true}
slaProperties:
  - {property: latency, value: 1, unit: h, element: orders.updated_at}
"""

Rows = list[dict[str, Any]]


class Shop:
    """A folder for data and contract, and what the tests of the shop have in common."""

    contract_text = SHOP
    as_of = AS_OF
    newest = NEWEST

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    def orders(self) -> Rows:
        return [
            {
                "order_id": f"o-{number}",
                "customer_id": number % 3 if number != 7 else None,
                "amount": Decimal("10.50") + number,
                "currency": None if number == 0 else ("EUR", "USD")[number % 2],
                "day": date(2026, 2, 1) + timedelta(days=number),
                "updated_at": NEWEST - timedelta(minutes=number),
            }
            for number in range(10)
        ]

    def changed(self, number: int, **changes: Any) -> Rows:
        """Good orders but for one row."""
        rows = self.orders()
        rows[number] |= changes
        return rows

    def customers(self) -> Rows:
        return [{"id": number} for number in range(3)]

    def parquet(self, name: str, rows: Rows, types: Mapping[str, Any] | None = None) -> Path:
        """Write `rows` as Parquet; `types` fixes the Arrow type of some columns."""
        import pyarrow as pa
        import pyarrow.parquet as pq

        columns = {key: [row[key] for row in rows] for key in rows[0]}
        arrays = {key: pa.array(values, type=(types or {}).get(key)) for key, values in columns.items()}
        file = self.folder / f"{name}.parquet"
        pq.write_table(pa.table(arrays), file)
        return file

    def contract(self, text: str = SHOP) -> Contract:
        file = self.folder / "shop.odcs.yaml"
        file.write_text(text, encoding="utf-8")
        return read_contract(file, "shop.odcs.yaml")

    def check(self, orders: Rows | None = None, rules: Sequence[QualityRule] = ()) -> QualityReport:
        """Run the shop's checks on orders and customers, and on rules of a plan."""
        suites = compile_suites([self.contract()], rules, AS_OF)
        data = {
            "orders": self.parquet("orders", orders or self.orders()),
            "customers": self.parquet("customers", self.customers()),
        }
        return run_suites(suites, data)


@pytest.fixture
def shop(tmp_path: Path) -> Shop:
    return Shop(tmp_path)


_DEBIAN = Path("/usr/lib/postgresql")


def _programs() -> Path | None:
    """The folder with initdb and pg_ctl, or None."""
    newest = sorted(_DEBIAN.glob("*/bin/pg_ctl"), key=lambda file: int(file.parts[4]))
    found = newest[-1] if newest else shutil.which("pg_ctl")
    return Path(found).resolve().parent if found else None


def _absent() -> str:
    """Why no server can be started; empty when one can."""
    if _programs() is None:
        return "PostgreSQL is not installed (on Debian: apt-get install postgresql)"
    if os.geteuid() == 0 and _user() is None:
        return "PostgreSQL does not run as root, and there is no user postgres"
    return ""


@contextmanager
def _server() -> Iterator[str]:
    """The URL of a database of a server that lives as long as the context."""
    folder = Path(tempfile.mkdtemp(prefix="pipelineplan-pg-"))
    try:
        if os.geteuid() == 0:
            shutil.chown(folder, _user())
        data, port = folder / "data", _free_port()
        _run("initdb", "-D", data, "-U", "tester", "-A", "trust", "-E", "UTF8", "--locale=C", "-N")
        options = f"-p {port} -k {folder} -c listen_addresses=127.0.0.1 -c fsync=off"
        _run("pg_ctl", "-D", data, "-l", folder / "log", "-w", "-o", options, "start")
        try:
            yield f"postgresql://tester@127.0.0.1:{port}/postgres"
        finally:
            _run("pg_ctl", "-D", data, "-w", "-m", "immediate", "stop")
    finally:
        shutil.rmtree(folder)


def _user() -> str | None:
    try:
        return pwd.getpwnam("postgres").pw_name
    except KeyError:
        return None


def _run(program: str, *arguments: str | Path) -> None:
    folder = _programs()
    assert folder is not None
    user = _user() if os.geteuid() == 0 else None
    # The server keeps its outputs open: they go nowhere, or this call would wait for its end.
    subprocess.run(
        [folder / program, *arguments],
        check=True,
        user=user,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
        cwd="/",
        timeout=120,
    )


def _free_port() -> int:
    with socket.socket() as one:
        one.bind(("127.0.0.1", 0))
        return int(one.getsockname()[1])


@pytest.fixture(scope="session")
def database() -> Iterator[str]:
    """The URL of a PostgreSQL database; skips with the reason where there can be none."""
    if _absent():
        pytest.skip(_absent())
    with _server() as url:
        yield url
