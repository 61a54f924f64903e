"""What is done with a plan and data: its checks, faults put into it, samples, old against new, streams."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, Literal

from pipelineplan.plan import Plan
from pipelineplan.workflow.given import Progress, as_plan

if TYPE_CHECKING:
    from pipelineplan.engines.beam_runner import OnBeam
    from pipelineplan.quality import Backend, Generated, MutationReport, QualityReport, Stream
    from pipelineplan.quality.reconciling import ReconciliationReport
    from pipelineplan.quality.streaming import StreamReport


def test(
    plan: Plan | Path | str,
    data: Mapping[str, Path],
    *,
    as_of: datetime | None = None,
    env: str | None = None,
    backend: Backend = "duckdb",
    progress: Progress | None = None,
) -> QualityReport:
    """Run the suites of the plan's contracts and quality rules on `data`: files by dataset name.

    `as_of` is the instant that freshness counts from, `backend` the engine that answers. Needs the
    extra `quality`. Raises `InputError` for a plan, a name or a file that cannot be used.
    """
    from pipelineplan.quality import data_by_dataset, dialect_of, run_suites, suites_of

    one = as_plan(plan, env)
    suites = suites_of(one, as_of, dialect_of(backend))
    return run_suites(suites, data_by_dataset(one, data), progress, backend)


def mutate(
    plan: Plan | Path | str,
    data: Mapping[str, Path],
    *,
    as_of: datetime | None = None,
    env: str | None = None,
    seed: int = 0,
    progress: Progress | None = None,
) -> MutationReport:
    """Put faults into good `data`, one kind at a time, and see which check of the plan notices which.

    Takes and raises what `test` does; `seed` chooses the rows that are made faulty.
    """
    from pipelineplan.quality import data_by_dataset, suites_of
    from pipelineplan.quality import mutate as mutate_suites

    one = as_plan(plan, env)
    return mutate_suites(suites_of(one, as_of), data_by_dataset(one, data), seed, progress)


def generate(
    plan: Plan | Path | str,
    folder: Path | str,
    *,
    rows: int,
    as_of: datetime,
    seed: int = 0,
    stream: Stream | None = None,
    env: str | None = None,
) -> tuple[dict[str, Path], Generated]:
    """Write sample data that meets the plan's contracts and quality rules into `folder`, as Parquet.

    Gives the files by dataset, and what was generated with the rules that could not be followed.
    `stream` is the lateness and the duplicates of the plan's streams, none when not given. Raises
    `InputError` for rules that contradict each other and for a folder that cannot be written.
    """
    from pipelineplan.quality import generate_for, write_tables

    made = generate_for(as_plan(plan, env), rows, as_of, seed, stream)
    return write_tables(made, Path(folder)), made


def reconcile(
    plan: Plan | Path | str,
    data: Mapping[str, Path],
    against: Mapping[str, Path] | None = None,
    *,
    watermark: datetime | Literal["end"] | None = None,
    replay: bool = False,
    ignore: Iterable[str] = (),
    on: OnBeam | None = None,
    env: str | None = None,
) -> ReconciliationReport:
    """Whether what came out is what went in: the plan's reconciliations on `data`, files by name.

    With `against` the old pipeline's output is compared with the new one in `data`, by dataset; with
    `replay` both are outputs of the same input and must be equal, but for the columns in `ignore`.
    `watermark` is what the destination has committed up to, "end" when the data is complete; without
    it the newest event time less the plan's lag stands for it. With `on` Apache Beam counts the segments
    of Parquet files, in this process ("beam") or on the runner that a tuple of Beam's options names, and
    this process finds the keys of those that differ. Needs the extra `quality`. Raises `InputError` for a
    plan, a name or a file that cannot be used.
    """
    from pipelineplan.engines.beam_quality import comparing
    from pipelineplan.quality.reconciling import against_old, pairs_of_plan, watermark_us

    one, compare = as_plan(plan, env), comparing(on)
    committed = watermark_us(watermark)
    if against is None:
        return pairs_of_plan(one, data, watermark_us=committed, compare=compare)
    return against_old(
        one, data, against, watermark_us=committed, replay=replay, ignored=tuple(ignore), compare=compare
    )


def check_streams(
    plan: Plan | Path | str,
    data: Mapping[str, Path],
    folder: Path | str,
    *,
    on: OnBeam | None = None,
    env: str | None = None,
) -> StreamReport:
    """What is late, out of order, repeated or stale in the plan's recorded streams, window by window.

    Writes a table of metrics, and a project of Great Expectations with the plan's limits on it, to
    `folder`. With `on` Apache Beam counts Parquet files, in this process ("beam") or on the runner that a
    tuple of Beam's options names. Raises `InputError` for a plan without a stream that has data, or files
    that cannot be used.
    """
    from pipelineplan.engines.beam_streams import counting
    from pipelineplan.quality.streaming import check_streams as check_each

    return check_each(as_plan(plan, env), data, Path(folder), counting(on))
