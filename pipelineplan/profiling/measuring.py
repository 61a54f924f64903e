"""A recorded stream measured: rate, disorder, lateness, gaps, skew, duplicates.

    measure(["orders-*.parquet"], event_time="updated_at", arrival_time="_loaded_at")
    -> StreamProfile(events=9600, out_of_order=OutOfOrder(count=1544, share=0.1608), ...)

Lateness is arrival time less event time; disorder is how far an event time lies behind the
newest one before it in arrival order. Arrival times are whatever says when a record was there
to be read: Kafka's LogAppendTime, Debezium's ts_ms, a loader's `_loaded_at`.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path

from pipelineplan.profiling.by_partition import DisorderByPartition, Within
from pipelineplan.profiling.counting import QUANTILES, ValueCounts
from pipelineplan.profiling.fitting import fit
from pipelineplan.profiling.groups import duplicates_by as count_duplicates
from pipelineplan.profiling.groups import groups_by
from pipelineplan.profiling.partials import SECOND_US, Partial, fold
from pipelineplan.profiling.recording import (
    Batch,
    Progress,
    Recording,
    nothing_readable,
    open_recording,
)
from pipelineplan.profiling.rhythm import bursts_of, gaps_of, rate_of, written
from pipelineplan.profiling.times import Unit
from pipelineplan.sources import (
    ClockSkew,
    Duplicates,
    Future,
    OutOfOrder,
    Split,
    Spread,
    StreamProfile,
    Unreadable,
    WithinPartitions,
)


def measure(
    paths: Sequence[str | Path],
    *,
    event_time: str,
    arrival_time: str | None = None,
    key: str | None = None,
    partition: str | None = None,
    duplicates_by: Sequence[str] = (),
    unit: Unit = "auto",
    progress: Progress | None = None,
) -> StreamProfile:
    """Measure the records in `paths` (CSV, JSONL or Parquet files, or globs of them).

    Rows whose times cannot be read are counted and shown, and are in no other figure. `unit` is
    that of numeric times, told by their size when `auto`. Memory stays bounded: by the number
    of different times to the microsecond, up to a limit beyond which they are rounded to 0.1 %.
    Raises `InputError` for files that are missing or unreadable, for columns that are not
    there, when no row is readable, and for more than 4096 partitions; `MissingExtraError` without
    the extra `data`.
    """
    others = [column for column in (key, *duplicates_by) if column]
    recording = open_recording(
        paths,
        event_time=event_time,
        arrival_time=arrival_time,
        partition=partition,
        others=others,
        unit=unit,
    )
    # What the database groups comes first: memory that it gives back is there for the counting.
    names = recording.partition_names() if partition else None
    groups = [groups_by(recording, column) for column in (partition, key)]
    repeated = count_duplicates(recording, duplicates_by)
    whole, within = recording.passed_to(lambda batches: _counted(batches, names), progress)
    if whole is None:
        raise nothing_readable(recording)
    return finish(
        whole,
        recording,
        partitions=None if groups[0] is None else groups[0].split,
        within_partitions=within_partitions_of(within),
        keys=None if groups[1] is None else groups[1].split,
        clock_skew=tuple(one.skew for one in groups if one is not None and one.skew is not None),
        duplicates=repeated,
    )


def finish(
    whole: Partial,
    recording: Recording,
    *,
    partitions: Split | None = None,
    within_partitions: WithinPartitions | None = None,
    keys: Split | None = None,
    clock_skew: tuple[ClockSkew, ...] = (),
    duplicates: Duplicates | None = None,
) -> StreamProfile:
    """The profile of everything that was merged into `whole`."""
    columns = {"event_time": recording.event.name}
    if recording.arrival is not None:
        columns["arrival_time"] = recording.arrival.name
    return StreamProfile(
        events=whole.events,
        first_event_time=written(whole.earliest_us),
        last_event_time=written(whole.latest_us),
        columns=columns,
        files=tuple(file.path.name for file in recording.files),
        unreadable=Unreadable(recording.unreadable, tuple(recording.examples())),
        rate=rate_of(whole, "arrival" if recording.arrival is not None else "event"),
        out_of_order=OutOfOrder(whole.out_of_order, whole.out_of_order / whole.events),
        disorder_seconds=_spread(whole.disorder),
        gaps=gaps_of(whole),
        bursts=bursts_of(whole),
        disorder_fit=fit(whole.disorder),
        lateness_fit=None if whole.lateness is None else fit(whole.lateness),
        lateness_seconds=None if whole.lateness is None else _spread(whole.lateness),
        future=None if whole.lateness is None else Future(whole.future, whole.furthest_future_us / SECOND_US),
        partitions=partitions,
        within_partitions=within_partitions,
        keys=keys,
        clock_skew=clock_skew,
        duplicates=duplicates,
    )


def _counted(
    batches: Iterator[Batch], partitions: Sequence[str | None] | None
) -> tuple[Partial | None, Within | None]:
    """Everything in one pass over the batches."""
    if partitions is None:
        return fold(batches), None
    watch = DisorderByPartition(partitions)
    whole = fold(watch.watching(batches))
    return whole, watch.found()


def _spread(counts: ValueCounts) -> Spread:
    mean, deviation = counts.mean_and_deviation()
    return Spread(
        least=int(counts.values[0]) / SECOND_US,
        mean=mean / SECOND_US,
        deviation=deviation / SECOND_US,
        quantiles={name: counts.quantile(p) / SECOND_US for name, p in QUANTILES},
        curve=tuple((value / SECOND_US, share) for value, share in counts.curve()),
        relative_error=counts.relative_error,
    )


def within_partitions_of(within: Within | None) -> WithinPartitions | None:
    """Disorder of all events, each within its own partition; None without partitions."""
    if within is None:
        return None
    pooled, worst = within.pooled, within.worst(0.99)
    behind = int(pooled.counts[pooled.values > 0].sum())
    counts = within.of[worst]
    return WithinPartitions(
        out_of_order=OutOfOrder(behind, behind / pooled.total),
        disorder_seconds=_spread(pooled),
        worst=worst or "",
        worst_p99_seconds=counts.quantile(0.99) / SECOND_US,
        worst_relative_error=counts.relative_error,
    )
