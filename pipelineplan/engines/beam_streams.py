# mypy: disable-error-code="misc,untyped-decorator"
"""The metrics of a recorded stream by Apache Beam: the table of one process, from as many workers as needed.

    files ----> newest event time of each --+
       |                                    v
       +------> late, dropped, out of order, given what came before --+
    buckets of keys -> repeats, gaps, out of order in their key ------+--> add up by window -> JSON lines

Counted is by `quality.streaming`, file by file and bucket by bucket; Beam shares the work out and adds up.
Each bucket's worker reads the columns it needs of all files, in their order, and keeps its own keys.
"""

from __future__ import annotations

import json
import tempfile
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path
from typing import Any

from pipelineplan.engines.beam_runner import OnBeam, beam_version, pipeline_of, quiet, run_pipeline
from pipelineplan.errors import InputError, Position, Problem
from pipelineplan.quality.streaming import Counted, Stream, WindowMetrics, count_stream
from pipelineplan.quality.streaming.counting import (
    BUCKET_ROWS,
    Group,
    count_bucket,
    count_in_order,
    groups,
    newest_event_ms,
)
from pipelineplan.quality.streaming.metrics import add_counts, merge
from pipelineplan.quality.streaming.of_plan import Count
from pipelineplan.quality.tables import files_of

# Window's start in ms, or this for the records that no window holds; and counts by flag.
UNREADABLE = "unreadable"
Row = tuple[int | str, dict[str, int]]
Bucket = tuple[Group, int, int]


def count_on_beam(
    stream: Stream,
    path: Path,
    runner_options: Sequence[str] = (),
    *,
    shared: Path | None = None,
    bucket_rows: int = BUCKET_ROWS,
) -> Counted:
    """What `count_stream` says of the Parquet files in `path`, on the runner that the options name.

    Workers read the files under their paths and leave what they counted in `shared`, a folder that this
    machine sees too (a temporary one when not given). Raises `InputError` for files and streams that
    cannot be shared out and for a runner that is refused, `BeamError` when the pipeline fails.
    """
    with quiet():
        beam_version("checking streams on Apache Beam")
    files = _shareable(stream, path)
    with tempfile.TemporaryDirectory(prefix="pipelineplan-beam-", dir=shared) as folder:
        output = Path(folder).absolute()
        with quiet():
            pipeline = pipeline_of(runner_options)
            _build(pipeline, stream, files, _buckets(stream, path, files, bucket_rows), output)
            run_pipeline(pipeline, "the metrics of a stream")
        return _read(output)


def counting(on: OnBeam | None) -> Count:
    """Who counts a stream: Beam, or, when `on` is None, this process alone."""
    if on is None:
        return count_stream
    runner_options = () if on == "beam" else on
    return lambda stream, path: count_on_beam(stream, path, runner_options)


def _build(
    pipeline: Any, stream: Stream, files: list[Path], buckets: list[tuple[Path, Bucket]], output: Path
) -> None:
    import apache_beam as beam

    shared_out = pipeline | "files" >> beam.Create(list(enumerate(map(str, files)))) | beam.Reshuffle()
    newest = shared_out | "newest" >> beam.Map(newest_of, stream)
    ordered = shared_out | "in order" >> beam.FlatMap(rows_in_order, stream, beam.pvalue.AsDict(newest))
    spread = pipeline | "buckets" >> beam.Create(buckets) | "spread" >> beam.Reshuffle()
    keyed = spread | "keys" >> beam.FlatMap(rows_of_bucket)
    _ = (
        (ordered, keyed)
        | beam.Flatten()
        | "add up" >> beam.CombinePerKey(added)
        | "lines" >> beam.Map(json.dumps)
        | "write" >> beam.io.WriteToText(str(output / "rows"))
    )


def newest_of(numbered: tuple[int, str], stream: Stream) -> tuple[int, int | None]:
    """The newest event time of a file, by the file's number."""
    return numbered[0], newest_event_ms(stream, Path(numbered[1]))


def rows_in_order(numbered: tuple[int, str], stream: Stream, newest: dict[int, int | None]) -> Iterator[Row]:
    """What the order of arrival decides in one file, given the newest event times of those before."""
    before = [one for number, one in newest.items() if number < numbered[0] and one is not None]
    counted = count_in_order(stream, Path(numbered[1]), max(before, default=None))
    yield from counted.metrics.counts.items()
    yield UNREADABLE, {"records": counted.unreadable}


def rows_of_bucket(task: tuple[Path, Bucket]) -> Iterator[Row]:
    """What keys decide, in one bucket of them."""
    path, (group, number, many) = task
    yield from count_bucket(group, path, number, many, portable=True).counts.items()


def added(rows: Iterable[dict[str, int]]) -> dict[str, int]:
    """The sum of counts; associative and commutative, as Beam may ask in any grouping."""
    total: dict[str, int] = {}
    for row in rows:
        add_counts(total, row)
    return total


def _buckets(stream: Stream, path: Path, files: list[Path], bucket_rows: int) -> list[tuple[Path, Bucket]]:
    from pyarrow import parquet

    rows = sum(parquet.read_metadata(file).num_rows for file in files)
    many = 1 + rows // bucket_rows
    return [(path.absolute(), (group, number, many)) for group in groups(stream) for number in range(many)]


def _shareable(stream: Stream, path: Path) -> list[Path]:
    try:
        files = files_of(path)
    except ValueError as error:
        raise InputError([Problem(str(error), Position(str(path)))]) from error
    untyped = [file for file in files if file.suffix != ".parquet"]
    if untyped:
        found = "found a file whose types would be guessed by each worker for itself"
        fix = "write the data as Parquet, or leave --on away"
        raise InputError([Problem(found, Position(str(file)), fix=fix) for file in untyped])
    if not all(group.by for group in groups(stream)):
        found = "found changes with a version, whose repeats are known by other fields than their key"
        fix = "let duplicates.key contain cdc.primary_key, or leave --on away"
        raise InputError([Problem(found, Position("--on"), fix=fix)])
    return files


def _read(folder: Path) -> Counted:
    unreadable, parts = 0, []
    for file in sorted(folder.glob("rows*")):
        for line in file.read_text("utf-8").splitlines():
            start, counts = json.loads(line)
            if start == UNREADABLE:
                unreadable += counts["records"]
            else:
                parts.append(WindowMetrics({start: counts}))
    return Counted(merge(parts), unreadable)
