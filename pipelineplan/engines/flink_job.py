# ruff: noqa: S608 -- what goes into SQL are durations in numbers
"""The part that Flink's own interpreter runs: records in, what Flink made of them out.

    python flink_job.py job.json...

    job.json      {"route": "sql", "records": "records.csv", "output": "answer.csv", "work": "work",
                   "lag_ms": 2000, "size_ms": 10000, "allowed_ms": 5000}
    records.csv   0,11999,3        number, event time in ms, key
    answer.csv    3,10000,2,3      sql: key, window start in ms, records at the first firing, in the end
                  7,1              datastream: number of a record that was late; 2 where it was dropped

It runs in an environment of its own and therefore imports nothing of this package. The watermark
moves with every record: a watermark assigner of SQL emits at once when the interval is zero, one
reader keeps the order of the file, and Python workers get bundles of one record, because a larger
bundle would hold the watermark back.

Sources: Apache Flink 2.2, WatermarkAssignerOperator.processElement; documentation of
`table.exec.emit.*`, `pipeline.auto-watermark-interval` and `python.fn-execution.bundle.size`.
"""

from __future__ import annotations

import csv
import json
import os
import signal
import sys
import threading
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

Window = tuple[int, int]

SETTINGS = {
    "parallelism.default": "1",
    "pipeline.auto-watermark-interval": "0 ms",
    "table.local-time-zone": "UTC",
}
EVERY_LATE_RECORD = {
    "table.exec.emit.late-fire.enabled": "true",
    "table.exec.emit.late-fire.delay": "0 ms",
}
ONE_RECORD_AT_A_TIME = {"python.fn-execution.bundle.size": "1", "python.executable": sys.executable}


def main(job_files: list[str]) -> int:
    """Run the jobs that the files describe, one after the other, and write their answers."""
    end_with_parent()
    for file in job_files:
        job = json.loads(Path(file).read_text(encoding="utf-8"))
        rows = by_window(job) if job["route"] == "sql" else by_record(job)
        with Path(job["output"]).open("w", encoding="utf-8", newline="") as stream:
            csv.writer(stream).writerows(rows)
    return 0


def end_with_parent(every_seconds: float = 1.0) -> None:
    """End this process group when who started it is gone; only where the group is our own."""
    parent = os.getppid()

    def watch() -> None:
        while os.getppid() == parent:
            time.sleep(every_seconds)
        os.killpg(os.getpgrp(), signal.SIGKILL)

    if os.getpgrp() == os.getpid():
        threading.Thread(target=watch, daemon=True).start()


def by_window(job: dict[str, Any]) -> list[tuple[int, ...]]:
    """Key, window start, content of the first firing, final content: two queries of Flink SQL."""
    first = _on_time(job)
    final = _kept(job) if job["allowed_ms"] else first
    return [(*window, first.get(window, 0), final.get(window, 0)) for window in sorted(first | final)]


def _on_time(job: dict[str, Any]) -> dict[Window, int]:
    """Windows as a table function drop everything that is late: what is left was on time."""
    tables, work = _tables(SETTINGS, job), Path(job["work"]) / "on-time"
    _sink(tables, work, "csv")
    size = interval(job["size_ms"])
    tables.execute_sql(
        "INSERT INTO answer SELECT k, CAST(window_start AS STRING), COUNT(*) "
        f"FROM TABLE(TUMBLE(TABLE records, DESCRIPTOR(ts), {size})) GROUP BY k, window_start, window_end"
    ).wait()
    rows = (row for file in _parts(work) for row in csv.reader(file))
    return {(int(key), milliseconds(start)): int(number) for key, start, number in rows}


def _kept(job: dict[str, Any]) -> dict[Window, int]:
    """Group windows with an allowed lateness, as a changelog of which the last word counts."""
    late = {**SETTINGS, **EVERY_LATE_RECORD, "table.exec.emit.allow-lateness": f"{job['allowed_ms']} ms"}
    tables, work = _tables(late, job), Path(job["work"]) / "kept"
    _sink(tables, work, "debezium-json")
    window = f"ts, {interval(job['size_ms'])}"
    tables.execute_sql(
        f"INSERT INTO answer SELECT k, CAST(TUMBLE_START({window}) AS STRING), COUNT(*) "
        f"FROM records GROUP BY k, TUMBLE({window})"
    ).wait()
    return last_words(line for file in _parts(work) for line in file)


def last_words(changelog: Iterator[str]) -> dict[Window, int]:
    """The counts that a changelog in Debezium's JSON ends with."""
    kept: dict[Window, int] = {}
    for line in changelog:
        change = json.loads(line)
        row = change["after"] if change["op"] == "c" else change["before"]
        window = (row["k"], milliseconds(row["start"]))
        if change["op"] == "c":
            kept[window] = row["number"]
        else:
            kept.pop(window)
    return kept


def by_record(job: dict[str, Any]) -> list[tuple[int, int]]:
    """Numbers of the records that came late (1) or were dropped (2): DataStream windows, side outputs."""
    from pyflink.common import Types  # type: ignore[import-not-found]
    from pyflink.datastream import StreamExecutionEnvironment  # type: ignore[import-not-found]
    from pyflink.table import StreamTableEnvironment  # type: ignore[import-not-found]

    settings = _configuration({**SETTINGS, **ONE_RECORD_AT_A_TIME})
    tables = StreamTableEnvironment.create(StreamExecutionEnvironment.get_execution_environment(settings))
    _source(tables, job)
    stream = tables.to_data_stream(tables.sql_query("SELECT id, k, ts FROM records"))
    keyed = stream.map(lambda row: (row[0], row[1]), _pair()).key_by(lambda row: row[1], Types.LONG())
    # What a window without allowed lateness turns away came late; what the plan's own does, is dropped.
    late = _turned_away(keyed, "late", job["size_ms"], 0)
    dropped = _turned_away(keyed, "dropped", job["size_ms"], job["allowed_ms"])
    tables.create_temporary_view("turned_away", tables.from_data_stream(late.union(dropped)))
    work = Path(job["work"]) / "turned-away"
    tables.execute_sql(f"CREATE TABLE answer (id BIGINT) WITH ({_files(work, 'csv')})")
    tables.execute_sql("INSERT INTO answer SELECT f0 FROM turned_away").wait()
    times: dict[int, int] = {}
    for file in _parts(work):
        for line in file:
            times[int(line)] = times.get(int(line), 0) + 1
    return sorted(times.items())


def _turned_away(keyed: Any, name: str, size_ms: int, allowed_ms: int) -> Any:
    """The late side output of windows that wait `allowed_ms` longer."""
    from pyflink.common import Time, Types
    from pyflink.datastream import OutputTag
    from pyflink.datastream.window import TumblingEventTimeWindows  # type: ignore[import-not-found]

    tag = OutputTag(name, _pair())
    windows = keyed.window(TumblingEventTimeWindows.of(Time.milliseconds(size_ms)))
    windows = windows.allowed_lateness(allowed_ms).side_output_late_data(tag)
    # The panes themselves are not looked at here; a window needs something to do with them.
    panes = windows.reduce(lambda first, _: first, output_type=_pair())
    return panes.get_side_output(tag).map(lambda row: row[0], Types.LONG())


def _pair() -> Any:
    """The type of a record; new every time, because one that was used once cannot be pickled."""
    from pyflink.common import Types

    return Types.TUPLE([Types.LONG(), Types.LONG()])


def _tables(settings: dict[str, str], job: dict[str, Any]) -> Any:
    from pyflink.table import EnvironmentSettings, TableEnvironment

    streaming = EnvironmentSettings.new_instance().in_streaming_mode()
    tables = TableEnvironment.create(streaming.with_configuration(_configuration(settings)).build())
    _source(tables, job)
    return tables


def _configuration(settings: dict[str, str]) -> Any:
    from pyflink.common import Configuration

    configuration = Configuration()
    for key, value in settings.items():
        configuration.set_string(key, value)
    return configuration


def _source(tables: Any, job: dict[str, Any]) -> None:
    tables.execute_sql(
        "CREATE TABLE records (id BIGINT, ms BIGINT, k BIGINT, ts AS TO_TIMESTAMP_LTZ(ms, 3), "
        f"WATERMARK FOR ts AS ts - {interval(job['lag_ms'])}) WITH ({_files(Path(job['records']), 'csv')})"
    )


def _sink(tables: Any, folder: Path, form: str) -> None:
    row = "k BIGINT, `start` STRING, number BIGINT"
    tables.execute_sql(f"CREATE TABLE answer ({row}) WITH ({_files(folder, form)})")


def _files(path: Path, form: str) -> str:
    quoted = str(path.resolve()).replace("'", "''")
    return f"'connector' = 'filesystem', 'path' = '{quoted}', 'format' = '{form}'"


def _parts(folder: Path) -> Iterator[Any]:
    """The files that a sink has left; none when nothing came out."""
    for part in sorted(folder.glob("part-*")):
        with part.open(encoding="utf-8", newline="") as file:
            yield file


def interval(duration_ms: int) -> str:
    """An SQL interval to the millisecond; Flink takes at most 99 days."""
    seconds, ms = divmod(duration_ms, 1000)
    days, seconds = divmod(seconds, 86_400)
    clock = f"{seconds // 3600:02d}:{seconds // 60 % 60:02d}:{seconds % 60:02d}.{ms:03d}"
    return f"INTERVAL '{days} {clock}' DAY TO SECOND(3)"


def milliseconds(text: str) -> int:
    """`1970-01-01 00:00:10.500`, in UTC, as milliseconds since 1970."""
    from datetime import datetime, timedelta

    return (datetime.fromisoformat(text) - datetime(1970, 1, 1)) // timedelta(milliseconds=1)  # noqa: DTZ001


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
