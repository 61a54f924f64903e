"""What the PostgreSQL sink is said to hold and to alter, against a real PostgreSQL in a folder of its own.

    uv run python tests/full/sinks_postgresql.py         needs initdb, postgres and psql, 13 or later

For each pair of types the edges of the values are inserted and the column is altered. "Nothing to do" must
hold every edge, "sink-alter" must alter and keep every edge, and "sink-column" must fail at one of both.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import tempfile
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from pipelineplan.contracts.columns.lattice import decimal_of, limits
from pipelineplan.contracts.columns.types import Column, ColumnSchema, ColumnType
from pipelineplan.contracts.sinks.lattice import _TABLES, sink_changes

TYPES = [
    *(ColumnType("int", bits=bits) for bits in (16, 32, 64)),
    *(ColumnType("uint", bits=bits) for bits in (8, 32, 64)),
    *(ColumnType("float", bits=bits) for bits in (32, 64)),
    *(ColumnType("decimal", precision=p, scale=s) for p, s in ((5, 2), (7, 2), (7, 4), (20, 0), (30, 2))),
    *(ColumnType("string", size=size) for size in (0, 5, 10)),
    *(ColumnType(kind) for kind in ("bool", "date", "uuid", "binary")),
    *(ColumnType("timestamp", unit="us", zone=zone) for zone in ("", "UTC")),
    ColumnType("time", unit="us"),
]
TEXTS = {
    "bool": ["true", "false"],
    "date": ["2020-01-02", "9999-12-31"],
    "uuid": ["6b1f2f5e-0b0e-4c9f-9f62-0a4f6c1f2a3b"],
    "binary": ["\\xff"],
    "timestamp": ["2020-01-02 03:04:05.000006"],
    "time": ["03:04:05.000006"],
}
BIN = next((str(one) for one in sorted(Path("/usr/lib/postgresql").glob("*/bin"), reverse=True)), "")


def edges(of: ColumnType) -> list[str]:
    """Values at the ends of the type, as SQL writes them."""
    match of.kind:
        case "int" | "uint":
            return [str(one) for one in (0, *limits(of))]
        case "float":
            return ["0.1", "1e30", "16777217" if of.bits == 32 else "9007199254740993"]
        case "decimal":
            return [str(decimal_of(one, of)) for one in (1, 10**of.precision - 1)]
        case "string":
            return ["", "x" * (of.size or 300)]
    return [f"{text}+00" if of.zone else text for text in TEXTS[of.kind]]


class Server:
    def __init__(self, folder: str) -> None:
        self.folder = folder

    def sql(self, text: str) -> str | None:
        """What `text` prints, None when it fails."""
        run = subprocess.run(
            ["psql", "-h", self.folder, "-U", "tester", "-d", "postgres", "-qAtX", "-v", "ON_ERROR_STOP=1"],
            input=f"BEGIN;\nSET timezone TO 'UTC';\n{text}\nROLLBACK;\n",
            capture_output=True,
            text=True,
            check=False,
        )
        return run.stdout.strip() if run.returncode == 0 else None


@contextmanager
def server() -> Iterator[Server]:
    """A server of its own that listens on a socket in its folder, run as a user that is not root."""
    with tempfile.TemporaryDirectory() as folder:
        as_user = []
        if os.geteuid() == 0:
            shutil.chown(folder, "postgres")
            as_user = ["runuser", "-u", "postgres", "--"]
        data = f"{folder}/data"
        control = [*as_user, f"{BIN}/pg_ctl", "-D", data, "-w"]
        made = [
            *as_user,
            f"{BIN}/initdb",
            "-D",
            data,
            "-U",
            "tester",
            "--auth=trust",
            "-E",
            "UTF8",
            "--locale=C",
        ]
        subprocess.run(made, check=True, stdout=subprocess.DEVNULL)
        options = f"-c listen_addresses='' -c unix_socket_directories='{folder}' -c fsync=off"
        start = [*control, "-l", f"{folder}/log", "-o", options, "start"]
        subprocess.run(start, check=True, stdout=subprocess.DEVNULL)
        try:
            yield Server(folder)
        finally:
            subprocess.run([*control, "-m", "immediate", "stop"], check=True, stdout=subprocess.DEVNULL)


def said(old: ColumnType, new: ColumnType) -> str:
    columns = [ColumnSchema("", (Column("a", one, "$.a"),)) for one in (new, old)]
    return ", ".join(change.change for change in sink_changes(columns[0], columns[1], "postgresql"))


def holds(there: Server, column: str, wanted: ColumnType, name: str) -> bool:
    """Whether the column takes every edge of the wanted type, and gives it back."""
    make = f"CREATE TABLE t (a {column}); INSERT INTO t VALUES ({{}});"
    return all(there.sql(make.format(one) + back(one, name)) == "t" for one in literals(wanted, name))


def alters(there: Server, old: ColumnType, before: str, after: str) -> bool:
    """Whether a column with every edge of the old type becomes the new one, and keeps them."""
    make = f"CREATE TABLE t (a {before}); INSERT INTO t VALUES ({{}});"
    make += f"ALTER TABLE t ALTER COLUMN a TYPE {after};"
    return all(there.sql(make.format(one) + back(one, before)) == "t" for one in literals(old, before))


def literals(of: ColumnType, name: str) -> list[str]:
    return [f"'{value}'::{name}" for value in edges(of)]


def back(literal: str, name: str) -> str:
    """Whether what the column gives is still the value, as the type that it came in."""
    return f"SET timezone TO 'Asia/Tokyo'; SELECT (a::{name})::text = ({literal})::text FROM t;"


def main() -> int:
    if not BIN or shutil.which("psql") is None:
        print("no PostgreSQL here: skipped")
        return 0
    sink, wrong, found = _TABLES["postgresql"], 0, Counter[str]()
    with server() as there:
        print(there.sql("SELECT version();"))
        for old in TYPES:
            for new in TYPES:
                verdict = said(old, new)
                had, wanted = (sink.stored(one) for one in (old, new))
                assert had is not None
                assert wanted is not None
                before, after = sink.shown(had), sink.shown(wanted)
                holding = holds(there, before, new, after)
                altering = alters(there, old, before, after)
                right = {"": holding, "sink-alter": altering, "sink-column": not holding or not altering}[
                    verdict
                ]
                found[f"{verdict or 'nothing to do'}: {'so' if right else 'NOT SO'}"] += 1
                if not right:
                    wrong += 1
                    print(
                        f"{old.shown} -> {new.shown} ({before}, {after}): {verdict}, {holding=}, {altering=}"
                    )
    print(dict(found))
    return 1 if wrong else 0


if __name__ == "__main__":
    sys.exit(main())
