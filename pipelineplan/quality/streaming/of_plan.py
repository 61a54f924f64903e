"""The streams of a plan, checked as recorded: flags per record, a table per window, limits of the plan.

    sources.orders     semantics.event_time, .watermark.lag; keys.field; duplicates.key, .horizon, .rate
                       cdc.primary_key and .version: a change of a row with no higher version is stale
                       cdc.operation: a deletion of a row that never came; semantics.sequence: numbers missing
    stages.mart        the first fixed window below it, with its allowed lateness; late.alert

Records are taken in the order of their files, with one watermark over all of them. What a plan sets no
limit to is counted and not judged.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from pipelineplan.contracts import Place
from pipelineplan.errors import InputError, Position, Problem
from pipelineplan.eventtime.timeliness import FixedWindows, Judgement
from pipelineplan.eventtime.watermarks import Watermark
from pipelineplan.plan import Plan
from pipelineplan.plan.section import Section
from pipelineplan.plan.semantics import sources_above
from pipelineplan.plan.source import Source
from pipelineplan.plan.stage import Stage
from pipelineplan.quality.of_plan import dataset_names
from pipelineplan.quality.project import write_gx_project
from pipelineplan.quality.report import QualityReport
from pipelineplan.quality.run import run_suites
from pipelineplan.quality.streaming.counting import Counted, Stream, count_stream
from pipelineplan.quality.streaming.metrics import WindowMetrics, write
from pipelineplan.quality.streaming.suite import Limit, stream_suites
from pipelineplan.verdicts import Severity, Verdict

Count = Callable[[Stream, Path], Counted]


@dataclass(frozen=True)
class StreamChecked:
    """One stream: its table of metrics, the file it is in, and what the limits of the plan say of it."""

    source: str
    stage: str
    metrics: WindowMetrics
    unreadable: int
    file: Path
    report: QualityReport | None


@dataclass(frozen=True)
class StreamReport:
    """Every stream of the plan that has data."""

    streams: tuple[StreamChecked, ...]

    @property
    def verdict(self) -> Verdict:
        """Fails when a limit of severity error is passed; what has no limit holds."""
        verdicts = {stream.report.verdict for stream in self.streams if stream.report is not None}
        for worst in (Verdict.FAILS, Verdict.UNKNOWN):
            if worst in verdicts:
                return worst
        return Verdict.HOLDS

    def to_json_dict(self) -> dict[str, Any]:
        """Everything as plain JSON values; the same for the same data."""
        return {
            "verdict": str(self.verdict),
            "streams": [
                {
                    "source": stream.source,
                    "window_of": stream.stage,
                    "metrics": stream.file.name,
                    "unreadable": stream.unreadable,
                    "totals": {name: stream.metrics.total(name) for name in names_of(stream.metrics)},
                    "limits": stream.report.to_json_dict() if stream.report is not None else None,
                }
                for stream in self.streams
            ],
        }


def check_streams(
    plan: Plan, data: Mapping[str, Path], folder: Path, count: Count = count_stream
) -> StreamReport:
    """Check every stream of `plan` with data; write its metrics and a `gx` project for them to `folder`.

    `count` counts the records of a stream in its files: here, or on an engine for data past one machine.
    Raises `InputError` for a plan without such a stream, and for files that cannot be used.
    """
    names = dataset_names(plan)
    found = []
    for source, stage in _streams(plan):
        path = data.get(source.id) or data.get(names.get(source.id, source.id))
        if path is not None:
            found.append(_checked(plan, source, stage, path, folder, count))
    if not found:
        wanted = "no data for a stream of the plan: a source with semantics.event_time and watermark.lag"
        fix = "below it a stage with window: {fixed: ..}; give its --data NAME=PATH"
        raise InputError([Problem(wanted, Position("--data"), fix=fix)])
    return StreamReport(tuple(found))


def names_of(metrics: WindowMetrics) -> list[str]:
    """The columns that a table of metrics counts in."""
    return list(next(iter(metrics.counts.values()), {}))


def _streams(plan: Plan) -> Iterator[tuple[Source, Stage]]:
    """Each source whose records can be placed in windows, with the first stage below it that has any."""
    for source in plan.model.sources:
        semantics = source.semantics
        if semantics is None or semantics.event_time is None or semantics.watermark is None:
            continue
        below = [s for s in plan.model.stages if source in sources_above(plan, s.id)]
        fixed = [stage for stage in below if stage.window is not None and stage.window.fixed is not None]
        if fixed and semantics.watermark.lag is not None:
            yield source, fixed[0]


def stream_of(source: Source, stage: Stage) -> Stream:
    """How the records of `source` are judged by the windows of `stage`, and by which columns."""
    window, semantics, cdc = stage.window, source.semantics, source.cdc
    if window is None or semantics is None or semantics.watermark is None:
        raise AssertionError("a stream is made of what was found complete")
    lag = Watermark(_ms(semantics.watermark.lag))
    judgement = Judgement(lag, FixedWindows(_ms(window.fixed), _ms(window.allowed_lateness)))
    changes = cdc.primary_key if cdc is not None and (cdc.version or cdc.operation) else ()
    duplicates = semantics.duplicates
    return Stream(
        judgement,
        semantics.event_time or "",
        key=changes or ((source.keys.field,) if source.keys is not None and source.keys.field else ()),
        identity=duplicates.key if duplicates is not None else (),
        horizon_ms=_ms(duplicates.horizon) if duplicates and duplicates.horizon is not None else None,
        version=cdc.version if cdc is not None and changes else None,
        sequence=semantics.sequence,
        operation=cdc.operation if cdc is not None and changes else None,
    )


def _checked(
    plan: Plan, source: Source, stage: Stage, path: Path, folder: Path, count: Count
) -> StreamChecked:
    counted = count(stream_of(source, stage), path)
    metrics = counted.metrics
    file = write(metrics, folder / f"{source.id}.metrics.parquet")
    name = f"{source.id}_stream"
    limits = {
        flag: limit for flag, limit in _limits(plan, source, stage).items() if flag in names_of(metrics)
    }
    report = None
    if limits:
        suites = stream_suites(name, limits, metrics.total("records"))
        write_gx_project(suites, folder / source.id)
        report = run_suites(suites, {name: file})
    return StreamChecked(source.id, stage.id, metrics, counted.unreadable, file, report)


def _limits(plan: Plan, source: Source, stage: Stage) -> dict[str, Limit]:
    """What the plan allows: late records by the stage's alert, repeats by the source's rate."""
    limits: dict[str, Limit] = {}
    duplicates = source.semantics.duplicates if source.semantics is not None else None
    if stage.late is not None and stage.late.alert is not None:
        limits["late"] = Limit(stage.late.alert.value, _place(plan, stage.late), Severity.WARNING)
    if duplicates is not None and duplicates.rate is not None:
        limits["duplicate"] = Limit(
            duplicates.rate.value, _place(plan, duplicates), Severity.WARNING, over_all=True
        )
    if source.cdc is not None and source.cdc.version:
        limits["stale_correction"] = Limit(0.0, _place(plan, source.cdc), Severity.WARNING)
    return limits


def _place(plan: Plan, section: Section) -> Place:
    path = plan.path(section)
    return Place(path, plan.position(path))


def _ms(length: Any) -> int:
    return 0 if length is None else round(length.value * 1000)
