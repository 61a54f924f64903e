"""How time and memory of `profile` grow with the recording, and what 5 GB cost: each in its own process.

    uv run python tests/benchmarks/profile_growth.py [most millions of rows] [gigabytes]

Rows are a thousand a second, event times to the microsecond and exponentially late (20 s), so that nearly
all values differ: the worst case for counts. Keys are 5 million, partitions 16; the large files also carry
96 characters of payload that nobody asks for. Bare DuckDB reads the same file in a process of its own,
without a limit of memory: out-of-order count, largest disorder and lateness, six quantiles.
"""

from __future__ import annotations

import multiprocessing
import os
import sys
import tempfile
import time
from pathlib import Path
from typing import NamedTuple

import duckdb

SIZES = (1, 3, 10, 30, 100)
FORMS = {"parquet": "(FORMAT parquet)", "csv": "(FORMAT csv, HEADER)", "jsonl": "(FORMAT json)"}
ROWS_PER_GIGABYTE = {"parquet": 17_700_000, "csv": 6_850_000}
TIMES = ("--event-time", "t", "--arrival-time", "loaded")
GROUPED = ("--key", "k", "--partition", "p")
BARE = """
import duckdb
duckdb.sql('''
    WITH d AS (
        SELECT loaded - t AS late, max(t) OVER (ORDER BY loaded, n ROWS UNBOUNDED PRECEDING) - t AS disorder
        FROM (SELECT t, loaded, file_row_number AS n FROM read_parquet('{file}', file_row_number=true))
    )
    SELECT count(*) FILTER (disorder > 0), max(late), max(disorder), quantile_cont(late, [.5, .95, .99]),
        quantile_cont(disorder, [.5, .95, .99]) FROM d
''').fetchall()
"""


class Used(NamedTuple):
    """Seconds by the clock and of processors, and the peak of resident memory."""

    seconds: float
    processor_seconds: float
    megabytes: float


def write(file: Path, rows: int, *, wide: bool = False, shuffled: bool = False) -> Path:
    """A recording of so many rows: t, loaded (microseconds), k, p, and a payload when `wide`."""
    payload = ", md5(i::VARCHAR) || md5((i + 1)::VARCHAR) || md5((i + 2)::VARCHAR) AS payload" if wide else ""
    share = "hash(i * 2) / 18446744073709551616.0"
    times = "1767225600000000 + i * 1000 + (hash(i + 3) % 1000)::BIGINT AS loaded"
    connection = duckdb.connect(config={"memory_limit": "1500MB", "temp_directory": f"{file}.spilled"})
    connection.execute("SET enable_progress_bar = false")
    connection.execute(
        f"COPY (SELECT loaded + (20e6 * ln(1 - {share} * 0.99999999))::BIGINT AS t, loaded,"
        f" 'user-' || (hash(i) % 5000000) AS k, (hash(i + 7) % 16)::INT AS p{payload}"
        f" FROM (SELECT i, {times} FROM range({rows}) r(i)){' ORDER BY hash(i)' if shuffled else ''})"
        f" TO '{file}' {FORMS[file.suffix[1:]]}"
    )
    return file


def written(file: Path, rows: int, **how: bool) -> Path:
    """The same by a process of its own: a child's peak begins with that of the process that starts it."""
    child = multiprocessing.get_context("spawn").Process(target=write, args=(file, rows), kwargs=how)
    child.start()
    child.join()
    return file


def alone(command: list[str]) -> Used:
    """What a process takes, and no other."""
    started = time.perf_counter()
    quiet = [(os.POSIX_SPAWN_OPEN, number, os.devnull, os.O_WRONLY, 0) for number in (1, 2)]
    child = os.posix_spawn(command[0], command, os.environ, file_actions=quiet)
    _, status, used = os.wait4(child, 0)
    seconds = time.perf_counter() - started
    if status:
        raise SystemExit(f"{' '.join(command)} ended with {os.waitstatus_to_exitcode(status)}")
    return Used(seconds, used.ru_utime + used.ru_stime, used.ru_maxrss / 1024)


def profiled(file: Path, *options: str) -> Used:
    """What `pipelineplan profile` takes in a process of its own."""
    return alone([sys.executable, "-m", "pipelineplan", "profile", str(file), *TIMES, *options])


def show(what: str, file: Path, rows: int, used: Used) -> None:
    """One line of the table."""
    size = f"{rows / 1e6:>8.1f} M{file.stat().st_size / 1e9:>8.2f} GB"
    times = f"{used.seconds:>8.1f} s{used.processor_seconds:>8.1f} s"
    print(f"{what:<38}{size}{times}{used.megabytes:>8.0f} MB", flush=True)


def growth(folder: Path, most: int) -> None:
    for form in FORMS:
        for millions in SIZES:
            if millions > most or (form != "parquet" and millions > 30):
                continue
            rows = millions * 1_000_000
            file = written(folder / f"events.{form}", rows)
            show(form, file, rows, profiled(file))
            if form == "parquet" and millions <= 30:
                bare = alone([sys.executable, "-c", BARE.format(file=file)])
                show("  the same, bare DuckDB", file, rows, bare)
            file.unlink()


def large(folder: Path, gigabytes: float) -> None:
    for form, each in ROWS_PER_GIGABYTE.items():
        rows = int(each * gigabytes)
        file = written(folder / f"large.{form}", rows, wide=True)
        show(f"large {form}", file, rows, profiled(file))
        show("  with keys and partitions", file, rows, profiled(file, *GROUPED))
        if form == "parquet":
            show("  with the trade-off of a window", file, rows, profiled(file, "--window", "1 min"))
            show("  with duplicates by two columns", file, rows, profiled(file, "--duplicates-by", "k,t"))
        file.unlink()
    rows = int(ROWS_PER_GIGABYTE["parquet"] * gigabytes)
    file = written(folder / "shuffled.parquet", rows, wide=True, shuffled=True)
    show("large parquet, not in order of arrival", file, rows, profiled(file))


def main() -> None:
    most = int(sys.argv[1]) if len(sys.argv) > 1 else 10
    gigabytes = float(sys.argv[2]) if len(sys.argv) > 2 else 1.0
    print(f"{'':<38}{'rows':>10}{'file':>11}{'time':>10}{'CPU':>10}{'peak':>11}")
    with tempfile.TemporaryDirectory() as folder:
        growth(Path(folder), most)
        large(Path(folder), gigabytes)


if __name__ == "__main__":
    main()
