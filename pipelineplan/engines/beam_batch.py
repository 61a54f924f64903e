"""A plan's windows over whole recordings, as a batch on any Beam runner, written as Parquet.

    files -> read -> validate (contract) -> drop repeats -> window -> count by key -> windows-*.parquet
                         |
                  dead-letters-*.parquet

A batch drops nothing for being late: it is the backfill beside the stream. What it counts per key and
window is compared with what `eventtime` says of the same records under a watermark that waits for all.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from pipelineplan.contracts import Dataset
from pipelineplan.engines.beam_pipeline import window_fn
from pipelineplan.engines.beam_plan import Case, cases_of
from pipelineplan.engines.beam_runner import beam_version, pipeline_of, quiet, run_pipeline
from pipelineplan.engines.record_checks import checked_columns, reasons
from pipelineplan.errors import InputError, Position, Problem
from pipelineplan.eventtime.panes import play
from pipelineplan.eventtime.watermarks import NEVER
from pipelineplan.plan import Plan

if TYPE_CHECKING:
    from pipelineplan.engines.beam_batch_steps import Reading, Record
    from pipelineplan.engines.beam_profile_steps import Stretch

ROWS = 1 << 18
_EXAMPLES = 10
# Key, start and end in ms.
Place = tuple[str, int, int]


@dataclass(frozen=True)
class Batch:
    """One case: what was read, set aside and counted; `different` windows are not as predicted.

    `reasons` says how many dead letters there are of which kind.
    """

    case: Case
    folder: Path
    rows: int
    reasons: Mapping[str, int]
    repeats: int
    windows: int
    counted: int
    different: tuple[tuple[Place, int | None, int | None], ...]
    set_aside_as_predicted: bool

    @property
    def agrees(self) -> bool:
        """Whether every window, dead letter and repeat is as predicted."""
        return not self.different and self.set_aside_as_predicted

    def to_json_dict(self) -> dict[str, Any]:
        """Plain data in a fixed order."""
        return {
            "source": self.case.source,
            "stage": self.case.stage,
            "rows": self.rows,
            "dead_letters": sum(self.reasons.values()),
            "reasons": dict(self.reasons),
            "repeats": self.repeats,
            "windows_with_records": self.windows,
            "counted": self.counted,
            "differing_windows": len(self.different),
            "agrees": self.agrees,
        }


@dataclass(frozen=True)
class BatchReport:
    """Every case of a plan that ran as a batch."""

    version: str
    batches: tuple[Batch, ...]

    @property
    def agrees(self) -> bool:
        """Whether Beam counted exactly what was predicted, in every case."""
        return all(batch.agrees for batch in self.batches)

    def to_json_dict(self) -> dict[str, Any]:
        """Plain data, the same for the same records."""
        cases = [batch.to_json_dict() for batch in self.batches]
        return {"engine": "beam", "version": self.version, "agrees": self.agrees, "batches": cases}

    def lines(self) -> list[str]:
        """What the command prints."""
        return [line for batch in self.batches for line in _lines(batch, self.version)]


def batch_report(
    plan: Plan,
    data: Mapping[str, Path],
    output: Path,
    runner_options: Sequence[str] = (),
    progress: Callable[[str], None] | None = None,
) -> BatchReport:
    """Run the windows of `plan` over `data`, files by source, and write what they count below `output`.

    Each case has a folder of its own, `SOURCE-STAGE`, which must not be there yet. Raises as
    `beam_report` does, `InputError` also for a runner that is refused.
    """
    show = progress or (lambda _: None)
    with quiet():
        version = beam_version("running a plan's windows on Apache Beam")
    batches = []
    for case in cases_of(plan, data):
        show(f"Apache Beam: {case.stage} over {case.source}")
        batches.append(run_batch(case, _dataset(plan, case.source), output, runner_options))
    show("")
    return BatchReport(version, tuple(batches))


def _dataset(plan: Plan, source_id: str) -> Dataset | None:
    """The dataset of the contract that a source stands for, if it has one."""
    from pipelineplan.quality.of_plan import dataset_names

    name = dataset_names(plan).get(source_id)
    found = [each for contract in plan.contracts.values() for each in contract.datasets if each.name == name]
    return found[0] if found else None


def run_batch(
    case: Case, dataset: Dataset | None, output: Path, runner_options: Sequence[str] = (), rows: int = ROWS
) -> Batch:
    """Run one case and compare; raises as `batch_report` does."""
    from pipelineplan.engines.beam_batch_steps import Reading
    from pipelineplan.engines.beam_profile_steps import stretches_of
    from pipelineplan.profiling.recording import open_recording

    columns = [case.key, *case.repeats_by, *checked_columns(dataset, case.event_time)]
    opened = open_recording(
        [case.data], event_time=case.event_time, others=[column for column in columns if column]
    )
    reading = Reading(case.key, case.repeats_by, reasons(dataset, case.event_time))
    with quiet():
        stretches = stretches_of(opened, rows)
        pipeline = pipeline_of(runner_options)
        folder = _made(output / f"{case.source}-{case.stage}")
        _build(pipeline, case, stretches, reading, folder)
        run_pipeline(pipeline, repr(case.stage))
    return _compared(case, stretches, reading, folder)


def _made(folder: Path) -> Path:
    try:
        folder.mkdir(parents=True)
    except FileExistsError as error:
        fix = "name another folder with --batch, or remove it"
        raise InputError([Problem("it is there already", Position(folder.as_posix()), fix=fix)]) from error
    except OSError as error:
        found = f"cannot be made: {(error.strerror or str(error)).lower()}"
        raise InputError([Problem(found, Position(folder.as_posix()))]) from error
    return folder.absolute()


def _build(pipeline: Any, case: Case, stretches: list[Stretch], reading: Reading, folder: Path) -> None:
    import apache_beam as beam

    from pipelineplan.engines import beam_batch_steps as own
    from pipelineplan.engines.beam_transforms import split

    files = tuple(stretch.file.path.name for stretch in stretches)
    shared_out = pipeline | "stretches" >> beam.Create(stretches) | "share out" >> beam.Reshuffle()
    records = shared_out | "read" >> beam.FlatMap(own.records_of, reading)
    sorted_out = records | "validate" >> split(own.Sort(), "dead")
    dead = sorted_out.dead | "dead letters of a stretch" >> beam.GroupByKey()
    _ = dead | "write dead letters" >> beam.Map(own.write_dead, files, folder)
    valid = sorted_out.main
    if case.repeats_by:
        named = valid | "by identity" >> beam.Map(own.by_identity)
        valid = named | "keep the first" >> beam.CombinePerKey(min) | "without identity" >> beam.Values()
    stamped = valid | "event time" >> beam.Map(own.stamped)
    windowed = stamped | "window" >> beam.WindowInto(window_fn(case.paning.windows))
    counts = windowed | "count" >> beam.CombinePerKey(sum) | "rows" >> beam.ParDo(own.Counted())
    in_files = counts | "all windows" >> beam.WindowInto(beam.window.GlobalWindows())
    rows = in_files | "rows of a file" >> beam.GroupByKey()
    _ = rows | "write windows" >> beam.Map(own.write_windows, folder)


def _compared(case: Case, stretches: list[Stretch], reading: Reading, folder: Path) -> Batch:
    from pipelineplan.engines.beam_batch_steps import records_of

    records = [record for stretch in stretches for record in records_of(stretch, reading)]
    dead = {(stretches[r.stretch].file.path.name, r.row, r.wrong) for r in records if r.wrong}
    valid = [record for record in records if not record.wrong]
    kept = _first_only(valid) if case.repeats_by else valid
    predicted, found = _predicted(case, kept), _found(folder)
    different = tuple(
        (place, predicted.get(place), found.get(place))
        for place in sorted(predicted.keys() | found.keys())
        if predicted.get(place) != found.get(place)
    )
    return Batch(
        case,
        folder,
        rows=len(records),
        reasons=dict(sorted(Counter(why for _, _, why in dead).items())),
        repeats=len(valid) - len(kept),
        windows=len(found),
        counted=sum(found.values()),
        different=different,
        set_aside_as_predicted=dead == _dead(folder),
    )


def _first_only(records: Iterable[Record]) -> list[Record]:
    kept: dict[str, Record] = {}
    for record in records:
        kept.setdefault(record.identity, record)
    return list(kept.values())


def _predicted(case: Case, kept: Sequence[Record]) -> dict[Place, int]:
    """Every window of `eventtime`, under a watermark that moves only when all records are in."""
    arrivals = [(record.key, record.event_ms) for record in kept]
    played = play(case.paning, arrivals, [NEVER] * len(arrivals) + [2**60])
    return {place: len(records) for place, records in played.final().items()}


def _found(folder: Path) -> dict[Place, int]:
    import pyarrow.parquet as pq

    rows = [
        row for file in sorted(folder.glob("windows-*.parquet")) for row in pq.read_table(file).to_pylist()
    ]
    found = {(row["key"], row["start_ms"], row["end_ms"]): row["records"] for row in rows}
    if len(found) != len(rows):
        raise ValueError(f"found a window twice in {folder}")
    return found


def _dead(folder: Path) -> set[tuple[str, int, str]]:
    import pyarrow.parquet as pq

    files = sorted(folder.glob("dead-letters-*.parquet"))
    rows = [row for file in files for row in pq.read_table(file).to_pylist()]
    return {(row["file"], row["row"], row["reason"]) for row in rows}


def _lines(batch: Batch, version: str) -> list[str]:
    case, dead = batch.case, sum(batch.reasons.values())
    verdict = "agrees" if batch.agrees else f"differs in {len(batch.different):,} windows"
    lines = [
        f"{case.source} -> {case.stage}: {batch.rows:,} records as a batch on Apache Beam {version}",
        f"  {dead:,} dead letters, {batch.repeats:,} repeats dropped",
    ]
    lines += [f"    {number:,} x {why}" for why, number in list(batch.reasons.items())[:_EXAMPLES]]
    lines.append(f"  {batch.counted:,} counted in {batch.windows:,} windows of a key; Beam {verdict}")
    for (key, start, end), ours, theirs in batch.different[:_EXAMPLES]:
        lines.append(f"  differs: [{start}, {end}) of {key!r}: predicted {ours}; Beam {theirs}")
    if not batch.set_aside_as_predicted:
        lines.append("  differs: the dead letters are others than were predicted")
    return [*lines, f"  wrote {batch.folder}"]
