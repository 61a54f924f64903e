# mypy: disable-error-code="misc,untyped-decorator"
"""Reconciliation of data past one machine: an Apache Beam pipeline counts, the same code judges.

    shards of every role --> count (DuckDB, in the worker) --> add up by segment --> totals, as JSON lines
                                                                                         |
                                        merge, finish: the very functions of one process <-

A shard is a set of files of one role, so a worker reads its files in one pass and sends on only totals: a
row per segment, whatever the number of records. Sums of hashes and decimals do not depend on the order
in which they are added, so the numbers are those of one process to the last digit. The digest is the
portable one: workers may run other versions. Runs on any runner by its options.
"""

from __future__ import annotations

import json
import tempfile
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from decimal import Decimal
from pathlib import Path
from typing import Any

from pipelineplan.engines.beam_runner import OnBeam, beam_version, pipeline_of, quiet, run_pipeline
from pipelineplan.errors import InputError, Position, Problem
from pipelineplan.quality.reconciling import Compared, Pair, Partial, finish, merge
from pipelineplan.quality.reconciling.run import Compare
from pipelineplan.quality.reconciling.segments import Totals

# (role, slice, bucket) and (records, digest, sums as text, newest event time in microseconds)
Key = tuple[str, int, int]
Value = tuple[int, int, tuple[str, ...], int | None]


@dataclass(frozen=True)
class Shard:
    """Files of one role that one worker reads; the other side is needed for its columns' types only."""

    role: str
    file: str
    headers: tuple[tuple[str, str], ...]


def reconcile_on_beam(
    pair: Pair,
    data: Mapping[str, Sequence[Path]],
    *,
    runner_options: Sequence[str] = (),
    watermark_us: int | None = None,
) -> Compared:
    """Every window of `pair` compared, over files by role that the workers can read.

    `runner_options` are Beam's own (`--runner=FlinkRunner`, ...); without any the pipeline runs in this
    process. Which segments differ is in the answer; their keys are found where the files are, by
    `reconcile_files`. Raises `InputError` for a pair that shards cannot count and for a runner that is
    refused, `MissingExtraError` without Apache Beam, `BeamError` when the pipeline fails.
    """
    _require_countable(pair, data)
    used = replace(pair, portable=True)
    with tempfile.TemporaryDirectory(prefix="pipelineplan-beam-") as folder:
        _run(used, data, Path(folder) / "totals", runner_options)
        return finish(used, merge(_read(Path(folder))), watermark_us)


def compare_on_beam(
    pair: Pair, data: Mapping[str, Path], watermark_us: int | None, runner_options: Sequence[str] = ()
) -> Compared:
    """The same for files, folders and globs that this process sees: what `reconcile_files` can count by."""
    from pipelineplan.quality.tables import files_of

    files = {role: files_of(path) for role, path in data.items()}
    return reconcile_on_beam(pair, files, runner_options=runner_options, watermark_us=watermark_us)


def comparing(on: OnBeam | None) -> Compare | None:
    """Who counts the segments of a reconciliation: Beam, or, when `on` is None, this process alone."""
    if on is None:
        return None
    runner_options = () if on == "beam" else on
    return lambda pair, data, watermark_us: compare_on_beam(pair, data, watermark_us, runner_options)


def count_shard(pair: Pair, shard: Shard) -> Iterator[tuple[Key, Value]]:
    """The totals of one shard by segment; what a worker does."""
    from pipelineplan.quality.reconciling.reading import open_pair
    from pipelineplan.quality.reconciling.segments import counted

    files = dict(shard.headers) | {shard.role: shard.file}
    reading = open_pair(pair, {role: Path(file) for role, file in files.items()})
    try:
        found = counted(pair, reading, shard.role)
    finally:
        reading.connection.close()
    for (number, bucket), totals in found.totals.items():
        sums = tuple(str(each) for each in totals.sums)
        yield (shard.role, number, bucket), (totals.records, totals.digest, sums, found.newest_us)


def add_values(values: Any) -> Value:
    """The sum of totals; associative and commutative, as Beam may ask in any grouping."""
    total: Totals | None = None
    newest: int | None = None
    for records, digest, sums, latest in values:
        if not records and not sums:  # Beam also adds up what it has nothing of
            continue
        one = Totals(records, digest, tuple(map(Decimal, sums)))
        total = one if total is None else total + one
        newest = latest if newest is None or (latest is not None and latest > newest) else newest
    if total is None:
        return (0, 0, (), None)
    return (total.records, total.digest, tuple(map(str, total.sums)), newest)


def as_line(element: tuple[Key, Value]) -> str:
    """One segment as a line of JSON."""
    return json.dumps(element)


def _run(pair: Pair, data: Mapping[str, Sequence[Path]], output: Path, runner_options: Sequence[str]) -> None:
    with quiet():
        beam_version("reconciling on Apache Beam")
        import apache_beam as beam

        pipeline = pipeline_of(runner_options)
        _ = (
            pipeline
            | "shards" >> beam.Create(_shards(data))
            | "spread" >> beam.Reshuffle()
            | "count" >> beam.FlatMap(lambda shard: count_shard(pair, shard))
            | "add up" >> beam.CombinePerKey(add_values)
            | "lines" >> beam.Map(as_line)
            | "write" >> beam.io.WriteToText(str(output))
        )
        run_pipeline(pipeline, f"the reconciliation {pair.name!r}")


def _shards(data: Mapping[str, Sequence[Path]]) -> list[Shard]:
    """A shard per file, with the first file of every other role beside it."""
    first = {role: str(files[0]) for role, files in data.items()}
    return [
        Shard(role, str(file), tuple(sorted((r, f) for r, f in first.items() if r != role)))
        for role, files in data.items()
        for file in files
    ]


def _read(folder: Path) -> Iterator[Partial]:
    for file in sorted(folder.glob("totals*")):
        for line in file.read_text("utf-8").splitlines():
            (role, number, bucket), (records, digest, sums, newest) = json.loads(line)
            totals = Totals(records, digest, tuple(map(Decimal, sums)))
            yield Partial(role, {(number, bucket): totals}, newest)


def _require_countable(pair: Pair, data: Mapping[str, Sequence[Path]]) -> None:
    untyped = [file for files in data.values() for file in files if file.suffix != ".parquet"]
    if untyped:
        fix = "write the data as Parquet, or reconcile in one process"
        found = "found a file whose types would be guessed by each worker for itself"
        raise InputError([Problem(found, Position(str(file)), fix=fix) for file in untyped])
    if pair.source_side.once_by or pair.destination_side.once_by:
        found = "found rows that are counted once by their fields: a shard cannot know of another one's"
        fix = "take the repeats out before, or reconcile in one process"
        raise InputError([Problem(found, Position("reconciliation"), fix=fix)])
