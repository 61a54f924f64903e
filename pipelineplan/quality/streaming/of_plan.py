"""The streams of a plan, checked as recorded: flags per record, a table per window, limits of the plan.

    sources.orders     semantics.event_time, .watermark.lag; keys.field; duplicates.key, .horizon, .rate
                       cdc.primary_key and .version: a change of a row with no higher version is stale
    stages.mart        the first fixed window below it, with its allowed lateness; late.alert

Records are taken in the order of their files, with one watermark over all of them. What a plan sets no
limit to is counted and not judged.
"""

# ruff: noqa: S608 - names and values are quoted by `sql.identifier` and `sql.literal`

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from pipelineplan.contracts import Place
from pipelineplan.errors import InputError, Position, Problem
from pipelineplan.plan import Plan
from pipelineplan.plan.section import Section
from pipelineplan.plan.semantics import sources_above
from pipelineplan.plan.source import Source
from pipelineplan.plan.stage import Stage
from pipelineplan.quality.check import Suite, Suites
from pipelineplan.quality.of_plan import dataset_names
from pipelineplan.quality.project import write_gx_project
from pipelineplan.quality.reconciling.columns import column, microseconds
from pipelineplan.quality.report import QualityReport
from pipelineplan.quality.run import run_suites
from pipelineplan.quality.streaming.flags import Records, flagged
from pipelineplan.quality.streaming.metrics import WindowMetrics, partial, write
from pipelineplan.quality.streaming.suite import Limit, stream_suites
from pipelineplan.quality.tables import open_tables
from pipelineplan.verdicts import Severity, Verdict


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


def check_streams(plan: Plan, data: Mapping[str, Path], folder: Path) -> StreamReport:
    """Check every stream of `plan` with data; write its metrics and a `gx` project for them to `folder`.

    Raises `InputError` for a plan without such a stream, and for files that cannot be used.
    """
    names = dataset_names(plan)
    found = []
    for source, stage in _streams(plan):
        path = data.get(source.id) or data.get(names.get(source.id, source.id))
        if path is not None:
            found.append(_checked(plan, source, stage, path, folder))
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


def _checked(plan: Plan, source: Source, stage: Stage, path: Path, folder: Path) -> StreamChecked:
    from pipelineplan.eventtime.timeliness import FixedWindows, Judgement
    from pipelineplan.eventtime.watermarks import Watermark

    window, semantics = stage.window, source.semantics
    if window is None or semantics is None or semantics.watermark is None:
        raise AssertionError("a stream is made of what was found complete")
    lag = Watermark(_ms(semantics.watermark.lag))
    judgement = Judgement(lag, FixedWindows(_ms(window.fixed), _ms(window.allowed_lateness)))
    records, unreadable = read_records(source, path)
    metrics = partial(flagged(judgement, records))
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
    return StreamChecked(source.id, stage.id, metrics, unreadable, file, report)


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


def read_records(source: Source, path: Path) -> tuple[Records, int]:
    """The records of `source` in file order as arrays, and how many have no readable event time.

    Keys are known by 63 bits of a hash. Raises `InputError` for files and columns that cannot be used.
    """
    import numpy as np

    tables = open_tables(Suites((Suite("stream", "stream", ()),), ()), {"stream": path})
    try:
        columns = dict(tables.tables["stream"].columns)
        picked = _picked(source, columns, path)
        sql = ", ".join(f"{expression} AS {name}" for name, expression in picked.items())
        arrays = tables.connection.execute(f'SELECT {sql} FROM "stream"').fetchnumpy()
    finally:
        tables.connection.close()
    event = np.ma.asarray(arrays["event_us"])
    known = ~np.ma.getmaskarray(event)
    own = {name: np.ma.getdata(values)[known].astype(np.int64) for name, values in arrays.items()}
    semantics = source.semantics
    horizon = semantics.duplicates.horizon if semantics and semantics.duplicates else None
    records = Records(
        own["event_us"] // 1000,
        key=own.get("key"),
        identity=own.get("identity"),
        horizon_ms=_ms(horizon) if horizon is not None else None,
        version=own.get("version"),
    )
    return records, int((~known).sum())


def _picked(source: Source, columns: Mapping[str, str], path: Path) -> dict[str, str]:
    semantics = source.semantics
    time = semantics.event_time if semantics is not None and semantics.event_time else ""
    identity = semantics.duplicates.key if semantics is not None and semantics.duplicates else ()
    cdc = source.cdc
    by = source.cdc.primary_key if source.cdc is not None and source.cdc.version else ()
    key = by or ((source.keys.field,) if source.keys is not None and source.keys.field else ())
    version = cdc.version if cdc is not None and by else None
    named = [time, *identity, *key, *([version] if version else [])]
    missing = [name for name in dict.fromkeys(named) if name not in columns]
    if missing:
        known = f"its columns are {', '.join(columns)[:300]}"
        raise InputError(
            [Problem(f"found no column {name!r}", Position(str(path)), fix=known) for name in missing]
        )
    picked = {"event_us": microseconds(column(time), columns[time])}
    for name, fields in (("identity", identity), ("key", key)):
        if fields:
            picked[name] = f"(hash({', '.join(column(field) for field in fields)}) >> 1)::BIGINT"
    if version:
        picked["version"] = f"TRY_CAST({column(version)} AS BIGINT)"
    return picked


def _place(plan: Plan, section: Section) -> Place:
    path = plan.path(section)
    return Place(path, plan.position(path))


def _ms(length: Any) -> int:
    return 0 if length is None else round(length.value * 1000)
