"""A recorded stream measured by Apache Beam: the same profile, from as many workers as there are.

    files -> stretches -+-> heads (newest event times) --+
                        |                                v
                        +-> measured, each given what came before -> merged by tens -> finish
                        +-> values of the key, the partition, the duplicates -> how many, how often

What is counted is counted by `profiling`, stretch by stretch; Beam brings it together. The workers
read the files under the paths that were given, and leave what they found in a folder that this
process reads: on several machines, both have to be on storage that all of them see.
"""

from __future__ import annotations

import tempfile
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

from pipelineplan.engines.beam_runner import beam_version, pipeline_of, quiet, run_pipeline
from pipelineplan.errors import InputError, Position, Problem
from pipelineplan.sources import ClockSkew, Duplicates, Split, StreamProfile

if TYPE_CHECKING:
    from pipelineplan.engines.beam_profile_steps import Measured, Shares, Stretch
    from pipelineplan.profiling.recording import Recording
    from pipelineplan.profiling.times import Unit

ROWS = 1 << 20
MERGED_AT_ONCE = 10


@dataclass(frozen=True)
class Columns:
    """What the columns of a recording mean, by their names."""

    event_time: str
    arrival_time: str | None = None
    key: str | None = None
    partition: str | None = None
    duplicates_by: tuple[str, ...] = ()
    unit: Unit = "auto"

    @property
    def counted(self) -> Mapping[str, tuple[str, ...]]:
        """By what it is for: the columns whose values are counted."""
        wanted = {
            "partitions": (self.partition,) if self.partition else (),
            "keys": (self.key,) if self.key else (),
            "duplicates": self.duplicates_by,
        }
        return {use: columns for use, columns in wanted.items() if columns}


def measure_on_beam(
    paths: Sequence[str | Path],
    columns: Columns,
    runner_options: Sequence[str] = (),
    *,
    shared: Path | None = None,
    rows: int = ROWS,
    progress: Callable[[str], None] | None = None,
) -> StreamProfile:
    """What `profiling.measure` says of the same files, measured on the Beam runner that the options name.

    Parquet files are shared out by about `rows` rows, others whole. `shared` is a folder that this
    machine and the workers see (without it, a temporary one of this machine). With an arrival time
    the files have to be in its order. Raises as `measure` does, `InputError` for a runner that is
    refused, `BeamError` when the pipeline fails.
    """
    from pipelineplan.profiling.recording import open_recording

    with quiet():
        version = beam_version("profiling on Apache Beam")
    opened = open_recording(
        paths,
        event_time=columns.event_time,
        arrival_time=columns.arrival_time,
        partition=columns.partition,
        others=[name for names in columns.counted.values() for name in names],
        unit=columns.unit,
    )
    with tempfile.TemporaryDirectory(prefix="pipelineplan-beam-", dir=shared) as folder:
        found = _run(opened, columns, runner_options, Path(folder).absolute(), rows)
    if progress is not None:
        progress(f"Apache Beam {version} measured {found.measured.last + 1:,} stretches of the files")
    return _finished(opened, columns, found)


def _run(
    opened: Recording, columns: Columns, runner_options: Sequence[str], folder: Path, rows: int
) -> _Found:
    from pipelineplan.engines.beam_profile_steps import merged, read, stretches_of

    with quiet():
        stretches = stretches_of(opened, rows)
        pipeline = pipeline_of(runner_options)
        level, number = _build(pipeline, stretches, columns, folder)
        run_pipeline(pipeline, "profiling")
    shares = {use: read(folder / use) for use in columns.counted}
    return _Found(merged(folder, level, range(number)), shares)


@dataclass(frozen=True)
class _Found:
    """What the workers found: all stretches as one, and the values of columns by what they are for."""

    measured: Measured
    shares: Mapping[str, Shares]


def _build(pipeline: Any, stretches: list[Stretch], columns: Columns, folder: Path) -> tuple[int, int]:
    """The steps; returns the level up to which they merge, and how many are left to merge there."""
    import apache_beam as beam

    from pipelineplan.engines import beam_profile_steps as own

    shared_out = pipeline | "stretches" >> beam.Create(stretches) | "share out" >> beam.Reshuffle()
    heads = shared_out | "newest event times" >> beam.Map(own.head_of)
    numbers = shared_out | "measure" >> beam.Map(own.measure_into, beam.pvalue.AsList(heads), folder)
    level, left = 0, len(stretches)
    while left > MERGED_AT_ONCE:
        groups = numbers | f"neighbours {level}" >> beam.Map(_in_group) | f"sort {level}" >> beam.GroupByKey()
        numbers = groups | f"merge {level}" >> beam.Map(own.merge_into, level, folder)
        level, left = level + 1, -(-left // MERGED_AT_ONCE)
    for use, names in columns.counted.items():
        heaps = shared_out | f"values of {use}" >> beam.FlatMap(own.values_of, names)
        counts = heaps | f"sort {use}" >> beam.GroupByKey() | f"count {use}" >> beam.Map(own.shares_of)
        largest = counts | f"largest of {use}" >> beam.CombineGlobally(own.together).without_defaults()
        _ = largest | f"write {use}" >> beam.Map(partial(own.write, folder / use))
    return level, left


def _in_group(number: int) -> tuple[int, int]:
    return number // MERGED_AT_ONCE, number


def _finished(opened: Recording, columns: Columns, found: _Found) -> StreamProfile:
    from pipelineplan.profiling.measuring import finish, within_partitions_of
    from pipelineplan.profiling.recording import MOST_PARTITIONS, nothing_readable

    measured = found.measured
    _look_at_unreadable(opened, measured)
    if measured.whole is None:
        raise nothing_readable(opened)
    if not measured.in_order:
        raise _out_of_order(opened)
    if len(measured.within.of) > MOST_PARTITIONS:
        opened.partition_names()  # says so
    events = measured.whole.events
    return finish(
        measured.whole,
        opened,
        partitions=_split(columns.partition, found.shares.get("partitions"), events),
        within_partitions=within_partitions_of(measured.within if columns.partition else None),
        keys=_split(columns.key, found.shares.get("keys"), events),
        clock_skew=_skews(columns, found.shares),
        duplicates=_duplicates(columns, found.shares.get("duplicates"), events),
    )


def _look_at_unreadable(opened: Recording, measured: Measured) -> None:
    """Count what could not be read, and read the files with such rows once more, to show some."""
    from dataclasses import replace

    if not measured.unreadable:
        return
    files = [file for file in opened.files if str(file.path.absolute()) in measured.unreadable]
    again = replace(opened, files=files, is_sorted=True)
    for _ in again.batches():
        pass
    shown = again.examples()
    opened.unreadable = sum(measured.unreadable.values())
    opened.examples = lambda: shown  # type: ignore[method-assign]


def _out_of_order(opened: Recording) -> InputError:
    arrival = opened.arrival.name if opened.arrival is not None else ""
    found = f"the rows are not in order of {arrival!r}, and workers that share them out could not sort them"
    fix = "sort the files by it first, or leave --on away: one process sorts them itself"
    return InputError([Problem(found, Position(str(opened.files[0].path)), fix=fix)])


def _split(column: str | None, shares: Shares | None, events: int) -> Split | None:
    if column is None or shares is None:
        return None
    largest = tuple(count / events for count in shares.largest)
    return Split(column, shares.values, largest[0], largest)


def _duplicates(columns: Columns, shares: Shares | None, events: int) -> Duplicates | None:
    from pipelineplan.profiling.partials import SECOND_US

    if shares is None:
        return None
    count = events - shares.values
    return Duplicates(columns.duplicates_by, count, count / events, shares.apart_us / SECOND_US)


def _skews(columns: Columns, shares: Mapping[str, Shares]) -> tuple[ClockSkew, ...]:
    """How clocks differ over partitions and over keys, where there are enough of them."""
    from statistics import median

    from pipelineplan.profiling.groups import clock_skew

    found = []
    for use, column in (("partitions", columns.partition), ("keys", columns.key)):
        one = shares.get(use)
        if column is None or one is None or len(one.least_us) < 2:
            continue
        least, most = one.extremes
        found.append(clock_skew(column, len(one.least_us), float(median(one.least_us)), least, most))
    return tuple(found)
