"""The same profile, stream metrics and reconciliation from Apache Beam on a real Flink as from one process.

    uv run python tests/full/beam_on_flink.py

generated   1,200,000 events in 8 Parquet files: three in ten late, five partitions, a hot key, repeats
recorded    d-1 of ../shared/data/out-of-order, cut into 8 CSV files in its order of arrival

            its fixed, sliding and session windows by device, as a batch written to Parquet
lost        the generated events against a copy that lacks one in 997: which segments differ

Flink's own REST interface says which task managers records reached: the step that measures must have
run on both. The profiles are compared whole, as the JSON that is printed.
"""

from __future__ import annotations

import re
import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from pipelineplan.engines.beam_batch import run_batch
from pipelineplan.engines.beam_flink_cluster import Cluster, beam_on_flink
from pipelineplan.engines.beam_flink_environment import find_beam_flink
from pipelineplan.engines.beam_plan import Case
from pipelineplan.engines.beam_profile import Columns, measure_on_beam
from pipelineplan.engines.beam_quality import reconcile_on_beam
from pipelineplan.engines.beam_streams import count_on_beam
from pipelineplan.errors import InputError, Position
from pipelineplan.eventtime import EngineRule
from pipelineplan.eventtime.panes import Paning
from pipelineplan.eventtime.timeliness import FixedWindows, Judgement
from pipelineplan.eventtime.watermarks import Watermark
from pipelineplan.eventtime.window_kinds import SessionWindows, SlidingWindows, Windows
from pipelineplan.profiling import measure, to_json_dict
from pipelineplan.quality.reconciling import Pair, Side
from pipelineplan.quality.streaming import Stream, count_stream
from pipelineplan.quality.streaming.of_plan import names_of

EVENTS, FILES = 1_200_000, 8
RECORDED = Path(__file__).parents[2] / "../shared/data/out-of-order/d-1.csv"
TIME, DEVICE = "S.Client.Detection.Time", "S.Device.ID"
WINDOWS = (FixedWindows(10_000), SlidingWindows(10_000, 4_000), SessionWindows(500))
TASK_MANAGERS = 2
MEASURING = re.compile(r"\bmeasure\b")


def generated(folder: Path, events: int = EVENTS) -> Path:
    """Files of events in their order of arrival; returns the pattern of their names."""
    rng = np.random.default_rng(20261121)
    arrived = 1_700_000_000_000_000 + np.sort(rng.integers(0, 3_600_000_000, events))
    late = (rng.exponential(400_000, events) * (rng.random(events) < 0.3)).astype(np.int64)
    whole = pa.table(
        {
            "at": arrived - late,
            "loaded": arrived,
            "user": rng.zipf(1.5, events) % 5_000,
            "part": rng.integers(0, 5, events),
            "id": rng.integers(0, 4 * events, events),
        }
    )
    for number in range(FILES):
        piece = whole.slice(number * events // FILES, events // FILES)
        pq.write_table(piece, folder / f"events-{number}.parquet", row_group_size=1 << 16)
    return folder / "events-*.parquet"


def cut(file: Path, folder: Path) -> Path:
    """The lines of a CSV file in several, each with the header; returns the pattern of their names."""
    header, *lines = file.read_text(encoding="utf-8").splitlines(keepends=True)
    step = -(-len(lines) // FILES)
    for number in range(FILES):
        piece = lines[number * step : (number + 1) * step]
        (folder / f"{file.stem}-{number}.csv").write_text(header + "".join(piece), encoding="utf-8")
    return folder / f"{file.stem}-*.csv"


def streams(folder: Path, events: int = EVENTS) -> Iterator[tuple[str, Path, Columns]]:
    """What is measured: a name, files, columns."""
    pattern = generated(folder, events)
    yield "generated, in file order", pattern, Columns("at", None, "user", "part", ("id",))
    yield "generated, by arrival time", pattern, Columns("at", "loaded", "user", "part", ("id", "user"))
    if RECORDED.is_file():
        yield "recorded d-1", cut(RECORDED, folder), Columns(TIME, None, DEVICE)
    else:
        print(f"skipped: {RECORDED} is not there; the recorded streams lie beside the repository")


def spread(cluster: Cluster) -> set[str]:
    """The task managers that the last job's measuring ran on."""
    jobs = sorted(cluster.ask("/jobs/overview")["jobs"], key=lambda job: job["start-time"])
    steps = cluster.task_managers_of(jobs[-1]["jid"])
    return next(reached for name, reached in steps.items() if MEASURING.search(name))


def same(cluster: Cluster, name: str, files: Path, columns: Columns) -> bool:
    """Measure in both ways; whether both profiles are one, and the work was shared out."""
    started = time.monotonic()
    alone = to_json_dict(measure([files], **vars(columns)))
    between = time.monotonic()
    on_flink = to_json_dict(measure_on_beam([files], columns, cluster.runner_options, rows=1 << 16))
    took = time.monotonic() - between
    managers = spread(cluster)
    different = [entry for entry in alone if on_flink[entry] != alone[entry]]
    verdict = "the same profile" if not different else f"DIFFERS in {', '.join(different)}"
    print(
        f"{verdict}: {name}: {alone['events']:,} events, {alone['out_of_order']['count']:,} out of order;"
        f" measured on {len(managers)} task managers; alone {between - started:.1f} s, there {took:.1f} s",
        flush=True,
    )
    return not different and len(managers) == TASK_MANAGERS


def same_metrics(cluster: Cluster, files: Path) -> bool:
    """Count late, dropped, out of order, repeats and gaps in both ways; whether both tables are one."""
    judgement = Judgement(Watermark(500), FixedWindows(60_000, 1_000))
    stream = Stream(judgement, "at", key=("user",), identity=("user", "id"), horizon_ms=60_000, sequence="id")
    alone = count_stream(stream, files)
    there = count_on_beam(stream, files, cluster.runner_options, bucket_rows=1 << 18)
    totals = ", ".join(f"{alone.metrics.total(name):,} {name}" for name in names_of(alone.metrics))
    print(f"{'the same metrics' if alone == there else 'DIFFERS'}: {totals}", flush=True)
    return alone == there and alone.metrics.total("duplicate") > 0


def same_reconciliation(cluster: Cluster, files: Path) -> bool:
    """Reconcile the events with a copy that lacks some, in both ways; whether the same segments differ."""
    copy = files.parent / "copy"
    copy.mkdir()
    sides: dict[str, list[Path]] = {"source": [], "destination": []}
    for file in sorted(files.parent.glob(files.name)):
        whole = pq.read_table(file)
        pq.write_table(whole.filter(pc.not_equal(pc.bit_wise_and(whole["id"], 1023), 77)), copy / file.name)
        sides["source"].append(file)
        sides["destination"].append(copy / file.name)
    pair = Pair(
        "copy",
        "events",
        "copy",
        ("id", "at"),
        Side("at"),
        Side("at"),
        columns=("user",),
        window_us=60_000_000,
    )
    alone = reconcile_on_beam(pair, sides)
    there = reconcile_on_beam(pair, sides, runner_options=cluster.runner_options)
    differing = sum(bool(window.differing) for window in alone.closed)
    verdict = "the same reconciliation" if alone == there else "DIFFERS"
    print(f"{verdict}: {len(alone.closed)} closed windows, {differing} of them differ", flush=True)
    return alone == there and differing > 0


def batch(cluster: Cluster, windows: Windows, output: Path) -> bool:
    """Run the windows of the recorded stream as a batch there; whether each is as predicted."""
    started = time.monotonic()
    paning = Paning(windows, EngineRule.BEAM_PYTHON)
    case = Case(
        "d-1", type(windows).__name__, RECORDED, TIME, DEVICE, (), Watermark(0), paning, Position(""), "$"
    )
    done = run_batch(case, None, output, cluster.runner_options)
    verdict = "as predicted" if done.agrees else f"DIFFERS in {len(done.different):,}"
    took = time.monotonic() - started
    print(f"{verdict}: a batch of {done.rows:,} records in {done.windows:,} windows, {windows}: {took:.1f} s")
    return done.agrees and done.windows > 0


def main() -> int:
    """Start, measure everything, compare, end; 1 if anything differs, 2 without what it needs."""
    try:
        environment = find_beam_flink()
    except InputError as error:
        print(error)
        return 2
    with tempfile.TemporaryDirectory() as name:
        work, data = Path(name) / "cluster", Path(name) / "data"
        work.mkdir()
        data.mkdir()
        started = time.monotonic()
        with beam_on_flink(environment, work, TASK_MANAGERS) as cluster:
            overview = cluster.ask("/overview")
            print(
                f"Flink {overview['flink-version']} with {overview['taskmanagers']} task managers,"
                f" up in {time.monotonic() - started:.0f} s",
                flush=True,
            )
            recordings = list(streams(data))
            done = [same(cluster, *recording) for recording in recordings]
            done += [same_metrics(cluster, recordings[0][1]), same_reconciliation(cluster, recordings[0][1])]
            if RECORDED.is_file():
                done += [batch(cluster, windows, data / "out") for windows in WINDOWS]
    return 0 if all(done) else 1


if __name__ == "__main__":
    sys.exit(main())
